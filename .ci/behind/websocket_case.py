"""Autobahn's cases, as kosoku runs them, against an echo: through the proxy nothing goes otherwise than without."""
import collections, json, pathlib, subprocess, sys, tempfile
from common import HERE, check, free_port, process, proxied

# 9: large messages, the small half of them; 12: compressed ones.
CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.1.*", "9.2.*", "10.*", "12.1.*"]
KOSOKU = pathlib.Path(sys.executable).parent / "kosoku"


def behaviours(port):
    with tempfile.TemporaryDirectory() as folder:
        chosen = [argument for case in CASES for argument in ("-i", case)]
        command = [KOSOKU, "-m", "fuzzingclient", *chosen, "-p", "2", "-o", folder, f"127.0.0.1:{port}"]
        # It fails where a case does, and some do without a proxy.
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900)
        (agent,) = json.loads(pathlib.Path(folder, "index.json").read_text()).values()
    return {case: (told["behavior"], told["behaviorClose"], told["remoteCloseCode"]) for case, told in agent.items()}


upstream = free_port()
with process(upstream, sys.executable, str(HERE / "websocket_echo.py"), str(upstream)), proxied(upstream) as site:
    direct, through = behaviours(upstream), behaviours(site)
for name, all in ("direct", direct), ("through the proxy", through):
    print(f"Autobahn, {name}: {dict(collections.Counter(behaviour for behaviour, _, _ in all.values()))}")
check(len(direct) > 250 and direct.keys() == through.keys(), f"{len(direct)} and {len(through)} cases")
for case, one in direct.items():
    other = through[case]
    # Which of two fails first is a matter of time; both are allowed.
    good = {"OK", "NON-STRICT"}
    same = one == other or ({one[0], other[0]} <= good and one[1:] == other[1:])
    check(same, f"{case}: {other} instead of {one}")

"""Servers of other makers, and `proxy` in front of them."""
import contextlib, http.client, os, pathlib, socket, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).parent
PROXY = os.environ.get("PROXY", str(HERE.parent.parent / "target/debug/proxy"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(port, *command, **environment):
    """Runs a command until the block ends, which begins when it listens."""
    with tempfile.TemporaryFile() as log:
        run = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment})
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if run.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        sys.exit(f"{command[0]} does not listen: {log.read().decode(errors='replace')}")
                    time.sleep(0.05)
            yield run
        finally:
            run.terminate()
            try:
                run.wait(10)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()


@contextlib.contextmanager
def proxied(upstream, options=""):
    """Gives the port of a proxy in front of a port. PROXY may name another program that reads Caddyfiles."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "Caddyfile")
        file.write_text(
            f"{{\n\tadmin off\n}}\nhttp://:{port} {{\n\treverse_proxy 127.0.0.1:{upstream} {{\n{options}\n\t}}\n}}\n"
        )
        homes = {"XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder, "HOME": folder}
        with process(port, PROXY, "run", "--config", str(file), "--adapter", "caddyfile", **homes):
            yield port


def ask(port, method, path, body=None, fields=(), connection=None):
    """Gives status, fields in lower case and body."""
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    own.request(method, path, body, dict(fields))
    response = own.getresponse()
    content = response.read()
    if connection is None:
        own.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")

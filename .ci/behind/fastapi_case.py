"""uvicorn with FastAPI, which closes connections that are idle for a second, or at once: no request may suffer."""
import asyncio, hashlib, http.client, json, sys, threading, time
import websockets
from common import ask, check, free_port, process, proxied

JSON = {"Content-Type": "application/json"}
ITEM, TAXED = json.dumps({"name": "a", "price": 2}), {"name": "a", "taxed": 4}
BIG = bytes(range(256)) * (5 << 12)  # 5 MiB


def requests(port):
    """Each with what it is answered; dates aside."""
    form = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n" + BIG + b"\r\n--x--\r\n"
    chunks = lambda: iter([BIG[at : at + 100_000] for at in range(0, len(BIG), 100_000)])
    for name, arguments in {
        "item": ("POST", "/items", ITEM, JSON),
        "wrong item": ("POST", "/items", "{}", JSON),
        "upload": ("POST", "/upload", BIG),
        "upload in chunks": ("POST", "/upload", chunks()),
        "form": ("POST", "/form", form, {"Content-Type": "multipart/form-data; boundary=x"}),
        "events": ("GET", "/events"),
        "download": ("GET", "/download/3000000"),
        "none": ("GET", "/none"),
        "method": ("DELETE", "/items"),
        "HEAD": ("HEAD", "/items"),
        "description": ("GET", "/openapi.json"),
    }.items():
        status, fields, body = ask(port, *arguments)
        fields.pop("date", None), fields.pop("via", None)
        # Whether a length or chunks say where it ends.
        fields.pop("connection", None)
        yield name, (status, fields, hashlib.sha256(body).hexdigest())


def many(port, method, seconds, pause):
    """Requests of a few clients, one after the other on kept connections; gives how many, and what was not as it should."""
    wrong, count, end = [], [0], time.monotonic() + seconds

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < end:
            try:
                status, _, body = ask(port, method, "/items", ITEM, JSON, connection)
                if status != 200 or json.loads(body) != TAXED:
                    wrong.append(f"{status} {body[:80]}")
            except (OSError, http.client.HTTPException) as error:
                wrong.append(repr(error))
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            count[0] += 1
            time.sleep(pause)

    clients = [threading.Thread(target=client) for _ in range(4)]
    [client.start() for client in clients]
    [client.join() for client in clients]
    return count[0], wrong


async def echoed(port):
    async with websockets.connect(f"ws://127.0.0.1:{port}/echo") as socket:
        await socket.send("hello")
        return await socket.recv()


for keep in [0, 1, 5]:
    upstream = free_port()
    uvicorn = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--port", str(upstream), "--log-level", "warning"]
    with process(upstream, *uvicorn, "--timeout-keep-alive", str(keep)), proxied(upstream) as site:
        direct, through = dict(requests(upstream)), dict(requests(site))
        for name, answer in direct.items():
            check(through[name] == answer, f"{name}: {through[name]} instead of {answer}")
        for port in upstream, site:
            check(asyncio.run(echoed(port)) == "hello", "a WebSocket")
        # A pause of as long as connections are kept: they close under the requests.
        for method, pause in [("PUT", 0), ("POST", 0), ("PUT", keep), ("POST", keep)][: 2 if keep == 5 else 4]:
            count, wrong = many(site, method, 6, pause)
            print(f"uvicorn, connections kept {keep} s: {count} {method}s, {len(wrong)} failed {wrong[:2]}")
            # What is not idempotent is not sent twice (RFC 9110, 9.2.2). Connections that close at once, unannounced, lose
            # some of those, behind Caddy as many.
            most = {"PUT": 0, "POST": count // 4 if keep == 0 else count // 20}[method]
            check(len(wrong) <= most, f"{method}s: {len(wrong)} of {count}")

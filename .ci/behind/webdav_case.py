"""WsgiDAV, a WebDAV server: what its methods do through the proxy is what they do without."""
import pathlib, re, sys, tempfile
from common import PROXY, ask, check, free_port, process, proxied

XML = {"Content-Type": "application/xml"}
LOCK = (
    '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>"
)
PATCH = (
    '<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:z"><D:set><D:prop><Z:a>b</Z:a></D:prop></D:set>'
    "</D:propertyupdate>"
)
REPORT = '<?xml version="1.0"?><D:version-tree xmlns:D="DAV:"><D:prop><D:version-name/></D:prop></D:version-tree>'


def requests(port, address):
    """The same story each time; `address` is what the client calls the server."""
    host = {"Host": address}
    yield "OPTIONS", ask(port, "OPTIONS", "/", None, host)
    yield "MKCOL", ask(port, "MKCOL", "/folder", None, host)
    yield "PUT", ask(port, "PUT", "/folder/file.txt", b"content", host)
    yield "PUT of 5 MB", ask(port, "PUT", "/folder/big", b"x" * 5_000_000, host)
    for depth in "0", "1", "infinity":
        yield f"PROPFIND {depth}", ask(port, "PROPFIND", "/", None, {**host, "Depth": depth})
    yield "PROPPATCH", ask(port, "PROPPATCH", "/folder/file.txt", PATCH, {**host, **XML})
    locked = ask(port, "LOCK", "/folder/file.txt", LOCK, {**host, **XML, "Timeout": "Second-60"})
    yield "LOCK", locked
    token = locked[1].get("lock-token", "")
    yield "PUT of what is locked", ask(port, "PUT", "/folder/file.txt", b"other", host)
    yield "PUT with the lock", ask(port, "PUT", "/folder/file.txt", b"other", {**host, "If": f"({token})"})
    yield "UNLOCK", ask(port, "UNLOCK", "/folder/file.txt", None, {**host, "Lock-Token": token})
    to = lambda name: {**host, "Destination": f"http://{address}/folder/{name}"}
    yield "COPY", ask(port, "COPY", "/folder/file.txt", None, to("copy"))
    yield "MOVE", ask(port, "MOVE", "/folder/copy", None, to("moved"))
    yield "MOVE over another", ask(port, "MOVE", "/folder/moved", None, {**to("file.txt"), "Overwrite": "F"})
    yield "GET", ask(port, "GET", "/folder/moved", None, host)
    yield "GET of a range", ask(port, "GET", "/folder/big", None, {**host, "Range": "bytes=10-19"})
    yield "HEAD", ask(port, "HEAD", "/folder/moved", None, host)
    yield "REPORT", ask(port, "REPORT", "/folder/moved", REPORT, {**host, **XML})
    yield "PROPFIND of nothing", ask(port, "PROPFIND", "/none", None, host)
    yield "DELETE", ask(port, "DELETE", "/folder", None, host)


def told(behind_proxy):
    """What a fresh server tells, without what differs from run to run."""
    with tempfile.TemporaryDirectory() as folder:
        # Its name is told.
        root = pathlib.Path(folder, "dav")
        root.mkdir()
        upstream = free_port()
        server = [sys.executable, "-m", "wsgidav.server.server_cli", "--host", "127.0.0.1", "--port", str(upstream)]
        with process(upstream, *server, "--root", str(root), "--auth", "anonymous", "--no-config"):
            if behind_proxy:
                with proxied(upstream) as site:
                    return list(requests(site, "dav.test"))
            return list(requests(upstream, "dav.test"))


def steady(answer):
    status, fields, body = answer
    # Hop by hop, or other at each run.
    for name in "date", "via", "connection", "keep-alive", "transfer-encoding", "content-length", "lock-token":
        fields.pop(name, None)
    fields = {name: re.sub(r"^\"?[^\"]*\"?$", "etag", value) if name == "etag" else value for name, value in fields.items()}
    fields.pop("last-modified", None)
    body = re.sub(rb"opaquelocktoken:[^<]*", b"token", body)
    body = re.sub(rb"<(\w+:(?:getetag|creationdate|getlastmodified|quota[-\w]*))>[^<]*<", rb"<\1><", body)
    body = re.sub(rb"Second-\d+", b"Second", body)
    body = re.sub(rb"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT|\d{4}-\d\d-\d\d[T ][\d:.]{8,}Z?", b"time", body)
    return status, fields, body


direct, through = told(False), told(True)
for (name, one), (_, other) in zip(direct, through, strict=True):
    one, other = steady(one), steady(other)
    check(one == other, f"{name}: {other}\ninstead of {one}")
    print(f"WsgiDAV: {name}: {one[0]}")
statuses = [answer[0] for _, answer in direct]
check(statuses.count(207) >= 4 and 423 in statuses and 206 in statuses, f"{PROXY}: {statuses}")

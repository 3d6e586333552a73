//! Requests that no good client sends: the classes of known desynchronisations, byte by byte.

type Payload = (String, Vec<u8>);
/// Bytes that parsers have disagreed on.
const ODD: [u8; 18] = [
    0x00, 0x01, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1f, 0x20, 0x22, 0x2c, 0x3b, 0x3a, 0x7f, 0x80, 0xa0,
    0xff,
];
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

pub(crate) fn all() -> Vec<Payload> {
    let mut all = vec![];
    transfer_encodings(&mut all);
    lengths(&mut all);
    chunks(&mut all);
    lines(&mut all);
    hosts(&mut all);
    fields(&mut all);
    connections(&mut all);
    all
}
fn post(fields: &[u8], body: &[u8]) -> Vec<u8> {
    [b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", fields, b"\r\n\r\n", body].concat()
}
/// A field with an odd byte in each place of it.
fn with_odd(name: &[u8], value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut fields = vec![];
    for odd in ODD {
        let middle = value.len() / 2;
        for (place, field) in [
            ("before the name", [&[odd], name, b": ", value].concat()),
            ("in the name", [&name[..1], &[odd], &name[1..], b": ", value].concat()),
            ("behind the name", [name, &[odd], b": ", value].concat()),
            ("before the value", [name, b":", &[odd], value].concat()),
            ("in the value", [name, b": ", &value[..middle], &[odd], &value[middle..]].concat()),
            ("behind the value", [name, b": ", value, &[odd]].concat()),
        ] {
            fields.push((format!("{odd:#04x} {place}"), field));
        }
    }
    fields
}
fn transfer_encodings(all: &mut Vec<Payload>) {
    let body = [b"0\r\n\r\n", SMUGGLED].concat();
    for (name, field) in with_odd(b"Transfer-Encoding", b"chunked") {
        all.push((format!("coding: {name}"), post(&field, &body)));
        let both = [&field[..], b"\r\nContent-Length: 5"].concat();
        all.push((format!("coding and length: {name}"), post(&both, &body)));
    }
    for value in [
        "Chunked",
        "CHUNKED",
        "chunked, chunked",
        "chunked, identity",
        "identity, chunked",
        "identity",
        "gzip, chunked",
        "chunked;q=1",
        "xchunked",
        "chunkedx",
        "\"chunked\"",
        "chunked,",
        ",chunked",
        "x",
        "",
        "chun ked",
    ] {
        all.push((
            format!("coding {value:?}"),
            post(format!("Transfer-Encoding: {value}").as_bytes(), &body),
        ));
    }
    let twice = b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked";
    all.push(("two codings".into(), post(twice, &body)));
    let one = b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity";
    all.push(("two codings, one odd".into(), post(one, &body)));
    let old = [b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", &body[..]].concat();
    all.push(("a coding in HTTP/1.0".into(), old));
    let get =
        [b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n", &body[..]]
            .concat();
    all.push(("a coding of a GET".into(), get));
}
fn lengths(all: &mut Vec<Payload>) {
    let body = [b"hello", SMUGGLED].concat();
    for value in [
        "5",
        "05",
        "0000000000000000000005",
        "+5",
        "-5",
        "5,5",
        "5, 6",
        "0x5",
        "5 ",
        "\t5",
        "5\t",
        "5.0",
        "5e0",
        "",
        "five",
        "99999999999999999999",
        "18446744073709551621",
        "5;",
        "5 5",
        "5\0",
        "-0",
        "5\u{b}",
        "\u{b}5",
        "５",
        "5,",
        ",5",
        "1_0",
        "5L",
    ] {
        let field = format!("Content-Length: {value}");
        all.push((format!("length {value:?}"), post(field.as_bytes(), &body)));
        let get =
            [b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", field.as_bytes(), b"\r\n\r\n", &body]
                .concat();
        all.push((format!("length {value:?} of a GET"), get));
    }
    for (first, second) in [("5", "5"), ("5", "6"), ("6", "5"), ("5", ""), ("5", "+5"), ("0", "5")] {
        let fields = format!("Content-Length: {first}\r\nContent-Length: {second}");
        all.push((format!("lengths {first:?} and {second:?}"), post(fields.as_bytes(), &body)));
    }
    for name in [
        "Content_Length",
        "Content.Length",
        "Content-Length ",
        " Content-Length",
        "content-length",
        "Content-Lengt\u{212a}",
    ] {
        all.push((format!("a length called {name:?}"), post(format!("{name}: 5").as_bytes(), &body)));
    }
}
fn chunks(all: &mut Vec<Payload>) {
    for body in [
        "5\r\nhello\r\n0\r\n\r\n",
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5 ;a=b\r\nhello\r\n0\r\n\r\n",
        "5; a=\"b\"\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\n",
        "5\nhello\n0\n\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "05\r\nhello\r\n0\r\n\r\n",
        "0000000000000000000005\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "\t5\r\nhello\r\n0\r\n\r\n",
        "G\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\r\r\n0\r\n\r\n",
        "5\r\nhello\rX0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5;\n\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
        "5;a\0\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n00000\r\n\r\n",
        "5\r\nhello\r\n0;a=b\r\n\r\n",
        "5\r\nhello\r\n",
        "5\r\nhello\r\n0",
        "5\r\nhello\r\n0\r\n",
        "5\r\nhello\r\n0\r\n\r",
        "5\r\nhello\r\n-0\r\n\r\n",
        "0\r\nX: 1\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nHost: evil\r\n\r\n",
        "0\r\n X: 1\r\n\r\n",
        "0\r\nX : 1\r\n\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\n: 1\r\n\r\n",
        "0\r\nX: a\0b\r\n\r\n",
        "0\r\nX: 1\n\r\n",
        "0\r\n\n\r\n",
        "0\r\n\r\n\r\n",
        "5\u{b}\r\nhello\r\n0\r\n\r\n",
        "a\r\n0123456789\r\n0\r\n\r\n",
        "A\r\n0123456789\r\n0\r\n\r\n",
        "5\r\nhel\r\n0\r\n\r\n",
        "3\r\nhello\r\n0\r\n\r\n",
    ] {
        let bytes = [body.as_bytes(), SMUGGLED].concat();
        all.push((format!("chunks {body:?}"), post(b"Transfer-Encoding: chunked", &bytes)));
    }
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(100_000));
    all.push(("a long chunk extension".into(), post(b"Transfer-Encoding: chunked", long.as_bytes())));
}
fn lines(all: &mut Vec<Payload>) {
    for line in [
        "GET / HTTP/1.1",
        "get / HTTP/1.1",
        "G=T / HTTP/1.1",
        "G\0T / HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        " GET / HTTP/1.1",
        "\tGET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1 x",
        "GET / x HTTP/1.1",
        "GET / HTTP/1.0",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET / HTTP/11",
        "GET / HTTP/1.1.1",
        "GET / HTTP/01.1",
        "GET / http/1.1",
        "GET / HTTPS/1.1",
        "GET / HTTP/+1.1",
        "GET / HTTP/1.",
        "GET /",
        "GET",
        "",
        "GET http://a/x HTTP/1.1",
        "GET https://a/x HTTP/1.1",
        "GET http://b/x HTTP/1.1",
        "GET HTTP://a/ HTTP/1.1",
        "GET http://u:p@a/x HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http:x HTTP/1.1",
        "GET ftp://a/x HTTP/1.1",
        "GET //a/x HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT a:80 HTTP/1.1",
        "CONNECT /x HTTP/1.1",
        "GET a:80 HTTP/1.1",
        "GET /#f HTTP/1.1",
        "GET /a#f?q HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /a\0b HTTP/1.1",
        "GET /a\tb HTTP/1.1",
        "GET /ü HTTP/1.1",
        "GET /\\x HTTP/1.1",
        "GET /%zz HTTP/1.1",
        "GET /% HTTP/1.1",
        "GET /%0d%0aX:1 HTTP/1.1",
        "GET /?a=\"b\" HTTP/1.1",
        "GET /?<> HTTP/1.1",
        "GET ?q HTTP/1.1",
        "GET x HTTP/1.1",
        "TRACE / HTTP/1.1",
        "TRACK / HTTP/1.1",
        "PRI * HTTP/2.0",
        "PRI * HTTP/1.1",
        "HEAD / HTTP/1.1",
        "M-SEARCH / HTTP/1.1",
        "GET /a\rb HTTP/1.1",
        "GET /\x7f HTTP/1.1",
        "GET /{a}|^` HTTP/1.1",
    ] {
        let bytes = format!("{line}\r\nHost: a\r\nConnection: close\r\n\r\n").into_bytes();
        all.push((format!("line {line:?}"), bytes));
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "x".repeat(200_000));
    all.push(("a long line".into(), long.into_bytes()));
    for (name, bytes) in [
        ("line feeds alone", &b"GET / HTTP/1.1\nHost: a\nConnection: close\n\n"[..]),
        ("carriage returns alone", b"GET / HTTP/1.1\rHost: a\r\r"),
        ("an empty line before", b"\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ("many empty lines before", b"\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ("TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
        ("nonsense", b"\xff\xfe\xfd\xfc\r\n\r\n"),
        ("three requests", b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ] {
        all.push((name.into(), bytes.to_vec()));
    }
}
fn hosts(all: &mut Vec<Payload>) {
    for hosts in [
        "X: 1",
        "Host: a\r\nHost: a",
        "Host: a\r\nHost: b",
        "Host:",
        "Host: ",
        "Host: a,b",
        "Host: a b",
        "Host: a/b",
        "Host: a?b",
        "Host: a#b",
        "Host: u@a",
        "Host: u:p@a",
        "Host: a:",
        "Host: a:80",
        "Host: a:x",
        "Host: a:99999",
        "Host: a:80:80",
        "Host: [::1",
        "Host: [::1]",
        "Host: [::1]:80",
        "Host: ::1",
        "Host: a\0",
        "Host: a\tb",
        "Host: a_b",
        "Host: ä",
        "Host: a\\b",
        "Host: a%00",
        "Host: http://a",
        "Host : a",
        " Host: a",
        "Host: a\"",
        "Host: <a>",
        "Host: a;b",
        "Host: a..b",
        "Host: .",
        "Host: *",
        "host: a\r\nHOST: b",
        "Host: a\r\n b",
    ] {
        all.push((
            format!("host {hosts:?}"),
            format!("GET / HTTP/1.1\r\n{hosts}\r\nConnection: close\r\n\r\n").into_bytes(),
        ));
        all.push((
            format!("host {hosts:?} in HTTP/1.0"),
            format!("GET / HTTP/1.0\r\n{hosts}\r\n\r\n").into_bytes(),
        ));
    }
}
fn fields(all: &mut Vec<Payload>) {
    for (name, field) in with_odd(b"X-Abc", b"value") {
        let bytes = [b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", &field[..], b"\r\n\r\n"].concat();
        all.push((format!("a field: {name}"), bytes));
    }
    for field in [
        "X",
        ":",
        ": x",
        "X:",
        "X:a\r\n b",
        "X: a\r\n\tb",
        "X: a\r\n\r\n b",
        "X\r\n: a",
        "X:\u{2028}",
        "(X): a",
        "X/Y: a",
        "X@Y: a",
        "X[]: a",
        "X_Y: a",
        "X.Y: a",
        "Via: 1.1 x",
        "Forwarded: for=x;\"",
        "X-Forwarded-For: 1, 2\r\nX-Forwarded-For: 3",
        "Proxy: x",
        "Trailer: X",
        "TE: trailers",
        "TE: gzip",
        "Keep-Alive: 5",
        "Proxy-Connection: keep-alive",
        "HTTP2-Settings: AAAA",
    ] {
        all.push((
            format!("a field {field:?}"),
            format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{field}\r\n\r\n").into_bytes(),
        ));
    }
}
fn connections(all: &mut Vec<Payload>) {
    for fields in [
        "Connection: close, Host",
        "Connection: close, Content-Length\r\nContent-Length: 0",
        "Connection: close, X-Forwarded-For\r\nX-Forwarded-For: 1",
        "Connection: close, transfer-encoding\r\nTransfer-Encoding: chunked",
        "Connection: keep-alive, close",
        "Connection: CLOSE",
        "Connection: close\r\nConnection: keep-alive",
        "Connection: \"close\"",
        "Connection: close;",
        "Connection: close, X-A\r\nX-A: gone",
        "Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        "Connection: upgrade, close\r\nUpgrade: websocket",
        "Connection: upgrade\r\nUpgrade: websocket, h2c",
        "Upgrade: websocket\r\nConnection: close",
        "Expect: 100-continue\r\nConnection: close",
        "Expect: 200-ok\r\nConnection: close",
        "Expect: \r\nConnection: close",
        "Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close",
        "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\nConnection: close",
    ] {
        let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n0\r\n\r\n").into_bytes();
        all.push((format!("connection {fields:?}"), bytes));
    }
}
/// Paths that would lead out of a root, if someone read them so.
pub(crate) fn traversals() -> Vec<Vec<u8>> {
    let ups: [&[u8]; 26] = [
        b"..",
        b"%2e%2e",
        b"%2E%2E",
        b".%2e",
        b"%2e.",
        b"%252e%252e",
        b"..%00",
        b"..;",
        b"..%5c",
        b"..\\",
        b"...",
        b"....",
        b". .",
        b"..%20",
        b"%c0%ae%c0%ae",
        b"%e0%80%ae%e0%80%ae",
        b"%uff0e%uff0e",
        b"\xef\xbc\x8e\xef\xbc\x8e",
        b"..%09",
        b"..%0a",
        b".%00.",
        b"%2e%00%2e",
        b"..%3f",
        b"..%23",
        b"..%ff",
        b"%%32%65%%32%65",
    ];
    let slashes: [&[u8]; 9] = [b"/", b"//", b"%2f", b"%2F", b"%5c", b"\\", b"%252f", b"/./", b"%c0%af"];
    let mut paths = vec![];
    for up in ups {
        for slash in slashes {
            paths.push([b"/", &up.to_vec()[..], slash, b"secret.txt"].concat());
            paths.push([b"/dir", slash, up, slash, up, slash, b"secret.txt"].concat());
        }
    }
    let deep = "../".repeat(20);
    for path in [
        format!("/{deep}etc/passwd"),
        format!("/dir/{deep}etc/passwd"),
        "//etc/passwd".into(),
        "///etc/passwd".into(),
        "/%2fetc/passwd".into(),
        "/%00/../secret.txt".into(),
        "http://a/../secret.txt".into(),
        "/./../secret.txt".into(),
    ] {
        paths.push(path.into_bytes());
    }
    paths
}

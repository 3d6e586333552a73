//! What becomes of a request whose upstream does not do as it should, over real sockets.
//!
//! `CADDY=<binary> cargo test --test faults -- --ignored` asks Caddy the same: where it answers otherwise on purpose, the
//! case says so.
mod client;
#[path = "../common/mod.rs"]
mod common;
mod http2;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../common/server.rs"]
mod server;
mod upstream;
use client::Client;
use server::Server;
use std::time::Duration;
use upstream::Does::{self, Drips, Hears, HearsBytes, Says, SaysLongField, Waits};

/// The upstream's port is what the request says.
const CONFIG: &str = "{
	admin off
}
http://:SITE {
	handle_path /hurried/* {
		reverse_proxy 127.0.0.1:{header.X-To} {
			transport http {
				response_header_timeout 300ms
			}
		}
	}
	handle_path /impatient/* {
		reverse_proxy 127.0.0.1:{header.X-To} {
			transport http {
				read_timeout 300ms
			}
		}
	}
	handle_path /polite/* {
		reverse_proxy 127.0.0.1:{header.X-To} {
			transport http {
				expect_continue_timeout 5s
			}
		}
	}
	handle_path /short/* {
		reverse_proxy 127.0.0.1:{header.X-To} {
			transport http {
				max_response_header 2KiB
			}
		}
	}
	handle_path /twice/* {
		reverse_proxy 127.0.0.1:1 127.0.0.1:{header.X-To} {
			lb_policy round_robin
			lb_retries 1
		}
	}
	handle_path /buffered/* {
		reverse_proxy 127.0.0.1:{header.X-To} {
			request_buffers 1MB
			response_buffers 1MB
		}
	}
	handle {
		reverse_proxy 127.0.0.1:{header.X-To}
	}
}
";
struct Case {
    name: &'static str,
    /// Of each connection to the upstream.
    upstream: &'static [&'static [Does]],
    /// All on one connection: what is sent (with `TO` for a field that names the upstream), what comes back.
    asked: &'static [(&'static str, &'static str)],
    /// The second request is sent once the upstream has closed its first connection.
    after_close: bool,
    /// Sent on an upgraded connection.
    then: &'static str,
    /// What Caddy answers to the last request, where that is not the same.
    caddy: Option<&'static str>,
}
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nTO\r\nContent-Length: 4\r\n\r\nbody";
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nTO\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const fn case(
    name: &'static str,
    upstream: &'static [&'static [Does]],
    asked: &'static [(&'static str, &'static str)],
) -> Case {
    Case { name, upstream, asked, after_close: false, then: "", caddy: None }
}
const CASES: &[Case] = &[
    case("all is well", &[&[Hears, Says(OK)]], &[(GET, "200 ok")]),
    case("a head comes byte by byte", &[&[Hears, Drips(OK)]], &[(GET, "200 ok")]),
    case("no answer at all", &[&[Hears]], &[(GET, "502")]),
    case("closed within the head", &[&[Hears, Says("HTTP/1.1 200 OK\r\nContent-Le")]], &[(GET, "502")]),
    case("closed before the request is heard", &[&[]], &[(GET, "502")]),
    case("rubbish", &[&[Hears, Says("SSH-2.0-OpenSSH_9.2\r\n\r\n")]], &[(GET, "502")]),
    case(
        "a status that is none",
        &[&[Hears, Says("HTTP/1.1 20x OK\r\nContent-Length: 0\r\n\r\n")]],
        &[(GET, "502")],
    ),
    case(
        "two lengths that differ",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")]],
        &[(GET, "502")],
    ),
    case(
        "a length said twice",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok")]],
        &[(GET, "200 ok")],
    ),
    case(
        "a length that is none",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok")]],
        &[(GET, "502")],
    ),
    case(
        "chunks and a length",
        &[&[
            Hears,
            Says(
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            ),
        ]],
        &[(GET, "200 ok")],
    ),
    case(
        "an encoding that nobody knows",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\nok")]],
        &[(GET, "502")],
    ),
    case(
        "a head that is too long",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\n"), SaysLongField(8000), Says("Content-Length: 2\r\n\r\nok")]],
        &[("GET /short/ HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n", "502")],
    ),
    case(
        "a long head where that is fine",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\n"), SaysLongField(200_000), Says("Content-Length: 2\r\n\r\nok")]],
        &[(GET, "200 ok")],
    ),
    case(
        "no answer in time",
        &[&[Hears, Waits]],
        &[("GET /hurried/ HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n", "504")],
    ),
    case(
        "no end of the head in time",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\n"), Waits]],
        &[("GET /hurried/ HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n", "504")],
    ),
    case(
        "no byte in time",
        &[&[Hears, Waits]],
        &[("GET /impatient/ HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n", "504")],
    ),
    case(
        "no more of the body in time",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), Waits]],
        &[("GET /impatient/ HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n", "200 ok (cut)")],
    ),
    case(
        "closed within the body",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")]],
        &[(GET, "200 ok (cut)")],
    ),
    Case {
        caddy: Some("200 ok (cut)"),
        ..case(
            "closed within a body that is buffered",
            &[&[Hears, Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")]],
            &[("GET /buffered/ HTTP/1.1\r\nHost: a\r\nTO\r\n\r\n", "502")],
        )
    },
    case(
        "closed within the chunks",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")]],
        &[(GET, "200 ok (cut)")],
    ),
    case(
        "chunks that are none",
        &[&[
            Hears,
            Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nrubbish\r\n"),
            Waits,
        ]],
        &[(GET, "200 ok (cut)")],
    ),
    case(
        "the end of the connection is the end of the body",
        &[&[Hears, Says("HTTP/1.1 200 OK\r\n\r\nok")]],
        &[(GET, "200 ok")],
    ),
    case("HTTP/1.0", &[&[Hears, Says("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")]], &[(GET, "200 ok")]),
    case(
        "trailers, to who wants them",
        &[&[
            Hears,
            Says("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Says("2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"),
        ]],
        &[("GET / HTTP/1.1\r\nHost: a\r\nTO\r\nTE: trailers\r\n\r\n", "200 ok[X-Sum: 1]")],
    ),
    case(
        "answers without a body, whatever they say of it",
        &[&[
            Hears,
            Says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
            Hears,
            Says("HTTP/1.1 204 No Content\r\n\r\n"),
            Hears,
            Says("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
            Hears,
            Says(OK),
        ]],
        &[(HEAD, "200"), (GET, "204"), (GET, "304"), (GET, "200 ok")],
    ),
    Case {
        caddy: Some("(nothing)"),
        ..case(
            "an answer before the request is heard out",
            &[&[Hears, Says(OK), HearsBytes(100)]],
            &[("POST / HTTP/1.1\r\nHost: a\r\nTO\r\nContent-Length: 1000\r\n\r\nbegins", "200 ok")],
        )
    },
    case(
        "a request in chunks",
        &[&[Hears, HearsBytes(14), Says(OK)]],
        &[(
            "POST / HTTP/1.1\r\nHost: a\r\nTO\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
            "200 ok",
        )],
    ),
    Case {
        after_close: true,
        ..case(
            "a kept connection that has been closed since",
            &[&[Hears, Says(OK)], &[Hears, HearsBytes(4), Says(OK)]],
            &[(GET, "200 ok"), (POST, "200 ok")],
        )
    },
    case(
        "a kept connection that is closed on hearing a GET",
        &[&[Hears, Says(OK), Hears], &[Hears, Says(OK)]],
        &[(GET, "200 ok"), (GET, "200 ok")],
    ),
    case(
        "a kept connection that is closed on hearing a POST",
        &[&[Hears, Says(OK), Hears, HearsBytes(4)], &[Hears, Says(OK)]],
        &[(GET, "200 ok"), (POST, "502")],
    ),
    case(
        "more than was announced",
        &[
            &[Hears, Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n")],
            &[Hears, Says(OK)],
        ],
        &[(GET, "200 ok"), (GET, "200 ok")],
    ),
    case(
        "an upstream that says it closes",
        &[
            &[Hears, Says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")],
            &[Hears, Says(OK)],
        ],
        &[(GET, "200 ok"), (GET, "200 ok")],
    ),
    case(
        "early hints",
        &[&[Hears, Says("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), Says(OK)]],
        &[(GET, "103, 200 ok")],
    ),
    Case {
        // HTTP/1.0 has no such responses (RFC 9110, section 15.2).
        caddy: Some("103, 200 ok"),
        ..case(
            "early hints, twice and in pieces, of an HTTP/1.0 client none",
            &[&[
                Hears,
                Drips("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"),
                Says(OK),
                Hears,
                Says("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
                Says(OK),
            ]],
            &[(GET, "103, 102, 200 ok"), ("GET / HTTP/1.0\r\nTO\r\n\r\n", "200 ok")],
        )
    },
    case(
        "continue",
        &[&[Hears, Says("HTTP/1.1 100 Continue\r\n\r\n"), HearsBytes(4), Says(OK)]],
        &[(
            "POST / HTTP/1.1\r\nHost: a\r\nTO\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
            "100, 100, 200 ok",
        )],
    ),
    case(
        "a body that waits for the upstream to want it",
        &[&[Hears, Says("HTTP/1.1 100 Continue\r\n\r\n"), HearsBytes(4), Says(OK)]],
        &[(
            "POST /polite/ HTTP/1.1\r\nHost: a\r\nTO\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
            "100, 200 ok",
        )],
    ),
    Case {
        // It waits for the body first.
        caddy: Some("(nothing)"),
        ..case(
            "a body that is not wanted",
            &[&[Hears, Says("HTTP/1.1 417 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")]],
            &[(
                "POST /polite/ HTTP/1.1\r\nHost: a\r\nTO\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
                "417 no",
            )],
        )
    },
    Case {
        then: "ping",
        ..case(
            "an upgraded connection, both ways",
            &[&[
                Hears,
                Says(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello,",
                ),
                HearsBytes(4),
                Says("pong"),
            ]],
            &[(UPGRADE, "101 hello,pong")],
        )
    },
    case(
        "an upgrade that is refused",
        &[&[Hears, Says("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")]],
        &[(UPGRADE, "426 no")],
    ),
    Case {
        caddy: Some("200"),
        ..case(
            "an upgrade to something else",
            &[&[
                Hears,
                Says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n"),
                Waits,
            ]],
            &[(UPGRADE, "502")],
        )
    },
    Case {
        caddy: Some("200"),
        ..case(
            "an upgrade that nobody asked for",
            &[&[
                Hears,
                Says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
                Waits,
            ]],
            &[(GET, "502")],
        )
    },
    Case {
        // Else the second one could meet the connection that is just being closed, and a POST is not sent twice.
        after_close: true,
        ..case(
            "another upstream where one can't be reached",
            &[&[Hears, HearsBytes(4), Says(OK)], &[Hears, HearsBytes(4), Says(OK)]],
            &[
                ("POST /twice/ HTTP/1.1\r\nHost: a\r\nTO\r\nContent-Length: 4\r\n\r\nbody", "200 ok"),
                ("POST /twice/ HTTP/1.1\r\nHost: a\r\nTO\r\nContent-Length: 4\r\n\r\nbody", "200 ok"),
            ],
        )
    },
    case("no upstream that can be reached", &[], &[("GET / HTTP/1.1\r\nHost: a\r\nX-To: 1\r\n\r\n", "502")]),
    case("no upstream that there could be", &[], &[("GET / HTTP/1.1\r\nHost: a\r\nX-To: x\r\n\r\n", "502")]),
];
/// What went otherwise.
fn wrong(binary: &str, expected: impl Fn(&Case, usize) -> &'static str) -> Vec<String> {
    let site = common::free_port();
    let server = Server::start(binary, &(CONFIG.replace("SITE", &site.to_string()), false), site).unwrap();
    let mut wrong = vec![];
    for case in CASES {
        let (port, closes) = upstream::start(case.upstream);
        let to = format!("X-To: {port}");
        let mut client = Client::new(site);
        for (at, (request, _)) in case.asked.iter().enumerate() {
            if case.after_close && at == 1 {
                closes.recv_timeout(Duration::from_secs(10)).unwrap();
            }
            let got = client.ask(&request.replace("TO", &to), case.then);
            let expected = expected(case, at);
            // What breaks off at once may not be heard of at all.
            let cut = expected.ends_with("(cut)") && got == "(nothing)";
            if got != expected && !cut {
                wrong.push(format!("{} (request {at}): wants {expected}, gets {got}", case.name));
            }
        }
    }
    server.stop();
    wrong
}
#[test]
fn each_fault_has_its_answer() {
    let wrong = wrong(env!("CARGO_BIN_EXE_proxy"), |case, at| case.asked[at].1);
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}
/// What an HTTP/2 client gets is the same: without the responses before the final one, and with names in lower case.
#[test]
fn each_fault_has_its_answer_over_http2() {
    let site = common::free_port();
    let config = (CONFIG.replace("SITE", &site.to_string()), false);
    let server = Server::start(env!("CARGO_BIN_EXE_proxy"), &config, site).unwrap();
    let (mut wrong, mut asked) = (vec![], 0);
    for case in CASES.iter().filter(|case| case.asked.iter().all(|(request, _)| http2::Client::can(request)))
    {
        let (port, closes) = upstream::start(case.upstream);
        let to = format!("X-To: {port}");
        let mut client = http2::Client::new(site);
        for (at, (request, expected)) in case.asked.iter().enumerate() {
            if case.after_close && at == 1 {
                closes.recv_timeout(Duration::from_secs(10)).unwrap();
            }
            let got = client.ask(&request.replace("TO", &to));
            let expected = expected.rsplit(", ").next().unwrap().to_lowercase();
            // What breaks off at once may not be heard of at all, nor what has come before.
            let cut = expected.ends_with("(cut)") && (got == "(nothing)" || got == "200 (cut)");
            if got != expected && !cut {
                wrong.push(format!("{} (request {at}): wants {expected}, gets {got}", case.name));
            }
            asked += 1;
        }
    }
    server.stop();
    assert!(asked > 30, "{asked}");
    assert!(wrong.is_empty(), "{} of {asked} requests:\n{}", wrong.len(), wrong.join("\n"));
}
#[test]
#[ignore = "needs Caddy, its path in the variable CADDY"]
fn caddy_answers_alike() {
    let caddy = std::env::var("CADDY").expect("CADDY names the binary");
    let last = |case: &Case, at: usize| case.caddy.filter(|_| at + 1 == case.asked.len());
    let wrong = wrong(&caddy, |case, at| last(case, at).unwrap_or(case.asked[at].1));
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

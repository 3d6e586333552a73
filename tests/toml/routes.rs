//! The document's sections 1 (routing), 5 (health), 6 (load balancing) and its middleware, on free ports.
use crate::{
    client::{get, get_with, send},
    process::{Proxy, Upstream},
};
use std::{net::Ipv4Addr, sync::atomic::Ordering::SeqCst};

fn route(host: &str, more: &str, backends: &[&Upstream]) -> String {
    let backends: Vec<String> =
        backends.iter().map(|upstream| format!("\"http://{}\"", upstream.address)).collect();
    format!("[[routes]]\nhost = \"{host}\"\n{more}\nbackends = [{}]\n", backends.join(", "))
}
fn named(name: &str) -> Upstream {
    Upstream::at((Ipv4Addr::LOCALHOST, crate::common::free_port()).into(), name)
}
/// The document's `test_route_matching` and `test_proxy_request_to_backend`, over sockets.
#[test]
fn section_1_routes_by_host_and_whole_segments() {
    let [mail, api, app] = ["mail", "api", "app"].map(named);
    let proxy = Proxy::start(
        &[
            route("mail.example.com", "", &[&mail]),
            route("app.example.com", "", &[&app]),
            route("app.example.com", "path_prefix = \"/api\"", &[&api]),
        ]
        .concat(),
    );
    for (host, path, status, backend) in [
        ("mail.example.com", "/api/messages", 200, "mail"),
        ("MAIL.example.com:80", "/", 200, "mail"),
        ("app.example.com", "/api", 200, "api"),
        ("app.example.com", "/api/", 200, "api"),
        ("app.example.com", "/api/x?y=1", 200, "api"),
        ("app.example.com", "/apiary", 200, "app"),
        ("app.example.com", "/API", 200, "app"),
        ("app.example.com", "/", 200, "app"),
        ("other.example.com", "/", 404, "404 Not Found\n"),
        ("sub.mail.example.com", "/", 404, "404 Not Found\n"),
    ] {
        let response = get_with(proxy.http, host, path, "");
        assert!(
            response.status == status && response.body.starts_with(backend),
            "{host}{path}: {} {:.20}",
            response.status,
            response.body
        );
    }
    // The path is passed on as it came.
    get_with(proxy.http, "app.example.com", "/api/x?y=1", "");
    assert!(api.last().starts_with("GET /api/x?y=1 HTTP/1.1\r\n"), "{}", api.last());
}
#[test]
fn section_1_a_websocket_is_refused_where_it_is_not_wanted() {
    let upstream = Upstream::start();
    let proxy = Proxy::start(
        &[route("yes", "", &[&upstream]), route("no", "websocket = false", &[&upstream])].concat(),
    );
    let upgrade =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n";
    assert_eq!(get_with(proxy.http, "yes", "/", upgrade).status, 101);
    let upgrade = "Connection: Upgrade, close\r\nUpgrade: websocket\r\n";
    assert_eq!(get_with(proxy.http, "no", "/", upgrade).status, 403);
    assert_eq!(get_with(proxy.http, "no", "/", "").status, 200);
}
#[test]
fn section_4_addresses_are_let_in_or_kept_out() {
    let upstream = Upstream::start();
    let security = "[security]\ndeny_ips = [\"127.0.0.9\"]\nallow_ips = [\"127.0.0.0/28\"]\n";
    let proxy = Proxy::start(&format!("{security}{}", route("localhost", "", &[&upstream])));
    for (last, status) in [(1, 200), (9, 403), (17, 403)] {
        let response = send(Ipv4Addr::new(127, 0, 0, last), proxy.http, "localhost", "/", "");
        assert_eq!(
            (response.status, response.header("X-Frame-Options")),
            (status, Some("DENY")),
            "127.0.0.{last}"
        );
    }
}
#[test]
fn section_4_six_fields_on_every_response_in_the_upstreams_place() {
    let (upstream, gone) = (Upstream::start(), crate::common::free_port());
    let limits = "[ratelimit]\nrequests_per_second = 1\nburst = 4\n";
    let dead = format!("[[routes]]\nhost = \"dead\"\nbackends = [\"http://127.0.0.1:{gone}\"]\n");
    let proxy = Proxy::start(&format!(
        "[security]\nhsts_max_age = 60\n{limits}{}{dead}",
        route("localhost", "", &[&upstream])
    ));
    let all = [
        get(proxy.http, "/"),
        get_with(proxy.http, "nobody", "/", ""),
        get_with(proxy.http, "dead", "/", ""),
        get_with(proxy.http, "localhost", "/", "Accept-Encoding: gzip\r\n"),
        get(proxy.http, "/"),
    ];
    assert_eq!(all.each_ref().map(|response| response.status), [200, 404, 502, 200, 429]);
    for response in &all {
        for (name, value) in [
            ("Strict-Transport-Security", "max-age=60; includeSubDomains"),
            ("X-Frame-Options", "DENY"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-XSS-Protection", "1; mode=block"),
            ("Content-Security-Policy", "default-src 'self'"),
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ] {
            assert_eq!(response.all(name), [value], "{}", response.head);
        }
        let [id] = response.all("X-Request-Id")[..] else { panic!("{}", response.head) };
        assert!(id.starts_with("req_") && id.len() > 20, "{id}");
    }
    assert_eq!(all[3].header("Content-Encoding"), Some("gzip"));
    // The backend has got the same id as the client.
    let ids = all[3].header("X-Request-Id").unwrap();
    assert!(upstream.last().contains(&format!("X-Request-Id: {ids}\r\n")), "{}", upstream.last());
}
#[test]
fn section_6_backends_take_turns_by_weight_and_a_cookie_keeps_its_own() {
    let [a, b] = ["a", "b"].map(named);
    let proxy = Proxy::start(
        &[
            route("even", "", &[&a, &b]),
            route("weighted", "weights = [3, 1]", &[&a, &b]),
            route("sticky", "sticky = \"id\"", &[&a, &b]),
        ]
        .concat(),
    );
    let ask = |host: &str, fields: &str| get_with(proxy.http, host, "/", fields);
    let turns = |host: &str, times: usize| {
        let answers = (0..times).map(|_| ask(host, "").body.chars().next().unwrap());
        answers.filter(|answer| *answer == 'a').count()
    };
    // Each worker counts for itself, so turns are even only in the long run.
    assert!((5..=15).contains(&turns("even", 20)));
    assert!((22..=38).contains(&turns("weighted", 40)));
    let first = ask("sticky", "");
    let cookie = first.header("Set-Cookie").unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("id="), "{cookie}");
    for _ in 0..6 {
        let again = ask("sticky", &format!("Cookie: {cookie}\r\n"));
        assert_eq!(again.body.chars().next(), first.body.chars().next());
    }
}
#[test]
fn section_5_and_6_a_backend_that_fails_its_checks_is_left_out_until_it_passes_them() {
    let [a, b] = ["a", "b"].map(named);
    let health = "[health]\ninterval_seconds = 1\ntimeout_seconds = 1\nunhealthy_threshold = 2\nhealthy_threshold = 2\n";
    let proxy =
        Proxy::start(&format!("{health}{}", route("localhost", "health_path = \"/health\"", &[&a, &b])));
    let answers = || -> Vec<String> {
        (0..6).map(|_| get(proxy.http, "/")).map(|r| format!("{}{:.1}", r.status, r.body)).collect()
    };
    a.status.store(500, SeqCst);
    proxy.wait_until(|| answers().iter().all(|answer| answer == "200b"));
    b.status.store(500, SeqCst);
    // All are down.
    proxy.wait_until(|| answers().iter().all(|answer| answer == "5035"));
    a.status.store(204, SeqCst);
    proxy.wait_until(|| answers().iter().all(|answer| answer.starts_with("204")));
}

//! What `adapt` promises whatever the directives: all mistakes at once, each at its place, and an answer to anything.
use grammar::Memory;
use proptest::prelude::*;
use proxy::{caddyfile::adapt, table::SYNTAX};

fn errors(text: &str) -> Vec<grammar::Error> {
    adapt("Caddyfile", text, &Memory::default(), &SYNTAX).expect_err("it is wrong")
}
#[test]
fn all_mistakes_are_found_in_one_go() {
    let text = "{\n\tgrace_perod 1s\n\thttp_port x\n}\n\
                a.example {\n\t@m pth /a\n\trespnd x\n\thandle {\n\t\trespond a b c\n\t\troute {\n\t\t\tnope\n\t\t}\n\t}\n\
                \trespond @n x\n}\n\
                b.example:x {\n\tlog {\n\t\tnope\n\t}\n}\n";
    let found: Vec<String> = errors(text).iter().map(ToString::to_string).collect();
    let expected = [
        "Caddyfile:2: unrecognized global option: grace_perod",
        "parsing caddyfile tokens for 'http_port': converting port 'x' to integer value: strconv.Atoi: parsing \"x\": \
         invalid syntax, at Caddyfile:3",
        "getting matcher module 'pth': module not registered: http.matchers.pth, at Caddyfile:6",
        "Caddyfile:7: unrecognized directive: respnd",
        "parsing caddyfile tokens for 'handle': parsing caddyfile tokens for 'respond': wrong argument count or \
         unexpected line ending after 'c', at Caddyfile:9, at Caddyfile:13",
        "parsing caddyfile tokens for 'handle': parsing caddyfile tokens for 'route': unrecognized directive: nope - \
         are you sure your Caddyfile structure (nesting and braces) is correct?, at Caddyfile:12, at Caddyfile:13",
        "parsing caddyfile tokens for 'respond': unrecognized matcher name: @n, at Caddyfile:14",
        "parsing caddyfile tokens for 'log': unrecognized subdirective: nope, at Caddyfile:18",
        "parsing key: invalid port 'x': strconv.Atoi: parsing \"x\": invalid syntax, at Caddyfile:16",
    ];
    assert_eq!(found, expected);
}
#[test]
fn all_mistakes_of_one_directive_are_found_too() {
    let text = "{\n\tservers {\n\t\tprotocls h1\n\t\ttimeouts {\n\t\t\tidle x\n\t\t}\n\t}\n}\n\
                a.example {\n\treverse_proxy a:1 {\n\t\tlb_polcy first\n\t\ttransport http {\n\t\t\tnope\n\t\t}\n\
                \t\tmax_fails x\n\t}\n\ttls {\n\t\tprotocols tls1.1\n\t\tdns clouflare x\n\t}\n\
                \t@m {\n\t\tpth /a\n\t\theader X\n\t}\n}\n";
    let lines: Vec<u32> = errors(text).iter().filter_map(|error| Some(error.span.as_ref()?.line)).collect();
    assert_eq!(lines, [3, 5, 22, 23, 11, 13, 15, 18, 19]);
}
#[test]
fn each_mistake_has_its_own_line_even_where_caddy_names_another() {
    let lines: Vec<u32> = errors(":80 {\n\thandle {\n\t\tnope\n\t\troute {\n\t\t\tgone\n\t\t}\n\t}\n}\n")
        .iter()
        .filter_map(|error| error.span.as_ref())
        .map(|span| span.line)
        .collect();
    assert_eq!(lines, [3, 5]);
}
#[test]
fn what_is_the_default_anyway_is_warned_of() {
    let warnings = |upstream: &str| {
        let text = format!(
            ":80 {{\n\treverse_proxy {upstream} {{\n\t\theader_up Host {{upstream_hostport}}\n\t}}\n}}\n"
        );
        adapt("Caddyfile", &text, &Memory::default(), &SYNTAX).unwrap().warnings.len()
    };
    assert_eq!([warnings("https://a.example"), warnings("a.example:80")], [1, 0]);
}
#[test]
fn a_misspelling_has_its_hint() {
    for (text, meant) in [
        ("a.example {\n\trespnd x\n}\n", "respond"),
        ("a.example {\n\thandle {\n\t\thedaer A b\n\t}\n}\n", "header"),
        ("{\n\tgrace_perod 1s\n}\n", "grace_period"),
        ("a.example {\n\t@a pth /x\n}\n", "path"),
        ("a.example {\n\t@api path /x\n\trespond @ap x\n}\n", "@api"),
        ("{\n\torder respnd first\n}\n", "respond"),
        ("{\n\tauto_https disable_redirect\n}\n", "disable_redirects"),
        ("a.example {\n\tbind ::1 {\n\t\tprotocol h1\n\t}\n}\n", "protocols"),
    ] {
        let hint = errors(text)[0].hint.clone().unwrap_or_default();
        assert!(hint.contains(meant), "{text}: {hint:?}");
    }
}

/// Words that mean something somewhere, and what separates them.
fn word() -> impl Strategy<Value = String> {
    let directives = SYNTAX.directives.iter().map(|row| row.name);
    let matchers = SYNTAX.matchers.iter().map(|row| row.name);
    let options = SYNTAX.options.iter().map(|row| row.name);
    let modules = SYNTAX.modules.iter().map(|row| row.name);
    let names: Vec<&str> = directives.chain(matchers).chain(options).chain(modules).collect();
    let signs = [
        "{",
        "}",
        "\n",
        "\n",
        "{\n",
        "\n}\n",
        "}\n",
        "@m",
        "*",
        "/a*",
        "\"",
        "`",
        "<<E\n",
        "E\n",
        "a.example",
        ":80",
        "http://",
        "1",
        "-1",
        "1s",
        "404",
        "5xx",
        "{host}",
        "{$X:y}",
        "&(n)",
        "(s)",
        "import",
        "import s",
        "{args[0]}",
        "{block}",
        "\\",
        "=",
        "!",
        "+",
        "-X",
        "?X",
        ">X",
        "x",
        "0x",
        "1e9",
        "first",
        "before",
        "off",
        "on",
        "to",
        "é",
        "#",
    ];
    prop_oneof![
        3 => prop::sample::select(names).prop_map(str::to_owned),
        4 => prop::sample::select(signs.to_vec()).prop_map(str::to_owned),
    ]
}
proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_text_gets_an_answer(words in prop::collection::vec(word(), 0..40)) {
        let text = words.join(" ");
        let _ = adapt("Caddyfile", &text, &Memory::default(), &SYNTAX);
    }
    #[test]
    fn any_body_of_a_site_gets_an_answer(lines in prop::collection::vec(prop::collection::vec(word(), 1..6), 0..8)) {
        let lines: Vec<String> = lines.iter().map(|words| words.join(" ")).collect();
        let text = format!(":80 {{\n{}\n}}\n", lines.join("\n"));
        let _ = adapt("Caddyfile", &text, &Memory::default(), &SYNTAX);
    }
}

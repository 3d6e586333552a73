//! The language as a whole. What is expected was seen in Caddy 2.11.
use grammar::{Line, Memory, Quote, parse};

/// A tree as text: a line a line, blocks indented, quoted words in quotes.
fn show(lines: &[Line], depth: usize, out: &mut String) {
    for line in lines {
        let words: Vec<String> = line
            .words
            .iter()
            .map(
                |word| if word.quote == Quote::None { word.text.clone() } else { format!("{:?}", word.text) },
            )
            .collect();
        let brace = if line.block.is_some() { " {" } else { "" };
        out.push_str(&format!("{}{}{brace}\n", "  ".repeat(depth), words.join(" ")));
        show(line.lines(), depth + 1, out);
    }
}
fn shown_in(source: &Memory, text: &str) -> String {
    let file = parse("/etc/Caddyfile", text, source).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut out = String::new();
    if let Some(options) = &file.options {
        out.push_str("options:\n");
        show(options, 1, &mut out);
    }
    for route in &file.named_routes {
        out.push_str(&format!("route {}:\n", route.name));
        show(route.line.lines(), 1, &mut out);
    }
    for site in &file.sites {
        let keys: Vec<&str> = site.keys.iter().map(|key| key.text.as_str()).collect();
        out.push_str(&format!("{}:\n", keys.join(" ")));
        show(&site.lines, 1, &mut out);
    }
    out
}
fn shown(text: &str) -> String {
    shown_in(&Memory::default(), text)
}
fn error(text: &str) -> String {
    error_in(&Memory::default(), text)
}
fn error_in(source: &Memory, text: &str) -> String {
    match parse("/etc/Caddyfile", text, source) {
        Ok(file) => panic!("{file:?}\n{text}"),
        Err(error) => error.to_string(),
    }
}
/// The warnings but the one of the format.
fn warnings_in(source: &Memory, text: &str) -> Vec<String> {
    let file = parse("/etc/Caddyfile", text, source).unwrap();
    file.warnings
        .iter()
        .map(ToString::to_string)
        .filter(|w| !w.starts_with("Caddyfile input is not"))
        .collect()
}

mod blocks {
    use super::*;

    #[test]
    fn a_file_is_options_and_sites() {
        let text =
            "{\n\tdebug\n}\na.com, b.com,\nc.com d.com {\n\thandle /x {\n\t\trespond \"{\"\n\t}\n\tlog\n}\n";
        assert_eq!(
            shown(text),
            "options:\n  debug\na.com b.com c.com d.com:\n  handle /x {\n    respond \"{\"\n  log\n"
        );
    }
    #[test]
    fn one_site_needs_no_braces() {
        assert_eq!(
            shown("a.com\nrespond x\nhandle {\n\tlog\n}"),
            "a.com:\n  respond x\n  handle {\n    log\n"
        );
        assert_eq!(shown("a.com"), "a.com:\n");
    }
    #[test]
    fn the_brace_of_a_site_may_stand_alone_and_be_followed() {
        assert_eq!(shown("a.com\n{\nrespond x\n}"), "a.com:\n  respond x\n");
        assert_eq!(shown("a.com { respond x\n}"), "a.com:\n  respond x\n");
    }
    #[test]
    fn an_empty_file_has_nothing() {
        assert_eq!(shown("# nothing\n"), "");
        assert_eq!(error(""), "EOF, at /etc/Caddyfile:1");
    }
    #[test]
    fn a_block_knows_its_closing_brace() {
        let file = parse("-", "a {\n\tb {\n\t\tc\n\t}\n}\n", &Memory::default()).unwrap();
        let line = &file.sites[0].lines[0];
        assert_eq!(line.close.as_ref().map(|brace| brace.span.line), Some(4));
        assert_eq!(line.end().span.line, 4);
        assert!(file.sites[0].braces);
    }
    #[test]
    fn a_closing_brace_with_more_behind_it_closes_the_directive_alone() {
        assert_eq!(shown("a {\nhandle {\nlog\n} respond x\n}"), "a:\n  handle {\n    log\n    respond x\n");
    }
    #[test]
    fn the_last_brace_of_a_file_may_close_two_blocks() {
        assert_eq!(shown("a {\nhandle {\nlog\n}\n"), "a:\n  handle {\n    log\n");
    }
    #[test]
    fn options_may_follow_snippets_and_nothing_else() {
        assert_eq!(shown("(s) {\n}\n{\ndebug\n}\na"), "options:\n  debug\na:\n");
        // What stands later is a site without keys, for the adapter to refuse.
        assert_eq!(shown("a {\n}\n{\ndebug\n}"), "a:\n:\n  debug\n");
        assert_eq!(shown("&(r) {\n}\n{\ndebug\n}\na"), "route r:\n:\n  debug\na:\n");
    }
    #[test]
    fn named_routes_stand_apart() {
        let text = "&(r)\n{\n\theader a b\n\timport s\n}\na {\n\tinvoke r\n}";
        let text = format!("(s) {{\n\trespond x\n}}\n{text}");
        assert_eq!(shown(&text), "route r:\n  header a b\n  respond x\na:\n  invoke r\n");
    }
    #[test]
    fn a_wrong_structure_is_refused_in_caddys_words() {
        for (text, told) in [
            ("a.com {", "syntax error: unexpected token '{', expecting '}', at FILE:1 import chain: ['']"),
            (
                "a.com {\nx\ny z",
                "syntax error: unexpected token 'z', expecting '}', at FILE:3 import chain: ['']",
            ),
            (
                "a.com {\nx\n}} \n",
                "syntax error: unexpected token '}}', expecting '}', at FILE:3 import chain: ['']",
            ),
            ("a.com {\nrespond x }\n", "Unexpected '}' because no matching opening brace, at FILE:2"),
            ("a.com {\nhandle { x\n}\n}", "Unexpected next token after '{' on same line, at FILE:2"),
            (
                "a.com {\nhandle\n{\n}\n}",
                "Unexpected '{' on a new line; did you mean to place the '{' on the previous line?, at FILE:3",
            ),
            ("a.com {\nhandle {}\n}", "Unexpected '{}' at end of line, at FILE:2"),
            ("a.com {\nhandle {\nlog {\n", "unexpected EOF, at FILE:3"),
            ("a.com,", "unexpected EOF, at FILE:1"),
            ("a.com, {\n}", "Expected another address but had '{' - check for extra comma, at FILE:1"),
            (
                "a.com{\n}",
                "Site addresses cannot end with a curly brace: 'a.com{' - put a space between the token and the \
                 brace, at FILE:1",
            ),
            (
                "a.com,b.com c.com {\n}",
                "Site addresses cannot contain a comma ',': 'a.com,b.com' - put a space after the comma to separate \
                 site addresses, at FILE:1",
            ),
            (
                "@m path /\na.com",
                "request matchers may not be defined globally, they must be in a site block; found @m, at FILE:1",
            ),
            (
                "(s)\nrespond x",
                "syntax error: unexpected token 'respond', expecting '{', at FILE:2 import chain: ['']",
            ),
            ("(s) {\n}\n(s) {\n}\na", "redeclaration of previously declared snippet s, at FILE:3"),
            (
                "(s)\nimport s\n{\n}",
                "global options block must appear before import directives; move the global options block to the \
                 top of the Caddyfile, at FILE:2",
            ),
            (
                "a {\nrespond <<E\nx\n}",
                "incomplete heredoc <<E on line #4, expected ending marker E, at FILE:2",
            ),
        ] {
            assert_eq!(error(text), told.replace("FILE", "/etc/Caddyfile"), "{text}");
        }
    }
}

mod variables {
    use super::*;

    #[test]
    fn are_filled_in_before_all_else() {
        let source = Memory::default()
            .variable("DOMAIN", "a.com, b.com")
            .variable("EMPTY", "")
            .variable("BLOCK", "handle {\nlog\n}")
            .variable("AGAIN", "{$DOMAIN}");
        let text = "{$DOMAIN} {\n{$BLOCK}\nx {$EMPTY:d} {$UNSET:e:f}{$UNSET} {$} \"{$AGAIN}\"\n}\n# {$open";
        assert_eq!(shown_in(&source, text), "a.com b.com:\n  handle {\n    log\n  x e:f {$} \"{$DOMAIN}\"\n",);
    }
}

mod imports {
    use super::*;

    #[test]
    fn a_snippet_is_read_where_it_is_imported() {
        let text = "(s) {\n\tlog\n\thandle {\n\t\timport t\n\t}\n}\n(t) {\n\trespond {args[0]}\n}\na {\n\timport s\n}\n";
        assert_eq!(shown(text), "a:\n  log\n  handle {\n    respond {args[0]}\n");
    }
    #[test]
    fn a_snippet_may_hold_sites_and_keys() {
        assert_eq!(shown("(s) {\n\ta {\n\t\tlog\n\t}\n}\nimport s\nb\n"), "a:\n  log\nb:\n");
        assert_eq!(shown("(s) {\n\ta,\n}\nimport s\nb {\n\tlog\n}\n"), "a b:\n  log\n");
    }
    #[test]
    fn arguments_are_filled_in() {
        let text = "(s) {\n\tx {args[0]}-{args[1]} \"{args[1]}\" {args[5]} {other} {{args[0]}}\n\ty {args[:]} {args[1:]} \
                    {args[:1]} {args[2:]}\n\tz \\{a\\} {args[\n}\na {\n\timport s 1 \"2 3\"\n}\n";
        assert_eq!(
            shown(text),
            "a:\n  x 1-2 3 \"2 3\" {args[5]} {other} {1}\n  y 1 2 3 2 3 1\n  z {a} {args[\n"
        );
    }
    #[test]
    fn a_block_is_filled_in() {
        let text = "(s) {\n\thandle {\n\t\t{block}\n\t}\n\theader {\n\t\t{blocks.header}\n\t}\n\t{blocks.none}\n}\na {\n\t\
                    import s {\n\t\theader {\n\t\t\tX y\n\t\t}\n\t\trespond x\n\t}\n}\n";
        assert_eq!(
            shown(text),
            "a:\n  handle {\n    header {\n      X y\n    respond x\n  header {\n    X y\n"
        );
    }
    #[test]
    fn snippets_within_an_imported_file_keep_their_own_placeholders() {
        let text = "import f 1 {\n\tlog\n}\na {\n\timport t 2 {\n\t\tgzip\n\t}\n}\n";
        let source = Memory::default().file("/etc/f", "(t) {\n\trespond {args[0]}\n\t{block}\n}\n");
        assert_eq!(shown_in(&source, text), "a:\n  respond 2\n  gzip\n");
    }
    #[test]
    fn files_come_by_path_and_by_pattern() {
        let source = Memory::default()
            .file("/etc/sites/b.caddy", "b\n{\n\timport ../common\n}\n")
            .file("/etc/sites/a.caddy", "a {\n\tlog\n}\n")
            .file("/etc/sites/.hidden.caddy", "hidden {\n}\n")
            .file("/etc/sites/../common", "gzip\n")
            .file("/abs", "c {\n}\n");
        assert_eq!(shown_in(&source, "import sites/*.caddy\nimport /abs\n"), "a:\n  log\nb:\n  gzip\nc:\n");
    }
    #[test]
    fn errors_name_the_chain() {
        let source = Memory::default().file("/etc/f", "(t) {\n\thandle {} \n}\n");
        assert_eq!(
            error_in(&source, "import f\n(s) {\n\timport t\n}\na {\n\n\timport s\n}\n"),
            "Unexpected '{}' at end of line, at /etc/f:2 import chain ['/etc/Caddyfile:1 (import)',\
             '/etc/Caddyfile:3 (import t)']"
        );
    }
    #[test]
    fn a_wrong_import_is_refused_in_caddys_words() {
        let source = Memory::default().file("/etc/bad", "x <<E\ny");
        for (text, told) in [
            ("import", "wrong argument count or unexpected line ending after 'import', at FILE:1"),
            ("import \"\"", "Import requires a non-empty filepath, at FILE:1"),
            ("import none", "File to import not found: none, at FILE:1"),
            ("a {\nimport none {\n}\n}", "File to import not found: none, at FILE:3"),
            (
                "import a*b*",
                "Glob pattern may only contain one wildcard (*), but has others: /etc/a*b*, at FILE:1",
            ),
            (
                "import /a[b]",
                "Glob pattern may only contain one wildcard (*), but has others: /a[b], at FILE:1",
            ),
            ("(s) {\n}\na {\nimport s {\n{\n}\n}\n}", "anonymous blocks are not supported, at FILE:6"),
            (
                "import bad",
                "Could not read tokens while importing /etc/bad: incomplete heredoc <<E on line #2, expected ending \
                 marker E, at FILE:1",
            ),
            (
                "(s) {\nimport s\n}\na {\nimport s\n}",
                "a cycle of imports exists between FILE:s and FILE:s, at FILE:2 import chain ['FILE:2 (import s)']",
            ),
            (
                "(a) {\nimport b\n}\n(b) {\nimport a\n}\nsite {\nimport a\n}",
                "a cycle of imports exists between FILE:b and FILE:a, at FILE:5 import chain ['FILE:2 (import b)']",
            ),
        ] {
            assert_eq!(error_in(&source, text), told.replace("FILE", "/etc/Caddyfile"), "{text}");
        }
    }
    #[test]
    fn a_file_that_imports_itself_is_a_cycle() {
        let source = Memory::default().file("/etc/f", "log\nimport f\n");
        assert_eq!(
            error_in(&source, "a {\nimport f\n}"),
            "a cycle of imports exists between /etc/f and /etc/f, at /etc/f:2 import chain ['/etc/f:2 (import)']"
        );
    }
    #[test]
    fn what_is_odd_is_warned_of() {
        let source = Memory::default().file("/etc/empty", " \n");
        let text = "(s) {\n\tx {args.0} {args[3]} {args[4:9]} {args[a:]} y{args[:]} {args[]}\n}\na {\n\timport none/*\n\t\
                    import empty\n\timport s 1\n}\n";
        assert_eq!(
            warnings_in(&source, text),
            [
                "No files matching import glob pattern none/*, at /etc/Caddyfile:5",
                "Import file is empty: /etc/empty, at /etc/Caddyfile:6",
                "Placeholder {args.0} deprecated, use {args[0]} instead, at SNIPPET",
                "Placeholder {args[3]} index is out of bounds, only 1 argument(s) exist, at SNIPPET",
                "Variadic placeholder {args[4:9]} indices are out of bounds, only 1 argument(s) exist, at SNIPPET",
                "Variadic placeholder {args[4:9]} must be a token on its own, at SNIPPET",
                "Variadic placeholder {args[a:]} has an invalid start index, at SNIPPET",
                "Variadic placeholder {args[a:]} must be a token on its own, at SNIPPET",
                "Variadic placeholder {args[:]} must be a token on its own, at SNIPPET",
                "Placeholder {args[]} cannot have an empty index, at SNIPPET",
            ]
            .map(|told| told.replace("SNIPPET", "/etc/Caddyfile:2 import chain ['/etc/Caddyfile:7 (import s)']"))
        );
    }
    #[test]
    fn the_format_is_warned_of_at_the_first_line_that_differs() {
        let warning = |text| {
            parse("Caddyfile", text, &Memory::default()).unwrap().warnings.first().map(ToString::to_string)
        };
        let told = "Caddyfile input is not formatted; run 'caddy fmt --overwrite' to fix inconsistencies, at Caddyfile:2";
        assert_eq!(warning("a {\n  log\n}\n"), Some(told.to_owned()));
        assert_eq!(warning("a {\r\n\tlog\r\n}\r\n"), None);
    }
}

mod limits {
    use super::*;
    use std::time::{Duration, Instant};

    /// What takes time by the square of the text is not done in seconds.
    fn takes_linear_time(text: impl Fn(usize) -> String) {
        let time = |n: usize| {
            let text = text(n);
            let start = Instant::now();
            let _ = parse("Caddyfile", &text, &Memory::default());
            grammar::format(&text);
            start.elapsed()
        };
        assert!(time(20_000) < Duration::from_secs(10));
    }
    #[test]
    fn a_hundred_thousand_braces_are_no_matter() {
        let deep = "a ".to_owned() + &"{\n x ".repeat(100_000);
        assert_eq!(error(&deep), "unexpected EOF, at /etc/Caddyfile:100001");
        let closed = deep + &"\n}".repeat(100_000);
        assert_eq!(error(&closed), "blocks are nested too deeply, 100 at most, at /etc/Caddyfile:102");
    }
    #[test]
    fn time_grows_with_the_text() {
        takes_linear_time(|n| "{".repeat(n));
        takes_linear_time(|n| "{\n".repeat(n));
        takes_linear_time(|n| "}".repeat(n));
        takes_linear_time(|n| "a ".repeat(n));
        takes_linear_time(|n| "\\\n".repeat(n));
        takes_linear_time(|n| "\\".repeat(n));
        takes_linear_time(|n| "\"".repeat(n));
        takes_linear_time(|n| "`\"".repeat(n));
        takes_linear_time(|n| "<<a\n".repeat(n));
        takes_linear_time(|n| "{$".repeat(n));
        takes_linear_time(|n| "a b\n".repeat(n));
        takes_linear_time(|n| "a {\n}\n".repeat(n));
        takes_linear_time(|n| format!("(s) {{\n x\n}}\na {{\n{}}}\n", "import s\n".repeat(n)));
        takes_linear_time(|n| format!("(s) {{\n x {}}}\n}}\na {{\nimport s y\n}}\n", "{".repeat(n)));
        takes_linear_time(|n| format!("(s) {{\n x {}\n}}\na {{\nimport s y\n}}\n", "{x}".repeat(n)));
        takes_linear_time(|n| (0..n / 10).map(|i| format!("(s{i}) {{\nx\n}}\n")).collect());
        takes_linear_time(|n| {
            let snippets: String = (0..n / 10).map(|i| format!("(s{i}) {{\nx\n}}\n")).collect();
            let imports: String = (0..n / 10).map(|i| format!("import s{i}\n")).collect();
            format!("{snippets}a {{\n{imports}}}\n")
        });
    }
    #[test]
    fn snippets_that_double_each_other_are_refused() {
        let mut text = String::from("(s0) {\n\tx\n}\n");
        for n in 1..60 {
            text += &format!("(s{n}) {{\n\timport s{0}\n\timport s{0}\n}}\n", n - 1);
        }
        text += "a {\n\timport s59\n}\n";
        assert!(
            error(&text).starts_with("imports make more than 64 MiB of text, at /etc/Caddyfile:"),
            "{}",
            error(&text)
        );
    }
    #[test]
    fn arguments_that_double_each_other_are_refused() {
        let mut text = String::from("(s0) {\n\tx {args[0]}\n}\n");
        for n in 1..60 {
            text += &format!("(s{n}) {{\n\timport s{} {{args[0]}}{{args[0]}}\n}}\n", n - 1);
        }
        text += "a {\n\timport s59 y\n}\n";
        assert!(error(&text).starts_with("imports make more than 64 MiB of text, at /etc/Caddyfile:"));
    }
}

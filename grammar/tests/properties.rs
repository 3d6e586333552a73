//! What holds for all text.
use grammar::{File, Line, Memory, format, parse};
use proptest::prelude::*;

fn source() -> Memory {
    Memory::default()
        .file("/f", "respond f\n")
        .file("/g", "(t) {\n\trespond {args[0]}\n}\n")
        .variable("X", "x y")
}
/// Pieces that mean something somewhere.
fn odd_text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            " ",
            "\n",
            "\t",
            "\"",
            "`",
            "\\",
            "#",
            "<",
            "<<",
            "<<A\n",
            "A",
            "\r\n",
            "é",
            ",",
            "{}",
            "import ",
            "import s",
            "import f",
            "import g",
            "import t",
            "(s) {\n",
            "&(r) {\n",
            "{block}",
            "{blocks.x}",
            "{args[0]}",
            "{args[:]}",
            "{args.0}",
            "{$X}",
            "{$Y:z}",
            "@m",
            "\\\n",
            "a.com {\n",
            "respond x\n",
            "handle {\n",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

/// A word of a Caddyfile, in one of the ways it can be written.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9./*@:=_-]{1,8}",
        1 => r#""[a-z {}#\t]{0,8}""#,
        // No backslash: `caddy fmt` takes one for an escape there.
        1 => "`[a-z {}#\"]{0,8}`",
        1 => "\\{[a-z.]{1,8}\\}",
    ]
}
/// Starts with a plain word: what `caddy fmt` makes of a quote there means something else.
fn line() -> impl Strategy<Value = String> {
    ("[a-z@][a-z0-9_]{0,7}", prop::collection::vec(word(), 0..4))
        .prop_map(|(name, words)| [vec![name], words].concat().join("   "))
}
/// Lines and blocks, laid out anyhow.
fn lines() -> impl Strategy<Value = String> {
    let leaf = (line(), "[ \t]{0,3}", prop_oneof![Just("\n"), Just("\n\n\n\n"), Just("  # note\n")])
        .prop_map(|(line, indent, end)| format!("{indent}{line}{end}"));
    leaf.prop_recursive(4, 24, 4, |inner| {
        (line(), prop::collection::vec(inner, 0..4), "[ \t]{0,3}").prop_map(|(line, lines, indent)| {
            format!("{indent}{line} {{\n\n{}\n{indent}}}\n", lines.concat())
        })
    })
}
fn sites() -> impl Strategy<Value = String> {
    let site = ("[a-z]{1,8}", prop::collection::vec(lines(), 0..4))
        .prop_map(|(key, lines)| format!("{key}.com {{\n{}}}\n", lines.concat()));
    prop::collection::vec(site, 1..4).prop_map(|sites| sites.concat())
}
/// What a file says, wherever it stands.
fn meaning(file: &File) -> String {
    fn say(lines: &[Line], out: &mut String) {
        for line in lines {
            for word in &line.words {
                out.push_str(&format!("{:?} {:?} ", word.text, word.quote));
            }
            if let Some(block) = &line.block {
                out.push('{');
                say(block, out);
                out.push('}');
            }
            out.push('\n');
        }
    }
    let mut out = String::new();
    for site in &file.sites {
        for key in &site.keys {
            out.push_str(&format!("{:?} ", key.text));
        }
        say(&site.lines, &mut out);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_odd_to_parse(text in odd_text()) {
        if let Err(error) = parse("/Caddyfile", &text, &source()) {
            prop_assert!(!error.message.is_empty());
        }
    }
    #[test]
    fn no_text_is_too_odd_to_format(text in odd_text()) {
        let formatted = format(&text);
        prop_assert!(formatted.ends_with('\n'));
    }
    #[test]
    fn a_formatted_file_stays_as_it_is(text in sites()) {
        let once = format(&text);
        prop_assert_eq!(format(&once), once);
    }
    #[test]
    fn formatting_keeps_the_meaning(text in sites()) {
        let source = source();
        let before = parse("/Caddyfile", &text, &source).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let after = parse("/Caddyfile", &format(&text), &source).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(meaning(&before), meaning(&after));
    }
    #[test]
    fn a_formatted_file_is_not_warned_of(text in sites()) {
        let file = parse("/Caddyfile", &format(&text), &source()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(file.warnings, vec![]);
    }
    #[test]
    fn durations_survive_being_written(nanoseconds in any::<i64>()) {
        prop_assert_eq!(grammar::values::duration(&format!("{nanoseconds}ns")), Ok(nanoseconds));
    }
    #[test]
    fn no_value_is_too_odd(text in ".{0,12}") {
        let _ = (grammar::values::duration(&text), grammar::values::size(&text), grammar::values::float(&text));
        let _ = (grammar::values::integer(&text), grammar::nearest(&text, ["respond", "root"]));
    }
    #[test]
    fn decimal_floats_are_read_as_rust_reads_them(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        prop_assert_eq!(grammar::values::float(&value.to_string()), Ok(value));
    }
}

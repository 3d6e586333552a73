//! Whatever a Caddyfile says, it can be formatted, and nothing that is no blank or brace gets lost.
#![no_main]
use libfuzzer_sys::fuzz_target;

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '{' | '}'))
}
fuzz_target!(|text: &str| {
    let formatted = grammar::format(text);
    assert!(formatted.ends_with('\n'));
    assert!(letters(text).eq(letters(&formatted)));
});

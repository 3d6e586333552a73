//! Whatever a Caddyfile says, parsing it ends, without a panic, in a tree or in an error that says something.
#![no_main]
use grammar::{Line, Memory, parse};
use libfuzzer_sys::fuzz_target;

fn check(lines: &[Line]) {
    for line in lines {
        assert!(!line.words.is_empty());
        assert!(line.words.iter().all(|word| word.span.line > 0 && word.span.column > 0));
        check(line.lines());
    }
}
fuzz_target!(|text: &str| {
    let source = Memory::default()
        .file("/a", "respond a {args[0]}\n")
        .file("/b", "(t) {\n\trespond {args[:]}\n\t{block}\n}\n")
        .file("/c", text)
        .variable("X", "x {\n\ty\n}\n");
    match parse("/Caddyfile", text, &source) {
        Ok(file) => {
            check(file.options.as_deref().unwrap_or_default());
            file.named_routes.iter().for_each(|route| check(route.line.lines()));
            file.sites.iter().for_each(|site| check(&site.lines));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

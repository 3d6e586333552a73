//! Whatever a Caddyfile says, adapting it ends, without a panic, in a configuration or in errors that say something.
#![no_main]
use grammar::Memory;
use libfuzzer_sys::fuzz_target;
use proxy::{caddyfile, config, table};

fuzz_target!(|text: &str| {
    let source = Memory::default().file("/a", "respond a {args[0]}\n").variable("X", "x {\n\ty\n}\n");
    match caddyfile::adapt("/Caddyfile", text, &source, &table::SYNTAX) {
        Ok(adapted) => assert!(config::compact(&adapted.json).starts_with('{')),
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(errors.iter().all(|error| !error.to_string().is_empty()));
        }
    }
});

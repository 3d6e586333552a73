//! No word is too odd to be read as a value.
#![no_main]
use grammar::values;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(nanoseconds) = values::go_duration(text) {
        assert_eq!(values::go_duration(&format!("{nanoseconds}ns")), Ok(nanoseconds));
    }
    let _ = values::duration(text);
    let _ = values::size(text);
    let _ = values::float(text);
    let _ = values::integer(text);
    let _ = values::quote(text.as_bytes());
    let _ = grammar::nearest(text, ["respond", "reverse_proxy"]);
});

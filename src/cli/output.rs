//! Standard output and standard error. Who reads them may stop at any time (`proxy environ | head`): then there is
//! nobody to tell, and nothing to fail for.
use std::io::{self, Write};

/// As `println!`.
macro_rules! out {
    ($($text:tt)*) => { $crate::cli::output::line(format_args!($($text)*)) };
}
/// As `eprintln!`.
macro_rules! err {
    ($($text:tt)*) => { $crate::cli::output::error_line(format_args!($($text)*)) };
}
pub(super) fn line(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}
pub(super) fn error_line(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
/// Writes `text` as it is.
pub(super) fn write(text: impl AsRef<[u8]>) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_ref()).and_then(|()| out.flush());
}
/// Writes `text` to standard error, as it is.
pub(super) fn error(text: &str) {
    let _ = write!(io::stderr().lock(), "{text}");
}

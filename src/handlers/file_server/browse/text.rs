//! A directory as plain text, for `curl`.
use super::Item;
use chrono::{DateTime, Utc};
use std::time::SystemTime;

/// Columns that tabs align, as Go's `tabwriter` does.
pub(super) fn table(items: &[Item]) -> String {
    let head = [["Name", "Size", "Modified"], ["----", "----", "--------"]];
    let mut rows: Vec<[String; 3]> = head.map(|row| row.map(str::to_owned)).into();
    rows.extend(items.iter().map(|item| [item.name.clone(), size(item.size), time(item.modified)]));
    let column = |at: usize| {
        let widest = rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        (widest + 1).div_ceil(TAB) * TAB
    };
    let widths = [column(0), column(1)];
    let mut out = String::new();
    for row in &rows {
        for (text, width) in row.iter().zip(widths) {
            out.push_str(text);
            out.push_str(&"\t".repeat((width - text.chars().count()).div_ceil(TAB)));
        }
        out.push_str(&row[2]);
        out.push('\n');
    }
    out
}
const TAB: usize = 8;

/// `1.5 KiB`: of go-humanize.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 10 {
        return format!("{bytes} B");
    }
    let unit = (bytes.ilog2() / 10) as usize;
    let value = (bytes as f64 / 1024f64.powi(unit as i32) * 10.0 + 0.5).floor() / 10.0;
    let digits = usize::from(value < 10.0);
    format!("{value:.digits$} {}", UNITS[unit])
}
pub(super) fn time(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%B %-d, %Y at %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (9, "9 B"),
            (1000, "1000 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (10 * 1024, "10 KiB"),
            (82_854_982, "79 MiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}

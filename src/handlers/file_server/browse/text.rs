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
    human_size(bytes, 1024.0, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}
/// In units that each are `base` times the one before.
pub fn human_size(bytes: u64, base: f64, units: [&str; 7]) -> String {
    if bytes < 10 {
        return format!("{bytes} {}", units[0]);
    }
    let (mut scaled, mut unit) = (bytes as f64, 0);
    while scaled >= base && unit < units.len() - 1 {
        scaled /= base;
        unit += 1;
    }
    let value = (scaled * 10.0 + 0.5).floor() / 10.0;
    let digits = usize::from(value < 10.0);
    format!("{value:.digits$} {}", units[unit])
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

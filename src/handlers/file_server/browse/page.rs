//! A directory as a page: for a phone as for a desk, with and without scripts.
use super::{Item, Listing, Totals, rfc_3339, text};
use crate::http::fs::clean;
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, fmt::Write};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// `path` is that of the request, as it is encoded.
pub(super) fn page(path: &str, listing: &Listing) -> String {
    let path = clean(path);
    let name = percent_decode_str(&path).decode_utf8_lossy();
    let mut out = String::with_capacity(4096 + listing.items.len() * 320);
    // Writing to a string cannot fail.
    _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<header>\n<nav aria-label=\"Path\">{}</nav>\n<p>{}</p>\n</header>\n<main>\n\
         <input type=\"search\" id=\"filter\" placeholder=\"Filter\" aria-label=\"Filter\" hidden>\n{}",
        escape(&name),
        crumbs(&path),
        summary(&listing.totals),
        head(listing),
    );
    if path.len() > 1 {
        out.push_str("<li class=\"up\"><a href=\"../\"><bdi>..</bdi></a></li>\n");
    }
    listing.items.iter().for_each(|item| row(&mut out, item));
    out.push_str("</ul>\n");
    more(&mut out, listing);
    _ = write!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    out
}
/// A link to each directory above, and this one's name.
fn crumbs(path: &str) -> String {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let last = parts.len() - 1;
    let crumb = |(at, part): (usize, &&str)| {
        let name = if at == 0 { "/".into() } else { percent_decode_str(part).decode_utf8_lossy() };
        let name = escape(&name);
        if at == last {
            return format!("<bdi aria-current=\"page\">{name}</bdi>");
        }
        format!("<a href=\"{}\"><bdi>{name}</bdi></a>", "../".repeat(last - at))
    };
    parts.iter().enumerate().map(crumb).collect::<Vec<_>>().join("<span>›</span>")
}
fn summary(totals: &Totals) -> String {
    let plural =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    format!(
        "{}, {}, {}",
        plural(totals.directories, "directory", "directories"),
        plural(totals.files, "file", "files"),
        text::size(totals.size)
    )
}
/// What the list can be sorted by, and its beginning.
fn head(listing: &Listing) -> String {
    let (sort, order) = (listing.sort.as_deref().unwrap_or(""), listing.order.as_deref().unwrap_or(""));
    let link = |keys: &[&str], title: &str| {
        let is_current = keys.contains(&sort);
        let next = if is_current && order != "desc" { "desc" } else { "asc" };
        let arrow = match (is_current, order) {
            (false, _) => "",
            (true, "desc") => " ↓",
            (true, _) => " ↑",
        };
        format!("<a href=\"./?sort={}&amp;order={next}\">{title}{arrow}</a>", keys[0])
    };
    let layout = if listing.layout == "grid" { "grid" } else { "list" };
    format!(
        "<p class=\"sort\">{}{}{}</p>\n<ul class=\"{layout}\">\n",
        link(&["namedirfirst", "name"], "Name"),
        link(&["size"], "Size"),
        link(&["time"], "Modified"),
    )
}
fn row(out: &mut String, item: &Item) {
    let kind = if item.is_dir { "dir" } else { "file" };
    let size = if item.is_dir { String::from("—") } else { text::size(item.size) };
    let target = match item.symlink_path.as_str() {
        "" => String::new(),
        path => format!(" <small>→ <bdi>{}</bdi></small>", escape(path)),
    };
    let link = if item.is_symlink { " link" } else { "" };
    let time = text::time(item.modified);
    _ = writeln!(
        out,
        "<li class=\"{kind}{link}\"><a href=\"{}\"><bdi>{}</bdi>{target}</a><span>{size}</span>\
         <time datetime=\"{}\">{time}</time></li>",
        escape(&item.url),
        escape(&item.name),
        rfc_3339(item.modified),
    );
}
/// Where the list goes on, if it has been cut.
fn more(out: &mut String, listing: &Listing) {
    if listing.limit > 0 && listing.items.len() == listing.limit {
        let (limit, next) = (listing.limit, listing.offset + listing.limit);
        _ = writeln!(out, "<p class=\"more\"><a href=\"./?limit={limit}&amp;offset={next}\">More</a></p>");
    }
}
/// As text or within quotes.
pub(in super::super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out.into()
}

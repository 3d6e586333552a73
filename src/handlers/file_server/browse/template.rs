//! What a template of one's own sees of a directory: Caddy's fields and methods.
use super::{Item, Listing, go_mode, text};
use crate::handlers::templates::{
    time,
    value::{Object, Outcome, Value},
};
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use std::{fs::Metadata, rc::Rc, sync::Arc};

/// A directory.
#[derive(Debug)]
pub(super) struct Directory {
    listing: Arc<Listing>,
    /// Of the request: cleaned, as it is encoded.
    path: String,
}
impl Directory {
    pub(super) fn new(listing: Arc<Listing>, path: String) -> Rc<Self> {
        Rc::new(Self { listing, path })
    }
    fn name(&self) -> String {
        let path = decoded(&self.path);
        match path.trim_end_matches('/') {
            "" => "/".into(),
            trimmed => trimmed.rsplit('/').next().unwrap_or_default().into(),
        }
    }
    /// A link to each directory above, and to this one.
    fn breadcrumbs(&self) -> Value {
        let parts: Vec<&str> = self.path.strip_suffix('/').unwrap_or(&self.path).split('/').collect();
        let crumb = |(at, part): (usize, &&str)| {
            let text = if at == 0 && part.is_empty() { "/".into() } else { decoded(part) };
            let link = "../".repeat(parts.len() - at - 1);
            Value::map([("Link".to_owned(), link.into()), ("Text".to_owned(), text.into())])
        };
        Value::list(parts.iter().enumerate().map(crumb))
    }
}
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
fn bytes(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
/// Of a directory, its items are the entries.
#[derive(Debug)]
struct Entry(Rc<Directory>, usize);

impl Object for Rc<Directory> {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        if !args.is_empty() {
            return None;
        }
        let (listing, totals) = (&self.listing, &self.listing.totals);
        let said = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        Some(Ok(match name {
            "Name" => self.name().into(),
            "Path" => self.path.as_str().into(),
            "CanGoUp" => (self.path.len() > 1).into(),
            "Items" => {
                let entry = |at| Value::Object(Rc::new(Entry(self.clone(), at)));
                Value::list((0..listing.items.len()).map(entry))
            }
            "Offset" => count(listing.offset),
            "Limit" => count(listing.limit),
            "NumDirs" => count(totals.directories),
            "NumFiles" => count(totals.files),
            "TotalFileSize" => bytes(totals.size),
            "TotalFileSizeFollowingSymlinks" => bytes(totals.followed),
            "HumanTotalFileSize" => text::size(totals.size).into(),
            "HumanTotalFileSizeFollowingSymlinks" => text::size(totals.followed).into(),
            "Sort" => said(&listing.sort),
            "Order" => said(&listing.order),
            "Layout" => listing.layout.as_str().into(),
            "Breadcrumbs" => self.breadcrumbs(),
            _ => return None,
        }))
    }
}
impl Object for Entry {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let item: &Item = self.0.listing.items.get(self.1)?;
        Some(Ok(match (name, args) {
            ("Name", []) => item.name.as_str().into(),
            ("Size", []) => bytes(item.size),
            ("URL", []) => item.url.as_str().into(),
            ("ModTime", []) => Value::Time(DateTime::<Utc>::from(item.modified).fixed_offset()),
            ("Mode", []) => Value::Object(Rc::new(Mode(item.mode))),
            ("IsDir", []) => item.is_dir.into(),
            ("IsSymlink", []) => item.is_symlink.into(),
            ("SymlinkPath", []) => item.symlink_path.as_str().into(),
            ("Tpl", []) => Value::Object(Rc::new(self.0.clone())),
            ("HumanSize", []) => text::size(item.size).into(),
            ("HumanModTime", [Value::Str(layout)]) => {
                time::format(&DateTime::<Utc>::from(item.modified).fixed_offset(), layout).into()
            }
            ("HasExt", ends) => {
                let name = item.name.to_lowercase();
                ends.iter().any(|end| name.ends_with(&end.shown().to_lowercase())).into()
            }
            _ => return None,
        }))
    }
}
/// What `fileStat` says of a file's kind and rights.
pub(in crate::handlers) fn file_mode(info: &Metadata) -> Value {
    Value::Object(Rc::new(Mode(go_mode(info))))
}
/// Go's `os.FileMode`.
#[derive(Debug)]
struct Mode(u32);
impl Object for Mode {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let is = |bit: u32| self.0 >> bit & 1 == 1;
        Some(Ok(match (name, args) {
            ("String", []) => self.text().into(),
            ("IsDir", []) => is(31).into(),
            ("IsRegular", []) => ((self.0 & 0x8f28_0000) == 0).into(),
            ("Perm", []) => Value::Object(Rc::new(Self(self.0 & 0o777))),
            _ => return None,
        }))
    }
    /// `drwxr-xr-x`.
    fn text(&self) -> String {
        let kinds = "dalTLDpSugct?".chars().zip((0..32).rev());
        let mut out: String = kinds.filter(|(_, bit)| self.0 >> bit & 1 == 1).map(|(c, _)| c).collect();
        if out.is_empty() {
            out.push('-');
        }
        let rights = "rwxrwxrwx".chars().zip((0..9).rev());
        out.extend(rights.map(|(c, bit)| if self.0 >> bit & 1 == 1 { c } else { '-' }));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn modes_are_shown_as_go_shows_them() {
        for (mode, text) in
            [(0o644, "-rw-r--r--"), (1 << 31 | 0o755, "drwxr-xr-x"), (1 << 27 | 0o777, "Lrwxrwxrwx")]
        {
            assert_eq!(Mode(mode).text(), text);
        }
    }
}

//! Finds and opens what a path names: all that waits for the disk, in one go beside the workers.
use super::{
    body::read,
    browse::{Listing, ListingOptions},
    hide::Hidden,
};
use crate::http::fs::path_within;
use bytes::Bytes;
use std::{
    fs::{self, File, Metadata},
    io,
    time::SystemTime,
};

/// What a request asks for, without anything of its exchange.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) root: String,
    /// Decoded.
    pub(super) path: String,
    pub(super) hidden: Hidden,
    pub(super) index: Vec<String>,
    /// Whether the client's path ends in a slash, if that is to be right.
    pub(super) canonical: Option<bool>,
    /// Whether a directory is not to be listed under this path, but under the one with a slash: links in it would lead
    /// elsewhere.
    pub(super) redirect_listing: bool,
    /// Of the sidecars that the client would take, the ends of their names, the best one first.
    pub(super) sidecars: Vec<&'static str>,
    pub(super) etag_extensions: Box<[String]>,
    /// Whether a small file may be read at once.
    pub(super) at_once: bool,
    /// If directories may be listed.
    pub(super) browse: Option<ListingOptions>,
}
/// What there is.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// The path should end in a slash, or should not.
    Redirect {
        slash: bool,
    },
    File(Box<Opened>),
    Listing(Box<Listing>),
    Invalid(io::Error),
    Forbidden(io::Error),
    Failed(io::Error),
    /// It is there but cannot be opened now.
    Busy(io::Error),
    /// A file with an entity tag cannot be read.
    NoTag(String),
}
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    /// Of what is served, be it a sidecar.
    pub(super) size: u64,
    /// Of the file itself. `None` where it tells nothing.
    pub(super) modified: Option<SystemTime>,
    /// Of what is served; empty if there is none.
    pub(super) tag: String,
    /// The file's own name, whose extension says its type.
    pub(super) name: String,
    /// Which of the request's sidecars it is.
    pub(super) sidecar: Option<usize>,
    /// All of it, if it is small.
    pub(super) content: Option<Bytes>,
}
/// What is no larger is read when it is opened.
const SMALL: u64 = 64 * 1024;

pub(super) fn find(request: &Request) -> Found {
    if request.path.contains('\0') {
        return Found::Invalid(io::ErrorKind::InvalidInput.into());
    }
    let joined = path_within(&request.root, &request.path);
    let mut name = joined.strip_suffix('/').unwrap_or(&joined).to_owned();
    if name.is_empty() {
        name.push('/');
    }
    let mut info = match fs::metadata(&name) {
        Ok(info) => info,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound => Found::Nothing,
                io::ErrorKind::PermissionDenied => Found::Forbidden(error),
                _ => Found::Invalid(error),
            };
        }
    };
    let mut is_index = false;
    if info.is_dir()
        && let Some((index, index_info)) = index(request, &name)
    {
        (name, info, is_index) = (index, index_info, true);
    }
    if info.is_dir() {
        return match &request.browse {
            Some(_) if request.hidden.hides(&name) => Found::Nothing,
            Some(_) if request.redirect_listing => Found::Redirect { slash: true },
            Some(browse) => browse.list(&name, &request.hidden),
            None => Found::Nothing,
        };
    }
    if request.hidden.hides(&name) {
        return Found::Nothing;
    }
    if request.canonical.is_some_and(|slash| slash != is_index) {
        return Found::Redirect { slash: is_index };
    }
    open(request, name, &info)
}
fn index(request: &Request, directory: &str) -> Option<(String, Metadata)> {
    request.index.iter().find_map(|index| {
        let name = path_within(directory, index);
        if request.hidden.hides(&name) {
            return None;
        }
        let info = fs::metadata(&name).ok()?;
        Some((name, info))
    })
}
fn open(request: &Request, name: String, info: &Metadata) -> Found {
    for (number, suffix) in request.sidecars.iter().enumerate() {
        let sidecar = format!("{name}{suffix}");
        let Ok(sidecar_info) = fs::metadata(&sidecar) else { continue };
        if sidecar_info.is_dir() {
            continue;
        }
        match File::open(&sidecar) {
            Ok(file) => return opened(request, file, name, info, Some((number, &sidecar, &sidecar_info))),
            Err(error) if is_busy(&error) => return Found::Busy(error),
            Err(_) => {}
        }
    }
    match File::open(&name) {
        Ok(file) => opened(request, file, name, info, None),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Found::Nothing,
            io::ErrorKind::PermissionDenied => Found::Forbidden(error),
            _ => Found::Busy(error),
        },
    }
}
/// Out of descriptors, say: the client may try again.
fn is_busy(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
}
fn opened(
    request: &Request,
    file: File,
    name: String,
    info: &Metadata,
    sidecar: Option<(usize, &str, &Metadata)>,
) -> Found {
    let (served, served_info) = sidecar.map_or((name.as_str(), info), |(_, name, info)| (name, info));
    let tag = match tag_from_file(served, &request.etag_extensions) {
        Ok(Some(tag)) => tag,
        Ok(None) => tag(served_info),
        Err(error) => return Found::NoTag(error),
    };
    let size = served_info.len();
    let at_once = request.at_once && size <= SMALL;
    let content = at_once.then(|| read(&file, 0, size)).and_then(Result::ok);
    Found::File(Box::new(Opened {
        file,
        size,
        modified: modified(info),
        tag,
        name,
        sidecar: sidecar.map(|(number, ..)| number),
        content,
    }))
}
/// `None` for 1970, which images and archives without times have.
pub(super) fn modified(info: &Metadata) -> Option<SystemTime> {
    let modified = info.modified().ok()?;
    match modified.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since.as_secs() < 2 => None,
        _ => Some(modified),
    }
}
/// Caddy's: nanoseconds since 1970, and the size, each to the base of 36.
fn tag(info: &Metadata) -> String {
    let Some(modified) = modified(info) else { return String::new() };
    let nanoseconds = modified
        .duration_since(SystemTime::UNIX_EPOCH)
        .map(|since| i128::try_from(since.as_nanos()).unwrap_or(0))
        .unwrap_or_else(|error| -i128::try_from(error.duration().as_nanos()).unwrap_or(0));
    format!("\"{}-{}\"", base_36(nanoseconds), base_36(i128::from(info.len())))
}
fn base_36(number: i128) -> String {
    let (mut digits, mut rest) = (vec![], number.unsigned_abs());
    loop {
        digits.extend(u32::try_from(rest % 36).ok().and_then(|digit| char::from_digit(digit, 36)));
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push('-');
    }
    digits.iter().rev().collect()
}
/// The first that there is beside the file, with one of these at the end of its name.
fn tag_from_file(name: &str, extensions: &[String]) -> Result<Option<String>, String> {
    for extension in extensions {
        let path = format!("{name}{extension}");
        match fs::read_to_string(&path) {
            Ok(tag) => return Ok(Some(tag.replace('\n', ""))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot read etag from file {path}: {error}")),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::base_36;
    #[test]
    fn numbers_have_letters_for_digits() {
        assert_eq!(base_36(0), "0");
        assert_eq!(base_36(3000), "2bc");
        assert_eq!(base_36(1_767_225_600_000_000_000), "dfct6ww35s00");
        assert_eq!(base_36(-36), "-10");
    }
}

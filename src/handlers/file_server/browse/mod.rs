//! Lists of directories: as a page, as JSON, or as plain text.
mod page;
mod template;
#[cfg(test)]
mod tests;
mod text;
pub(super) use page::escape;
pub(in crate::handlers) use template::file_mode;
pub use text::human_size;

use super::{Browse, find::Found, hide::Hidden, syntax::check_sort};
use crate::{
    config::compact,
    handlers::templates::{Template, value::Object},
    http::{
        Body, BuildError, Exchange, HttpError, OwnServer, Response,
        fs::clean,
        uri::{encode_path, query_pairs},
    },
};
use chrono::{DateTime, SecondsFormat, Utc};
use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, IF_MODIFIED_SINCE, LAST_MODIFIED, SET_COOKIE},
};
use serde::Serialize;
use std::{
    cmp::Ordering,
    fs::{self, DirEntry, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, PermissionsExt},
    },
    rc::Rc,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What the configuration says of lists.
#[derive(Clone, Debug)]
pub(super) struct ListingOptions {
    limit: usize,
    reveal_symlinks: bool,
    sort: Option<String>,
    order: Option<String>,
    /// The file of a template; our own page, if it is empty.
    template: String,
}
const DEFAULT_LIMIT: usize = 10_000;
const SORTS: [&str; 4] = ["name", "namedirfirst", "size", "time"];

impl ListingOptions {
    /// # Errors
    /// A sort that Caddy refuses.
    pub(super) fn build(from: Browse) -> Result<Self, BuildError> {
        check_sort(&from.sort)?;
        let mut sort = from.sort.into_iter();
        Ok(Self {
            limit: usize::try_from(from.file_limit).ok().filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT),
            reveal_symlinks: from.reveal_symlinks,
            sort: sort.next(),
            order: sort.next(),
            template: from.template_file,
        })
    }
    /// Reads a directory: waits for the disk.
    pub(super) fn list(&self, directory: &str, hidden: &Hidden) -> Found {
        match self.read(directory, hidden) {
            Ok(listing) => Found::Listing(Box::new(listing)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound => Found::Nothing,
                io::ErrorKind::PermissionDenied => Found::Forbidden(error),
                _ => Found::Failed(error),
            },
        }
    }
    fn read(&self, directory: &str, hidden: &Hidden) -> io::Result<Listing> {
        let mut modified = fs::metadata(directory)?.modified().unwrap_or(UNIX_EPOCH);
        let mut items = vec![];
        for entry in fs::read_dir(directory)?.take(self.limit) {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // What has gone meanwhile is passed over.
            if hidden.hides(&format!("{}/{name}", directory.trim_end_matches('/'))) {
                continue;
            }
            if let Ok(info) = entry.metadata() {
                modified = modified.max(info.modified().unwrap_or(UNIX_EPOCH));
                items.push(self.item(&entry, name, &info));
            }
        }
        let (sort, order) = (self.sort.clone(), self.order.clone());
        let totals = Totals::of(&items);
        let template = match self.template.as_str() {
            "" => None,
            // Each time anew: it may have changed.
            file => Some(fs::read_to_string(file).map_err(|error| format!("open {file}: {error}"))),
        };
        Ok(Listing { items, modified, sort, order, totals, template, ..Listing::default() })
    }
    fn item(&self, entry: &DirEntry, mut name: String, info: &Metadata) -> Item {
        let mut url = String::from("./");
        for chunk in entry.file_name().as_bytes().utf8_chunks() {
            url.push_str(&encode_path(chunk.valid()));
            chunk.invalid().iter().for_each(|byte| url.push_str(&format!("%{byte:02X}")));
        }
        let is_symlink = info.is_symlink();
        // A link that leads nowhere is listed as what it is itself.
        let target = if is_symlink { fs::metadata(entry.path()).ok() } else { None };
        let is_dir = target.as_ref().unwrap_or(info).is_dir();
        if is_dir {
            name.push('/');
            url.push('/');
        }
        let reveals = is_symlink && self.reveal_symlinks;
        let target_path = if reveals { fs::read_link(entry.path()).ok() } else { None };
        Item {
            lower: name.to_lowercase(),
            name,
            size: target.as_ref().unwrap_or(info).len(),
            own_size: info.len(),
            url,
            modified: info.modified().unwrap_or(UNIX_EPOCH),
            mode: go_mode(info),
            is_dir,
            is_symlink,
            symlink_path: target_path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
        }
    }
}
/// What is in a directory.
#[derive(Debug)]
pub(super) struct Listing {
    items: Vec<Item>,
    /// Of the directory and all that is in it, the latest.
    modified: SystemTime,
    sort: Option<String>,
    order: Option<String>,
    /// `list`, `grid` or nothing.
    layout: String,
    offset: usize,
    limit: usize,
    totals: Totals,
    /// Or why it cannot be read.
    template: Option<Result<String, String>>,
}
/// Of a directory, before anything is cut.
#[derive(Debug, Default)]
struct Totals {
    directories: usize,
    files: usize,
    /// Of links, their own.
    size: u64,
    /// Of links, what they lead to.
    followed: u64,
}
impl Totals {
    fn of(items: &[Item]) -> Self {
        items.iter().fold(Self::default(), |mut totals, item| {
            if item.is_dir {
                totals.directories += 1;
            } else {
                totals.files += 1;
                totals.size += item.own_size;
                totals.followed += item.size;
            }
            totals
        })
    }
}
impl Default for Listing {
    fn default() -> Self {
        Self {
            items: vec![],
            modified: UNIX_EPOCH,
            sort: None,
            order: None,
            layout: String::new(),
            offset: 0,
            limit: 0,
            totals: Totals::default(),
            template: None,
        }
    }
}
#[derive(Debug)]
struct Item {
    /// With a slash at the end if it is a directory.
    name: String,
    /// To be sorted by.
    lower: String,
    /// In bytes; of a link, what it leads to.
    size: u64,
    own_size: u64,
    /// Relative to the directory.
    url: String,
    modified: SystemTime,
    mode: u32,
    is_dir: bool,
    is_symlink: bool,
    symlink_path: String,
}
/// Go's `os.FileMode`.
fn go_mode(info: &Metadata) -> u32 {
    let (mode, kind) = (info.permissions().mode(), info.file_type());
    let bit = |is: bool, bit: u32| if is { 1 << bit } else { 0 };
    let device = kind.is_block_device() || kind.is_char_device();
    mode & 0o777
        | bit(kind.is_dir(), 31)
        | bit(kind.is_symlink(), 27)
        | bit(device, 26)
        | bit(kind.is_fifo(), 25)
        | bit(kind.is_socket(), 24)
        | bit(mode & 0o4000 != 0, 23)
        | bit(mode & 0o2000 != 0, 22)
        | bit(kind.is_char_device(), 21)
        | bit(mode & 0o1000 != 0, 20)
}

/// Shows a directory as the client likes it.
///
/// # Errors
/// Those of a template of one's own, whose functions find files below `root`.
pub(super) async fn answer(
    x: &mut Exchange,
    mut listing: Listing,
    root: String,
    server: &OwnServer,
) -> Result<Response, Box<HttpError>> {
    let since = x.request.headers.get(IF_MODIFIED_SINCE).and_then(|since| since.to_str().ok());
    let since = since.and_then(super::condition::parse_date);
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if since.is_some_and(|since| seconds(listing.modified) <= seconds(since)) {
        return Ok(Response::empty(StatusCode::NOT_MODIFIED));
    }
    listing.arrange(x);
    if let Ok(modified) = httpdate::fmt_http_date(listing.modified).parse() {
        x.headers.insert(LAST_MODIFIED, modified);
    }
    let accepts = x.request.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepts = accepts.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let (kind, body) = if accepts.contains("application/json") {
        let items: Vec<JsonItem<'_>> = listing.items.iter().map(JsonItem::of).collect();
        ("application/json; charset=utf-8", compact(&items) + "\n")
    } else if accepts.contains("text/plain") {
        ("text/plain; charset=utf-8", text::table(&listing.items))
    } else {
        let page = match listing.template.take() {
            None => page::page(&x.escaped_path(), &listing),
            Some(text) => {
                let text =
                    text.map_err(|why| HttpError::without_status(format!("parsing browse template: {why}")))?;
                by_template(x, &text, listing, root, server).await?
            }
        };
        ("text/html; charset=utf-8", page)
    };
    x.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(Response { status: StatusCode::OK, body: Body::from(body) })
}
async fn by_template(
    x: &mut Exchange,
    text: &str,
    listing: Listing,
    root: String,
    server: &OwnServer,
) -> Result<String, Box<HttpError>> {
    let (listing, path) = (Arc::new(listing), clean(&x.escaped_path()).into_owned());
    let fields = || -> Rc<dyn Object> { Rc::new(template::Directory::new(listing.clone(), path.clone())) };
    let template = Template { root, delimiters: ("{{", "}}"), server, fields: Some(&fields) };
    template.execute(x, text).await
}
impl Listing {
    /// Sorts and cuts as the query says, or else the cookies of an earlier query.
    fn arrange(&mut self, x: &mut Exchange) {
        let query: Vec<_> = query_pairs(x.query()).flatten().collect();
        let param = |name: &str| {
            let found = query.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone().into_owned()).filter(|value| !value.is_empty())
        };
        self.layout = match param("layout").as_deref() {
            None => String::new(),
            Some("grid") => "grid".into(),
            Some(_) => "list".into(),
        };
        let (limit, offset) = (param("limit"), param("offset"));
        let (sort, order) = (param("sort"), param("order"));
        self.sort = sort.or(self.sort.take());
        self.order = order.or(self.order.take());
        let sort = chosen(x, "sort", self.sort.take(), &SORTS, "namedirfirst");
        let order = chosen(x, "order", self.order.take(), &["asc", "desc"], "asc");
        self.sort(&sort, &order);
        (self.sort, self.order) = (Some(sort), Some(order));
        let number = |text: Option<String>| text.and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
        let (offset, limit) = (number(offset), number(limit));
        if (1..=self.items.len()).contains(&offset) {
            self.items.drain(..offset);
            self.offset = offset;
        }
        if (1..=self.items.len()).contains(&limit) {
            self.items.truncate(limit);
            self.limit = limit;
        }
    }
    fn sort(&mut self, key: &str, order: &str) {
        let compare: fn(&Item, &Item) -> Ordering = match key {
            "name" => |a, b| a.lower.cmp(&b.lower),
            "namedirfirst" => |a, b| b.is_dir.cmp(&a.is_dir).then_with(|| a.lower.cmp(&b.lower)),
            "size" => |a, b| match (a.is_dir, b.is_dir) {
                (true, true) => a.lower.cmp(&b.lower),
                (false, false) => a.size.cmp(&b.size),
                (a, b) => b.cmp(&a),
            },
            "time" => |a, b| a.modified.cmp(&b.modified),
            _ => return,
        };
        match order {
            "desc" => self.items.sort_by(|a, b| compare(b, a)),
            _ => self.items.sort_by(compare),
        }
    }
}
/// What the query or the configuration says, which a cookie remembers; or else the cookie, or the default.
fn chosen(x: &mut Exchange, name: &str, said: Option<String>, known: &[&str], default: &str) -> String {
    let Some(said) = said else {
        return x.cookie(name).unwrap_or(default).to_owned();
    };
    if known.contains(&said.as_str()) {
        let secure = if x.connection.tls.is_some() { "; Secure" } else { "" };
        let cookie = format!("{name}={said}; HttpOnly{secure}; SameSite=Lax");
        if let Ok(cookie) = cookie.parse() {
            x.headers.append(SET_COOKIE, cookie);
        }
    }
    said
}

/// One item, as Caddy's JSON has it.
#[derive(Serialize)]
struct JsonItem<'l> {
    name: &'l str,
    size: u64,
    url: &'l str,
    mod_time: String,
    mode: u32,
    is_dir: bool,
    is_symlink: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    symlink_path: &'l str,
}
impl<'l> JsonItem<'l> {
    fn of(item: &'l Item) -> Self {
        Self {
            name: &item.name,
            size: item.size,
            url: &item.url,
            mod_time: rfc_3339(item.modified),
            mode: item.mode,
            is_dir: item.is_dir,
            is_symlink: item.is_symlink,
            symlink_path: &item.symlink_path,
        }
    }
}
/// As Go writes it: with as many digits as the fraction has.
fn rfc_3339(time: SystemTime) -> String {
    let text = DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Nanos, true);
    let whole = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    format!("{whole}Z")
}

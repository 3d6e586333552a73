//! Content types by the extension of a file's name, as Go knows them: its own, and those of the system.
use std::{collections::HashMap, fs, sync::LazyLock};

/// The content type of a file of that name, if its extension has one.
pub(super) fn content_type(name: &str) -> Option<&'static str> {
    let name = name.rsplit('/').next()?;
    let extension = &name[name.rfind('.')? + 1..];
    let known = KNOWN.exact.get(extension).or_else(|| KNOWN.lower.get(&extension.to_lowercase()));
    known.map(|kind| &**kind)
}
#[derive(Default)]
struct Types {
    exact: HashMap<String, String>,
    /// By the extension in lower case.
    lower: HashMap<String, String>,
}
static KNOWN: LazyLock<Types> = LazyLock::new(|| {
    let read = |path: &&str| fs::read_to_string(path).ok();
    let globs: Vec<String> = GLOBS.iter().filter_map(read).collect();
    let lists: Vec<String> = if globs.is_empty() { LISTS.iter().filter_map(read).collect() } else { vec![] };
    Types::new(&globs, &lists)
});
/// Of the shared MIME-info database. If there is one, the older lists are not read.
const GLOBS: [&str; 2] = ["/usr/local/share/mime/globs2", "/usr/share/mime/globs2"];
const LISTS: [&str; 4] =
    ["/etc/mime.types", "/etc/apache2/mime.types", "/etc/apache/mime.types", "/etc/httpd/conf/mime.types"];

impl Types {
    fn new(globs: &[String], lists: &[String]) -> Self {
        let mut types = Self::default();
        for (extensions, kind) in BUILT_IN {
            extensions.split(' ').for_each(|extension| types.add(extension, kind));
        }
        // Lines of `weight:type:*.extension`, the weightiest first: what is known already stays.
        for line in globs.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#')) {
            let mut fields = line.split(':').skip(1);
            if let (Some(kind), Some(glob)) = (fields.next(), fields.next())
                && let Some(extension) = glob.strip_prefix("*.")
                && !extension.contains(['?', '*', '['])
                && !types.exact.contains_key(extension)
            {
                types.add(extension, kind);
            }
        }
        // Lines of `type extension...`: the last one counts.
        for line in lists.iter().flat_map(|text| text.lines()) {
            let mut words = line.split_ascii_whitespace();
            if let Some(kind) = words.next().filter(|kind| !kind.starts_with('#')) {
                words.take_while(|word| !word.starts_with('#')).for_each(|word| types.add(word, kind));
            }
        }
        types
    }
    fn add(&mut self, extension: &str, kind: &str) {
        let utf8 = kind.starts_with("text/") && !kind.contains("charset=");
        let kind = if utf8 { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
        self.lower.insert(extension.to_lowercase(), kind.clone());
        self.exact.insert(extension.to_owned(), kind);
    }
}
/// Go's table.
const BUILT_IN: &[(&str, &str)] = &[
    ("ai eps ps", "application/postscript"),
    ("apk", "application/vnd.android.package-archive"),
    ("apng", "image/apng"),
    ("avif", "image/avif"),
    ("bin com exe", "application/octet-stream"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("ehtml htm html shtml", "text/html"),
    ("eml", "message/rfc822"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("ico", "image/vnd.microsoft.icon"),
    ("ics", "text/calendar"),
    ("jfif jpeg jpg pjp pjpeg", "image/jpeg"),
    ("js mjs", "text/javascript"),
    ("json", "application/json"),
    ("m4a", "audio/mp4"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga ogg opus", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("rdf", "application/rdf+xml"),
    ("rtf", "application/rtf"),
    ("svg", "image/svg+xml"),
    ("text txt", "text/plain"),
    ("tif tiff", "image/tiff"),
    ("vtt", "text/vtt"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webm", "audio/webm"),
    ("webp", "image/webp"),
    ("xbl xml xsl", "text/xml"),
    ("xbm", "image/x-xbitmap"),
    ("xht xhtml", "application/xhtml+xml"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("zip", "application/zip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_in_any_case() {
        for (name, kind) in [
            ("/a/index.html", Some("text/html; charset=utf-8")),
            ("A.PNG", Some("image/png")),
            ("a.tar.gz", Some("application/gzip")),
            (".css", Some("text/css; charset=utf-8")),
            ("a.", None),
            ("a", None),
            ("dir.d/name", None),
            ("a.unheard-of", None),
        ] {
            assert_eq!(content_type(name), kind, "{name}");
        }
    }
    #[test]
    fn the_system_s_types_are_read() {
        let globs =
            ["50:application/x-a:*.a\n10:text/x-b:*.a\n50:image/x-png:*.png\n50:x/y:*.c[0-9]\n#".to_owned()];
        let lists = ["# nothing\ntext/x-list b c # d\nimage/x-png png\n".to_owned()];
        let types = Types::new(&globs, &lists);
        let of = |extension: &str| types.exact.get(extension).map(String::as_str);
        assert_eq!(of("a"), Some("application/x-a"));
        assert_eq!(of("b"), Some("text/x-list; charset=utf-8"));
        assert_eq!(of("png"), Some("image/x-png"));
        assert_eq!([of("c[0-9]"), of("d")], [None, None]);
    }
}

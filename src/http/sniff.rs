//! What kind of content some bytes are: the WHATWG's MIME sniffing as Go has it (`net/http.DetectContentType`).

/// At most this many bytes are looked at.
const LOOKED_AT: usize = 512;

/// The content type of a body that begins with `start`.
pub fn content_type(start: &[u8]) -> &'static str {
    let start = &start[..start.len().min(LOOKED_AT)];
    let text = &start[start.iter().position(|&byte| !is_space(byte)).unwrap_or(start.len())..];
    if is_html(text) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| matches(start, magic)) {
        return kind;
    }
    if is_mp4(start) {
        return "video/mp4";
    }
    if text.iter().copied().any(is_binary) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}
/// By what a file begins with; `?` stands for any byte. In Go's order, with `?` nowhere meant literally.
const MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xFE\xFF??", "text/plain; charset=utf-16be"),
    (b"\xFF\xFE??", "text/plain; charset=utf-16le"),
    (b"\xEF\xBB\xBF?", "text/plain; charset=utf-8"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x02\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF????WEBPVP", "image/webp"),
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"FORM????AIFF", "audio/aiff"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"RIFF????AVI ", "video/avi"),
    (b"RIFF????WAVE", "audio/wave"),
    (b"\x1A\x45\xDF\xA3", "video/webm"),
    (b"??????????????????????????????????LP", "application/vnd.ms-fontobject"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1F\x8B\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1A\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1A\x07\x01\x00", "application/x-rar-compressed"),
    (b"\x00\x61\x73\x6D", "application/wasm"),
];
/// Any of these, in any case, then a space or `>`.
const TAGS: &[&[u8]] = &[
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];
fn matches(start: &[u8], magic: &[u8]) -> bool {
    start.len() >= magic.len() && magic.iter().zip(start).all(|(want, have)| *want == b'?' || want == have)
}
fn is_html(text: &[u8]) -> bool {
    TAGS.iter().any(|tag| {
        let ended = matches!(text.get(tag.len()), Some(b' ' | b'>'));
        ended && text[..tag.len()].eq_ignore_ascii_case(tag)
    })
}
/// A box `ftyp` with a brand that begins with `mp4`.
fn is_mp4(start: &[u8]) -> bool {
    let Some((&[a, b, c, d], b"ftyp")) =
        start.split_first_chunk().and_then(|(size, rest)| Some((size, rest.get(..4)?)))
    else {
        return false;
    };
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    if start.len() < 12 || start.len() < size || !size.is_multiple_of(4) {
        return false;
    }
    // Between the major brand and the compatible ones stands a version.
    start[..size].chunks_exact(4).enumerate().skip(2).any(|(i, brand)| i != 3 && brand.starts_with(b"mp4"))
}
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn it_guesses_as_go_does() {
        for (start, kind) in [
            (&b""[..], "text/plain; charset=utf-8"),
            (b"hello", "text/plain; charset=utf-8"),
            (b"{\"a\":1}", "text/plain; charset=utf-8"),
            (b" \r\n<html>", "text/html; charset=utf-8"),
            (b"<!doctype html>", "text/html; charset=utf-8"),
            (b"<!-- x", "text/html; charset=utf-8"),
            (b"<b", "text/plain; charset=utf-8"),
            (b"<bold>", "text/plain; charset=utf-8"),
            (b"\n<?xml version", "text/xml; charset=utf-8"),
            (b"\x00\x01\x02", "application/octet-stream"),
            (b"\x89PNG\r\n\x1a\nxyz", "image/png"),
            (b"RIFFabcdWEBPVP8", "image/webp"),
            (b"\xEF\xBB\xBFtext", "text/plain; charset=utf-8"),
            (b"\x1f\x8b\x08\x00", "application/x-gzip"),
            (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4"),
            (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomavc1", "application/octet-stream"),
            ("käse".as_bytes(), "text/plain; charset=utf-8"),
        ] {
            assert_eq!(content_type(start), kind, "{:?}", String::from_utf8_lossy(start));
        }
    }
}

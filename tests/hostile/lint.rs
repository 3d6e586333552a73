//! Judges the bytes of requests as strictly as RFC 9112 allows: what could be read in two ways is dirty.

/// A request that is complete, or why it never will be a good one.
pub(crate) enum Verdict {
    More,
    Clean(usize),
    Dirty(String),
}
pub(crate) fn judge(bytes: &[u8]) -> Verdict {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        let early = &bytes[..bytes.len().saturating_sub(3)];
        return if early.contains(&0) { Verdict::Dirty("NUL in a head".into()) } else { Verdict::More };
    };
    match head(&bytes[..end]) {
        Err(why) => Verdict::Dirty(format!("{why}: {:?}", String::from_utf8_lossy(&bytes[..end]))),
        Ok(Framing::Length(length)) if bytes.len() < end + 4 + length => Verdict::More,
        Ok(Framing::Length(length)) => Verdict::Clean(end + 4 + length),
        Ok(Framing::Chunked) => match chunks(&bytes[end + 4..]) {
            Ok(Some(length)) => Verdict::Clean(end + 4 + length),
            Ok(None) => Verdict::More,
            Err(why) => Verdict::Dirty(format!("{why}: {:?}", String::from_utf8_lossy(bytes))),
        },
    }
}
enum Framing {
    Length(usize),
    Chunked,
}
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
fn head(head: &[u8]) -> Result<Framing, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if head.split(|byte| *byte == b'\n').rev().skip(1).any(|line| !line.ends_with(b"\r")) {
        return Err("a bare line feed".into());
    }
    let line = lines.next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else {
        return Err("a request line of other than three words".into());
    };
    if !is_token(method) || version != b"HTTP/1.1" {
        return Err("an odd request line".into());
    }
    if target.is_empty() || target.iter().any(|byte| !(0x21..0x7f).contains(byte) || *byte == b'#') {
        return Err("an odd target".into());
    }
    let (mut hosts, mut lengths, mut codings) = (0, vec![], vec![]);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').ok_or("a line without a colon")?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !is_token(name) {
            return Err(format!("a bad name {:?}", text(name)));
        }
        if value.iter().any(|byte| *byte < 0x20 && *byte != b'\t' || *byte == 0x7f) {
            return Err(format!("a bad value {:?}", text(value)));
        }
        match name.to_ascii_lowercase().as_slice() {
            b"host" => hosts += 1,
            b"content-length" => lengths.push(value.to_vec()),
            b"transfer-encoding" => codings.push(value.to_vec()),
            b"keep-alive" | b"proxy-connection" | b"trailer" | b"http2-settings" => {
                return Err(format!("{:?} is of one connection", text(name)));
            }
            _ => {}
        }
    }
    match (hosts, &lengths[..], &codings[..]) {
        (1, [], []) => Ok(Framing::Length(0)),
        (1, [length], []) if length.iter().all(u8::is_ascii_digit) => {
            text(length).parse().map(Framing::Length).map_err(|_| "a bad length".into())
        }
        (1, [], [coding]) if coding == b"chunked" => Ok(Framing::Chunked),
        _ => Err(format!("{hosts} hosts, {} lengths, {} codings", lengths.len(), codings.len())),
    }
}
/// How long the chunks are; `None`: there are more to come.
fn chunks(bytes: &[u8]) -> Result<Option<usize>, String> {
    let mut at = 0;
    loop {
        let Some(end) = bytes[at..].windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let size = &bytes[at..at + end];
        if size.is_empty() || size.len() > 16 || !size.iter().all(u8::is_ascii_hexdigit) {
            return Err("a bad chunk size".into());
        }
        let size =
            usize::from_str_radix(&String::from_utf8_lossy(size), 16).map_err(|error| error.to_string())?;
        at += end + 2;
        if size == 0 {
            let Some(rest) = bytes.get(at..at + 2) else { return Ok(None) };
            // Trailers are not passed on.
            return if rest == b"\r\n" { Ok(Some(at + 2)) } else { Err("trailers".into()) };
        }
        let Some(rest) = bytes.get(at + size..at + size + 2) else { return Ok(None) };
        if rest != b"\r\n" {
            return Err("a chunk that does not end".into());
        }
        at += size + 2;
    }
}

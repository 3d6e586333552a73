//! `{host}` for `{http.request.host}`: replaced in every word of sites and named routes before directives see them.
use grammar::{Line, Token};

/// Short and long name, without braces.
const FIXED: &[(&str, &str)] = &[
    ("host", "http.request.host"),
    ("hostport", "http.request.hostport"),
    ("port", "http.request.port"),
    ("orig_method", "http.request.orig_method"),
    ("orig_uri", "http.request.orig_uri"),
    ("orig_path", "http.request.orig_uri.path"),
    ("orig_dir", "http.request.orig_uri.path.dir"),
    ("orig_file", "http.request.orig_uri.path.file"),
    ("orig_query", "http.request.orig_uri.query"),
    ("orig_?query", "http.request.orig_uri.prefixed_query"),
    ("method", "http.request.method"),
    ("uri", "http.request.uri"),
    ("%uri", "http.request.uri_escaped"),
    ("path", "http.request.uri.path"),
    ("%path", "http.request.uri.path_escaped"),
    ("dir", "http.request.uri.path.dir"),
    ("file", "http.request.uri.path.file"),
    ("query", "http.request.uri.query"),
    ("%query", "http.request.uri.query_escaped"),
    ("?query", "http.request.uri.prefixed_query"),
    ("remote", "http.request.remote"),
    ("remote_host", "http.request.remote.host"),
    ("remote_port", "http.request.remote.port"),
    ("scheme", "http.request.scheme"),
    ("uuid", "http.request.uuid"),
    ("tls_cipher", "http.request.tls.cipher_suite"),
    ("tls_version", "http.request.tls.version"),
    ("tls_client_fingerprint", "http.request.tls.client.fingerprint"),
    ("tls_client_issuer", "http.request.tls.client.issuer"),
    ("tls_client_serial", "http.request.tls.client.serial"),
    ("tls_client_subject", "http.request.tls.client.subject"),
    ("tls_client_certificate_pem", "http.request.tls.client.certificate_pem"),
    ("tls_client_certificate_der_base64", "http.request.tls.client.certificate_der_base64"),
    ("upstream_hostport", "http.reverse_proxy.upstream.hostport"),
    ("client_ip", "http.vars.client_ip"),
];
/// Short and long prefix of a name that goes on, and whether a dot may be in what follows.
const PREFIXES: &[(&str, &str, bool)] = &[
    ("header.", "http.request.header.", false),
    ("cookie.", "http.request.cookie.", false),
    ("labels.", "http.request.host.labels.", false),
    ("path.", "http.request.uri.path.", false),
    ("file.", "http.request.uri.path.file.", false),
    ("query.", "http.request.uri.query.", false),
    ("re.", "http.regexp.", true),
    ("vars.", "http.vars.", false),
    ("rp.", "http.reverse_proxy.", true),
    ("resp.", "http.intercept.", true),
    ("err.", "http.error.", true),
    ("file_match.", "http.matchers.file.", false),
];

/// The shorthand, braces and all, that a long placeholder has been made of: `{host}` of `{http.request.host}`. Of those
/// without a free part, as Caddy asks it for the destinations of `map`.
pub fn shorthand_of(placeholder: &str) -> Option<String> {
    let name = placeholder.trim_matches(['{', '}']);
    FIXED.iter().find(|(_, long)| *long == name).map(|(short, _)| format!("{{{short}}}"))
}
/// In all words of `lines`, at every depth.
pub(super) fn expand_lines(lines: &mut [Line]) {
    for line in lines {
        line.words.iter_mut().for_each(expand_token);
        expand_lines(line.block.as_deref_mut().unwrap_or_default());
    }
}
fn expand_token(token: &mut Token) {
    if token.text.contains('{') {
        token.text = expand(&token.text);
    }
}
fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push('{');
        let name = after.split_once('}').and_then(|(name, after)| Some((long(name)?, after)));
        rest = match name {
            Some((name, after)) => {
                out.push_str(&name);
                out.push('}');
                after
            }
            None => after,
        };
    }
    out + rest
}
fn long(name: &str) -> Option<String> {
    if let Some((_, long)) = FIXED.iter().find(|(short, _)| *short == name) {
        return Some((*long).to_owned());
    }
    PREFIXES.iter().find_map(|(short, long, dots)| {
        let rest = name.strip_prefix(short)?;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || *dots && c == '.';
        rest.chars().all(word).then(|| format!("{long}{rest}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn known_names_become_long() {
        for (short, long) in [
            ("{host}", "{http.request.host}"),
            ("a{%path}b{?query}", "a{http.request.uri.path_escaped}b{http.request.uri.prefixed_query}"),
            ("{header.X-A}", "{http.request.header.X-A}"),
            ("{re.name.1}", "{http.regexp.name.1}"),
            ("{path.0}{file.ext}", "{http.request.uri.path.0}{http.request.uri.path.file.ext}"),
            ("{err.status_code}", "{http.error.status_code}"),
            ("{header.}", "{http.request.header.}"),
            ("{{host}}", "{{http.request.host}}"),
        ] {
            assert_eq!(expand(short), long);
        }
    }
    #[test]
    fn what_is_not_known_stays() {
        for text in ["{vars.a.b}", "{env.X}", "{hosts}", "{", "a{host", "{header.a b}", "{}"] {
            assert_eq!(expand(text), text);
        }
    }
    #[test]
    fn the_way_back_is_known_too() {
        assert_eq!(shorthand_of("{http.request.uri.path}").as_deref(), Some("{path}"));
        assert_eq!(shorthand_of("{my.own}"), None);
    }
}

//! As much of XML as two providers answer with: elements whose tags are known, without namespaces' prefixes.

/// What stands between `<tag …>` and `</tag>`, for each such element; elements of one name are not within each other.
pub(super) fn within<'a>(xml: &'a str, tag: &str) -> Vec<&'a str> {
    let (mut found, mut rest) = (vec![], xml);
    while let Some((_, after)) = next(rest, tag) {
        let Some((content, behind)) = after.split_once(&format!("</{tag}>")) else { break };
        found.push(content);
        rest = behind;
    }
    found
}
/// The first such element's text, with its entities resolved.
pub(super) fn text(xml: &str, tag: &str) -> Option<String> {
    within(xml, tag).first().map(|text| unescape(text.trim()))
}
/// The attributes of each `<tag …>`, in order.
pub(super) fn attributes(xml: &str, tag: &str) -> Vec<Vec<(String, String)>> {
    let (mut found, mut rest) = (vec![], xml);
    while let Some((head, after)) = next(rest, tag) {
        found.push(pairs(head));
        rest = after;
    }
    found
}
/// The next start tag: what stands in it behind its name, and what follows it.
fn next<'a>(xml: &'a str, tag: &str) -> Option<(&'a str, &'a str)> {
    let start = format!("<{tag}");
    let mut rest = xml;
    loop {
        rest = &rest[rest.find(&start)? + start.len()..];
        // Not a longer name that begins so.
        if rest.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/') {
            return rest.split_once('>');
        }
    }
}
fn pairs(head: &str) -> Vec<(String, String)> {
    let (mut found, mut rest) = (vec![], head);
    while let Some((name, after)) = rest.split_once("=\"") {
        let Some((value, behind)) = after.split_once('"') else { break };
        found.push((name.trim().to_owned(), unescape(value)));
        rest = behind;
    }
    found
}
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
fn unescape(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#34;", "\"");
    plain.replace("&#39;", "'").replace("&apos;", "'").replace("&amp;", "&")
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn elements_are_found_by_their_whole_names() {
        let xml = "<a><Zones/><Zone x=\"1\"><Id>&quot;1&quot;</Id></Zone><Zone><Id> 2 </Id></Zone></a>";
        assert_eq!(within(xml, "Zone").len(), 2);
        let ids: Vec<_> = within(xml, "Zone").into_iter().filter_map(|zone| text(zone, "Id")).collect();
        assert_eq!(ids, ["\"1\"", "2"]);
        assert!(within("<Id>1", "Id").is_empty() && text(xml, "None").is_none());
    }
    #[test]
    fn attributes_keep_their_order() {
        let found =
            attributes("<hosts><host Name=\"@\" Address=\"a&amp;b\"/><host Name=\"www\" /></hosts>", "host");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found, [vec![pair("Name", "@"), pair("Address", "a&b")], vec![pair("Name", "www")]]);
        assert_eq!(escape("<\"&\">"), "&lt;&quot;&amp;&quot;&gt;");
    }
}

//! Markdown as GitHub has it, with footnotes and raw HTML; headings can be linked to.
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html};
use std::collections::HashMap;

pub(super) fn html(text: &str) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, options).collect();
    name_headings(&mut events);
    let mut out = String::with_capacity(text.len() * 3 / 2);
    push_html(&mut out, events.into_iter());
    out
}
fn name_headings(events: &mut [Event<'_>]) {
    let mut used: HashMap<String, usize> = HashMap::new();
    for at in 0..events.len() {
        if !matches!(&events[at], Event::Start(Tag::Heading { .. })) {
            continue;
        }
        let title: String = events[at..]
            .iter()
            .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(&**text),
                _ => None,
            })
            .collect();
        let name = name_of(&title);
        let count = used.entry(name.clone()).or_insert(0);
        let unique = if *count == 0 { name } else { format!("{name}-{count}") };
        *count += 1;
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(CowStr::from(unique));
        }
    }
}
/// Letters and digits, with dashes for spaces.
fn name_of(title: &str) -> String {
    let letters = title.trim().chars().filter_map(|c| match c {
        c if c.is_ascii_alphanumeric() => Some(c.to_ascii_lowercase()),
        ' ' | '\t' | '-' | '_' => Some(if c == '_' { '_' } else { '-' }),
        _ => None,
    });
    let name: String = letters.collect();
    if name.is_empty() { "heading".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn headings_have_names() {
        let page = html("# One Two!\n\n## One two\n\ntext **bold** <b>raw</b>\n\n| a |\n|---|\n| b |\n");
        assert!(
            page.starts_with("<h1 id=\"one-two\">One Two!</h1>\n<h2 id=\"one-two-1\">One two</h2>"),
            "{page}"
        );
        assert!(page.contains("<strong>bold</strong> <b>raw</b>") && page.contains("<td>b</td>"), "{page}");
    }
}

//! Markdown as GitHub has it, with footnotes and raw HTML; headings can be linked to. Written as Caddy's library
//! (goldmark) writes it.
use pulldown_cmark::{
    Alignment, CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream, html::push_html,
};
use regex::Regex;
use std::{collections::HashMap, sync::LazyLock};

pub(super) fn html(text: &str) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    let mut events: Vec<Event<'_>> = TextMergeStream::new(Parser::new_ext(text, options)).collect();
    name_headings(&mut events);
    let mut out = String::with_capacity(text.len() * 3 / 2);
    let mut writer = Writer::default();
    push_html(&mut out, events.into_iter().map(|event| writer.event(event)));
    out
}
/// Writes what goldmark writes otherwise than `pulldown_cmark`.
#[derive(Default)]
struct Writer {
    /// Within a link or an image: neither holds another link, and an image's text becomes an attribute.
    links: usize,
    images: usize,
    in_code: bool,
    /// Of the table's columns, and which column comes next.
    columns: Vec<Alignment>,
    column: usize,
    in_head: bool,
    has_body: bool,
}
impl Writer {
    fn event<'t>(&mut self, event: Event<'t>) -> Event<'t> {
        match &event {
            Event::Start(Tag::Link { .. }) => self.links += 1,
            Event::End(TagEnd::Link) => self.links = self.links.saturating_sub(1),
            Event::Start(Tag::Image { .. }) => self.images += 1,
            Event::End(TagEnd::Image) => self.images = self.images.saturating_sub(1),
            Event::Start(Tag::CodeBlock(_)) => self.in_code = true,
            Event::End(TagEnd::CodeBlock) => self.in_code = false,
            _ => {}
        }
        let html = match &event {
            _ if self.images > 0 => return event,
            Event::Text(text) if self.in_code || self.links > 0 => escaped(text),
            Event::Text(text) => linked(text),
            Event::Code(code) => format!("<code>{}</code>", escaped(code)),
            Event::HardBreak => "<br>\n".into(),
            Event::Rule => "<hr>\n".into(),
            Event::TaskListMarker(true) => "<input checked=\"\" disabled=\"\" type=\"checkbox\"> ".into(),
            Event::TaskListMarker(false) => "<input disabled=\"\" type=\"checkbox\"> ".into(),
            event => match self.table(event) {
                Some(html) => html,
                None => return event.clone(),
            },
        };
        Event::InlineHtml(html.into())
    }
    fn table(&mut self, event: &Event<'_>) -> Option<String> {
        let cell = if self.in_head { "th" } else { "td" };
        Some(match event {
            Event::Start(Tag::Table(columns)) => {
                (self.columns, self.has_body) = (columns.clone(), false);
                "<table>\n".into()
            }
            Event::Start(Tag::TableHead) => {
                (self.in_head, self.column) = (true, 0);
                "<thead>\n<tr>\n".into()
            }
            Event::End(TagEnd::TableHead) => {
                self.in_head = false;
                "</tr>\n</thead>\n".into()
            }
            Event::Start(Tag::TableRow) => {
                self.column = 0;
                let first = !std::mem::replace(&mut self.has_body, true);
                if first { "<tbody>\n<tr>\n" } else { "<tr>\n" }.into()
            }
            Event::End(TagEnd::TableRow) => "</tr>\n".into(),
            Event::Start(Tag::TableCell) => {
                let alignment = match self.columns.get(self.column) {
                    Some(Alignment::Left) => "left",
                    Some(Alignment::Center) => "center",
                    Some(Alignment::Right) => "right",
                    _ => return Some(format!("<{cell}>")),
                };
                format!("<{cell} style=\"text-align:{alignment}\">")
            }
            Event::End(TagEnd::TableCell) => {
                self.column += 1;
                format!("</{cell}>\n")
            }
            Event::End(TagEnd::Table) if self.has_body => "</tbody>\n</table>\n".into(),
            Event::End(TagEnd::Table) => "</table>\n".into(),
            _ => return None,
        })
    }
}
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
/// Addresses that begin a word: GitHub's autolinks.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let email = r"[A-Za-z0-9.+_\-]+@[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)+";
    Regex::new(&format!(r"(^|[\s*_~(])((?:https?|ftp)://[^\s<]+\.[^\s<]+|www\.[^\s<]+\.[^\s<]+|{email})"))
        .ok()
});
fn linked(text: &str) -> String {
    let (mut out, mut done) = (String::new(), 0);
    for found in ADDRESS.iter().flat_map(|regex| regex.captures_iter(text)) {
        let Some(address) = found.get(2) else { continue };
        let mut shown =
            address.as_str().trim_end_matches(['?', '!', '.', ',', ':', '*', '_', '~', '\'', '"']);
        // A bracket that closes one before the address is not part of it.
        while shown.ends_with(')') && shown.matches(')').count() > shown.matches('(').count() {
            shown = &shown[..shown.len() - 1];
        }
        let prefix = match shown {
            shown if shown.starts_with("www.") => "http://",
            shown if shown.contains("://") => "",
            _ => "mailto:",
        };
        out.push_str(&escaped(&text[done..address.start()]));
        let shown_text = escaped(shown);
        out.push_str(&format!("<a href=\"{prefix}{shown_text}\">{shown_text}</a>"));
        done = address.start() + shown.len();
    }
    out + &escaped(&text[done..])
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
    #[test]
    fn pages_are_written_as_goldmark_writes_them() {
        for (text, page) in [
            (
                "| a | b |\n|---|:-:|\n| 1 | 2 |",
                "<table>\n<thead>\n<tr>\n<th>a</th>\n<th style=\"text-align:center\">b</th>\n</tr>\n</thead>\n<tbody>\n\
                 <tr>\n<td>1</td>\n<td style=\"text-align:center\">2</td>\n</tr>\n</tbody>\n</table>\n",
            ),
            (
                "~~x~~ https://example.com www.example.com a@example.com.",
                "<p><del>x</del> <a href=\"https://example.com\">https://example.com</a> \
                 <a href=\"http://www.example.com\">www.example.com</a> \
                 <a href=\"mailto:a@example.com\">a@example.com</a>.</p>\n",
            ),
            (
                "- [x] done\n- [ ] todo",
                "<ul>\n<li><input checked=\"\" disabled=\"\" type=\"checkbox\"> done</li>\n\
                 <li><input disabled=\"\" type=\"checkbox\"> todo</li>\n</ul>\n",
            ),
            ("a  \nb\n\n---\n", "<p>a<br>\nb</p>\n<hr>\n"),
            ("a & b < c \"q\" `\"`", "<p>a &amp; b &lt; c &quot;q&quot; <code>&quot;</code></p>\n"),
        ] {
            assert_eq!(html(text), page);
        }
    }
}

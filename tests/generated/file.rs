//! A Caddyfile for a seed.
use super::{
    grammar::{Grammar, Piece},
    random::Random,
};
use std::collections::BTreeSet;

/// Named matchers that a site gets when it uses them.
const MATCHERS: [&str; 4] = ["@a", "@b", "@c", "@d"];

/// What a file is drawn from.
struct Draw<'g> {
    grammar: &'g Grammar,
    /// Also from what is mostly refused.
    wrong: bool,
}
impl Draw<'_> {
    fn draw(&self, rule: &str, random: &mut Random) -> Vec<Piece> {
        self.grammar.draw(rule, self.wrong, random)
    }
}
/// The Caddyfile that belongs to the seed.
pub(crate) fn generate(grammar: &Grammar, seed: u64) -> String {
    let random = &mut Random::new(seed);
    let grammar = &Draw { grammar, wrong: random.percent(20) };
    let mut pieces = match random.below(100) {
        0..45 => site(grammar, random, 3),
        45..65 => {
            let mut pieces = options(grammar, random);
            pieces.extend(site(grammar, random, 2));
            pieces
        }
        _ => whole(grammar, random),
    };
    let mut definitions = definitions(grammar, random, &pieces);
    // Most say their global options first, but snippets may come before them.
    let at = if random.percent(80) { first_site(&pieces) } else { 0 };
    pieces.splice(at..at, definitions.drain(..));
    if random.percent(if grammar.wrong { 60 } else { 10 }) {
        (0..=random.below(2)).for_each(|_| spoil(&mut pieces, random));
    }
    lay_out(&pieces, random)
}
/// Behind the global options, if there are any.
fn first_site(pieces: &[Piece]) -> usize {
    if pieces.first() != Some(&Piece::Open) {
        return 0;
    }
    let mut depth = 0;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Open => depth += 1,
            Piece::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    pieces.len()
}
fn whole(grammar: &Draw<'_>, random: &mut Random) -> Vec<Piece> {
    let mut pieces = if random.percent(40) { options(grammar, random) } else { vec![] };
    for _ in 0..=random.below(4) {
        pieces.extend(site(grammar, random, 5));
    }
    pieces
}
fn word(text: &str) -> Piece {
    Piece::Word(text.to_owned())
}
fn options(grammar: &Draw<'_>, random: &mut Random) -> Vec<Piece> {
    block(vec![], grammar, "option", 1 + random.below(4), random)
}
fn block(head: Vec<Piece>, grammar: &Draw<'_>, rule: &str, lines: usize, random: &mut Random) -> Vec<Piece> {
    let mut pieces = head;
    pieces.push(Piece::Open);
    (0..lines).for_each(|_| pieces.extend(grammar.draw(rule, random)));
    pieces.push(Piece::Close);
    pieces
}
fn site(grammar: &Draw<'_>, random: &mut Random, most: usize) -> Vec<Piece> {
    let mut keys = grammar.draw("key", random);
    while random.percent(30) {
        if let Some(Piece::Word(last)) = keys.last_mut().filter(|_| random.percent(50)) {
            last.push(',');
        }
        keys.extend(grammar.draw("key", random));
    }
    let lines = 1 + random.below(most);
    with_matchers(block(keys, grammar, "site_directive", lines, random), grammar, random)
}
/// Defines the matchers that a site or a named route uses.
fn with_matchers(pieces: Vec<Piece>, grammar: &Draw<'_>, random: &mut Random) -> Vec<Piece> {
    let mut pieces = pieces;
    let open = pieces.iter().position(|piece| *piece == Piece::Open).unwrap_or(0);
    // What is imported may use them all.
    let imports = pieces.contains(&word("import"));
    let used: BTreeSet<&str> =
        MATCHERS.into_iter().filter(|name| imports || pieces.contains(&word(name))).collect();
    let mut matchers = vec![];
    for name in used {
        if grammar.wrong && random.percent(10) {
            continue;
        }
        matchers.push(word(name));
        if random.percent(30) {
            matchers.extend(block(vec![], grammar, "matcher", 1 + random.below(3), random));
        } else {
            let one = grammar.draw("matcher", random);
            let lines = one.iter().filter(|piece| **piece == Piece::End).count();
            let block = lines > 1 && !one.contains(&Piece::Open);
            matchers.extend(block.then_some(Piece::Open));
            matchers.extend(one);
            matchers.extend(block.then_some(Piece::Close));
        }
    }
    // They may stand before or behind what uses them.
    let at = if random.percent(80) { open + 1 } else { pieces.len() - 1 };
    pieces.splice(at..at, matchers);
    pieces
}
/// The snippets and named routes that are used.
fn definitions(grammar: &Draw<'_>, random: &mut Random, pieces: &[Piece]) -> Vec<Piece> {
    let kinds = [
        ("import", "s", "snippet_line"),
        ("import", "t", "site_snippet_line"),
        ("import", "o", "option_snippet_line"),
        ("invoke", "r", "route_line"),
    ];
    let mut found = vec![];
    for (directive, prefix, rule) in kinds {
        let uses = pieces.iter().any(|piece| *piece == word(directive));
        for number in (1..=3).filter(|_| uses) {
            let name = format!("{prefix}{number}");
            if !pieces.contains(&word(&name)) && name != "s3" || grammar.wrong && random.percent(10) {
                continue;
            }
            let sign = if prefix == "r" { "&" } else { "" };
            let head = vec![Piece::Word(format!("{sign}({name})"))];
            let rule = if name == "s3" { "simple" } else { rule };
            let mut definition = block(head, grammar, rule, 1 + random.below(3), random);
            if prefix == "r" {
                definition = with_matchers(definition, grammar, random);
            }
            // What a snippet imports is defined before it.
            if prefix == "s" {
                found.splice(0..0, definition).for_each(drop)
            } else {
                found.extend(definition)
            }
        }
    }
    found
}
/// Makes a small mistake.
fn spoil(pieces: &mut Vec<Piece>, random: &mut Random) {
    let at = random.below(pieces.len());
    match random.below(8) {
        0 => drop(pieces.remove(at)),
        1 => pieces.insert(at, pieces[at].clone()),
        2 if at > 0 => pieces.swap(at, at - 1),
        3 => pieces[at] = random.choose(&pieces.clone()).clone(),
        4 => pieces.insert(at, random.choose(&[Piece::Open, Piece::Close, Piece::End]).clone()),
        _ => {
            let Piece::Word(word) = &mut pieces[at] else { return };
            let chars: Vec<char> = word.chars().collect();
            let place = random.below(chars.len().max(1));
            let put = random.choose(&["", "", "x", "{", "}", "-", "\"", "`", "#", ",", "@", "\\"]);
            *word = chars.iter().take(place).collect::<String>() + put;
            *word += &chars.iter().skip(place + 1).collect::<String>();
        }
    }
}
/// Writes it down, mostly as `fmt` would.
fn lay_out(pieces: &[Piece], random: &mut Random) -> String {
    let messy = random.percent(25);
    let (mut text, mut depth) = (String::new(), 0_usize);
    for piece in pieces {
        let fresh = text.is_empty() || text.ends_with('\n');
        match piece {
            Piece::End if fresh => {}
            Piece::End if messy && random.percent(3) => text += " # behind it\n",
            Piece::End => text.push('\n'),
            Piece::Open => {
                text += if fresh { "{\n" } else { " {\n" };
                depth += 1;
            }
            Piece::Close => {
                depth = depth.saturating_sub(1);
                if !fresh {
                    text.push('\n');
                }
                text += &"\t".repeat(depth);
                text += "}\n";
            }
            Piece::Word(word) => {
                if fresh {
                    text += &"\t".repeat(depth);
                } else if messy && random.percent(3) {
                    text += " \\\n\t\t";
                } else {
                    text.push(' ');
                }
                text += word;
            }
        }
        if messy {
            smear(&mut text, random);
        }
    }
    text
}
/// Blanks, comments and blank lines where someone may have put them.
fn smear(text: &mut String, random: &mut Random) {
    let fresh = text.ends_with('\n');
    match random.below(30) {
        0 => text.push_str("  "),
        1 => text.push('\t'),
        2 if fresh => text.push('\n'),
        3 if fresh => text.push_str("\n\n\n"),
        4 if fresh => text.push_str("# a comment { x\n"),
        7 if fresh => text.push_str("\t \r\n"),
        _ => {}
    }
}

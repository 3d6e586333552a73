//! `testdata/generated/grammar.txt`: rules, and what is drawn from them.
use super::random::Random;
use std::collections::HashMap;

/// Of a Caddyfile, before it is laid out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Word(String),
    Open,
    Close,
    End,
}
#[derive(Clone, Copy)]
enum Times {
    Once,
    Optional,
    /// None to three.
    Any,
    /// One to three.
    Some,
}
enum Item {
    Piece(Piece),
    Rule(String, Times),
}
/// Blocks within blocks: deeper ones stay empty where they may.
const DEEPEST: usize = 4;

/// One of a rule's choices.
struct Choice {
    items: Vec<Item>,
    /// It is mostly refused.
    wrong: bool,
}
pub(crate) struct Grammar {
    rules: HashMap<String, Vec<Choice>>,
}
impl Grammar {
    pub(crate) fn parse(text: &str) -> Self {
        let mut rules: HashMap<String, Vec<Choice>> = HashMap::new();
        let (mut name, mut lines) = (String::new(), false);
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let choices = if let Some(choice) = line.strip_prefix('\t') {
                choice
            } else if let Some((rule, choices)) = line.split_once(" = ") {
                (name, lines) = (rule.to_owned(), false);
                choices
            } else {
                (name, lines) = (line.strip_suffix(':').expect("a rule's head").to_owned(), true);
                continue;
            };
            let rule = rules.entry(name.clone()).or_default();
            if lines {
                let mut line = choice(choices);
                line.items.push(Item::Piece(Piece::End));
                rule.push(line);
            } else {
                rule.extend(choices.split(" | ").map(choice));
            }
        }
        let grammar = Self { rules };
        for item in grammar.rules.values().flatten().flat_map(|choice| &choice.items) {
            if let Item::Rule(name, _) = item {
                assert!(grammar.rules.contains_key(name), "there is no rule {name}");
            }
        }
        grammar
    }
    /// Draws from a rule; `wrong`: from what is mostly refused, too.
    pub(crate) fn draw(&self, rule: &str, wrong: bool, random: &mut Random) -> Vec<Piece> {
        let mut pieces = vec![];
        self.expand(rule, wrong, 0, random, &mut pieces);
        pieces
    }
    fn expand(&self, rule: &str, wrong: bool, depth: usize, random: &mut Random, out: &mut Vec<Piece>) {
        let choices: Vec<&Choice> = self.rules[rule].iter().filter(|choice| wrong || !choice.wrong).collect();
        let choice = *random.choose(&choices);
        self.write(choice, wrong, depth, random, out);
    }
    /// As many times as that; mostly without a choice that was made before.
    fn repeat(
        &self,
        rule: &str,
        times: usize,
        wrong: bool,
        depth: usize,
        random: &mut Random,
        out: &mut Vec<Piece>,
    ) {
        let mut choices: Vec<&Choice> =
            self.rules[rule].iter().filter(|choice| wrong || !choice.wrong).collect();
        for _ in 0..times {
            let at = random.below(choices.len());
            self.write(choices[at], wrong, depth, random, out);
            if choices.len() > 1 && random.percent(90) {
                choices.remove(at);
            }
        }
    }
    fn write(&self, choice: &Choice, wrong: bool, depth: usize, random: &mut Random, out: &mut Vec<Piece>) {
        let mut depth = depth;
        for item in &choice.items {
            match item {
                Item::Piece(piece) => {
                    match piece {
                        Piece::Open => depth += 1,
                        Piece::Close => depth -= 1,
                        _ => {}
                    }
                    out.push(piece.clone());
                }
                Item::Rule(name, times) => {
                    let times = match times {
                        Times::Once => 1,
                        Times::Optional => random.below(2),
                        Times::Any if depth > DEEPEST => 0,
                        Times::Some if depth > DEEPEST => 1,
                        Times::Any => random.below(4),
                        Times::Some => 1 + random.below(3),
                    };
                    self.repeat(name, times, wrong, depth, random, out);
                }
            }
        }
    }
}
fn choice(text: &str) -> Choice {
    let right = text.strip_prefix('!');
    Choice { items: words(right.unwrap_or(text)).into_iter().map(item).collect(), wrong: right.is_some() }
}
/// Splits at blanks outside of quotes.
fn words(choice: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (vec![], String::new(), None);
    for c in choice.chars() {
        match quote {
            None if c == ' ' => words.push(std::mem::take(&mut word)),
            None if word.is_empty() && matches!(c, '"' | '`') => {
                quote = Some(c);
                word.push(c);
            }
            _ => {
                word.push(c);
                // A quote that is escaped does not end the word.
                if quote == Some(c) && !word.ends_with("\\\"") {
                    quote = None;
                }
            }
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
fn item(word: String) -> Item {
    match word.as_str() {
        "{" => return Item::Piece(Piece::Open),
        "}" => return Item::Piece(Piece::Close),
        ";" => return Item::Piece(Piece::End),
        _ => {}
    }
    let Some(name) = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) else {
        return Item::Piece(Piece::Word(word.replace('⏎', "\n")));
    };
    let (name, times) = match name.chars().last() {
        Some('?') => (&name[..name.len() - 1], Times::Optional),
        Some('*') => (&name[..name.len() - 1], Times::Any),
        Some('+') => (&name[..name.len() - 1], Times::Some),
        _ => (name, Times::Once),
    };
    Item::Rule(name.to_owned(), times)
}

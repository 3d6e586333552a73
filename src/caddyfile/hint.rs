//! Help with misspelt names.
use grammar::{Error, Token};

/// An error at a word that nobody knows. If a known name is near, it becomes the error's hint.
pub fn unknown(word: &Token, message: impl Into<String>, known: &[&str]) -> Error {
    let error = word.error(message);
    match nearest(&word.text, known) {
        Some(name) => error.hint(format!("did you mean '{name}'?")),
        None => error,
    }
}
/// The known name that is the fewest edits away, if that is no more than a third of its letters (but at least one).
pub fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let near = known.iter().map(|known| (distance(name, known), *known));
    let near = near.filter(|(edits, known)| *edits <= (known.chars().count() / 3).max(1));
    near.min_by_key(|(edits, _)| *edits).map(|(_, known)| known)
}
/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut edits = (last[j + 1] + 1).min(row[j] + 1).min(last[j] + usize::from(x != y));
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                edits = edits.min(before[j - 1] + 1);
            }
            row.push(edits);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;
    #[test]
    fn a_misspelling_finds_its_name() {
        let known = ["hide", "index", "precompressed", "root"];
        assert_eq!(nearest("precompresed", &known), Some("precompressed"));
        assert_eq!(nearest("roto", &known), Some("root"));
        assert_eq!(nearest("hides", &known), Some("hide"));
        assert_eq!(nearest("encode", &known), None);
    }
}

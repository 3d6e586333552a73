//! What might have been meant.

/// The candidate that is nearest to a misspelt word, if one is near enough: a letter in three may be wrong, missing, too
/// much or swapped with the next one. The first one wins among equals.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).take(LONGEST).collect();
    let limit = word.len().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| {
            let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            (distance(&word, &letters), candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
/// No name is longer, and the time grows with the length.
const LONGEST: usize = 64;

/// The edits from one word to another; a swap of neighbours counts as one (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelt_word_finds_its_neighbour() {
        let names = ["respond", "redir", "reverse_proxy", "root", "tls", "log"];
        for (word, meant) in [
            ("respnd", Some("respond")),
            ("revrese_proxy", Some("reverse_proxy")),
            ("reverseproxy", Some("reverse_proxy")),
            ("Redirr", Some("redir")),
            ("tsl", Some("tls")),
            ("logs", Some("log")),
            ("frobnicate", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), meant, "{word}");
        }
    }
}

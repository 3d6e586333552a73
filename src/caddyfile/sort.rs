//! Sorting where Caddy's comparison is no proper order.
//!
//! Caddy sorts routes by comparisons that contradict themselves here and there, so what comes out depends on which
//! pairs are compared. Go's `sort.SliceStable` is insertion sort on runs of 20, then in-place merging (SymMerge: Kim and
//! Kutzner, "Stable Minimum Storage Merging by Symmetric Comparisons", 2004); this asks the same questions.

const RUN: usize = 20;

/// Sorts by `less`, which may be inconsistent, as Go would.
pub(super) fn stable<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let total = items.len();
    for run in items.chunks_mut(RUN) {
        insertion(run, &less);
    }
    let mut size = RUN;
    while size < total {
        for pair in items.chunks_mut(2 * size) {
            if pair.len() > size {
                merge(pair, size, &less);
            }
        }
        size *= 2;
    }
}
fn insertion<T>(items: &mut [T], less: &impl Fn(&T, &T) -> bool) {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && less(&items[at], &items[at - 1]) {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
}
/// Merges the sorted `items[..middle]` and `items[middle..]`.
fn merge<T>(items: &mut [T], middle: usize, less: &impl Fn(&T, &T) -> bool) {
    let end = items.len();
    if middle == 0 || middle == end {
        return;
    }
    if middle == 1 {
        let at = first(1, end, |i| !less(&items[i], &items[0]));
        items[..at].rotate_left(1);
        return;
    }
    if end - middle == 1 {
        let at = first(0, middle, |i| less(&items[middle], &items[i]));
        items[at..].rotate_right(1);
        return;
    }
    let half = end / 2;
    let mirror = half + middle;
    let (low, high) = if middle > half { (mirror - end, half) } else { (0, middle) };
    let start = first(low, high, |i| less(&items[mirror - 1 - i], &items[i]));
    let stop = mirror - start;
    if start < middle && middle < stop {
        items[start..stop].rotate_left(middle - start);
    }
    let (left, right) = items.split_at_mut(half);
    if 0 < start && start < half {
        merge(left, start, less);
    }
    if half < stop && stop < end {
        merge(right, stop - half, less);
    }
}
/// The first index of a range for which `holds`, by bisection; its end if there is none.
fn first(mut low: usize, mut high: usize, holds: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    proptest! {
        #[test]
        fn with_a_proper_order_it_is_a_stable_sort(keys in proptest::collection::vec(0u8..9, 0..300)) {
            let mut ours: Vec<(u8, usize)> = keys.into_iter().zip(0..).collect();
            let mut theirs = ours.clone();
            stable(&mut ours, |a, b| a.0 < b.0);
            theirs.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(ours, theirs);
        }
    }
    #[test]
    fn items_that_each_claim_to_be_less_change_places() {
        let mut items = vec!['a', 'b', 'c'];
        stable(&mut items, |_, _| true);
        assert_eq!(items, ['c', 'b', 'a']);
    }
}

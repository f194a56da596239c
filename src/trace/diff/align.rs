//! Pairs equal elements of two sequences in order, as many as can be had.

use std::collections::BTreeMap;
use std::ops::Range;

/// Cells of the table of the exact method at most; longer parts are split first.
const CELLS: usize = 4 << 20;

/// Elements of a part that cannot be split at anything unique.
const CHUNK: usize = 2048;

/// Pairs of indexes, ascending in both.
pub(super) fn align(a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    part(a, b, 0..a.len(), 0..b.len(), &mut pairs);
    pairs
}

fn part(a: &[u32], b: &[u32], mut x: Range<usize>, mut y: Range<usize>, pairs: &mut Vec<(usize, usize)>) {
    while !x.is_empty() && !y.is_empty() && a[x.start] == b[y.start] {
        pairs.push((x.start, y.start));
        (x.start, y.start) = (x.start + 1, y.start + 1);
    }
    let mut tail = 0;
    while !x.is_empty() && !y.is_empty() && a[x.end - 1] == b[y.end - 1] {
        (x.end, y.end, tail) = (x.end - 1, y.end - 1, tail + 1);
    }
    let (end_x, end_y) = (x.end, y.end);
    if !x.is_empty() && !y.is_empty() {
        if x.len().saturating_mul(y.len()) <= CELLS {
            exact(a, b, x, y, pairs);
        } else {
            split(a, b, x, y, pairs);
        }
    }
    pairs.extend((0..tail).map(|i| (end_x + i, end_y + i)));
}

/// The longest common subsequence, by the table of all lengths.
fn exact(a: &[u32], b: &[u32], x: Range<usize>, y: Range<usize>, pairs: &mut Vec<(usize, usize)>) {
    let (a, b) = (&a[x.clone()], &b[y.clone()]);
    let width = b.len() + 1;
    let mut best = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i * width + j] = match a[i] == b[j] {
                true => best[(i + 1) * width + j + 1] + 1,
                false => best[(i + 1) * width + j].max(best[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((x.start + i, y.start + j));
            (i, j) = (i + 1, j + 1);
        } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
}

/// Splits at elements that are unique on both sides (patience), or else after a fixed number of elements.
fn split(a: &[u32], b: &[u32], x: Range<usize>, y: Range<usize>, pairs: &mut Vec<(usize, usize)>) {
    let anchors = anchors(a, b, &x, &y);
    if anchors.is_empty() {
        let (mid_x, mid_y) = (x.end.min(x.start + CHUNK), y.end.min(y.start + CHUNK));
        exact(a, b, x.start..mid_x, y.start..mid_y, pairs);
        return part(a, b, mid_x..x.end, mid_y..y.end, pairs);
    }
    let (mut from_x, mut from_y) = (x.start, y.start);
    for (i, j) in anchors {
        part(a, b, from_x..i, from_y..j, pairs);
        pairs.push((i, j));
        (from_x, from_y) = (i + 1, j + 1);
    }
    part(a, b, from_x..x.end, from_y..y.end, pairs);
}

/// Elements that are unique on both sides, those of them that stand in the same order.
fn anchors(a: &[u32], b: &[u32], x: &Range<usize>, y: &Range<usize>) -> Vec<(usize, usize)> {
    let mut seen: BTreeMap<u32, (usize, usize, usize, usize)> = BTreeMap::new();
    for i in x.clone() {
        let entry = seen.entry(a[i]).or_default();
        (entry.0, entry.1) = (entry.0 + 1, i);
    }
    for j in y.clone() {
        let entry = seen.entry(b[j]).or_default();
        (entry.2, entry.3) = (entry.2 + 1, j);
    }
    let mut unique: Vec<(usize, usize)> = seen.values().filter(|s| s.0 == 1 && s.2 == 1).map(|s| (s.1, s.3)).collect();
    unique.sort_unstable();
    ascending(&unique)
}

/// The longest selection whose second members ascend (patience sorting).
fn ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut piles: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
    for (n, (_, j)) in pairs.iter().enumerate() {
        let pile = piles.partition_point(|top| pairs[*top].1 < *j);
        before[n] = pile.checked_sub(1).map(|p| piles[p]);
        match piles.get_mut(pile) {
            Some(top) => *top = n,
            None => piles.push(n),
        }
    }
    let mut chosen = Vec::new();
    let mut at = piles.last().copied();
    while let Some(n) = at {
        chosen.push(pairs[n]);
        at = before[n];
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn common(a: &[u32], b: &[u32]) -> usize {
        let mut pairs = Vec::new();
        exact(a, b, 0..a.len(), 0..b.len(), &mut pairs);
        pairs.len()
    }

    #[test]
    fn pairs() {
        assert_eq!(align(&[1, 2, 3, 4], &[1, 3, 5, 4]), [(0, 0), (2, 1), (3, 3)]);
        assert_eq!(align(&[], &[1]), []);
        assert_eq!(align(&[1, 1], &[1]), [(0, 0)]);
    }

    /// Too long for the table: every element but a few is unique.
    #[test]
    fn long_ones_are_split() {
        let a: Vec<u32> = (0..5000).collect();
        let b: Vec<u32> = (0..5000).filter(|n| n % 7 != 0).map(|n| if n % 11 == 0 { 9999 } else { n }).collect();
        let pairs = align(&a, &b);
        let expected = (0..5000u32).filter(|n| n % 7 != 0 && n % 11 != 0).count();
        assert_eq!(pairs.len(), expected);
        // And where nothing is unique it ends too.
        let (c, d) = (vec![1; 6000], [vec![2; 10], vec![1; 5000], vec![2; 10]].concat());
        assert!(align(&c, &d).len() > 2000);
    }

    proptest! {
        #[test]
        fn ascending_and_equal(a in prop::collection::vec(0u32..6, 0..40), b in prop::collection::vec(0u32..6, 0..40)) {
            let pairs = align(&a, &b);
            prop_assert!(pairs.iter().all(|(i, j)| a[*i] == b[*j]));
            prop_assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            prop_assert_eq!(pairs.len(), common(&a, &b));
        }
    }
}

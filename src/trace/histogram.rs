//! Latency histograms with a bucket for each power of two, as the tools of the BPF world print them (`funclatency`,
//! `biolatency`).

use std::fmt::Write as _;

/// Buckets: the last one is for what is longer than all others.
const BUCKETS: usize = 48;

/// Columns of the longest bar.
const BAR: usize = 40;

/// How many values there were of each power of two.
#[derive(Clone, Debug)]
pub(super) struct Histogram([u64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram([0; BUCKETS])
    }
}

impl Histogram {
    /// Counts a value in nanoseconds: 0 and 1 in the first bucket, then 2 to 3, 4 to 7 and so on.
    pub(super) fn add(&mut self, ns: u64) {
        let bucket = ns.max(1).ilog2() as usize;
        self.0[bucket.min(BUCKETS - 1)] += 1;
    }

    /// Adds all values of another one.
    pub(super) fn merge(&mut self, other: &Histogram) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, n)| *sum += n);
    }

    /// The buckets from the first to the last that is not empty, a line each.
    pub(super) fn print(&self, out: &mut String, title: &str) {
        let used = |n: &u64| *n > 0;
        let (Some(first), Some(last)) = (self.0.iter().position(used), self.0.iter().rposition(used)) else { return };
        let most = self.0.iter().copied().max().unwrap_or(1).max(1);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\nsyscall = {title}\n{:>20}      : count     distribution", "nsecs");
        for (i, n) in self.0.iter().enumerate().take(last + 1).skip(first) {
            let (low, high) = (if i == 0 { 0 } else { 1u64 << i }, (1u64 << (i + 1)) - 1);
            let stars = usize::try_from(u128::from(*n) * BAR as u128 / u128::from(most)).unwrap_or(BAR);
            let _ = writeln!(out, "{low:>11} -> {high:<11}: {n:<9}|{:<BAR$}|", "*".repeat(stars));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets() {
        let mut h = Histogram::default();
        [0, 1, 2, 3, 1000, 1023, u64::MAX].into_iter().for_each(|ns| h.add(ns));
        assert_eq!((h.0[0], h.0[1], h.0[9], h.0[BUCKETS - 1]), (2, 2, 2, 1));
        let mut small = Histogram::default();
        [4, 5, 6, 7, 16].into_iter().for_each(|ns| small.add(ns));
        let mut out = String::new();
        small.print(&mut out, "read");
        let expected = "
syscall = read
               nsecs      : count     distribution
          4 -> 7          : 4        |****************************************|
          8 -> 15         : 0        |                                        |
         16 -> 31         : 1        |**********                              |
";
        assert_eq!(out, expected);
    }
}

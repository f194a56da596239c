//! `sevm trace --diff`: two traces beside one another, call by call, and what differs between them.
//!
//! Threads are paired in the order in which they appear. Within a pair the calls that are equal in their canonical form
//! are aligned first; between those, calls of the same name. Does not know where traces come from.

mod align;
mod canonical;
mod read;

use align::align;
use canonical::{Canonical, canonical};
use read::{Entry, Record};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Equal calls that are shown around a difference.
const CONTEXT: usize = 2;

/// What a comparison has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What differs, for people.
    pub report: String,
    /// Calls, signals and ends that are equal.
    pub equal: usize,
    /// Those that are made by both and differ in arguments or result.
    pub changed: usize,
    /// Those that only the first trace has, and only the second.
    pub only: [usize; 2],
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.changed == 0 && self.only == [0, 0]
    }
}

/// The trace of a thread.
type Thread = Vec<Canonical>;

/// Compares two traces, each strace's text or JSON Lines; `names` say what they are.
///
/// # Errors
/// The name of the one that is no trace, and why.
pub fn compare(names: [&str; 2], texts: [&str; 2]) -> Result<Difference, String> {
    let parse = |i: usize| read::read(texts[i]).map_err(|e| format!("'{}' is not a trace: {e}", names[i]));
    let (a, b) = (threads(&parse(0)?), threads(&parse(1)?));
    let mut all = Difference::default();
    let _ = writeln!(all.report, "--- {}\n+++ {}", names[0], names[1]);
    let nobody = Thread::new();
    for i in 0..a.len().max(b.len()) {
        let (a, b) = (a.get(i).unwrap_or(&nobody), b.get(i).unwrap_or(&nobody));
        compare_threads(i + 1, a, b, &mut all);
    }
    let [a_only, b_only] = all.only;
    let (equal, changed) = (all.equal, all.changed);
    let _ = writeln!(all.report, "{equal} equal, {changed} changed, {a_only} only in -, {b_only} only in +");
    Ok(all)
}

/// The threads of a trace, in the order in which they appear, in canonical form.
fn threads(entries: &[Entry]) -> Vec<Thread> {
    let mut order: BTreeMap<i64, usize> = BTreeMap::new();
    // Lines without an id are the first thread's: strace names it only once there are several.
    let first = entries.iter().map(|e| e.tid).find(|t| *t != 0).unwrap_or(0);
    let unnamed_first = entries.first().is_some_and(|e| e.tid == 0);
    let own = |tid: i64| if tid == 0 && !unnamed_first { first } else { tid };
    for entry in entries {
        let next = order.len() + 1;
        order.entry(own(entry.tid)).or_insert(next);
    }
    let mut threads = vec![Thread::new(); order.len()];
    // Ids to fold: those of lines, and what threads are told of their own.
    let mut ids = order.clone();
    ids.remove(&0);
    for entry in entries {
        if let (Record::Call { name, result, .. }, Some(at)) = (&entry.record, order.get(&own(entry.tid)))
            && matches!(name.as_str(), "set_tid_address" | "gettid")
            && let Ok(id) = result.parse()
        {
            ids.entry(id).or_insert(*at);
        }
    }
    for entry in entries {
        if let (Some(at), Some(form)) = (order.get(&own(entry.tid)), canonical(&entry.record, &ids)) {
            threads[at - 1].push(form);
        }
    }
    threads
}

/// One place in two aligned threads.
#[derive(Clone, Copy)]
enum Row {
    Equal(usize),
    Changed(usize, usize),
    OnlyA(usize),
    OnlyB(usize),
}

fn compare_threads(number: usize, a: &Thread, b: &Thread, all: &mut Difference) {
    let rows = rows(a, b);
    let differs: Vec<bool> = rows.iter().map(|r| !matches!(r, Row::Equal(_))).collect();
    for row in &rows {
        match row {
            Row::Equal(_) => all.equal += 1,
            Row::Changed(..) => all.changed += 1,
            Row::OnlyA(_) => all.only[0] += 1,
            Row::OnlyB(_) => all.only[1] += 1,
        }
    }
    if !differs.contains(&true) {
        return;
    }
    let out = &mut all.report;
    // Writing to a string cannot fail.
    let _ = writeln!(out, "@@ thread {number} @@");
    let near = |i: usize| differs[i.saturating_sub(CONTEXT)..(i + CONTEXT + 1).min(rows.len())].contains(&true);
    let mut skipped = 0;
    for (i, row) in rows.iter().enumerate() {
        if !near(i) {
            skipped += 1;
            continue;
        }
        if std::mem::take(&mut skipped) > 0 {
            let _ = writeln!(out, "...");
        }
        let _ = match row {
            Row::Equal(x) => writeln!(out, "  {}", a[*x].text),
            Row::Changed(x, y) => writeln!(out, "- {}\n+ {}", a[*x].text, b[*y].text),
            Row::OnlyA(x) => writeln!(out, "- {}", a[*x].text),
            Row::OnlyB(y) => writeln!(out, "+ {}", b[*y].text),
        };
    }
    if skipped > 0 {
        let _ = writeln!(out, "...");
    }
}

/// Numbers for strings that stand for their equality.
#[derive(Default)]
struct Numbers<'a>(BTreeMap<&'a str, u32>);

impl<'a> Numbers<'a> {
    fn of(&mut self, text: &'a str) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(text).or_insert(next)
    }
}

fn rows(a: &Thread, b: &Thread) -> Vec<Row> {
    let (mut texts, mut keys) = (Numbers::default(), Numbers::default());
    let text_a: Vec<u32> = a.iter().map(|c| texts.of(&c.text)).collect();
    let text_b: Vec<u32> = b.iter().map(|c| texts.of(&c.text)).collect();
    let key_a: Vec<u32> = a.iter().map(|c| keys.of(&c.key)).collect();
    let key_b: Vec<u32> = b.iter().map(|c| keys.of(&c.key)).collect();
    let mut rows = Vec::new();
    let (mut x, mut y) = (0, 0);
    let end = (a.len(), b.len());
    for (i, j) in align(&text_a, &text_b).into_iter().chain([end]) {
        // Between two equal calls: the same calls with other arguments.
        let (gap_a, gap_b) = (&key_a[x..i], &key_b[y..j]);
        let (mut in_a, mut in_b) = (0, 0);
        for (p, q) in align(gap_a, gap_b).into_iter().chain([(gap_a.len(), gap_b.len())]) {
            rows.extend((in_a..p).map(|n| Row::OnlyA(x + n)));
            rows.extend((in_b..q).map(|n| Row::OnlyB(y + n)));
            if p < gap_a.len() {
                rows.push(Row::Changed(x + p, y + q));
            }
            (in_a, in_b) = (p + 1, q + 1);
        }
        if (i, j) != end {
            rows.push(Row::Equal(i));
        }
        (x, y) = (i + 1, j + 1);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures() {
        let a = "open(\"f\", O_RDONLY) = 3\nread(3, \"abc\", 100) = 3\nclose(3) = 0\narch_prctl(ARCH_SET_FS, 0x5000000) = 0\n\
                 fork() = 1001\nexit_group(0) = ?\n";
        let b = "openat(AT_FDCWD, \"f\", O_RDONLY) = 3\nread(3, \"abc\", 200) = 3\ngetpid() = 5\nclose(3) = 0\n\
                 clone(child_stack=NULL, flags=SIGCHLD) = 1001\nexit_group(0) = ?\n";
        let d = compare(["a", "b"], [a, b]).expect("traces");
        assert_eq!((d.equal, d.changed, d.only), (4, 1, [0, 1]));
        let expected = "--- a
+++ b
@@ thread 1 @@
  openat(AT_FDCWD, \"f\", O_RDONLY) = 3
- read(3, \"abc\", 100) = 3
+ read(3, \"abc\", 200) = 3
+ getpid() = 5
  close(3) = 0
  clone(...) = 1001
...
4 equal, 1 changed, 0 only in -, 1 only in +
";
        assert_eq!(d.report, expected);
    }

    #[test]
    fn the_same() {
        let a = "100 fork() = 101\n101 getpid() = 101\n100 wait4(101, NULL, 0, NULL) = 101\n";
        let b = "7 fork() = 9\n7 wait4(9, NULL, 0, NULL) = 9\n9 getpid() = 9\n";
        let d = compare(["a", "b"], [a, b]).expect("traces");
        assert!(d.is_empty() && d.equal == 3, "{}", d.report);
        assert_eq!(compare(["a", "b"], ["x y", a]), Err("'a' is not a trace: line 1: no line of a trace".into()));
    }
}

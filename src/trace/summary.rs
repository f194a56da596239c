//! `-c`: how often each call was made, how long that took, how often it failed.

use super::condition::{End, Seen, Verdict};
use super::histogram::Histogram;
use super::{Call, Options, Sink, Start, View};
use crate::abi::Errno;
use crate::kernel::{Event, Kernel, Tid};
use crate::mem::Space;
use crate::syscalls::ENTRIES;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

/// A column of the table, and what it may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Share of the whole time.
    TimePercent,
    /// Time of all calls together.
    TotalTime,
    /// Time of the shortest.
    MinTime,
    /// Time of the longest.
    MaxTime,
    /// Time of one on average.
    AvgTime,
    /// How many.
    Calls,
    /// How many failed.
    Errors,
    /// Guest instructions that led to all calls: those that threads have retired since their calls before.
    Instructions,
    /// The same for one call on average.
    AvgInstructions,
    /// The call's name.
    Name,
}

impl Column {
    /// The column that strace calls so (`-U`).
    pub fn from_name(name: &str) -> Option<Column> {
        Some(match name {
            "time-percent" | "time_percent" | "time" => Column::TimePercent,
            "total-time" | "total_time" => Column::TotalTime,
            "min-time" | "min_time" | "shortest" => Column::MinTime,
            "max-time" | "max_time" | "longest" => Column::MaxTime,
            "avg-time" | "avg_time" => Column::AvgTime,
            "calls" | "count" => Column::Calls,
            "errors" | "error" => Column::Errors,
            "instructions" => Column::Instructions,
            "avg-instructions" | "avg_instructions" => Column::AvgInstructions,
            "name" | "syscall" | "syscall-name" | "syscall_name" => Column::Name,
            _ => return None,
        })
    }

    fn head(self) -> (&'static str, usize) {
        match self {
            Column::TimePercent => ("% time", 6),
            Column::TotalTime => ("seconds", 11),
            Column::MinTime => ("shortest", 8),
            Column::MaxTime => ("longest", 8),
            Column::AvgTime => ("usecs/call", 11),
            Column::Calls => ("calls", 9),
            Column::Errors => ("errors", 9),
            Column::Instructions => ("instructions", 14),
            Column::AvgInstructions => ("instrs/call", 11),
            Column::Name => ("syscall", 16),
        }
    }
}

/// How the table is made.
#[derive(Clone, Debug)]
pub struct SummaryOptions {
    /// Its columns, in order (`-U`).
    pub columns: Vec<Column>,
    /// What it is sorted by; `None`: the order of the system call numbers (`-S`).
    pub sort: Option<Column>,
    /// Waiting counts as well as working (`-w`).
    pub with_waiting: bool,
    /// Nanoseconds taken off each call (`-O`).
    pub overhead_ns: u64,
    /// How long calls took is shown by powers of two, below the table (`--histogram`).
    pub histogram: bool,
}

impl Default for SummaryOptions {
    fn default() -> SummaryOptions {
        use Column::*;
        SummaryOptions {
            columns: vec![TimePercent, TotalTime, AvgTime, Calls, Errors, Name],
            sort: Some(TotalTime),
            with_waiting: false,
            overhead_ns: 0,
            histogram: false,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    calls: u64,
    errors: u64,
    total_ns: u64,
    min_ns: u64,
    max_ns: u64,
    instructions: u64,
}

impl Row {
    /// Adds calls of the same name.
    fn merge(&mut self, other: &Row) {
        self.min_ns = if self.calls == 0 { other.min_ns } else { self.min_ns.min(other.min_ns) };
        self.max_ns = self.max_ns.max(other.max_ns);
        self.calls += other.calls;
        self.errors += other.errors;
        self.total_ns += other.total_ns;
        self.instructions += other.instructions;
    }
}

/// A call that is being made.
#[derive(Clone, Copy)]
struct Begun {
    /// When it began, or went on after its last wait.
    since_ns: u64,
    /// Time up to then that counts.
    spent_ns: u64,
    /// When it began, whatever it waited for since.
    entered_ns: u64,
    /// Instructions since the thread's call before.
    instructions: u64,
    /// What `-e where=` has seen of it, while its end still decides.
    seen: Option<Seen>,
}

/// The sink that counts.
pub struct Summary {
    options: Options,
    how: SummaryOptions,
    writer: Box<dyn Write>,
    rows: Vec<Row>,
    histograms: BTreeMap<usize, Histogram>,
    begun: BTreeMap<Tid, Begun>,
    /// What each thread had retired at its last call.
    retired: BTreeMap<Tid, u64>,
    first: Option<Tid>,
}

impl Summary {
    /// Counts the calls that `options` select, and writes the table to `writer` at the end.
    pub fn new(options: Options, how: SummaryOptions, writer: Box<dyn Write>) -> Summary {
        Summary {
            options,
            how,
            writer,
            rows: vec![Row::default(); ENTRIES.len()],
            histograms: BTreeMap::new(),
            begun: BTreeMap::new(),
            retired: BTreeMap::new(),
            first: None,
        }
    }

    fn spend(&mut self, tid: Tid, now_ns: u64) {
        if let Some(begun) = self.begun.get_mut(&tid) {
            begun.spent_ns += now_ns.saturating_sub(begun.since_ns);
            begun.since_ns = now_ns;
        }
    }

    fn count(&mut self, index: usize, spent_ns: u64, failed: u64) {
        let Some(row) = self.rows.get_mut(index) else { return };
        let spent_ns = spent_ns.saturating_sub(self.how.overhead_ns);
        row.min_ns = if row.calls == 0 { spent_ns } else { row.min_ns.min(spent_ns) };
        row.max_ns = row.max_ns.max(spent_ns);
        row.calls += 1;
        row.errors += failed;
        row.total_ns += spent_ns;
        if self.how.histogram {
            self.histograms.entry(index).or_default().add(spent_ns);
        }
    }

    /// Whether a call that begins is counted, if it may be.
    fn judge(&self, space: &Space, kernel: Option<&Kernel>, call: &Call) -> Option<Verdict> {
        let followed = self.options.follow || self.first.is_none_or(|first| first == call.tid);
        if !followed || !self.wants(call.index) {
            return None;
        }
        Some(self.options.begins(space, kernel, call)).filter(|v| *v != Verdict::No)
    }

    /// The histograms, in the order of the calls' numbers.
    fn distributions(&self) -> String {
        let mut by_name: Vec<(&str, Histogram)> = Vec::new();
        for (index, histogram) in &self.histograms {
            let name = ENTRIES[*index].name;
            match by_name.iter_mut().find(|(n, _)| *n == name) {
                Some((_, sum)) => sum.merge(histogram),
                None => by_name.push((name, histogram.clone())),
            }
        }
        let mut out = String::new();
        by_name.iter().for_each(|(name, histogram)| histogram.print(&mut out, name));
        out
    }

    /// The table.
    fn table(&self) -> String {
        // Calls of one name are one row, whatever the order of their arguments.
        let mut rows: Vec<(&str, Row)> = Vec::new();
        for (entry, row) in ENTRIES.iter().zip(&self.rows).filter(|(_, row)| row.calls > 0) {
            match rows.iter_mut().find(|(name, _)| *name == entry.name) {
                Some((_, sum)) => sum.merge(row),
                None => rows.push((entry.name, *row)),
            }
        }
        let descending = |key: fn(&Row) -> u64, rows: &mut Vec<(&str, Row)>| {
            rows.sort_by_key(|(_, row)| std::cmp::Reverse(key(row)));
        };
        match self.how.sort {
            None => {}
            Some(Column::Name) => rows.sort_by_key(|(name, _)| *name),
            Some(Column::Calls) => descending(|r| r.calls, &mut rows),
            Some(Column::Errors) => descending(|r| r.errors, &mut rows),
            Some(Column::MinTime) => descending(|r| r.min_ns, &mut rows),
            Some(Column::MaxTime) => descending(|r| r.max_ns, &mut rows),
            Some(Column::Instructions) => descending(|r| r.instructions, &mut rows),
            Some(Column::AvgInstructions) => descending(|r| r.instructions / r.calls.max(1), &mut rows),
            Some(Column::AvgTime) => descending(|r| r.total_ns / r.calls.max(1), &mut rows),
            Some(Column::TotalTime | Column::TimePercent) => descending(|r| r.total_ns, &mut rows),
        }
        let mut total = Row::default();
        rows.iter().for_each(|(_, row)| total.merge(row));
        let mut out = String::new();
        self.line(&mut out, |c| c.head().0.to_string());
        let rule = |out: &mut String| self.line(out, |c| "-".repeat(c.head().1));
        rule(&mut out);
        for (name, row) in &rows {
            self.line(&mut out, |c| cell(c, name, row, row.total_ns, total.total_ns));
        }
        rule(&mut out);
        self.line(&mut out, |c| match c {
            Column::TimePercent => "100.00".to_string(),
            c => cell(c, "total", &total, total.total_ns, total.total_ns),
        });
        out
    }

    /// One line; the last column is as wide as what stands in it, names stand at the left.
    fn line(&self, out: &mut String, cell: impl Fn(Column) -> String) {
        for (i, column) in self.how.columns.iter().enumerate() {
            let (text, (_, width)) = (cell(*column), column.head());
            if i > 0 {
                out.push(' ');
            }
            // Writing to a string cannot fail.
            let _ = match column {
                Column::Name if i + 1 == self.how.columns.len() => write!(out, "{text}"),
                Column::Name => write!(out, "{text:<width$}"),
                _ => write!(out, "{text:>width$}"),
            };
        }
        out.push('\n');
    }
}

fn cell(column: Column, name: &str, row: &Row, part_ns: u64, whole_ns: u64) -> String {
    let seconds = |ns: u64| format!("{}.{:06}", ns / 1_000_000_000, ns % 1_000_000_000 / 1000);
    match column {
        Column::TimePercent if whole_ns == 0 => "0.00".to_string(),
        Column::TimePercent => format!("{:.2}", 100.0 * part_ns as f64 / whole_ns as f64),
        Column::TotalTime => seconds(row.total_ns),
        Column::MinTime => seconds(row.min_ns),
        Column::MaxTime => seconds(row.max_ns),
        Column::AvgTime => (row.total_ns / 1000 / row.calls.max(1)).to_string(),
        Column::Calls => row.calls.to_string(),
        Column::Errors if row.errors == 0 => String::new(),
        Column::Errors => row.errors.to_string(),
        Column::Instructions => row.instructions.to_string(),
        Column::AvgInstructions => (row.instructions / row.calls.max(1)).to_string(),
        Column::Name => name.to_string(),
    }
}

impl Sink for Summary {
    fn wants(&self, index: Option<usize>) -> bool {
        // Numbers that Linux does not have are not counted, as with strace.
        index.is_some() && self.options.wants(index)
    }

    fn considers(&mut self, space: &Space, kernel: &Kernel, call: &Call) -> bool {
        self.judge(space, Some(kernel), call).is_some()
    }

    fn start(&mut self, start: &Start<'_>) {
        self.first = Some(start.tid);
        let execve = crate::syscalls::by_name(start.arch, "execve")
            .and_then(|e| e.number(start.arch))
            .and_then(|nr| crate::syscalls::lookup(start.arch, u64::from(nr)));
        if let Some(index) = execve.filter(|i| self.wants(Some(*i)))
            && self.options.paths.is_empty()
            && self.options.condition.as_ref().is_none_or(|c| c.admits_start(index, start))
        {
            self.count(index, 0, 0);
        }
    }

    fn enter(&mut self, view: &View<'_>, call: &Call) {
        let Some(verdict) = self.judge(view.space, view.kernel, call) else { return };
        let seen = match verdict {
            Verdict::Later(seen) => Some(seen),
            Verdict::Yes | Verdict::No => None,
        };
        let retired = view.kernel.and_then(|k| k.threads.get(&call.tid)).map_or(0, |t| t.retired);
        let before = self.retired.insert(call.tid, retired).unwrap_or(0);
        let instructions = retired.saturating_sub(before);
        let (since_ns, entered_ns) = (view.now_ns, view.now_ns);
        self.begun.insert(call.tid, Begun { since_ns, spent_ns: 0, entered_ns, instructions, seen });
    }

    fn blocked(&mut self, view: &View<'_>, call: &Call) {
        self.spend(call.tid, view.now_ns);
    }

    fn resumed(&mut self, view: &View<'_>, call: &Call) {
        match self.begun.get_mut(&call.tid) {
            Some(begun) if !self.how.with_waiting => begun.since_ns = view.now_ns,
            _ => {}
        }
    }

    fn exit(&mut self, view: &View<'_>, call: &Call, result: Option<Result<u64, Errno>>) {
        self.spend(call.tid, view.now_ns);
        let (Some(begun), Some(index)) = (self.begun.remove(&call.tid), call.index) else { return };
        // However it ends; what does not return is not counted, as with strace.
        let end = End { result, duration_ns: view.now_ns.saturating_sub(begun.entered_ns) };
        if let Some(result) = result
            && self.options.ends(call, begun.seen, end)
        {
            self.rows[index].instructions += begun.instructions;
            self.count(index, begun.spent_ns, u64::from(result.is_err()));
        }
    }

    fn event(&mut self, _now_ns: u64, event: &Event) {
        if let Event::ThreadExited { tid, .. } | Event::Exited { pid: tid, .. } = event {
            self.retired.remove(tid);
            self.begun.remove(tid);
        }
    }

    fn finish(&mut self) -> Result<(), crate::Error> {
        if self.rows.iter().all(|row| row.calls == 0) {
            return Ok(());
        }
        let table = self.table() + &self.distributions();
        self.writer
            .write_all(table.as_bytes())
            .and_then(|()| self.writer.flush())
            .map_err(|source| crate::Error::Host { what: "writing the summary".to_string(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns and rules as strace 6.1 prints them.
    #[test]
    fn table() {
        let mut summary = Summary::new(Options::default(), SummaryOptions::default(), Box::new(std::io::sink()));
        let index = |name| ENTRIES.iter().position(|e| e.name == name).expect("a call");
        summary.count(index("close"), 4_000, 1);
        summary.count(index("getppid"), 9_000, 0);
        summary.count(index("getppid"), 7_000, 0);
        let expected = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 80.00    0.000016           8         2           getppid
 20.00    0.000004           4         1         1 close
------ ----------- ----------- --------- --------- ----------------
100.00    0.000020           6         3         1 total
";
        assert_eq!(summary.table(), expected);
    }
}

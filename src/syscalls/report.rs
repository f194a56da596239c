//! The table as people read it: what `sevm syscalls` prints and `docs/SYSCALLS.md` holds.

use super::{ENTRIES, Entry, Level};
use crate::arch::Arch;
use std::fmt::Write as _;
use std::str::FromStr;

/// How the table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table,
    /// Markdown, as in `docs/SYSCALLS.md`.
    Markdown,
    /// Comma-separated values with a header line (RFC 4180).
    Csv,
    /// A JSON array of objects.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(s: &str) -> Result<Format, String> {
        match s {
            "table" => Ok(Format::Table),
            "md" => Ok(Format::Markdown),
            "csv" => Ok(Format::Csv),
            "json" => Ok(Format::Json),
            _ => Err(format!("unknown format '{s}' (table, md, csv, json)")),
        }
    }
}

/// A line of the report: a call, which may stand on two lines of the table when its arguments differ.
#[derive(serde::Serialize)]
struct Row {
    name: &'static str,
    x86_64: Option<u16>,
    aarch64: Option<u16>,
    classes: Vec<&'static str>,
    level: &'static str,
    note: String,
}

/// How many calls of an architecture there are: fully and partly carried out, and all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Complete.
    pub full: usize,
    /// With exceptions.
    pub partial: usize,
    /// Of so many.
    pub all: usize,
}

impl Coverage {
    /// What the table says about `arch`.
    pub fn of(arch: Arch) -> Coverage {
        let mut c = Coverage::default();
        for e in ENTRIES.iter().filter(|e| e.number(arch).is_some()) {
            c.all += 1;
            match e.level {
                Level::Full => c.full += 1,
                Level::Partial => c.partial += 1,
                Level::None(_) => {}
            }
        }
        c
    }

    /// Calls carried out at all.
    pub fn implemented(self) -> usize {
        self.full + self.partial
    }
}

fn row(e: &Entry) -> Row {
    let (level, note) = match e.level {
        Level::Full => ("full", e.note.to_string()),
        Level::Partial => ("partial", e.note.to_string()),
        Level::None(errno) => {
            let name = errno.name().unwrap_or("?");
            ("none", if e.note.is_empty() { name.to_string() } else { format!("{name}: {}", e.note) })
        }
    };
    Row { name: e.name, x86_64: e.nr[0], aarch64: e.nr[1], classes: e.classes.to_vec(), level, note }
}

/// The calls of `arch`, or of both, by name.
fn rows(arch: Option<Arch>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for e in ENTRIES.iter().filter(|e| arch.is_none_or(|a| e.number(a).is_some())) {
        match rows.iter_mut().find(|r| r.name == e.name) {
            Some(r) => {
                r.x86_64 = r.x86_64.or(e.nr[0]);
                r.aarch64 = r.aarch64.or(e.nr[1]);
            }
            None => rows.push(row(e)),
        }
    }
    rows.sort_by_key(|r| r.name);
    rows
}

fn number(n: Option<u16>) -> String {
    n.map_or("-".into(), |n| n.to_string())
}

/// The report in one string.
///
/// # Errors
/// JSON that cannot be written, which does not happen.
pub fn render(arch: Option<Arch>, format: Format) -> Result<String, crate::Error> {
    let rows = rows(arch);
    match format {
        Format::Table => Ok(table(&rows, arch)),
        Format::Markdown => Ok(markdown(&rows, arch)),
        Format::Csv => Ok(csv(&rows, arch)),
        Format::Json => {
            serde_json::to_string_pretty(&rows).map(|s| s + "\n").map_err(|e| crate::Error::Usage(e.to_string()))
        }
    }
}

/// The columns of a row, in the order of [`header`].
fn columns(r: &Row, arch: Option<Arch>) -> Vec<String> {
    let mut c = vec![r.name.to_string()];
    if arch != Some(Arch::Aarch64) {
        c.push(number(r.x86_64));
    }
    if arch != Some(Arch::X86_64) {
        c.push(number(r.aarch64));
    }
    c.extend([
        r.classes.iter().map(|c| format!("%{c}")).collect::<Vec<_>>().join(" "),
        r.level.to_string(),
        r.note.clone(),
    ]);
    c
}

fn header(arch: Option<Arch>) -> Vec<&'static str> {
    let mut h = vec!["name"];
    h.extend(Arch::ALL.iter().filter(|a| arch.is_none_or(|x| x == **a)).map(|a| a.name()));
    h.extend(["classes", "level", "note"]);
    h
}

fn summary(arch: Option<Arch>) -> String {
    let mut s = String::new();
    for a in Arch::ALL.into_iter().filter(|a| arch.is_none_or(|x| x == *a)) {
        let c = Coverage::of(a);
        let rest = c.all - c.implemented();
        let _ = writeln!(s, "{a}: {} calls: {} full, {} partial, {rest} none", c.all, c.full, c.partial);
    }
    s
}

fn table(rows: &[Row], arch: Option<Arch>) -> String {
    let lines: Vec<Vec<String>> = std::iter::once(header(arch).into_iter().map(String::from).collect())
        .chain(rows.iter().map(|r| columns(r, arch)))
        .collect();
    let width = |i: usize| lines.iter().map(|l| l[i].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut s = String::new();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        let _ = writeln!(s, "{}", text.trim_end());
    }
    s.push('\n');
    s.push_str(&summary(arch));
    s
}

fn markdown(rows: &[Row], arch: Option<Arch>) -> String {
    let mut s = String::from(
        "# System calls\n\nMade from `syscall-tables/linux.tbl` by `sevm syscalls --format md`; do not edit. `full` is all \
         that Linux does, `partial` is all but what the note says, `none` answers with the error that the note names.\n\n",
    );
    for line in summary(arch).lines() {
        let _ = writeln!(s, "- {line}");
    }
    let header = header(arch);
    let _ = writeln!(s, "\n| {} |", header.join(" | "));
    let _ = writeln!(s, "|{}", " --- |".repeat(header.len()));
    for r in rows {
        let cells: Vec<String> = columns(r, arch).iter().map(|c| c.replace('|', "\\|")).collect();
        let _ = writeln!(s, "| {} |", cells.join(" | "));
    }
    s
}

fn csv(rows: &[Row], arch: Option<Arch>) -> String {
    let quote = |c: &String| {
        if c.contains([',', '"', '\n']) { format!("\"{}\"", c.replace('"', "\"\"")) } else { c.clone() }
    };
    let mut s = header(arch).join(",") + "\n";
    for r in rows {
        let cells: Vec<String> = columns(r, arch).iter().map(quote).collect();
        let _ = writeln!(s, "{}", cells.join(","));
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_every_call() {
        for arch in [None, Some(Arch::X86_64), Some(Arch::Aarch64)] {
            let names = rows(arch).len();
            let lines = |f| render(arch, f).expect("renders").lines().count();
            assert_eq!(lines(Format::Csv), names + 1);
            assert!(lines(Format::Table) > names && lines(Format::Markdown) > names);
            let json: serde_json::Value =
                serde_json::from_str(&render(arch, Format::Json).expect("renders")).expect("is JSON");
            assert_eq!(json.as_array().map(Vec::len), Some(names));
        }
        assert!(render(Some(Arch::Aarch64), Format::Csv).expect("renders").lines().all(|l| !l.starts_with("open,")));
    }
}

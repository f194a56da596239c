//! `sevm trace` for programs: JSON Lines against their schema, trace events against the rules of their format; what
//! `-e where=` lets through; histograms.

#[path = "common/mod.rs"]
mod common;

use common::{SEVM, schema};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

/// Programs beside the comparison with strace, which together make most kinds of records.
const PROGRAMS: &[&str] = &["files", "memory", "mistakes", "moves", "signals", "times", "family"];

/// A folder with programs built in it; nothing where no static program can be built.
struct Built(tempfile::TempDir);

impl Built {
    fn new(names: &[&str]) -> Option<Built> {
        let dir = tempfile::tempdir().expect("temporary folder");
        for name in names {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strace").join(format!("{name}.c"));
            let program = dir.path().join(name);
            let built = Command::new("gcc").args(["-static", "-O1", "-w", "-o"]).arg(&program).arg(source).status();
            if !built.is_ok_and(|s| s.success()) {
                assert!(!common::in_ci(), "gcc -static does not work");
                eprintln!("left out: gcc -static does not work here");
                return None;
            }
        }
        Some(Built(dir))
    }

    /// The trace of `sevm trace OPTIONS -o FILE PROGRAM`, run in a fresh folder.
    fn to_file(&self, options: &[&str], name: &str) -> String {
        let work = tempfile::tempdir_in(self.0.path()).expect("temporary folder");
        std::fs::write(work.path().join("f"), "banana\napple\ncherry\n").expect("file");
        let log = self.0.path().join("log");
        let ran = Command::new(SEVM)
            .arg("trace")
            .args(common::cpu_option())
            .arg("-o")
            .arg(&log)
            .args(options)
            .arg(self.0.path().join(name))
            .current_dir(work.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        ran.expect("sevm runs");
        std::fs::read_to_string(log).expect("a trace")
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

fn the_schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/trace.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the schema")).expect("JSON")
}

fn text<'a>(record: &'a Value, member: &str) -> &'a str {
    record[member].as_str().unwrap_or_default()
}

#[test]
fn json_fits_its_schema() {
    let Some(built) = Built::new(PROGRAMS) else { return };
    let schema = the_schema();
    let mut kinds = BTreeSet::new();
    for options in [&["-f"][..], &["-f", "-v", "-xx", "-y", "-Y"], &["-f", "-e", "raw=all"], &["--deterministic"]] {
        for name in PROGRAMS {
            let mut all = vec!["--format", "json"];
            all.extend(options);
            let trace = built.to_file(&all, name);
            for record in lines(&trace) {
                kinds.insert(text(&record, "type").to_string());
                schema::check(&schema, &record).unwrap_or_else(|e| panic!("{name} {options:?}: {e}\n{record}"));
            }
        }
    }
    for kind in ["start", "call", "created", "signal", "exit"] {
        assert!(kinds.contains(kind), "no record of {kind}");
    }
}

/// The validator finds what is wrong.
#[test]
fn schema_refuses() {
    let schema = the_schema();
    let good = r#"{"type":"exit","time":5,"tid":1000,"code":0}"#;
    let check = |text: &str| schema::check(&schema, &serde_json::from_str(text).expect("JSON"));
    assert_eq!(check(good), Ok(()));
    for (from, to) in [
        ("exit", "exot"),
        ("5", "-5"),
        ("5", "5.5"),
        (",\"code\":0", ""),
        ("0}", "0,\"more\":1}"),
        ("1000", "\"1000\""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(check(&bad).is_err(), "{bad}");
    }
}

/// JSON tells the same calls as the text, in the order of their ends, with the values that the text shows.
#[test]
fn json_says_what_the_text_says() {
    let Some(built) = Built::new(&["files", "moves"]) else { return };
    for name in ["files", "moves"] {
        let text_lines = built.to_file(&["--deterministic"], name);
        let records = lines(&built.to_file(&["--deterministic", "--format", "json"], name));
        let calls: Vec<&Value> = records.iter().filter(|r| r["type"] == "call").collect();
        // execve of the program itself is the start record; what is not a call has no parenthesis behind its name.
        let is_call = |l: &&str| l.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let expected: Vec<&str> = text_lines.lines().filter(is_call).skip(1).collect();
        assert_eq!(calls.len(), expected.len(), "{name}");
        for (call, line) in calls.iter().zip(expected) {
            let args = call["args"].as_array().expect("arguments");
            let clone = text(call, "name") == "clone";
            let shown = |a: &Value| match clone {
                true => format!("{}={}", text(a, "name"), text(a, "value")),
                false => text(a, "value").to_string(),
            };
            let args: Vec<String> = args.iter().map(shown).collect();
            let result = if call["result"].is_null() { "?" } else { text(&call["result"], "text") };
            let told = format!("{}({})", text(call, "name"), args.join(", "));
            assert!(line.starts_with(&told) && line.ends_with(&format!("= {result}")), "{told} = {result}\n{line}");
        }
    }
}

#[test]
fn json_names_registers() {
    let Some(built) = Built::new(&["files"]) else { return };
    let records = lines(&built.to_file(&["--format", "json"], "files"));
    assert_eq!(records[0]["type"], "start");
    let open = records.iter().find(|r| r["name"] == "openat" && r["result"]["raw"].is_string()).expect("an openat");
    assert_eq!(open["args"][0], serde_json::json!({"name": "dirfd", "raw": "0xffffff9c", "value": "AT_FDCWD"}));
    let raw = text(&open["args"][2], "raw");
    assert!(u64::from_str_radix(&raw[2..], 16).is_ok() && text(&open["args"][2], "value").starts_with("O_"), "{open}");
    let end = records.last().expect("records");
    assert_eq!((&end["type"], &end["code"]), (&"exit".into(), &0.into()));
    let total: u64 = records.iter().filter_map(|r| r["instructions"].as_u64()).sum();
    assert!(total > 1000, "{total} instructions");
}

/// The rules of the trace-event format ("Trace Event Format", Google), as far as our events use it.
fn check_events(file: &Value) -> BTreeMap<String, usize> {
    let events = file["traceEvents"].as_array().expect("traceEvents is a list");
    assert!(matches!(text(file, "displayTimeUnit"), "ms" | "ns"));
    let mut phases = BTreeMap::new();
    let mut open: BTreeMap<(i64, i64), Vec<(f64, f64)>> = BTreeMap::new();
    for event in events {
        let phase = text(event, "ph");
        *phases.entry(phase.to_string()).or_insert(0) += 1;
        let ids = (event["pid"].as_i64().expect("pid"), event["tid"].as_i64().expect("tid"));
        assert!(!text(event, "name").is_empty(), "{event}");
        match phase {
            "M" => {
                assert!(matches!(text(event, "name"), "process_name" | "thread_name"), "{event}");
                assert!(!text(&event["args"], "name").is_empty(), "{event}");
                continue;
            }
            "i" => assert!(matches!(text(event, "s"), "g" | "p" | "t"), "{event}"),
            "X" => {
                let (ts, dur) = (event["ts"].as_f64().expect("ts"), event["dur"].as_f64().expect("dur"));
                assert!(dur >= 0.0, "{event}");
                open.entry(ids).or_default().push((ts, ts + dur));
            }
            _ => panic!("unknown phase: {event}"),
        }
        assert!(event["ts"].as_f64().is_some_and(|ts| ts >= 0.0), "{event}");
        assert!(!text(event, "cat").is_empty(), "{event}");
        assert!(event.get("args").is_none_or(Value::is_object), "{event}");
    }
    // Complete events of one thread lie one behind the other, or one within the other.
    for (ids, mut spans) in open {
        spans.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut around: Vec<f64> = Vec::new();
        for (from, to) in spans {
            while around.last().is_some_and(|end| *end <= from) {
                around.pop();
            }
            assert!(around.last().is_none_or(|end| to <= *end), "events of {ids:?} overlap at {from}");
            around.push(to);
        }
    }
    phases
}

#[test]
fn perfetto_keeps_the_rules() {
    let Some(built) = Built::new(PROGRAMS) else { return };
    for name in PROGRAMS {
        for options in
            [&["-f", "--format", "perfetto"][..], &["--deterministic", "--format=perfetto", "-e", "trace=%file"]]
        {
            let file: Value = serde_json::from_str(&built.to_file(options, name)).expect("JSON");
            let phases = check_events(&file);
            assert!(phases.get("M").is_some_and(|n| *n >= 2), "{name}: {phases:?}");
            let clock = if options.contains(&"--deterministic") { "virtual" } else { "host" };
            assert_eq!(text(&file["otherData"], "clock"), clock);
            if options[0] == "-f" {
                assert!(phases["X"] > 5 && phases["i"] >= 1, "{name}: {phases:?}");
            }
        }
    }
}

/// `-e where=EXPR` shows exactly those lines that hold what it asks for.
#[test]
fn conditions() {
    let Some(built) = Built::new(&["files", "moves"]) else { return };
    let calls = |options: &[&str], name: &str| -> Vec<String> {
        let mut all = vec!["--deterministic", "-e", "signal=none", "-e", "quiet=exit"];
        all.extend(options);
        built.to_file(&all, name).lines().map(String::from).collect()
    };
    for name in ["files", "moves"] {
        let everything = calls(&[], name);
        type Shown<'a> = &'a dyn Fn(&str) -> bool;
        let cases: &[(&str, Shown)] = &[
            ("errno == ENOENT", &|l| l.contains(" = -1 ENOENT ")),
            ("errno", &|l| l.contains(" = -1 E")),
            ("name =~ '^(read|write)$'", &|l| l.starts_with("read(") || l.starts_with("write(")),
            ("name == \"read\" && result == 0", &|l| l.starts_with("read(") && l.ends_with(" = 0")),
            ("dirfd == AT_FDCWD and flags & O_CREAT", &|l| l.contains("(AT_FDCWD") && l.contains("O_CREAT")),
            ("fd >= 3 && name == 'close'", &|l| l.starts_with("close(") && !l.starts_with("close(-1")),
            ("not (errno or result >= 0)", &|l| l.contains(" = ?") || l.contains("= -")),
            ("pid == 0", &|_| false),
        ];
        for (condition, holds) in cases {
            let shown = calls(&["-e", &format!("where={condition}")], name);
            let expected: Vec<&String> = everything.iter().filter(|l| holds(l)).collect();
            if *condition != "not (errno or result >= 0)" {
                assert_eq!(shown.iter().collect::<Vec<_>>(), expected, "{name}: {condition}");
            }
        }
        assert!(!calls(&["-e", "where=errno"], name).is_empty(), "{name}: no call fails");
        // Records and statistics are filtered the same way.
        let failing = calls(&["-e", "where=errno"], name);
        let failed = failing.len();
        // Numbers that Linux does not have are in no table.
        let counted = failing.iter().filter(|l| !l.starts_with("syscall_")).count();
        let records = lines(&built.to_file(&["--deterministic", "--format=json", "-e", "where=errno"], name));
        assert_eq!(records.iter().filter(|r| r["type"] == "call").count(), failed, "{name}");
        let table = built.to_file(&["--deterministic", "-c", "-U", "calls,name", "-e", "where=errno"], name);
        let total = table.lines().last().and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok());
        assert_eq!(total, Some(counted), "{name}:\n{table}");
    }
    let path = calls(&["-e", "where=path =~ '^f$'"], "moves");
    assert!(path.iter().any(|l| l.starts_with("openat(AT_FDCWD, \"f\"")) && path.len() < 30, "{path:?}");
}

#[test]
fn histograms_count_what_the_table_counts() {
    let Some(built) = Built::new(&["files"]) else { return };
    let out = built.to_file(&["-c", "--histogram", "-U", "calls,instructions,avg-instructions,name"], "files");
    let (table, histograms) = out.split_once("\nsyscall = ").expect("a histogram");
    let rows: BTreeMap<&str, u64> = table
        .lines()
        .skip(2)
        .filter_map(|l| {
            let words: Vec<&str> = l.split_whitespace().collect();
            Some((*words.last()?, words.first()?.parse().ok()?))
        })
        .collect();
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for part in histograms.split("\nsyscall = ") {
        let (name, body) = part.split_once('\n').expect("a title");
        let count = |l: &str| l.split(": ").nth(1)?.split_whitespace().next()?.parse::<u64>().ok();
        sums.insert(name, body.lines().filter_map(count).sum());
        assert!(body.lines().any(|l| l.ends_with(&format!("|{}|", "*".repeat(40)))), "{part}");
    }
    assert!(sums.len() > 5);
    for (name, sum) in &sums {
        assert_eq!(rows.get(name), Some(sum), "{name}");
    }
    let total = table.lines().last().expect("a total");
    assert!(total.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n > 1000), "{total}");
}

/// Wrong options: a message of one line, perhaps a hint, and exit status 1.
#[test]
fn mistakes() {
    for (options, message) in [
        (&["--format=xml", "x"][..], "invalid --format argument: 'xml'"),
        (&["--format=json", "-c", "x"], "(-c/--summary-only or -C/--summary) and --format are mutually exclusive"),
        (
            &["--format=perfetto", "-ff", "-o", "l", "x"],
            "(-ff/--output-separately) and --format are mutually exclusive",
        ),
        (&["-e", "where=fd ==", "x"], "invalid where argument 'fd ==': expected a value and found the end at column 6"),
        (&["--where", "nosuch > 1", "x"], "invalid where argument 'nosuch > 1': unknown name 'nosuch' at column 1"),
        (&["--histogram", "x"], "--histogram must be given with (-c/--summary-only or -C/--summary)"),
    ] {
        let out = Command::new(SEVM).arg("trace").args(options).output().expect("sevm runs");
        assert_eq!(out.status.code(), Some(1), "{options:?}");
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(stderr.lines().next(), Some(format!("sevm: {message}").as_str()), "{options:?}");
    }
}

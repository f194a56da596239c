//! Reads a trace: strace's text, our own included, or JSON Lines of `--format json`.

use serde_json::Value;
use std::collections::BTreeMap;

/// A call or anything else that a trace tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A call that is done, or never will be.
    Call { name: String, args: Vec<String>, result: String },
    /// A signal or an end, as strace's text has it.
    Other(String),
    /// Something that is not compared.
    Nothing,
}

/// A record and the thread it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub tid: i64,
    pub record: Record,
}

/// Reads all of a trace; whatever it is, the first character tells.
///
/// # Errors
/// The first line that is neither, and its number.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, String> {
    if text.trim_start().starts_with('{') { json(text) } else { lines(text) }
}

fn json(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|e| format!("line {}: {e}", number + 1))?;
        let record = of_json(&value).ok_or_else(|| format!("line {}: no record of a trace", number + 1))?;
        entries.push(Entry { tid: value["tid"].as_i64().unwrap_or(0), record });
    }
    Ok(entries)
}

fn of_json(value: &Value) -> Option<Record> {
    let text = |member: &str| value[member].as_str().map(String::from);
    Some(match value["type"].as_str()? {
        "call" => {
            let name = text("name")?;
            // clone(2) is written with the names of its arguments.
            let named = name == "clone";
            let arg = |a: &Value| match (a["name"].as_str(), a["value"].as_str()) {
                (Some(name), Some(value)) if named => Some(format!("{name}={value}")),
                (_, value) => value.map(String::from),
            };
            let args = value["args"].as_array()?.iter().map(arg).collect::<Option<Vec<_>>>()?;
            let mut result = value["result"]["text"].as_str().unwrap_or("?").to_string();
            if let Some(mark) = value["mark"].as_str() {
                result.push_str(&format!(" ({mark})"));
            }
            Record::Call { name, args, result }
        }
        "signal" => Record::Other(format!("--- {} {} ---", text("signal")?, text("siginfo")?)),
        "stopped" => Record::Other(format!("--- stopped by {} ---", text("signal")?)),
        "exit" | "thread-exit" => Record::Other(match (value["code"].as_i64(), value["signal"].as_str()) {
            (Some(code), _) => format!("+++ exited with {code} +++"),
            (None, Some(signal)) if value["core"] == true => format!("+++ killed by {signal} (core dumped) +++"),
            (None, signal) => format!("+++ killed by {} +++", signal?),
        }),
        _ => Record::Nothing,
    })
}

fn lines(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    let mut unfinished: BTreeMap<i64, String> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let (tid, rest) = prefix(line);
        if rest.trim().is_empty() || rest.starts_with("strace: ") || rest.starts_with("sevm: ") {
            continue;
        }
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(tid, begun.to_string());
            continue;
        }
        let resumed = rest.strip_prefix("<... ").and_then(|r| r.split_once(" resumed>"));
        let whole = match resumed {
            Some((_, end)) => {
                let begun = unfinished.remove(&tid).unwrap_or_default();
                format!(
                    "{}{}{}",
                    begun.trim_end(),
                    if begun.trim_end().ends_with(',') { " " } else { "" },
                    end.trim_start()
                )
            }
            None => rest.to_string(),
        };
        match of_text(&whole) {
            Some(record) => entries.push(Entry { tid, record }),
            // Dumps of data stand below their calls.
            None if rest.starts_with('|') => {}
            None => return Err(format!("line {}: no line of a trace", number + 1)),
        }
    }
    Ok(entries)
}

/// Splits off the thread, times, numbers and addresses in front of a line.
fn prefix(line: &str) -> (i64, &str) {
    let (mut rest, mut tid) = (line.trim_start(), 0);
    let mut first = true;
    loop {
        if rest.starts_with("+++ ") || rest.starts_with("--- ") || rest.starts_with("<... ") {
            return (tid, rest);
        }
        let taken = if let Some(inner) = rest.strip_prefix("[pid ") {
            let Some((id, after)) = inner.split_once(']') else { return (tid, rest) };
            tid = id.split('<').next().and_then(|n| n.trim().parse().ok()).unwrap_or(0);
            after
        } else if rest.starts_with(['[', '(']) {
            let close = if rest.starts_with('[') { ']' } else { ')' };
            let Some((_, after)) = rest.split_once(close) else { return (tid, rest) };
            after
        } else if rest.starts_with(|c: char| c.is_ascii_digit()) {
            let Some((word, after)) = rest.split_once(' ') else { return (tid, rest) };
            let id = word.split('<').next().unwrap_or_default();
            if first && let Ok(id) = id.parse() {
                tid = id;
            }
            after
        } else {
            return (tid, rest);
        };
        first = false;
        rest = taken.trim_start();
    }
}

fn of_text(line: &str) -> Option<Record> {
    if line.starts_with("+++ ") || line.starts_with("--- ") {
        return Some(Record::Other(line.to_string()));
    }
    let (name, rest) = line.split_once('(')?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return None;
    }
    let (args, rest) = arguments(rest)?;
    let result = rest.trim_start().strip_prefix("= ").or_else(|| rest.trim().strip_prefix('='));
    let result = result.unwrap_or("?").trim();
    // The time that the call took.
    let result = match result.rsplit_once(" <") {
        Some((before, time)) if time.trim_end_matches('>').parse::<f64>().is_ok() => before,
        _ => result,
    };
    Some(Record::Call { name: name.to_string(), args, result: result.to_string() })
}

/// Splits arguments at the commas between them; gives what stands behind the closing parenthesis too.
fn arguments(text: &str) -> Option<(Vec<String>, &str)> {
    let (mut args, mut depth, mut start) = (Vec::new(), 0usize, 0);
    let (mut quoted, mut comment) = (false, false);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let b = bytes[at];
        let pair = bytes.get(at..at + 2);
        if quoted {
            match b {
                b'\\' => at += 1,
                b'"' => quoted = false,
                _ => {}
            }
        } else if comment {
            comment = pair != Some(b"*/");
        } else if pair == Some(b"/*") {
            comment = true;
        } else {
            match b {
                b'"' => quoted = true,
                b'(' | b'[' | b'{' => depth += 1,
                b')' if depth == 0 => {
                    let last = text[start..at].trim();
                    if !last.is_empty() {
                        args.push(last.to_string());
                    }
                    return Some((args, &text[at + 1..]));
                }
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b',' if depth == 0 => {
                    args.push(text[start..at].trim().to_string());
                    start = at + 1;
                }
                _ => {}
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, args: &[&str], result: &str) -> Record {
        let args = args.iter().map(ToString::to_string).collect();
        Record::Call { name: name.into(), args, result: result.into() }
    }

    #[test]
    fn text() {
        let trace = "execve(\"./p\", [\"./p\", \"a,b)\"], 0x7ffe /* 3 vars, */) = 0 <0.000123>\n\
            1000  12:00:01.000001 wait4(-1,  <unfinished ...>\n\
            [pid  1001] 1795450764.374 [00007f0000001234] write(1, \"x\\\"\\n\", 3) = 3\n\
            [pid  1001] +++ exited with 3 +++\n\
            1000  <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 1001\n\
            exit_group(0)                           = ?\n\
            --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---\n";
        let entries = read(trace).expect("a trace");
        let of = |tid, record| Entry { tid, record };
        assert_eq!(
            entries,
            [
                of(0, call("execve", &["\"./p\"", "[\"./p\", \"a,b)\"]", "0x7ffe /* 3 vars, */"], "0")),
                of(1001, call("write", &["1", "\"x\\\"\\n\"", "3"], "3")),
                of(1001, Record::Other("+++ exited with 3 +++".into())),
                of(1000, call("wait4", &["-1", "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]", "0", "NULL"], "1001")),
                of(0, call("exit_group", &["0"], "?")),
                of(0, Record::Other("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---".into())),
            ]
        );
    }

    #[test]
    fn json_lines() {
        let trace = r#"{"type":"start","tid":7}
{"type":"call","tid":7,"name":"close","args":[{"name":"fd","value":"3"}],"result":{"text":"0"}}
{"type":"call","tid":7,"name":"exit_group","args":[{"name":"status","value":"0"}],"result":null}
{"type":"exit","tid":7,"code":0}"#;
        let entries = read(trace).expect("a trace");
        assert_eq!(entries[0].record, Record::Nothing);
        assert_eq!(entries[1].record, call("close", &["3"], "0"));
        assert_eq!(entries[2].record, call("exit_group", &["0"], "?"));
        assert_eq!(entries[3], Entry { tid: 7, record: Record::Other("+++ exited with 0 +++".into()) });
    }

    #[test]
    fn mistakes() {
        assert_eq!(read("hello there"), Err("line 1: no line of a trace".into()));
        assert!(read("{\"type\":1}").is_err_and(|e| e == "line 1: no record of a trace"));
        assert!(read("{").is_err());
    }
}

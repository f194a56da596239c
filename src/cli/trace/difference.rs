//! `sevm trace --diff A B [ARG...]`: each of A and B is a file that holds a trace, or a program that is run with the ARGs; a
//! word with blanks that names no file is a program with arguments of its own.

use super::again::{Again, Scratch};
use super::{Refusal, reason};
use crate::trace::compare;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;

/// What is compared.
#[derive(Debug)]
pub struct Given {
    /// Options of `sevm trace` for programs.
    pub options: Vec<OsString>,
    /// The two.
    pub operands: Vec<OsString>,
    /// Arguments for programs.
    pub arguments: Vec<OsString>,
    /// Where the result goes (`-o`); standard output without.
    pub output: Option<OsString>,
}

/// Prints what differs. As diff(1): exit status 0 if nothing does, 1 if something does.
pub fn main(given: &Given) -> Result<ExitCode, Refusal> {
    let sides = given.operands.iter().map(|operand| side(given, operand)).collect::<Result<Vec<_>, _>>()?;
    let [a, b] = &sides[..] else { return Err(Refusal::with_hint("--diff compares two traces or programs")) };
    let names = given.operands.iter().map(|o| o.to_string_lossy()).collect::<Vec<_>>();
    let difference = compare([&names[0], &names[1]], [a, b]).map_err(Refusal::plain)?;
    match &given.output {
        Some(path) => std::fs::write(path, &difference.report)
            .map_err(|e| Refusal::plain(format!("Can't fopen '{}': {}", Path::new(path).display(), reason(&e))))?,
        // A closed standard output is nothing to report on.
        None => drop(std::io::stdout().write_all(difference.report.as_bytes())),
    }
    Ok(ExitCode::from(u8::from(!difference.is_empty())))
}

/// The trace that an operand is or leads to.
fn side(given: &Given, operand: &OsString) -> Result<String, Refusal> {
    let path = Path::new(operand);
    let unreadable = |e: std::io::Error| Refusal::plain(format!("cannot read '{}': {}", path.display(), reason(&e)));
    let mut command = match std::fs::File::open(path) {
        Ok(mut file) => {
            let mut bytes = Vec::new();
            Read::by_ref(&mut file).take(4).read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes != b"\x7fELF" && !bytes.starts_with(b"#!") {
                file.read_to_end(&mut bytes).map_err(unreadable)?;
                return Ok(String::from_utf8_lossy(&bytes).into_owned());
            }
            vec![operand.clone()]
        }
        Err(_) => operand
            .as_bytes()
            .split(|b| *b == b' ')
            .filter(|word| !word.is_empty())
            .map(|word| OsString::from_vec(word.to_vec()))
            .collect(),
    };
    command.extend_from_slice(&given.arguments);
    let log = Scratch::new()?;
    let again = Again { options: given.options.clone(), command };
    let ended = again.run(&["--format=json".into(), log.option("--output")], None)?;
    let trace = log.text()?;
    if trace.is_empty() {
        return Err(Refusal::plain(format!("no trace of '{}' ({ended}): sevm trace says why", path.display())));
    }
    Ok(trace)
}

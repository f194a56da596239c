//! `--chaos` over several runs: seed after seed, and the search for the faults that are enough.

use super::again::{Again, Ended, Scratch};
use super::{Refusal, reason, say};
use crate::inject::{ChaosOptions, Injected, Place, smallest};
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What is asked for.
#[derive(Debug)]
pub struct Given {
    /// The first seed, and how many.
    pub options: ChaosOptions,
    /// Whether the faults of the first seed that makes the program fail are reduced to what is needed.
    pub shrink: bool,
}

/// Faults that standard error names at the end of a run; a log has all of them.
const SHOWN: usize = 5;

/// Tells what was done in a run.
///
/// # Errors
/// The log cannot be written.
pub fn tell(injected: &[Injected], log: Option<&Path>) -> Result<(), Refusal> {
    let mut shown: Vec<String> = injected.iter().take(SHOWN).map(line).collect();
    if injected.len() > SHOWN {
        shown.push("...".to_string());
    }
    match injected.len() {
        0 => say("chaos: nothing was injected"),
        n => say(&format!("chaos: {n} injected: {}", shown.join("; "))),
    }
    let Some(log) = log else { return Ok(()) };
    let text: String = injected.iter().map(|i| line(i) + "\n").collect();
    std::fs::write(log, text).map_err(|e| Refusal::plain(format!("Can't fopen '{}': {}", log.display(), reason(&e))))
}

/// `1.17 read EINTR`.
fn line(injected: &Injected) -> String {
    let (thread, call) = injected.place;
    format!("{thread}.{call} {} {}", injected.call, injected.what)
}

fn place(line: &str) -> Option<Place> {
    let (thread, call) = line.split_whitespace().next()?.split_once('.')?;
    Some((thread.parse().ok()?, call.parse().ok()?))
}

/// Runs of one program.
struct Runs<'a> {
    again: &'a Again,
    limit: Option<Duration>,
    count: usize,
}

impl Runs<'_> {
    /// Runs the program with faults; gives how it ended, and what was injected, a line each.
    fn run(&mut self, options: &ChaosOptions) -> Result<(Ended, Vec<String>), Refusal> {
        self.count += 1;
        let log = Scratch::new()?;
        let chaos = format!("--chaos={}", options.argument());
        let more = [chaos.into(), log.option("--chaos-log"), "--output=/dev/null".into()];
        let ended = self.again.run(&more, self.limit)?;
        Ok((ended, log.text()?.lines().map(String::from).collect()))
    }
}

/// Without a fault the program must end within any time; with them, within this, or so many times as long.
const PATIENCE: (Duration, u32) = (Duration::from_secs(5), 20);

/// Runs the campaign. Exit status 1 if a seed makes the program end otherwise than without faults.
pub fn main(given: &Given, again: &Again) -> Result<ExitCode, Refusal> {
    let mut runs = Runs { again, limit: None, count: 0 };
    let nothing = ChaosOptions { only: Some(Default::default()), ..given.options.clone() };
    let start = Instant::now();
    let (usual, _) = runs.run(&nothing)?;
    runs.limit = Some(PATIENCE.0.max(start.elapsed() * PATIENCE.1));
    let mut failing = 0;
    for n in 0..given.options.runs {
        let options = ChaosOptions { seed: given.options.seed.wrapping_add(n), ..given.options.clone() };
        let (ended, injected) = runs.run(&options)?;
        if ended == usual {
            continue;
        }
        failing += 1;
        println!("{}: {ended} after {} injected ({usual} without)", options.argument(), injected.len());
        if given.shrink {
            shrink(&mut runs, &options, ended, &injected)?;
            break;
        }
    }
    match (failing, given.options.runs) {
        (0, 1) => println!("{}: {usual}, as without", given.options.argument()),
        (0, n) => println!("{n} seeds from {}: {usual} each time, as without", given.options.seed),
        _ => {}
    }
    Ok(ExitCode::from(u8::from(failing > 0)))
}

/// Finds the faults without which the program does not fail in the same way.
fn shrink(runs: &mut Runs<'_>, options: &ChaosOptions, fails: Ended, injected: &[String]) -> Result<(), Refusal> {
    let all: Vec<Place> = injected.iter().filter_map(|l| place(l)).collect();
    let with = |part: &[Place]| ChaosOptions { only: Some(part.iter().copied().collect()), ..options.clone() };
    // The same faults by name give the same run, unless more than the seed decides what the program does.
    if runs.run(&with(&all))?.0 != fails {
        println!("not shrunk: the same faults give another end the next time (--deterministic may help)");
        return Ok(());
    }
    let needed = smallest(&all, |part| Ok::<_, Refusal>(runs.run(&with(part))?.0 == fails))?;
    let (_, lines) = runs.run(&with(&needed))?;
    let mut out = format!("{} of {} are enough ({} runs):\n", needed.len(), all.len(), runs.count);
    // Writing to a string cannot fail.
    for line in &lines {
        let _ = writeln!(out, "  {line}");
    }
    let command = runs.again.options.iter().chain(&runs.again.command).map(|w| w.to_string_lossy());
    let command: Vec<_> = command.collect();
    println!("{out}repeat with: sevm trace --chaos {} {}", with(&needed).argument(), command.join(" "));
    Ok(())
}

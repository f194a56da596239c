//! `sevm trace`: strace's command line, and sevm's own long options beside it.

mod again;
mod campaign;
mod difference;
mod getopt;
pub mod help;
mod names;
mod outputs;
mod qualify;
mod settings;
mod user;
mod values;

use crate::Error;
use crate::inject::{Chaos, Tamper};
use crate::kernel::ExitStatus;
use crate::trace::{Json, Loader, Perfetto, RecordSink, Sink, Summary, TextSink, Zone, set_zone};
use settings::{Color, Destination, Format, Settings};
use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit status for a command line that is wrong, as strace's.
const WRONG: u8 = 1;

pub use names::{command, own_options};

/// What `sevm --help` knows of this subcommand; [`main`] takes its words apart itself.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// strace's options, a program and its arguments
    #[arg(value_name = "OPTION|PROGRAM [ARG...]", trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
    pub words: Vec<OsString>,
}

/// Why a command line cannot be carried out.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    message: String,
    /// Whether the help would tell more.
    hint: bool,
}

impl Refusal {
    /// A value is wrong.
    fn plain(message: impl Into<String>) -> Refusal {
        Refusal { message: message.into(), hint: false }
    }

    /// The use of options is wrong.
    fn with_hint(message: impl Into<String>) -> Refusal {
        Refusal { message: message.into(), hint: true }
    }
}

/// Runs a program and prints its calls. `finish` turns the outcome into an exit status.
pub fn main(words: &[OsString], finish: impl FnOnce(Result<ExitStatus, Error>) -> ExitCode) -> ExitCode {
    let settings = match settings::from_words(words) {
        Ok(settings::Asked::Run(settings)) => settings,
        Ok(settings::Asked::Text(text)) => {
            // A closed standard output is nothing to report on.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Ok(settings::Asked::Diff(given)) => {
            return difference::main(&given).unwrap_or_else(|refusal| {
                // As diff(1): 1 is for traces that differ.
                refuse(&refusal);
                ExitCode::from(2)
            });
        }
        Ok(settings::Asked::Campaign(chaos, again)) => {
            return campaign::main(&chaos, &again).unwrap_or_else(|refusal| refuse(&refusal));
        }
        Err(refusal) => return refuse(&refusal),
    };
    settings.warnings.iter().for_each(|w| say(w));
    match run(*settings) {
        Ok(result) => finish(result),
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> ExitCode {
    say(&refusal.message);
    if refusal.hint {
        let _ = writeln!(std::io::stderr(), "Try 'sevm trace -h' for more information.");
    }
    ExitCode::from(WRONG)
}

fn run(settings: Settings) -> Result<Result<ExitStatus, Error>, Refusal> {
    if settings.run.sandbox && settings.separate {
        return Err(Refusal::with_hint("--sandbox and -ff/--output-separately are mutually exclusive"));
    }
    let mut reader = None;
    let (text, table) = outputs::open_all(&settings, &mut reader)?;
    if let Some(user) = &settings.user {
        user.take_on()?;
    }
    if !settings.run.deterministic
        && let Some(zone) = local_zone()
    {
        set_zone(zone);
    }
    let (mut machine, pid) = match settings.run.boot() {
        Ok(booted) => booted,
        Err(e) => return Ok(Err(e)),
    };
    let painted = is_painted(&settings);
    let chaos = settings.chaos.map(|(options, log)| {
        say(&format!("chaos {}", options.argument()));
        let chaos = Chaos::new(options);
        (chaos.injected(), log, chaos)
    });
    let (report, chaos) = chaos.map_or((None, None), |(injected, log, chaos)| (Some((injected, log)), Some(chaos)));
    if !settings.injections.is_empty() || chaos.is_some() {
        let tamper = Tamper::new(settings.injections, &settings.trace.filter, settings.trace.follow);
        machine.tamper(tamper.with_chaos(chaos));
    }
    if let Some(output) = text {
        let trace = settings.trace.clone();
        let sink: Box<dyn Sink> = match settings.format {
            Format::Text => {
                let mut sink = TextSink::with_output(trace, output);
                if let Some(shown) = settings.stack {
                    sink.show_stacks(shown, loader(settings.run.root.clone()));
                }
                if painted {
                    sink.paint();
                }
                Box::new(sink)
            }
            Format::Json => Box::new(RecordSink::new(trace, Json, output)),
            Format::Perfetto => Box::new(RecordSink::new(trace, Perfetto::default(), output)),
        };
        machine.observe(sink);
    }
    if let (Some(writer), Some((_, how))) = (table, settings.statistics) {
        machine.observe(Box::new(Summary::new(settings.trace, how, writer)));
    }
    let result = settings.run.run(machine, pid);
    if let Some((injected, log)) = report {
        campaign::tell(&injected.borrow(), log.as_deref())?;
    }
    drop(reader);
    Ok(result)
}

/// Reads files of the guest for their symbols. What is not there has none.
fn loader(root: Option<PathBuf>) -> Loader {
    Box::new(move |name| {
        let name = Path::new(OsStr::from_bytes(name));
        let inside = name.strip_prefix("/").unwrap_or(name);
        std::fs::read(root.as_ref().map_or_else(|| name.to_path_buf(), |root| root.join(inside))).ok()
    })
}

/// Whether lines are coloured (<https://no-color.org>).
fn is_painted(settings: &Settings) -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
        || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    match settings.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => settings.destination == Destination::Stderr && std::io::stderr().is_terminal() && !unwanted,
    }
}

/// The zone that TZ names, else the machine's (tzset(3)).
fn local_zone() -> Option<Zone> {
    let of_file = |path: &Path| std::fs::read(path).ok().and_then(|bytes| Zone::from_file(&bytes));
    let Some(name) = std::env::var_os("TZ") else { return of_file(Path::new("/etc/localtime")) };
    let name = name.to_string_lossy().into_owned();
    let file = name.strip_prefix(':').unwrap_or(&name);
    if file.is_empty() {
        return None;
    }
    of_file(&Path::new("/usr/share/zoneinfo").join(file)).or_else(|| Zone::from_rule(&name))
}

/// Tells something on standard error, unless that cannot be written to.
fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "sevm: {message}");
}

/// The text of an error, without the number that Rust adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_string()
}

/// An argument as text, for messages and for values that are ASCII.
fn text(value: &OsString) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The bytes of an argument behind its first one.
fn tail(value: &OsString) -> OsString {
    OsString::from_vec(value.as_bytes().get(1..).unwrap_or_default().to_vec())
}

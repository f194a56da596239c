//! `sevm trace`: strace's command line, and sevm's own long options beside it.

mod again;
mod campaign;
mod difference;
mod getopt;
mod help;
mod names;
mod qualify;
mod settings;
mod values;

use crate::Error;
use crate::inject::{Chaos, Tamper};
use crate::kernel::ExitStatus;
use crate::trace::{Flush, Json, Opener, Output, Perfetto, RecordSink, Sink, Summary, TextSink};
use settings::{Destination, Format, Settings, Statistics};
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::{Child, ExitCode, Stdio};
use std::rc::Rc;

/// Exit status for a command line that is wrong, as strace's.
const WRONG: u8 = 1;

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

/// A command that reads the trace; it is waited for at the end.
struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        // The pipe to it is closed before this; there is nobody to tell how it ended.
        let _ = self.0.wait();
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
    settings.warnings.iter().for_each(|w| eprintln!("sevm: {w}"));
    match run(*settings) {
        Ok(result) => finish(result),
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> ExitCode {
    eprintln!("sevm: {}", refusal.message);
    if refusal.hint {
        eprintln!("Try 'sevm trace -h' for more information.");
    }
    ExitCode::from(WRONG)
}

fn run(settings: Settings) -> Result<Result<ExitStatus, Error>, Refusal> {
    let mut reader = None;
    let (text, table) = outputs(&settings, &mut reader)?;
    let (mut machine, pid) = match settings.run.boot() {
        Ok(booted) => booted,
        Err(e) => return Ok(Err(e)),
    };
    let chaos = settings.chaos.map(|(options, log)| {
        eprintln!("sevm: chaos {}", options.argument());
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
            Format::Text => Box::new(TextSink::with_output(trace, output)),
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

type Writer = Box<dyn Write>;

/// Where the lines go and where the table of `-c` goes; either may not be wanted.
fn outputs(settings: &Settings, reader: &mut Option<Reader>) -> Result<(Option<Output>, Option<Writer>), Refusal> {
    let wants_text = !matches!(settings.statistics, Some((Statistics::Only, _)));
    let wants_table = settings.statistics.is_some();
    let (writer, flush): (Rc<dyn SharedWrite>, Flush) = match &settings.destination {
        Destination::Stderr => (Rc::new(std::io::stderr()), Flush::AtOnce),
        Destination::File(path, append) if settings.separate => {
            let (path, append) = (path.clone(), *append);
            let opener: Opener = Box::new(move |tid| {
                let name = [path.as_os_str().as_bytes(), format!(".{tid}").as_bytes()].concat();
                let file = open(Path::new(OsStr::from_bytes(&name)), append)?;
                Ok(Box::new(file) as Writer)
            });
            return Ok((Some(Output::Separate(opener)), None));
        }
        Destination::File(path, append) => {
            let file = open(path, *append)
                .map_err(|e| Refusal::plain(format!("Can't fopen '{}': {}", path.display(), reason(&e))))?;
            (Rc::new(file), Flush::Buffered)
        }
        Destination::Command(command) => {
            let mut child = std::process::Command::new("/bin/sh")
                .arg("-c")
                .arg(command)
                .stdin(Stdio::piped())
                .spawn()
                .map_err(|e| Refusal::plain(format!("popen failed: {}", reason(&e))))?;
            let pipe = child.stdin.take().ok_or_else(|| Refusal::plain("popen failed"))?;
            *reader = Some(Reader(child));
            (Rc::new(pipe), Flush::Buffered)
        }
    };
    let text = wants_text.then(|| Output::One(Box::new(Shared(Rc::clone(&writer))), flush));
    let table = wants_table.then(|| Box::new(Shared(writer)) as Writer);
    Ok((text, table))
}

fn open(path: &Path, append: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    if append {
        options.append(true)
    } else {
        options.write(true).truncate(true)
    };
    options.create(true).open(path)
}

/// The text of an error, without the number that Rust adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_string()
}

/// A writer that lines and table share: both write whole pieces, one after the other.
trait SharedWrite {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize>;
}

impl SharedWrite for std::io::Stderr {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lock().write(bytes)
    }
}

impl SharedWrite for File {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut file = self;
        file.write(bytes)
    }
}

impl SharedWrite for std::process::ChildStdin {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut pipe = self;
        pipe.write(bytes)
    }
}

struct Shared(Rc<dyn SharedWrite>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_shared(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An argument as text, for messages and for values that are ASCII.
fn text(value: &OsString) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The bytes of an argument behind its first one.
fn tail(value: &OsString) -> OsString {
    OsString::from_vec(value.as_bytes().get(1..).unwrap_or_default().to_vec())
}

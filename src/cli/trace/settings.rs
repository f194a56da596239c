//! From the words of the command line to what is to be done.

use super::getopt::{self, Given, Long, Takes};
use super::{Refusal, help, qualify, tail, text};
use crate::cli::options::RunOptions;
use crate::inject::Injection;
use crate::trace::{
    Clock, Column, Constants, Filter, Message, Numbers, Options, Precision, Status, Strings, SummaryOptions, Target,
};
use clap::{CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What a command line asks for.
pub enum Asked {
    /// A traced run.
    Run(Box<Settings>),
    /// A text to print.
    Text(String),
}

/// Where the trace goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To standard error.
    Stderr,
    /// To a file, or behind what it holds.
    File(PathBuf, bool),
    /// To the standard input of a command for the shell.
    Command(OsString),
}

/// Whether lines are printed beside the statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// No (`-c`).
    Only,
    /// Yes (`-C`).
    Beside,
}

/// All of it.
pub struct Settings {
    /// What the trace shows.
    pub trace: Options,
    /// Where it goes.
    pub destination: Destination,
    /// A file for each thread.
    pub separate: bool,
    /// Statistics, and how they are printed.
    pub statistics: Option<(Statistics, SummaryOptions)>,
    /// What is done to calls.
    pub injections: Vec<Injection>,
    /// The machine and the program.
    pub run: RunOptions,
    /// What does not fit together but does no harm.
    pub warnings: Vec<String>,
}

/// sevm's own options, as clap knows them.
#[derive(Parser)]
#[command(name = "sevm trace", no_binary_name = true, disable_help_flag = true)]
struct Own {
    #[command(flatten)]
    options: RunOptions,
}

/// strace's options that are not another way to write an expression of `-e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opt {
    Expression,
    Qualify(qualify::Key),
    Column,
    Append,
    Detach,
    Statistics(Statistics),
    Daemonize,
    Debug,
    Follow,
    Separate,
    Help,
    Interruptible,
    Pointer,
    Number,
    Names,
    Output,
    Overhead,
    Attach,
    Path,
    Quiet,
    QuietSet,
    Relative,
    Limit,
    SortBy,
    Absolute,
    AbsoluteFormat,
    Duration,
    User,
    Columns,
    Verbose,
    Version,
    WallClock,
    Hex,
    HexFormat,
    Constants,
    FdNames,
    FdDetails,
    PidNames,
    Successful,
    Failed,
    Stack,
    CallLimit,
    /// Taken, and nothing has to be done for it.
    Nothing,
}

/// An option of strace or, by its name, of sevm.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Strace(Opt),
    Own(String),
}

fn short(letter: u8) -> Option<(Key, Takes)> {
    use Takes::{Nothing, Value};
    let (opt, takes) = match letter {
        b'a' => (Opt::Column, Value),
        b'A' => (Opt::Append, Nothing),
        b'b' => (Opt::Detach, Value),
        b'c' => (Opt::Statistics(Statistics::Only), Nothing),
        b'C' => (Opt::Statistics(Statistics::Beside), Nothing),
        b'd' => (Opt::Debug, Nothing),
        b'D' => (Opt::Daemonize, Nothing),
        b'e' => (Opt::Expression, Value),
        b'E' => return Some((Key::Own("env".into()), Value)),
        b'f' | b'F' => (Opt::Follow, Nothing),
        b'h' => (Opt::Help, Nothing),
        b'i' => (Opt::Pointer, Nothing),
        b'I' => (Opt::Interruptible, Value),
        b'k' => (Opt::Stack, Nothing),
        b'L' => return Some((Key::Own("prefix".into()), Value)),
        b'n' => (Opt::Number, Nothing),
        b'N' => (Opt::Names, Nothing),
        b'o' => (Opt::Output, Value),
        b'O' => (Opt::Overhead, Value),
        b'p' => (Opt::Attach, Value),
        b'P' => (Opt::Path, Value),
        b'q' => (Opt::Quiet, Nothing),
        b'r' => (Opt::Relative, Nothing),
        b's' => (Opt::Limit, Value),
        b'S' => (Opt::SortBy, Value),
        b't' => (Opt::Absolute, Nothing),
        b'T' => (Opt::Duration, Nothing),
        b'u' => (Opt::User, Value),
        b'U' => (Opt::Columns, Value),
        b'v' => (Opt::Verbose, Nothing),
        b'V' => (Opt::Version, Nothing),
        b'w' => (Opt::WallClock, Nothing),
        b'x' => (Opt::Hex, Nothing),
        b'X' => (Opt::Constants, Value),
        b'y' => (Opt::FdNames, Nothing),
        b'Y' => (Opt::PidNames, Nothing),
        b'z' => (Opt::Successful, Nothing),
        b'Z' => (Opt::Failed, Nothing),
        _ => return None,
    };
    Some((Key::Strace(opt), takes))
}

/// Long names, in strace's order, in which its messages list them.
fn long() -> Vec<Long<Key>> {
    use Takes::{Nothing, Perhaps, Value};
    use qualify::Key as Q;
    let strace: &[(&str, Takes, Opt)] = &[
        ("columns", Value, Opt::Column),
        ("output-append-mode", Nothing, Opt::Append),
        ("detach-on", Value, Opt::Detach),
        ("summary-only", Nothing, Opt::Statistics(Statistics::Only)),
        ("summary", Nothing, Opt::Statistics(Statistics::Beside)),
        ("debug", Nothing, Opt::Debug),
        ("daemonize", Perhaps, Opt::Daemonize),
        ("daemonized", Perhaps, Opt::Daemonize),
        ("daemonise", Perhaps, Opt::Daemonize),
        ("daemonised", Perhaps, Opt::Daemonize),
        ("follow-forks", Nothing, Opt::Follow),
        ("output-separately", Nothing, Opt::Separate),
        ("help", Nothing, Opt::Help),
        ("instruction-pointer", Nothing, Opt::Pointer),
        ("interruptible", Value, Opt::Interruptible),
        ("kill-on-exit", Nothing, Opt::Nothing),
        ("stack-traces", Perhaps, Opt::Stack),
        ("stack-trace", Perhaps, Opt::Stack),
        ("syscall-number", Nothing, Opt::Number),
        ("arg-names", Nothing, Opt::Names),
        ("argument-names", Nothing, Opt::Names),
        ("output", Value, Opt::Output),
        ("summary-syscall-overhead", Value, Opt::Overhead),
        ("attach", Value, Opt::Attach),
        ("trace-path", Value, Opt::Path),
        ("relative-timestamps", Perhaps, Opt::Relative),
        ("string-limit", Value, Opt::Limit),
        ("summary-sort-by", Value, Opt::SortBy),
        ("absolute-timestamps", Perhaps, Opt::AbsoluteFormat),
        ("timestamps", Perhaps, Opt::AbsoluteFormat),
        ("syscall-times", Perhaps, Opt::Duration),
        ("user", Value, Opt::User),
        ("summary-columns", Value, Opt::Columns),
        ("no-abbrev", Nothing, Opt::Verbose),
        ("version", Nothing, Opt::Version),
        ("summary-wall-clock", Nothing, Opt::WallClock),
        ("strings-in-hex", Perhaps, Opt::HexFormat),
        ("const-print-style", Value, Opt::Constants),
        ("successful-only", Nothing, Opt::Successful),
        ("failed-only", Nothing, Opt::Failed),
        ("seccomp-bpf", Nothing, Opt::Nothing),
        ("syscall-limit", Value, Opt::CallLimit),
        ("trace", Value, Opt::Qualify(Q::Trace)),
        ("abbrev", Value, Opt::Qualify(Q::Abbrev)),
        ("verbose", Value, Opt::Qualify(Q::Verbose)),
        ("raw", Value, Opt::Qualify(Q::Raw)),
        ("signals", Value, Opt::Qualify(Q::Signal)),
        ("signal", Value, Opt::Qualify(Q::Signal)),
        ("status", Value, Opt::Qualify(Q::Status)),
        ("read", Value, Opt::Qualify(Q::Read)),
        ("write", Value, Opt::Qualify(Q::Write)),
        ("kvm", Value, Opt::Qualify(Q::Kvm)),
        ("inject", Value, Opt::Qualify(Q::Inject)),
        ("fault", Value, Opt::Qualify(Q::Fault)),
        ("quiet", Perhaps, Opt::QuietSet),
        ("silent", Perhaps, Opt::QuietSet),
        ("silence", Perhaps, Opt::QuietSet),
        ("decode-fds", Perhaps, Opt::FdDetails),
        ("decode-pids", Value, Opt::Qualify(Q::DecodePids)),
        ("trace-fds", Value, Opt::Qualify(Q::TraceFds)),
        ("trace-fd", Value, Opt::Qualify(Q::TraceFds)),
    ];
    let strace = strace.iter().map(|(name, takes, opt)| Long {
        name: (*name).to_string(),
        takes: *takes,
        key: Key::Strace(*opt),
    });
    let command = Own::command();
    let own = command.get_arguments().filter_map(|arg| {
        let name = arg.get_long()?;
        let optional = arg.get_num_args().is_some_and(|n| n.min_values() == 0);
        let takes = match arg.get_action().takes_values() {
            true if optional => Perhaps,
            true => Value,
            false => Nothing,
        };
        Some(Long { name: name.to_string(), takes, key: Key::Own(name.to_string()) })
    });
    let names: Vec<Long<Key>> = strace.collect();
    let own: Vec<Long<Key>> = own.filter(|o| names.iter().all(|n| n.name != o.name)).collect();
    names.into_iter().chain(own).collect()
}

/// How often the options were given whose repetition means more.
#[derive(Default)]
struct Counts {
    follow: usize,
    quiet: usize,
    absolute: usize,
    hex: usize,
    fd_names: usize,
    daemonize: usize,
    /// The trace goes to a file or a command.
    redirected: bool,
}

/// What is kept while the options are gone through.
#[derive(Default)]
struct Draft {
    counts: Counts,
    output: Option<OsString>,
    append: bool,
    separate: bool,
    statistics: Option<Statistics>,
    summary: SummaryOptions,
    /// The first option that makes sense with statistics only.
    needs_statistics: Option<&'static str>,
    statuses: [bool; 2],
    injections: Vec<Injection>,
    own: Vec<OsString>,
}

/// Takes the command line apart.
///
/// # Errors
/// What is wrong with it, in strace's words where it has some.
pub fn from_words(words: &[OsString]) -> Result<Asked, Refusal> {
    let (given, command) = getopt::parse(words, short, &long()).map_err(Refusal::with_hint)?;
    let asks = |opt| given.iter().any(|g| g.key == Key::Strace(opt));
    if asks(Opt::Help) {
        let own = Own::command().help_template("{options}").render_help();
        return Ok(Asked::Text(format!("{}{own}", help::TEXT)));
    }
    if asks(Opt::Version) {
        return Ok(Asked::Text(format!("sevm {}\n", env!("CARGO_PKG_VERSION"))));
    }
    let mut draft = Draft::default();
    let mut trace = Options::default();
    for option in given {
        match &option.key {
            Key::Own(name) => {
                let mut word = OsString::from(format!("--{name}"));
                if let Some(value) = &option.value {
                    word.push("=");
                    word.push(value);
                }
                draft.own.push(word);
            }
            Key::Strace(opt) => take(&mut draft, &mut trace, *opt, &option)?,
        }
    }
    settle(draft, trace, command)
}

fn take(draft: &mut Draft, trace: &mut Options, opt: Opt, given: &Given<Key>) -> Result<(), Refusal> {
    let value = given.value.as_ref().map(text);
    let value = value.as_deref();
    let spelled = &given.spelled;
    let required = value.unwrap_or_default();
    let invalid = || Refusal::with_hint(format!("invalid {spelled} argument: '{required}'"));
    let number = || decimal(required).ok_or_else(invalid);
    let precision = || value.map_or(Some(Precision::MICRO), Precision::from_name).ok_or_else(invalid);
    match opt {
        Opt::Expression => {
            let (key, set) = qualify::split(required);
            qualify::apply(trace, &mut draft.injections, key, set)?;
        }
        Opt::Qualify(key) => qualify::apply(trace, &mut draft.injections, key, required)?,
        Opt::Column => trace.column = number()? as usize,
        Opt::Append => draft.append = true,
        Opt::Detach if required == "execve" => trace.detach_on_execve = true,
        Opt::Detach => return Err(Refusal::plain(format!("Syscall '{required}' for -b isn't supported"))),
        Opt::Statistics(kind) => match draft.statistics.replace(kind) {
            Some(before) if before != kind => {
                let both = "-c/--summary-only and -C/--summary are mutually exclusive";
                return Err(Refusal::with_hint(both));
            }
            _ => {}
        },
        Opt::Daemonize => draft.counts.daemonize += 1,
        Opt::Debug | Opt::Nothing | Opt::Help | Opt::Version => {}
        Opt::Follow => draft.counts.follow += 1,
        Opt::Separate => draft.separate = true,
        Opt::Interruptible if (1..=4).contains(&number()?) => {}
        Opt::Interruptible => return Err(invalid()),
        Opt::Pointer => trace.columns.pointer = true,
        Opt::Number => trace.columns.number = true,
        Opt::Names => trace.style.names = true,
        Opt::Output => draft.output.clone_from(&given.value),
        Opt::Overhead => draft.summary.overhead_ns = span_ns(required).ok_or_else(invalid)?,
        Opt::Attach => {
            if decimal(required).is_none_or(|pid| pid == 0) {
                return Err(Refusal::plain(format!("Invalid process id: '{required}'")));
            }
            let why = "sevm runs programs itself and cannot trace a process that is already running";
            return Err(Refusal::plain(format!("-p/--attach is not possible: {why}")));
        }
        Opt::Path => trace.paths.push(required.as_bytes().to_vec()),
        Opt::Quiet => draft.counts.quiet += 1,
        Opt::QuietSet => match value {
            Some(set) => qualify::apply(trace, &mut draft.injections, qualify::Key::Quiet, set)?,
            None => draft.counts.quiet += 1,
        },
        Opt::Relative => trace.columns.relative = Some(precision()?),
        Opt::Limit => trace.style.limit = number()? as usize,
        Opt::SortBy => {
            draft.summary.sort = match required {
                "nothing" | "none" => None,
                // The share sorts as the total does; a single word `time` means the total too.
                _ => match Column::from_name(required) {
                    Some(column) => Some(column),
                    None => return Err(Refusal::with_hint(format!("invalid sortby: '{required}'"))),
                },
            };
        }
        Opt::Absolute => draft.counts.absolute += 1,
        Opt::AbsoluteFormat => {
            trace.columns.absolute = match value {
                None => Some((Clock::Day, Precision(0))),
                Some(format) => timestamps(format).ok_or_else(invalid)?,
            };
        }
        Opt::Duration => trace.columns.duration = Some(precision()?),
        Opt::User => {
            return Err(Refusal::plain(
                "-u/--user is not possible: programs have the ids that sevm itself is run with (see setpriv(1), su(1))",
            ));
        }
        Opt::Columns => {
            draft.needs_statistics.get_or_insert("-U/--summary-columns");
            draft.summary.columns = columns(required)?;
        }
        Opt::Verbose => trace.abbreviated = Filter::none(),
        Opt::WallClock => {
            draft.needs_statistics.get_or_insert("-w/--summary-wall-clock");
            draft.summary.with_waiting = true;
        }
        Opt::Hex => draft.counts.hex += 1,
        Opt::HexFormat => {
            trace.style.strings = match value {
                None | Some("all") => Strings::All,
                Some("non-ascii") => Strings::NonAscii,
                Some("non-ascii-chars") => Strings::HexEscapes,
                Some("none") => Strings::Octal,
                Some(_) => return Err(invalid()),
            };
        }
        Opt::Constants => {
            trace.style.constants = match required {
                "raw" => Constants::Raw,
                "abbrev" => Constants::Abbreviated,
                "verbose" => Constants::Verbose,
                _ => return Err(invalid()),
            };
        }
        Opt::FdNames => draft.counts.fd_names += 1,
        Opt::FdDetails => {
            qualify::apply(trace, &mut draft.injections, qualify::Key::DecodeFds, value.unwrap_or("path"))?
        }
        Opt::PidNames => qualify::apply(trace, &mut draft.injections, qualify::Key::DecodePids, "comm")?,
        Opt::Successful => only(draft, trace, Status::Successful),
        Opt::Failed => only(draft, trace, Status::Failed),
        Opt::Stack => return Err(Refusal::plain("-k/--stack-traces is not implemented")),
        Opt::CallLimit => match number()? {
            0 => return Err(invalid()),
            n => trace.limit = Some(u64::from(n)),
        },
    }
    Ok(())
}

/// `-z` and `-Z`: the last one counts.
fn only(draft: &mut Draft, trace: &mut Options, status: Status) {
    draft.statuses[status as usize] = true;
    trace.statuses = Numbers::of([status as u32]);
}

/// Checks what fits together, and puts the rest together.
fn settle(mut draft: Draft, mut trace: Options, command: Vec<OsString>) -> Result<Asked, Refusal> {
    let mut warnings = Vec::new();
    match draft.counts.daemonize {
        0 => {}
        n if n > 3 => return Err(Refusal::with_hint(format!("Too many -D's ({n}), maximum supported -D count is 3"))),
        _ => {
            return Err(Refusal::plain(
                "-D/--daemonize is not possible: the program runs inside sevm, there is no tracer that could step aside",
            ));
        }
    }
    if command.is_empty() {
        return Err(Refusal::with_hint("must have PROG [ARGS]"));
    }
    if let (Some(option), None) = (draft.needs_statistics, draft.statistics) {
        let with = "must be given with (-c/--summary-only or -C/--summary)";
        return Err(Refusal::with_hint(format!("{option} {with}")));
    }
    trace.follow = draft.counts.follow > 0;
    let separate = draft.separate || draft.counts.follow > 1;
    if separate && draft.statistics.is_some() {
        return Err(Refusal::with_hint(
            "(-c/--summary-only or -C/--summary) and -ff/--output-separately are mutually exclusive",
        ));
    }
    draft.counts.redirected = draft.output.is_some();
    repeated(&draft.counts, &mut trace)?;
    if draft.statuses == [true; 2] {
        warnings.push(
            "Only the last of -z/--successful-only/-Z/--failed-only options will take effect. See status qualifier for \
             more complex filters."
                .to_string(),
        );
    }
    let destination = destination(&draft, separate, &mut warnings)?;
    trace.target = match &destination {
        Destination::Stderr => Target::Shared,
        Destination::File(..) if separate => Target::Separate,
        Destination::File(..) | Destination::Command(_) => Target::Own,
    };
    if draft.statistics == Some(Statistics::Only) {
        warnings.extend(useless(&trace).map(|o| format!("{o} has no effect with -c/--summary-only")));
    }
    resolve_paths(&mut trace, &mut warnings);
    let injections = std::mem::take(&mut draft.injections);
    warnings.extend(
        injections
            .iter()
            .filter_map(Injection::inadvertent_error)
            .map(|(error, value)| format!("Inadvertent injection of error {error} is possible for retval={value}")),
    );
    let run = own_options(std::mem::take(&mut draft.own), command)?;
    let separate = trace.target == Target::Separate;
    let statistics = draft.statistics.map(|s| (s, draft.summary));
    Ok(Asked::Run(Box::new(Settings { trace, destination, separate, statistics, injections, run, warnings })))
}

/// Options that say more each time.
fn repeated(counts: &Counts, trace: &mut Options) -> Result<(), Refusal> {
    match counts.absolute {
        0 => {}
        1 => trace.columns.absolute = Some((Clock::Day, Precision(0))),
        2 => trace.columns.absolute = Some((Clock::Day, Precision::MICRO)),
        _ => trace.columns.absolute = Some((Clock::Unix, Precision::MICRO)),
    }
    match counts.hex {
        0 => {}
        1 => trace.style.strings = Strings::NonAscii,
        _ => trace.style.strings = Strings::All,
    }
    match counts.quiet {
        // As strace does where its messages would stand apart from the trace.
        0 if counts.redirected && trace.quiet.is_empty() => {
            trace.quiet = Numbers::of([Message::Attach as u32, Message::Personality as u32]);
        }
        0 => {}
        1 => trace.quiet = Numbers::of([Message::Attach as u32, Message::Personality as u32]),
        2 => trace.quiet = Numbers::of([Message::Attach, Message::Personality, Message::Exit].map(|m| m as u32)),
        _ => trace.quiet = Numbers::all(),
    }
    match counts.fd_names {
        0 => Ok(()),
        1 => details(trace, "path"),
        _ => details(trace, "all"),
    }
}

/// What is told of descriptors.
fn details(trace: &mut Options, set: &str) -> Result<(), Refusal> {
    qualify::apply(trace, &mut Vec::new(), qualify::Key::DecodeFds, set)
}

fn destination(draft: &Draft, separate: bool, warnings: &mut Vec<String>) -> Result<Destination, Refusal> {
    let Some(output) = &draft.output else {
        if draft.append {
            warnings.push("-A/--output-append-mode has no effect without -o/--output".to_string());
        }
        if draft.separate {
            warnings.push("--output-separately has no effect without -o/--output".to_string());
        }
        return Ok(Destination::Stderr);
    };
    if !matches!(output.as_bytes().first(), Some(b'|' | b'!')) {
        return Ok(Destination::File(output.into(), draft.append));
    }
    if separate {
        return Err(Refusal::with_hint("piping the output and -ff/--output-separately are mutually exclusive"));
    }
    if draft.append {
        warnings.push("-A/--output-append-mode has no effect with a piped output".to_string());
    }
    Ok(Destination::Command(tail(output)))
}

/// Options that `-c` leaves without a meaning.
fn useless(trace: &Options) -> impl Iterator<Item = &'static str> {
    let columns = &trace.columns;
    [
        (columns.pointer, "-i/--instruction-pointer"),
        (columns.number, "-n/--syscall-number"),
        (columns.relative.is_some(), "-r/--relative-timestamps"),
        (columns.absolute.is_some(), "-t/--absolute-timestamps"),
        (columns.duration.is_some(), "-T/--syscall-times"),
        (trace.style.fds != 0, "-y/--decode-fds"),
    ]
    .into_iter()
    .filter_map(|(given, name)| given.then_some(name))
}

/// Adds to each path of `-P` the one it leads to, if that is another.
fn resolve_paths(trace: &mut Options, warnings: &mut Vec<String>) {
    use std::os::unix::ffi::OsStringExt;
    for i in 0..trace.paths.len() {
        let path = PathBuf::from(OsString::from_vec(trace.paths[i].clone()));
        let Ok(resolved) = std::fs::canonicalize(&path) else { continue };
        let bytes = resolved.as_os_str().as_bytes().to_vec();
        if resolved != path && !trace.paths.contains(&bytes) {
            if !trace.is_quiet(Message::PathResolution) {
                warnings.push(format!(
                    "Requested path \"{}\" resolved into \"{}\"",
                    path.display(),
                    resolved.display()
                ));
            }
            trace.paths.push(bytes);
        }
    }
}

/// Hands sevm's own options and the program to clap.
fn own_options(mut words: Vec<OsString>, command: Vec<OsString>) -> Result<RunOptions, Refusal> {
    words.push("--".into());
    words.extend(command);
    let own = Own::command().try_get_matches_from(words).and_then(|matches| Own::from_arg_matches(&matches)).map_err(
        |e| {
            let message = e.to_string();
            Refusal::with_hint(message.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string())
        },
    )?;
    Ok(own.options)
}

/// The columns of the table (`-U`).
fn columns(list: &str) -> Result<Vec<Column>, Refusal> {
    let mut columns = Vec::new();
    for name in list.split(',') {
        match Column::from_name(name) {
            None => return Err(Refusal::with_hint(format!("unknown column name: '{name}'"))),
            Some(column) if columns.contains(&column) => {
                return Err(Refusal::with_hint(format!(
                    "call summary column has been provided more than once: '{name}'"
                )));
            }
            Some(column) => columns.push(column),
        }
    }
    Ok(columns)
}

/// `[[format:]FORMAT],[[precision:]PRECISION]`; inside `None`: no times.
fn timestamps(text: &str) -> Option<Option<(Clock, Precision)>> {
    let (mut clock, mut precision) = (None, None);
    for token in text.split(',') {
        let (of_format, of_precision) = (token.strip_prefix("format:"), token.strip_prefix("precision:"));
        let format = match of_format.unwrap_or(token) {
            "none" => Some(None),
            "time" => Some(Some(Clock::Day)),
            "unix" => Some(Some(Clock::Unix)),
            _ => None,
        };
        match (format, Precision::from_name(of_precision.unwrap_or(token))) {
            (Some(f), _) if of_precision.is_none() => clock = Some(f),
            (_, Some(p)) if of_format.is_none() => precision = Some(p),
            _ => return None,
        }
    }
    let clock = clock.unwrap_or(Some(Clock::Day));
    Some(clock.map(|c| (c, precision.unwrap_or(Precision(0)))))
}

/// A time: microseconds, or with `s`, `ms`, `us`, `ns` behind; in nanoseconds.
pub fn span_ns(text: &str) -> Option<u64> {
    let (digits, factor) = if let Some(t) = text.strip_suffix("ms") {
        (t, 1e6)
    } else if let Some(t) = text.strip_suffix("us") {
        (t, 1e3)
    } else if let Some(t) = text.strip_suffix("ns") {
        (t, 1.0)
    } else if let Some(t) = text.strip_suffix('s') {
        (t, 1e9)
    } else {
        (text, 1e3)
    };
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let value: f64 = plain.then(|| digits.parse().ok())??;
    let ns = value * factor;
    (ns.is_finite() && (0.0..1e18).contains(&ns)).then_some(ns as u64)
}

fn decimal(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|n| *n <= i32::MAX as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(words: &str) -> Result<Box<Settings>, String> {
        let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        match from_words(&words) {
            Ok(Asked::Run(settings)) => Ok(settings),
            Ok(Asked::Text(text)) => Err(text),
            Err(refusal) => Err(refusal.message),
        }
    }

    #[test]
    fn options() {
        let s = settings("-ff -o log -ttt -yyxqq -s 7 --cpu=unicorn -E A=b prog -f").expect("valid");
        assert!(s.trace.follow && s.separate && s.trace.target == Target::Separate);
        assert_eq!(s.trace.columns.absolute, Some((Clock::Unix, Precision::MICRO)));
        assert_eq!((s.trace.style.fds, s.trace.style.limit), (15, 7));
        assert_eq!(s.trace.style.strings, Strings::NonAscii);
        assert!(s.trace.is_quiet(Message::Exit) && !s.trace.is_quiet(Message::ThreadExecve));
        assert_eq!((s.run.cpu.as_str(), &s.run.env[..]), ("unicorn", &[OsString::from("A=b")][..]));
        assert_eq!(s.run.command, ["prog", "-f"]);
    }

    /// Messages as strace 6.1 prints them.
    #[test]
    fn mistakes() {
        let wrong = |words| settings(words).map(|_| ()).expect_err("wrong");
        assert_eq!(wrong("-a x p"), "invalid -a argument: 'x'");
        assert_eq!(wrong("--columns x p"), "invalid --columns argument: 'x'");
        assert_eq!(wrong("-I 9 p"), "invalid -I argument: '9'");
        assert_eq!(wrong("-S foo p"), "invalid sortby: 'foo'");
        assert_eq!(wrong("-c -U foo p"), "unknown column name: 'foo'");
        assert_eq!(wrong("-b foo p"), "Syscall 'foo' for -b isn't supported");
        assert_eq!(wrong("-p 0"), "Invalid process id: '0'");
        assert_eq!(wrong("-c -C p"), "-c/--summary-only and -C/--summary are mutually exclusive");
        assert_eq!(wrong("--absolute-timestamps=time,xx p"), "invalid --absolute-timestamps argument: 'time,xx'");
        assert_eq!(wrong("-w p"), "-w/--summary-wall-clock must be given with (-c/--summary-only or -C/--summary)");
        assert_eq!(wrong("-e signal=FOO p"), "invalid signal 'FOO'");
    }

    #[test]
    fn times() {
        assert_eq!(timestamps("unix,ns"), Some(Some((Clock::Unix, Precision(9)))));
        assert_eq!(timestamps("precision:ms"), Some(Some((Clock::Day, Precision(3)))));
        assert_eq!(timestamps("none"), Some(None));
        assert_eq!(timestamps("format:ns"), None);
        assert_eq!(span_ns("1.5"), Some(1500));
        assert_eq!(span_ns("2ms"), Some(2_000_000));
        assert_eq!((span_ns("x"), span_ns("-1"), span_ns("infs")), (None, None, None));
    }
}

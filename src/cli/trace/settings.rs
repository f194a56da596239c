//! From the words of the command line to what is to be done.

use super::again::{self, Again};
use super::getopt::{self, Given};
use super::names::{Key, Opt, Own, long, short};
use super::user::{self, Identity};
use super::values::{columns, decimal, span_ns, timestamps};
use super::{Refusal, help, qualify, tail, text};
use crate::cli::options::RunOptions;
use crate::inject::{ChaosOptions, Injection};
use crate::trace::{
    Clock, Column, Constants, Filter, Message, Numbers, Options, Precision, Stack, Status, Strings, SummaryOptions,
    Target,
};
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What a command line asks for.
pub enum Asked {
    /// A traced run.
    Run(Box<Settings>),
    /// A text to print.
    Text(String),
    /// Two traces beside one another.
    Diff(Box<super::difference::Given>),
    /// Several runs of the same program, with faults in them.
    Campaign(Box<super::campaign::Given>, Box<Again>),
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

/// What the trace is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// What strace writes.
    #[default]
    Text,
    /// JSON Lines.
    Json,
    /// Trace events of Chrome and Perfetto.
    Perfetto,
}

impl Format {
    fn from_name(name: &str) -> Option<Format> {
        Some(match name {
            "text" => Format::Text,
            "json" => Format::Json,
            "perfetto" => Format::Perfetto,
            _ => return None,
        })
    }
}

/// All of it.
pub struct Settings {
    /// What the trace shows.
    pub trace: Options,
    /// As what.
    pub format: Format,
    /// Where it goes.
    pub destination: Destination,
    /// A file for each thread.
    pub separate: bool,
    /// Statistics, and how they are printed.
    pub statistics: Option<(Statistics, SummaryOptions)>,
    /// What is done to calls.
    pub injections: Vec<Injection>,
    /// What is done to calls by chance, and where that is written down.
    pub chaos: Option<(ChaosOptions, Option<PathBuf>)>,
    /// The machine and the program.
    pub run: RunOptions,
    /// What does not fit together but does no harm.
    pub warnings: Vec<String>,
    /// Stacks behind calls.
    pub stack: Option<Stack>,
    /// The lines are coloured.
    pub color: Color,
    /// The user as whom the program runs.
    pub user: Option<Identity>,
}

/// When lines are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
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
    stack: usize,
    /// The trace goes to a file or a command.
    redirected: bool,
}

/// What is kept while the options are gone through.
#[derive(Default)]
struct Draft {
    counts: Counts,
    output: Option<OsString>,
    format: Format,
    append: bool,
    separate: bool,
    statistics: Option<Statistics>,
    summary: SummaryOptions,
    /// -S was given: it means nothing without statistics.
    sorted: bool,
    /// -F was given, which -f has replaced.
    old_follow: bool,
    /// The option that makes sense with statistics only and counts first.
    needs_statistics: Option<&'static str>,
    /// How often -z and -Z were given.
    statuses: usize,
    injections: Vec<Injection>,
    chaos: Option<ChaosOptions>,
    chaos_log: Option<PathBuf>,
    shrink: bool,
    diff: bool,
    /// Options for other runs of the same kind.
    passed_on: Vec<OsString>,
    own: Vec<OsString>,
    stack: Option<Stack>,
    color: Color,
    user: Option<String>,
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
        if is_passed_on(&option.key) {
            draft.passed_on.extend(again::words(&option));
        }
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
        Opt::OldFollow => draft.old_follow = true,
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
            draft.sorted = true;
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
        Opt::User => draft.user = Some(required.to_string()),
        Opt::Columns => {
            draft.needs_statistics.get_or_insert("-U/--summary-columns");
            draft.summary.columns = columns(required)?;
        }
        Opt::Verbose => trace.abbreviated = Filter::none(),
        Opt::WallClock => {
            draft.needs_statistics = Some("-w/--summary-wall-clock");
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
        Opt::Format => draft.format = Format::from_name(required).ok_or_else(invalid)?,
        Opt::Chaos => draft.chaos = Some(ChaosOptions::parse(required, chance).map_err(Refusal::plain)?),
        Opt::ChaosLog => draft.chaos_log = given.value.as_ref().map(PathBuf::from),
        Opt::ChaosShrink => draft.shrink = true,
        Opt::Diff => draft.diff = true,
        Opt::Histogram => {
            draft.needs_statistics.get_or_insert("--histogram");
            draft.summary.histogram = true;
        }
        Opt::Stack => draft.counts.stack += 1,
        Opt::StackFormat => {
            draft.stack = match value {
                None | Some("symbol") => Some(Stack::Symbols),
                Some("source") => Some(Stack::Source),
                Some(_) => return Err(invalid()),
            };
        }
        Opt::Color => {
            draft.color = match value {
                None | Some("always") => Color::Always,
                Some("auto") => Color::Auto,
                Some("never") => Color::Never,
                Some(_) => return Err(invalid()),
            };
        }
        Opt::CallLimit => match number()? {
            0 => return Err(invalid()),
            n => trace.limit = Some(u64::from(n)),
        },
    }
    Ok(())
}

/// `-z` and `-Z`: the last one counts.
fn only(draft: &mut Draft, trace: &mut Options, status: Status) {
    draft.statuses += 1;
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
    trace.follow = draft.counts.follow > 0 || draft.old_follow;
    let separate = draft.separate || draft.counts.follow > 1;
    if separate && draft.statistics.is_some() {
        return Err(Refusal::with_hint(
            "(-c/--summary-only or -C/--summary) and -ff/--output-separately are mutually exclusive",
        ));
    }
    fits_format(&draft, separate)?;
    if draft.diff {
        return diff(draft, command);
    }
    let chaos = match chaos(&mut draft, &command)? {
        Faults::Campaign(campaign, again) => return Ok(Asked::Campaign(campaign, again)),
        Faults::Here(chaos) => chaos,
    };
    draft.counts.redirected = draft.output.is_some();
    repeated(&draft.counts, &mut trace)?;
    if draft.old_follow {
        warnings.push(match draft.counts.follow {
            0 => "option -F is deprecated, please use -f/--follow-forks instead".to_string(),
            _ => "deprecated option -F ignored".to_string(),
        });
    }
    if draft.sorted && draft.statistics.is_none() {
        let with = "(-c/--summary-only or -C/--summary)";
        warnings.push(format!("-S/--summary-sort-by has no effect without {with}"));
    }
    if draft.statuses > 1 {
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
    } else if draft.format != Format::Text {
        warnings.extend(only_in_text(&trace).map(|o| format!("{o} has no effect with --format")));
    }
    resolve_paths(&mut trace, &mut warnings);
    let injections = std::mem::take(&mut draft.injections);
    warnings.extend(
        injections
            .iter()
            .filter_map(Injection::inadvertent_error)
            .map(|(error, value)| format!("Inadvertent injection of error {error} is possible for retval={value}")),
    );
    let user = match &draft.user {
        Some(name) => Some(user::find(name)?),
        None => None,
    };
    let stack = match draft.counts.stack {
        0 => draft.stack,
        1 => Some(Stack::Symbols),
        _ => Some(Stack::Source),
    };
    if stack.is_some() && draft.statistics == Some(Statistics::Only) {
        warnings.push("-k/--stack-traces has no effect with -c/--summary-only".to_string());
    }
    let color = draft.color;
    let run = own_options(std::mem::take(&mut draft.own), command)?;
    let (separate, format) = (trace.target == Target::Separate, draft.format);
    let statistics = draft.statistics.map(|s| (s, draft.summary));
    Ok(Asked::Run(Box::new(Settings {
        trace,
        format,
        destination,
        separate,
        statistics,
        injections,
        chaos,
        run,
        warnings,
        stack,
        color,
        user,
    })))
}

/// A seed that nobody has chosen; short, because somebody may want to type it.
fn chance() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() >> 40
}

/// Whether the runs that a campaign or a comparison makes get this option too.
fn is_passed_on(key: &Key) -> bool {
    use Opt::{Append, Chaos, ChaosLog, ChaosShrink, Diff, Format, Output};
    !matches!(key, Key::Strace(Append | Chaos | ChaosLog | ChaosShrink | Diff | Format | Output))
}

/// `--diff`: two operands, and arguments for those that are programs.
fn diff(draft: Draft, mut command: Vec<OsString>) -> Result<Asked, Refusal> {
    if command.len() < 2 {
        return Err(Refusal::with_hint("--diff compares two traces or programs"));
    }
    if draft.statistics.is_some() || draft.format != Format::Text || draft.chaos.is_some() {
        return Err(Refusal::with_hint("--diff cannot be combined with -c, -C, --format and --chaos"));
    }
    let arguments = command.split_off(2);
    let given =
        super::difference::Given { options: draft.passed_on, operands: command, arguments, output: draft.output };
    Ok(Asked::Diff(Box::new(given)))
}

/// What `--chaos` asks for.
enum Faults {
    /// Several runs.
    Campaign(Box<super::campaign::Given>, Box<Again>),
    /// Faults in this one, or none.
    Here(Option<(ChaosOptions, Option<PathBuf>)>),
}

fn chaos(draft: &mut Draft, command: &[OsString]) -> Result<Faults, Refusal> {
    let (log, shrink) = (draft.chaos_log.take(), draft.shrink);
    let Some(options) = draft.chaos.take() else {
        let alone = if shrink { "--chaos-shrink" } else { "--chaos-log" };
        return match shrink || log.is_some() {
            true => Err(Refusal::with_hint(format!("{alone} must be given with --chaos"))),
            false => Ok(Faults::Here(None)),
        };
    };
    if !shrink && options.runs == 1 {
        return Ok(Faults::Here(Some((options, log))));
    }
    if draft.output.is_some() || log.is_some() {
        return Err(Refusal::with_hint("-o/--output and --chaos-log are for single runs"));
    }
    let again = Again { options: std::mem::take(&mut draft.passed_on), command: command.to_vec() };
    Ok(Faults::Campaign(Box::new(super::campaign::Given { options, shrink }), Box::new(again)))
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

/// Records leave no room for anything else in their file.
fn fits_format(draft: &Draft, separate: bool) -> Result<(), Refusal> {
    let with = match draft.format {
        Format::Text => return Ok(()),
        _ if draft.statistics.is_some() => "-c/--summary-only or -C/--summary",
        Format::Perfetto if separate => "-ff/--output-separately",
        Format::Json | Format::Perfetto => return Ok(()),
    };
    Err(Refusal::with_hint(format!("({with}) and --format are mutually exclusive")))
}

/// Options that only lines of text have a place for.
fn only_in_text(trace: &Options) -> impl Iterator<Item = &'static str> {
    let dumps = !trace.dump_read.is_empty() || !trace.dump_write.is_empty();
    let pairs = columns_of(trace).into_iter().chain([(trace.style.names, "-N/--arg-names"), (dumps, "-e read/write")]);
    pairs.filter_map(|(given, name)| given.then_some(name))
}

/// Options that `-c` leaves without a meaning.
fn useless(trace: &Options) -> impl Iterator<Item = &'static str> {
    let details = (trace.style.fds != 0, "-y/--decode-fds");
    columns_of(trace).into_iter().chain([details]).filter_map(|(given, name)| given.then_some(name))
}

/// Columns beside the call, and the options they are asked for with.
fn columns_of(trace: &Options) -> [(bool, &'static str); 5] {
    let columns = &trace.columns;
    [
        (columns.pointer, "-i/--instruction-pointer"),
        (columns.number, "-n/--syscall-number"),
        (columns.relative.is_some(), "-r/--relative-timestamps"),
        (columns.absolute.is_some(), "-t/--absolute-timestamps"),
        (columns.duration.is_some(), "-T/--syscall-times"),
    ]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(words: &str) -> Result<Box<Settings>, String> {
        let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        match from_words(&words) {
            Ok(Asked::Run(settings)) => Ok(settings),
            Ok(Asked::Text(text)) => Err(text),
            Ok(Asked::Diff(_) | Asked::Campaign(..)) => Err("several runs".to_string()),
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
        assert_eq!(wrong("--diff a"), "--diff compares two traces or programs");
        assert_eq!(wrong("--diff -c a b"), "--diff cannot be combined with -c, -C, --format and --chaos");
        assert_eq!(wrong("--diff a b"), "several runs");
        assert_eq!(wrong("--chaos seed=1 --chaos-shrink p"), "several runs");
    }
}

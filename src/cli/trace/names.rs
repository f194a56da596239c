//! The options of `sevm trace` by letter and by name: strace's, and beside them sevm's own.

use super::getopt::{Long, Takes};
use super::qualify;
use super::settings::Statistics;
use crate::cli::options::RunOptions;
use clap::{CommandFactory, Parser};

/// sevm's own options, as clap knows them.
#[derive(Parser)]
#[command(name = "sevm trace", no_binary_name = true, disable_help_flag = true)]
pub struct Own {
    #[command(flatten)]
    pub options: RunOptions,
}

/// strace's options that are not another way to write an expression of `-e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opt {
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
    Format,
    Histogram,
    Chaos,
    ChaosLog,
    ChaosShrink,
    Diff,
    CallLimit,
    /// Taken, and nothing has to be done for it.
    Nothing,
}

/// An option of strace or, by its name, of sevm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Strace(Opt),
    Own(String),
}

/// What a letter stands for.
pub fn short(letter: u8) -> Option<(Key, Takes)> {
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
pub fn long() -> Vec<Long<Key>> {
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
        ("format", Value, Opt::Format),
        ("histogram", Nothing, Opt::Histogram),
        ("chaos", Value, Opt::Chaos),
        ("chaos-log", Value, Opt::ChaosLog),
        ("chaos-shrink", Nothing, Opt::ChaosShrink),
        ("diff", Nothing, Opt::Diff),
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
        ("where", Value, Opt::Qualify(Q::Where)),
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

//! The options of `sevm trace` by letter and by name: strace's, and beside them sevm's own.

use super::getopt::{Long, Takes};
use super::settings::Statistics;
use super::{help, qualify};
use crate::cli::options::RunOptions;
use clap::{Arg, ArgAction, CommandFactory, Parser, ValueHint};

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
    OldFollow,
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
    StackFormat,
    Color,
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
        b'f' => (Opt::Follow, Nothing),
        b'F' => (Opt::OldFollow, Nothing),
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
        ("stack-traces", Perhaps, Opt::StackFormat),
        ("stack-trace", Perhaps, Opt::StackFormat),
        ("color", Perhaps, Opt::Color),
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

/// sevm's own options.
pub fn own_options() -> clap::Command {
    Own::command()
}

/// The subcommand with all its options, for completions and manual pages: [`super::getopt`] takes the words apart.
pub fn command() -> clap::Command {
    let mut command = clap::Command::new("trace")
        .about("Run a program and print its system calls as strace does")
        .disable_help_flag(true)
        .disable_version_flag(true);
    let letters: Vec<(char, Key, Takes)> =
        (b'A'..=b'z').filter_map(|b| short(b).map(|(key, takes)| (char::from(b), key, takes))).collect();
    let mut seen: Vec<Key> = Vec::new();
    for option in long() {
        // Other names of the same option are not offered.
        if seen.contains(&option.key) {
            continue;
        }
        let spelled = format!("--{}", option.name);
        let own = match &option.key {
            Key::Own(name) => own_options().get_arguments().find(|a| a.get_long() == Some(name)).cloned(),
            Key::Strace(_) => None,
        };
        let help = own.as_ref().and_then(|a| a.get_help().map(ToString::to_string)).or_else(|| help::of(&spelled));
        let letter = letters.iter().find(|(_, key, _)| *key == option.key).map(|l| l.0);
        let arg = arg(option.name.clone(), option.takes).long(option.name.clone());
        let arg = letter.map_or(arg.clone(), |c| arg.short(c));
        let hidden = own.as_ref().is_some_and(|a| a.is_hide_set()) || help.is_none();
        command = command.arg(arg.help(help.unwrap_or_default()).hide(hidden));
        seen.push(option.key);
    }
    for (letter, key, takes) in letters {
        if !seen.contains(&key) {
            let help = help::of(&format!("-{letter}"));
            let hidden = help.is_none();
            command =
                command.arg(arg(letter.to_string(), takes).short(letter).help(help.unwrap_or_default()).hide(hidden));
        }
    }
    let program = Arg::new("program").num_args(0..).trailing_var_arg(true).value_name("PROGRAM [ARG]");
    command.arg(program.value_hint(ValueHint::CommandWithArguments))
}

fn arg(name: String, takes: Takes) -> Arg {
    let arg = Arg::new(name);
    match takes {
        Takes::Nothing => arg.action(ArgAction::Count),
        Takes::Value => arg.action(ArgAction::Append),
        Takes::Perhaps => arg.action(ArgAction::Append).num_args(0..=1).require_equals(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options that do nothing here, or are answered with a reason why not: the help does not offer them.
    const UNTOLD: &[&str] = &["debug", "daemonize", "attach", "kvm", "seccomp-bpf", "stack-traces", "user"];

    /// The help names every option of the table, and no other.
    #[test]
    fn help_is_complete() {
        let table = long();
        let mut told: Vec<Key> = Vec::new();
        for option in &table {
            if matches!(option.key, Key::Own(_)) || help::of(&format!("--{}", option.name)).is_some() {
                told.push(option.key.clone());
            }
        }
        for option in &table {
            let known = told.contains(&option.key) || UNTOLD.contains(&option.name.as_str());
            let same = |o: &&Long<Key>| o.key == option.key && UNTOLD.contains(&o.name.as_str());
            assert!(known || table.iter().any(|o| same(&o)), "--{} is not in the help", option.name);
        }
        for letter in (b'A'..=b'z').filter(|b| short(*b).is_some()) {
            let letter = char::from(letter);
            let untold = ['d', 'D', 'F', 'L', 'p', 'e', 'k', 'u'].contains(&letter);
            assert!(untold || help::of(&format!("-{letter}")).is_some(), "-{letter} is not in the help");
        }
        for entry in help::sections().iter().flat_map(|s| &s.options) {
            for word in entry.spelled.split([',', ' ', '=', '[']).filter_map(|w| w.strip_prefix("--")) {
                assert!(table.iter().any(|o| o.name == word), "--{word} does not exist");
            }
        }
    }

    #[test]
    fn command_is_sound() {
        command().debug_assert();
    }
}

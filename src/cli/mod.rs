//! The command line: one file a subcommand. Does not know how anything is done, only what was asked for.

mod binfmt;
mod doctor;
mod manual;
mod options;
mod run;
mod syscalls;
mod trace;
mod values;

use crate::Error;
use crate::kernel::ExitStatus;
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// Exit status for sevm's own failures that are not about the program file.
const FAILURE: u8 = 125;

/// Exit status of a deterministic run whose threads all wait for one another.
const DEADLOCK: u8 = 120;

#[derive(Parser)]
#[command(name = "sevm", version, about, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program; its exit status is sevm's.
    Run(Box<run::Args>),
    /// Run a program and print its system calls as strace does.
    Trace(trace::Args),
    /// Print the table of system calls and how complete each is.
    Syscalls(syscalls::Args),
    /// Tell what sevm can use on this machine.
    Doctor(doctor::Args),
    /// Let this machine's kernel start foreign programs with sevm (binfmt_misc).
    Binfmt(binfmt::Args),
    /// Write the manual pages.
    Man(manual::ManArgs),
    /// Print completions for a shell.
    Completions(manual::CompletionsArgs),
}

/// The whole command line, with every option of `sevm trace`.
fn command() -> clap::Command {
    Cli::command().mut_subcommand("trace", |_| trace::command())
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    // Without /proc nobody can tell; such a kernel has not started sevm for a program either.
    let auxv = std::fs::read("/proc/self/auxv").unwrap_or_default();
    let args = binfmt::as_command(&args, &auxv).unwrap_or(args);
    if args.get(1).is_some_and(|word| word == "trace") {
        return trace::main(&args[2..], status);
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return if e.use_stderr() { ExitCode::from(FAILURE) } else { ExitCode::SUCCESS };
        }
    };
    let result = match cli.command {
        Command::Run(args) => run::main(*args),
        Command::Trace(args) => return trace::main(&args.words, status),
        Command::Syscalls(args) => syscalls::main(args),
        Command::Doctor(args) => doctor::main(args),
        Command::Binfmt(args) => binfmt::main(args),
        Command::Man(args) => manual::man(args),
        Command::Completions(args) => manual::completions(args),
    };
    status(result)
}

/// The exit status of sevm for what became of a run.
fn status(result: Result<ExitStatus, Error>) -> ExitCode {
    match result {
        Ok(ExitStatus::Code(code)) => ExitCode::from(code as u8),
        Ok(ExitStatus::Signal { signal, .. }) => {
            crate::host::die_by_signal(signal);
            // Only where the signal cannot be raised: what a shell reports for it.
            ExitCode::from(128u8.wrapping_add(signal.0))
        }
        Err(e) => {
            eprintln!("sevm: {e}");
            ExitCode::from(match e {
                Error::Load { status, .. } => status,
                Error::Limit { limit, .. } => limit.status(),
                Error::Deadlock(_) => DEADLOCK,
                _ => FAILURE,
            })
        }
    }
}

//! `sevm trace`: strace's options.

use super::options::RunOptions;
use crate::Error;
use crate::kernel::ExitStatus;
use crate::trace::{Filter, Flush, Options, Style, TextSink};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `sevm trace`.
#[derive(clap::Args)]
#[command(override_usage = "sevm trace [OPTIONS] PROGRAM [ARG]...")]
pub struct Args {
    /// Write the trace to FILE instead of standard error
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Follow the threads and processes that the program creates
    #[arg(short = 'f', long = "follow-forks")]
    follow: bool,
    /// Show only these calls: names, ?name, /regex, %class, joined by commas, ! in front for all others
    #[arg(short = 'e', long = "trace", value_name = "[trace=]SET")]
    expressions: Vec<String>,
    /// Show at most SIZE bytes of a string
    #[arg(short = 's', long = "string-limit", value_name = "SIZE", default_value_t = 32)]
    limit: usize,
    /// Show structs and environments in full
    #[arg(short = 'v', long = "no-abbrev")]
    verbose: bool,
    /// Column of the equals sign
    #[arg(short = 'a', long = "columns", value_name = "COLUMN", default_value_t = 40)]
    column: usize,
    #[command(flatten)]
    options: RunOptions,
}

impl Args {
    fn sink(&self) -> Result<TextSink, Error> {
        // The last expression counts, as in strace.
        let filter = match self.expressions.last() {
            Some(e) => Filter::from_option(e).map_err(|e| Error::Usage(e.to_string()))?,
            None => Filter::all(),
        };
        let options = Options {
            follow: self.follow,
            pid_column: self.follow && self.output.is_some(),
            column: self.column,
            style: Style { limit: self.limit, verbose: self.verbose },
            filter,
        };
        let (writer, flush): (Box<dyn Write>, _) = match &self.output {
            Some(path) => {
                let file = File::create(path)
                    .map_err(|source| Error::Host { what: format!("cannot open '{}'", path.display()), source })?;
                (Box::new(file), Flush::Buffered)
            }
            None => (Box::new(std::io::stderr()), Flush::AtOnce),
        };
        Ok(TextSink::new(options, writer, flush))
    }
}

/// Runs a program and prints its calls.
pub fn main(args: Args) -> Result<ExitStatus, Error> {
    let sink = args.sink()?;
    let (mut machine, pid) = args.options.boot()?;
    machine.observe(Box::new(sink));
    args.options.run(machine, pid)
}

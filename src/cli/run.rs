//! `sevm run`.

use super::options::RunOptions;
use crate::Error;
use crate::kernel::ExitStatus;
use crate::report::Stats;
use std::io::Write;
use std::time::Instant;

/// Arguments of `sevm run`.
#[derive(clap::Args)]
pub struct Args {
    /// Print what the run has cost at its end: as a table, or as json
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    stats: Option<StatsFormat>,
    #[command(flatten)]
    options: RunOptions,
}

/// How the numbers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum StatsFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Runs a program. Nothing but the program's own output is printed, unless statistics are asked for: those go to
/// standard error.
pub fn main(args: Args) -> Result<ExitStatus, Error> {
    let (mut machine, pid) = args.options.boot()?;
    machine.kernel.config.count_pages = args.stats.is_some();
    let start = Instant::now();
    let result = machine.run(pid);
    if let Some(format) = args.stats {
        let stats = Stats::collect(&machine, start.elapsed());
        let text = match format {
            StatsFormat::Table => stats.table(),
            StatsFormat::Json => stats.to_json()?,
        };
        // Nobody can be told where even standard error is closed.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    result
}

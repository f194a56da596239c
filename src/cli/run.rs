//! `sevm run`.

use super::options::RunOptions;
use crate::Error;
use crate::kernel::ExitStatus;

/// Arguments of `sevm run`.
#[derive(clap::Args)]
#[command(override_usage = "sevm run [OPTIONS] PROGRAM [ARG]...")]
pub struct Args {
    #[command(flatten)]
    options: RunOptions,
}

/// Runs a program. Nothing but the program's own output is printed, unless statistics are asked for.
pub fn main(args: Args) -> Result<ExitStatus, Error> {
    let (machine, pid) = args.options.boot()?;
    args.options.run(machine, pid)
}

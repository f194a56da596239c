//! `sevm trace`.

use super::options::RunOptions;
use crate::Error;
use crate::kernel::ExitStatus;

/// Arguments of `sevm trace`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: RunOptions,
}

/// Runs a program and prints its calls.
pub fn main(args: Args) -> Result<ExitStatus, Error> {
    let (mut machine, pid) = args.options.boot()?;
    machine.run(pid)
}

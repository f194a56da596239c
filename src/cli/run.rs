//! `sevm run`.

use super::options::RunOptions;
use crate::Error;
use crate::kernel::ExitStatus;

/// Arguments of `sevm run`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: RunOptions,
}

/// Runs a program. Nothing but the program's own output is printed.
pub fn main(args: Args) -> Result<ExitStatus, Error> {
    let (mut machine, pid) = args.options.boot()?;
    machine.run(pid)
}

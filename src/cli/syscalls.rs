//! `sevm syscalls`.

use crate::Error;
use crate::kernel::ExitStatus;

/// Arguments of `sevm syscalls`.
#[derive(clap::Args)]
pub struct Args {}

/// Prints the table.
pub fn main(_: Args) -> Result<ExitStatus, Error> {
    Ok(ExitStatus::Code(0))
}

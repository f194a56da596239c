//! `sevm syscalls`.

use crate::Error;
use crate::arch::Arch;
use crate::kernel::ExitStatus;
use crate::syscalls::report::{self, Format};
use std::io::Write;

/// Arguments of `sevm syscalls`.
#[derive(clap::Args)]
pub struct Args {
    /// Only the calls of this architecture: x86_64 or aarch64
    #[arg(long, value_name = "ARCH")]
    arch: Option<Arch>,
    /// table, md, csv or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// Prints the table.
pub fn main(args: Args) -> Result<ExitStatus, Error> {
    let text = report::render(args.arch, args.format)?;
    match std::io::stdout().write_all(text.as_bytes()) {
        // A reader that has seen enough, such as head(1).
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitStatus::Code(0)),
        Err(source) => Err(Error::Host { what: "standard output".to_string(), source }),
        Ok(()) => Ok(ExitStatus::Code(0)),
    }
}

//! `sevm doctor`: what works on this machine and why.

use crate::arch::Arch;
use crate::kernel::ExitStatus;
use crate::mem::Windows;
use crate::{Error, cpu};

/// Arguments of `sevm doctor`.
#[derive(clap::Args)]
pub struct Args {}

/// Tries what a run needs and prints how it went; status 1 if something that every run needs is missing.
pub fn main(_: Args) -> Result<ExitStatus, Error> {
    let mut ok = true;
    let mut say = |what: &str, result: Result<String, String>| match result {
        Ok(detail) => println!("ok       {what}: {detail}"),
        Err(why) => {
            ok = false;
            println!("missing  {what}: {why}");
        }
    };
    say("host", Ok(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)));
    for bits in [40, 39, 36, 32] {
        let result = Windows::new(bits).and_then(|w| crate::mem::Space::new(&w).map(|s| s.limit()));
        match result {
            Ok(limit) => {
                say("address space", Ok(format!("{limit:#x} bytes a process (--address-bits {bits})")));
                break;
            }
            Err(e) if bits == 32 => say("address space", Err(e.to_string())),
            Err(_) => {}
        }
    }
    for arch in Arch::ALL {
        let opened = cpu::open("auto", arch);
        say(
            &format!("cpu for {arch}"),
            opened.map(|c| format!("{} (--cpu auto)", c.name())).map_err(|e| e.to_string()),
        );
    }
    Ok(ExitStatus::Code(i32::from(!ok)))
}

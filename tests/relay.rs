//! Programs of one architecture that start programs of the other: vfork, execve, posix_spawn, by descriptor, by a thread,
//! by a script. No reference can run this, so what must be printed stands here.

mod common;

use common::build::{Build, Libc};
use common::{Arch, Job, Place};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn program(arch: Arch) -> Build {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/relay.c");
    Build { source, arch, libc: Libc::Glibc, flags: ["-O1", "-w", "-pthread"].map(String::from).to_vec() }
}

/// What a program prints that starts programs of `other`.
fn expected(other: &str) -> String {
    // The script's interpreter gets "code" and the script's name, which is no number.
    format!(
        "vfork and execve: code 21\nmemory was shared 1\nvfork and a failure: code 22\n\
         {other} sees pid 1 ignored 1 caught 0 blocked 1 file 3 def closed 1 environment passed on\n\
         fork and execl: code 5\nposix_spawn 0\nposix_spawn: code 25\nposix_spawn of nothing ENOENT\nfexecve: code 25\n\
         execve by a thread: code 23\nten times there and back: code 24\ndeath: TERM\nscript: code 0\n\
         {other} sees pid 1 ignored 0 caught 0 blocked 0 file 3 abc closed 1 environment through a pipe\n\
         child: code 5\nshared 26\n"
    )
}

fn check(first: Arch, other: Arch, options: &[&str]) -> Result<(), String> {
    let (one, two) = (program(first).get()?, program(other).get()?);
    let place = Place::new()?;
    let mut command = common::sevm_run(options);
    command.push(one.clone().into());
    let args = ["all".into(), two.into_os_string(), one.into_os_string()];
    let job = Job { args: &args, env: &[], stdin: None, timeout: Duration::from_secs(60), prepare: &|_| Ok(()) };
    let actual = place.run(&command, &job)?;
    let wanted = expected(other.name());
    if actual.stdout != wanted.as_bytes() || actual.status.code() != Some(0) {
        let text = common::difference(wanted.as_bytes(), &actual.stdout);
        return Err(format!("{}\n{text}\n{}", actual.status, String::from_utf8_lossy(&actual.stderr)));
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (first, other) in [(Arch::X86_64, Arch::Aarch64), (Arch::Aarch64, Arch::X86_64), (Arch::Aarch64, Arch::Aarch64)]
    {
        for options in [&[][..], &["--deterministic"]] {
            let name = format!("{}_starts_{}{}", first.name(), other.name(), options.concat());
            let needs = program(first).needs().and_then(|()| program(other).needs());
            trials.push(common::trial(name, needs, move || check(first, other, options)));
        }
    }
    common::run_trials(trials)
}

//! Sockets and the world outside of the machine: none of it with `--no-network`, and UNIX sockets of other programs.

mod common;

use common::build::{Build, Libc};
use common::{Arch, Job, Place};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// What `tests/data/no_network.c` prints in a new network namespace of Linux, but for IPv6, whose error there is
/// EADDRNOTAVAIL.
const ALONE: &str = "\
TCP ok\nconnect ENETUNREACH\nbind to loopback ok\nconnect far away ENETUNREACH\nUDP ok\nsendto ENETUNREACH\n\
connect UDP ENETUNREACH\nsend EDESTADDRREQ\nIPv6 ok\nconnect IPv6 ENETUNREACH\nbind to any ok\ngetsockname ok\n\
port 1 length 16\nlisten ok\naccept EAGAIN\ngetpeername ENOTCONN\nSO_REUSEADDR ok\nsocketpair ok\nwrite ok\n";

/// What it prints more when asked for other families.
const REFUSED: &str = "netlink EACCES\npacket EACCES\n";

/// What `tests/data/outside.c` prints.
const TALK: &str = "\
connect to nothing ENOENT\nconnect to a file ECONNREFUSED\nconnect to nobody ECONNREFUSED\nwrong type EPROTOTYPE\n\
connect ok\nagain EISCONN\ngetpeername ok\npeer known\nwrite 9\npoll 1\nread 7 answer\n\nsendmsg 1\nshutdown ok\n\
last fcontent\n";

fn program(name: &str, arch: Arch) -> Build {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(format!("{name}.c"));
    Build { source, arch, libc: Libc::Glibc, flags: ["-O1", "-w"].map(String::from).to_vec() }
}

fn no_network(arch: Arch) -> Result<(), String> {
    let program = program("no_network", arch).get()?;
    let place = Place::new()?;
    let trace = place.beside("trace");
    for (args, wanted) in [(vec![], ALONE.to_string()), (vec!["more".into()], format!("{ALONE}{REFUSED}"))] {
        let job = Job { args: &args, env: &[], stdin: None, timeout: Duration::from_secs(60), prepare: &|_| Ok(()) };
        let mut command = common::sevm_run(&["--no-network"]);
        command[1] = "trace".into();
        command.splice(2..2, ["-o".into(), trace.clone().into_os_string()]);
        command.push(program.clone().into());
        let actual = place.run(&command, &job)?;
        same(&wanted, &actual.stdout)?;
    }
    let trace = std::fs::read_to_string(trace).map_err(|e| e.to_string())?;
    for (call, errno) in [("connect(", "ENETUNREACH"), ("sendto(", "ENETUNREACH"), ("socket(AF_NETLINK", "EACCES")] {
        let failed = |l: &&str| l.starts_with(call) && l.contains(errno) && l.ends_with("(NO NETWORK)");
        if !trace.lines().any(|l| failed(&l)) {
            return Err(format!("the trace does not say why {call} fails:\n{trace}"));
        }
    }
    Ok(())
}

fn same(wanted: &str, actual: &[u8]) -> Result<(), String> {
    if wanted.as_bytes() == actual { Ok(()) } else { Err(common::difference(wanted.as_bytes(), actual)) }
}

fn talk(command: Vec<std::ffi::OsString>) -> Result<(), String> {
    let place = Place::new()?;
    // The name is short enough for sockaddr_un wherever the target directory is.
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path: PathBuf = dir.path().join("s");
    let native = program("outside", Arch::ALL[usize::from(cfg!(target_arch = "aarch64"))]).get()?;
    let server = Command::new(native).arg(&path).arg("serve").stdin(Stdio::null()).spawn();
    let mut server = Server(server.map_err(|e| e.to_string())?);
    let until = Instant::now() + Duration::from_secs(30);
    while !path.exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
    let stale = |work: &Path| {
        // A node whose socket is gone. It is bound elsewhere for the same reason.
        let made = dir.path().join("t");
        drop(UnixListener::bind(&made)?);
        let moved = Command::new("mv").args([&made, &work.join("stale")]).status()?;
        if moved.success() { Ok(()) } else { Err(std::io::Error::other("mv failed")) }
    };
    let args = [path.into_os_string()];
    let job = Job { args: &args, env: &[], stdin: None, timeout: Duration::from_secs(60), prepare: &stale };
    let actual = place.run(&command, &job)?;
    same(TALK, &actual.stdout)?;
    let status = server.0.wait().map_err(|e| e.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("server: {status}")) }
}

/// The program outside; it does not outlive the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for arch in Arch::ALL {
        let needs = program("no_network", arch).needs();
        trials.push(common::trial(format!("no_network::{}", arch.name()), needs, move || no_network(arch)));
        let needs = program("outside", arch).needs();
        trials.push(common::trial(format!("unix_outside::{}", arch.name()), needs, move || {
            let mut command = common::sevm_run::<&str>(&[]);
            command.push(program("outside", arch).get()?.into());
            talk(command)
        }));
        if let Ok(mut command) = arch.reference() {
            let needs = program("outside", arch).needs();
            trials.push(common::trial(format!("unix_outside_reference::{}", arch.name()), needs, move || {
                command.push(program("outside", arch).get()?.into());
                talk(command)
            }));
        }
    }
    common::run_trials(trials)
}

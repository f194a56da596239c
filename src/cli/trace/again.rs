//! Runs `sevm trace` again, as a child, on behalf of a comparison or a campaign.

use super::getopt::Given;
use super::{Refusal, names::Key, reason};
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Options and program of the runs.
#[derive(Clone, Debug)]
pub struct Again {
    /// Options of `sevm trace`.
    pub options: Vec<OsString>,
    /// The program and its arguments.
    pub command: Vec<OsString>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Not within its time.
    Late,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Code(code) => write!(f, "exit status {code}"),
            Ended::Signal(signal) => match u8::try_from(*signal) {
                Ok(n) => write!(f, "{}", crate::abi::Signal(n).name()),
                Err(_) => write!(f, "signal {signal}"),
            },
            Ended::Late => write!(f, "no end within its time"),
        }
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Ended {
        status.code().map_or_else(|| Ended::Signal(status.signal().unwrap_or(0)), Ended::Code)
    }
}

/// The words that give an option again.
pub fn words(given: &Given<Key>) -> Vec<OsString> {
    let mut word = OsString::from(&given.spelled);
    match &given.value {
        None => vec![word],
        Some(value) if given.spelled.starts_with("--") => {
            word.push("=");
            word.push(value);
            vec![word]
        }
        Some(value) => vec![word, value.clone()],
    }
}

impl Again {
    /// Runs the program, with these options too. Its output is not kept, and it has no input.
    ///
    /// # Errors
    /// sevm cannot be started.
    pub fn run(&self, more: &[OsString], limit: Option<Duration>) -> Result<Ended, Refusal> {
        let failed = |e: std::io::Error| Refusal::plain(format!("cannot start sevm again: {}", reason(&e)));
        let sevm = std::env::current_exe().map_err(failed)?;
        let mut child = Command::new(sevm)
            .arg("trace")
            .args(&self.options)
            .args(more)
            .arg("--")
            .args(&self.command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        await_end(&mut child, limit).map_err(failed)
    }
}

fn await_end(child: &mut Child, limit: Option<Duration>) -> std::io::Result<Ended> {
    let Some(limit) = limit else { return Ok(child.wait()?.into()) };
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.into());
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(Ended::Late);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A file for what a run writes; removed at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A new, empty file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Scratch, Refusal> {
        let dir = std::env::temp_dir();
        for n in 0..1000 {
            let path = dir.join(format!("sevm-{}-{n}", std::process::id()));
            match std::fs::File::create_new(&path) {
                Ok(_) => return Ok(Scratch(path)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Refusal::plain(format!("cannot make '{}': {}", path.display(), reason(&e)))),
            }
        }
        Err(Refusal::plain(format!("cannot make a file in '{}'", dir.display())))
    }

    /// What has been written to it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn text(&self) -> Result<String, Refusal> {
        let bytes = std::fs::read(&self.0);
        let bytes = bytes.map_err(|e| Refusal::plain(format!("cannot read '{}': {}", self.0.display(), reason(&e))))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// `NAME=FILE`, an option that says to write here.
    pub fn option(&self, name: &str) -> OsString {
        let mut word = OsString::from(format!("{name}="));
        word.push(&self.0);
        word
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = std::fs::remove_file(&self.0);
    }
}

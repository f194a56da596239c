//! A program in a terminal of the host, which a test types into and whose screen it reads.

use super::{Outcome, Place, environment, snapshot};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// After how long without output the program is taken to wait for keys.
const QUIET: Duration = Duration::from_millis(300);
/// How long an awaited text may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A text to wait for, then keys to send.
pub struct Step<'a> {
    pub text: &'a str,
    pub keys: &'a str,
}

/// What is the same for each run of a session.
pub struct Session<'a> {
    pub steps: &'a [Step<'a>],
    pub env: &'a [(String, String)],
    /// Fills the directory before each run.
    pub prepare: &'a dyn Fn(&Path) -> Result<(), String>,
}

impl Session<'_> {
    /// Runs `command` in a terminal of 24 lines of 80. What the terminal showed is the outcome's stdout.
    ///
    /// # Errors
    /// No terminal, a text that did not appear, or a program that did not end after the last step.
    pub fn run(&self, command: &[OsString], place: &Place) -> Result<Outcome, String> {
        let say = |e: rustix::io::Errno| format!("terminal: {e}");
        let work = place.fresh()?;
        (self.prepare)(&work)?;
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).map_err(say)?;
        grantpt(&master).map_err(say)?;
        unlockpt(&master).map_err(say)?;
        let name = ptsname(&master, vec![]).map_err(say)?;
        let terminal = open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).map_err(say)?;
        let size = rustix::termios::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&terminal, size).map_err(say)?;
        // Linux sends the signal of a key first and throws waiting output away then: a prompt that comes fast is lost.
        let mut modes = rustix::termios::tcgetattr(&terminal).map_err(say)?;
        modes.local_modes.insert(rustix::termios::LocalModes::NOFLSH);
        rustix::termios::tcsetattr(&terminal, rustix::termios::OptionalActions::Now, &modes).map_err(say)?;
        let end = || terminal.try_clone().map_err(|e| e.to_string());
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .env_clear()
            .envs(environment(&work))
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .current_dir(&work)
            .stdin(end()?)
            .stdout(end()?)
            .stderr(end()?)
            .spawn()
            .map_err(|e| e.to_string())?;
        drop(terminal);
        let mut master = File::from(master);
        let mut shown = vec![];
        let talk = self.talk(&mut master, &mut shown);
        if talk.is_err() {
            let _ = child.kill();
        }
        let status = child.wait().map_err(|e| e.to_string())?;
        talk?;
        let files = snapshot::of(&work).map_err(|e| e.to_string())?;
        Ok(Outcome { stdout: shown, stderr: vec![], status, files })
    }

    /// Sends the keys and collects what is shown, until the program closes the terminal.
    fn talk(&self, master: &mut File, shown: &mut Vec<u8>) -> Result<(), String> {
        let mut from = 0;
        for Step { text, keys } in self.steps {
            let started = Instant::now();
            loop {
                let seen = text.is_empty() || shown[from..].windows(text.len()).any(|w| w == text.as_bytes());
                if started.elapsed() > PATIENCE {
                    let so_far = String::from_utf8_lossy(shown);
                    return Err(format!("{text:?} did not appear before {keys:?}; shown: {so_far:?}"));
                }
                match receive(master, shown, QUIET)? {
                    Received::Bytes => {}
                    Received::Nothing if seen => break,
                    Received::Nothing => {}
                    Received::End => return Ok(()),
                }
            }
            from = shown.len();
            master.write_all(keys.as_bytes()).map_err(|e| e.to_string())?;
        }
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Received::End = receive(master, shown, QUIET)? {
                return Ok(());
            }
        }
        Err(format!("did not end; shown: {:?}", String::from_utf8_lossy(shown)))
    }
}

enum Received {
    Bytes,
    Nothing,
    End,
}

/// Reads what the terminal shows, waiting at most so long for more.
fn receive(master: &mut File, shown: &mut Vec<u8>, wait: Duration) -> Result<Received, String> {
    let timeout = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
    let fd = master.as_fd();
    match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout)) {
        Ok(0) => return Ok(Received::Nothing),
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(Received::Nothing),
        Err(e) => return Err(e.to_string()),
    }
    let mut buffer = [0; 4096];
    match master.read(&mut buffer) {
        Ok(0) => Ok(Received::End),
        Ok(n) => {
            shown.extend(&buffer[..n]);
            Ok(Received::Bytes)
        }
        // The other side is closed.
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(Received::End),
        Err(e) => Err(e.to_string()),
    }
}

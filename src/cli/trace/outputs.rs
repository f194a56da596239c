//! Where a trace is written: standard error, files, or a command. What cannot be written is told once, and the program
//! goes on as if nothing had happened.

use super::settings::{Destination, Settings, Statistics};
use super::{Refusal, reason};
use crate::trace::{Flush, Opener, Output};
use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::rc::Rc;

/// A command that reads the trace; it is waited for at the end.
pub(super) struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        // The pipe to it is closed before this; there is nobody to tell how it ended.
        let _ = self.0.wait();
    }
}

type Writer = Box<dyn Write>;

/// Where the lines go and where the table of `-c` goes; either may not be wanted.
pub(super) fn open_all(
    settings: &Settings,
    reader: &mut Option<Reader>,
) -> Result<(Option<Output>, Option<Writer>), Refusal> {
    let wants_text = !matches!(settings.statistics, Some((Statistics::Only, _)));
    let wants_table = settings.statistics.is_some();
    let (writer, flush): (Shared, Flush) = match &settings.destination {
        Destination::Stderr => (Shared::new("standard error", Rc::new(std::io::stderr())), Flush::AtOnce),
        Destination::File(path, append) if settings.separate => {
            let (path, append) = (path.clone(), *append);
            let failed = Rc::new(Cell::new(false));
            let opener: Opener = Box::new(move |tid| {
                let name = [path.as_os_str().as_bytes(), format!(".{tid}").as_bytes()].concat();
                let name = Path::new(OsStr::from_bytes(&name));
                let file = open(name, append)?;
                let to = Rc::new(file);
                Ok(Box::new(Shared { name: name.display().to_string(), to, failed: Rc::clone(&failed) }) as Writer)
            });
            return Ok((Some(Output::Separate(opener)), None));
        }
        Destination::File(path, append) => {
            let file = open(path, *append)
                .map_err(|e| Refusal::plain(format!("Can't fopen '{}': {}", path.display(), reason(&e))))?;
            (Shared::new(&path.display().to_string(), Rc::new(file)), Flush::Buffered)
        }
        Destination::Command(command) => {
            let mut child = std::process::Command::new("/bin/sh")
                .arg("-c")
                .arg(command)
                .stdin(Stdio::piped())
                .spawn()
                .map_err(|e| Refusal::plain(format!("popen failed: {}", reason(&e))))?;
            let pipe = child.stdin.take().ok_or_else(|| Refusal::plain("popen failed"))?;
            *reader = Some(Reader(child));
            (Shared::new(&format!("|{}", command.to_string_lossy()), Rc::new(pipe)), Flush::Buffered)
        }
    };
    let text = wants_text.then(|| Output::One(Box::new(writer.clone()), flush));
    let table = wants_table.then(|| Box::new(writer) as Writer);
    Ok((text, table))
}

fn open(path: &Path, append: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    if append {
        options.append(true)
    } else {
        options.write(true).truncate(true)
    };
    options.create(true).open(path)
}

/// A writer that lines and table share: both write whole pieces, one after the other.
trait SharedWrite {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize>;
}

impl SharedWrite for std::io::Stderr {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lock().write(bytes)
    }
}

impl SharedWrite for File {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut file = self;
        file.write(bytes)
    }
}

impl SharedWrite for std::process::ChildStdin {
    fn write_shared(&self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut pipe = self;
        pipe.write(bytes)
    }
}

/// A place to write to, by its name for messages.
#[derive(Clone)]
struct Shared {
    name: String,
    to: Rc<dyn SharedWrite>,
    /// It could not be written to: the user knows, and nothing more is tried.
    failed: Rc<Cell<bool>>,
}

impl Shared {
    fn new(name: &str, to: Rc<dyn SharedWrite>) -> Shared {
        Shared { name: name.to_string(), to, failed: Rc::default() }
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.failed.get() {
            return Ok(bytes.len());
        }
        match self.to.write_shared(bytes) {
            Err(e) if e.kind() != std::io::ErrorKind::Interrupted => {
                self.failed.set(true);
                // Standard error may be what cannot be written to.
                let _ = writeln!(std::io::stderr(), "sevm: {}: {}", self.name, reason(&e));
                Ok(bytes.len())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

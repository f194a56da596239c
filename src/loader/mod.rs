//! From an ELF file to memory that is ready to run: segments, and the initial stack.
//!
//! [`elf::Headers::read`] judges a file, [`load`] maps it (and its interpreter) and [`stack::build`] lays out what the
//! program finds at its stack pointer. Does not know processes, descriptors or CPUs.

pub mod elf;
pub mod stack;
pub mod vdso;

use crate::abi::Errno;
use crate::arch::Arch;
use crate::mem::{GuestAddr, Space};
use std::os::fd::BorrowedFd;
use std::rc::Rc;

/// Why a file cannot be run. Each is one clear line for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The host would not give it.
    #[error("{}", .0.text().unwrap_or("unknown error"))]
    Host(Errno),
    /// It is a directory, device, socket or pipe.
    #[error("not a regular file")]
    NotRegular,
    /// No execute permission.
    #[error("Permission denied")]
    NotExecutable,
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// No ELF magic.
    #[error("not an ELF file")]
    NotElf,
    /// An ELF file, but not one that sevm runs; says why.
    #[error("{0}")]
    Unsupported(String),
    /// It ends before something that its headers promise.
    #[error("truncated ELF file: {0} lies beyond its end")]
    Truncated(&'static str),
    /// Headers that contradict themselves; says how.
    #[error("malformed ELF file: {0}")]
    Malformed(String),
    /// The address space has no room for it.
    #[error("no room in the address space for {0}")]
    NoRoom(&'static str),
    /// The interpreter that it names cannot be used.
    #[error("interpreter {path}: {reason}")]
    Interpreter {
        /// As PT_INTERP has it.
        path: String,
        /// Why not.
        reason: Box<LoadError>,
    },
}

impl LoadError {
    /// The exit status a shell gives: 127 if there is no such program, else 126.
    pub fn status(&self) -> u8 {
        match self {
            LoadError::Host(Errno::ENOENT | Errno::ENOTDIR) => 127,
            _ => 126,
        }
    }

    /// What execve(2) fails with.
    pub fn errno(&self) -> Errno {
        match self {
            // Linux sees that it cannot be executed first.
            LoadError::Host(Errno::EISDIR) => Errno::EACCES,
            LoadError::Host(e) => *e,
            LoadError::NotRegular | LoadError::NotExecutable => Errno::EACCES,
            LoadError::Interpreter { reason, .. } => match **reason {
                LoadError::Host(e) => e,
                _ => Errno::ELIBBAD,
            },
            LoadError::NoRoom(_) => Errno::ENOMEM,
            _ => Errno::ENOEXEC,
        }
    }
}

/// An open file that may be a program.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// The host's file.
    pub fd: BorrowedFd<'a>,
    /// Its path as the guest sees it.
    pub path: Rc<[u8]>,
    /// `st_dev`.
    pub dev: u64,
    /// `st_ino`.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
}

impl Image<'_> {
    /// Reads up to `len` bytes at `offset`; fewer at the end of the file.
    ///
    /// # Errors
    /// What the host gives.
    pub fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, LoadError> {
        let mut buf = vec![0; len];
        let mut done = 0;
        while done < len {
            match rustix::io::pread(self.fd, &mut buf[done..], offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(LoadError::Host(e.into())),
            }
        }
        buf.truncate(done);
        Ok(buf)
    }
}

/// Where a program has come to lie.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its architecture.
    pub arch: Arch,
    /// First instruction: the interpreter's if there is one.
    pub start: GuestAddr,
    /// The program's own entry (AT_ENTRY).
    pub entry: GuestAddr,
    /// Address of the program headers (AT_PHDR), zero if they are not mapped.
    pub phdr: GuestAddr,
    /// Number of program headers (AT_PHNUM).
    pub phnum: u64,
    /// Where the interpreter lies (AT_BASE), zero without one.
    pub base: GuestAddr,
    /// Start and end of code.
    pub code: (GuestAddr, GuestAddr),
    /// Start and end of data.
    pub data: (GuestAddr, GuestAddr),
    /// Where the program break starts.
    pub brk: GuestAddr,
    /// The stack shall be executable (PT_GNU_STACK).
    pub exec_stack: bool,
}

/// Maps a program, and the interpreter it asks for, into an empty space, and sets the program break.
///
/// # Errors
/// Why it cannot be run. The space may then hold a part of it.
pub fn load(space: &mut Space, image: &Image<'_>, interpreter: Option<&Image<'_>>) -> Result<Loaded, LoadError> {
    let headers = elf::Headers::read(image)?;
    let bias = elf::program_bias(&headers, space.limit())?;
    let main = elf::map(space, image, &headers, bias)?;
    let brk = main.data.1.0.max(main.end.0);
    let brk = GuestAddr(crate::mem::page_align(brk).ok_or(LoadError::NoRoom("the program break"))?);
    space.set_brk_start(brk);
    let mut loaded = Loaded {
        arch: headers.arch,
        start: main.entry,
        entry: main.entry,
        phdr: main.phdr,
        phnum: u64::from(headers.phnum),
        base: GuestAddr::NULL,
        code: main.code,
        data: main.data,
        brk,
        exec_stack: headers.exec_stack,
    };
    if let Some(image) = interpreter {
        let wrap = |reason| LoadError::Interpreter {
            path: String::from_utf8_lossy(headers.interpreter.as_deref().unwrap_or_default()).into_owned(),
            reason: Box::new(reason),
        };
        let inner = elf::Headers::read(image).map_err(wrap)?;
        if inner.arch != headers.arch {
            return Err(wrap(LoadError::Unsupported(format!("it is for {}", inner.arch))));
        }
        let bias = elf::interpreter_bias(space, &inner).map_err(wrap)?;
        let mapped = elf::map(space, image, &inner, bias).map_err(wrap)?;
        loaded.start = mapped.entry;
        loaded.base = GuestAddr(bias);
    }
    Ok(loaded)
}

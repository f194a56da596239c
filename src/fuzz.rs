//! What the fuzz targets in `fuzz/` and the corpus tests run. Not part of the interface.

use crate::abi::Errno;
use crate::loader::{self, Image, LoadError, Loaded};
use crate::mem::{Space, Windows};
use crate::syscalls::parse;
use std::io::Write;
use std::os::fd::AsFd;

/// Loads `bytes` as a program into a fresh space.
///
/// # Errors
/// Whatever the loader says; it must say something for every input.
pub fn load(bytes: &[u8]) -> Result<Loaded, LoadError> {
    let host = |e: std::io::Error| LoadError::Host(e.into());
    let fd =
        rustix::fs::memfd_create("fuzz", rustix::fs::MemfdFlags::CLOEXEC).map_err(|e| LoadError::Host(e.into()))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes).map_err(host)?;
    let windows = Windows::new(40).map_err(|_| LoadError::Host(Errno::ENOMEM))?;
    let mut space = Space::new(&windows).map_err(|_| LoadError::Host(Errno::ENOMEM))?;
    let image = Image { fd: file.as_fd(), path: (*b"/fuzz").into(), dev: 0, ino: 1, size: bytes.len() as u64 };
    loader::load(&mut space, &image, None)
}

/// Parses `bytes` with every table parser.
pub fn tables(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (parse::calls(text), parse::sets(text), parse::named(text));
}

//! Error numbers as a guest sees them; both architectures share them (include/uapi/asm-generic/errno.h).

/// A guest-visible error number. Never confused with [`crate::Error`], which is a failure of sevm.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub u16);

include!(concat!(env!("OUT_DIR"), "/errno.rs"));

impl Errno {
    /// Its name, such as `ENOENT`.
    pub fn name(self) -> Option<&'static str> {
        ERRNOS.iter().find(|(n, ..)| *n == self.0).map(|(_, name, _)| *name)
    }

    /// The text that strerror(3) gives.
    pub fn text(self) -> Option<&'static str> {
        ERRNOS.iter().find(|(n, ..)| *n == self.0).map(|(.., text)| *text)
    }

    /// The number with this name.
    pub fn from_name(name: &str) -> Option<Errno> {
        ERRNOS.iter().find(|(_, n, _)| *n == name).map(|(n, ..)| Errno(*n))
    }

    /// Whether this is one of the kernel-internal restart codes (512 and up), which no guest ever sees.
    pub fn is_restart(self) -> bool {
        (512..=516).contains(&self.0)
    }

    /// A result register as value or error: the last 4095 values are errors.
    pub fn split_result(register: u64) -> Result<u64, Errno> {
        match register.wrapping_neg() {
            n @ 1..=4095 => Err(Errno(n as u16)),
            _ => Ok(register),
        }
    }

    /// The value in the result register: the negated number.
    pub fn to_result(self) -> u64 {
        u64::from(self.0).wrapping_neg()
    }
}

impl std::fmt::Debug for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl From<rustix::io::Errno> for Errno {
    /// The host's error as the guest's: Linux on both sides, and the supported hosts share the generic numbers.
    fn from(e: rustix::io::Errno) -> Errno {
        Errno(e.raw_os_error() as u16)
    }
}

impl From<std::io::Error> for Errno {
    fn from(e: std::io::Error) -> Errno {
        e.raw_os_error().map_or(Errno::EIO, |n| Errno(n as u16))
    }
}

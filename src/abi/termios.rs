//! struct termios, termios2, termio and winsize (uapi/asm-generic/termbits.h, termios.h): the same on x86_64 and aarch64.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What TCGETS gives.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Termios {
    /// Input modes.
    pub iflag: u32,
    /// Output modes.
    pub oflag: u32,
    /// Control modes.
    pub cflag: u32,
    /// Local modes.
    pub lflag: u32,
    /// Line discipline.
    pub line: u8,
    /// Control characters.
    pub cc: [u8; 19],
}

/// What TCGETS2 gives.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Termios2 {
    /// As TCGETS gives.
    pub base: Termios,
    /// Input speed in baud.
    pub ispeed: u32,
    /// Output speed in baud.
    pub ospeed: u32,
}

/// What TCGETA gives.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Termio {
    /// Input modes.
    pub iflag: u16,
    /// Output modes.
    pub oflag: u16,
    /// Control modes.
    pub cflag: u16,
    /// Local modes.
    pub lflag: u16,
    /// Line discipline.
    pub line: u8,
    /// Control characters.
    pub cc: [u8; 8],
    pub(crate) pad: u8,
}

/// What TIOCGWINSZ gives.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct WinSize {
    /// Rows of characters.
    pub rows: u16,
    /// Columns of characters.
    pub cols: u16,
    /// Width in pixels.
    pub xpixel: u16,
    /// Height in pixels.
    pub ypixel: u16,
}

//! Guest addresses.

/// Bytes in a guest page.
pub const PAGE_SIZE: u64 = 4096;

/// An address in a guest's address space. It is a number, never a pointer of ours.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct GuestAddr(pub u64);

impl GuestAddr {
    /// The null pointer.
    pub const NULL: GuestAddr = GuestAddr(0);

    /// Whether this is the null pointer.
    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The address `bytes` further on, or `None` past 2^64.
    pub fn checked_add(self, bytes: u64) -> Option<GuestAddr> {
        self.0.checked_add(bytes).map(GuestAddr)
    }

    /// The address `bytes` further on, wrapping as the CPU's own address arithmetic does.
    pub fn offset(self, bytes: u64) -> GuestAddr {
        GuestAddr(self.0.wrapping_add(bytes))
    }

    /// The start of the page that holds this address.
    pub fn page(self) -> GuestAddr {
        GuestAddr(self.0 & !(PAGE_SIZE - 1))
    }

    /// Whether this is the start of a page.
    pub fn is_page_aligned(self) -> bool {
        self.0.is_multiple_of(PAGE_SIZE)
    }
}

impl std::fmt::Debug for GuestAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl std::fmt::LowerHex for GuestAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::LowerHex::fmt(&self.0, f)
    }
}

//! Guest memory: address spaces, their areas, and copies in and out.
//!
//! A [`Space`] is one guest address space: a sorted set of [`Area`]s, as Linux keeps them, whose bytes lie in one
//! reserved range of host addresses (a window), so that guest address + base = host address. Host pages carry the
//! guest's read and write permissions; execute permission stands in the area only.
//!
//! Kernel code reaches guest bytes by the copies of `access.rs` alone; no reference into guest memory leaves this
//! module. `region.rs` is the only file here with `unsafe` code.
//!
//! Does not know about system call numbers, file descriptors of the guest, or which CPU runs.

mod access;
mod addr;
mod advise;
mod area;
mod brk;
mod fork;
mod lazy;
mod map;
mod region;
mod remap;
mod space;

pub use access::{Span, Spans, WriteLog};
pub use addr::{GuestAddr, PAGE_SIZE};
pub use advise::{Locking, SyncFlags};
pub use area::{Area, AreaName, AreaOption, Backing, MapFlags, MapRequest, Prot, SharedPlace};
pub use fork::OwnPages;
pub use region::{FaultHook, Windows, install_bus_guard, set_fault_hook};
pub use remap::RemapFlags;
pub use space::{CodeFile, Limits, MAX_AREAS, MIN_ADDR, Space, SpaceId};

/// `value` rounded up to whole pages, or `None` past 2^64.
pub fn page_align(value: u64) -> Option<u64> {
    value.checked_next_multiple_of(PAGE_SIZE)
}

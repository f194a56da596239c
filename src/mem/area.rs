//! Areas: what is mapped where, and the requests that make them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use super::GuestAddr;

bitflags::bitflags! {
    /// What a guest may do with the bytes of an area; the values of `PROT_*`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Prot: u8 {
        /// `PROT_READ`.
        const READ = 1;
        /// `PROT_WRITE`; pages that can be written can be read as well.
        const WRITE = 2;
        /// `PROT_EXEC`; pages that can be executed can be read as well.
        const EXEC = 4;
    }
}

bitflags::bitflags! {
    /// `MAP_*`, with the values common to x86_64 and aarch64 ([`MapFlags::LOW_2G`] is x86_64's only).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct MapFlags: u32 {
        /// `MAP_SHARED`.
        const SHARED = 0x1;
        /// `MAP_PRIVATE`.
        const PRIVATE = 0x2;
        /// `MAP_SHARED_VALIDATE`.
        const SHARED_VALIDATE = 0x3;
        /// `MAP_DROPPABLE`, Linux 6.11.
        const DROPPABLE = 0x8;
        /// `MAP_FIXED`.
        const FIXED = 0x10;
        /// `MAP_ANONYMOUS`.
        const ANONYMOUS = 0x20;
        /// `MAP_32BIT`, which means the first 2 GiB. The other architecture has no such bit.
        const LOW_2G = 0x40;
        /// `MAP_GROWSDOWN`.
        const GROWSDOWN = 0x100;
        /// `MAP_DENYWRITE`, without effect.
        const DENYWRITE = 0x800;
        /// `MAP_EXECUTABLE`, without effect.
        const EXECUTABLE = 0x1000;
        /// `MAP_LOCKED`.
        const LOCKED = 0x2000;
        /// `MAP_NORESERVE`.
        const NORESERVE = 0x4000;
        /// `MAP_POPULATE`.
        const POPULATE = 0x8000;
        /// `MAP_NONBLOCK`.
        const NONBLOCK = 0x1_0000;
        /// `MAP_STACK`, without effect.
        const STACK = 0x2_0000;
        /// `MAP_HUGETLB`.
        const HUGETLB = 0x4_0000;
        /// `MAP_SYNC`.
        const SYNC = 0x8_0000;
        /// `MAP_FIXED_NOREPLACE`.
        const FIXED_NOREPLACE = 0x10_0000;

        // A guest may set any bit; Linux ignores the unknown ones except under MAP_SHARED_VALIDATE.
        const _ = !0;
    }
}

impl MapFlags {
    /// The bits that select the kind of mapping (`MAP_TYPE`).
    pub const TYPE: u32 = 0xf;

    /// The bits that `MAP_SHARED_VALIDATE` accepts for any file (`LEGACY_MAP_MASK`).
    pub(super) const LEGACY: u32 = 0xc0 | 0x7_f933 | 0x7c00_0000 | 0x400_0000;
}

/// What `map` shall make, as the arguments of mmap(2) say.
#[derive(Debug)]
pub struct MapRequest<'a> {
    /// Where, or a hint, or [`GuestAddr::NULL`].
    pub addr: GuestAddr,
    /// Bytes; rounded up to whole pages.
    pub len: u64,
    /// Access.
    pub prot: Prot,
    /// The raw flags.
    pub flags: MapFlags,
    /// The file; `None` for anonymous memory, whatever [`MapFlags::ANONYMOUS`] says.
    pub backing: Option<Backing<'a>>,
    /// How `/proc/self/maps` names anonymous memory; a file mapping is named by its backing.
    pub name: AreaName,
}

impl MapRequest<'_> {
    /// Private anonymous memory anywhere.
    pub fn anonymous(len: u64, prot: Prot) -> MapRequest<'static> {
        MapRequest {
            addr: GuestAddr::NULL,
            len,
            prot,
            flags: MapFlags::PRIVATE | MapFlags::ANONYMOUS,
            backing: None,
            name: AreaName::Anon,
        }
    }

    /// Private anonymous memory at exactly `addr`, over whatever is mapped there.
    pub fn anonymous_at(addr: GuestAddr, len: u64, prot: Prot) -> MapRequest<'static> {
        let flags = MapFlags::PRIVATE | MapFlags::ANONYMOUS | MapFlags::FIXED;
        MapRequest { addr, flags, ..MapRequest::anonymous(len, prot) }
    }
}

/// The file of a mapping.
#[derive(Clone, Debug)]
pub struct Backing<'a> {
    /// The host's descriptor. It is duplicated as needed, so it may be closed after the call.
    pub fd: BorrowedFd<'a>,
    /// Where in the file the mapping starts, in bytes.
    pub offset: u64,
    /// The path that `/proc/self/maps` shows.
    pub path: Rc<[u8]>,
    /// The device that `/proc/self/maps` shows, as `st_dev`.
    pub dev: u64,
    /// The inode that `/proc/self/maps` shows.
    pub ino: u64,
    /// The guest opened it for reading; otherwise no mapping is allowed.
    pub readable: bool,
    /// The guest opened it for writing; otherwise a shared mapping cannot be writable.
    pub writable: bool,
}

/// How `/proc/self/maps` names an area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AreaName {
    /// Memory of the program break: `[heap]`.
    Heap,
    /// The initial stack: `[stack]`.
    Stack,
    /// Anonymous memory: nothing when private, `/dev/zero (deleted)` when shared.
    Anon,
    /// A mapped file; [`Area::offset`] tells where in it.
    File {
        /// Its path.
        path: Rc<[u8]>,
        /// Its `st_dev`.
        dev: u64,
        /// Its inode.
        ino: u64,
    },
    /// Made by the kernel, such as `[vdso]`; printed as it stands.
    Special(&'static str),
}

/// A choice that madvise(2) stores in an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AreaOption {
    /// `MADV_DONTFORK` and `MADV_DOFORK`: a fork leaves the area out.
    DontFork,
    /// `MADV_WIPEONFORK` and `MADV_KEEPONFORK`: a fork gets zero pages.
    WipeOnFork,
    /// `MADV_DONTDUMP` and `MADV_DODUMP`: left out of core dumps.
    DontDump,
}

/// A host file behind an area: a mapped file, or the memory file of shared anonymous memory.
#[derive(Clone, Debug)]
pub(super) struct FileRange {
    pub(super) fd: Rc<OwnedFd>,
    /// Where in the file the area starts, in bytes.
    pub(super) offset: u64,
}

/// One range of equally mapped pages, as a line of `/proc/self/maps` shows it.
#[derive(Clone, Debug)]
pub struct Area {
    /// First byte; page aligned.
    pub start: GuestAddr,
    /// Behind the last byte; page aligned.
    pub end: GuestAddr,
    /// Access.
    pub prot: Prot,
    /// Its name.
    pub name: AreaName,
    /// `MAP_SHARED`: stores are seen by other mappings of the same memory.
    pub shared: bool,
    /// `MAP_GROWSDOWN`: an access just below extends it.
    pub grows_down: bool,
    /// Locked in memory by mlock(2) or `MAP_LOCKED`.
    pub locked: bool,
    /// `MAP_NORESERVE`.
    pub noreserve: bool,
    /// `MADV_DONTFORK`.
    pub dont_fork: bool,
    /// `MADV_WIPEONFORK`.
    pub wipe_on_fork: bool,
    /// `MADV_DONTDUMP`.
    pub dont_dump: bool,
    /// mseal(2): neither mapping nor protection may change.
    pub sealed: bool,
    /// mprotect may grant writing: false for a shared mapping of a file that was opened read-only.
    pub may_write: bool,
    pub(super) file: Option<FileRange>,
}

/// A byte of shared memory, named alike in every space that maps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SharedPlace {
    /// Of a file: device, inode, offset.
    File(u64, u64, u64),
    /// Of shared anonymous memory: a number of the object that lives as long as it is mapped somewhere, and the offset.
    Memory(usize, u64),
}

impl Area {
    /// The host file behind it: see [`Area::offset`].
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(|f| f.fd.as_fd())
    }

    /// Where the byte at `addr`, which lies in it, is shared; `None` for private memory.
    pub(super) fn shared_place(&self, addr: GuestAddr) -> Option<SharedPlace> {
        let file = self.file.as_ref().filter(|_| self.shared)?;
        let offset = file.offset + (addr.0 - self.start.0);
        Some(match self.name {
            AreaName::File { dev, ino, .. } => SharedPlace::File(dev, ino, offset),
            _ => SharedPlace::Memory(Rc::as_ptr(&file.fd) as usize, offset),
        })
    }

    /// Bytes.
    pub fn len(&self) -> u64 {
        self.end.0 - self.start.0
    }

    /// Never true for an area of a space.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where in its file the area starts, in bytes; 0 for private anonymous memory.
    pub fn offset(&self) -> u64 {
        self.file.as_ref().map_or(0, |f| f.offset)
    }

    /// Whether the address lies in it.
    pub fn contains(&self, addr: GuestAddr) -> bool {
        (self.start..self.end).contains(&addr)
    }

    /// Whether it is memory without a host file, so that its pages always exist.
    pub(super) fn is_private_anonymous(&self) -> bool {
        self.file.is_none()
    }

    /// Whether RLIMIT_DATA counts it.
    pub(super) fn is_data(&self) -> bool {
        self.prot.contains(Prot::WRITE) && !self.shared && !self.grows_down
    }

    /// Cuts off and returns what lies at and after `at`, an address inside.
    pub(super) fn split_off(&mut self, at: GuestAddr) -> Area {
        let mut tail = self.clone();
        if let Some(file) = &mut tail.file {
            file.offset += at.0 - self.start.0;
        }
        tail.start = at;
        self.end = at;
        tail
    }

    /// Whether `next`, which starts where this ends, can become one area with this.
    pub(super) fn merges_with(&self, next: &Area) -> bool {
        let same_file = match (&self.file, &next.file) {
            (None, None) => true,
            (Some(a), Some(b)) => Rc::ptr_eq(&a.fd, &b.fd) && a.offset.checked_add(self.len()) == Some(b.offset),
            _ => false,
        };
        self.end == next.start
            && same_file
            && self.options() == next.options()
            && self.prot == next.prot
            && self.name == next.name
            && !matches!(self.name, AreaName::Special(_))
    }

    fn options(&self) -> [bool; 9] {
        [
            self.shared,
            self.grows_down,
            self.locked,
            self.noreserve,
            self.dont_fork,
            self.wipe_on_fork,
            self.dont_dump,
            self.sealed,
            self.may_write,
        ]
    }
}

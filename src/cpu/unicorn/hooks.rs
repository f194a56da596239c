//! What Unicorn calls while it runs: address translation, counting, and the reasons to stop.
//!
//! All state that hooks share with the run loop stands in [`Shared`], in cells, since a hook may run inside another.
//! No hook may panic: it would have to unwind through C.

#![expect(unsafe_code, reason = "these are callbacks of a C library")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{c_int, c_void};
use std::sync::atomic::Ordering;

use unicorn_engine::hook::sys::{MemType, Prot as UcProt, RegisterX86, TlbEntry, X86Insn, uc_engine};

use super::count::{Reader, Table};
use super::engine::{self, Engine};
use super::string::{self, StringOp, StringRegs};
use crate::Error;
use crate::arch::Arch;
use crate::arch::cpuid::Cpuid;
use crate::cpu::{Access, Counter, FaultKind, STOP_REQUESTED};
use crate::mem::{GuestAddr, PAGE_SIZE, Prot, Space};

/// The page that holds the backend's own instructions, mapped only in [`Mode::Stub`]. No guest address is that high.
pub(super) const STUB_PAGE: u64 = 0x7fff_ffff_0000;
/// An address that the fill hook always refuses.
pub(super) const NOWHERE: u64 = 0x7fff_fff0_0458;

/// Entries of Unicorn's TLB at its start and at most; it doubles at a flush when it was well used.
const TLB_START: u32 = 256;
const TLB_MOST: u32 = 4096;

/// A page of bytes.
#[repr(C, align(4096))]
pub(super) struct Page(pub(super) [u8; PAGE_SIZE as usize]);

/// What the fill hook maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The guest's areas, with their permissions.
    Guest,
    /// Only [`STUB_PAGE`].
    Stub,
    /// Everything, for dropping translated blocks; nothing is executed. Addresses are the host's.
    DropHost,
    /// The same with guest addresses.
    DropGuest,
    /// As `Guest`, but a store may go to a page with translated blocks: the run loop drops them afterwards.
    StoreToCode,
}

/// Why a hook stopped the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// No hook did.
    None,
    /// Before a block: the budget is used up, or a stop was requested.
    Budget,
    /// Before an instruction that must not run.
    Forbidden { privileged: bool },
    /// Before a block that is longer than the budget, or that holds an instruction which must not run: `count`
    /// instructions of it may.
    Tail { count: u64, bytes: u32 },
    /// Before a block at a place that cannot be executed.
    Unfit,
    /// A system call instruction.
    Syscall,
    /// An exception that is not an access.
    Interrupt(u32),
    /// An access was refused.
    Fault { access: Access, kind: FaultKind },
    /// A store to the page of the block that is running.
    SelfStore,
}

/// State shared between the run loop and the hooks.
pub(super) struct Shared {
    arch: Arch,
    /// What an x86_64 guest sees.
    pub(super) cpuid: Cpuid,
    pub(super) mode: Cell<Mode>,
    pub(super) stop: Cell<Stop>,
    /// The space that runs; null between runs.
    pub(super) space: Cell<*mut Space>,
    /// Host address of its guest address 0, and the end of its guest addresses.
    pub(super) base: Cell<u64>,
    pub(super) limit: Cell<u64>,
    /// The host page with the backend's own instructions.
    pub(super) stub: u64,

    /// Instructions retired when the budget is used up.
    pub(super) end: Cell<u64>,
    /// How many may still retire, the running block counted whole but for a repeated string instruction at its end.
    /// Negative when [`Shared::parked`] has the number, which sends every block hook the slow way.
    left: Cell<i64>,
    parked: Cell<i64>,
    /// The running block: its address, and bytes | instructions counted << 32.
    block: Cell<u64>,
    block_size: Cell<u64>,
    /// The repeated string instruction that is going on.
    repeat: Cell<Option<u64>>,
    /// What it does, if it can be done at once.
    string: Cell<Option<StringOp>>,
    table: Table,
    pub(super) reader: RefCell<Reader>,

    /// Host pages that may have translated blocks. While a page is here the TLB grants no stores to it.
    code: RefCell<BTreeSet<u64>>,
    /// By host page: what the engine fetches instead, where the page holds words that it must not see.
    screened: RefCell<BTreeMap<u64, Box<Page>>>,
    /// Guest pages in the TLB, perhaps more.
    filled: RefCell<BTreeSet<u64>>,
    tlb_entries: Cell<u32>,
    /// A store was granted through a tagged address, which the engine keeps apart from the untagged one.
    tagged_store: Cell<bool>,
    pub(super) flush_wanted: Cell<bool>,
    pub(super) counter: Cell<Counter>,
}

impl Shared {
    pub(super) fn new(arch: Arch, cpuid: Cpuid, stub: u64) -> Shared {
        Shared {
            arch,
            cpuid,
            mode: Cell::new(Mode::Stub),
            stop: Cell::new(Stop::None),
            space: Cell::new(std::ptr::null_mut()),
            base: Cell::new(0),
            limit: Cell::new(0),
            stub,
            end: Cell::new(0),
            left: Cell::new(0),
            parked: Cell::new(0),
            block: Cell::new(0),
            block_size: Cell::new(0),
            repeat: Cell::new(None),
            string: Cell::new(None),
            table: Table::new(),
            reader: RefCell::default(),
            code: RefCell::default(),
            screened: RefCell::default(),
            filled: RefCell::default(),
            tlb_entries: Cell::new(TLB_START),
            tagged_store: Cell::new(false),
            flush_wanted: Cell::new(false),
            counter: Cell::new(Counter::Host),
        }
    }

    /// Notes that the TLB is empty now.
    pub(super) fn flushed(&self) {
        self.filled.borrow_mut().clear();
        self.tagged_store.set(false);
        self.flush_wanted.set(false);
    }

    /// Whether a page of the range may be in the TLB.
    pub(super) fn any_filled(&self, addr: u64, len: u64) -> bool {
        let end = addr.saturating_add(len);
        self.filled.borrow().range(addr..end).next().is_some()
    }

    /// Takes the pages with translated blocks out of a range of host addresses, as (first, bytes) runs.
    pub(super) fn take_code(&self, host: u64, len: u64) -> Vec<(u64, u64)> {
        let mut code = self.code.borrow_mut();
        let pages: Vec<u64> = code.range(host..host.saturating_add(len)).copied().collect();
        let mut runs: Vec<(u64, u64)> = Vec::new();
        let screened = |page: u64| self.fetched(page) != page;
        for page in pages {
            code.remove(&page);
            match runs.last_mut() {
                // A screened page is fetched from elsewhere, so it is a run of its own.
                Some((start, bytes)) if *start + *bytes == page && !screened(*start) && !screened(page) => {
                    *bytes += PAGE_SIZE;
                }
                _ => runs.push((page, PAGE_SIZE)),
            }
        }
        runs
    }

    /// The value of the guest's cycle counters, in nanoseconds. `retired` is exact.
    pub(super) fn counter_value(&self, retired: u64) -> u64 {
        match self.counter.get() {
            Counter::Retired { offset } => retired.wrapping_add(offset),
            Counter::Host => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
                (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
            }
        }
    }

    /// Instructions retired, the running block counted as [`Shared::left`] says.
    pub(super) fn retired(&self) -> u64 {
        let left = self.left.get();
        let left = if left < 0 { self.parked.get() } else { left };
        self.end.get() - left as u64
    }

    /// Corrects the number of instructions retired; it may not be above the end of the budget.
    pub(super) fn set_retired(&self, retired: u64) {
        self.set_left((self.end.get() - retired) as i64);
    }

    fn set_left(&self, left: i64) {
        if self.repeat.get().is_some() {
            self.parked.set(left);
            self.left.set(-1);
        } else {
            self.left.set(left);
        }
    }

    /// Allows `budget` more instructions.
    pub(super) fn set_budget(&self, budget: u64) {
        let retired = self.retired();
        let budget = budget.min(i64::MAX as u64).min(u64::MAX - retired);
        self.end.set(retired + budget);
        self.set_left(budget as i64);
    }

    /// The running block: address, bytes, instructions counted.
    pub(super) fn block(&self) -> (u64, u32, u32) {
        let size = self.block_size.get();
        (self.block.get(), size as u32, (size >> 32) as u32)
    }

    /// Notes that no block runs.
    pub(super) fn end_block(&self) {
        self.block_size.set(0);
    }

    /// Settles a repeated string instruction when the guest has got to `pc`: elsewhere, it has retired.
    pub(super) fn settle_repeat(&self, pc: u64) {
        if let Some(at) = self.repeat.get() {
            let retired = self.retired();
            self.repeat.set(None);
            self.set_retired(retired + u64::from(at != pc));
        }
    }

    /// Forgets what is known about blocks, since code has changed.
    pub(super) fn forget_blocks(&self) {
        self.table.forget();
    }

    /// Instructions retired before the one at `pc` of the running block.
    pub(super) fn retired_before(&self, pc: u64) -> u64 {
        let (start, bytes, counted) = self.block();
        let whole = self.retired();
        if !(start..start + u64::from(bytes)).contains(&pc) {
            return whole;
        }
        let done = match self.arch {
            Arch::Aarch64 => (pc - start) / 4,
            Arch::X86_64 => self.reader.borrow_mut().instructions_before(self.base.get(), start, bytes, pc),
        };
        whole - u64::from(counted) + done.min(u64::from(counted))
    }

    /// Translates a page for the TLB, or says why the access fails.
    fn translate(&self, uc: *mut uc_engine, page: u64, access: Access) -> Result<(u64, UcProt), Stop> {
        let read_exec = UcProt::READ | UcProt::EXEC;
        match self.mode.get() {
            Mode::Stub if page == STUB_PAGE => return Ok((self.stub, UcProt::EXEC)),
            Mode::Stub => return Err(Stop::Fault { access, kind: FaultKind::Unmapped }),
            Mode::DropHost => return Ok((self.fetched(page), UcProt::EXEC)),
            Mode::DropGuest => return Ok((self.fetched(self.base.get().wrapping_add(page)), UcProt::EXEC)),
            Mode::Guest | Mode::StoreToCode => {}
        }
        let addr = self.untag(page);
        // SAFETY: the run loop sets the pointer from its `&mut Space`, which it does not use while the engine runs.
        let space = unsafe { self.space.get().as_mut() };
        let refuse = |kind| Err(Stop::Fault { access, kind });
        let Some(space) = space.filter(|_| addr < self.limit.get()) else {
            let hole = self.arch == Arch::X86_64 && (1 << 47..0xffff_8000_0000_0000).contains(&addr);
            return refuse(if hole { FaultKind::NonCanonical } else { FaultKind::Unmapped });
        };
        let Some(area) = space.area_at(GuestAddr(addr)) else { return refuse(FaultKind::Unmapped) };
        let prot = area.prot;
        let permitted = match access {
            Access::Read => !prot.is_empty(),
            Access::Write => prot.contains(Prot::WRITE),
            Access::Execute => prot.contains(Prot::EXEC),
        };
        if !permitted {
            return refuse(FaultKind::Protection);
        }
        let host = self.base.get() + addr;
        if area.shared || matches!(area.name, crate::mem::AreaName::File { .. }) {
            // SAFETY: the area is mapped readable in the window. Behind the end of the file this raises SIGBUS, upon
            // which the guard of `mem` puts a zero page there and notes it.
            unsafe { (host as *const u8).read_volatile() };
            if space.take_bus_error().is_some() {
                return refuse(FaultKind::BeyondFile);
            }
        }
        let has_code = self.code.borrow().contains(&host);
        let perms = match access {
            Access::Execute => {
                if self.tagged_store.get() {
                    engine::flush_tlb(uc);
                    self.flushed();
                }
                self.code.borrow_mut().insert(host);
                if self.arch == Arch::Aarch64 && self.screen(host) {
                    self.note_filled(uc, addr);
                    return Ok((self.fetched(host), UcProt::EXEC));
                }
                read_exec
            }
            Access::Read if has_code && prot.contains(Prot::EXEC) && self.fetched(host) == host => read_exec,
            Access::Read if has_code || !prot.contains(Prot::WRITE) => UcProt::READ,
            Access::Write if has_code => {
                if self.mode.get() == Mode::Guest {
                    // x86_64 sees its own stores at once; aarch64 may run the old block to its end.
                    if self.arch == Arch::X86_64 && self.block_touches(addr) {
                        return Err(Stop::SelfStore);
                    }
                    self.drop_page(uc, addr, host);
                }
                UcProt::READ | UcProt::WRITE
            }
            Access::Read | Access::Write => UcProt::READ | UcProt::WRITE,
        };
        if perms.0 & UcProt::WRITE.0 != 0 && addr != page {
            self.tagged_store.set(true);
        }
        self.note_filled(uc, addr);
        Ok((host, perms))
    }

    /// Where the engine fetches the instructions of a host page.
    fn fetched(&self, host: u64) -> u64 {
        self.screened.borrow().get(&host).map_or(host, |page| page.0.as_ptr() as u64)
    }

    /// Whether a page that is about to be fetched from holds instructions that would end the process. If so, what is
    /// fetched is a copy with undefined instructions in their place.
    fn screen(&self, host: u64) -> bool {
        let mut screened = self.screened.borrow_mut();
        if screened.contains_key(&host) {
            return true;
        }
        const WORDS: usize = PAGE_SIZE as usize / 4;
        let source = host as *const u32;
        // SAFETY: the caller found the page to be in an area that can be read.
        let word = |i: usize| unsafe { source.add(i).read() };
        if !(0..WORDS).any(|i| super::aarch64::crashes(word(i))) {
            return false;
        }
        let mut copy = Box::new(Page([0; PAGE_SIZE as usize]));
        for (i, place) in copy.0.chunks_exact_mut(4).enumerate() {
            let word = word(i);
            let udf = 0;
            place.copy_from_slice(&(if super::aarch64::crashes(word) { udf } else { word }).to_le_bytes());
        }
        screened.insert(host, copy);
        true
    }

    /// Forgets the copy of a page whose blocks have been dropped.
    pub(super) fn unscreen(&self, host: u64) {
        self.screened.borrow_mut().remove(&host);
    }

    /// Drops the blocks of one page of the running space, from inside the fill hook.
    fn drop_page(&self, uc: *mut uc_engine, addr: u64, host: u64) {
        let mode = self.mode.replace(Mode::DropGuest);
        engine::drop_blocks(uc, addr, PAGE_SIZE);
        self.mode.set(mode);
        self.unscreen(host);
        self.code.borrow_mut().remove(&host);
        self.forget_blocks();
    }

    /// Whether the running block has bytes in the page.
    fn block_touches(&self, page: u64) -> bool {
        let (start, bytes, _) = self.block();
        let end = start + u64::from(bytes);
        start < page + PAGE_SIZE && page < end
    }

    /// The address without the tag that aarch64 ignores in its top byte.
    pub(super) fn untag(&self, addr: u64) -> u64 {
        match self.arch {
            Arch::Aarch64 if addr & (1 << 55) == 0 => addr & 0x00ff_ffff_ffff_ffff,
            _ => addr,
        }
    }

    /// Keeps the list of filled pages, and makes a crowded TLB grow.
    fn note_filled(&self, uc: *mut uc_engine, addr: u64) {
        let entries = self.tlb_entries.get();
        let crowded = {
            let mut filled = self.filled.borrow_mut();
            filled.insert(addr);
            entries < TLB_MOST && filled.len() as u32 > entries
        };
        if crowded {
            engine::flush_tlb(uc);
            self.flushed();
            self.tlb_entries.set(entries * 2);
            self.filled.borrow_mut().insert(addr);
        }
    }

    /// Counts a block that is about to run, if it is an ordinary one.
    #[inline(always)]
    fn count_quickly(&self, addr: u64, bytes: u32) -> bool {
        let counted = match self.arch {
            Arch::Aarch64 if addr & 3 == 0 && addr < self.limit.get() => Some(bytes / 4),
            Arch::Aarch64 => None,
            Arch::X86_64 => self.table.get(self.base.get().wrapping_add(addr), bytes),
        };
        let left = self.left.get();
        match counted {
            Some(counted) if i64::from(counted) <= left && left > 0 && !STOP_REQUESTED.load(Ordering::Relaxed) => {
                self.start_block(addr, bytes, counted);
                self.left.set(left - i64::from(counted));
                true
            }
            _ => false,
        }
    }

    #[inline(always)]
    fn start_block(&self, addr: u64, bytes: u32, counted: u32) {
        self.block.set(addr);
        self.block_size.set(u64::from(bytes) | u64::from(counted) << 32);
    }

    /// Counts any block that is about to run, or says why it may not.
    fn count_block(&self, uc: *mut uc_engine, addr: u64, bytes: u32) -> Result<(), Stop> {
        if self.repeat.get() == Some(addr) {
            // One more element of the same instruction; it has its room.
            self.start_block(addr, bytes, 0);
            if let Some(op) = self.string.get() {
                self.advance_string(uc, op);
            }
            return if STOP_REQUESTED.load(Ordering::Relaxed) { Err(Stop::Budget) } else { Ok(()) };
        }
        self.settle_repeat(addr);
        let room = self.end.get() - self.retired();
        if room == 0 || STOP_REQUESTED.load(Ordering::Relaxed) {
            return Err(Stop::Budget);
        }
        if addr >= self.limit.get() {
            return Err(Stop::Unfit);
        }
        let (counted, repeat, string) = match self.arch {
            Arch::Aarch64 if addr & 3 != 0 => return Err(Stop::Unfit),
            Arch::Aarch64 => (bytes / 4, None, None),
            Arch::X86_64 => {
                let base = self.base.get();
                let block = self.reader.borrow_mut().block(base, addr, bytes);
                match block.forbidden {
                    Some((0, privileged)) => return Err(Stop::Forbidden { privileged }),
                    Some((allowed, _)) => return Err(Stop::Tail { count: u64::from(allowed).min(room), bytes }),
                    None => {}
                }
                if block.repeat.is_none() {
                    self.table.put(base + addr, bytes, block.count);
                }
                (block.count, block.repeat, block.string)
            }
        };
        let wanted = u64::from(counted);
        if wanted > room || (wanted == room && wanted > 0 && repeat.is_some()) {
            return Err(Stop::Tail { count: room, bytes });
        }
        self.start_block(addr, bytes, counted);
        let left = room - wanted;
        self.repeat.set(repeat);
        self.string.set(string);
        self.set_left(left as i64);
        Ok(())
    }

    /// Does most of what is left of a repeated string instruction that has begun.
    fn advance_string(&self, uc: *mut uc_engine, op: StringOp) {
        const DIRECTION: u64 = 1 << 10;
        // SAFETY: as in `translate`.
        let Some(space) = (unsafe { self.space.get().as_ref() }) else { return };
        if self.mode.get() != Mode::Guest || get(uc, RegisterX86::RFLAGS) & DIRECTION != 0 {
            return;
        }
        let regs = StringRegs {
            count: get(uc, RegisterX86::RCX),
            source: get(uc, RegisterX86::RSI),
            target: get(uc, RegisterX86::RDI),
            value: get(uc, RegisterX86::RAX),
        };
        let free_of_code = |host: u64, bytes: u64| {
            let first = host & !(PAGE_SIZE - 1);
            self.code.borrow().range(first..host + bytes).next().is_none()
        };
        if let Some(after) = string::advance(op, regs, space, self.base.get(), free_of_code) {
            set(uc, RegisterX86::RCX, after.count);
            set(uc, RegisterX86::RSI, after.source);
            set(uc, RegisterX86::RDI, after.target);
        }
    }
}

/// Installs all hooks.
pub(super) fn install(engine: &mut Engine, arch: Arch, shared: *const Shared) -> Result<(), Error> {
    use unicorn_engine::hook::sys::HookType;
    let data = shared.cast_mut().cast::<c_void>();
    // SAFETY: each function has the type unicorn.h gives for its kind and reads `data` as `Shared`, which outlives the
    // engine (see `Unicorn`'s fields); none of them panics.
    unsafe {
        engine.hook(HookType::TLB_FILL, on_fill as *const () as *mut c_void, data, 0)?;
        engine.hook(HookType::BLOCK, on_block as *const () as *mut c_void, data, 0)?;
        engine.hook(HookType::INTR, on_interrupt as *const () as *mut c_void, data, 0)?;
        if arch == Arch::X86_64 {
            let instructions = [
                (X86Insn::SYSCALL, on_syscall as *const () as *mut c_void),
                (X86Insn::CPUID, on_cpuid as *const () as *mut c_void),
                (X86Insn::RDTSC, on_rdtsc as *const () as *mut c_void),
                (X86Insn::RDTSCP, on_rdtscp as *const () as *mut c_void),
            ];
            for (instruction, callback) in instructions {
                engine.hook(HookType::INSN, callback, data, instruction as c_int)?;
            }
        }
    }
    Ok(())
}

/// # Safety
/// `data` is the pointer that `install` was given.
unsafe fn shared<'a>(data: *mut c_void) -> &'a Shared {
    // SAFETY: `install` was given a `Shared` that outlives the engine.
    unsafe { &*data.cast::<Shared>() }
}

extern "C" fn on_fill(uc: *mut uc_engine, page: u64, kind: MemType, entry: *mut TlbEntry, data: *mut c_void) -> bool {
    // SAFETY: a hook gets the data it was installed with.
    let shared = unsafe { shared(data) };
    let access = match kind {
        MemType::WRITE => Access::Write,
        MemType::FETCH => Access::Execute,
        _ => Access::Read,
    };
    match shared.translate(uc, page, access) {
        Ok((paddr, perms)) => {
            // SAFETY: Unicorn passes a place for the entry.
            unsafe { entry.write(TlbEntry { paddr, perms }) };
            true
        }
        Err(stop) => {
            shared.stop.set(stop);
            false
        }
    }
}

extern "C" fn on_block(uc: *mut uc_engine, addr: u64, bytes: u32, data: *mut c_void) {
    // SAFETY: a hook gets the data it was installed with.
    let shared = unsafe { shared(data) };
    if !shared.count_quickly(addr, bytes) {
        block_slowly(uc, shared, addr, bytes);
    }
}

#[cold]
fn block_slowly(uc: *mut uc_engine, shared: &Shared, addr: u64, bytes: u32) {
    if shared.mode.get() == Mode::Stub {
        return;
    }
    if let Err(stop) = shared.count_block(uc, addr, bytes) {
        shared.stop.set(stop);
        engine::stop(uc);
    }
}

extern "C" fn on_interrupt(uc: *mut uc_engine, number: u32, data: *mut c_void) {
    // SAFETY: a hook gets the data it was installed with.
    let shared = unsafe { shared(data) };
    const SUPERVISOR_CALL: u32 = 2;
    let is_call = shared.arch == Arch::Aarch64 && number == SUPERVISOR_CALL;
    shared.stop.set(if is_call { Stop::Syscall } else { Stop::Interrupt(number) });
    engine::stop(uc);
}

extern "C" fn on_syscall(uc: *mut uc_engine, data: *mut c_void) {
    // SAFETY: a hook gets the data it was installed with.
    unsafe { shared(data) }.stop.set(Stop::Syscall);
    engine::stop(uc);
}

/// Reads a register of the running engine.
fn get(uc: *mut uc_engine, register: RegisterX86) -> u64 {
    let mut value = 0u64;
    // SAFETY: hooks get an open handle; the register has 64 bits.
    unsafe { unicorn_engine::hook::sys::uc_reg_read(uc, register as c_int, (&raw mut value).cast()) };
    value
}

/// Writes a register of the running engine.
fn set(uc: *mut uc_engine, register: RegisterX86, value: u64) {
    // SAFETY: as in `get`.
    unsafe { unicorn_engine::hook::sys::uc_reg_write(uc, register as c_int, (&raw const value).cast()) };
}

/// Tells Unicorn that the hook has done the instruction's work.
const DONE: c_int = 1;

extern "C" fn on_cpuid(uc: *mut uc_engine, data: *mut c_void) -> c_int {
    // SAFETY: a hook gets the data it was installed with.
    let words = unsafe { shared(data) }.cpuid.leaf(get(uc, RegisterX86::RAX) as u32, get(uc, RegisterX86::RCX) as u32);
    let registers = [RegisterX86::RAX, RegisterX86::RBX, RegisterX86::RCX, RegisterX86::RDX];
    for (register, word) in registers.into_iter().zip(words) {
        set(uc, register, u64::from(word));
    }
    DONE
}

/// `rdtsc`: the counter in edx:eax.
fn read_counter(uc: *mut uc_engine, shared: &Shared) {
    let retired = shared.retired_before(get(uc, RegisterX86::RIP));
    let value = shared.counter_value(retired);
    set(uc, RegisterX86::RAX, value & 0xffff_ffff);
    set(uc, RegisterX86::RDX, value >> 32);
}

extern "C" fn on_rdtsc(uc: *mut uc_engine, data: *mut c_void) -> c_int {
    // SAFETY: a hook gets the data it was installed with.
    read_counter(uc, unsafe { shared(data) });
    DONE
}

/// `rdtscp`: as `rdtsc`, and ecx says which CPU of which node; Linux puts CPU 0 of node 0 there as 0.
extern "C" fn on_rdtscp(uc: *mut uc_engine, data: *mut c_void) -> c_int {
    // SAFETY: a hook gets the data it was installed with.
    read_counter(uc, unsafe { shared(data) });
    set(uc, RegisterX86::RCX, 0);
    DONE
}

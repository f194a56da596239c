//! Our own translator for x86_64 hosts: guest blocks become machine code, once, and run from then on.
//!
//! [`Translate`] is the engine: it finds blocks, links them, keeps their code and answers exits. What is of a guest
//! architecture is a front end's ([`front::FrontEnd`], whose documentation is the contract): [`a64`].
//!
//! - `asm.rs` writes machine code, `cache.rs` holds it, `image.rs` knows what blocks there are, `jumps.rs` is the table that
//!   translated code asks where an indirect jump goes, `fault.rs` turns host faults into exits.
//! - Guest memory is at `gs`: the base is that of the running space's window, so blocks are good in every space that shows the same
//!   bytes at the same addresses.
//!
//! Where this backend deviates from the contract in [`crate::cpu::Cpu`]:
//! - Code that changes through another mapping of the same file is not noticed without `invalidate`.
//! - NZCV that is overwritten before any instruction uses it may be wrong at [`Exit::Budget`]; [`FlagUse::Exact`] makes it exact.

#![expect(unsafe_code, reason = "reads code from guest memory")]

pub mod a64;
pub mod asm;
pub mod cache;
mod fault;
pub mod front;
mod host;
pub mod image;
pub mod jumps;
mod spaces;
pub mod stats;
pub mod x64;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use self::asm::Asm;
use self::cache::CodeCache;
use self::front::{Code, Common, Explained, Extent, FlagUse, FrontEnd, HostFault, Reason, Request, Stability, Trap};
use self::host::GsBase;
use self::image::{BlockId, ImageId, Images};
use self::jumps::Entries;
use self::spaces::{Slot, Spaces};
use self::stats::Stats;
use super::{Access, Counter, Cpu, Exit, FaultKind, STOP_REQUESTED, Translation};
use crate::Error;
use crate::arch::cpuid::Cpuid;
use crate::arch::{Arch, RawCall, RegPort, Regs};
use crate::mem::{AreaName, GuestAddr, PAGE_SIZE, Prot, Space, SpaceId, install_bus_guard, set_fault_hook};

/// Most instructions between two looks at [`STOP_REQUESTED`].
const POLL: u64 = 200_000;

/// Room that a block may need.
const LARGEST_BLOCK: usize = 128 << 10;

/// The translator for one guest architecture.
pub struct Translate<F: FrontEnd> {
    front: F,
    asm: Asm,
    cache: CodeCache,
    common: Common,
    images: Images,
    spaces: Spaces,
    gs: GsBase,
    /// The space that was entered last, and what of it is at hand.
    current: Option<Current>,
    /// Its end, whose number of bits the front end knows.
    limit: u64,
    retired: u64,
    /// Where the block is that the jump which was linked last goes to, if nothing has run since.
    linked: Option<u64>,
    /// Whether the budget of what runs may not be overdrawn.
    exact: bool,
    counter: Counter,
    flags: FlagUse,
    stats: Stats,
    /// Does what the front end cannot yet.
    #[cfg(feature = "unicorn")]
    other: Option<Box<super::unicorn::Unicorn>>,
}

impl<F: FrontEnd> std::fmt::Debug for Translate<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Translate({}, {} bytes of code)", F::ARCH, self.cache.used())
    }
}

fn failed(reason: String) -> Error {
    Error::Cpu { backend: "translate", reason }
}

/// Whether this host can run translated code; if not, why.
///
/// # Errors
/// The reason, for people.
pub fn supported() -> Result<(), String> {
    match host::missing()[..] {
        [] => Ok(()),
        ref missing => Err(format!("the host's processor lacks {}", missing.join(", "))),
    }
}

/// The space that runs.
#[derive(Clone, Copy, Debug)]
struct Current {
    id: SpaceId,
    mode: u8,
    /// The jump table of both.
    jumps: Entries,
}

/// What stands at the loaded pc.
enum Found {
    Block(BlockId),
    Exit(Exit),
}

/// Code of a space, of one area; an instruction that begins in it may end in the next one.
struct View<'a> {
    space: &'a Space,
    range: std::ops::Range<u64>,
    /// Whether the next area was looked at.
    crossed: Cell<bool>,
}

impl Code for View<'_> {
    fn fetch(&self, addr: u64, bytes: &mut [u8]) -> usize {
        if !self.range.contains(&addr) {
            return 0;
        }
        let inside = bytes.len().min((self.range.end - addr) as usize);
        let from = (self.space.host_base() as u64 + addr) as *const u8;
        // All that an architecture with short instructions asks for.
        if let (Ok(word), 4) = (<&mut [u8; 4]>::try_from(&mut *bytes), inside) {
            // SAFETY: as below.
            *word = unsafe { from.cast::<[u8; 4]>().read() };
            return 4;
        }
        // SAFETY: the range is of an executable area of this space, whose host pages can be read; if its file has ended, the
        // guard of `mem/region.rs` lets zeros be read and says so. `bytes` is Rust's own memory.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), inside) };
        /// Most bytes of an instruction.
        const LONGEST: usize = 15;
        if inside >= LONGEST || !self.space.permits(GuestAddr(self.range.end), Access::Execute) {
            return inside;
        }
        self.crossed.set(true);
        let more = bytes.len().min(LONGEST) - inside;
        // SAFETY: as above, of the area behind.
        unsafe { std::ptr::copy_nonoverlapping(from.add(inside), bytes.as_mut_ptr().add(inside), more) };
        inside + more
    }
}

/// Why code at an address cannot be run.
fn fetch_fault(space: &Space, addr: u64) -> FaultKind {
    match space.classify_fault(GuestAddr(addr), Access::Execute) {
        FaultKind::BeyondFile => FaultKind::Protection,
        kind => kind,
    }
}

impl<F: FrontEnd> Translate<F> {
    /// Opens an engine; `flags` says whether flags that nobody will ask for are exact all the same.
    ///
    /// # Errors
    /// The host's processor lacks something, or its kernel refused memory.
    pub fn new(mut front: F, flags: FlagUse) -> Result<Translate<F>, Error> {
        supported().map_err(failed)?;
        install_bus_guard()?;
        set_fault_hook(fault::on_fault);
        fault::install_exceptions()?;
        let mut cache = CodeCache::new(F::DATA)?;
        let mut asm = Asm::new(cache.next());
        asm.set_anchor(cache.data() as u64);
        front.place(cache.data());
        let common = front.emit_common(&mut asm);
        cache.append(asm.finish()).ok_or_else(|| failed("no room for the common code".into()))?;
        cache.fix();
        Ok(Translate {
            front,
            asm,
            cache,
            common,
            images: Images::default(),
            spaces: Spaces::default(),
            gs: GsBase::new(),
            current: None,
            limit: 0,
            retired: 0,
            linked: None,
            exact: false,
            counter: Counter::Host,
            flags,
            stats: Stats::default(),
            #[cfg(feature = "unicorn")]
            other: None,
        })
    }

    /// What has been counted.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether `space` is the one that runs, as it was when it was entered.
    #[inline]
    fn is_in(&self, space: &Space) -> bool {
        let (id, mode) = (space.id(), self.front.mode());
        self.current.is_some_and(|current| current.id == id && current.mode == mode)
            && !space.has_changes()
            && fault::is_running(self.cache.range().start, space.host_base() as u64)
    }

    /// Makes `space` the one that runs.
    fn enter_space(&mut self, space: &mut Space) -> Result<(), Error> {
        let (id, base) = (space.id(), space.host_base() as u64);
        let changes = space.take_changes();
        if self.spaces.0.get(&id).is_none_or(|slot| slot.base != base) {
            self.leave_slot(id);
            let private = self.images.private();
            self.spaces.0.insert(id, Slot::new(base, private));
        }
        for (addr, len) in changes {
            self.invalidate(id, addr, len);
        }
        if self.limit != space.limit() {
            self.limit = space.limit();
            self.front.set_address_bits(u64::BITS - (self.limit - 1).leading_zeros());
        }
        self.gs.set(base);
        self.front.set_window(base);
        fault::provide_stack()?;
        self.use_table(id)?;
        self.expect_faults(base);
        Ok(())
    }

    /// Tells where host faults may be the guest's.
    fn expect_faults(&mut self, window: u64) {
        let std::ops::Range { start, end } = self.cache.range();
        let (resume, report) = (self.common.fault, self.front.host_fault());
        fault::set_running(fault::Running { start, end, resume, report, window });
    }

    /// Forgets a space whose number has gone to another one.
    fn leave_slot(&mut self, id: SpaceId) {
        self.current = None;
        if let Some(slot) = self.spaces.0.remove(&id) {
            self.images.give_back(slot.private);
        }
    }

    fn slot(&mut self, id: SpaceId) -> Result<&mut Slot, Error> {
        self.spaces.0.get_mut(&id).ok_or_else(|| failed("a space without a slot".into()))
    }

    /// Makes the jump table of a space and the loaded mode the one that is asked.
    fn use_table(&mut self, id: SpaceId) -> Result<(), Error> {
        let mode = self.front.mode();
        let table = self.slot(id)?.table(mode, F::JUMPS)?;
        let (address, jumps) = (table.address(), table.entries());
        self.front.set_jumps(address);
        self.current = Some(Current { id, mode, jumps });
        Ok(())
    }

    /// The image for the code at an address, and the range around it that may be read for it.
    fn image_at(&mut self, space: &Space, pc: u64) -> Option<(ImageId, std::ops::Range<u64>)> {
        let slot = self.spaces.0.get(&space.id())?;
        if let Some((range, image)) = slot.file_at(pc) {
            return Some((image, range));
        }
        let area = space.area_at(GuestAddr(pc)).filter(|_| space.permits(GuestAddr(pc), Access::Execute))?;
        let range = area.start.0..area.end.0;
        let private = slot.private;
        let image = match space.code_file(GuestAddr(pc)) {
            Some(file) => {
                let path = match &area.name {
                    AreaName::File { path, .. } => path.clone(),
                    _ => Rc::from(&b""[..]),
                };
                self.images.of_file(&file, path)
            }
            None => private,
        };
        if image != private || matches!(area.name, AreaName::File { .. }) {
            // The answer is dear, and good until the space tells of a change.
            self.spaces.0.get_mut(&space.id())?.files.push((range.clone(), image));
        }
        Some((image, range))
    }

    /// The block at the loaded pc, translated if it has not been.
    fn find(&mut self, space: &mut Space, extent: Extent) -> Result<Found, Error> {
        let (pc, mode) = (self.front.pc(), self.front.mode());
        let refused = |kind| Ok(Found::Exit(Exit::Fault { addr: GuestAddr(pc), access: Access::Execute, kind }));
        if pc % self.front.pc_alignment() != 0 {
            return refused(FaultKind::Alignment);
        }
        let Some((image, range)) = self.image_at(space, pc) else {
            if let Some(kind) = self.front.bad_target(pc) {
                return refused(kind);
            }
            return refused(fetch_fault(space, pc));
        };
        if let Some(id) = self.images.find(image, pc, mode, extent) {
            return Ok(Found::Block(id));
        }
        let private = self.slot(space.id())?.private;
        if let Some(id) = self.images.find(private, pc, mode, extent) {
            return Ok(Found::Block(id));
        }
        if self.cache.used() + LARGEST_BLOCK > cache::SIZE || self.front.is_full() {
            self.flush();
        }
        let loose = space.area_at(GuestAddr(pc)).is_some_and(|a| a.shared || a.prot.contains(Prot::WRITE));
        let stability = if loose { Stability::Checked } else { Stability::Fixed };
        let addresses = self.images.addresses(image, pc, mode);
        let request = Request { pc, mode, extent, flags: self.flags, stability, addresses };
        self.asm.reset(self.cache.next());
        let view = View { space, range, crossed: Cell::new(false) };
        let translated = self.front.translate(&mut self.asm, &request, &view).map_err(failed)?;
        // Code that ends in another area is not that of the area's file.
        let image = if view.crossed.get() { private } else { image };
        // If only what was read ahead lies behind the file's end, what was made of it stops there again.
        if space.take_bus_error().is_some_and(|addr| addr.0 <= pc) {
            return refused(FaultKind::BeyondFile);
        }
        if let Some(addr) = translated.unreadable {
            let kind = fetch_fault(space, addr);
            return Ok(Found::Exit(Exit::Fault { addr: GuestAddr(addr), access: Access::Execute, kind }));
        }
        let code = self.asm.finish();
        self.stats.translated(&translated, code.len());
        let host = self.cache.append(code).ok_or_else(|| failed("a block is too large".into()))?;
        Ok(Found::Block(self.images.add(&mut self.cache, (image, pc, mode, extent), host, &translated)))
    }

    /// Throws all translations away.
    fn flush(&mut self) {
        self.cache.clear();
        self.images.clear();
        self.spaces.clear_tables();
        self.front.flushed();
        self.stats.flushes += 1;
    }

    /// The host address of a block's checked entry; that for indirect jumps is noted in the jump table.
    fn entry(&mut self, space: &Space, id: BlockId, extent: Extent) -> Result<u64, Error> {
        let block = self.images.block(id);
        let (pc, host) = (block.pc, self.cache.address(block.host) + F::HEAD);
        if extent == Extent::Whole {
            let mode = self.front.mode();
            self.slot(space.id())?.table(mode, F::JUMPS)?.set(pc, host);
        }
        Ok(host + F::INDIRECT)
    }

    /// Makes ready for a run of at most `most` instructions: the last ones before its end are counted exactly.
    #[inline]
    fn prepare(&mut self, space: &Space, most: u64) -> Result<(), Error> {
        let exact = F::SLACK > 0 && most <= F::SLACK;
        if exact != self.exact {
            self.exact = exact;
            self.front.set_exact(exact);
            self.use_table(space.id())?;
            self.linked = None;
        }
        Ok(())
    }

    /// The checked entry of the block at the pc, if it need not be looked for.
    #[inline]
    fn entry_at_hand(&mut self) -> Option<u64> {
        let known = self.linked.take().or_else(|| {
            // SAFETY: `current` is forgotten when its table goes, and no translated code runs now.
            self.current.and_then(|current| unsafe { current.jumps.get(self.front.pc()) })
        });
        known.map(|entry| entry + F::INDIRECT)
    }

    /// Runs from an entry until something happens, at most `most` instructions. Gives the number of the reason, and how many it were.
    #[inline]
    fn run_from(&mut self, entry: u64, most: u64) -> (u32, u64) {
        let most = if most > F::SLACK { most - F::SLACK } else { most };
        let chunk = most.min(POLL);
        match self.enter(entry, chunk) {
            // The first block is longer than the chunk.
            (number, 0) if number == Reason::Budget as u32 && most > chunk => self.enter(entry, most),
            left => left,
        }
    }

    /// Runs translated code with a budget until it leaves. Gives the number of the reason, and how many instructions it has retired.
    #[inline]
    fn enter(&mut self, entry: u64, budget: u64) -> (u32, u64) {
        let budget = budget.min(i64::MAX as u64) as i64;
        self.front.set_budget(budget);
        let number = self.front.enter(entry);
        let ran = (budget - self.front.budget()) as u64;
        self.retired += ran;
        if let Some(exits) = self.stats.exits.get_mut(number as usize) {
            *exits += 1;
        }
        (number, ran)
    }

    /// Deals with an exit; `left` is what is left of the budget. `None`: go on.
    fn answer(&mut self, space: &mut Space, number: u32, left: u64) -> Result<Option<Exit>, Error> {
        let reason = Reason::from_number(number).ok_or_else(|| failed(format!("exit number {number}")))?;
        match reason {
            Reason::Budget => self.run_out(space, left),
            Reason::Link => self.link(space).map(|()| None),
            Reason::Wild => {
                self.meet_wild(space);
                Ok(None)
            }
            Reason::Lookup => {
                // A jump drops the tag of its target; only here can it have one.
                let pc = self.front.untag(self.front.pc());
                self.front.set_pc(pc);
                Ok(None)
            }
            Reason::Syscall => Ok(Some(Exit::Syscall)),
            Reason::Mode => {
                self.front.mode_changed();
                self.use_table(space.id()).map(|()| None)
            }
            Reason::Invalidate => {
                let (addr, len) = self.front.invalidated();
                self.invalidate_code(space.id(), addr, len);
                Ok(None)
            }
            // The block was charged whole, so the budget had room for the instruction, though nothing may be left now.
            Reason::Fault => self.guest_fault(space),
            // What is left happens at an instruction, which the budget must still allow.
            _ if left == 0 => Ok(Some(Exit::Budget)),
            Reason::Illegal => Ok(Some(Exit::Illegal { privileged: false })),
            Reason::Protection => Ok(Some(Exit::Illegal { privileged: true })),
            Reason::Help => {
                let bytes = self.instruction(space);
                let exit = self.front.help(space, &bytes);
                self.retired += u64::from(exit.is_none());
                Ok(exit)
            }
            Reason::Breakpoint => {
                if F::BREAKPOINT == Trap::Trap {
                    let bytes = self.instruction(space);
                    self.front.pass_breakpoint(&bytes);
                    self.retired += 1;
                }
                Ok(Some(Exit::Breakpoint))
            }
            Reason::Fallback => self.fall_back(space),
            Reason::Alignment => {
                let addr = GuestAddr(self.front.untag(self.front.exit_arg()));
                let access = self.front.misaligned_access();
                Ok(Some(Exit::Fault { addr, access, kind: FaultKind::Alignment }))
            }
            Reason::Counter => {
                let value = self.counter_value();
                let bytes = self.instruction(space);
                self.front.read_counter(&bytes, value);
                self.retired += 1;
                Ok(None)
            }
        }
    }

    /// The budget ends within the block at the pc: exactly what is left of it is run.
    fn run_out(&mut self, space: &mut Space, left: u64) -> Result<Option<Exit>, Error> {
        if left == 0 {
            return Ok(Some(Exit::Budget));
        }
        if F::SLACK > 0 && !self.exact {
            return Ok(None);
        }
        let id = match self.find(space, Extent::Whole)? {
            Found::Block(id) => id,
            Found::Exit(exit) => return Ok(Some(exit)),
        };
        let count = u64::from(self.images.block(id).count);
        if count <= left {
            return Ok(None);
        }
        let extent = Extent::Cut(left as u32);
        let id = match self.find(space, extent)? {
            Found::Block(id) => id,
            Found::Exit(exit) => return Ok(Some(exit)),
        };
        let entry = self.entry(space, id, extent)?;
        match self.enter(entry, left) {
            (number, 0) if number == Reason::Budget as u32 => {
                Err(failed("a cut block is longer than the budget".into()))
            }
            (number, ran) => self.answer(space, number, left - ran),
        }
    }

    /// Links the direct jump that was left by.
    fn link(&mut self, space: &mut Space) -> Result<(), Error> {
        let link = self.front.exit_arg() as u32;
        let Some((image, mode, target)) = self.images.link_target(link) else { return Ok(()) };
        self.front.set_pc(target);
        let flushes = self.stats.flushes;
        match self.image_at(space, target) {
            Some((there, _)) if there == image && mode == self.front.mode() => {
                if let Found::Block(id) = self.find(space, Extent::Whole)?
                    && self.stats.flushes == flushes
                {
                    self.images.connect(&mut self.cache, link, id);
                    self.linked = Some(self.cache.address(self.images.block(id).host) + F::HEAD);
                    self.stats.links += 1;
                }
            }
            _ => {
                // Another image may be there in another space: by the jump table.
                self.asm.reset(self.cache.next());
                self.front.emit_far(&mut self.asm, target);
                if let Some(stub) = self.cache.append(self.asm.finish()) {
                    self.images.divert(&mut self.cache, link, stub);
                }
            }
        }
        Ok(())
    }

    /// The block whose address the exit told is translated anew, for any addresses, when it is next reached.
    fn meet_wild(&mut self, space: &Space) {
        let (start, mode) = (self.front.exit_arg(), self.front.mode());
        let Some((image, _)) = self.image_at(space, start) else { return };
        self.images.meet_wild(image, start, mode);
        self.invalidate_code(space.id(), start, 1);
    }

    /// The bytes of the instruction at the pc, which has just been met as code; zeros where they cannot be read.
    fn instruction(&self, space: &mut Space) -> [u8; 16] {
        let (pc, mut bytes) = (self.front.pc(), [0; 16]);
        if let Some(area) = space.area_at(GuestAddr(pc)).filter(|_| space.permits(GuestAddr(pc), Access::Execute)) {
            View { space, range: area.start.0..area.end.0, crossed: Cell::new(false) }.fetch(pc, &mut bytes);
            // A file that ends here has ended just now.
            space.take_bus_error();
        }
        bytes
    }

    /// The guest's fault that a host fault stands for.
    fn guest_fault(&mut self, space: &mut Space) -> Result<Option<Exit>, Error> {
        let report = self.front.host_fault();
        // SAFETY: it points into the front end's state, which translated code does not use now.
        let fault: HostFault = unsafe { report.read() };
        let known = self.cache.offset(fault.rip).and_then(|offset| self.images.at_host(offset));
        let Some((id, mark)) = known else {
            return Err(failed(format!("a fault at {:#x} in code that accesses no memory", fault.rip)));
        };
        let block = self.images.block(id);
        self.retired -= u64::from(mark.charged.saturating_sub(mark.index));
        self.front.set_pc(block.pc + u64::from(mark.guest));
        self.front.settle_fault(&fault, mark.note);
        let bytes = self.instruction(space);
        let pc = self.front.pc();
        let wanted = match self.front.explain(&fault, &bytes) {
            Explained::Access(wanted) => wanted,
            Explained::Exit(exit) => return Ok(Some(exit)),
            Explained::Nothing => {
                let what = format!("a fault at {pc:#x}, in an instruction that accesses no memory: {fault:x?}");
                return Err(failed(what));
            }
        };
        let access = wanted.access;
        let addr = self.front.untag(wanted.addr);
        if let Some((addr, kind)) = refused_byte(space, addr, wanted.len, access) {
            return Ok(Some(Exit::Fault { addr: GuestAddr(addr), access, kind }));
        }
        if fault.signal == libc::SIGBUS {
            let page = fault.addr.wrapping_sub(space.host_base() as u64) & !(PAGE_SIZE - 1);
            let addr = GuestAddr(page.max(addr));
            return Ok(Some(Exit::Fault { addr, access, kind: FaultKind::BeyondFile }));
        }
        let inside = fault.addr.wrapping_sub(space.host_base() as u64) < self.limit;
        if !inside {
            // Base and offset meet only beyond the end of all addresses, where the sum wraps: a place that safe addresses
            // cannot reach.
            return self.fall_back(space);
        }
        Err(failed(format!("a fault at {pc:#x} at an address that may be accessed, {addr:#x}: {fault:x?}")))
    }

    /// Does the instruction at the pc by another backend.
    #[cfg(feature = "unicorn")]
    fn fall_back(&mut self, space: &mut Space) -> Result<Option<Exit>, Error> {
        let bytes = self.instruction(space);
        self.stats.fall_back(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let other = match &mut self.other {
            Some(other) => other,
            None => {
                self.other.insert(Box::new(super::unicorn::Unicorn::new(F::ARCH, crate::arch::cpuid::Model::Host)?))
            }
        };
        let mut regs = Regs::new(F::ARCH);
        self.front.save(&mut regs);
        other.load(&regs);
        // Changes of the space have been told to this backend only.
        other.invalidate(space.id(), GuestAddr(0), space.limit());
        let before = other.retired();
        let exit = other.run(space, 1)?;
        self.retired += other.retired() - before;
        other.save(&mut regs);
        self.front.load(&regs);
        self.expect_faults(space.host_base() as u64);
        self.use_table(space.id())?;
        Ok(if exit == Exit::Budget { None } else { Some(exit) })
    }

    #[cfg(not(feature = "unicorn"))]
    fn fall_back(&mut self, space: &mut Space) -> Result<Option<Exit>, Error> {
        let bytes = self.instruction(space);
        self.stats.fall_back(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        Ok(Some(Exit::Illegal { privileged: false }))
    }

    fn counter_value(&self) -> u64 {
        match self.counter {
            Counter::Retired { offset } => self.retired.wrapping_add(offset),
            Counter::Host => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
                (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
            }
        }
    }

    /// Drops the translations of a guest range of a space, whatever image they belong to.
    fn invalidate_code(&mut self, id: SpaceId, addr: u64, len: u64) {
        let end = addr.saturating_add(len);
        let Some(slot) = self.spaces.0.get(&id) else { return };
        let mut images: Vec<ImageId> = vec![slot.private];
        images.extend(slot.files.iter().filter(|(r, _)| r.start < end && addr < r.end).map(|(_, image)| *image));
        for image in images {
            let (cache, spaces) = (&mut self.cache, &mut self.spaces);
            self.images.drop_range(cache, image, addr, end, |pc, mode| spaces.forget(image, pc, mode));
        }
        self.stats.invalidations += 1;
    }
}

/// The first byte of a range that may not be accessed, and why.
fn refused_byte(space: &Space, addr: u64, len: u64, access: Access) -> Option<(u64, FaultKind)> {
    let last = addr.wrapping_add(len.max(1) - 1);
    let mut at = addr;
    loop {
        if !space.permits(GuestAddr(at), access) {
            return Some((at, space.classify_fault(GuestAddr(at), access)));
        }
        let next = (at & !(PAGE_SIZE - 1)).wrapping_add(PAGE_SIZE);
        if last.wrapping_sub(addr) < next.wrapping_sub(addr) {
            return None;
        }
        at = next;
    }
}

impl<F: FrontEnd> Drop for Translate<F> {
    fn drop(&mut self) {
        fault::end_running(self.cache.range().start);
    }
}

impl<F: FrontEnd> Cpu for Translate<F> {
    fn name(&self) -> &'static str {
        "translate"
    }

    fn arch(&self) -> Arch {
        F::ARCH
    }

    fn run(&mut self, space: &mut Space, budget: u64) -> Result<Exit, Error> {
        self.linked = None;
        if !self.is_in(space) {
            self.enter_space(space)?;
        }
        let end = self.retired.saturating_add(budget);
        loop {
            let left = end - self.retired;
            if left == 0 || STOP_REQUESTED.load(Ordering::Relaxed) {
                return Ok(Exit::Budget);
            }
            let stepping = self.front.stepping();
            let most = if stepping { 1 } else { left };
            self.prepare(space, most)?;
            let entry = match self.entry_at_hand() {
                Some(entry) => entry,
                None => match self.find(space, Extent::Whole)? {
                    Found::Block(id) => self.entry(space, id, Extent::Whole)?,
                    Found::Exit(exit) => return Ok(exit),
                },
            };
            let (number, ran) = self.run_from(entry, most);
            if number == Reason::Syscall as u32 {
                return Ok(Exit::Syscall);
            }
            match self.answer(space, number, most - ran)? {
                None | Some(Exit::Budget) if stepping && self.retired > end - left => return Ok(Exit::SingleStep),
                None => {}
                Some(exit) => return Ok(exit),
            }
        }
    }

    fn retired(&self) -> u64 {
        self.retired
    }

    fn invalidate(&mut self, space: SpaceId, addr: GuestAddr, len: u64) {
        let end = addr.0.saturating_add(len);
        let Some(slot) = self.spaces.0.get_mut(&space) else { return };
        // A file's image stays for others, and for when the same contents come back.
        let before = slot.files.len();
        slot.files.retain(|(range, _)| !(range.start < end && addr.0 < range.end));
        if slot.files.len() != before {
            slot.clear_tables();
        }
        let private = slot.private;
        let (cache, spaces) = (&mut self.cache, &mut self.spaces);
        self.images.drop_range(cache, private, addr.0, end, |pc, mode| spaces.forget(private, pc, mode));
    }

    fn set_counter(&mut self, counter: Counter) {
        self.counter = counter;
    }

    fn hwcap(&self) -> (u64, u64) {
        self.front.hwcap()
    }

    fn cpuid(&self) -> Option<Cpuid> {
        self.front.cpuid()
    }

    fn statistics(&self) -> Vec<(String, u64)> {
        self.stats.named()
    }

    fn translations(&self) -> Vec<Translation> {
        let all = self.images.all();
        all.map(|(block, source)| Translation {
            host: self.cache.address(block.host),
            len: u64::from(block.main_end),
            pc: GuestAddr(block.pc),
            file: source.map(|s| (s.path.clone(), block.pc.wrapping_sub(s.start).wrapping_add(s.offset))),
        })
        .collect()
    }
}

impl<F: FrontEnd> RegPort for Translate<F> {
    fn syscall(&self) -> RawCall {
        self.front.syscall()
    }

    fn set_result(&mut self, value: u64) {
        self.front.set_result(value);
    }

    fn pc(&self) -> u64 {
        self.front.pc()
    }

    fn sp(&self) -> u64 {
        self.front.sp()
    }

    fn save(&self, regs: &mut Regs) {
        self.front.save(regs);
    }

    fn load(&mut self, regs: &Regs) {
        self.front.clear_exclusive();
        self.front.load(regs);
    }
}

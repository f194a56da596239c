//! The Unicorn backend: QEMU's translator as a library, for both architectures.
//!
//! One engine serves all spaces. Its guest-physical addresses are sevm's own host addresses, all mapped once; the fill
//! hook translates a guest page to window + address and grants what the area permits. So blocks of different spaces
//! never mix (they are looked up by physical page), and a switch of spaces only empties the TLB.
//!
//! A page is either storable or has translated blocks, never both: the first store to a page with blocks comes to the
//! fill hook, which drops them. Unicorn's own detection misses such stores under the virtual TLB.
//!
//! Where this backend deviates from the contract in [`crate::cpu::Cpu`]:
//! - An x86_64 instruction that stores more than 8 bytes in one access (SSE, x87, `fxsave`) across a page border whose second
//!   page refuses may have stored the bytes before the border (point 3). The registers are as before, so that running it
//!   again gives the same. aarch64 store pairs do the same, which the architecture allows.
//! - x86_64 alignment checks of SSE operands are not made; `mxcsr` collects no exception flags, and unmasked SSE exceptions
//!   do not trap. The x87 instruction and data pointers are those of the last load, not of the last instruction.
//! - Loading a segment register with anything but a null selector is a fault.
//! - Code that changes through another mapping of the same file is not noticed without `invalidate`.
//! - `mrs xN, rndr` gives the host's random numbers; neither the ID registers nor AT_HWCAP2 show it.
//! - A file that is cut short while its pages are in the TLB reads as zeros until the next exit, which is then the fault.

#![expect(unsafe_code, reason = "owns what the hooks share")]

mod aarch64;
mod count;
mod engine;
mod hooks;
mod string;
mod x86;

use std::collections::BTreeMap;
use std::ptr::NonNull;

use unicorn_engine::hook::sys::uc_error;

use self::engine::Engine;
use self::hooks::{Mode, NOWHERE, Page, STUB_PAGE, Shared, Stop};
use super::{Access, Counter, Cpu, Exit, FaultKind};
use crate::Error;
use crate::arch::cpuid::{ALWAYS, Cpuid, Features, Model};
use crate::arch::{Arch, RawCall, RegPort, Regs};
use crate::mem::{GuestAddr, PAGE_SIZE, Space, SpaceId, install_bus_guard};

/// The Unicorn backend for one architecture.
pub struct Unicorn {
    arch: Arch,
    // Dropped before `shared`, which its hooks read.
    engine: Engine,
    shared: SharedBox,
    /// Where the loaded thread goes on.
    pc: u64,
    /// How many times `run_to` is within itself.
    depth: u32,
    /// Host address of guest address 0 of every space that ran here.
    bases: BTreeMap<SpaceId, u64>,
    /// The page of [`STUB_PAGE`].
    _stub: Box<Page>,
}

/// A block may have to be cut at a page border, at a budget, and before a store to itself.
const DEEPEST: u32 = 4;

/// Owner of what hooks share, at an address that stays.
struct SharedBox(NonNull<Shared>);

impl SharedBox {
    fn new(shared: Shared) -> SharedBox {
        SharedBox(NonNull::from(Box::leak(Box::new(shared))))
    }
}

impl std::ops::Deref for SharedBox {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        // SAFETY: made by `new`, freed only by `drop`; there are only shared references to it.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for SharedBox {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and the engine whose hooks knew it is closed (see the order of `Unicorn`'s fields).
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// Checks that the engine stops at a refused load at `pc` and tells its exact address: this is read from a field that
/// is found by its surroundings.
fn self_test(engine: &mut Engine, pc: u64) -> Result<(), Error> {
    let error = engine.start(pc);
    if error == uc_error::EXCEPTION && engine.fault_addr() == NOWHERE {
        return Ok(());
    }
    let reason = format!("self test failed: {error:?}, fault address {:#x}", engine.fault_addr());
    Err(Error::Cpu { backend: "unicorn", reason })
}

fn failed(reason: String) -> Error {
    Error::Cpu { backend: "unicorn", reason }
}

impl Unicorn {
    /// Opens an engine; takes one or two milliseconds.
    ///
    /// # Errors
    /// Unicorn failed, or it is not the version that this code knows.
    pub fn new(arch: Arch, model: Model) -> Result<Unicorn, Error> {
        let shown = match arch {
            Arch::X86_64 => {
                super::processor("unicorn", model, Features::named(ALWAYS) | Features::named(x86::OFFERED))?
            }
            Arch::Aarch64 => Cpuid::default(),
        };
        install_bus_guard()?;
        let mut stub = Box::new(Page([0; PAGE_SIZE as usize]));
        let (code, mut engine) = match arch {
            Arch::X86_64 => (&x86::STUB[..], x86::open()?),
            Arch::Aarch64 => (&aarch64::STUB[..], aarch64::open()?),
        };
        stub.0[..code.len()].copy_from_slice(code);
        let shared = SharedBox::new(Shared::new(arch, shown, stub.0.as_ptr() as u64));
        hooks::install(&mut engine, arch, shared.0.as_ptr())?;
        match arch {
            Arch::X86_64 => x86::set_up(&mut engine)?,
            Arch::Aarch64 => aarch64::set_up(&mut engine)?,
        }
        engine.flush_tlb();
        shared.mode.set(Mode::Guest);
        let mut cpu = Unicorn { arch, engine, shared, pc: 0, depth: 0, bases: BTreeMap::new(), _stub: stub };
        cpu.load(&Regs::new(arch));
        if arch == Arch::X86_64 {
            cpu.engine.keep()?;
        }
        Ok(cpu)
    }

    /// Makes `space` the one that runs.
    fn enter(&mut self, space: &mut Space) {
        for (addr, len) in space.take_changes() {
            self.invalidate(space.id(), addr, len);
        }
        let base = space.host_base() as u64;
        if self.bases.insert(space.id(), base) != Some(base) {
            // Another space may have had this place before.
            self.invalidate(space.id(), GuestAddr(0), space.limit());
        }
        let shared = &*self.shared;
        if base != shared.base.get() || shared.flush_wanted.get() {
            self.engine.flush_tlb();
            shared.flushed();
            shared.base.set(base);
        }
        shared.limit.set(space.limit());
        shared.space.set(space);
    }

    /// Runs until a hook gives a reason to stop, then tells it; `None` means: go on.
    fn step(&mut self) -> Result<Option<Exit>, Error> {
        if self.depth > DEEPEST {
            // The engine and the decoder disagree on where instructions end, which they do for none that is defined.
            return Ok(Some(self.fault_exit(Exit::Illegal { privileged: false })));
        }
        let shared = &*self.shared;
        if shared.retired() >= shared.end.get() {
            return Ok(Some(Exit::Budget));
        }
        shared.stop.set(Stop::None);
        let before = (self.pc, shared.retired());
        let error = self.engine.start(self.pc);
        self.pc = self.engine.read(self.pc_register());
        match (shared.stop.get(), error) {
            (_, uc_error::INSN_INVALID) => Ok(Some(self.fault_exit(Exit::Illegal { privileged: false }))),
            (Stop::Fault { access, kind }, _) => self.refused(access, kind),
            (Stop::SelfStore, _) => self.store_to_own_page(),
            (Stop::Budget, _) => Ok(Some(Exit::Budget)),
            (Stop::Unfit, _) => Ok(Some(self.unfit())),
            (Stop::Forbidden { privileged }, _) => Ok(Some(Exit::Illegal { privileged })),
            (Stop::Tail { count, bytes }, _) => {
                let end = self.address_after(self.pc, bytes, count);
                self.run_to(end)
            }
            (Stop::Syscall, _) => Ok(Some(self.system_call())),
            (Stop::Interrupt(number), _) => Ok(self.exception(number)),
            // A hint such as `wfi` ends a run as well; anything else would be one without progress.
            (Stop::None, uc_error::OK) if before != (self.pc, shared.retired()) => Ok(None),
            (Stop::None, error) => Err(failed(format!("stopped at {:#x} for no reason: {error:?}", self.pc))),
        }
    }

    fn pc_register(&self) -> i32 {
        match self.arch {
            Arch::X86_64 => x86::PC,
            Arch::Aarch64 => aarch64::PC,
        }
    }

    /// An exit at an instruction of the running block that has not completed: the rest of the block is not counted.
    fn fault_exit(&mut self, exit: Exit) -> Exit {
        let shared = &*self.shared;
        shared.set_retired(shared.retired_before(self.pc));
        shared.end_block();
        exit
    }

    fn system_call(&mut self) -> Exit {
        if self.arch == Arch::X86_64 {
            x86::finish_syscall(&mut self.engine, self.pc);
        }
        Exit::Syscall
    }

    /// An access that the fill hook refused.
    fn refused(&mut self, access: Access, kind: FaultKind) -> Result<Option<Exit>, Error> {
        let addr = self.engine.fault_addr();
        if access != Access::Execute {
            return Ok(Some(self.fault_exit(Exit::Fault { addr: GuestAddr(self.untag(addr)), access, kind })));
        }
        // The engine reads whole blocks ahead. What lies before the page that refused must run first.
        let page = GuestAddr(addr).page().0;
        if self.arch == Arch::X86_64 && page == GuestAddr(self.pc).page().0 + PAGE_SIZE && self.is_code(self.pc) {
            let shared = &*self.shared;
            let whole = shared.reader.borrow_mut().whole_until(shared.base.get(), self.pc, page);
            if whole > 0 {
                let end = self.address_after(self.pc, (page - self.pc) as u32, whole);
                return self.run_to(end);
            }
        }
        Ok(Some(Exit::Fault { addr: GuestAddr(addr), access, kind }))
    }

    /// Whether the address can be executed.
    fn is_code(&self, addr: u64) -> bool {
        // SAFETY: as in `instruction_word`.
        let space = unsafe { self.shared.space.get().as_ref() };
        space.is_some_and(|s| s.permits(GuestAddr(addr), Access::Execute))
    }

    fn untag(&self, addr: u64) -> u64 {
        self.shared.untag(addr)
    }

    /// Why a block may not even be looked at.
    fn unfit(&self) -> Exit {
        let misaligned = self.arch == Arch::Aarch64 && self.pc & 3 != 0;
        let kind = if misaligned { FaultKind::Alignment } else { FaultKind::Unmapped };
        Exit::Fault { addr: GuestAddr(self.pc), access: Access::Execute, kind }
    }

    /// The address of instruction number `count` of a straight piece of code of `bytes` bytes at `start`.
    fn address_after(&self, start: u64, bytes: u32, count: u64) -> u64 {
        match self.arch {
            Arch::Aarch64 => start + count * 4,
            Arch::X86_64 => {
                let shared = &*self.shared;
                shared.reader.borrow_mut().address_of(shared.base.get(), start, bytes, count)
            }
        }
    }

    /// Runs straight on from the pc to `end`, which lies in the same block.
    fn run_to(&mut self, end: u64) -> Result<Option<Exit>, Error> {
        self.drop_guest(self.pc, 1);
        self.engine.set_exit(Some(end))?;
        self.depth += 1;
        let result = self.step();
        self.depth -= 1;
        self.engine.set_exit(None)?;
        // What was translated with this end must not be met again.
        self.drop_guest(end, 1);
        result
    }

    /// A store to the page of the running block: drops the page's blocks, does this one instruction, drops them again.
    fn store_to_own_page(&mut self) -> Result<Option<Exit>, Error> {
        let page = GuestAddr(self.engine.fault_addr()).page();
        let shared = &*self.shared;
        shared.set_retired(shared.retired_before(self.pc));
        let (start, bytes, _) = shared.block();
        shared.end_block();
        let rest = start.saturating_add(u64::from(bytes)).saturating_sub(self.pc) as u32;
        let end = shared.reader.borrow_mut().address_of(shared.base.get(), self.pc, rest, 1);
        self.drop_page(page);
        self.shared.mode.set(Mode::StoreToCode);
        let result = self.run_to(end);
        self.shared.mode.set(Mode::Guest);
        self.drop_page(page);
        result
    }

    fn drop_page(&mut self, page: GuestAddr) {
        let host = self.shared.base.get() + page.0;
        self.shared.take_code(host, PAGE_SIZE);
        self.drop_guest(page.0, PAGE_SIZE);
        self.shared.unscreen(host);
        self.shared.forget_blocks();
    }

    /// Drops translated blocks of the running space.
    fn drop_guest(&mut self, addr: u64, len: u64) {
        let mode = self.shared.mode.replace(Mode::DropGuest);
        engine::drop_blocks(self.engine.handle(), addr, len);
        self.shared.mode.set(mode);
    }

    /// An exception other than a refused access. `None` when it has been dealt with.
    fn exception(&mut self, number: u32) -> Option<Exit> {
        match self.arch {
            Arch::X86_64 => {
                let (start, bytes, _) = self.shared.block();
                // An `int` instruction ends its block and has been passed; a fault is at an instruction.
                let software = self.pc == start + u64::from(bytes);
                let exit = x86::exception(&mut self.engine, number, software);
                self.pc = self.engine.read(x86::PC);
                let exit = self.fault_exit(exit);
                self.forget_exception();
                Some(exit)
            }
            Arch::Aarch64 => self.exception_aarch64(number),
        }
    }

    /// Unicorn waits for the exception to be delivered through a gate, which never happens here, and would take the next
    /// one for a double fault and the third for a reset.
    fn forget_exception(&mut self) {
        let mut regs = Regs::new(self.arch);
        self.save(&mut regs);
        self.engine.back_to_kept();
        self.load(&regs);
    }

    fn exception_aarch64(&mut self, number: u32) -> Option<Exit> {
        const UNDEFINED: u32 = 1;
        const DATA_ABORT: u32 = 4;
        const BREAKPOINT: u32 = 7;
        let word = self.instruction_word();
        match number {
            BREAKPOINT => Some(self.fault_exit(Exit::Breakpoint)),
            UNDEFINED if self.emulate_mrs(word) => None,
            DATA_ABORT => {
                // The only one that is not a refused access: alignment. All instructions that demand it address memory
                // by a base register alone.
                let mut regs = Regs::new(Arch::Aarch64);
                self.save(&mut regs);
                let base = (word >> 5 & 31) as usize;
                let Regs::Aarch64(regs) = regs else { return Some(Exit::Illegal { privileged: false }) };
                let addr = GuestAddr(self.untag(regs.x.get(base).copied().unwrap_or(regs.sp)));
                let access = if word >> 22 & 1 == 1 { Access::Read } else { Access::Write };
                Some(self.fault_exit(Exit::Fault { addr, access, kind: FaultKind::Alignment }))
            }
            _ => Some(self.fault_exit(Exit::Illegal { privileged: false })),
        }
    }

    /// The instruction at the pc.
    fn instruction_word(&self) -> u32 {
        // SAFETY: the pointer comes from the `&mut Space` of the `run` that is going on; the engine is stopped.
        let space = unsafe { self.shared.space.get().as_ref() };
        space.and_then(|s| s.copy_in::<u32>(GuestAddr(self.pc)).ok()).unwrap_or(0)
    }

    /// Reads of ID registers and counters trap, and Linux answers most of them.
    fn emulate_mrs(&mut self, word: u32) -> bool {
        let Some((register, target)) = aarch64::decode_mrs(word) else { return false };
        let shared = &*self.shared;
        let before = shared.retired_before(self.pc);
        let value = match aarch64::timer(register) {
            Some(aarch64::Timer::Count) => Some(shared.counter_value(before)),
            Some(aarch64::Timer::Frequency) => Some(1_000_000_000),
            None => aarch64::id_register(register),
        };
        let Some(value) = value else { return false };
        shared.set_retired(before + 1);
        shared.end_block();
        aarch64::set_general(&mut self.engine, target, value);
        self.pc += 4;
        self.engine.write(aarch64::PC, self.pc);
        true
    }

    /// What must be settled when `run` comes back.
    fn leave(&mut self, space: &mut Space, exit: Exit) -> Exit {
        let shared = &*self.shared;
        shared.space.set(std::ptr::null_mut());
        shared.end_block();
        shared.settle_repeat(self.pc);
        match space.take_bus_error() {
            Some(addr) => Exit::Fault { addr, access: Access::Read, kind: FaultKind::BeyondFile },
            None => exit,
        }
    }
}

impl Cpu for Unicorn {
    fn name(&self) -> &'static str {
        "unicorn"
    }

    fn arch(&self) -> Arch {
        self.arch
    }

    fn run(&mut self, space: &mut Space, budget: u64) -> Result<Exit, Error> {
        self.enter(space);
        self.shared.set_budget(budget);
        let result = loop {
            match self.step() {
                Ok(None) => {}
                Ok(Some(exit)) => break Ok(exit),
                Err(error) => break Err(error),
            }
        };
        let exit = self.leave(space, *result.as_ref().unwrap_or(&Exit::Budget));
        result.map(|_| exit)
    }

    fn retired(&self) -> u64 {
        self.shared.retired()
    }

    fn invalidate(&mut self, space: SpaceId, addr: GuestAddr, len: u64) {
        let Some(&base) = self.bases.get(&space) else { return };
        let shared = &*self.shared;
        let runs = shared.take_code(base.saturating_add(addr.0), len);
        if !runs.is_empty() {
            // The blocks are named by their host addresses, which are no guest's: the TLB must hold neither others there
            // before nor these afterwards.
            self.engine.flush_tlb();
            let mode = shared.mode.replace(Mode::DropHost);
            for (host, bytes) in runs {
                engine::drop_blocks(self.engine.handle(), host, bytes);
                shared.unscreen(host);
            }
            shared.mode.set(mode);
            shared.forget_blocks();
            shared.flush_wanted.set(true);
        } else if base == shared.base.get() && shared.any_filled(addr.0, len) {
            shared.flush_wanted.set(true);
        }
    }

    fn set_counter(&mut self, counter: Counter) {
        self.shared.counter.set(counter);
    }

    fn hwcap(&self) -> (u64, u64) {
        match self.arch {
            Arch::X86_64 => self.shared.cpuid.hwcap(),
            Arch::Aarch64 => aarch64::hwcap(),
        }
    }

    fn cpuid(&self) -> Option<Cpuid> {
        (self.arch == Arch::X86_64).then_some(self.shared.cpuid)
    }
}

impl RegPort for Unicorn {
    fn syscall(&self) -> RawCall {
        match self.arch {
            Arch::X86_64 => x86::syscall(&self.engine),
            Arch::Aarch64 => aarch64::syscall(&self.engine),
        }
    }

    fn set_result(&mut self, value: u64) {
        match self.arch {
            Arch::X86_64 => x86::set_result(&mut self.engine, value),
            Arch::Aarch64 => aarch64::set_result(&mut self.engine, value),
        }
    }

    fn pc(&self) -> u64 {
        self.pc
    }

    fn sp(&self) -> u64 {
        match self.arch {
            Arch::X86_64 => self.engine.read(x86::SP),
            Arch::Aarch64 => self.engine.read(aarch64::SP),
        }
    }

    fn save(&self, regs: &mut Regs) {
        if regs.arch() != self.arch {
            *regs = Regs::new(self.arch);
        }
        match regs {
            Regs::X86_64(r) => x86::save(&self.engine, r),
            Regs::Aarch64(r) => aarch64::save(&self.engine, r),
        }
    }

    fn load(&mut self, regs: &Regs) {
        match (self.arch, regs) {
            (Arch::X86_64, Regs::X86_64(r)) => x86::load(&mut self.engine, r),
            (Arch::Aarch64, Regs::Aarch64(r)) => {
                self.clear_exclusive();
                aarch64::load(&mut self.engine, r);
            }
            // The caller mixed up two CPUs; a thread of another architecture cannot run here.
            _ => debug_assert!(false, "registers of another architecture"),
        }
        self.pc = regs.pc();
    }
}

impl Unicorn {
    /// Another thread must not complete this thread's exclusive store.
    fn clear_exclusive(&mut self) {
        let mode = self.shared.mode.replace(Mode::Stub);
        self.engine.start(STUB_PAGE);
        self.shared.mode.set(mode);
    }
}

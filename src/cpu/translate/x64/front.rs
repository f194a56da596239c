//! The front end as the engine knows it.

#![expect(unsafe_code, reason = "calls translated code, whose state lies in front of it")]

use std::ptr::NonNull;

use super::common::Thunks;
use super::out::{LazyEncoder, Note};
use super::state::State;
use super::{block, common, features, system, wanted, x87};
use crate::Error;
use crate::arch::cpuid::{Cpuid, Model};
use crate::arch::x86_64::{MXCSR_MASK, RAX, RCX, RDI, RSI, RSP, is_canonical};
use crate::arch::{Arch, RawCall, Regs};
use crate::cpu::translate::asm::Asm;
use crate::cpu::translate::front::{
    Code, Common, Explained, FrontEnd, HostFault, Reason, Request, Translated, Trap, Wanted,
};
use crate::cpu::translate::jumps::{Shape, Tag};
use crate::cpu::{Access, Exit, FaultKind};
use crate::mem::{GuestAddr, Space};

/// The x86_64 front end.
pub struct X64 {
    /// In front of the code; a place of its own until the engine has told where that is.
    state: NonNull<State>,
    own: Option<Box<State>>,
    thunks: Thunks,
    common: Common,
    encoder: LazyEncoder,
    mode: u8,
}

/// `si_code` of integer division by zero, which is also what overflow of a division gives.
const FPE_INTDIV: i32 = 1;

/// The processor's exceptions.
mod exception {
    pub const DIVIDE: u32 = 0;
    pub const DEBUG: u32 = 1;
    pub const BREAKPOINT: u32 = 3;
    pub const STACK: u32 = 12;
    pub const PROTECTION: u32 = 13;
    pub const PAGE: u32 = 14;
}

/// Bit of a page fault's error code: it was a write.
const WROTE: u32 = 2;

impl X64 {
    /// A front end with registers as a new process has them, that shows a processor of this model.
    ///
    /// # Errors
    /// The host lacks something that the model has.
    pub fn new(model: Model) -> Result<X64, Error> {
        let cpuid = crate::cpu::processor("translate", model, features::offered())?;
        let mut own = Box::new(State::new(cpuid));
        let state = NonNull::from(&mut *own);
        let (thunks, common) = (Thunks::default(), Common::default());
        Ok(X64 { state, own: Some(own), thunks, common, encoder: LazyEncoder::default(), mode: 0 })
    }

    fn state(&self) -> &State {
        // SAFETY: it points to `own`, or else to the engine's memory in front of its code, which lives as long as this; only
        // translated code changes it besides, which does not run now.
        unsafe { self.state.as_ref() }
    }

    /// Calls what `common::emit` has made.
    fn call(&self, function: u64) {
        if function == 0 {
            return;
        }
        // SAFETY: functions there have this signature; they and the block that is entered keep to the contract in `front.rs`, so all
        // they touch is the state, guest memory and registers that the calling convention leaves to them.
        unsafe {
            let function: extern "sysv64" fn() = std::mem::transmute(function);
            function();
        }
    }

    fn state_mut(&mut self) -> &mut State {
        // SAFETY: as in `state`, and `self` is borrowed exclusively.
        unsafe { self.state.as_mut() }
    }
}

impl FrontEnd for X64 {
    const ARCH: Arch = Arch::X86_64;
    const DATA: usize = std::mem::size_of::<State>();
    const JUMPS: Shape = Shape { bits: 16, shift: 0, tag: Tag::Inverted };
    const SLACK: u64 = block::SLACK;
    const HEAD: u64 = block::HEAD as u64;
    const INDIRECT: u64 = block::INDIRECT as u64;

    fn place(&mut self, data: *mut u8) {
        let Some(place) = NonNull::new(data.cast::<State>()) else { return };
        if let Some(own) = self.own.take() {
            // SAFETY: the engine gives memory of this size, aligned to a page, for the front end alone.
            unsafe { place.write(*own) };
            self.state = place;
        }
    }

    const BREAKPOINT: Trap = Trap::Trap;

    fn set_exact(&mut self, exact: bool) {
        self.mode = if exact { block::EXACT } else { 0 };
    }

    fn set_window(&mut self, base: u64) {
        self.state_mut().window = base;
    }

    fn emit_common(&mut self, asm: &mut Asm) -> Common {
        (self.common, self.thunks) = common::emit(asm);
        self.common
    }

    fn emit_far(&mut self, asm: &mut Asm, target: u64) {
        common::emit_far(asm, &self.thunks, target);
    }

    fn bad_target(&self, addr: u64) -> Option<FaultKind> {
        (!is_canonical(addr)).then_some(FaultKind::NonCanonical)
    }

    fn pass_breakpoint(&mut self, bytes: &[u8]) {
        let state = self.state_mut();
        let length = wanted::decode(bytes, state.pc).map_or(1, |i| i.len() as u64);
        state.pc = state.pc.wrapping_add(length);
    }

    fn stepping(&self) -> bool {
        const TF: u64 = 1 << 8;
        self.state().rflags & TF != 0
    }

    fn enter(&mut self, entry: u64) -> u32 {
        let enter = self.common.enter;
        let state = self.state_mut();
        state.entry = entry;
        state.host_flags = state.rflags & State::HOST_FLAGS;
        self.call(enter);
        let state = self.state_mut();
        state.rflags = state.rflags & !State::HOST_FLAGS | state.host_flags & State::HOST_FLAGS;
        if std::mem::take(&mut state.exchanged) != 0 {
            // A fault came while the guest had its register.
            state.budget = state.kept_budget;
            state.ymm[15] = state.fault_ymm15;
        }
        if state.reason == Reason::Syscall as u64 {
            state.gpr[RCX] = state.pc;
            state.gpr[11] = state.rflags;
        }
        state.reason as u32
    }

    fn translate(&mut self, asm: &mut Asm, request: &Request, code: &dyn Code) -> Result<Translated, String> {
        block::translate(asm, &mut self.encoder, &self.thunks, request, code)
    }

    fn is_full(&self) -> bool {
        false
    }

    fn flushed(&mut self) {}

    fn set_address_bits(&mut self, _bits: u32) {}

    fn mode(&self) -> u8 {
        self.mode
    }

    fn set_jumps(&mut self, table: u64) {
        self.state_mut().jumps = table;
    }

    fn budget(&self) -> i64 {
        self.state().budget
    }

    fn set_budget(&mut self, budget: i64) {
        self.state_mut().budget = budget;
    }

    fn exit_arg(&self) -> u64 {
        self.state().exit_arg
    }

    fn host_fault(&mut self) -> *mut HostFault {
        &raw mut self.state_mut().fault
    }

    fn settle_fault(&mut self, _fault: &HostFault, note: u32) {
        let (state, note) = (self.state_mut(), Note(note));
        for (reg, flag) in [(RSI, Note::RSI_HOST), (RDI, Note::RDI_HOST)] {
            if note.has(flag) {
                state.gpr[reg] = state.gpr[reg].wrapping_sub(state.window);
            }
        }
        for (reg, slot) in note.registers_aside() {
            state.gpr[reg] = state.spill[slot];
        }
        if note.has(Note::FLAGS_ASIDE) {
            state.rflags = state.rflags & !State::HOST_FLAGS | state.spill[7] & State::HOST_FLAGS;
        }
    }

    fn explain(&self, fault: &HostFault, bytes: &[u8]) -> Explained {
        let state = self.state();
        match (fault.signal, fault.trap) {
            (libc::SIGFPE, exception::DIVIDE) => Explained::Exit(Exit::Divide),
            (libc::SIGFPE, _) if fault.code == FPE_INTDIV => Explained::Exit(Exit::Divide),
            (libc::SIGFPE, _) => Explained::Exit(Exit::FloatingPoint { code: fault.code }),
            (libc::SIGTRAP, exception::BREAKPOINT) => Explained::Exit(Exit::Breakpoint),
            (libc::SIGTRAP, exception::DEBUG) => Explained::Exit(Exit::SingleStep),
            (libc::SIGILL, _) => Explained::Exit(Exit::Illegal { privileged: false }),
            (libc::SIGBUS, _) | (_, exception::PAGE) => {
                let access = if fault.error & WROTE != 0 { Access::Write } else { Access::Read };
                Explained::Access(Wanted { addr: fault.addr.wrapping_sub(state.window), len: 1, access })
            }
            (_, exception::PROTECTION | exception::STACK) => self.protection(bytes),
            _ => Explained::Nothing,
        }
    }

    fn misaligned_access(&self) -> Access {
        Access::Read
    }

    fn untag(&self, addr: u64) -> u64 {
        addr
    }

    fn pc_alignment(&self) -> u64 {
        1
    }

    fn pc(&self) -> u64 {
        self.state().pc
    }

    fn set_pc(&mut self, pc: u64) {
        self.state_mut().pc = pc;
    }

    fn help(&mut self, space: &mut Space, bytes: &[u8]) -> Option<Exit> {
        let cpuid = self.state().cpuid;
        let mut regs = Regs::new(Arch::X86_64);
        self.save(&mut regs);
        let Regs::X86_64(inner) = &mut regs else { return Some(Exit::Illegal { privileged: false }) };
        let exit = system::help(inner, space, bytes, cpuid);
        self.load(&regs);
        exit
    }

    fn read_counter(&mut self, bytes: &[u8], value: u64) {
        system::read_counter(self.state_mut(), bytes, value);
    }

    fn mode_changed(&mut self) {}

    fn invalidated(&self) -> (u64, u64) {
        (self.state().pc, self.state().exit_arg)
    }

    fn clear_exclusive(&mut self) {}

    fn syscall(&self) -> RawCall {
        let g = &self.state().gpr;
        RawCall { nr: g[RAX], args: [g[RDI], g[RSI], g[2], g[10], g[8], g[9]] }
    }

    fn set_result(&mut self, value: u64) {
        self.state_mut().gpr[RAX] = value;
    }

    fn sp(&self) -> u64 {
        self.state().gpr[RSP]
    }

    fn save(&self, regs: &mut Regs) {
        if regs.arch() != Arch::X86_64 {
            *regs = Regs::new(Arch::X86_64);
        }
        let Regs::X86_64(regs) = regs else { return };
        let state = self.state();
        regs.gpr = state.gpr;
        (regs.rip, regs.rflags) = (state.pc, state.rflags);
        (regs.fs_base, regs.gs_base) = (state.fs_base, state.gs_base);
        self.call(self.thunks.save_x87);
        x87::save(&self.state().x87, &mut regs.fpu);
        (regs.fpu.fop, regs.fpu.fip, regs.fpu.fdp) = self.state().last_x87;
        regs.fpu.mxcsr = state.mxcsr;
        for (i, ymm) in state.ymm.iter().enumerate() {
            regs.fpu.xmm[i] = u128::from(ymm[0]) | u128::from(ymm[1]) << 64;
            regs.fpu.ymm_hi[i] = u128::from(ymm[2]) | u128::from(ymm[3]) << 64;
        }
    }

    fn load(&mut self, regs: &Regs) {
        let Regs::X86_64(regs) = regs else { return };
        let state = self.state_mut();
        state.gpr = regs.gpr;
        (state.pc, state.rflags) = (regs.rip, regs.rflags);
        (state.fs_base, state.gs_base) = (regs.fs_base, regs.gs_base);
        state.mxcsr = regs.fpu.mxcsr & MXCSR_MASK;
        for (ymm, (low, high)) in state.ymm.iter_mut().zip(regs.fpu.xmm.iter().zip(&regs.fpu.ymm_hi)) {
            *ymm = [*low as u64, (*low >> 64) as u64, *high as u64, (*high >> 64) as u64];
        }
        x87::load(&mut state.x87, &regs.fpu);
        state.last_x87 = (regs.fpu.fop, regs.fpu.fip, regs.fpu.fdp);
        self.call(self.thunks.load_x87);
    }

    fn cpuid(&self) -> Option<Cpuid> {
        Some(self.state().cpuid)
    }

    fn hwcap(&self) -> (u64, u64) {
        self.state().cpuid.hwcap()
    }
}

impl X64 {
    /// What a general protection fault of the instruction in `bytes` means: for the host, addresses of windows end before those of
    /// guests do.
    fn protection(&self, bytes: &[u8]) -> Explained {
        let state = self.state();
        let Some(instruction) = wanted::decode(bytes, state.pc) else { return Explained::Nothing };
        for wanted in wanted::wanted(&instruction, state) {
            let last = wanted.addr.wrapping_add(wanted.len - 1);
            for addr in [wanted.addr, last] {
                if !is_canonical(addr) {
                    let addr = GuestAddr(addr);
                    return Explained::Exit(Exit::Fault { addr, access: wanted.access, kind: FaultKind::NonCanonical });
                }
                if !is_canonical(addr.wrapping_add(state.window)) {
                    return Explained::Access(Wanted { addr, len: 1, ..wanted });
                }
            }
        }
        Explained::Exit(Exit::Illegal { privileged: true })
    }
}

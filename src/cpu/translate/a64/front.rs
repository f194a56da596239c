//! The front end as the engine knows it.

#![expect(unsafe_code, reason = "calls translated code")]

use super::constants::{Constants, Frame};
use super::emitter::Thunks;
use super::state::State;
use super::{block, common, features, wanted};
use crate::arch::{Arch, RawCall, Regs};
use crate::cpu::Access;
use crate::cpu::translate::asm::{Asm, Gpr};
use crate::cpu::translate::front::{Code, Common, Explained, FrontEnd, HostFault, Request, Translated};
use crate::cpu::translate::jumps::{Entries, Shape};

/// The aarch64 front end.
#[derive(Debug)]
pub struct A64 {
    frame: Box<Frame>,
    constants: Constants,
    /// Constants that the frame has.
    placed: usize,
    thunks: Thunks,
    common: Common,
    /// Goes on at the guest address in `rax`, by the jump table.
    jump: u64,
    scratch: block::Scratch,
}

/// Instructions are aligned to 4 bytes.
pub(super) const JUMPS: Shape = Shape { bits: 14, shift: 2, entries: Entries::Pairs };

/// Bits of FPCR with which host instructions do not do what it asks for: AHP, DN, FZ, FZ16, traps, and those of
/// FEAT_AFP. The rounding mode, bits 23 and 22, they do.
const SPECIAL_FPCR: u32 = !(3 << 22) & 0x07ff_9f07;

/// Masks of all exceptions in `mxcsr`.
const MASKED: u32 = 0x1f80;

/// `mxcsr` for the rounding mode of FPCR: nearest, up, down, to zero.
fn mxcsr_for(fpcr: u32) -> u32 {
    MASKED | [0, 2, 1, 3][(fpcr >> 22 & 3) as usize] << 13
}

/// FPSR's cumulative flags for those of `mxcsr`: invalid, divide by zero, overflow, underflow, inexact.
fn fpsr_of(mxcsr: u32) -> u32 {
    mxcsr & 1 | (mxcsr >> 2 & 0xf) << 1
}

impl A64 {
    /// A front end with all registers 0.
    pub fn new() -> A64 {
        let mut constants = Constants::default();
        super::emitter::place_common(&mut constants);
        let (thunks, common) = (Thunks::default(), Common::default());
        let scratch = block::Scratch::default();
        A64 { frame: Frame::new(), constants, placed: 0, thunks, common, jump: 0, scratch }
    }

    fn state(&self) -> &State {
        &self.frame.state
    }
}

impl Default for A64 {
    fn default() -> A64 {
        A64::new()
    }
}

impl FrontEnd for A64 {
    const ARCH: Arch = Arch::Aarch64;
    const JUMPS: Shape = JUMPS;

    fn emit_common(&mut self, asm: &mut Asm) -> Common {
        (self.common, self.thunks, self.jump) = common::emit(asm);
        self.common
    }

    fn emit_far(&mut self, asm: &mut Asm, target: u64) {
        asm.mov_imm(Gpr::Rax, target);
        asm.jmp_to(self.jump);
    }

    fn enter(&mut self, entry: u64) -> u32 {
        let new = &self.constants.values()[self.placed..];
        self.frame.values[self.placed..self.placed + new.len()].copy_from_slice(new);
        self.placed += new.len();
        let frame: *mut Frame = &mut *self.frame;
        // SAFETY: `common.enter` is the entry that `common::emit` made, with this signature; it and the block at `entry` keep
        // to the contract in `front.rs`, so all they touch is the frame and guest memory.
        unsafe {
            let enter: extern "sysv64" fn(*mut u8, u64) -> u32 = std::mem::transmute(self.common.enter);
            enter(frame.cast::<u8>().offset(State::BIAS as isize), entry)
        }
    }

    fn translate(&mut self, asm: &mut Asm, request: &Request, code: &dyn Code) -> Result<Translated, String> {
        block::translate(asm, (&mut self.constants, &mut self.scratch), self.thunks, request, code)
    }

    fn is_full(&self) -> bool {
        self.constants.is_full()
    }

    fn flushed(&mut self) {
        self.constants.clear();
        super::emitter::place_common(&mut self.constants);
        self.placed = 0;
    }

    fn set_address_bits(&mut self, bits: u32) {
        // Address bits that lie behind the window move up to bit 47 and beyond; the top byte is ignored. Windows reserve 2^39
        // bytes at least (mem/region.rs), so that there are never more of these bits than there is room for.
        let bits = bits.clamp(39, 47);
        self.frame.state.address_limit = 1 << bits;
        self.frame.state.address_mask = ((1 << bits) - 1) | (((1 << (56 - bits)) - 1) << 47);
    }

    fn mode(&self) -> u8 {
        u8::from(self.state().fpcr & SPECIAL_FPCR != 0)
    }

    fn set_jumps(&mut self, table: u64) {
        self.frame.state.jumps = table;
    }

    fn budget(&self) -> i64 {
        self.state().budget as i64
    }

    fn set_budget(&mut self, budget: i64) {
        self.frame.state.budget = budget as u64;
    }

    fn exit_arg(&self) -> u64 {
        self.state().exit_arg
    }

    fn host_fault(&mut self) -> *mut HostFault {
        &raw mut self.frame.state.fault
    }

    fn settle_fault(&mut self, fault: &HostFault, note: u32) {
        let state = &mut self.frame.state;
        let bit = |n: u32| (fault.eflags >> n & 1) as u32;
        let (cf, pf, zf, sf, of) = (bit(0), bit(2), bit(6), bit(7), bit(11));
        let nzcv = |n: u32, z: u32, c: u32, v: u32| n << 31 | z << 30 | c << 29 | v << 28;
        match note {
            block::note::SUB => state.nzcv = nzcv(sf, zf, cf ^ 1, of),
            block::note::ADD => state.nzcv = nzcv(sf, zf, cf, of),
            block::note::FLOAT => {
                let less = cf & (pf ^ 1);
                state.nzcv = nzcv(less, zf & (pf ^ 1), less ^ 1, pf);
            }
            _ => return,
        }
        state.pack_flags();
    }

    fn explain(&self, _fault: &HostFault, bytes: &[u8]) -> Explained {
        let word = bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        wanted::wanted(word, self.state()).map_or(Explained::Nothing, Explained::Access)
    }

    fn misaligned_access(&self) -> Access {
        if self.state().spill[7] & 1 == 1 { Access::Write } else { Access::Read }
    }

    fn untag(&self, addr: u64) -> u64 {
        // As Linux's `untagged_addr`: only addresses of the lower half have tags.
        addr & ((addr << 8) as i64 >> 8) as u64
    }

    fn pc_alignment(&self) -> u64 {
        4
    }

    fn pc(&self) -> u64 {
        self.state().pc
    }

    fn set_pc(&mut self, pc: u64) {
        self.frame.state.pc = pc;
    }

    fn read_counter(&mut self, bytes: &[u8], value: u64) {
        let state = &mut self.frame.state;
        if let Some(rt) = bytes.first().and_then(|b| state.x.get_mut(usize::from(b & 31))) {
            *rt = value;
        }
        state.pc = state.pc.wrapping_add(4);
    }

    fn mode_changed(&mut self) {
        let state = &mut self.frame.state;
        state.fpsr |= fpsr_of(state.mxcsr);
        state.mxcsr = mxcsr_for(state.fpcr);
    }

    fn invalidated(&self) -> (u64, u64) {
        (self.untag(self.state().exit_arg) & !63, 64)
    }

    fn clear_exclusive(&mut self) {
        self.frame.state.monitor = State::NO_MONITOR;
    }

    fn syscall(&self) -> RawCall {
        let x = &self.state().x;
        RawCall { nr: x[8], args: [x[0], x[1], x[2], x[3], x[4], x[5]] }
    }

    fn set_result(&mut self, value: u64) {
        self.frame.state.x[0] = value;
    }

    fn sp(&self) -> u64 {
        self.state().sp
    }

    fn save(&self, regs: &mut Regs) {
        if regs.arch() != Arch::Aarch64 {
            *regs = Regs::new(Arch::Aarch64);
        }
        let Regs::Aarch64(regs) = regs else { return };
        let state = self.state();
        regs.x = state.x;
        regs.v = state.v;
        (regs.sp, regs.pc, regs.tpidr) = (state.sp, state.pc, state.tpidr);
        let mut flags = State { flags: state.flags, ..State::new() };
        flags.unpack_flags();
        regs.pstate = u64::from(flags.nzcv);
        (regs.fpcr, regs.fpsr) = (state.fpcr, state.fpsr | fpsr_of(state.mxcsr));
    }

    fn load(&mut self, regs: &Regs) {
        let Regs::Aarch64(regs) = regs else { return };
        let state = &mut self.frame.state;
        state.x = regs.x;
        state.v = regs.v;
        (state.sp, state.pc, state.tpidr) = (regs.sp, regs.pc, regs.tpidr);
        state.nzcv = regs.pstate as u32 & 0xf000_0000;
        state.pack_flags();
        (state.fpcr, state.fpsr) = (regs.fpcr, regs.fpsr);
        state.mxcsr = mxcsr_for(regs.fpcr);
        state.monitor = State::NO_MONITOR;
    }

    fn hwcap(&self) -> (u64, u64) {
        features::hwcap()
    }
}

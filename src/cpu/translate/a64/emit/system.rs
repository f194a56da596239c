//! Hints, barriers, system registers, cache maintenance, and pointer authentication.

use std::mem::offset_of;

use super::integer::or_sp;
use super::memory::{VMOVDQU_STORE, VPXOR};
use crate::cpu::translate::a64::decode::integer::{self, Auth};
use crate::cpu::translate::a64::decode::system::{self, Insn, SysReg};
use crate::cpu::translate::a64::decode::{self, Key};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter, Reason, SP};
use crate::cpu::translate::a64::soft::{flags, pointer};
use crate::cpu::translate::a64::state::State;
use crate::cpu::translate::asm::{Alu, Gpr, Size, Width, Xmm};

use Gpr::{Rax, Rcx};

/// The bits of FPCR that this machine has: AHP, DN, FZ, RMode, FZ16; Stride and Len, which do nothing. Exceptions are
/// never trapped.
const FPCR_BITS: i32 = 0x07ff_0000;
/// The bits of FPSR that this machine has: QC, IDC, IXC, UFC, OFC, DZC, IOC.
const FPSR_BITS: i32 = 0x0800_009f;
/// The flags of `mxcsr` that are FPSR's bits 0 to 4, in order; all of its flags.
const MXCSR_CUMULATIVE: u128 = 0x3d;
const MXCSR_FLAGS: i32 = 0x3f;

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, insn: Insn) -> Emitted {
    match insn {
        // There is one host thread, and code is looked at anew at `ic ivau` already.
        Insn::Nop | Insn::InstructionBarrier => {}
        Insn::ClearExclusive => e.clear_monitor(),
        Insn::Auth { op, key, rd, rn } => authenticate(e, op, key, rd, rn.map(or_sp)),
        Insn::StripLr => strip(e, 30),
        Insn::InvertCarry | Insn::FlagsFromExternal | Insn::FlagsToExternal => flag_helper(e),
        Insn::Read { register, rt } => read(e, register, rt),
        Insn::Write { register, rt } => write(e, register, rt),
        Insn::ZeroBlock { rt } => zero_block(e, rt),
        Insn::CleanData { rt } => probe(e, rt),
        Insn::InvalidateInstructions { rt } => {
            e.settle();
            probe(e, rt);
            let place = e.state(offset_of!(State, exit_arg));
            e.copy(rt, Rax);
            e.asm.store(Size::B8, place, Rax);
            e.end_after(Reason::Invalidate);
        }
    }
    Emitted::Done
}

/// Faults as a read of the byte at an address in a register would.
fn probe(e: &mut Emitter<'_>, rt: u8) {
    let mem = if rt == 31 { e.address_constant(0) } else { e.address(rt, 0) };
    e.asm.load_zx(Size::B1, Rax, mem);
}

fn read(e: &mut Emitter<'_>, register: SysReg, rt: u8) {
    let field = match register {
        SysReg::Nzcv => {
            e.nzcv_to(Rcx);
            return e.write(rt, Rcx);
        }
        SysReg::Counter => return e.end_at(Reason::Counter),
        SysReg::Constant(value) => return e.set_constant(rt, value),
        SysReg::Fpsr => return read_fpsr(e, rt),
        SysReg::Fpcr => e.state(offset_of!(State, fpcr)),
        SysReg::Tpidr => e.state(offset_of!(State, tpidr)),
    };
    let target = e.target(rt, Rax);
    e.asm.load_zx(if register == SysReg::Tpidr { Size::B8 } else { Size::B4 }, target, field);
    e.write(rt, target);
}

/// FPSR is the state's with what the host's instructions have raised since.
fn read_fpsr(e: &mut Emitter<'_>, rt: u8) {
    e.clobber_flags();
    let spill = e.state(offset_of!(State, spill));
    let raised = e.constant(MXCSR_CUMULATIVE);
    e.asm.stmxcsr(spill);
    e.asm.mov(Width::W32, Rax, spill);
    e.asm.pext(Width::W32, Rax, Rax, raised);
    let fpsr = e.state(offset_of!(State, fpsr));
    e.asm.alu(Alu::Or, Width::W32, Rax, fpsr);
    e.write(rt, Rax);
}

fn write(e: &mut Emitter<'_>, register: SysReg, rt: u8) {
    match register {
        SysReg::Nzcv => {
            e.copy(rt, Rcx);
            e.nzcv_from(Rcx);
        }
        SysReg::Tpidr => {
            let value = e.read(rt, Rax);
            let place = e.state(offset_of!(State, tpidr));
            e.asm.store(Size::B8, place, value);
        }
        SysReg::Fpcr => {
            e.clobber_flags();
            e.copy(rt, Rax);
            e.asm.alu_imm(Alu::And, Width::W32, Rax, FPCR_BITS);
            let place = e.state(offset_of!(State, fpcr));
            e.asm.store(Size::B4, place, Rax);
            e.end_after(Reason::Mode);
        }
        SysReg::Fpsr => {
            e.clobber_flags();
            e.copy(rt, Rax);
            e.asm.alu_imm(Alu::And, Width::W32, Rax, FPSR_BITS);
            let place = e.state(offset_of!(State, fpsr));
            e.asm.store(Size::B4, place, Rax);
            let spill = e.state(offset_of!(State, spill));
            e.asm.stmxcsr(spill);
            e.asm.alu_imm(Alu::And, Width::W32, spill, !MXCSR_FLAGS);
            e.asm.ldmxcsr(spill);
        }
        // The decoder lets nobody write these.
        SysReg::Counter | SysReg::Constant(_) => e.end_at(Reason::Illegal),
    }
}

fn zero_block(e: &mut Emitter<'_>, rt: u8) {
    e.clobber_flags();
    e.copy(rt, Rcx);
    e.asm.alu_imm(Alu::And, Width::W64, Rcx, -(system::ZVA_BYTES as i32));
    let mem = e.address_in(Rcx);
    e.asm.vex3(VPXOR, Xmm(0), Xmm(0), Xmm(0));
    for at in (0..system::ZVA_BYTES as i32).step_by(16) {
        e.asm.vex2(VMOVDQU_STORE, Xmm(0), mem.plus(at));
    }
}

/// RMIF, SETF8, SETF16, CFINV, AXFLAG, XAFLAG.
pub(super) fn flag_helper(e: &mut Emitter<'_>) {
    let word = e.word();
    e.call(run_flags, u64::from(word));
    e.flags_stored();
}

extern "C" fn run_flags(state: &mut State, word: u64) -> u64 {
    state.unpack_flags();
    let word = word as u32;
    let x = |reg: u8| state.x.get(usize::from(reg)).copied().unwrap_or(0);
    let nzcv = state.nzcv;
    state.nzcv = match decode::decode(word) {
        decode::Insn::Integer(integer::Insn::RotateFlags { rn, amount, mask }) => {
            flags::rmif(nzcv, x(rn), amount, mask)
        }
        decode::Insn::Integer(integer::Insn::SetFlags { bits, rn }) => flags::setf(nzcv, x(rn), bits),
        decode::Insn::System(Insn::InvertCarry) => flags::cfinv(nzcv),
        decode::Insn::System(Insn::FlagsFromExternal) => flags::xaflag(nzcv),
        decode::Insn::System(Insn::FlagsToExternal) => flags::axflag(nzcv),
        _ => nzcv,
    };
    state.pack_flags();
    0
}

/// The argument of [`run_auth`]: bits 0 to 5 the register, 6 to 11 that of the modifier, then key and operation.
fn auth_arg(op: Auth, key: Key, rd: u8, modifier: Option<u8>) -> u64 {
    let modifier = modifier.unwrap_or(31);
    u64::from(rd) | u64::from(modifier) << 6 | (key as u64) << 12 | (op as u64) << 14
}

/// PACIA, AUTIA and so on: register `rd` with the modifier in a register ([`SP`] too), or 0.
pub(super) fn authenticate(e: &mut Emitter<'_>, op: Auth, key: Key, rd: u8, modifier: Option<u8>) {
    e.call(run_auth, auth_arg(op, key, rd, modifier));
    e.take_rdx();
    e.write(rd, Rax);
}

/// The authenticated value of a register to `rax`.
pub(super) fn authenticated(e: &mut Emitter<'_>, key: Key, rn: u8, modifier: Option<u8>) {
    e.call(run_auth, auth_arg(Auth::Check, key, rn, modifier));
}

fn state_register(state: &State, reg: u64) -> u64 {
    match reg {
        reg if reg == u64::from(SP) => state.sp,
        reg => state.x.get(reg as usize).copied().unwrap_or(0),
    }
}

extern "C" fn run_auth(state: &mut State, arg: u64) -> u64 {
    let value = state_register(state, arg & 0x3f);
    let modifier = state_register(state, arg >> 6 & 0x3f);
    let key = Key::of((arg >> 12) as u32);
    match arg >> 14 & 1 == Auth::Sign as u64 {
        true => pointer::sign(value, modifier, key),
        false => pointer::check(value, modifier, key),
    }
}

/// XPACI, XPACD, XPACLRI.
pub(super) fn strip(e: &mut Emitter<'_>, rd: u8) {
    e.call(run_strip, u64::from(rd));
    e.take_rdx();
    e.write(rd, Rax);
}

extern "C" fn run_strip(state: &mut State, reg: u64) -> u64 {
    pointer::strip(state_register(state, reg))
}

/// PACGA.
pub(super) fn generic_code(e: &mut Emitter<'_>, rd: u8, rn: u8, rm: u8) {
    e.call(run_generic, u64::from(rn) | u64::from(rm) << 6);
    e.take_rdx();
    e.write(rd, Rax);
}

extern "C" fn run_generic(state: &mut State, arg: u64) -> u64 {
    pointer::generic(state_register(state, arg & 0x3f), state_register(state, arg >> 6 & 0x3f))
}

//! Inline forms under an FPCR that asks for more than a rounding mode, above all for flushing to zero (as programs
//! built with `-ffast-math` do).
//!
//! Such code differs from the standard forms where operands or results are denormal, and in that a flushed result is
//! not inexact. So an instruction goes to `soft` if an operand or its result is denormal (or the smallest normal number,
//! which a result may have become by rounding), and as long as FPSR does not say inexact anyway, since the host may
//! raise that on the way to a result that is then flushed. Default NaNs need nothing, because NaNs go to `soft` always.

use std::mem::offset_of;

use super::fp;
use super::fp_ops::*;
use super::fp_vector::slow_if_any;
use crate::cpu::translate::a64::decode::fp::{Fp, Lanes, Unary};
use crate::cpu::translate::a64::emitter::{Emitter, SoftPath};
use crate::cpu::translate::a64::soft::float::{Format, HALF, IXC};
use crate::cpu::translate::a64::state::State;
use crate::cpu::translate::asm::{Cc, Gpr, Map, Mem, Pp, Rm, Shift, Vex, Width, Xm, Xmm};

/// The registers that an instruction takes numbers from, and which elements of them. Conversions to half precision, which
/// have rules of their own here, have no such form.
fn sources(insn: &Fp) -> Option<(Lanes, [u8; 3])> {
    Some(match *insn {
        Fp::Binary { lanes, rn, rm, index: None, .. } | Fp::Pairwise { lanes, rn, rm, .. } => (lanes, [rn, rm, rm]),
        Fp::Binary { lanes, rn, rm, index: Some(_), .. } => (all_of(lanes), [rn, rm, rm]),
        Fp::MulAdd { lanes, rn, rm, ra, index: None, .. } => (lanes, [rn, rm, ra]),
        Fp::MulAdd { lanes, rn, rm, ra, index: Some(_), .. } => (all_of(lanes), [rn, rm, ra]),
        Fp::Unary { op: Unary::Sqrt | Unary::RoundInt(..), lanes, rn, .. } => (lanes, [rn; 3]),
        Fp::Across { lanes, rn, .. } => (lanes, [rn; 3]),
        Fp::CompareMask { lanes, rn, rm, .. } => (lanes, [rn, rm.unwrap_or(rn), rn]),
        Fp::Compare { format, rn, rm, .. } => (Lanes::scalar(format), [rn, rm.unwrap_or(rn), rn]),
        Fp::ToInteger { lanes, rn, .. } => (lanes, [rn; 3]),
        Fp::Convert { to: HALF, .. } | Fp::Narrow { to: HALF, .. } => return None,
        Fp::Convert { from, rn, .. } => (Lanes::scalar(from), [rn; 3]),
        Fp::Narrow { from, rn, .. } | Fp::Lengthen { from, rn, .. } => (all_of(Lanes::scalar(from)), [rn; 3]),
        _ => return None,
    })
}

fn all_of(lanes: Lanes) -> Lanes {
    Lanes { count: 128 / lanes.format.bits(), ..lanes }
}

/// Emits an instruction; `None` if it has no such form.
pub(super) fn instruction(e: &mut Emitter<'_>, insn: Fp) -> Option<()> {
    if let Fp::FromInteger { .. } = insn {
        // Neither side can be denormal.
        return fp::instruction(e, insn);
    }
    let (lanes, [n, m, a]) = sources(&insn)?;
    supported(lanes)?;
    let path = e.soft_path();
    let fpsr = e.state(offset_of!(State, fpsr));
    e.asm.test_imm(Width::W32, fpsr, IXC as i32);
    e.asm.jcc(Cc::E, path.label);
    for (i, reg) in [n, m, a].into_iter().enumerate() {
        if ![n, m, a][..i].contains(&reg) {
            no_denormal(e, path, lanes, reg);
        }
    }
    match insn {
        Fp::Compare { format, rn, rm, signals } => {
            // The ways meet with NZCV in the state.
            fp::emit_comparison(e, format, rn, rm, signals);
            e.compared_to_state();
            e.soft_path_ends(path);
            e.flags_stored();
        }
        _ => {
            fp::instruction(e, insn)?;
            e.soft_path_ends(path);
        }
    }
    Some(())
}

/// Goes the slow way if an operand is denormal. Uses `rax` and `xmm1`.
fn no_denormal(e: &mut Emitter<'_>, path: SoftPath, lanes: Lanes, reg: u8) {
    if lanes.count > 1 {
        let value = e.read_v(reg, X1);
        return no_small_element(e, path, lanes.format, value);
    }
    let width = if is_double(lanes.format) { Width::W64 } else { Width::W32 };
    match e.vm(reg) {
        Xm::Reg(value) => no_small(e, path, lanes.format, value),
        Xm::Mem(mem) => {
            e.asm.mov(width, Gpr::Rax, Rm::Mem(mem));
            no_small_bits(e, path, lanes.format);
        }
    }
}

/// Goes the slow way if a scalar is denormal or the smallest normal number. Uses `rax`.
pub(super) fn no_small(e: &mut Emitter<'_>, path: SoftPath, f: Format, value: Xmm) {
    e.asm.vex2_gpr(if is_double(f) { VMOVD_TO.w1() } else { VMOVD_TO }, value, Gpr::Rax);
    no_small_bits(e, path, f);
}

/// The same for the number in `rax`: without its sign and less one, so that zero becomes the greatest.
fn no_small_bits(e: &mut Emitter<'_>, path: SoftPath, f: Format) {
    let width = if is_double(f) { Width::W64 } else { Width::W32 };
    e.asm.lea(width, Gpr::Rax, Mem::host(Gpr::Rax, -1).indexed(Gpr::Rax, 0));
    e.asm.shift_imm(Shift::Shr, width, Gpr::Rax, f.frac_bits as u8 + 1);
    e.asm.jcc(Cc::E, path.label);
}

/// The same for all elements of a register. Uses `rax` and `xmm1`, which may be `value`.
pub(super) fn no_small_element(e: &mut Emitter<'_>, path: SoftPath, f: Format, value: Xmm) {
    const VPADDD: Vex = Vex::new(Map::M0f, Pp::P66, 0xfe);
    const VPADDQ: Vex = Vex::new(Map::M0f, Pp::P66, 0xd4);
    const VPSRLD: Vex = Vex::new(Map::M0f, Pp::P66, 0x72);
    const VPSRLQ: Vex = Vex::new(Map::M0f, Pp::P66, 0x73);
    const VPCMPEQD: Vex = Vex::new(Map::M0f, Pp::P66, 0x76);
    const VPCMPEQQ: Vex = Vex::new(Map::M0f38, Pp::P66, 0x29);
    let (add, shift, equal) = match is_double(f) {
        true => (VPADDQ, VPSRLQ, VPCMPEQQ),
        false => (VPADDD, VPSRLD, VPCMPEQD),
    };
    let (ones, zero) = (e.constant(u128::MAX), e.constant(0));
    e.asm.vex3(add, X1, value, value);
    e.asm.vex3(add, X1, X1, ones);
    e.asm.vex_shift(shift, 2, X1, X1, f.frac_bits as u8 + 1);
    e.asm.vex3(equal, X1, X1, zero);
    slow_if_any(e, path, f, X1);
}

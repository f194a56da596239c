//! Inline forms of floating-point instructions: host instructions under an `mxcsr` that holds FPCR's rounding mode and
//! collects the flags, wherever they do what A64's do. Where results or flags differ - NaNs, conversions out of range -
//! the code goes to `soft` before it has raised any flag that the instruction does not.
//! So do results that are the smallest normal number: if they were less before rounding, A64 says underflow and the host
//! does not.
//!
//! This file has the scalar instructions but for conversions, which are in `fp_convert`; vectors are in `fp_vector`. The
//! forms are for the standard FPCR, in which only the rounding mode is not 0; `fp_flush` makes them good for others.

use super::fp_convert::{convert, from_integer, round_away, to_integer};
use super::fp_ops::*;
use super::{fp_flush, fp_vector};
use crate::cpu::translate::a64::decode::Cond;
use crate::cpu::translate::a64::decode::fp::{Binary, Fp, Lanes, Part, Relation, Unary, decode};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter};
use crate::cpu::translate::a64::flags::{Style, Test};
use crate::cpu::translate::a64::soft::arith::NanSignals;
use crate::cpu::translate::a64::soft::float::{Format, Rounding};
use crate::cpu::translate::asm::{Cc, Gpr, Rm, Vex, Width, Xm, Xmm};

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, word: u32) -> Emitted {
    let done = match decode(word) {
        Some(insn) if e.fp_is_standard() || ignores_fpcr(&insn) => instruction(e, insn),
        Some(insn) => fp_flush::instruction(e, insn),
        None => None,
    };
    done.map_or(Emitted::Unhandled, |()| Emitted::Done)
}

/// Whether an instruction only moves bits.
fn ignores_fpcr(insn: &Fp) -> bool {
    match insn {
        Fp::Unary { op, .. } => matches!(op, Unary::Mov | Unary::Abs | Unary::Neg),
        Fp::Select { .. } | Fp::Immediate { .. } | Fp::ToGeneral { .. } | Fp::FromGeneral { .. } => true,
        _ => false,
    }
}

pub(super) fn instruction(e: &mut Emitter<'_>, insn: Fp) -> Option<()> {
    match insn {
        Fp::Immediate { lanes, rd, value } => immediate(e, supported(lanes)?, lanes.count, rd, value),
        Fp::ToGeneral { part, width, rd, rn } => to_general(e, part, width, rd, rn),
        Fp::FromGeneral { part, rd, rn } => from_general(e, part, rd, rn),
        Fp::Compare { format, rn, rm, signals } => compare(e, format, rn, rm, signals),
        Fp::CondCompare { format, rn, rm, signals, cond, nzcv } => {
            cond_compare(e, format, [rn, rm], signals, cond, nzcv)
        }
        Fp::Select { format, rd, rn, rm, cond } => select(e, format, rd, rn, rm, cond),
        Fp::Convert { from, to, rounding: None, rd, rn } => convert(e, from, to, rd, rn),
        Fp::ToInteger { lanes, place, signedness, fraction, rounding, rd, rn } if lanes.count == 1 => {
            to_integer(e, supported(lanes)?, place, signedness, fraction, rounding, [rd, rn])
        }
        Fp::FromInteger { lanes, place, signedness, fraction, rd, rn } if lanes.count == 1 => {
            from_integer(e, supported(lanes)?, place, signedness, fraction, rd, rn)
        }
        Fp::Unary { op, lanes, rd, rn } if lanes.count == 1 => unary(e, op, supported(lanes)?, rd, rn),
        Fp::Binary { op, lanes, rd, rn, rm, index }
            if lanes.count == 1 && !matches!(op, Binary::RecipStep | Binary::RsqrtStep) =>
        {
            binary(e, op, supported(lanes)?, rd, rn, rm, index)
        }
        Fp::MulAdd { lanes, rd, rn, rm, ra, index, neg_product, neg_addend } if lanes.count == 1 => {
            mul_add(e, supported(lanes)?, [rd, rn, rm, ra], index, neg_product, neg_addend)
        }
        Fp::CompareMask { relation, lanes, rd, rn, rm } if lanes.count == 1 => {
            compare_mask(e, relation, supported(lanes)?, rd, rn, rm)
        }
        _ => fp_vector::instruction(e, insn),
    }
}

/// Constants are kept as scalars, of which there are few, and copied to all elements.
fn immediate(e: &mut Emitter<'_>, f: Format, count: u32, rd: u8, value: u64) -> Option<()> {
    let place = e.constant(u128::from(value));
    let target = e.target_v(rd, X0);
    match (is_double(f), count) {
        (_, 1) => e.asm.vex2(VMOVAPS, target, place),
        (true, _) => e.asm.vex2(VMOVDDUP, target, place),
        (false, _) => e.asm.vex2(VBROADCASTSS, target, place),
    }
    if count == 2 && !is_double(f) {
        e.asm.vex2(VMOVQ, target, target);
    }
    e.write_v(rd, target);
    Some(())
}

/// Scalar operand `rm`, or element `index` of it.
fn scalar_operand(e: &mut Emitter<'_>, f: Format, rm: u8, index: Option<u8>, scratch: Xmm) -> Xm {
    match index {
        None | Some(0) => e.vm(rm),
        Some(index) => match e.vm(rm) {
            Xm::Mem(mem) => Xm::Mem(mem.plus(i32::from(index) * (f.bits() as i32 / 8))),
            Xm::Reg(_) => {
                fp_vector::broadcast(e, f, rm, index, scratch);
                Xm::Reg(scratch)
            }
        },
    }
}

fn binary(e: &mut Emitter<'_>, op: Binary, f: Format, rd: u8, rn: u8, rm: u8, index: Option<u8>) -> Option<()> {
    let (opcode, tiny) = match op {
        Binary::Add => (ADD, Tiny::Impossible),
        Binary::Sub | Binary::AbsDiff => (SUB, Tiny::Impossible),
        Binary::Mul | Binary::NegMul => (MUL, Tiny::Possible),
        Binary::Div => (DIV, Tiny::Possible),
        Binary::Max | Binary::MaxNum => return extreme(e, f, MAX, AND, rd, rn, rm),
        Binary::Min | Binary::MinNum => return extreme(e, f, MIN, OR, rd, rn, rm),
        // Infinity times zero is valid, of which the host says that it is not.
        Binary::MulX | Binary::RecipStep | Binary::RsqrtStep => return None,
    };
    let path = e.soft_path();
    let m = scalar_operand(e, f, rm, index, X1);
    let n = e.read_v(rn, X0);
    e.asm.vex3(scalar_op(f, opcode), X0, n, m);
    check(e, path, f, X0, tiny);
    match op {
        Binary::AbsDiff => absolute(e, f, rd, X0),
        Binary::NegMul => negated(e, f, rd, X0),
        _ => put(e, f, rd, X0),
    }
    e.soft_path_ends(path);
    Some(())
}

/// The greater or the less of two numbers. The host takes the second of two zeros; both orders joined by `and` or `or`
/// give the right sign.
fn extreme(e: &mut Emitter<'_>, f: Format, opcode: u8, join: u8, rd: u8, rn: u8, rm: u8) -> Option<()> {
    let path = e.soft_path();
    let n = e.read_v(rn, X0);
    let m = e.read_v(rm, X1);
    e.asm.vex2(ucomis(f), n, m);
    e.asm.jcc(Cc::P, path.label);
    e.asm.vex3(scalar_op(f, opcode), X2, n, m);
    e.asm.vex3(scalar_op(f, opcode), X3, m, n);
    e.asm.vex3(packed_op(f, join), X2, X2, X3);
    put(e, f, rd, X2);
    e.soft_path_ends(path);
    Some(())
}

fn mul_add(
    e: &mut Emitter<'_>,
    f: Format,
    [rd, rn, rm, ra]: [u8; 4],
    index: Option<u8>,
    neg_product: bool,
    neg_addend: bool,
) -> Option<()> {
    let path = e.soft_path();
    let m = scalar_operand(e, f, rm, index, X1);
    let n = e.read_v(rn, X2);
    e.copy_v(ra, X0);
    e.asm.vex3(fma(f, Shape::Scalar, neg_product, neg_addend), X0, n, m);
    put_checked(e, path, f, rd, X0, Tiny::Possible);
    Some(())
}

/// Writes the absolute value of a scalar.
fn absolute(e: &mut Emitter<'_>, f: Format, rd: u8, value: Xmm) {
    let mask = e.constant(u128::from(f.abs(f.mask())));
    let target = e.target_v(rd, X0);
    e.asm.vex3(packed_op(f, AND), target, value, mask);
    e.write_v(rd, target);
}

/// Writes a scalar with its sign flipped.
fn negated(e: &mut Emitter<'_>, f: Format, rd: u8, value: Xmm) {
    let mask = e.constant(u128::from(f.sign_bit()));
    low(e, f, X0, value);
    let target = e.target_v(rd, X0);
    e.asm.vex3(packed_op(f, XOR), target, X0, mask);
    e.write_v(rd, target);
}

fn unary(e: &mut Emitter<'_>, op: Unary, f: Format, rd: u8, rn: u8) -> Option<()> {
    match op {
        Unary::Mov => {
            let n = e.read_v(rn, X0);
            let target = e.target_v(rd, X0);
            low(e, f, target, n);
            e.write_v(rd, target);
        }
        Unary::Abs => {
            let n = e.read_v(rn, X0);
            absolute(e, f, rd, n);
        }
        Unary::Neg => {
            let n = e.read_v(rn, X0);
            negated(e, f, rd, n);
        }
        Unary::Sqrt => {
            let path = e.soft_path();
            let n = e.read_v(rn, X1);
            e.asm.vex3(scalar_op(f, SQRT), X0, n, n);
            put_checked(e, path, f, rd, X0, Tiny::Impossible);
        }
        Unary::RoundInt(Some(Rounding::TieAway), _) => round_away(e, f, rd, rn),
        Unary::RoundInt(rounding, exactness) => {
            let control = round_control(rounding, exactness)?;
            let path = e.soft_path();
            let n = e.read_v(rn, X1);
            e.asm.vex3i(vround_scalar(f), X0, n, n, control);
            put_checked(e, path, f, rd, X0, Tiny::Impossible);
        }
        _ => return None,
    }
    Some(())
}

fn to_general(e: &mut Emitter<'_>, part: Part, width: u32, rd: u8, rn: u8) -> Option<()> {
    let target = e.target(rd, Gpr::Rax);
    match (part, e.vm(rn)) {
        (Part::Low(32), Xm::Mem(mem)) => e.asm.mov(Width::W32, target, mem),
        (Part::Low(64), Xm::Mem(mem)) => e.asm.mov(Width::W64, target, mem),
        (Part::Top, Xm::Mem(mem)) => e.asm.mov(Width::W64, target, mem.plus(8)),
        (Part::Low(32), Xm::Reg(n)) => e.asm.vex2_gpr(VMOVD_TO, n, target),
        (Part::Low(64), Xm::Reg(n)) => e.asm.vex2_gpr(VMOVD_TO.w1(), n, target),
        (Part::Top, Xm::Reg(n)) => e.asm.vex2i_gpr(VPEXTR.w1(), n, target, 1),
        _ => return None,
    }
    debug_assert!(width >= 32);
    e.write(rd, target);
    Some(())
}

fn from_general(e: &mut Emitter<'_>, part: Part, rd: u8, rn: u8) -> Option<()> {
    let from = e.rm(rn);
    match part {
        Part::Low(bits @ (32 | 64)) => {
            let target = e.target_v(rd, X0);
            let op = if bits == 64 { VMOVD_FROM.w1() } else { VMOVD_FROM };
            e.asm.vex2_gpr(op, target, from);
            e.write_v(rd, target);
        }
        Part::Low(_) => return None,
        Part::Top => {
            let old = e.read_v(rd, X0);
            e.asm.vex3i_gpr(VPINSR.w1(), old, old, from, 1);
            e.write_v(rd, old);
        }
    }
    Some(())
}

fn comparison(f: Format, signals: NanSignals) -> Vex {
    match signals {
        NanSignals::Signalling => ucomis(f),
        NanSignals::Every => packed_op(f, COMIS).sets_flags(),
    }
}

fn compare(e: &mut Emitter<'_>, f: Format, rn: u8, rm: Option<u8>, signals: NanSignals) -> Option<()> {
    supported(Lanes::scalar(f))?;
    // Also when nobody asks for NZCV: FPSR has flags from it.
    emit_comparison(e, f, rn, rm, signals);
    e.flags_set(Style::Float);
    Some(())
}

/// The comparison alone, with its result in the x86 flags.
pub(super) fn emit_comparison(e: &mut Emitter<'_>, f: Format, rn: u8, rm: Option<u8>, signals: NanSignals) {
    let n = e.read_v(rn, X0);
    let m = match rm {
        Some(rm) => e.vm(rm),
        None => {
            e.asm.vex3(VPXOR, X1, X1, X1);
            Xm::Reg(X1)
        }
    };
    e.asm.vex2(comparison(f, signals), n, m);
}

/// `fccmp`: NZCV goes to the state either way.
fn cond_compare(
    e: &mut Emitter<'_>,
    f: Format,
    [rn, rm]: [u8; 2],
    signals: NanSignals,
    cond: u8,
    nzcv: u8,
) -> Option<()> {
    supported(Lanes::scalar(f))?;
    let test = e.cond(Cond::of(u32::from(cond)));
    let (compared, end) = (e.asm.label(), e.asm.label());
    e.jump_if(test, compared);
    e.flags_to_state(u32::from(nzcv) << 28);
    e.asm.jmp(end);
    e.asm.bind(compared);
    let n = e.read_v(rn, X0);
    let m = e.vm(rm);
    e.asm.vex2(comparison(f, signals), n, m);
    e.compared_to_state();
    e.asm.bind(end);
    e.flags_stored();
    Some(())
}

fn select(e: &mut Emitter<'_>, f: Format, rd: u8, rn: u8, rm: u8, cond: u8) -> Option<()> {
    supported(Lanes::scalar(f))?;
    let test = e.cond(Cond::of(u32::from(cond)));
    let double = is_double(f);
    let width = if double { Width::W64 } else { Width::W32 };
    let op = if double { VMOVD_TO.w1() } else { VMOVD_TO };
    // rcx ends with the result; rax has the other value.
    let (first, second) = match test {
        Test::Always => (rn, rn),
        Test::One(_) | Test::Or(..) => (rm, rn),
        Test::And(..) => (rn, rm),
    };
    match e.vm(first) {
        Xm::Reg(x) => e.asm.vex2_gpr(op, x, Gpr::Rcx),
        Xm::Mem(mem) => e.asm.mov(width, Gpr::Rcx, mem),
    }
    let other = match e.vm(second) {
        Xm::Reg(x) => {
            e.asm.vex2_gpr(op, x, Gpr::Rax);
            Rm::Reg(Gpr::Rax)
        }
        Xm::Mem(mem) => Rm::Mem(mem),
    };
    match test {
        Test::Always => {}
        Test::One(cc) => e.asm.cmov(cc, width, Gpr::Rcx, other),
        Test::Or(a, b) => {
            e.asm.cmov(a, width, Gpr::Rcx, other);
            e.asm.cmov(b, width, Gpr::Rcx, other);
        }
        Test::And(a, b) => {
            e.asm.cmov(a.opposite(), width, Gpr::Rcx, other);
            e.asm.cmov(b.opposite(), width, Gpr::Rcx, other);
        }
    }
    let target = e.target_v(rd, X0);
    let back = if double { VMOVD_FROM.w1() } else { VMOVD_FROM };
    e.asm.vex2_gpr(back, target, Gpr::Rcx);
    e.write_v(rd, target);
    Some(())
}

fn compare_mask(e: &mut Emitter<'_>, relation: Relation, f: Format, rd: u8, rn: u8, rm: Option<u8>) -> Option<()> {
    let mut n = Xm::Reg(e.read_v(rn, X0));
    let mut m = match rm {
        Some(rm) => e.vm(rm),
        None => {
            e.asm.vex3(VPXOR, X1, X1, X1);
            Xm::Reg(X1)
        }
    };
    if matches!(relation, Relation::AbsGreater | Relation::AbsGreaterEqual) {
        let magnitude = e.constant(u128::from(f.abs(f.mask())));
        e.asm.vex2(VMOVAPS, X2, magnitude);
        e.asm.vex3(packed_op(f, AND), X1, X2, m);
        e.asm.vex3(packed_op(f, AND), X0, X2, n);
        (n, m) = (Xm::Reg(X0), Xm::Reg(X1));
    }
    let Xm::Reg(n) = n else { return None };
    e.asm.vex3i(scalar_op(f, CMP), X0, n, m, predicate(relation));
    put(e, f, rd, X0);
    Some(())
}

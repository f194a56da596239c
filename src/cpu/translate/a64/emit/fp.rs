//! Inline forms of floating-point instructions: host instructions under an `mxcsr` that holds FPCR's rounding mode and
//! collects the flags, wherever they do what A64's do. Where results or flags differ - NaNs, conversions out of range -
//! the code goes to `soft` before it has raised any flag that the instruction does not.
//! So do results that are the smallest normal number: if they were less before rounding, A64 says underflow and the host
//! does not.
//!
//! This file has the common parts and the scalar instructions; vectors are in `fp_vector`.

use super::{fp_half, fp_vector};
use crate::cpu::translate::a64::decode::Cond;
use crate::cpu::translate::a64::decode::fp::{Binary, Fp, IntegerPlace, Lanes, Part, Relation, Unary, decode};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter, SoftPath};
use crate::cpu::translate::a64::flags::{Style, Test};
use crate::cpu::translate::a64::soft::arith::NanSignals;
use crate::cpu::translate::a64::soft::convert::{Exactness, Signedness};
use crate::cpu::translate::a64::soft::float::{DOUBLE, Format, HALF, Rounding, SINGLE};
use crate::cpu::translate::asm::{Alu, Cc, Gpr, Map, Pp, Rm, Vex, Width, Xm, Xmm};

pub(super) const X0: Xmm = Xmm(0);
pub(super) const X1: Xmm = Xmm(1);
pub(super) const X2: Xmm = Xmm(2);
pub(super) const X3: Xmm = Xmm(3);

/// The same bits in all elements of a register.
pub(super) fn splat(f: Format, value: u64) -> u128 {
    (0..128 / f.bits()).fold(0, |v, i| v | u128::from(value) << (i * f.bits()))
}

/// An arithmetic instruction of map 0F on scalars of a format.
pub(super) const fn scalar_op(f: Format, opcode: u8) -> Vex {
    Vex::new(Map::M0f, if is_double(f) { Pp::Pf2 } else { Pp::Pf3 }, opcode)
}

/// The same on vectors.
pub(super) const fn packed_op(f: Format, opcode: u8) -> Vex {
    Vex::new(Map::M0f, if is_double(f) { Pp::P66 } else { Pp::None }, opcode)
}

pub(super) const fn is_double(f: Format) -> bool {
    f.frac_bits == DOUBLE.frac_bits
}

pub(super) const ADD: u8 = 0x58;
pub(super) const MUL: u8 = 0x59;
pub(super) const SUB: u8 = 0x5c;
pub(super) const MIN: u8 = 0x5d;
pub(super) const DIV: u8 = 0x5e;
pub(super) const MAX: u8 = 0x5f;
pub(super) const SQRT: u8 = 0x51;
pub(super) const AND: u8 = 0x54;
pub(super) const OR: u8 = 0x56;
pub(super) const XOR: u8 = 0x57;
pub(super) const CMP: u8 = 0xc2;
const UCOMIS: u8 = 0x2e;
const COMIS: u8 = 0x2f;
pub(super) const CONVERT: u8 = 0x5a;
pub(super) const FROM_INT: u8 = 0x2a;
pub(super) const TRUNCATE: u8 = 0x2c;

pub(super) const VMOVAPS: Vex = Vex::new(Map::M0f, Pp::None, 0x28);
/// The low 64 bits, zeros above.
pub(super) const VMOVQ: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7e);
pub(super) const VINSERTPS: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x21);
pub(super) const VMOVD_FROM: Vex = Vex::new(Map::M0f, Pp::P66, 0x6e);
pub(super) const VMOVD_TO: Vex = Vex::new(Map::M0f, Pp::P66, 0x7e);
pub(super) const VPEXTR: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x16);
pub(super) const VPINSR: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x22);
pub(super) const VMOVDDUP: Vex = Vex::new(Map::M0f, Pp::Pf2, 0x12);
pub(super) const VBROADCASTSS: Vex = Vex::new(Map::M0f38, Pp::P66, 0x18);
pub(super) const VPXOR: Vex = Vex::new(Map::M0f, Pp::P66, 0xef);

/// Comparison predicates of `vcmp`.
pub(super) const EQ_QUIET: u8 = 0;
pub(super) const LT: u8 = 1;
pub(super) const LE: u8 = 2;
pub(super) const UNORDERED: u8 = 3;
/// Not less, or unordered; quiet.
pub(super) const NOT_LESS: u8 = 21;
pub(super) const EQ_OR_UNORDERED: u8 = 8;
pub(super) const GE: u8 = 13;
pub(super) const GT: u8 = 14;

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, word: u32) -> Emitted {
    let done = match decode(word) {
        Some(insn) if e.fp_is_standard() || ignores_fpcr(&insn) => instruction(e, insn),
        _ => None,
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

/// Single or double; others have no inline form.
pub(super) fn supported(lanes: Lanes) -> Option<Format> {
    (lanes.format == SINGLE || lanes.format == DOUBLE).then_some(lanes.format)
}

fn instruction(e: &mut Emitter<'_>, insn: Fp) -> Option<()> {
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
            to_integer(e, supported(lanes)?, place, signedness, fraction, rounding, rd, rn)
        }
        Fp::FromInteger { lanes, place, signedness, fraction, rd, rn } if lanes.count == 1 => {
            from_integer(e, supported(lanes)?, place, signedness, fraction, rd, rn)
        }
        Fp::Unary { op, lanes, rd, rn } if lanes.count == 1 => unary(e, op, supported(lanes)?, rd, rn),
        Fp::Binary { op, lanes, rd, rn, rm, index } if lanes.count == 1 => {
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

/// Writes a scalar from a scratch register.
pub(super) fn put(e: &mut Emitter<'_>, f: Format, rd: u8, value: Xmm) {
    e.write_v_low(rd, value, f.bits() / 8);
}

/// Whether an instruction can have inexact results below the normal numbers. Sums are exact there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tiny {
    Possible,
    Impossible,
}

/// Goes the slow way if the scalar is a NaN, or could be one that A64 calls an underflow and the host does not. `value` is
/// not `xmm1`, which is lost.
pub(super) fn check(e: &mut Emitter<'_>, path: SoftPath, f: Format, value: Xmm, tiny: Tiny) {
    if tiny == Tiny::Impossible {
        e.asm.vex2(ucomis(f), value, value);
        e.asm.jcc(Cc::P, path.label);
        return;
    }
    let magnitude = e.constant(u128::from(f.abs(f.mask())));
    let smallest = e.constant(u128::from(f.power_of_two(f.min_exp())));
    e.asm.vex3(packed_op(f, AND), X1, value, magnitude);
    e.asm.vex2(ucomis(f), X1, smallest);
    // Equal, or unordered.
    e.asm.jcc(Cc::E, path.label);
}

/// [`check`], then writes the scalar and ends the instruction.
pub(super) fn put_checked(e: &mut Emitter<'_>, path: SoftPath, f: Format, rd: u8, value: Xmm, tiny: Tiny) {
    check(e, path, f, value, tiny);
    put(e, f, rd, value);
    e.soft_path_ends(path);
}

/// `vucomiss` or `vucomisd`: invalid for signalling NaNs only.
pub(super) fn ucomis(f: Format) -> Vex {
    packed_op(f, UCOMIS).sets_flags()
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
        // These have results for infinity times zero, of which the host says that it is invalid.
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

/// What an instruction of FMA3 works on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Packed = 0,
    Scalar = 1,
}

/// `dst = ±dst ± a * b`.
pub(super) fn fma(f: Format, shape: Shape, neg_product: bool, neg_addend: bool) -> Vex {
    let opcode = match (neg_product, neg_addend) {
        (false, false) => 0xb8,
        (false, true) => 0xba,
        (true, false) => 0xbc,
        (true, true) => 0xbe,
    };
    let op = Vex::new(Map::M0f38, Pp::P66, opcode | shape as u8);
    if is_double(f) { op.w1() } else { op }
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

/// `to` = the scalar in `from`, with zeros above.
fn low(e: &mut Emitter<'_>, f: Format, to: Xmm, from: Xmm) {
    match is_double(f) {
        true => e.asm.vex2(VMOVQ, to, from),
        false => e.asm.vex3i(VINSERTPS, to, from, from, 0b1110),
    }
}

/// The immediate byte of `vround`: the mode, and whether the inexact flag stays as it is.
pub(super) fn round_control(rounding: Option<Rounding>, exactness: Exactness) -> Option<u8> {
    let mode = match rounding {
        None => 4,
        Some(Rounding::TieEven) => 0,
        Some(Rounding::MinusInf) => 1,
        Some(Rounding::PlusInf) => 2,
        Some(Rounding::Zero) => 3,
        Some(_) => return None,
    };
    Some(mode | if exactness == Exactness::Silent { 8 } else { 0 })
}

fn vround_scalar(f: Format) -> Vex {
    Vex::new(Map::M0f3a, Pp::P66, if is_double(f) { 0x0b } else { 0x0a })
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

/// `frinta`. Numbers without a fraction go the slow way.
fn round_away(e: &mut Emitter<'_>, f: Format, rd: u8, rn: u8) {
    let magnitude = e.constant(splat(f, f.abs(f.mask())));
    let integral = e.constant(splat(f, f.power_of_two(f.frac_bits as i32)));
    let path = e.soft_path();
    let n = e.read_v(rn, X1);
    e.asm.vex3(packed_op(f, AND), X0, n, magnitude);
    e.asm.vex2(ucomis(f), X0, integral);
    e.asm.jcc(Cc::P, path.label);
    e.asm.jcc(Cc::Ae, path.label);
    half_away(e, f, Shape::Scalar, n);
    put(e, f, rd, X0);
    e.soft_path_ends(path);
}

/// `xmm0` = numbers that may have fractions, rounded with halves away from zero: truncated, and one added if half or
/// more was cut off. Raises no flags; `xmm2` and `xmm3` are lost.
pub(super) fn half_away(e: &mut Emitter<'_>, f: Format, shape: Shape, n: Xmm) {
    let sign = e.constant(splat(f, f.sign_bit()));
    let magnitude = e.constant(splat(f, f.abs(f.mask())));
    let half = e.constant(splat(f, f.power_of_two(-1)));
    let one = e.constant(splat(f, f.power_of_two(0)));
    let op = |opcode| match shape {
        Shape::Packed => packed_op(f, opcode),
        Shape::Scalar => scalar_op(f, opcode),
    };
    match shape {
        Shape::Packed => e.asm.vex2i(fp_vector::vround(f), X2, n, 8 | 3),
        Shape::Scalar => e.asm.vex3i(vround_scalar(f), X2, n, n, 8 | 3),
    }
    e.asm.vex3(op(SUB), X3, n, X2);
    e.asm.vex3(packed_op(f, AND), X3, X3, magnitude);
    e.asm.vex3i(op(CMP), X3, X3, half, GE);
    e.asm.vex3(packed_op(f, AND), X3, X3, one);
    // A signed one or zero, so that minus zero stays.
    e.asm.vex3(packed_op(f, AND), X0, n, sign);
    e.asm.vex3(packed_op(f, OR), X3, X3, X0);
    e.asm.vex3(op(ADD), X0, X2, X3);
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
    let n = e.read_v(rn, X0);
    let m = match rm {
        Some(rm) => e.vm(rm),
        None => {
            e.asm.vex3(VPXOR, X1, X1, X1);
            Xm::Reg(X1)
        }
    };
    // Also when nobody asks for NZCV: FPSR has flags from it.
    e.asm.vex2(comparison(f, signals), n, m);
    e.flags_set(Style::Float);
    Some(())
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
            e.asm.cmov(a.not(), width, Gpr::Rcx, other);
            e.asm.cmov(b.not(), width, Gpr::Rcx, other);
        }
    }
    let target = e.target_v(rd, X0);
    let back = if double { VMOVD_FROM.w1() } else { VMOVD_FROM };
    e.asm.vex2_gpr(back, target, Gpr::Rcx);
    e.write_v(rd, target);
    Some(())
}

fn convert(e: &mut Emitter<'_>, from: Format, to: Format, rd: u8, rn: u8) -> Option<()> {
    if from == HALF || to == HALF {
        return fp_half::convert(e, from, to, rd, rn);
    }
    supported(Lanes::scalar(from))?;
    supported(Lanes::scalar(to))?;
    let path = e.soft_path();
    let n = e.read_v(rn, X1);
    e.asm.vex3(scalar_op(from, CONVERT), X0, n, n);
    put_checked(e, path, to, rd, X0, if to == SINGLE { Tiny::Possible } else { Tiny::Impossible });
    Some(())
}

/// The magnitude from which on a number goes the slow way to an integer of `width` bits, so that no instruction of the
/// fast way flags a number that does not fit as inexact, or one that does as invalid. `None`: the conversion tells.
fn integer_bound(f: Format, signedness: Signedness, width: u32, fraction: u32, rounding: Rounding) -> Option<u64> {
    let (double, signed) = (is_double(f), signedness == Signedness::Signed);
    if fraction > 0 {
        // The host converts to signed integers.
        let bits = if signed { width - 1 } else { width.min(63) };
        return Some(f.power_of_two(bits as i32 - fraction as i32));
    }
    let narrow = match (signed, width) {
        (true, 32) if double && rounding != Rounding::Zero => Some(f64::from(i32::MAX).to_bits()),
        (true, _) => None,
        (false, 32) if double => Some(f64::from(u32::MAX).to_bits()),
        (false, 32) => Some(f.power_of_two(32)),
        (false, _) => Some(f.power_of_two(63)),
    };
    match rounding {
        // What has no fraction cannot be rounded by adding one.
        Rounding::TieAway => Some(narrow.unwrap_or(u64::MAX).min(f.power_of_two(f.frac_bits as i32))),
        _ => narrow,
    }
}

/// Conversion to an integer or fixed point, in a general or vector register.
fn to_integer(
    e: &mut Emitter<'_>,
    f: Format,
    place: IntegerPlace,
    signedness: Signedness,
    fraction: u32,
    rounding: Rounding,
    rd: u8,
    rn: u8,
) -> Option<()> {
    let double = is_double(f);
    let width = match place {
        IntegerPlace::General(width) => width,
        IntegerPlace::Element => f.bits(),
    };
    let path = e.soft_path();
    let n = e.read_v(rn, X1);
    if let Some(bound) = integer_bound(f, signedness, width, fraction, rounding) {
        let word = if double { Width::W64 } else { Width::W32 };
        e.asm.vex2_gpr(if double { VMOVD_TO.w1() } else { VMOVD_TO }, n, Gpr::Rax);
        if signedness == Signedness::Signed {
            // Without the sign.
            e.asm.alu(Alu::Add, word, Gpr::Rax, Gpr::Rax);
            e.asm.mov_imm(Gpr::Rcx, bound << 1);
        } else {
            // Negative numbers are above all bounds.
            e.asm.mov_imm(Gpr::Rcx, bound);
        }
        e.asm.alu(Alu::Cmp, word, Gpr::Rax, Gpr::Rcx);
        e.asm.jcc(Cc::Ae, path.label);
    }
    let integral = match rounding {
        Rounding::Zero if fraction > 0 => {
            let scale = e.constant(u128::from(f.power_of_two(fraction as i32)));
            e.asm.vex3(scalar_op(f, MUL), X0, n, scale);
            X0
        }
        Rounding::Zero => n,
        Rounding::TieAway => {
            half_away(e, f, Shape::Scalar, n);
            X0
        }
        _ => {
            // Inexact results are flagged by the rounding, as the conversion would.
            let control = round_control(Some(rounding), Exactness::Signals)?;
            e.asm.vex3i(vround_scalar(f), X0, n, n, control);
            X0
        }
    };
    // Unsigned 32-bit numbers need a 64-bit conversion.
    let wide = width == 64 || signedness == Signedness::Unsigned;
    let truncate = scalar_op(f, TRUNCATE);
    e.asm.vex_to_gpr(if wide { truncate.w1() } else { truncate }, Gpr::Rax, integral);
    if signedness == Signedness::Signed {
        // What the host gives for all that does not fit is the only number from which 1 cannot be taken.
        e.asm.alu_imm(Alu::Cmp, if wide { Width::W64 } else { Width::W32 }, Gpr::Rax, 1);
        e.asm.jcc(Cc::O, path.label);
    }
    if rounding == Rounding::TieAway {
        // For the inexact flag.
        e.asm.vex_to_gpr(truncate.w1(), Gpr::Rcx, n);
    }
    match place {
        IntegerPlace::General(_) => e.write(rd, Gpr::Rax),
        IntegerPlace::Element => {
            let target = e.target_v(rd, X0);
            e.asm.vex2_gpr(if width == 64 { VMOVD_FROM.w1() } else { VMOVD_FROM }, target, Gpr::Rax);
            e.write_v(rd, target);
        }
    }
    e.soft_path_ends(path);
    Some(())
}

/// Conversion from an integer in a general or vector register.
fn from_integer(
    e: &mut Emitter<'_>,
    f: Format,
    place: IntegerPlace,
    signedness: Signedness,
    fraction: u32,
    rd: u8,
    rn: u8,
) -> Option<()> {
    let width = match place {
        IntegerPlace::General(width) => width,
        IntegerPlace::Element => f.bits(),
    };
    let unsigned = signedness == Signedness::Unsigned;
    let path = (unsigned && width == 64).then(|| e.soft_path());
    let from = match place {
        IntegerPlace::General(_) => e.rm(rn),
        IntegerPlace::Element => match e.vm(rn) {
            Xm::Mem(mem) => Rm::Mem(mem),
            Xm::Reg(n) => {
                e.asm.vex2_gpr(if width == 64 { VMOVD_TO.w1() } else { VMOVD_TO }, n, Gpr::Rax);
                Rm::Reg(Gpr::Rax)
            }
        },
    };
    let from = match (unsigned, width) {
        (true, 32) => {
            e.asm.mov(Width::W32, Gpr::Rax, from);
            Rm::Reg(Gpr::Rax)
        }
        (true, _) => {
            e.asm.mov(Width::W64, Gpr::Rax, from);
            e.asm.test(Width::W64, Gpr::Rax, Gpr::Rax);
            Rm::Reg(Gpr::Rax)
        }
        _ => from,
    };
    if let Some(path) = path {
        e.asm.jcc(Cc::S, path.label);
    }
    let op = scalar_op(f, FROM_INT);
    e.asm.vex3(VPXOR, X0, X0, X0);
    e.asm.vex3_gpr(if unsigned || width == 64 { op.w1() } else { op }, X0, X0, from);
    if fraction > 0 {
        // Exact: the result is far from being denormal.
        let scale = e.constant(u128::from(f.power_of_two(-(fraction as i32))));
        e.asm.vex3(scalar_op(f, MUL), X0, X0, scale);
    }
    e.write_v(rd, X0);
    if let Some(path) = path {
        e.soft_path_ends(path);
    }
    Some(())
}

/// The `vcmp` predicate of a relation.
pub(super) fn predicate(relation: Relation) -> u8 {
    match relation {
        Relation::Equal => EQ_QUIET,
        Relation::GreaterEqual | Relation::AbsGreaterEqual => GE,
        Relation::Greater | Relation::AbsGreater => GT,
        Relation::LessEqual => LE,
        Relation::Less => LT,
    }
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

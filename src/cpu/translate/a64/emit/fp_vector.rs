//! Inline forms of floating-point vector instructions. See [`super::fp`] for the rules.

use super::fp_convert::half_away;
use super::fp_ops::*;
use super::{fp_flush, fp_half};
use crate::cpu::translate::a64::decode::fp::{Binary, Fp, IntegerPlace, Lanes, Relation, Unary};
use crate::cpu::translate::a64::emitter::{Emitter, SoftPath};
use crate::cpu::translate::a64::soft::convert::{Exactness, Signedness};
use crate::cpu::translate::a64::soft::float::{DOUBLE, Format, HALF, Rounding, SINGLE};
use crate::cpu::translate::asm::{Alu, Cc, Gpr, Map, Pp, Vex, Width, Xm, Xmm};

const VMOVMSK: u8 = 0x50;
pub(super) const VPSHUFD: Vex = Vex::new(Map::M0f, Pp::P66, 0x70);
pub(super) const VMOVLHPS: Vex = Vex::new(Map::M0f, Pp::None, 0x16);
const VUNPCKLPD: Vex = Vex::new(Map::M0f, Pp::P66, 0x14);
const VUNPCKHPD: Vex = Vex::new(Map::M0f, Pp::P66, 0x15);
const VMOVSHDUP: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x16);
const VCVTDQ2PS: Vex = Vex::new(Map::M0f, Pp::None, 0x5b);
const VCVTTPS2DQ: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x5b);
const VPCMPGTQ: Vex = Vex::new(Map::M0f38, Pp::P66, 0x37);
const VPCMPGTD: Vex = Vex::new(Map::M0f, Pp::P66, 0x66);
const VPSRLD: Vex = Vex::new(Map::M0f, Pp::P66, 0x72);
const VSHUFPS: Vex = Vex::new(Map::M0f, Pp::None, 0xc6);
const VPCMPEQD: Vex = Vex::new(Map::M0f, Pp::P66, 0x76);

/// All elements of a double or single vector.
const fn whole(f: Format) -> u32 {
    128 / f.bits()
}

/// Copies one element of a register to all elements of `to`.
pub(super) fn broadcast(e: &mut Emitter<'_>, f: Format, rm: u8, index: u8, to: Xmm) {
    let op = if is_double(f) { VMOVDDUP } else { VBROADCASTSS };
    match e.vm(rm) {
        Xm::Mem(mem) => e.asm.vex2(op, to, mem.plus(i32::from(index) * (f.bits() as i32 / 8))),
        Xm::Reg(m) if is_double(f) => e.asm.vex2i(VPSHUFD, to, m, if index == 0 { 0x44 } else { 0xee }),
        Xm::Reg(m) => e.asm.vex2i(VPSHUFD, to, m, index * 0x55),
    }
}

/// A source of which only `lanes` may be seen by the host: the others are zero, so that they raise no flags.
fn source(e: &mut Emitter<'_>, lanes: Lanes, reg: u8, scratch: Xmm) -> Xmm {
    if lanes.count == whole(lanes.format) {
        return e.read_v(reg, scratch);
    }
    let from = e.vm(reg);
    e.asm.vex2(VMOVQ, scratch, from);
    scratch
}

/// The same, as an operand.
fn operand(e: &mut Emitter<'_>, lanes: Lanes, reg: u8, scratch: Xmm) -> Xm {
    if lanes.count == whole(lanes.format) { e.vm(reg) } else { Xm::Reg(source(e, lanes, reg, scratch)) }
}

/// Goes the slow way if an element is a NaN, or could be one that A64 calls an underflow and the host does not. Uses
/// `xmm1` and `rax`.
pub(super) fn check_all(e: &mut Emitter<'_>, path: SoftPath, f: Format, value: Xmm, tiny: Tiny) {
    if tiny == Tiny::Impossible {
        e.asm.vex3i(packed_op(f, CMP), X1, value, value, UNORDERED);
    } else {
        let magnitude = e.constant(splat(f, f.abs(f.mask())));
        let smallest = e.constant(splat(f, f.power_of_two(f.min_exp())));
        e.asm.vex3(packed_op(f, AND), X1, value, magnitude);
        e.asm.vex3i(packed_op(f, CMP), X1, X1, smallest, EQ_OR_UNORDERED);
    }
    slow_if_any(e, path, f, X1);
    if !e.fp_is_standard() {
        fp_flush::no_small_element(e, path, f, value);
    }
}

/// Goes the slow way if a mask has any element set. Uses `rax`.
pub(super) fn slow_if_any(e: &mut Emitter<'_>, path: SoftPath, f: Format, mask: Xmm) {
    e.asm.vex_to_gpr(packed_op(f, VMOVMSK), Gpr::Rax, mask);
    e.asm.test(Width::W32, Gpr::Rax, Gpr::Rax);
    e.asm.jcc(Cc::Ne, path.label);
}

/// Writes a result whose elements above `lanes` may be anything.
fn put_lanes(e: &mut Emitter<'_>, lanes: Lanes, rd: u8, value: Xmm) {
    e.write_v_low(rd, value, lanes.count * lanes.format.bits() / 8);
}

/// Emits a vector instruction; `None` if it has no inline form.
pub(super) fn instruction(e: &mut Emitter<'_>, insn: Fp) -> Option<()> {
    match insn {
        Fp::Binary { op: op @ (Binary::RecipStep | Binary::RsqrtStep), lanes, rd, rn, rm, index: None } => {
            step(e, op, lanes, rd, rn, rm)
        }
        Fp::Binary { op, lanes, rd, rn, rm, index } if lanes.count > 1 => binary(e, op, lanes, rd, rn, rm, index),
        Fp::MulAdd { lanes, rd, rn, rm, ra, index, neg_product, neg_addend: false } if lanes.count > 1 => {
            mul_add(e, lanes, [rd, rn, rm, ra], index, neg_product)
        }
        Fp::Unary { op, lanes, rd, rn } if lanes.count > 1 => unary(e, op, lanes, rd, rn),
        Fp::Pairwise { op: Binary::Add, lanes, rd, rn, rm } => add_pairs(e, lanes, rd, rn, rm),
        Fp::Pairwise { op, lanes, rd, rn, rm } => extreme_pairs(e, op, lanes, rd, rn, rm),
        Fp::Across { op: Binary::Add, lanes, rd, rn } if lanes.count == 2 => add_pair(e, supported(lanes)?, rd, rn),
        Fp::Across { op, lanes, rd, rn } => across(e, op, lanes, rd, rn),
        Fp::CompareMask { relation, lanes, rd, rn, rm } if lanes.count > 1 => {
            compare_mask(e, relation, lanes, rd, rn, rm)
        }
        Fp::ToInteger { lanes, place: IntegerPlace::Element, signedness, fraction, rounding, rd, rn }
            if lanes.count > 1 =>
        {
            match (supported(lanes)? == SINGLE, signedness, fraction) {
                (true, Signedness::Signed, 0) => to_integer(e, lanes, rounding, rd, rn),
                (true, ..) if rounding == Rounding::Zero => to_fixed(e, lanes, signedness, fraction, rd, rn),
                (false, Signedness::Signed, 0) => to_integer_double(e, rounding, rd, rn),
                _ => None,
            }
        }
        Fp::FromInteger { lanes, place: IntegerPlace::Element, signedness, fraction, rd, rn } if lanes.count > 1 => {
            from_integer(e, lanes, signedness, fraction, rd, rn)
        }
        Fp::Narrow { from: SINGLE, to: HALF, rounding: None, upper, rd, rn } => fp_half::narrow(e, upper, rd, rn),
        Fp::Lengthen { from: HALF, to: SINGLE, upper, rd, rn } => fp_half::lengthen(e, upper, rd, rn),
        Fp::Narrow { from: DOUBLE, to: SINGLE, rounding: None, upper, rd, rn } => narrow(e, upper, rd, rn),
        Fp::Lengthen { from: SINGLE, to: DOUBLE, upper, rd, rn } => lengthen(e, upper, rd, rn),
        _ => None,
    }
}

/// The second operand of an element-wise instruction.
fn second(e: &mut Emitter<'_>, lanes: Lanes, rm: u8, index: Option<u8>) -> Xm {
    match index {
        None => operand(e, lanes, rm, X1),
        Some(index) => {
            broadcast(e, lanes.format, rm, index, X1);
            Xm::Reg(X1)
        }
    }
}

fn binary(e: &mut Emitter<'_>, op: Binary, lanes: Lanes, rd: u8, rn: u8, rm: u8, index: Option<u8>) -> Option<()> {
    let f = supported(lanes)?;
    let (opcode, tiny) = match op {
        Binary::Add => (ADD, Tiny::Impossible),
        Binary::Sub | Binary::AbsDiff => (SUB, Tiny::Impossible),
        Binary::Mul => (MUL, Tiny::Possible),
        Binary::Div => (DIV, Tiny::Possible),
        Binary::Max | Binary::MaxNum => return extreme(e, lanes, MAX, AND, rd, rn, rm),
        Binary::Min | Binary::MinNum => return extreme(e, lanes, MIN, OR, rd, rn, rm),
        _ => return None,
    };
    let half = lanes.count != whole(f);
    let path = e.soft_path();
    let mut m = second(e, lanes, rm, index);
    if half && op == Binary::Div {
        // Zero by zero would be invalid: by one in the upper half.
        let ones = e.constant(u128::from(0x3f80_0000_3f80_0000u64) << 64);
        e.asm.vex3(packed_op(f, OR), X1, X1, ones);
        m = Xm::Reg(X1);
    }
    if half && index.is_some() {
        // Zero times infinity as well.
        e.asm.vex2(VMOVQ, X1, X1);
    }
    let n = source(e, lanes, rn, X0);
    e.asm.vex3(packed_op(f, opcode), X0, n, m);
    check_all(e, path, f, X0, tiny);
    if op == Binary::AbsDiff {
        let magnitude = e.constant(splat(f, f.abs(f.mask())));
        e.asm.vex3(packed_op(f, AND), X0, X0, magnitude);
    }
    put_lanes(e, lanes, rd, X0);
    e.soft_path_ends(path);
    Some(())
}

/// The greater or the less of each lane into [`X0`]: both orders of operands, joined (see the scalar form). [`X1`] and
/// [`X3`] are overwritten; `m` may be in the latter.
fn extreme_of(e: &mut Emitter<'_>, f: Format, path: SoftPath, (opcode, join): (u8, u8), n: Xmm, m: Xmm) {
    e.asm.vex3i(packed_op(f, CMP), X1, n, m, UNORDERED);
    slow_if_any(e, path, f, X1);
    e.asm.vex3(packed_op(f, opcode), X1, n, m);
    e.asm.vex3(packed_op(f, opcode), X3, m, n);
    e.asm.vex3(packed_op(f, join), X0, X1, X3);
}

/// See the scalar form.
fn extreme(e: &mut Emitter<'_>, lanes: Lanes, opcode: u8, join: u8, rd: u8, rn: u8, rm: u8) -> Option<()> {
    let f = lanes.format;
    let path = e.soft_path();
    let n = source(e, lanes, rn, X0);
    let m = source(e, lanes, rm, X2);
    extreme_of(e, f, path, (opcode, join), n, m);
    put_lanes(e, lanes, rd, X0);
    e.soft_path_ends(path);
    Some(())
}

/// `frecps` and `frsqrts`: `2 - n * m` and `(3 - n * m) / 2`. Great operands go the slow way: infinity times zero is valid
/// here, and half of what overflows may not.
fn step(e: &mut Emitter<'_>, op: Binary, lanes: Lanes, rd: u8, rn: u8, rm: u8) -> Option<()> {
    let f = supported(lanes)?;
    let magnitude = e.constant(splat(f, f.abs(f.mask())));
    let below = e.constant(splat(f, f.power_of_two(62) - 1));
    let (two, half) = (f.power_of_two(1), e.constant(splat(f, f.power_of_two(-1))));
    let from = e.constant(splat(f, if op == Binary::RecipStep { two } else { two | f.quiet_bit() }));
    let path = e.soft_path();
    let scalar = lanes.count == 1;
    let n = if scalar { e.read_v(rn, X0) } else { source(e, lanes, rn, X0) };
    let m = if scalar { e.read_v(rm, X2) } else { source(e, lanes, rm, X2) };
    for operand in [n, m] {
        e.asm.vex3(packed_op(f, AND), X1, operand, magnitude);
        e.asm.vex3(if is_double(f) { VPCMPGTQ } else { VPCMPGTD }, X1, X1, below);
        e.asm.vex_to_gpr(packed_op(f, VMOVMSK), Gpr::Rax, X1);
        e.asm.test_imm(Width::W32, Gpr::Rax, (1 << lanes.count) - 1);
        e.asm.jcc(Cc::Ne, path.label);
    }
    let shape = if scalar { Shape::Scalar } else { Shape::Packed };
    e.asm.vex2(VMOVAPS, X3, from);
    e.asm.vex3(fma(f, shape, true, false), X3, n, m);
    if op == Binary::RsqrtStep {
        let mul = if scalar { scalar_op(f, MUL) } else { packed_op(f, MUL) };
        e.asm.vex3(mul, X3, X3, half);
    }
    put_lanes(e, lanes, rd, X3);
    e.soft_path_ends(path);
    Some(())
}

fn mul_add(
    e: &mut Emitter<'_>,
    lanes: Lanes,
    [rd, rn, rm, ra]: [u8; 4],
    index: Option<u8>,
    neg_product: bool,
) -> Option<()> {
    let f = supported(lanes)?;
    let path = e.soft_path();
    let m = second(e, lanes, rm, index);
    if index.is_some() && lanes.count != whole(f) {
        e.asm.vex2(VMOVQ, X1, X1);
    }
    let n = source(e, lanes, rn, X2);
    match lanes.count == whole(f) {
        true => e.copy_v(ra, X0),
        false => {
            source(e, lanes, ra, X0);
        }
    }
    e.asm.vex3(fma(f, Shape::Packed, neg_product, false), X0, n, m);
    check_all(e, path, f, X0, Tiny::Possible);
    put_lanes(e, lanes, rd, X0);
    e.soft_path_ends(path);
    Some(())
}

pub(super) fn vround(f: Format) -> Vex {
    Vex::new(Map::M0f3a, Pp::P66, if is_double(f) { 0x09 } else { 0x08 })
}

fn unary(e: &mut Emitter<'_>, op: Unary, lanes: Lanes, rd: u8, rn: u8) -> Option<()> {
    let f = supported(lanes)?;
    match op {
        Unary::Abs | Unary::Neg => {
            let (opcode, mask) = match op {
                Unary::Abs => (AND, f.abs(f.mask())),
                _ => (XOR, f.sign_bit()),
            };
            let mask = e.constant(splat(f, mask));
            let n = e.read_v(rn, X0);
            e.asm.vex3(packed_op(f, opcode), X0, n, mask);
            put_lanes(e, lanes, rd, X0);
        }
        Unary::RoundInt(Some(Rounding::TieAway), _) => {
            let magnitude = e.constant(splat(f, f.abs(f.mask())));
            let integral = e.constant(splat(f, f.power_of_two(f.frac_bits as i32)));
            let path = e.soft_path();
            let n = source(e, lanes, rn, X1);
            e.asm.vex3(packed_op(f, AND), X0, n, magnitude);
            e.asm.vex3i(packed_op(f, CMP), X0, X0, integral, NOT_LESS);
            slow_if_any(e, path, f, X0);
            half_away(e, f, Shape::Packed, n);
            put_lanes(e, lanes, rd, X0);
            e.soft_path_ends(path);
        }
        Unary::Sqrt | Unary::RoundInt(..) => {
            let control = match op {
                Unary::RoundInt(rounding, exactness) => Some(round_control(rounding, exactness)?),
                _ => None,
            };
            let path = e.soft_path();
            let n = operand(e, lanes, rn, X0);
            match control {
                Some(control) => e.asm.vex2i(vround(f), X0, n, control),
                None => e.asm.vex2(packed_op(f, SQRT), X0, n),
            }
            check_all(e, path, f, X0, Tiny::Impossible);
            put_lanes(e, lanes, rd, X0);
            e.soft_path_ends(path);
        }
        _ => return None,
    }
    Some(())
}

/// `faddp` of vectors: `vhadd` has A64's order.
fn add_pairs(e: &mut Emitter<'_>, lanes: Lanes, rd: u8, rn: u8, rm: u8) -> Option<()> {
    let f = supported(lanes)?;
    let path = e.soft_path();
    let n = e.read_v(rn, X0);
    let hadd = Vex::new(Map::M0f, if is_double(f) { Pp::P66 } else { Pp::Pf2 }, 0x7c);
    if lanes.count == whole(f) {
        let m = e.vm(rm);
        e.asm.vex3(hadd, X0, n, m);
    } else {
        let m = e.read_v(rm, X1);
        e.asm.vex3(VUNPCKLPD, X0, n, m);
        e.asm.vex3(hadd, X0, X0, X0);
    }
    check_all(e, path, f, X0, Tiny::Impossible);
    put_lanes(e, lanes, rd, X0);
    e.soft_path_ends(path);
    Some(())
}

/// The opcode of the greater or the less, and the operation that joins both orders of operands: see the scalar form.
fn extreme_opcodes(op: Binary) -> Option<(u8, u8)> {
    match op {
        Binary::Max | Binary::MaxNum => Some((MAX, AND)),
        Binary::Min | Binary::MinNum => Some((MIN, OR)),
        _ => None,
    }
}

/// `fmaxp` of vectors and its kin.
fn extreme_pairs(e: &mut Emitter<'_>, op: Binary, lanes: Lanes, rd: u8, rn: u8, rm: u8) -> Option<()> {
    let f = supported(lanes)?;
    let (opcode, join) = extreme_opcodes(op)?;
    let path = e.soft_path();
    let mut n = e.read_v(rn, X0);
    let mut m = e.read_v(rm, X1);
    if lanes.count != whole(f) {
        e.asm.vex3(VUNPCKLPD, X0, n, m);
        (n, m) = (X0, X0);
    }
    // The even elements and the odd ones.
    if is_double(f) {
        e.asm.vex3(VUNPCKLPD, X2, n, m);
        e.asm.vex3(VUNPCKHPD, X3, n, m);
    } else {
        e.asm.vex3i(VSHUFPS, X2, n, m, 0x88);
        e.asm.vex3i(VSHUFPS, X3, n, m, 0xdd);
    }
    extreme_of(e, f, path, (opcode, join), X2, X3);
    put_lanes(e, lanes, rd, X0);
    e.soft_path_ends(path);
    Some(())
}

/// `faddp` of the two lowest elements.
fn add_pair(e: &mut Emitter<'_>, f: Format, rd: u8, rn: u8) -> Option<()> {
    let path = e.soft_path();
    let n = e.read_v(rn, X0);
    match is_double(f) {
        true => e.asm.vex3(VUNPCKHPD, X1, n, n),
        false => e.asm.vex2(VMOVSHDUP, X1, n),
    }
    e.asm.vex3(scalar_op(f, ADD), X0, n, X1);
    check(e, path, f, X0, Tiny::Impossible);
    put_lanes(e, Lanes::scalar(f), rd, X0);
    e.soft_path_ends(path);
    Some(())
}

/// `fmaxv`, `fmaxp` to a scalar, and their kin.
fn across(e: &mut Emitter<'_>, op: Binary, lanes: Lanes, rd: u8, rn: u8) -> Option<()> {
    let f = supported(lanes)?;
    let (opcode, join) = extreme_opcodes(op)?;
    let path = e.soft_path();
    let mut n = source(e, lanes, rn, X0);
    e.asm.vex3i(packed_op(f, CMP), X1, n, n, UNORDERED);
    slow_if_any(e, path, f, X1);
    // Without NaNs the order in which elements meet does not matter.
    let turns: &[u8] = match (is_double(f), lanes.count) {
        (true, _) => &[0x4e],
        (false, 2) => &[0xb1],
        (false, _) => &[0x4e, 0xb1],
    };
    for turn in turns {
        e.asm.vex2i(VPSHUFD, X1, n, *turn);
        e.asm.vex3(packed_op(f, opcode), X2, n, X1);
        e.asm.vex3(packed_op(f, opcode), X3, X1, n);
        e.asm.vex3(packed_op(f, join), X0, X2, X3);
        n = X0;
    }
    put_lanes(e, Lanes::scalar(f), rd, X0);
    e.soft_path_ends(path);
    Some(())
}

fn compare_mask(e: &mut Emitter<'_>, relation: Relation, lanes: Lanes, rd: u8, rn: u8, rm: Option<u8>) -> Option<()> {
    let f = supported(lanes)?;
    let mut n = source(e, lanes, rn, X0);
    let mut m = match rm {
        Some(rm) => operand(e, lanes, rm, X1),
        None => {
            e.asm.vex3(VPXOR, X1, X1, X1);
            Xm::Reg(X1)
        }
    };
    if matches!(relation, Relation::AbsGreater | Relation::AbsGreaterEqual) {
        let magnitude = e.constant(splat(f, f.abs(f.mask())));
        e.asm.vex2(VMOVAPS, X2, magnitude);
        e.asm.vex3(packed_op(f, AND), X1, X2, m);
        e.asm.vex3(packed_op(f, AND), X0, X2, n);
        (n, m) = (X0, Xm::Reg(X1));
    }
    e.asm.vex3i(packed_op(f, CMP), X0, n, m, predicate(relation));
    put_lanes(e, lanes, rd, X0);
    Some(())
}

/// Signed integers from singles.
fn to_integer(e: &mut Emitter<'_>, lanes: Lanes, rounding: Rounding, rd: u8, rn: u8) -> Option<()> {
    let f = lanes.format;
    let control = match rounding {
        Rounding::Zero => None,
        _ => Some(round_control(Some(rounding), Exactness::Signals)?),
    };
    let lowest = e.constant(splat(f, f.sign_bit()));
    let path = e.soft_path();
    let mut n = source(e, lanes, rn, X0);
    if let Some(control) = control {
        e.asm.vex2i(vround(f), X0, n, control);
        n = X0;
    }
    e.asm.vex2(VCVTTPS2DQ, X0, n);
    // What the host gives for all that does not fit.
    e.asm.vex3(VPCMPEQD, X1, X0, lowest);
    slow_if_any(e, path, f, X1);
    put_lanes(e, lanes, rd, X0);
    e.soft_path_ends(path);
    Some(())
}

/// Singles to fixed point or unsigned integers.
fn to_fixed(e: &mut Emitter<'_>, lanes: Lanes, signedness: Signedness, fraction: u32, rd: u8, rn: u8) -> Option<()> {
    let f = SINGLE;
    // The host converts to signed integers.
    let bound = f.power_of_two(31 - fraction as i32);
    let below = e.constant(splat(f, bound - 1));
    let path = e.soft_path();
    let n = source(e, lanes, rn, X0);
    // Of numbers with the same sign the bits have the order of the numbers.
    if signedness == Signedness::Signed {
        let magnitude = e.constant(splat(f, f.abs(f.mask())));
        e.asm.vex3(packed_op(f, AND), X1, n, magnitude);
        e.asm.vex3(VPCMPGTD, X1, X1, below);
    } else {
        e.asm.vex3(VPCMPGTD, X1, n, below);
        e.asm.vex3(packed_op(f, OR), X1, X1, n);
    }
    slow_if_any(e, path, f, X1);
    let mut n = n;
    if fraction > 0 {
        let scale = e.constant(splat(f, f.power_of_two(fraction as i32)));
        e.asm.vex3(packed_op(f, MUL), X0, n, scale);
        n = X0;
    }
    e.asm.vex2(VCVTTPS2DQ, X0, n);
    put_lanes(e, lanes, rd, X0);
    e.soft_path_ends(path);
    Some(())
}

/// Signed integers from two doubles.
fn to_integer_double(e: &mut Emitter<'_>, rounding: Rounding, rd: u8, rn: u8) -> Option<()> {
    let f = DOUBLE;
    let control = match rounding {
        Rounding::Zero => None,
        _ => Some(round_control(Some(rounding), Exactness::Signals)?),
    };
    let path = e.soft_path();
    let mut n = e.read_v(rn, X0);
    if let Some(control) = control {
        e.asm.vex2i(vround(f), X0, n, control);
        n = X0;
    }
    let truncate = scalar_op(f, TRUNCATE).w1();
    e.asm.vex3(VUNPCKHPD, X1, n, n);
    for (from, to) in [(n, Gpr::Rax), (X1, Gpr::Rcx)] {
        e.asm.vex_to_gpr(truncate, to, from);
        // What the host gives for all that does not fit is the only number from which 1 cannot be taken.
        e.asm.alu_imm(Alu::Cmp, Width::W64, to, 1);
        e.asm.jcc(Cc::O, path.label);
    }
    e.asm.vex2_gpr(VMOVD_FROM.w1(), X0, Gpr::Rax);
    e.asm.vex3i_gpr(VPINSR.w1(), X0, X0, Gpr::Rcx, 1);
    e.write_v(rd, X0);
    e.soft_path_ends(path);
    Some(())
}

fn from_integer(
    e: &mut Emitter<'_>,
    lanes: Lanes,
    signedness: Signedness,
    fraction: u32,
    rd: u8,
    rn: u8,
) -> Option<()> {
    let f = supported(lanes)?;
    let unsigned = signedness == Signedness::Unsigned;
    let mut path = None;
    if is_double(f) {
        if unsigned {
            path = Some(e.soft_path());
        }
        let n = e.read_v(rn, X1);
        if let Some(path) = path {
            slow_if_any(e, path, f, n);
        }
        let op = scalar_op(f, FROM_INT).w1();
        e.asm.vex3(VPXOR, X0, X0, X0);
        e.asm.vex2i_gpr(VPEXTR.w1(), n, Gpr::Rax, 1);
        e.asm.vex3_gpr(op, X2, X0, Gpr::Rax);
        e.asm.vex2_gpr(VMOVD_TO.w1(), n, Gpr::Rax);
        e.asm.vex3_gpr(op, X0, X0, Gpr::Rax);
        e.asm.vex3(VUNPCKLPD, X0, X0, X2);
    } else if unsigned {
        // Halves are exact, so that the sum alone rounds.
        let low = e.constant(splat(f, 0xffff));
        let scale = e.constant(splat(f, f.power_of_two(16)));
        let n = source(e, lanes, rn, X0);
        e.asm.vex3(packed_op(f, AND), X1, n, low);
        e.asm.vex_shift(VPSRLD, 2, X2, n, 16);
        e.asm.vex2(VCVTDQ2PS, X1, X1);
        e.asm.vex2(VCVTDQ2PS, X2, X2);
        e.asm.vex3(packed_op(f, MUL), X2, X2, scale);
        e.asm.vex3(packed_op(f, ADD), X0, X2, X1);
    } else {
        let n = operand(e, lanes, rn, X0);
        e.asm.vex2(VCVTDQ2PS, X0, n);
    }
    if fraction > 0 {
        let scale = e.constant(splat(f, f.power_of_two(-(fraction as i32))));
        e.asm.vex3(packed_op(f, MUL), X0, X0, scale);
    }
    put_lanes(e, lanes, rd, X0);
    if let Some(path) = path {
        e.soft_path_ends(path);
    }
    Some(())
}

/// Doubles to singles.
fn narrow(e: &mut Emitter<'_>, upper: bool, rd: u8, rn: u8) -> Option<()> {
    let path = e.soft_path();
    let n = e.vm(rn);
    e.asm.vex2(packed_op(DOUBLE, CONVERT), X0, n);
    check_all(e, path, SINGLE, X0, Tiny::Possible);
    put_narrow(e, upper, rd);
    e.soft_path_ends(path);
    Some(())
}

/// Writes the narrow lanes in [`X0`], whose upper half is zero: as they are, or above what the register has below.
pub(super) fn put_narrow(e: &mut Emitter<'_>, upper: bool, rd: u8) {
    if upper {
        let old = e.read_v(rd, X2);
        e.asm.vex3(VMOVLHPS, X0, old, X0);
    }
    e.write_v(rd, X0);
}

/// Singles to doubles.
fn lengthen(e: &mut Emitter<'_>, upper: bool, rd: u8, rn: u8) -> Option<()> {
    let path = e.soft_path();
    let n = match (upper, e.vm(rn)) {
        (false, n) => n,
        (true, Xm::Mem(mem)) => Xm::Mem(mem.plus(8)),
        (true, Xm::Reg(n)) => {
            e.asm.vex2i(VPSHUFD, X0, n, 0xee);
            Xm::Reg(X0)
        }
    };
    e.asm.vex2(packed_op(SINGLE, CONVERT), X0, n);
    check_all(e, path, DOUBLE, X0, Tiny::Impossible);
    e.write_v(rd, X0);
    e.soft_path_ends(path);
    Some(())
}

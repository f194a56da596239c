//! What emitters of floating-point instructions share: opcodes, checks of results.

use super::fp_flush;
use crate::cpu::translate::a64::decode::fp::{Lanes, Relation};
use crate::cpu::translate::a64::emitter::{Emitter, SoftPath};
use crate::cpu::translate::a64::soft::convert::Exactness;
use crate::cpu::translate::a64::soft::float::{DOUBLE, Format, Rounding, SINGLE};
use crate::cpu::translate::asm::{Cc, Map, Pp, Vex, Xmm};

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
pub(super) const UCOMIS: u8 = 0x2e;
pub(super) const COMIS: u8 = 0x2f;
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

/// Single or double; others have no inline form.
pub(super) fn supported(lanes: Lanes) -> Option<Format> {
    (lanes.format == SINGLE || lanes.format == DOUBLE).then_some(lanes.format)
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
    if tiny == Tiny::Impossible || !e.fp_is_standard() {
        e.asm.vex2(ucomis(f), value, value);
        e.asm.jcc(Cc::P, path.label);
        if !e.fp_is_standard() {
            fp_flush::no_small(e, path, f, value);
        }
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

pub(super) fn vround_scalar(f: Format) -> Vex {
    Vex::new(Map::M0f3a, Pp::P66, if is_double(f) { 0x0b } else { 0x0a })
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

/// `to` = the scalar in `from`, with zeros above.
pub(super) fn low(e: &mut Emitter<'_>, f: Format, to: Xmm, from: Xmm) {
    match is_double(f) {
        true => e.asm.vex2(VMOVQ, to, from),
        false => e.asm.vex3i(VINSERTPS, to, from, from, 0b1110),
    }
}

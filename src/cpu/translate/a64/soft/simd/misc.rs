//! Two registers (miscellaneous), scalar pairwise and across lanes.

use super::super::Undefined;
use super::lanes::{Saturate, Shape, get, number, truth};
use super::shift::narrow;
use super::{Outcome, require, whole};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::state::State;

/// Executes a word of "two-register miscellaneous".
pub fn two_misc(w: Word, state: &mut State, form: Form) -> Result<(), Undefined> {
    let (op, u, size) = (w.bits(12, 5), w.u(), w.size());
    require(allocated(op, u, size, form))?;
    let (d, n) = (state.v[w.rd()], state.v[w.rn()]);
    if matches!(op, 0b10010..=0b10100) {
        return narrowing(w, form, d, n).write(w, state);
    }
    let shape = Shape::of(w, size, form)?;
    let bits = shape.bits;
    let compare = |f: fn(i128) -> bool| shape.map_numbers(Sign::Signed, n, |a| -i128::from(f(a)));
    let outcome: Outcome = match (op, u) {
        (0b00000, false) => reverse(w, bits, 64, n).into(),
        (0b00000, true) => reverse(w, bits, 32, n).into(),
        (0b00001, _) => reverse(w, bits, 16, n).into(),
        (0b00010, _) => pair_sums(w, shape, 0, n).into(),
        (0b00110, _) => pair_sums(w, shape, d, n).into(),
        (0b00011, _) => {
            let mut sat = Saturate::to(bits, w.sign());
            let other = if u { Sign::Signed } else { Sign::Unsigned };
            let value = shape.zip(d, n, |d, n| sat.clamp(number(d, bits, w.sign()) + number(n, bits, other)) as u64);
            Outcome { value, saturated: sat.happened }
        }
        (0b00100, false) => shape.map_numbers(Sign::Signed, n, |a| leading_zeros(a ^ a >> 1, bits) - 1).into(),
        (0b00100, true) => shape.map_numbers(Sign::Unsigned, n, |a| leading_zeros(a, bits)).into(),
        (0b00101, false) => shape.map(n, |a| u64::from(a.count_ones())).into(),
        (0b00101, true) if size == 0 => (!n & whole(w, form)).into(),
        (0b00101, true) => {
            Shape { bits: 8, count: 2 * shape.count }.map(n, |a| u64::from((a as u8).reverse_bits())).into()
        }
        (0b00111, _) => {
            let mut sat = Saturate::to(bits, Sign::Signed);
            let value = shape.map_numbers(Sign::Signed, n, |a| sat.clamp(if u { -a } else { a.abs() }));
            Outcome { value, saturated: sat.happened }
        }
        (0b01000, false) => compare(|a| a > 0).into(),
        (0b01000, true) => compare(|a| a >= 0).into(),
        (0b01001, false) => shape.map(n, |a| truth(a == 0)).into(),
        (0b01001, true) => compare(|a| a <= 0).into(),
        (0b01010, _) => compare(|a| a < 0).into(),
        (0b01011, false) => shape.map_numbers(Sign::Signed, n, i128::abs).into(),
        (0b01011, true) => shape.map_numbers(Sign::Signed, n, |a| -a).into(),
        (_, false) => shape.map(n, |a| u64::from(reciprocal_estimate(a as u32))).into(),
        (_, true) => shape.map(n, |a| u64::from(reciprocal_root_estimate(a as u32))).into(),
    };
    outcome.write(w, state)
}

fn allocated(op: u32, u: bool, size: u32, form: Form) -> bool {
    match (op, form) {
        (0b00011 | 0b00111, _) => true,
        (0b01000 | 0b01001 | 0b01011, _) => form == Form::Vector || size == 3,
        (0b01010, _) => !u && (form == Form::Vector || size == 3),
        (0b10100, _) => size < 3,
        (0b10010, Form::Scalar) => u && size < 3,
        (_, Form::Scalar) => false,
        (0b00000, _) => size < if u { 2 } else { 3 },
        (0b00001, _) => !u && size == 0,
        (0b00010 | 0b00100 | 0b00110 | 0b10010, _) => size < 3,
        (0b00101, _) => size < if u { 2 } else { 1 },
        (0b10011, _) => u && size < 3,
        // URECPE, URSQRTE.
        (0b11100, _) => size == 2,
        _ => false,
    }
}

/// Leading zeros of an element of `bits` bits.
fn leading_zeros(a: i128, bits: u32) -> i128 {
    i128::from(a as u64 & (u64::MAX >> (64 - bits))).leading_zeros() as i128 - i128::from(128 - bits)
}

/// Reverses the elements in every group of `group` bits.
fn reverse(w: Word, bits: u32, group: u32, n: u128) -> u128 {
    let count = if w.q() { 128 } else { 64 } / bits;
    Shape { bits, count }.build(|i| get(n, bits, i ^ (group / bits - 1)))
}

/// SADDLP, UADDLP; with `d` SADALP, UADALP.
fn pair_sums(w: Word, shape: Shape, d: u128, n: u128) -> u128 {
    let wide = Shape { bits: 2 * shape.bits, count: shape.count / 2 };
    let element = |i| number(get(n, shape.bits, i), shape.bits, w.sign());
    wide.build(|i| get(d, wide.bits, i).wrapping_add((element(2 * i) + element(2 * i + 1)) as u64))
}

/// XTN, SQXTN, UQXTN, SQXTUN, SHLL; the size is of the narrow elements.
fn narrowing(w: Word, form: Form, d: u128, n: u128) -> Outcome {
    let bits = 8 << w.size();
    let half = Shape { bits, count: if form == Form::Scalar { 1 } else { 64 / bits } };
    let narrowed = |from, to| narrow(w, form, half, d, n, from, to, |a| a);
    match (w.bits(12, 5), w.u()) {
        (0b10010, false) => narrowed(Sign::Unsigned, None),
        (0b10010, true) => narrowed(Sign::Signed, Some(Sign::Unsigned)),
        (0b10100, _) => narrowed(w.sign(), Some(w.sign())),
        _ => {
            let source = if w.q() { n >> 64 } else { n };
            half.wide().build(|i| get(source, bits, i) << bits).into()
        }
    }
}

/// UnsignedRecipEstimate of the Arm ARM: 1/x for a fixed-point x of [0.5, 1), in steps of 1/256.
fn reciprocal_estimate(x: u32) -> u32 {
    if x >> 31 == 0 {
        return u32::MAX;
    }
    let a = (x >> 23) * 2 + 1;
    (((1 << 19) / a + 1) >> 1) << 23
}

/// UnsignedRSqrtEstimate of the Arm ARM: 1/sqrt(x) for a fixed-point x of [0.25, 1), in steps of 1/256.
fn reciprocal_root_estimate(x: u32) -> u32 {
    if x >> 30 == 0 {
        return u32::MAX;
    }
    let a = x >> 23;
    let a = if a < 256 { a * 2 + 1 } else { (a >> 1 << 1 | 1) * 2 };
    let mut b = 512;
    while a * (b + 1) * (b + 1) < 1 << 28 {
        b += 1;
    }
    b.div_ceil(2) << 23
}

/// ADDP of the two elements of a register.
pub fn scalar_pairwise(w: Word, state: &mut State) -> Result<(), Undefined> {
    require(!w.u() && w.size() == 3 && w.bits(12, 5) == 0b11011)?;
    let n = state.v[w.rn()];
    Outcome::from(u128::from((n as u64).wrapping_add((n >> 64) as u64))).write(w, state)
}

/// Executes a word of "across lanes".
pub fn across(w: Word, state: &mut State) -> Result<(), Undefined> {
    let (op, size) = (w.bits(12, 5), w.size());
    require(size < 2 || size == 2 && w.q())?;
    let shape = Shape::of(w, size, Form::Vector)?;
    let n = state.v[w.rn()];
    let elements = (0..shape.count).map(|i| number(get(n, shape.bits, i), shape.bits, w.sign()));
    let (bits, value) = match (op, w.u()) {
        (0b00011, _) => (2 * shape.bits, elements.sum::<i128>()),
        (0b01010, _) => (shape.bits, elements.fold(i128::MIN, i128::max)),
        (0b11010, _) => (shape.bits, elements.fold(i128::MAX, i128::min)),
        (0b11011, false) => (shape.bits, elements.sum()),
        _ => return Err(Undefined),
    };
    Outcome::from(u128::from(value as u64 & super::lanes::ones(bits))).write(w, state)
}

//! Three registers of the same type.

use super::super::Undefined;
use super::lanes::{Saturate, Shape, get, number, truth};
use super::{Outcome, require, whole};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::state::State;

/// Executes a word of the class.
pub fn three_same(w: Word, state: &mut State, form: Form) -> Result<(), Undefined> {
    let (d, n, m) = (state.v[w.rd()], state.v[w.rn()], state.v[w.rm()]);
    let op = w.bits(11, 5);
    if op == 0b00011 && form == Form::Vector {
        return Outcome::from(logic(w, d, n, m) & whole(w, form)).write(w, state);
    }
    require(allocated(op, w.u(), w.size(), form))?;
    let shape = Shape::of(w, w.size(), form)?;
    match op {
        0b10100 => pairwise(shape, n, m, |a, b| larger(w.sign(), shape, a, b)).into(),
        0b10101 => pairwise(shape, n, m, |a, b| larger(w.sign(), shape, b, a) ^ a ^ b).into(),
        0b10111 => pairwise(shape, n, m, u64::wrapping_add).into(),
        _ => apply(op, w.sign(), shape, d, n, m),
    }
    .write(w, state)
}

fn allocated(op: u32, u: bool, size: u32, form: Form) -> bool {
    match (form, op) {
        (_, 0b10110) => size == 1 || size == 2,
        (_, 0b00001 | 0b00101 | 0b01001 | 0b01011) => true,
        (_, 0b00110..=0b01000 | 0b01010 | 0b10000 | 0b10001) => form == Form::Vector || size == 3,
        (Form::Scalar, _) => false,
        (_, 0b10011) if u => size == 0,
        (_, 0b00000 | 0b00010 | 0b00100 | 0b01100..=0b01111 | 0b10010..=0b10101) => size < 3,
        (_, 0b10111) => !u,
        _ => false,
    }
}

fn logic(w: Word, d: u128, n: u128, m: u128) -> u128 {
    match (w.u(), w.size()) {
        (false, 0) => n & m,
        (false, 1) => n & !m,
        (false, 2) => n | m,
        (false, _) => n | !m,
        (true, 0) => n ^ m,
        (true, 1) => m ^ (m ^ n) & d,
        (true, 2) => d ^ (d ^ n) & m,
        (true, _) => d ^ (d ^ n) & !m,
    }
}

/// The larger of two elements.
fn larger(sign: Sign, shape: Shape, a: u64, b: u64) -> u64 {
    if number(a, shape.bits, sign) >= number(b, shape.bits, sign) { a } else { b }
}

fn pairwise(shape: Shape, n: u128, m: u128, f: impl Fn(u64, u64) -> u64) -> u128 {
    let element = |i: u32| if i < shape.count { get(n, shape.bits, i) } else { get(m, shape.bits, i - shape.count) };
    shape.build(|i| f(element(2 * i), element(2 * i + 1)))
}

/// An instruction that works element by element, by its opcode and U; the forms with an indexed element use it as well.
pub(super) fn apply(op: u32, sign: Sign, shape: Shape, d: u128, n: u128, m: u128) -> Outcome {
    let u = sign == Sign::Unsigned;
    let mut sat = Saturate::to(shape.bits, sign);
    let value = match op {
        0b00000 => shape.numbers(sign, n, m, |a, b| (a + b) >> 1),
        0b00001 => shape.numbers(sign, n, m, |a, b| sat.clamp(a + b)),
        0b00010 => shape.numbers(sign, n, m, |a, b| (a + b + 1) >> 1),
        0b00100 => shape.numbers(sign, n, m, |a, b| (a - b) >> 1),
        0b00101 => shape.numbers(sign, n, m, |a, b| sat.clamp(a - b)),
        0b00110 => shape.numbers(sign, n, m, |a, b| -i128::from(a > b)),
        0b00111 => shape.numbers(sign, n, m, |a, b| -i128::from(a >= b)),
        0b01000..=0b01011 => return shift(op, sign, shape, n, m),
        0b01100 => shape.numbers(sign, n, m, i128::max),
        0b01101 => shape.numbers(sign, n, m, i128::min),
        0b01110 => shape.numbers(sign, n, m, |a, b| (a - b).abs()),
        0b01111 => {
            let difference = shape.numbers(sign, n, m, |a, b| (a - b).abs());
            shape.zip(d, difference, u64::wrapping_add)
        }
        0b10000 if u => shape.zip(n, m, u64::wrapping_sub),
        0b10000 => shape.zip(n, m, u64::wrapping_add),
        0b10001 if u => shape.zip(n, m, |a, b| truth(a == b)),
        0b10001 => shape.zip(n, m, |a, b| truth(a & b != 0)),
        0b10010 => {
            let product = shape.zip(n, m, u64::wrapping_mul);
            shape.zip(d, product, if u { u64::wrapping_sub } else { u64::wrapping_add })
        }
        0b10011 if u => shape.zip(n, m, |a, b| polynomial(a, b) as u64),
        0b10011 => shape.zip(n, m, u64::wrapping_mul),
        _ => return doubling_high(sign, shape, n, m),
    };
    Outcome { value, saturated: sat.happened }
}

/// SQDMULH, with U SQRDMULH.
fn doubling_high(round: Sign, shape: Shape, n: u128, m: u128) -> Outcome {
    let mut sat = Saturate::to(shape.bits, Sign::Signed);
    let half = if round == Sign::Unsigned { 1 << (shape.bits - 1) } else { 0 };
    let value = shape.numbers(Sign::Signed, n, m, |a, b| sat.clamp((2 * a * b + half) >> shape.bits));
    Outcome { value, saturated: sat.happened }
}

/// SQRDMLAH, with U SQRDMLSH: the exact product is added before it is rounded.
pub(super) fn doubling_high_add(subtract: bool, shape: Shape, d: u128, n: u128, m: u128) -> Outcome {
    let mut sat = Saturate::to(shape.bits, Sign::Signed);
    let element = |v, i| number(get(v, shape.bits, i), shape.bits, Sign::Signed);
    let value = shape.build(|i| {
        let product = 2 * element(n, i) * element(m, i);
        let sum = (element(d, i) << shape.bits) + if subtract { -product } else { product };
        sat.clamp((sum + (1 << (shape.bits - 1))) >> shape.bits) as u64
    });
    Outcome { value, saturated: sat.happened }
}

/// The shifts by register: bit 0 of `op` saturates, bit 1 rounds.
fn shift(op: u32, sign: Sign, shape: Shape, n: u128, m: u128) -> Outcome {
    let mut sat = Saturate::to(shape.bits, sign);
    let (saturating, rounding) = (op & 1 != 0, op & 2 != 0);
    let value = shape.zip(n, m, |a, by| {
        let shifted = shifted(number(a, shape.bits, sign), i32::from(by as i8), rounding);
        (if saturating { sat.clamp(shifted) } else { shifted }) as u64
    });
    Outcome { value, saturated: sat.happened }
}

/// `x` shifted left by `by` bits, right if negative. A left shift by 64 or more leaves nothing of an element; it gives
/// a number with a zero low half that saturates as the exact one would.
fn shifted(x: i128, by: i32, rounding: bool) -> i128 {
    match by {
        64.. => x.signum() << 100,
        0.. => x << by,
        _ => right(x, by.unsigned_abs(), rounding),
    }
}

/// `x`, an element of at most 64 bits, shifted right by at least one bit; `rounding` to nearest, ties up.
pub(super) fn right(x: i128, by: u32, rounding: bool) -> i128 {
    // All counts above 65 give the same.
    let by = by.min(100);
    (x + if rounding { 1 << (by - 1) } else { 0 }) >> by
}

/// The product of two polynomials over GF(2).
pub(super) fn polynomial(a: u64, b: u64) -> u128 {
    let (mut product, mut rest) = (0, b);
    while rest != 0 {
        product ^= u128::from(a) << rest.trailing_zeros();
        rest &= rest - 1;
    }
    product
}

//! Three registers of different types, indexed elements, dot products and matrix multiplication.

use super::super::Undefined;
use super::lanes::{Saturate, Shape, get, number};
use super::same::{apply, doubling_high_add, polynomial};
use super::shift::upper_or_lower;
use super::{Outcome, require};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::state::State;

/// Executes a word of "three different".
pub fn three_different(w: Word, state: &mut State, form: Form) -> Result<(), Undefined> {
    let (op, size) = (w.bits(12, 4), w.size());
    let (d, n, m) = (state.v[w.rd()], state.v[w.rn()], state.v[w.rm()]);
    require(match op {
        0b1001 | 0b1011 | 0b1101 => !w.u() && (size == 1 || size == 2),
        _ if form == Form::Scalar => false,
        0b1110 => !w.u() && (size == 0 || size == 3),
        0b1111 => false,
        _ => size < 3,
    })?;
    let half = half(size, form);
    match op {
        0b0100 | 0b0110 => high_narrow(w, half, d, n, m).into(),
        0b0001 | 0b0011 => {
            let low = upper(w, m);
            let element = |i| number(get(low, half.bits, i), half.bits, w.sign()) as u64;
            let term = half.wide().build(element);
            half.wide().zip(n, term, if op == 0b0001 { u64::wrapping_add } else { u64::wrapping_sub }).into()
        }
        0b1110 if size == 3 => polynomial(upper(w, n) as u64, upper(w, m) as u64).into(),
        _ if form == Form::Vector => long(op, w.sign(), half, d, upper(w, n), upper(w, m)),
        _ => long(op, w.sign(), half, d, n, m),
    }
    .write(w, state)
}

/// The narrow elements of an instruction that widens: those of one half of a register.
fn half(size: u32, form: Form) -> Shape {
    Shape { bits: 8 << size, count: if form == Form::Scalar { 1 } else { 8 >> size } }
}

/// The half of a register that Q chooses.
fn upper(w: Word, v: u128) -> u128 {
    if w.q() { v >> 64 } else { v }
}

/// ADDHN, SUBHN, with U RADDHN, RSUBHN.
fn high_narrow(w: Word, half: Shape, d: u128, n: u128, m: u128) -> u128 {
    let round = if w.u() { 1 << (half.bits - 1) } else { 0 };
    let value = half.build(|i| {
        let (a, b) = (get(n, 2 * half.bits, i), get(m, 2 * half.bits, i));
        let sum = if w.bits(12, 4) == 0b0100 { a.wrapping_add(b) } else { a.wrapping_sub(b) };
        sum.wrapping_add(round) >> half.bits
    });
    upper_or_lower(w, Form::Vector, d, value)
}

/// The instructions with narrow sources and a wide result; the sources are the low elements of `n` and `m`.
fn long(op: u32, sign: Sign, half: Shape, d: u128, n: u128, m: u128) -> Outcome {
    let wide = half.wide();
    let mut sat = Saturate::to(wide.bits, Sign::Signed);
    let value = wide.build(|i| {
        let element = |v| number(get(v, half.bits, i), half.bits, sign);
        let (a, b) = (element(n), element(m));
        let sum = number(get(d, wide.bits, i), wide.bits, Sign::Signed);
        let result = match op {
            0b0000 => a + b,
            0b0010 => a - b,
            0b0101 => sum + (a - b).abs(),
            0b0111 => (a - b).abs(),
            0b1000 => sum + a * b,
            0b1010 => sum - a * b,
            0b1100 => a * b,
            0b1110 => polynomial(a as u64 & half.ones(), b as u64 & half.ones()) as i128,
            // SQDMLAL, SQDMLSL and SQDMULL saturate the product, then the sum.
            _ => {
                let product = sat.clamp(2 * a * b);
                match op {
                    0b1001 => sat.clamp(sum + product),
                    0b1011 => sat.clamp(sum - product),
                    _ => product,
                }
            }
        };
        result as u64
    });
    Outcome { value, saturated: sat.happened }
}

/// Executes a word of "by indexed element": the element stands for a register full of it.
pub fn indexed(w: Word, state: &mut State, form: Form) -> Result<(), Undefined> {
    let (op, u) = (w.bits(12, 4), w.u());
    let dot = form == Form::Vector && matches!((op, u, w.size()), (0b1110, _, 2) | (0b1111, false, 0 | 2));
    // The size field of SUDOT and USDOT tells the two apart.
    let size = if dot { 2 } else { w.size() };
    let (h, l, m) = (w.bits(11, 1), w.bits(21, 1), w.bits(20, 1));
    let (index, register) = match size {
        1 => (h << 2 | l << 1 | m, w.rm() & 0xf),
        2 => (h << 1 | l, w.rm()),
        _ => return Err(Undefined),
    };
    let bits = 8 << size;
    let element = Shape { bits, count: 128 / bits }.broadcast(get(state.v[register], bits, index));
    let (d, n) = (state.v[w.rd()], state.v[w.rn()]);
    let shape = Shape::of(w, size, form)?;
    let vector = form == Form::Vector;
    // The opcodes of "three same" and "three different" with the same meaning.
    let outcome = match (op, u) {
        _ if dot => dot_product(shape, dot_signs(w, op), d, n, element).into(),
        (0b1000, false) if vector => apply(0b10011, Sign::Signed, shape, d, n, element),
        (0b0000, true) if vector => apply(0b10010, Sign::Signed, shape, d, n, element),
        (0b0100, true) if vector => apply(0b10010, Sign::Unsigned, shape, d, n, element),
        (0b1100, false) => apply(0b10110, Sign::Signed, shape, d, n, element),
        (0b1101, false) => apply(0b10110, Sign::Unsigned, shape, d, n, element),
        (0b1101 | 0b1111, true) => doubling_high_add(op == 0b1111, shape, d, n, element),
        (0b0010 | 0b0110 | 0b1010, _) if vector => {
            let op = [0b1000, 0b1010, 0b1100][op as usize >> 2];
            long(op, w.sign(), half(size, form), d, upper(w, n), element)
        }
        (0b0011 | 0b0111 | 0b1011, false) => {
            let op = [0b1001, 0b1011, 0b1101][op as usize >> 2];
            long(op, Sign::Signed, half(size, form), d, if vector { upper(w, n) } else { n }, element)
        }
        _ => return Err(Undefined),
    };
    outcome.write(w, state)
}

/// The signs of the operands of SDOT, UDOT (0b1110), and of SUDOT and USDOT.
fn dot_signs(w: Word, op: u32) -> (Sign, Sign) {
    match (op, w.size()) {
        (0b1110, _) => (w.sign(), w.sign()),
        (_, 0) => (Sign::Signed, Sign::Unsigned),
        _ => (Sign::Unsigned, Sign::Signed),
    }
}

/// Adds to each word of `d` the products of the four bytes at its place.
fn dot_product(shape: Shape, signs: (Sign, Sign), d: u128, n: u128, m: u128) -> u128 {
    shape.build(|i| {
        let products = (4 * i..4 * i + 4).map(|j| number(get(n, 8, j), 8, signs.0) * number(get(m, 8, j), 8, signs.1));
        (i128::from(get(d, 32, i)) + products.sum::<i128>()) as u64
    })
}

/// Executes a word of "three same extra".
pub fn extra(w: Word, state: &mut State, form: Form) -> Result<(), Undefined> {
    let (op, size) = (w.bits(11, 4), w.size());
    let (d, n, m) = (state.v[w.rd()], state.v[w.rn()], state.v[w.rm()]);
    let vector = form == Form::Vector;
    let outcome: Outcome = match (op, w.u(), size) {
        (0b0000 | 0b0001, true, 1 | 2) => doubling_high_add(op == 1, Shape::of(w, size, form)?, d, n, m),
        (0b0010, _, 2) if vector => dot_product(Shape::of(w, 2, form)?, (w.sign(), w.sign()), d, n, m).into(),
        (0b0011, false, 2) if vector => {
            dot_product(Shape::of(w, 2, form)?, (Sign::Unsigned, Sign::Signed), d, n, m).into()
        }
        (0b0100, _, 2) if vector && w.q() => matrix((w.sign(), w.sign()), d, n, m).into(),
        (0b0101, false, 2) if vector && w.q() => matrix((Sign::Unsigned, Sign::Signed), d, n, m).into(),
        _ => return Err(Undefined),
    };
    outcome.write(w, state)
}

/// SMMLA, UMMLA, USMMLA: adds the product of a 2x8 matrix and the transpose of another to a 2x2 matrix.
fn matrix(signs: (Sign, Sign), d: u128, n: u128, m: u128) -> u128 {
    Shape { bits: 32, count: 4 }.build(|i| {
        let (row, column) = (i / 2 * 8, i % 2 * 8);
        let products =
            (0..8).map(|k| number(get(n, 8, row + k), 8, signs.0) * number(get(m, 8, column + k), 8, signs.1));
        (i128::from(get(d, 32, i)) + products.sum::<i128>()) as u64
    })
}

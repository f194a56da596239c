//! Shifts by an immediate.

use super::super::Undefined;
use super::lanes::{Saturate, Shape, get, number};
use super::same::right;
use super::{Outcome, require};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::state::State;

/// Executes a word of the class.
pub fn immediate(w: Word, state: &mut State, form: Form) -> Result<(), Undefined> {
    let (op, immediate) = (w.bits(11, 5), w.bits(16, 7));
    // immh, the top four bits, is not zero in this class; its highest one gives the element.
    let size = immediate.ilog2() - 3;
    let (d, n) = (state.v[w.rd()], state.v[w.rn()]);
    if op >= 0b10000 {
        require(size < 3)?;
        return narrow_or_long(w, form, size, d, n)?.write(w, state);
    }
    let shape = Shape::of(w, size, form)?;
    let only_long = !matches!(op, 0b01100 | 0b01110);
    require(form == Form::Vector || size == 3 || !only_long)?;
    let (by_right, by_left) = (2 * shape.bits - immediate, immediate - shape.bits);
    let outcome: Outcome = match (op, w.u()) {
        (0b00000 | 0b00010 | 0b00100 | 0b00110, _) => {
            let shifted = shape.map_numbers(w.sign(), n, |a| right(a, by_right, op & 0b00100 != 0));
            if op & 0b00010 != 0 { shape.zip(d, shifted, u64::wrapping_add) } else { shifted }.into()
        }
        (0b01000, true) => {
            // SRI keeps the bits of Rd that nothing is shifted into.
            let moved = if by_right == 64 { 0 } else { shape.ones() >> by_right };
            shape.zip(d, n, |d, n| d & !moved | if moved == 0 { 0 } else { n >> by_right }).into()
        }
        (0b01010, false) => shape.map(n, |n| n << by_left).into(),
        (0b01010, true) => shape.zip(d, n, |d, n| d & !(u64::MAX << by_left) | n << by_left).into(),
        (0b01100, true) => saturating(shape, Sign::Signed, Sign::Unsigned, n, |a| a << by_left),
        (0b01110, _) => saturating(shape, w.sign(), w.sign(), n, |a| a << by_left),
        _ => return Err(Undefined),
    };
    outcome.write(w, state)
}

fn saturating(shape: Shape, from: Sign, to: Sign, n: u128, f: impl Fn(i128) -> i128) -> Outcome {
    let mut sat = Saturate::to(shape.bits, to);
    let value = shape.map_numbers(from, n, |a| sat.clamp(f(a)));
    Outcome { value, saturated: sat.happened }
}

/// SHRN and its relatives, SSHLL, USHLL; `size` is of the narrow elements.
fn narrow_or_long(w: Word, form: Form, size: u32, d: u128, n: u128) -> Result<Outcome, Undefined> {
    let op = w.bits(11, 5);
    let half = match form {
        Form::Scalar => Shape { bits: 8 << size, count: 1 },
        Form::Vector => Shape { bits: 8 << size, count: 8 >> size },
    };
    let (immediate, rounding) = (w.bits(16, 7), op & 1 != 0);
    let by_right = 2 * half.bits - immediate;
    let narrowed = |from, to| narrow(w, form, half, d, n, from, to, |a| right(a, by_right, rounding));
    match (op, w.u()) {
        (0b10000 | 0b10001, false) => {
            require(form == Form::Vector)?;
            Ok(narrowed(Sign::Unsigned, None))
        }
        (0b10000 | 0b10001, true) => Ok(narrowed(Sign::Signed, Some(Sign::Unsigned))),
        (0b10010 | 0b10011, _) => Ok(narrowed(w.sign(), Some(w.sign()))),
        (0b10100, _) => {
            require(form == Form::Vector)?;
            let source = if w.q() { n >> 64 } else { n };
            let element = |i| number(get(source, half.bits, i), half.bits, w.sign());
            Ok(half.wide().build(|i| (element(i) << (immediate - half.bits)) as u64).into())
        }
        _ => Err(Undefined),
    }
}

/// `f` of elements of twice the width, read with sign `from`, cut or (with `to`) saturated to the elements of `half`;
/// with Q they go to the upper half and the lower one stays.
#[expect(clippy::too_many_arguments, reason = "one place for the narrowing of two classes")]
pub(super) fn narrow(
    w: Word,
    form: Form,
    half: Shape,
    d: u128,
    n: u128,
    from: Sign,
    to: Option<Sign>,
    f: impl Fn(i128) -> i128,
) -> Outcome {
    let mut sat = Saturate::to(half.bits, to.unwrap_or(Sign::Unsigned));
    let value = half.build(|i| {
        let x = f(number(get(n, 2 * half.bits, i), 2 * half.bits, from));
        (if to.is_some() { sat.clamp(x) } else { x }) as u64
    });
    Outcome { value: upper_or_lower(w, form, d, value), saturated: sat.happened }
}

/// Where the instructions that narrow put their result.
pub(super) fn upper_or_lower(w: Word, form: Form, d: u128, value: u128) -> u128 {
    if form == Form::Vector && w.q() { d & u128::from(u64::MAX) | value << 64 } else { value }
}

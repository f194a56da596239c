//! A vector register as elements.

use super::super::Undefined;
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};

/// `bits` ones, 1 to 64.
pub fn ones(bits: u32) -> u64 {
    u64::MAX >> (64 - bits)
}

/// Element `index` of `bits` bits.
pub fn get(v: u128, bits: u32, index: u32) -> u64 {
    // By halves: shifts of 128 bits by a variable are slow.
    let at = bits * index;
    let half = if at < 64 { v as u64 } else { (v >> 64) as u64 };
    half >> (at & 63) & ones(bits)
}

/// Puts the low `bits` bits of `value` into element `index`.
pub fn put(v: &mut u128, bits: u32, index: u32, value: u64) {
    let shift = bits * index;
    *v = *v & !(u128::from(ones(bits)) << shift) | u128::from(value & ones(bits)) << shift;
}

/// The number that the low `bits` bits of `x` stand for.
pub fn number(x: u64, bits: u32, sign: Sign) -> i128 {
    match sign {
        Sign::Signed => i128::from((x << (64 - bits)) as i64 >> (64 - bits)),
        Sign::Unsigned => i128::from(x & ones(bits)),
    }
}

/// How many elements of which width an instruction works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bits of an element: 8, 16, 32 or 64.
    pub bits: u32,
    /// Number of elements.
    pub count: u32,
}

impl Shape {
    /// The shape that Q and a size field give; one element of 64 bits is reserved for the scalar forms.
    pub fn of(w: Word, size: u32, form: Form) -> Result<Shape, Undefined> {
        match form {
            Form::Scalar => Ok(Shape { bits: 8 << size, count: 1 }),
            Form::Vector if size == 3 && !w.q() => Err(Undefined),
            Form::Vector => Ok(Shape { bits: 8 << size, count: (if w.q() { 16 } else { 8 }) >> size }),
        }
    }

    /// Elements of twice the width, as many.
    pub fn wide(self) -> Shape {
        Shape { bits: self.bits * 2, ..self }
    }

    /// The element's bits as a mask.
    pub fn ones(self) -> u64 {
        ones(self.bits)
    }

    /// A register whose element i is `f(i)`, zero above.
    pub fn build(self, mut f: impl FnMut(u32) -> u64) -> u128 {
        let (mut low, mut high) = (0, 0);
        for i in 0..self.count {
            let (value, at) = (f(i) & self.ones(), self.bits * i);
            if at < 64 {
                low |= value << at;
            } else {
                high |= value << (at - 64);
            }
        }
        u128::from(high) << 64 | u128::from(low)
    }

    /// `f` of every element's bits.
    pub fn map(self, n: u128, mut f: impl FnMut(u64) -> u64) -> u128 {
        self.build(|i| f(get(n, self.bits, i)))
    }

    /// `f` of every pair of elements' bits.
    pub fn zip(self, n: u128, m: u128, mut f: impl FnMut(u64, u64) -> u64) -> u128 {
        self.build(|i| f(get(n, self.bits, i), get(m, self.bits, i)))
    }

    /// `f` of every element as a number; the result is cut to the element.
    pub fn map_numbers(self, sign: Sign, n: u128, mut f: impl FnMut(i128) -> i128) -> u128 {
        self.map(n, |a| f(number(a, self.bits, sign)) as u64)
    }

    /// `f` of every pair of elements as numbers; the result is cut to the element.
    pub fn numbers(self, sign: Sign, n: u128, m: u128, mut f: impl FnMut(i128, i128) -> i128) -> u128 {
        self.zip(n, m, |a, b| f(number(a, self.bits, sign), number(b, self.bits, sign)) as u64)
    }

    /// Every element the same.
    pub fn broadcast(self, value: u64) -> u128 {
        self.build(|_| value)
    }
}

/// Saturation that remembers whether it happened (FPSR.QC).
#[derive(Clone, Copy, Debug)]
pub struct Saturate {
    bits: u32,
    sign: Sign,
    /// A result did not fit.
    pub happened: bool,
}

impl Saturate {
    /// For results of `bits` bits.
    pub fn to(bits: u32, sign: Sign) -> Saturate {
        Saturate { bits, sign, happened: false }
    }

    /// The nearest number that fits.
    pub fn clamp(&mut self, x: i128) -> i128 {
        let (low, high) = match self.sign {
            Sign::Signed => (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1),
            Sign::Unsigned => (0, (1 << self.bits) - 1),
        };
        self.happened |= x < low || x > high;
        x.clamp(low, high)
    }
}

/// All ones for true.
pub fn truth(condition: bool) -> u64 {
    if condition { u64::MAX } else { 0 }
}

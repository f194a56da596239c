//! Three registers of different types, indexed elements, dot products.

use super::same::{Direction, elementwise, finish_elements, saturating_signed};
use super::shift::{left_or_right_logical, truncate};
use super::{
    Inline, X0, X1, X2, X3, d, finish, finish_narrow, in_memory, m, n, out, reg, splat, widen, with_constant, x86,
};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::a64::state::State;
use crate::cpu::translate::asm::{Mem, Xm, Xmm};

/// Emits a word of "three different".
pub fn three_different(e: &mut Emitter<'_>, w: Word) -> Inline {
    let (op, size) = (w.bits(12, 4), w.size());
    if op == 0b1110 {
        if size != 3 || w.u() || !std::arch::is_x86_feature_detected!("pclmulqdq") {
            return None;
        }
        let a = n(e, w);
        let b = m(e, w);
        let out = out(e, w);
        e.asm.vex3i(x86::PCLMULQDQ, out, a, b, if w.q() { 0x11 } else { 0 });
        e.write_v(super::rd(w), out);
        return Some(());
    }
    if size == 3 {
        return None;
    }
    let wide = size as usize + 1;
    match op {
        0b0100 | 0b0110 => {
            let a = n(e, w);
            let b = m(e, w);
            e.asm.vex3(if op == 0b0100 { x86::PADD[wide] } else { x86::PSUB[wide] }, X2, a, b);
            let bits = 8u32 << size;
            if w.u() {
                with_constant(e, x86::PADD[wide], X2, X2, splat(1 << (bits - 1), 2 * bits));
            }
            left_or_right_logical(e, size + 1, X2, -(bits as i32), X2);
            truncate(e, size, X2, X2);
            finish_narrow(e, w, X2)
        }
        0b0001 | 0b0011 => {
            widen(e, w, w.sign(), size, m(e, w), X2);
            let a = n(e, w);
            let out = out(e, w);
            e.asm.vex3(if op == 0b0001 { x86::PADD[wide] } else { x86::PSUB[wide] }, out, a, X2);
            e.write_v(super::rd(w), out);
            Some(())
        }
        0b0000 | 0b0010 => {
            widen(e, w, w.sign(), size, e.vm(w.rn() as u8), X2);
            widen(e, w, w.sign(), size, m(e, w), X3);
            e.asm.vex3(if op == 0b0000 { x86::PADD[wide] } else { x86::PSUB[wide] }, X2, X2, X3);
            e.write_v(super::rd(w), X2);
            Some(())
        }
        0b0101 | 0b0111 => {
            let a = n(e, w);
            let b = m(e, w);
            e.asm.vex3(x86::pmax(w.sign(), size)?, X2, a, b);
            e.asm.vex3(x86::pmin(w.sign(), size)?, X3, a, b);
            e.asm.vex3(x86::PSUB[size as usize], X2, X2, X3);
            widen(e, w, Sign::Unsigned, size, Xm::Reg(X2), X2);
            if op == 0b0101 {
                e.asm.vex3(x86::PADD[wide], X2, X2, d(e, w));
            }
            e.write_v(super::rd(w), X2);
            Some(())
        }
        _ => {
            if matches!(op, 0b1001 | 0b1011 | 0b1101) && (size == 0 || w.u()) {
                return None;
            }
            widen(e, w, w.sign(), size, m(e, w), X1);
            long_product(e, w, op, size)
        }
    }
}

/// SMLAL, SMLSL, SMULL and their unsigned forms (opcodes of "three different"); `X1` holds the second factor, widened.
fn long_product(e: &mut Emitter<'_>, w: Word, op: u32, size: u32) -> Inline {
    let wide = size as usize + 1;
    widen(e, w, w.sign(), size, e.vm(w.rn() as u8), X2);
    let product = match (size, w.sign()) {
        (0, _) => x86::PMULLW,
        (1, _) => x86::PMULLD,
        (_, Sign::Signed) => x86::PMULDQ,
        (_, Sign::Unsigned) => x86::PMULUDQ,
    };
    e.asm.vex3(product, X2, X2, X1);
    if matches!(op, 0b1001 | 0b1011 | 0b1101) {
        doubled(e, w, op, wide);
        return Some(());
    }
    match op {
        0b1000 => e.asm.vex3(x86::PADD[wide], X2, X2, d(e, w)),
        0b1010 => {
            let sum = d(e, w);
            let sum = reg(e, sum, X3);
            e.asm.vex3(x86::PSUB[wide], X2, sum, X2);
        }
        0b1100 => {}
        _ => return None,
    }
    e.write_v(super::rd(w), X2);
    Some(())
}

/// SQDMLAL, SQDMLSL, SQDMULL of the products in `X2`, which are of `wide` size. Only the square of the least number saturates
/// when it is doubled.
fn doubled(e: &mut Emitter<'_>, w: Word, op: u32, wide: usize) {
    let bits = 8 << wide;
    e.asm.vex3(x86::PADD[wide], X2, X2, X2);
    with_constant(e, x86::PCMPEQ[wide], X3, X2, splat(1 << (bits - 1), bits));
    e.asm.vex3(x86::PXOR, X1, X2, X3);
    super::collect_saturation_of_all(e, X3);
    if op == 0b1101 {
        e.write_v(super::rd(w), X1);
        return;
    }
    let direction = if op == 0b1001 { Direction::Add } else { Direction::Subtract };
    let sum = d(e, w);
    let sum = reg(e, sum, X0);
    let bad = saturating_signed(e, direction, wide as u32, sum, Xm::Reg(X1));
    super::collect_saturation_of_all(e, bad);
    e.write_v(super::rd(w), X2);
}

/// Emits a word of "by indexed element": the element goes to all of `X1`.
pub fn indexed(e: &mut Emitter<'_>, w: Word, form: Form) -> Inline {
    let (op, u, size) = (w.bits(12, 4), w.u(), w.size());
    let (h, l, m) = (w.bits(11, 1), w.bits(21, 1), w.bits(20, 1));
    if (op, u) == (0b1111, false) && matches!(size, 0 | 2) && form == Form::Vector {
        // SUDOT, USDOT.
        let signs = if size == 0 { (Sign::Signed, Sign::Unsigned) } else { (Sign::Unsigned, Sign::Signed) };
        super::copy::broadcast(e, 2, h << 1 | l, e.vm(w.rm() as u8), X1);
        return dot_product(e, w, signs, Xm::Reg(X1));
    }
    let (index, register) = match size {
        1 => (h << 2 | l << 1 | m, w.rm() & 0xf),
        2 => (h << 1 | l, w.rm()),
        _ => return None,
    };
    let element = e.vm(register as u8);
    // The opcodes of "three same" with the same meaning.
    let same = match (op, u) {
        (0b1000, false) => Some((0b10011, Sign::Signed)),
        (0b0000, true) => Some((0b10010, Sign::Signed)),
        (0b0100, true) => Some((0b10010, Sign::Unsigned)),
        (0b1100, false) => Some((0b10110, Sign::Signed)),
        (0b1101, false) => Some((0b10110, Sign::Unsigned)),
        _ => None,
    };
    if let Some((op, sign)) = same {
        super::copy::broadcast(e, size, index, element, X1);
        let a = n(e, w);
        let out = out(e, w);
        if form == Form::Scalar && op != 0b10110 {
            return None;
        }
        elementwise(e, w, op, sign, size, a, Xm::Reg(X1), out)?;
        return finish_elements(e, w, form, size, out);
    }
    if form == Form::Scalar {
        return None;
    }
    match (op, u) {
        (0b0010 | 0b0110 | 0b1010, _) => {
            super::copy::broadcast(e, size, index, element, X1);
            e.asm.vex2(x86::extend(w.sign(), size), X1, X1);
            long_product(e, w, [0b1000, 0b1010, 0b1100][op as usize >> 2], size)
        }
        (0b0011 | 0b0111 | 0b1011, false) => {
            super::copy::broadcast(e, size, index, element, X1);
            e.asm.vex2(x86::extend(Sign::Signed, size), X1, X1);
            long_product(e, w, [0b1001, 0b1011, 0b1101][op as usize >> 2], size)
        }
        (0b1101 | 0b1111, true) if size == 1 => {
            super::copy::broadcast(e, size, index, element, X1);
            let copy = e.state(std::mem::offset_of!(State, spill)).plus(32);
            e.asm.vex2(x86::MOVDQU_STORE, X1, copy);
            doubling_high_add(e, w, op == 0b1111, copy)
        }
        (0b1110, _) if size == 2 => {
            super::copy::broadcast(e, 2, index, element, X1);
            dot_product(e, w, (w.sign(), w.sign()), Xm::Reg(X1))
        }
        _ => None,
    }
}

/// SDOT, UDOT, USDOT of vectors, SMMLA, UMMLA, USMMLA, SQRDMLAH, SQRDMLSH.
pub fn dot(e: &mut Emitter<'_>, w: Word) -> Inline {
    let signs = match (w.bits(11, 4), w.u()) {
        (0b0010, _) => (w.sign(), w.sign()),
        (0b0011, false) => (Sign::Unsigned, Sign::Signed),
        (0b0000 | 0b0001, true) if w.size() == 1 => {
            let b = in_memory(e, w.rm(), 1);
            return doubling_high_add(e, w, w.bits(11, 4) == 1, b);
        }
        (0b0100, _) => return matrix(e, w, (w.sign(), w.sign())),
        (0b0101, false) => return matrix(e, w, (Sign::Unsigned, Sign::Signed)),
        _ => return None,
    };
    if w.size() != 2 {
        return None;
    }
    let b = m(e, w);
    dot_product(e, w, signs, b)
}

/// SQRDMLAH, SQRDMLSH of halfwords, four at a time: half of the exact sum fits in a word.
fn doubling_high_add(e: &mut Emitter<'_>, w: Word, subtract: bool, b: Mem) -> Inline {
    let (a, sum) = (in_memory(e, w.rn(), 0), in_memory(e, w.rd(), 2));
    let extend = x86::extend_to_words(Sign::Signed, 1);
    let halves = if w.q() { 2 } else { 1 };
    for (half, to) in [X1, X2].into_iter().take(halves).enumerate() {
        let at = 8 * half as i32;
        e.asm.vex2(extend, to, a.plus(at));
        e.asm.vex2(extend, X3, b.plus(at));
        e.asm.vex3(x86::PMULLD, to, to, X3);
        e.asm.vex2(extend, X3, sum.plus(at));
        left_or_right_logical(e, 2, X3, 15, X3);
        e.asm.vex3(if subtract { x86::PSUB[2] } else { x86::PADD[2] }, X3, X3, to);
        with_constant(e, x86::PADD[2], X3, X3, splat(1 << 14, 32));
        let (op, digit) = x86::psra(2);
        e.asm.vex_shift(op, digit, to, X3, 15);
        e.asm.vex3(x86::PACKSS[1], X0, to, to);
        e.asm.vex2(extend, X0, X0);
        e.asm.vex3(x86::PXOR, X0, X0, to);
        super::collect_saturation_of_all(e, X0);
    }
    e.asm.vex3(x86::PACKSS[1], X1, X1, if w.q() { X2 } else { X1 });
    finish(e, w, Form::Vector, X1)
}

/// SMMLA, UMMLA, USMMLA: the products of rows of eight bytes, each as halfwords, summed by pairs in three steps.
fn matrix(e: &mut Emitter<'_>, w: Word, signs: (Sign, Sign)) -> Inline {
    if w.size() != 2 || !w.q() {
        return None;
    }
    let (a, b) = (in_memory(e, w.rn(), 0), in_memory(e, w.rm(), 1));
    e.asm.vex2(x86::extend(signs.0, 0), X0, a);
    e.asm.vex2(x86::extend(signs.1, 0), X2, b);
    e.asm.vex2(x86::extend(signs.1, 0), X3, b.plus(8));
    e.asm.vex3(x86::PMADDWD, X1, X0, X3);
    e.asm.vex3(x86::PMADDWD, X0, X0, X2);
    e.asm.vex3(x86::PHADD[1], X0, X0, X1);
    e.asm.vex2(x86::extend(signs.0, 0), X1, a.plus(8));
    e.asm.vex3(x86::PMADDWD, X2, X2, X1);
    e.asm.vex3(x86::PMADDWD, X1, X1, X3);
    e.asm.vex3(x86::PHADD[1], X2, X2, X1);
    e.asm.vex3(x86::PHADD[1], X0, X0, X2);
    let out = out(e, w);
    e.asm.vex3(x86::PADD[2], out, X0, d(e, w));
    e.write_v(super::rd(w), out);
    Some(())
}

/// Adds to each word the four products of bytes: those at even places and those at odd ones, as 16-bit numbers.
fn dot_product(e: &mut Emitter<'_>, w: Word, signs: (Sign, Sign), b: Xm) -> Inline {
    let a = n(e, w);
    let b = reg(e, b, X1);
    even_bytes(e, signs.0, a, X2);
    even_bytes(e, signs.1, b, X3);
    e.asm.vex3(x86::PMADDWD, X2, X2, X3);
    odd_bytes(e, signs.0, a, X3);
    odd_bytes(e, signs.1, b, X1);
    e.asm.vex3(x86::PMADDWD, X3, X3, X1);
    e.asm.vex3(x86::PADD[2], X2, X2, X3);
    let out = out(e, w);
    e.asm.vex3(x86::PADD[2], out, X2, d(e, w));
    finish(e, w, Form::Vector, out)
}

/// The bytes at even places as halfwords.
fn even_bytes(e: &mut Emitter<'_>, sign: Sign, from: Xmm, to: Xmm) {
    match sign {
        Sign::Unsigned => with_constant(e, x86::PAND, to, from, splat(0xff, 16)),
        Sign::Signed => {
            left_or_right_logical(e, 1, from, 8, to);
            odd_bytes(e, sign, to, to);
        }
    }
}

/// The bytes at odd places as halfwords.
fn odd_bytes(e: &mut Emitter<'_>, sign: Sign, from: Xmm, to: Xmm) {
    let (op, digit) = if sign == Sign::Signed { x86::psra(1) } else { x86::psrl(1) };
    e.asm.vex_shift(op, digit, to, from, 8);
}

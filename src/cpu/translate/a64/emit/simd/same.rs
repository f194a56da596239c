//! Three registers of the same type.

use super::{
    Inline, X0, X1, X2, X3, collect_saturation, collect_saturation_of_all, d, finish, in_memory, m, n, ones, out, reg,
    splat, with_constant, x86, zero,
};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::a64::state::State;
use crate::cpu::translate::asm::{Vex, Xm, Xmm};

/// Emits a word of the class.
pub fn three_same(e: &mut Emitter<'_>, w: Word, form: Form) -> Inline {
    let (op, size) = (w.bits(11, 5), w.size());
    if form == Form::Vector && op == 0b00011 {
        return logic(e, w);
    }
    // Scalar forms are vector forms of which one element counts.
    let saturates = matches!(op, 0b00001 | 0b00101 | 0b10110);
    match form {
        Form::Vector if size == 3 && !w.q() => return None,
        Form::Scalar if size < 3 && !saturates => return None,
        _ => {}
    }
    match (op, form) {
        (0b10100 | 0b10101 | 0b10111, Form::Vector) => return pairwise(e, w, op),
        (0b00110..=0b01000 | 0b10000 | 0b10001, _) | (_, Form::Vector) => {}
        _ if saturates => {}
        _ => return None,
    }
    let in_words = match op {
        0b01000 => size < 2,
        0b01010 => size < 3,
        0b01001 | 0b01011 => size < 2,
        _ => false,
    };
    if in_words && form == Form::Vector {
        return shift_in_words(e, w, op, size);
    }
    let a = n(e, w);
    let b = m(e, w);
    let out = out(e, w);
    elementwise(e, w, op, w.sign(), size, a, b, out)?;
    finish_elements(e, w, form, size, out)
}

/// Writes Rd: the lowest element with zeros above, or the vector.
pub(super) fn finish_elements(e: &mut Emitter<'_>, w: Word, form: Form, size: u32, value: Xmm) -> Inline {
    match form {
        Form::Vector => finish(e, w, form, value),
        Form::Scalar => {
            e.write_v_low(super::rd(w), value, 1 << size);
            Some(())
        }
    }
}

fn logic(e: &mut Emitter<'_>, w: Word) -> Inline {
    let (n_operand, b) = (e.vm(w.rn() as u8), m(e, w));
    if !w.u() && w.size() == 2 && w.rn() == w.rm() {
        // mov
        let out = super::out(e, w);
        let bytes = if w.q() { x86::MOVDQU } else { x86::MOVQ };
        e.asm.vex2(bytes, out, n_operand);
        e.write_v(super::rd(w), out);
        return Some(());
    }
    let out = out(e, w);
    match (w.u(), w.size()) {
        (false, 1) => {
            let inverted = reg(e, b, X0);
            e.asm.vex3(x86::PANDN, out, inverted, n_operand);
        }
        (false, 3) => {
            ones(e, X2);
            e.asm.vex3(x86::PXOR, X2, X2, b);
            e.asm.vex3(x86::POR, out, X2, n_operand);
        }
        (true, 1..) => {
            // The bits of one register where another is set, of a third elsewhere, by exclusive or.
            let (base, mask) = if w.size() == 1 { (b, d(e, w)) } else { (d(e, w), b) };
            let base = reg(e, base, X0);
            e.asm.vex3(x86::PXOR, X2, base, n_operand);
            if w.size() == 3 {
                let mask = reg(e, mask, X3);
                e.asm.vex3(x86::PANDN, X2, mask, X2);
            } else {
                e.asm.vex3(x86::PAND, X2, X2, mask);
            }
            e.asm.vex3(x86::PXOR, out, X2, base);
        }
        (u, size) => {
            let op = if u {
                x86::PXOR
            } else if size == 0 {
                x86::PAND
            } else {
                x86::POR
            };
            let a = n(e, w);
            e.asm.vex3(op, out, a, b);
        }
    }
    finish(e, w, Form::Vector, out)
}

/// The elements of `a` and `b` with even numbers to `even`, those with odd numbers to `odd`. Both are scratches other than `a`
/// and `b`.
pub(super) fn split(e: &mut Emitter<'_>, size: u32, a: Xmm, b: Xm, even: Xmm, odd: Xmm) {
    match size {
        0 | 1 => {
            let order = evens_then_odds(size);
            let b = reg(e, b, odd);
            with_constant(e, x86::PSHUFB, even, a, order);
            with_constant(e, x86::PSHUFB, odd, b, order);
            let spare = spare(&[even, odd]);
            e.asm.vex3(x86::PUNPCKH[3], spare, even, odd);
            e.asm.vex3(x86::PUNPCKL[3], even, even, odd);
            e.asm.vex2(x86::MOVDQU, odd, spare);
        }
        2 => {
            e.asm.vex3i(x86::SHUFPS, even, a, b, 0x88);
            e.asm.vex3i(x86::SHUFPS, odd, a, b, 0xdd);
        }
        _ => {
            e.asm.vex3(x86::PUNPCKL[3], even, a, b);
            e.asm.vex3(x86::PUNPCKH[3], odd, a, b);
        }
    }
}

/// A shuffle that gathers the elements with even numbers in the low half, the others in the high half.
pub(super) fn evens_then_odds(size: u32) -> u128 {
    let bytes = 1u32 << size;
    (0..16).fold(0u128, |p, i| {
        let (half, within) = (i / 8, i % 8);
        p | u128::from((within / bytes * 2 + half) * bytes + within % bytes) << (8 * i)
    })
}

/// A scratch that is none of these.
pub(super) fn spare(used: &[Xmm]) -> Xmm {
    (0..4).map(Xmm).find(|x| !used.contains(x)).unwrap_or(X0)
}

fn pairwise(e: &mut Emitter<'_>, w: Word, op: u32) -> Inline {
    let size = w.size();
    let combine = match op {
        0b10111 if w.u() => return None,
        0b10111 => x86::PADD[size as usize],
        0b10100 => x86::pmax(w.sign(), size)?,
        _ => x86::pmin(w.sign(), size)?,
    };
    let (a, b) = pair(e, w);
    if op == 0b10111 && matches!(size, 1 | 2) {
        let out = out(e, w);
        e.asm.vex3(x86::PHADD[size as usize - 1], out, a, b);
        return finish(e, w, Form::Vector, out);
    }
    split(e, size, a, b, X2, X3);
    let out = out(e, w);
    e.asm.vex3(combine, out, X2, X3);
    finish(e, w, Form::Vector, out)
}

/// Rn and Rm for an instruction that sees them as one row of elements: of 64-bit forms both are in `X0`, and the low half of
/// what comes out counts.
pub(super) fn pair(e: &mut Emitter<'_>, w: Word) -> (Xmm, Xm) {
    let a = n(e, w);
    let b = m(e, w);
    if w.q() {
        return (a, b);
    }
    e.asm.vex3(x86::PUNPCKL[3], X0, a, b);
    (X0, Xm::Reg(X0))
}

/// An operation element by element. `a` and `b` are not changed; `X2` and `X3` are. `out` is written last.
#[expect(clippy::too_many_arguments, reason = "the operands of an instruction")]
pub(super) fn elementwise(
    e: &mut Emitter<'_>,
    w: Word,
    op: u32,
    sign: Sign,
    size: u32,
    a: Xmm,
    b: Xm,
    out: Xmm,
) -> Inline {
    let (i, signed) = (size as usize, sign == Sign::Signed);
    match op {
        0b00000 | 0b00010 | 0b00100 if size < 3 => return halving(e, op, sign, size, a, b, out),
        0b00001 | 0b00101 if size <= 2 || signed => {
            let direction = if op == 0b00001 { Direction::Add } else { Direction::Subtract };
            let bad = match (size, sign) {
                (0 | 1, _) => saturating_small(e, direction, sign, size, a, b),
                (_, Sign::Signed) => saturating_signed(e, direction, size, a, b),
                _ => saturating_words(e, direction, a, b),
            };
            collect_saturation(e, w, bad);
            e.asm.vex2(x86::MOVDQU, out, X2);
        }
        0b00110 | 0b00111 if signed => {
            if op == 0b00110 {
                e.asm.vex3(x86::PCMPGT[i], out, a, b);
            } else {
                let b = reg(e, b, X2);
                e.asm.vex3(x86::PCMPGT[i], X2, b, a);
                invert(e, X2, out);
            }
        }
        0b00110 | 0b00111 => unsigned_compare(e, op, size, a, b, out),
        0b01000 if size == 2 || size == 3 && !signed => shift_by_register(e, sign, size, a, b, out),
        0b01100 => e.asm.vex3(x86::pmax(sign, size)?, out, a, b),
        0b01101 => e.asm.vex3(x86::pmin(sign, size)?, out, a, b),
        0b01110 | 0b01111 if size < 3 => {
            e.asm.vex3(x86::pmax(sign, size)?, X2, a, b);
            e.asm.vex3(x86::pmin(sign, size)?, X3, a, b);
            if op == 0b01110 {
                e.asm.vex3(x86::PSUB[i], out, X2, X3);
            } else {
                e.asm.vex3(x86::PSUB[i], X2, X2, X3);
                e.asm.vex3(x86::PADD[i], out, X2, d(e, w));
            }
        }
        0b10000 => e.asm.vex3(if signed { x86::PADD[i] } else { x86::PSUB[i] }, out, a, b),
        0b10001 if signed => {
            e.asm.vex3(x86::PAND, X2, a, b);
            zero(e, X3);
            e.asm.vex3(x86::PCMPEQ[i], X2, X2, X3);
            invert(e, X2, out);
        }
        0b10001 => e.asm.vex3(x86::PCMPEQ[i], out, a, b),
        0b10010 if size < 3 => {
            multiply(e, size, a, b, X2);
            if signed {
                e.asm.vex3(x86::PADD[i], out, X2, d(e, w));
            } else {
                let sum = d(e, w);
                let sum = reg(e, sum, X3);
                e.asm.vex3(x86::PSUB[i], out, sum, X2);
            }
        }
        0b10011 if size < 3 && signed => multiply(e, size, a, b, out),
        0b10110 if matches!(size, 1 | 2) => doubling_high(e, w, signed, size, a, b, out),
        _ => return None,
    }
    Some(())
}

/// Whether a saturating instruction adds or subtracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// SQADD, UQADD.
    Add,
    /// SQSUB, UQSUB.
    Subtract,
}

/// Saturating addition or subtraction of bytes and halfwords to `X2`; gives the register that is not zero where it saturated.
fn saturating_small(e: &mut Emitter<'_>, direction: Direction, sign: Sign, size: u32, a: Xmm, b: Xm) -> Xmm {
    let i = size as usize;
    let (saturating, wrapping) = match (direction, sign) {
        (Direction::Add, Sign::Signed) => (x86::PADDS[i], x86::PADD[i]),
        (Direction::Add, Sign::Unsigned) => (x86::PADDUS[i], x86::PADD[i]),
        (Direction::Subtract, Sign::Signed) => (x86::PSUBS[i], x86::PSUB[i]),
        (Direction::Subtract, Sign::Unsigned) => (x86::PSUBUS[i], x86::PSUB[i]),
    };
    e.asm.vex3(wrapping, X3, a, b);
    e.asm.vex3(saturating, X2, a, b);
    e.asm.vex3(x86::PXOR, X3, X3, X2);
    X3
}

/// The same of signed words and doublewords. `X3` is changed; `a` as well if it is a scratch.
pub(super) fn saturating_signed(e: &mut Emitter<'_>, direction: Direction, size: u32, a: Xmm, b: Xm) -> Xmm {
    let (i, bits) = (size as usize, 8 << size);
    let b = reg(e, b, X3);
    let temporary = spare(&[a, b, X2, X3]);
    // The sign bit of X3: the operands' signs let it overflow, and the result's sign is wrong.
    if direction == Direction::Add {
        e.asm.vex3(x86::PADD[i], X2, a, b);
        e.asm.vex3(x86::PXOR, X3, X2, b);
    } else {
        e.asm.vex3(x86::PSUB[i], X2, a, b);
        e.asm.vex3(x86::PXOR, X3, a, b);
    }
    let (temporary, a) = if temporary == a { (X1, a) } else { (temporary, a) };
    e.asm.vex3(x86::PXOR, temporary, X2, a);
    e.asm.vex3(x86::PAND, X3, X3, temporary);
    // The limit on the side of the first operand.
    let (op, digit) = x86::psra(2);
    e.asm.vex_shift(op, digit, temporary, a, 31);
    if size == 3 {
        e.asm.vex2i(x86::PSHUFD, temporary, temporary, 0xf5);
    }
    with_constant(e, x86::PXOR, temporary, temporary, splat((1 << (bits - 1)) - 1, bits));
    let blend = if size == 3 { x86::BLENDVPD } else { x86::BLENDVPS };
    e.asm.vex3i(blend, X2, X2, temporary, X3.0 << 4);
    with_constant(e, x86::PAND, X3, X3, splat(1 << (bits - 1), bits));
    X3
}

/// The same of unsigned words.
fn saturating_words(e: &mut Emitter<'_>, direction: Direction, a: Xmm, b: Xm) -> Xmm {
    if direction == Direction::Add {
        e.asm.vex3(x86::PADD[2], X2, a, b);
        e.asm.vex3(x86::PMAXUD, X3, X2, a);
        e.asm.vex3(x86::PCMPEQ[2], X3, X3, X2);
        let all = spare(&[a, X2, X3]);
        ones(e, all);
        e.asm.vex3(x86::PXOR, X3, X3, all);
        e.asm.vex3(x86::POR, X2, X2, X3);
    } else {
        e.asm.vex3(x86::PMAXUD, X2, a, b);
        e.asm.vex3(x86::PXOR, X3, X2, a);
        e.asm.vex3(x86::PSUB[2], X2, X2, b);
    }
    X3
}

/// `out = !x`.
fn invert(e: &mut Emitter<'_>, x: Xmm, out: Xmm) {
    let scratch = if x == X3 { X2 } else { X3 };
    ones(e, scratch);
    e.asm.vex3(x86::PXOR, out, x, scratch);
}

/// CMHI, CMHS.
fn unsigned_compare(e: &mut Emitter<'_>, op: u32, size: u32, a: Xmm, b: Xm, out: Xmm) {
    let equal = x86::PCMPEQ[size as usize];
    let Some(max) = x86::pmax(Sign::Unsigned, size) else {
        // With the top bits inverted it is a signed comparison.
        let bias = splat(1 << 63, 64);
        with_constant(e, x86::PXOR, X2, a, bias);
        let b = reg(e, b, X3);
        with_constant(e, x86::PXOR, X3, b, bias);
        if op == 0b00110 {
            e.asm.vex3(x86::PCMPGT[3], out, X2, X3);
        } else {
            e.asm.vex3(x86::PCMPGT[3], X2, X3, X2);
            invert(e, X2, out);
        }
        return;
    };
    e.asm.vex3(max, X2, a, b);
    if op == 0b00111 {
        e.asm.vex3(equal, out, X2, a);
    } else {
        e.asm.vex3(equal, X2, X2, b);
        invert(e, X2, out);
    }
}

/// SSHL of 32 bits, USHL of 32 and 64. Host counts beyond the element shift everything out, as counts here do.
fn shift_by_register(e: &mut Emitter<'_>, sign: Sign, size: u32, a: Xmm, b: Xm, out: Xmm) {
    let (i, bits) = (size as usize - 2, 8 << size);
    let low_byte = splat(0xff, bits);
    // X2 = count to the right in the low byte, if it is that way; else more than the element has.
    zero(e, X2);
    e.asm.vex3(x86::PSUB[size as usize], X2, X2, b);
    with_constant(e, x86::PAND, X2, X2, low_byte);
    e.asm.vex3(if sign == Sign::Signed { x86::PSRAVD } else { x86::PSRLV[i] }, X2, a, X2);
    let b = reg(e, b, X3);
    with_constant(e, x86::PAND, X3, b, low_byte);
    if sign == Sign::Unsigned {
        e.asm.vex3(x86::PSLLV[i], X3, a, X3);
        e.asm.vex3(x86::POR, out, X2, X3);
        return;
    }
    // The sign of the count's low byte chooses: X3 is 0 ... 127 to the left. The other way is 128 ... 255.
    let spare = spare(&[a, X2, X3]);
    e.asm.vex3(x86::PSLLV[i], spare, a, X3);
    shift(e, x86::psll(2), X3, X3, 24);
    e.asm.vex3i(x86::BLENDVPS, out, spare, X2, X3.0 << 4);
}

/// The shifts by register of bytes and halfwords, and the rounding ones of words: four elements at a time, as words. Bit 0 of
/// `op` saturates, bit 1 rounds.
fn shift_in_words(e: &mut Emitter<'_>, w: Word, op: u32, size: u32) -> Inline {
    let (saturating, rounding, signed) = (op & 1 != 0, op & 2 != 0, w.sign() == Sign::Signed);
    let (a, b) = (in_memory(e, w.rn(), 0), in_memory(e, w.rm(), 1));
    let result = e.state(std::mem::offset_of!(State, spill)).plus(48);
    let pieces = if w.q() { 4 >> size } else { 2 >> size }.max(1);
    let bits = 8 << size;
    for piece in 0..pieces {
        let at = piece * (4 << size);
        e.asm.vex2(x86::extend_to_words(w.sign(), size), X2, a.plus(at));
        e.asm.vex2(x86::extend_to_words(Sign::Signed, size), X3, b.plus(at));
        if size > 0 {
            // The count is the low byte.
            shift(e, x86::psll(2), X3, X3, 24);
            shift(e, x86::psra(2), X3, X3, 24);
        }
        // X0 = bits to the right, X3 = bits to the left; one of them is 0.
        zero(e, X1);
        e.asm.vex3(x86::PSUB[2], X0, X1, X3);
        e.asm.vex3(x86::PMAXSD, X0, X0, X1);
        e.asm.vex3(x86::PMAXSD, X3, X3, X1);
        if rounding {
            // Where all is shifted out the last bit must be right still: the sign, or one zero.
            with_constant(e, x86::PMINSD, X0, X0, splat(if signed { 32 } else { 33 }, 32));
            with_constant(e, x86::PSUB[2], X1, X0, splat(1, 32));
            e.asm.vex3(x86::PSRLV[0], X1, X2, X1);
            with_constant(e, x86::PAND, X1, X1, splat(1, 32));
        }
        e.asm.vex3(if signed { x86::PSRAVD } else { x86::PSRLV[0] }, X2, X2, X0);
        if rounding {
            e.asm.vex3(x86::PADD[2], X2, X2, X1);
        }
        if saturating {
            // By all bits of the element is enough to saturate what is not 0, and still fits.
            with_constant(e, x86::PMINSD, X3, X3, splat(bits, 32));
        }
        e.asm.vex3(x86::PSLLV[0], X2, X2, X3);
        if saturating {
            e.asm.vex2(x86::MOVDQU, X3, X2);
            if signed {
                let high = (1 << (bits - 1)) - 1;
                with_constant(e, x86::PMINSD, X2, X2, splat(high, 32));
                with_constant(e, x86::PMAXSD, X2, X2, splat(!high, 32));
            } else {
                with_constant(e, x86::PMINUD, X2, X2, splat((1 << bits) - 1, 32));
            }
            e.asm.vex3(x86::PXOR, X3, X3, X2);
            collect_saturation_of_all(e, X3);
        }
        match size {
            0 => {
                with_constant(e, x86::PSHUFB, X2, X2, 0x0c08_0400);
                e.asm.vex2(x86::MOVD_STORE, X2, result.plus(4 * piece));
            }
            1 => {
                with_constant(e, x86::PSHUFB, X2, X2, 0x0d0c_0908_0504_0100);
                e.asm.vex2(x86::MOVQ_STORE, X2, result.plus(8 * piece));
            }
            _ => return finish(e, w, Form::Vector, X2),
        }
    }
    e.asm.vex2(x86::MOVDQU, X2, result);
    finish(e, w, Form::Vector, X2)
}

/// SHADD, UHADD (`op` 0), SRHADD, URHADD (`op` 2), SHSUB, UHSUB (`op` 4).
fn halving(e: &mut Emitter<'_>, op: u32, sign: Sign, size: u32, a: Xmm, b: Xm, out: Xmm) -> Inline {
    if size < 2 {
        halving_small(e, op, sign, size, a, b, out);
        return Some(());
    }
    let (shift, digit) = if sign == Sign::Signed { x86::psra(size) } else { x86::psrl(size) };
    e.asm.vex3(x86::PXOR, X2, a, b);
    e.asm.vex_shift(shift, digit, X2, X2, 1);
    let (combine, last) = match op {
        0b00000 => (x86::PAND, x86::PADD[2]),
        0b00010 => (x86::POR, x86::PSUB[2]),
        _ => (x86::PANDN, x86::PSUB[2]),
    };
    e.asm.vex3(combine, X3, a, b);
    if op == 0b00010 {
        e.asm.vex3(last, out, X3, X2);
    } else {
        e.asm.vex3(last, out, X2, X3);
    }
    Some(())
}

/// The same for bytes and halfwords, by the host's rounded mean of unsigned numbers.
fn halving_small(e: &mut Emitter<'_>, op: u32, sign: Sign, size: u32, a: Xmm, b: Xm, out: Xmm) {
    let (average, bits) = (x86::PAVG[size as usize], 8 << size);
    let bias = splat(1 << (bits - 1), bits);
    let b = reg(e, b, X3);
    let (x, y) = if sign == Sign::Signed {
        with_constant(e, x86::PXOR, X2, a, bias);
        with_constant(e, x86::PXOR, X3, b, bias);
        (X2, X3)
    } else {
        (a, b)
    };
    let spare = spare(&[x, y, X2, X3]);
    let value = match op {
        0b00010 => {
            e.asm.vex3(average, X2, x, y);
            X2
        }
        0b00000 => {
            // Rounded down: less by one where the sum is odd.
            e.asm.vex3(x86::PXOR, spare, x, y);
            with_constant(e, x86::PAND, spare, spare, splat(1, bits));
            e.asm.vex3(average, X2, x, y);
            e.asm.vex3(x86::PSUB[size as usize], X2, X2, spare);
            X2
        }
        _ => {
            // The mean with the complement is half the difference, and the bias more.
            ones(e, spare);
            e.asm.vex3(x86::PXOR, X3, y, spare);
            e.asm.vex3(average, X2, x, X3);
            with_constant(e, x86::PXOR, out, X2, bias);
            return;
        }
    };
    if sign == Sign::Signed {
        with_constant(e, x86::PXOR, out, value, bias);
    } else {
        e.asm.vex2(x86::MOVDQU, out, value);
    }
}

/// The low half of each product. Uses `X2` and `X3`; `out` may be `X2`.
pub(super) fn multiply(e: &mut Emitter<'_>, size: u32, a: Xmm, b: Xm, out: Xmm) {
    match size {
        1 => e.asm.vex3(x86::PMULLW, out, a, b),
        2 => e.asm.vex3(x86::PMULLD, out, a, b),
        _ => {
            // Bytes in pairs: the odd ones are multiplied in the upper halves, where only their product's low byte stays.
            let b = reg(e, b, X3);
            e.asm.vex3(x86::PMULLW, X2, a, b);
            with_constant(e, x86::PAND, X2, X2, splat(0xff, 16));
            with_constant(e, x86::PAND, X3, b, splat(0xff00, 16));
            let (op, digit) = x86::psrl(1);
            let spare = spare(&[a, X2, X3, out]);
            e.asm.vex_shift(op, digit, spare, a, 8);
            e.asm.vex3(x86::PMULLW, X3, X3, spare);
            e.asm.vex3(x86::POR, out, X2, X3);
        }
    }
}

/// SQDMULH, SQRDMULH. Only the square of the least number saturates, and only it gives the least number.
fn doubling_high(e: &mut Emitter<'_>, w: Word, truncating: bool, size: u32, a: Xmm, b: Xm, out: Xmm) {
    let bits = 8 << size;
    match (size, truncating) {
        (1, false) => e.asm.vex3(x86::PMULHRSW, X2, a, b),
        (1, true) => {
            e.asm.vex3(x86::PMULLW, X3, a, b);
            e.asm.vex3(x86::PMULHW, X2, a, b);
            shift(e, x86::psll(1), X2, X2, 1);
            shift(e, x86::psrl(1), X3, X3, 15);
            e.asm.vex3(x86::POR, X2, X2, X3);
        }
        _ => {
            let half = splat(1 << 31, 64);
            let b = reg(e, b, X3);
            // Even elements.
            e.asm.vex3(x86::PMULDQ, X2, a, b);
            shift(e, x86::psrl(3), X3, b, 32);
            let odd = spare(&[a, b, X2, X3]);
            shift(e, x86::psrl(3), odd, a, 32);
            e.asm.vex3(x86::PMULDQ, X3, X3, odd);
            for x in [X2, X3] {
                e.asm.vex3(x86::PADD[3], x, x, x);
                if !truncating {
                    with_constant(e, x86::PADD[3], x, x, half);
                }
            }
            shift(e, x86::psrl(3), X2, X2, 32);
            e.asm.vex3i(x86::PBLENDD, X2, X2, X3, 0b1010);
        }
    }
    with_constant(e, x86::PCMPEQ[size as usize], X3, X2, splat(1 << (bits - 1), bits));
    e.asm.vex3(x86::PXOR, X2, X2, X3);
    collect_saturation(e, w, X3);
    e.asm.vex2(x86::MOVDQU, out, X2);
}

fn shift(e: &mut Emitter<'_>, (op, digit): (Vex, u8), dst: Xmm, src: Xmm, by: u8) {
    e.asm.vex_shift(op, digit, dst, src, by);
}

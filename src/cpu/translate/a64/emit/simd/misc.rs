//! Two registers (miscellaneous), scalar pairwise and across lanes.

use super::shift::{left_or_right_logical, right, saturate, truncate};
use super::{
    Inline, X1, X2, X3, collect_saturation, d, finish, finish_narrow, n, ones, out, rd, reg, splat, widen,
    with_constant, x86, zero,
};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::asm::{Vex, Xmm};

/// Emits a word of "two-register miscellaneous".
pub fn two_misc(e: &mut Emitter<'_>, w: Word, form: Form) -> Inline {
    let (op, u, size) = (w.bits(12, 5), w.u(), w.size());
    match (op, u, form) {
        (0b10010, _, _) | (0b10100, _, _) if size < 3 => return narrow(e, w, form, op, size),
        (0b10011, true, Form::Vector) if size < 3 => {
            widen(e, w, Sign::Unsigned, size, e.vm(w.rn() as u8), X2);
            left_or_right_logical(e, size + 1, X2, 8 << size, X2);
            e.write_v(rd(w), X2);
            return Some(());
        }
        _ => {}
    }
    if (size == 3) != (form == Form::Scalar) && !(size == 3 && w.q()) {
        return None;
    }
    match (op, form) {
        (0b01000..=0b01011, _) => compare_or_negate(e, w, form, op),
        (_, Form::Scalar) => None,
        (0b00000 | 0b00001, _) => {
            let group = match (op, u) {
                (0b00000, false) if size < 3 => 8,
                (0b00000, true) if size < 2 => 4,
                (0b00001, false) if size == 0 => 2,
                _ => return None,
            };
            let flip = (group - 1) & !((1u32 << size) - 1);
            let pattern = (0..16).fold(0u128, |p, i| p | u128::from(i ^ flip) << (8 * i));
            let a = n(e, w);
            let out = out(e, w);
            with_constant(e, x86::PSHUFB, out, a, pattern);
            finish(e, w, form, out)
        }
        (0b00010 | 0b00110, _) => pair_sums(e, w, size, op == 0b00110),
        (0b00100, _) if size < 3 => {
            let a = n(e, w);
            if u {
                leading_zeros(e, size, a);
            } else {
                // Bits like the sign: zeros of what differs from its neighbour, less the first.
                right(e, Sign::Signed, size, a, 1, X2)?;
                e.asm.vex3(x86::PXOR, X2, X2, a);
                leading_zeros(e, size, X2);
                with_constant(e, x86::PSUB[size as usize], X2, X2, splat(1, 8 << size));
            }
            finish(e, w, form, X2)
        }
        (0b00101, _) if !u && size == 0 => {
            let a = n(e, w);
            by_nibbles(e, a, |x| u64::from(x.count_ones()), |x| u64::from(x.count_ones()), x86::PADD[0]);
            finish(e, w, form, X2)
        }
        (0b00101, _) if u && size == 0 => {
            ones(e, X2);
            let operand = e.vm(w.rn() as u8);
            let out = out(e, w);
            e.asm.vex3(x86::PXOR, out, X2, operand);
            finish(e, w, form, out)
        }
        (0b00101, _) if u && size == 1 => {
            let a = n(e, w);
            let reversed = |x: u8| u64::from(x.reverse_bits());
            by_nibbles(e, a, reversed, |x| u64::from((x << 4).reverse_bits()), x86::POR);
            finish(e, w, form, X2)
        }
        // SQABS, SQNEG: only the least number does not fit, and only it comes out as the least.
        (0b00111, _) if u || size < 3 => {
            let a = n(e, w);
            if u {
                zero(e, X2);
                e.asm.vex3(x86::PSUB[size as usize], X2, X2, a);
            } else {
                e.asm.vex2(x86::PABS[size as usize], X2, a);
            }
            let bits = 8 << size;
            with_constant(e, x86::PCMPEQ[size as usize], X3, X2, splat(1 << (bits - 1), bits));
            e.asm.vex3(x86::PXOR, X2, X2, X3);
            collect_saturation(e, w, X3);
            finish(e, w, form, X2)
        }
        _ => None,
    }
}

/// `X2` = `low(nibble)` combined with `high(nibble)` of each byte of `a`. Uses `X3` and `X1`.
fn by_nibbles(e: &mut Emitter<'_>, a: Xmm, low: impl Fn(u8) -> u64, high: impl Fn(u8) -> u64, combine: Vex) {
    let table = |f: &dyn Fn(u8) -> u64| (0..16u8).fold(0u128, |t, i| t | u128::from(f(i)) << (8 * u32::from(i)));
    with_constant(e, x86::PAND, X3, a, splat(0x0f, 8));
    left_or_right_logical(e, 0, a, -4, X1);
    let constant = e.constant(table(&low));
    e.asm.vex2(x86::MOVDQU, X2, constant);
    e.asm.vex3(x86::PSHUFB, X2, X2, X3);
    let constant = e.constant(table(&high));
    e.asm.vex2(x86::MOVDQU, X3, constant);
    e.asm.vex3(x86::PSHUFB, X3, X3, X1);
    e.asm.vex3(combine, X2, X2, X3);
}

/// CLZ of `a` to `X2`: of nibbles by a table, then of larger parts from their halves. `a` may be `X2`.
fn leading_zeros(e: &mut Emitter<'_>, size: u32, a: Xmm) {
    // X3 = zeros of the high nibbles, X2 = of the low ones, which count if the high ones are all zero.
    let table = (0..16u8).fold(0u128, |t, i| t | u128::from(i.leading_zeros() - 4) << (8 * u32::from(i)));
    left_or_right_logical(e, 0, a, -4, X1);
    with_constant(e, x86::PAND, X2, a, splat(0x0f, 8));
    let constant = e.constant(table);
    e.asm.vex2(x86::MOVDQU, X3, constant);
    e.asm.vex3(x86::PSHUFB, X2, X3, X2);
    e.asm.vex3(x86::PSHUFB, X3, X3, X1);
    add_if_all(e, 0, 4);
    for size in 1..=size {
        // The same with the halves of larger elements.
        let half = 4 << size;
        let (op, digit) = x86::psrl(size);
        with_constant(e, x86::PAND, X3, X2, splat(0xff, 2 * half));
        e.asm.vex_shift(op, digit, X1, X2, half as u8);
        e.asm.vex2(x86::MOVDQU, X2, X3);
        e.asm.vex2(x86::MOVDQU, X3, X1);
        add_if_all(e, size, u64::from(half));
    }
}

/// `X2` = `X3`, plus `X2` where `X3` is `all`. Uses `X1`.
fn add_if_all(e: &mut Emitter<'_>, size: u32, all: u64) {
    with_constant(e, x86::PCMPEQ[size as usize], X1, X3, splat(all, 8 << size));
    e.asm.vex3(x86::PAND, X2, X2, X1);
    e.asm.vex3(x86::PADD[size as usize], X2, X2, X3);
}

/// The comparisons with zero, ABS, NEG.
fn compare_or_negate(e: &mut Emitter<'_>, w: Word, form: Form, op: u32) -> Inline {
    let i = w.size() as usize;
    if op == 0b01010 && w.u() {
        return None;
    }
    let a = n(e, w);
    let out = out(e, w);
    zero(e, X2);
    match (op, w.u()) {
        (0b01000, false) => e.asm.vex3(x86::PCMPGT[i], out, a, X2),
        (0b01001, false) => e.asm.vex3(x86::PCMPEQ[i], out, a, X2),
        (0b01010, _) => e.asm.vex3(x86::PCMPGT[i], out, X2, a),
        (0b01011, true) => e.asm.vex3(x86::PSUB[i], out, X2, a),
        (0b01011, false) if i < 3 => e.asm.vex2(x86::PABS[i], out, a),
        (0b01011, false) => {
            e.asm.vex3(x86::PCMPGT[3], X2, X2, a);
            e.asm.vex3(x86::PXOR, X3, X2, a);
            e.asm.vex3(x86::PSUB[3], out, X3, X2);
        }
        // Not less, not greater.
        (0b01000, true) | (_, true) => {
            if op == 0b01000 {
                e.asm.vex3(x86::PCMPGT[i], X2, X2, a);
            } else {
                e.asm.vex3(x86::PCMPGT[i], X2, a, X2);
            }
            ones(e, X3);
            e.asm.vex3(x86::PXOR, out, X2, X3);
        }
        _ => return None,
    }
    finish(e, w, form, out)
}

/// XTN, SQXTN, UQXTN, SQXTUN.
fn narrow(e: &mut Emitter<'_>, w: Word, form: Form, op: u32, size: u32) -> Inline {
    if op == 0b10010 && !w.u() {
        if form == Form::Scalar {
            return None;
        }
        let a = n(e, w);
        truncate(e, size, a, X2);
        return finish_narrow(e, w, X2);
    }
    e.copy_v(w.rn() as u8, X2);
    let (from, to) = if op == 0b10010 { (Sign::Signed, Sign::Unsigned) } else { (w.sign(), w.sign()) };
    saturate(e, w, form, from, to, size)
}

/// SADDLP, UADDLP, SADALP, UADALP.
fn pair_sums(e: &mut Emitter<'_>, w: Word, size: u32, accumulate: bool) -> Inline {
    let a = n(e, w);
    match (size, w.sign()) {
        (0, Sign::Unsigned) => with_constant(e, x86::PMADDUBSW, X2, a, splat(1, 8)),
        (0, Sign::Signed) => {
            // The host's first operand is the unsigned one.
            let constant = e.constant(splat(1, 8));
            e.asm.vex2(x86::MOVDQU, X2, constant);
            e.asm.vex3(x86::PMADDUBSW, X2, X2, a);
        }
        (1, Sign::Signed) => with_constant(e, x86::PMADDWD, X2, a, splat(1, 16)),
        (2, Sign::Signed) => {
            e.asm.vex2i(x86::PSHUFD, X2, a, 0b1000);
            e.asm.vex2i(x86::PSHUFD, X3, a, 0b1101);
            e.asm.vex2(x86::extend(Sign::Signed, 2), X2, X2);
            e.asm.vex2(x86::extend(Sign::Signed, 2), X3, X3);
            e.asm.vex3(x86::PADD[3], X2, X2, X3);
        }
        (1 | 2, Sign::Unsigned) => {
            let bits = 8 << size;
            with_constant(e, x86::PAND, X2, a, splat(u64::MAX >> (64 - bits), 2 * bits));
            left_or_right_logical(e, size + 1, a, -(bits as i32), X3);
            e.asm.vex3(x86::PADD[size as usize + 1], X2, X2, X3);
        }
        _ => return None,
    }
    if accumulate {
        let out = out(e, w);
        e.asm.vex3(x86::PADD[size as usize + 1], out, X2, d(e, w));
        return finish(e, w, Form::Vector, out);
    }
    finish(e, w, Form::Vector, X2)
}

/// ADDP of the two elements of a register.
pub fn scalar_pairwise(e: &mut Emitter<'_>, w: Word) -> Inline {
    if w.u() || w.size() != 3 || w.bits(12, 5) != 0b11011 {
        return None;
    }
    let operand = e.vm(w.rn() as u8);
    let a = reg(e, operand, X1);
    e.asm.vex2i(x86::PSHUFD, X2, a, 0xee);
    e.asm.vex3(x86::PADD[3], X2, X2, a);
    finish(e, w, Form::Scalar, X2)
}

/// Emits a word of "across lanes".
pub fn across(e: &mut Emitter<'_>, w: Word) -> Inline {
    let (op, size, i) = (w.bits(12, 5), w.size(), w.size() as usize);
    if size > 2 || size == 2 && !w.q() {
        return None;
    }
    let fold = match (op, w.u()) {
        (0b11011, false) => x86::PADD[i],
        (0b01010, _) => x86::pmax(w.sign(), size)?,
        (0b11010, _) => x86::pmin(w.sign(), size)?,
        (0b00011, _) => return long_sum(e, w, size),
        _ => return None,
    };
    if op == 0b11011 && size == 0 {
        byte_sum(e, w, Sign::Unsigned);
        e.write_v_low(rd(w), X2, 1);
        return Some(());
    }
    let a = n(e, w);
    let from = folded_halves(e, w, fold, a);
    fold_low(e, size, fold, from);
    e.write_v_low(rd(w), X2, 1 << size);
    Some(())
}

/// The upper half of a full register folded onto the lower: the register that holds the low half then.
fn folded_halves(e: &mut Emitter<'_>, w: Word, fold: Vex, a: Xmm) -> Xmm {
    if !w.q() {
        return a;
    }
    e.asm.vex2i(x86::PSHUFD, X2, a, 0xee);
    e.asm.vex3(fold, X2, X2, a);
    X2
}

/// Folds the elements of the low half of `from` to element 0 of `X2`.
fn fold_low(e: &mut Emitter<'_>, size: u32, fold: Vex, from: Xmm) {
    e.asm.vex2i(x86::PSHUFD, X3, from, 0x55);
    e.asm.vex3(fold, X2, X3, from);
    for bits in [16, 8].into_iter().take(2 - size as usize) {
        let (op, digit) = x86::psrl(2);
        e.asm.vex_shift(op, digit, X3, X2, bits);
        e.asm.vex3(fold, X2, X2, X3);
    }
}

/// The sum of all bytes in the low word of `X2`, exact as a 32-bit number.
fn byte_sum(e: &mut Emitter<'_>, w: Word, sign: Sign) {
    let a = n(e, w);
    zero(e, X3);
    let a = if sign == Sign::Signed {
        // Biased by 128 each.
        with_constant(e, x86::PXOR, X2, a, splat(0x80, 8));
        X2
    } else {
        a
    };
    e.asm.vex3(x86::PSADBW, X2, a, X3);
    if w.q() {
        e.asm.vex2i(x86::PSHUFD, X3, X2, 0xee);
        e.asm.vex3(x86::PADD[2], X2, X2, X3);
    }
    if sign == Sign::Signed {
        with_constant(e, x86::PSUB[2], X2, X2, if w.q() { 16 * 128 } else { 8 * 128 });
    }
}

/// SADDLV, UADDLV.
fn long_sum(e: &mut Emitter<'_>, w: Word, size: u32) -> Inline {
    match size {
        0 => {
            byte_sum(e, w, w.sign());
            e.write_v_low(rd(w), X2, 2);
        }
        1 => {
            let a = n(e, w);
            if w.sign() == Sign::Signed {
                with_constant(e, x86::PMADDWD, X2, a, splat(1, 16));
            } else {
                with_constant(e, x86::PAND, X2, a, splat(0xffff, 32));
                left_or_right_logical(e, 2, a, -16, X3);
                e.asm.vex3(x86::PADD[2], X2, X2, X3);
            }
            if w.q() {
                e.asm.vex2i(x86::PSHUFD, X3, X2, 0xee);
                e.asm.vex3(x86::PADD[2], X2, X2, X3);
            }
            fold_low(e, 2, x86::PADD[2], X2);
            e.write_v_low(rd(w), X2, 4);
        }
        _ => {
            let operand = e.vm(w.rn() as u8);
            let a = reg(e, operand, X1);
            e.asm.vex2(x86::extend(w.sign(), 2), X2, a);
            e.asm.vex2i(x86::PSHUFD, X3, a, 0xee);
            e.asm.vex2(x86::extend(w.sign(), 2), X3, X3);
            e.asm.vex3(x86::PADD[3], X2, X2, X3);
            e.asm.vex2i(x86::PSHUFD, X3, X2, 0xee);
            e.asm.vex3(x86::PADD[3], X2, X2, X3);
            e.write_v_low(rd(w), X2, 8);
        }
    }
    Some(())
}

//! Shifts by an immediate.

use super::{
    Inline, X1, X2, X3, collect_saturation, collect_saturation_of_all, d, finish, finish_narrow, n, ones, out, reg,
    splat, widen, with_constant, x86, zero,
};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::asm::Xmm;

/// Emits a word of the class.
pub fn immediate(e: &mut Emitter<'_>, w: Word, form: Form) -> Inline {
    let (op, immediate) = (w.bits(11, 5), w.bits(16, 7));
    let size = immediate.ilog2() - 3;
    let bits = 8u32 << size;
    if op >= 0b10000 {
        return if size < 3 { narrow_or_long(e, w, form, op, size) } else { None };
    }
    if (size == 3) != (form == Form::Scalar) && !(size == 3 && w.q()) {
        return None;
    }
    let (by_right, by_left) = (2 * bits - immediate, immediate - bits);
    match (op, w.u()) {
        (0b00000 | 0b00010 | 0b00100 | 0b00110, _) => {
            let a = n(e, w);
            right(e, w.sign(), size, a, by_right, X2)?;
            if op & 0b00100 != 0 {
                // Rounding: the last bit shifted out is added.
                left_or_right_logical(e, size, a, -(by_right as i32 - 1), X3);
                with_constant(e, x86::PAND, X3, X3, splat(1, bits));
                e.asm.vex3(x86::PADD[size as usize], X2, X2, X3);
            }
            if op & 0b00010 != 0 {
                let out = out(e, w);
                e.asm.vex3(x86::PADD[size as usize], out, X2, d(e, w));
                return finish(e, w, form, out);
            }
            finish(e, w, form, X2)
        }
        (0b01010, false) => {
            let a = n(e, w);
            left_or_right_logical(e, size, a, by_left as i32, X2);
            finish(e, w, form, X2)
        }
        // SRI, SLI.
        (0b01000 | 0b01010, true) => {
            let (by, moved) = match op {
                0b01000 => {
                    (-(by_right as i32), if by_right == bits { 0 } else { (u64::MAX >> (64 - bits)) >> by_right })
                }
                _ => (by_left as i32, u64::MAX << by_left),
            };
            let a = n(e, w);
            left_or_right_logical(e, size, a, by, X2);
            let kept = d(e, w);
            let kept = reg(e, kept, X3);
            with_constant(e, x86::PAND, X3, kept, splat(!moved, bits));
            e.asm.vex3(x86::POR, X2, X2, X3);
            finish(e, w, form, X2)
        }
        (0b01100, true) | (0b01110, _) => {
            let to_unsigned = op == 0b01100;
            let from = if to_unsigned { Sign::Unsigned } else { w.sign() };
            saturating_left(e, w, form, size, by_left, from, to_unsigned)
        }
        _ => None,
    }
}

/// SQSHL, UQSHL (`from` their sign), SQSHLU: what does not come back when shifted back has saturated.
fn saturating_left(
    e: &mut Emitter<'_>,
    w: Word,
    form: Form,
    size: u32,
    by: u32,
    from: Sign,
    to_unsigned: bool,
) -> Inline {
    let (i, bits) = (size as usize, 8u32 << size);
    let a = n(e, w);
    left_or_right_logical(e, size, a, by as i32, X1);
    if by == 0 {
        e.asm.vex2(x86::MOVDQU, X2, X1);
    } else {
        right(e, from, size, X1, by, X2)?;
    }
    // X2 = ones where it saturated.
    e.asm.vex3(x86::PCMPEQ[i], X2, X2, a);
    ones(e, X3);
    e.asm.vex3(x86::PXOR, X2, X2, X3);
    if from == Sign::Unsigned {
        e.asm.vex3(x86::POR, X1, X1, X2);
        if to_unsigned {
            zero(e, X3);
            e.asm.vex3(x86::PCMPGT[i], X3, X3, a);
            e.asm.vex3(x86::PANDN, X1, X3, X1);
            e.asm.vex3(x86::POR, X2, X2, X3);
        }
    } else {
        zero(e, X3);
        e.asm.vex3(x86::PCMPGT[i], X3, X3, a);
        with_constant(e, x86::PXOR, X3, X3, splat((1 << (bits - 1)) - 1, bits));
        e.asm.vex3(x86::PAND, X3, X3, X2);
        e.asm.vex3(x86::PANDN, X1, X2, X1);
        e.asm.vex3(x86::POR, X1, X1, X3);
    }
    if form == Form::Scalar {
        e.asm.vex2(x86::MOVQ, X2, X2);
        collect_saturation_of_all(e, X2);
    } else {
        collect_saturation(e, w, X2);
    }
    finish(e, w, form, X1)
}

/// Elements shifted left by `by` bits, or right, zeros in, if it is negative. `to` may be `a`.
pub(super) fn left_or_right_logical(e: &mut Emitter<'_>, size: u32, a: Xmm, by: i32, to: Xmm) {
    let count = by.unsigned_abs();
    let (op, digit) = if by < 0 { x86::psrl(size.max(1)) } else { x86::psll(size.max(1)) };
    e.asm.vex_shift(op, digit, to, a, count as u8);
    if size == 0 && count != 0 {
        let mask = if by < 0 { 0xff >> count } else { 0xff << count };
        with_constant(e, x86::PAND, to, to, splat(mask, 8));
    }
}

/// Elements shifted right as numbers, by 1 to all bits. Uses `X3`; `to` is neither `a` nor `X3`.
pub(super) fn right(e: &mut Emitter<'_>, sign: Sign, size: u32, a: Xmm, by: u32, to: Xmm) -> Inline {
    match (sign, size) {
        (Sign::Unsigned, _) => left_or_right_logical(e, size, a, -(by as i32), to),
        (_, 1 | 2) => {
            let (op, digit) = x86::psra(size);
            e.asm.vex_shift(op, digit, to, a, by as u8);
        }
        (_, 0) => {
            // The sign bit where it has been moved to is extended by flipping it and taking its value off.
            let by = by.min(7);
            left_or_right_logical(e, 0, a, -(by as i32), to);
            let sign = splat(0x80 >> by, 8);
            with_constant(e, x86::PXOR, to, to, sign);
            with_constant(e, x86::PSUB[0], to, to, sign);
        }
        _ => {
            // A negative number is shifted in its complement.
            zero(e, X3);
            e.asm.vex3(x86::PCMPGT[3], X3, X3, a);
            e.asm.vex3(x86::PXOR, to, a, X3);
            left_or_right_logical(e, 3, to, -(by as i32), to);
            e.asm.vex3(x86::PXOR, to, to, X3);
        }
    }
    Some(())
}

/// SHRN and its relatives, SSHLL and USHLL; `size` is of the narrow elements.
fn narrow_or_long(e: &mut Emitter<'_>, w: Word, form: Form, op: u32, size: u32) -> Inline {
    let (bits, immediate) = (8u32 << size, w.bits(16, 7));
    let saturates = matches!((op, w.u()), (0b10000 | 0b10001, true) | (0b10010 | 0b10011, _));
    if form == Form::Scalar && !saturates {
        return None;
    }
    if op == 0b10100 {
        widen(e, w, w.sign(), size, e.vm(w.rn() as u8), X2);
        if immediate != bits {
            left_or_right_logical(e, size + 1, X2, (immediate - bits) as i32, X2);
        }
        e.write_v(super::rd(w), X2);
        return Some(());
    }
    let by = 2 * bits - immediate;
    let rounding = op & 1 != 0;
    let a = n(e, w);
    match (op, w.u()) {
        (0b10000 | 0b10001, false) => {
            let a = if rounding {
                with_constant(e, x86::PADD[size as usize + 1], X2, a, splat(1 << (by - 1), 2 * bits));
                X2
            } else {
                a
            };
            left_or_right_logical(e, size + 1, a, -(by as i32), X2);
            truncate(e, size, X2, X2);
            finish_narrow(e, w, X2)
        }
        (0b10000..=0b10011, _) => {
            let from = if op < 0b10010 { Sign::Signed } else { w.sign() };
            right(e, from, size + 1, a, by, X2)?;
            if rounding {
                left_or_right_logical(e, size + 1, a, -(by as i32 - 1), X3);
                with_constant(e, x86::PAND, X3, X3, splat(1, 2 * bits));
                e.asm.vex3(x86::PADD[size as usize + 1], X2, X2, X3);
            }
            let to = if op < 0b10010 { Sign::Unsigned } else { w.sign() };
            saturate(e, w, form, from, to, size)
        }
        _ => None,
    }
}

/// The low halves of elements of twice `size`, in the low half of `to`.
pub(super) fn truncate(e: &mut Emitter<'_>, size: u32, from: Xmm, to: Xmm) {
    if size == 2 {
        e.asm.vex2i(x86::PSHUFD, to, from, 0b1000);
        return;
    }
    let bytes = 1u32 << size;
    // Bytes 8 and up of the pattern have their top bit set, which gives zeros.
    let pattern =
        (0..8).fold(u128::from(u64::MAX) << 64, |p, i| p | u128::from(i / bytes * 2 * bytes + i % bytes) << (8 * i));
    with_constant(e, x86::PSHUFB, to, from, pattern);
}

/// Saturates the elements of twice `size` in `X2` to `size` and writes them to Rd and FPSR.QC.
pub(super) fn saturate(e: &mut Emitter<'_>, w: Word, form: Form, from: Sign, to: Sign, size: u32) -> Inline {
    let i = size as usize;
    if size == 2 {
        saturate_doublewords(e, from, to);
    } else if (from, to) == (Sign::Unsigned, Sign::Unsigned) {
        // The host takes its source as signed, so it is made small first.
        let limit = splat((1 << (8 << size)) - 1, 16 << size);
        with_constant(e, x86::pmin(Sign::Unsigned, size + 1)?, X3, X2, limit);
        e.asm.vex3(x86::PACKUS[i], X1, X3, X3);
    } else {
        let pack = if to == Sign::Signed { x86::PACKSS } else { x86::PACKUS };
        e.asm.vex3(pack[i], X1, X2, X2);
    }
    if size < 2 {
        e.asm.vex2(x86::extend(to, size), X3, X1);
        e.asm.vex3(x86::PXOR, X2, X2, X3);
    }
    // X2 = what differs. All of a wide vector counts, whatever half of the target is written.
    if form == Form::Scalar {
        let (op, digit) = x86::PSLLDQ;
        e.asm.vex_shift(op, digit, X2, X2, 16 - (2 << size));
    }
    collect_saturation_of_all(e, X2);
    match form {
        Form::Vector => finish_narrow(e, w, X1),
        Form::Scalar => {
            e.write_v_low(super::rd(w), X1, 1 << size);
            Some(())
        }
    }
}

/// The doublewords in `X2` saturated to words in the low half of `X1`; `X2` becomes what they differ by.
fn saturate_doublewords(e: &mut Emitter<'_>, from: Sign, to: Sign) {
    let (low, high) = match to {
        Sign::Signed => (i64::from(i32::MIN) as u64, i32::MAX as u64),
        Sign::Unsigned => (0, u64::from(u32::MAX)),
    };
    if from == Sign::Unsigned {
        left_or_right_logical(e, 3, X2, -32, X3);
        with_constant(e, x86::PCMPGT[3], X3, X3, 0);
    } else {
        with_constant(e, x86::PCMPGT[3], X3, X2, splat(high, 64));
    }
    let constant = e.constant(splat(high, 64));
    e.asm.vex3i(x86::BLENDVPD, X1, X2, constant, X3.0 << 4);
    if from == Sign::Signed {
        let constant = e.constant(splat(low, 64));
        e.asm.vex2(x86::MOVDQU, X3, constant);
        e.asm.vex3(x86::PCMPGT[3], X3, X3, X1);
        let constant = e.constant(splat(low, 64));
        e.asm.vex3i(x86::BLENDVPD, X1, X1, constant, X3.0 << 4);
    }
    e.asm.vex3(x86::PXOR, X2, X2, X1);
    e.asm.vex2i(x86::PSHUFD, X1, X1, 0b1000);
}

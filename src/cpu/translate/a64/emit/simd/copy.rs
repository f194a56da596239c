//! Moves of elements: DUP, INS, SMOV, UMOV, TBL, TBX, ZIP, UZP, TRN, EXT, and immediates.

use super::same::{evens_then_odds, pair};
use super::{Inline, X0, X1, X2, X3, d, finish, m, n, ones, out, rd, reg, splat, with_constant, x86, zero};
use crate::cpu::translate::a64::decode::simd::{Form, Word};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::a64::soft::simd::expand_immediate;
use crate::cpu::translate::asm::{Gpr, Rm, Size, Width, Xm, Xmm};

const SIZES: [Size; 4] = [Size::B1, Size::B2, Size::B4, Size::B8];

/// log2 of an element's bytes and its index, from imm5.
fn element(w: Word) -> Option<(u32, u32)> {
    let imm5 = w.bits(16, 5);
    let size = imm5.trailing_zeros();
    (size < 4).then(|| (size, imm5 >> (size + 1)))
}

/// Emits a word of "copy".
pub fn copy(e: &mut Emitter<'_>, w: Word) -> Inline {
    let (size, index) = element(w)?;
    let imm4 = w.bits(11, 4);
    if w.u() {
        return if w.q() { insert_element(e, w, size, index, imm4 >> size) } else { None };
    }
    match imm4 {
        0b0000 | 0b0001 if size == 3 && !w.q() => None,
        0b0000 => {
            let out = out(e, w);
            broadcast(e, size, index, e.vm(w.rn() as u8), out);
            finish(e, w, Form::Vector, out)
        }
        0b0001 => {
            let out = out(e, w);
            match e.rm(w.rn() as u8) {
                Rm::Mem(mem) => e.asm.vex2(x86::PBROADCAST[size as usize], out, mem),
                from => {
                    e.asm.vex2_gpr(if size == 3 { x86::MOVQ_GPR } else { x86::MOVD }, out, from);
                    e.asm.vex2(x86::PBROADCAST[size as usize], out, out);
                }
            }
            finish(e, w, Form::Vector, out)
        }
        0b0011 if w.q() => {
            let old = d(e, w);
            let old = reg(e, old, X0);
            let out = out(e, w);
            let from = e.rm(w.rn() as u8);
            e.asm.vex3i_gpr(x86::PINSR[size as usize], out, old, from, index as u8);
            finish(e, w, Form::Vector, out)
        }
        0b0101 if size < 2 || size == 2 && w.q() => {
            let to = e.target(rd(w), Gpr::Rax);
            let width = if w.q() { Width::W64 } else { Width::W32 };
            match e.vm(w.rn() as u8) {
                Xm::Mem(mem) => e.asm.load_sx(SIZES[size as usize], width, to, mem.plus((index << size) as i32)),
                Xm::Reg(from) => {
                    extract_element(e, size, index, from, Gpr::Rax);
                    e.asm.load_sx(SIZES[size as usize], width, to, Gpr::Rax);
                }
            }
            e.write(rd(w), to);
            Some(())
        }
        0b0111 if w.q() == (size == 3) => {
            let to = e.target(rd(w), Gpr::Rax);
            match e.vm(w.rn() as u8) {
                Xm::Mem(mem) => e.asm.load_zx(SIZES[size as usize], to, mem.plus((index << size) as i32)),
                Xm::Reg(from) => extract_element(e, size, index, from, to),
            }
            e.write(rd(w), to);
            Some(())
        }
        _ => None,
    }
}

/// An element, zero-extended.
fn extract_element(e: &mut Emitter<'_>, size: u32, index: u32, from: Xmm, to: Gpr) {
    match (size, index) {
        (3, 0) => e.asm.vex2_gpr(x86::MOVQ_TO_GPR, from, to),
        (2, 0) => e.asm.vex2_gpr(x86::MOVD_TO_GPR, from, to),
        _ => e.asm.vex2i_gpr(x86::PEXTR[size as usize], from, to, index as u8),
    }
}

/// INS (element).
fn insert_element(e: &mut Emitter<'_>, w: Word, size: u32, to: u32, from: u32) -> Inline {
    let (old, source) = (d(e, w), e.vm(w.rn() as u8));
    let old = reg(e, old, X1);
    let out = out(e, w);
    match (size, source) {
        (_, Xm::Mem(mem)) => {
            let mem = mem.plus((from << size) as i32);
            e.asm.vex3i_gpr(x86::PINSR[size as usize], out, old, mem, to as u8);
        }
        (2, _) => e.asm.vex3i(x86::INSERTPS, out, old, source, (from << 6 | to << 4) as u8),
        (3, _) if to == from => e.asm.vex3i(x86::PBLENDD, out, old, source, if to == 0 { 0b0011 } else { 0b1100 }),
        (3, Xm::Reg(source)) if to == 0 => e.asm.vex3(x86::PUNPCKH[3], out, source, old),
        (3, _) => e.asm.vex3(x86::PUNPCKL[3], out, old, source),
        (_, Xm::Reg(source)) => {
            extract_element(e, size, from, source, Gpr::Rax);
            e.asm.vex3i_gpr(x86::PINSR[size as usize], out, old, Gpr::Rax, to as u8);
        }
    }
    finish(e, w, Form::Vector, out)
}

/// One element of `from` in every place of `to`, which may be `from`.
pub(super) fn broadcast(e: &mut Emitter<'_>, size: u32, index: u32, from: Xm, to: Xmm) {
    match from {
        Xm::Mem(mem) => e.asm.vex2(x86::PBROADCAST[size as usize], to, mem.plus((index << size) as i32)),
        Xm::Reg(_) if index == 0 => e.asm.vex2(x86::PBROADCAST[size as usize], to, from),
        Xm::Reg(_) if size == 2 => e.asm.vex2i(x86::PSHUFD, to, from, (index * 0b0101_0101) as u8),
        Xm::Reg(_) if size == 3 => e.asm.vex2i(x86::PSHUFD, to, from, 0xee),
        Xm::Reg(from) => {
            let first = u64::from(index << size);
            let pattern = if size == 0 { splat(first, 8) } else { splat((first + 1) << 8 | first, 16) };
            with_constant(e, x86::PSHUFB, to, from, pattern);
        }
    }
}

/// DUP (element) of one element.
pub fn scalar_copy(e: &mut Emitter<'_>, w: Word) -> Inline {
    let (size, index) = element(w)?;
    if w.u() || w.bits(11, 4) != 0 {
        return None;
    }
    let a = n(e, w);
    let (op, digit) = x86::PSRLDQ;
    e.asm.vex_shift(op, digit, X2, a, (index << size) as u8);
    e.write_v_low(rd(w), X2, 1 << size);
    Some(())
}

/// TBL, TBX.
pub fn table(e: &mut Emitter<'_>, w: Word) -> Inline {
    let registers = w.bits(13, 2) as u8 + 1;
    for i in 0..registers {
        // The host takes zeros where the top bit of an index is set: with 0x70 added, saturating, it is, from 16 up.
        let indices = m(e, w);
        let indices = reg(e, indices, X3);
        if i == 0 {
            with_constant(e, x86::PADDUS[0], X2, indices, splat(0x70, 8));
        } else {
            with_constant(e, x86::PSUB[0], X2, indices, splat(16 * u64::from(i), 8));
            with_constant(e, x86::PADDUS[0], X2, X2, splat(0x70, 8));
        }
        let from = e.read_v((w.rn() as u8 + i) % 32, X0);
        e.asm.vex3(x86::PSHUFB, if i == 0 { X1 } else { X2 }, from, X2);
        if i > 0 {
            e.asm.vex3(x86::POR, X1, X1, X2);
        }
    }
    if w.bit(12) {
        // TBX keeps Rd where an index is beyond the table.
        let indices = m(e, w);
        let indices = reg(e, indices, X3);
        with_constant(e, x86::PMAXUB, X2, indices, splat(16 * u64::from(registers), 8));
        e.asm.vex3(x86::PCMPEQ[0], X2, X2, indices);
        e.asm.vex3(x86::PAND, X2, X2, d(e, w));
        e.asm.vex3(x86::POR, X1, X1, X2);
    }
    finish(e, w, Form::Vector, X1)
}

/// UZP, TRN, ZIP.
pub fn permute(e: &mut Emitter<'_>, w: Word) -> Inline {
    let (size, second) = (w.size(), w.bit(14));
    if size == 3 && !w.q() {
        return None;
    }
    let i = size as usize;
    match w.bits(12, 2) {
        0b01 => {
            let (a, b) = pair(e, w);
            let out = out(e, w);
            match size {
                0 | 1 => {
                    let order = evens_then_odds(size);
                    let b = reg(e, b, X3);
                    with_constant(e, x86::PSHUFB, X2, a, order);
                    with_constant(e, x86::PSHUFB, X3, b, order);
                    e.asm.vex3(if second { x86::PUNPCKH[3] } else { x86::PUNPCKL[3] }, out, X2, X3);
                }
                2 => e.asm.vex3i(x86::SHUFPS, out, a, b, if second { 0xdd } else { 0x88 }),
                _ => e.asm.vex3(if second { x86::PUNPCKH[3] } else { x86::PUNPCKL[3] }, out, a, b),
            }
            finish(e, w, Form::Vector, out)
        }
        0b11 => {
            let a = n(e, w);
            let b = m(e, w);
            let out = out(e, w);
            match (second, w.q()) {
                (true, true) => e.asm.vex3(x86::PUNPCKH[i], out, a, b),
                (true, false) => {
                    e.asm.vex3(x86::PUNPCKL[i], X2, a, b);
                    e.asm.vex2i(x86::PSHUFD, out, X2, 0xee);
                }
                (false, _) => e.asm.vex3(x86::PUNPCKL[i], out, a, b),
            }
            finish(e, w, Form::Vector, out)
        }
        0b10 => transpose(e, w, size, second),
        _ => None,
    }
}

fn transpose(e: &mut Emitter<'_>, w: Word, size: u32, second: bool) -> Inline {
    let a = n(e, w);
    let b = m(e, w);
    let out = out(e, w);
    if size == 3 {
        e.asm.vex3(if second { x86::PUNPCKH[3] } else { x86::PUNPCKL[3] }, out, a, b);
        return finish(e, w, Form::Vector, out);
    }
    let bits = 8 << size;
    let high = splat(u64::MAX << bits, 2 * bits as u32);
    if second {
        let (op, digit) = x86::psrl(size + 1);
        e.asm.vex_shift(op, digit, X2, a, bits as u8);
        let b = reg(e, b, X3);
        with_constant(e, x86::PAND, X3, b, high);
    } else {
        let b = reg(e, b, X3);
        let (op, digit) = x86::psll(size + 1);
        e.asm.vex_shift(op, digit, X3, b, bits as u8);
        with_constant(e, x86::PAND, X2, a, !high);
    }
    e.asm.vex3(x86::POR, out, X2, X3);
    finish(e, w, Form::Vector, out)
}

/// EXT.
pub fn extract(e: &mut Emitter<'_>, w: Word) -> Inline {
    let by = w.bits(11, 4) as u8;
    let a = n(e, w);
    let b = m(e, w);
    let out = out(e, w);
    if w.q() {
        let b = reg(e, b, X2);
        e.asm.vex3i(x86::PALIGNR, out, b, a, by);
    } else if by < 8 {
        e.asm.vex3(x86::PUNPCKL[3], X2, a, b);
        let (op, digit) = x86::PSRLDQ;
        e.asm.vex_shift(op, digit, out, X2, by);
    } else {
        return None;
    }
    finish(e, w, Form::Vector, out)
}

/// MOVI, MVNI, ORR, BIC and FMOV with a modified immediate.
pub fn immediate(e: &mut Emitter<'_>, w: Word) -> Inline {
    let value = expand_immediate(w)?;
    let cmode = w.bits(12, 4);
    let out = out(e, w);
    if cmode & 1 != 0 && cmode < 12 {
        let old = d(e, w);
        let old = reg(e, old, X0);
        // The expanded value of BIC is inverted already.
        with_constant(e, if w.u() { x86::PAND } else { x86::POR }, out, old, splat(value, 64));
        return finish(e, w, Form::Vector, out);
    }
    match value {
        0 => zero(e, out),
        u64::MAX if w.q() => ones(e, out),
        _ => {
            let whole = if w.q() { splat(value, 64) } else { u128::from(value) };
            let constant = e.constant(whole);
            e.asm.vex2(x86::MOVDQU, out, constant);
        }
    }
    e.write_v(rd(w), out);
    Some(())
}

//! AES and SHA256 by the host's own instructions, and SHA3's logic.

use super::{Inline, X0, X1, X2, X3, d, in_memory, m, n, out, rd, reg, splat, with_constant, x86, zero};
use crate::cpu::translate::a64::decode::simd::{Class, Word};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::asm::{Alu, Gpr, Map, Pp, Width, Xm, Xmm};

/// Emits a word of one of the cryptographic classes.
pub fn emit(e: &mut Emitter<'_>, w: Word, class: Class) -> Inline {
    match class {
        Class::Aes if w.size() == 0 && std::arch::is_x86_feature_detected!("aes") => aes(e, w),
        Class::Sha3Reg | Class::Sha2Reg if w.size() == 0 && std::arch::is_x86_feature_detected!("sha") => {
            sha(e, w, class)
        }
        Class::FourReg if w.bits(21, 2) < 2 => {
            let third = e.vm(w.ra() as u8);
            let b = m(e, w);
            if w.bits(21, 2) == 0 {
                let b = reg(e, b, X2);
                e.asm.vex3(x86::PXOR, X2, b, third);
            } else {
                let third = reg(e, third, X2);
                e.asm.vex3(x86::PANDN, X2, third, b);
            }
            let a = e.vm(w.rn() as u8);
            let out = out(e, w);
            e.asm.vex3(x86::PXOR, out, X2, a);
            e.write_v(rd(w), out);
            Some(())
        }
        Class::Xar => {
            let a = n(e, w);
            let b = m(e, w);
            e.asm.vex3(x86::PXOR, X2, a, b);
            rotate_left(e, 64 - w.bits(10, 6), X2);
            let out = out(e, w);
            e.asm.vex3(x86::POR, out, X2, X3);
            e.write_v(rd(w), out);
            Some(())
        }
        Class::Sha512ThreeReg if w.bits(14, 1) == 0 && w.bits(10, 2) < 2 => sha512_rounds(e, w),
        Class::Sha512ThreeReg if w.bits(14, 1) == 0 && w.bits(10, 2) == 2 => {
            // SHA512SU1
            let a = n(e, w);
            sigma(e, a, [19, 61], 6);
            e.asm.vex3(x86::PADD[3], X2, X2, d(e, w));
            let b = m(e, w);
            let out = out(e, w);
            e.asm.vex3(x86::PADD[3], out, X2, b);
            e.write_v(rd(w), out);
            Some(())
        }
        Class::Sha512TwoReg if w.bits(10, 2) == 0 => {
            // SHA512SU0
            let a = n(e, w);
            e.asm.vex3i(x86::PALIGNR, X1, a, d(e, w), 8);
            sigma(e, X1, [1, 8], 7);
            let out = out(e, w);
            e.asm.vex3(x86::PADD[3], out, X2, d(e, w));
            e.write_v(rd(w), out);
            Some(())
        }
        // RAX1
        Class::Sha512ThreeReg if w.bits(10, 2) == 3 && w.bits(14, 1) == 0 => {
            let operand = m(e, w);
            e.asm.vex2(x86::MOVDQU, X2, operand);
            rotate_left(e, 1, X2);
            e.asm.vex3(x86::POR, X2, X2, X3);
            let a = e.vm(w.rn() as u8);
            let out = out(e, w);
            e.asm.vex3(x86::PXOR, out, X2, a);
            e.write_v(rd(w), out);
            Some(())
        }
        _ => None,
    }
}

/// `X2 | X3` is `X2` with each half rotated left by 1 to 64 bits.
fn rotate_left(e: &mut Emitter<'_>, by: u32, x: Xmm) {
    let (left, left_digit) = x86::psll(3);
    let (right, right_digit) = x86::psrl(3);
    e.asm.vex_shift(right, right_digit, X3, x, 64 - by as u8);
    e.asm.vex_shift(left, left_digit, x, x, by as u8);
}

/// The host's rounds do the steps in another order, and with the key last; with a key of zero the parts that are left are
/// those of the guest.
fn aes(e: &mut Emitter<'_>, w: Word) -> Inline {
    let out = out(e, w);
    match w.bits(12, 5) {
        op @ (0b00100 | 0b00101) => {
            let key = d(e, w);
            let key = reg(e, key, X2);
            let a = e.vm(w.rn() as u8);
            e.asm.vex3(x86::PXOR, X2, key, a);
            zero(e, X3);
            e.asm.vex3(if op == 0b00100 { x86::AESENCLAST } else { x86::AESDECLAST }, out, X2, X3);
        }
        0b00110 => {
            // Only a whole round mixes columns: what it does before is undone first.
            let a = n(e, w);
            zero(e, X3);
            e.asm.vex3(x86::AESDECLAST, X2, a, X3);
            e.asm.vex3(x86::AESENC, out, X2, X3);
        }
        0b00111 => {
            let a = e.vm(w.rn() as u8);
            e.asm.vex2(x86::AESIMC, out, a);
        }
        _ => return None,
    }
    e.write_v(rd(w), out);
    Some(())
}

const SHA256RNDS2: u8 = 0xcb;
const SHA256MSG1: u8 = 0xcc;
const SHA256MSG2: u8 = 0xcd;

const SHA1RNDS4: u8 = 0xcc;

/// The functions of SHA1C, SHA1P, SHA1M by the host's number, and the constant that it adds with them.
const SHA1_STEPS: [(u8, u64); 3] = [(0, 0x5a82_7999), (1, 0x6ed9_eba1), (2, 0x8f1b_bcdc)];

/// SHA1C, SHA1P, SHA1M. The host has the words highest first, wants `e` added to the first word of the schedule, and adds
/// the step's constant, which the guest has added already.
fn sha1_rounds(e: &mut Emitter<'_>, w: Word, (function, constant): (u8, u64)) -> Inline {
    let schedule = m(e, w);
    e.asm.vex2i(x86::PSHUFD, X1, schedule, 0b00_01_10_11);
    with_constant(e, x86::PSUB[2], X1, X1, splat(constant, 32));
    let a = n(e, w);
    let (op, digit) = x86::PSLLDQ;
    e.asm.vex_shift(op, digit, X2, a, 12);
    e.asm.vex3(x86::PADD[2], X1, X1, X2);
    let state = d(e, w);
    e.asm.vex2i(x86::PSHUFD, X2, state, 0b00_01_10_11);
    e.asm.sse(Map::M0f3a, Pp::None, SHA1RNDS4, X2, X1);
    e.asm.imm8(function);
    let out = out(e, w);
    e.asm.vex2i(x86::PSHUFD, out, X2, 0b00_01_10_11);
    e.write_v(rd(w), out);
    Some(())
}

/// `to` = the words of `x`, which is another register, rotated left. Uses `X0`.
fn rotate_words(e: &mut Emitter<'_>, by: u8, x: Xmm, to: Xmm) {
    let ((left, left_digit), (right, right_digit)) = (x86::psll(2), x86::psrl(2));
    e.asm.vex_shift(left, left_digit, to, x, by);
    e.asm.vex_shift(right, right_digit, X0, x, 32 - by);
    e.asm.vex3(x86::POR, to, to, X0);
}

fn sha(e: &mut Emitter<'_>, w: Word, class: Class) -> Inline {
    match (class, w.bits(12, 5)) {
        // SHA1H
        (Class::Sha2Reg, 0b00000) => {
            let a = e.vm(w.rn() as u8);
            let a = reg(e, a, X1);
            rotate_words(e, 30, a, X2);
            e.write_v_low(rd(w), X2, 4);
            Some(())
        }
        // SHA1SU1
        (Class::Sha2Reg, 0b00001) => {
            let a = n(e, w);
            let (op, digit) = x86::PSRLDQ;
            e.asm.vex_shift(op, digit, X1, a, 4);
            e.asm.vex3(x86::PXOR, X1, X1, d(e, w));
            rotate_words(e, 1, X1, X2);
            // The first word, rotated once more, to the last.
            let (op, digit) = x86::PSLLDQ;
            e.asm.vex_shift(op, digit, X3, X2, 12);
            rotate_words(e, 1, X3, X1);
            e.asm.vex3(x86::PXOR, X2, X2, X1);
            e.write_v(rd(w), X2);
            Some(())
        }
        // SHA256SU0 is sha256msg1.
        (Class::Sha2Reg, 0b00010) => {
            e.copy_v(rd(w), X2);
            let a = e.vm(w.rn() as u8);
            let a = reg(e, a, X0);
            e.asm.sse(Map::M0f38, Pp::None, SHA256MSG1, X2, a);
            e.write_v(rd(w), X2);
            Some(())
        }
        (Class::Sha3Reg, _) => match w.bits(12, 3) {
            op @ 0b000..=0b010 => sha1_rounds(e, w, SHA1_STEPS[op as usize]),
            // SHA1SU0
            0b011 => {
                let a = n(e, w);
                e.asm.vex3i(x86::PALIGNR, X2, a, d(e, w), 8);
                e.asm.vex3(x86::PXOR, X2, X2, d(e, w));
                let b = m(e, w);
                let out = out(e, w);
                e.asm.vex3(x86::PXOR, out, X2, b);
                e.write_v(rd(w), out);
                Some(())
            }
            0b110 => {
                // SHA256SU1: the words of seven steps before, then sha256msg2.
                let a = n(e, w);
                let b = m(e, w);
                let b = reg(e, b, X3);
                e.asm.vex3i(x86::PALIGNR, X2, b, a, 4);
                e.asm.vex3(x86::PADD[2], X2, X2, d(e, w));
                e.asm.sse(Map::M0f38, Pp::None, SHA256MSG2, X2, b);
                e.write_v(rd(w), X2);
                Some(())
            }
            0b100 => sha256_rounds(e, w, Part::Abcd),
            0b101 => sha256_rounds(e, w, Part::Efgh),
            _ => None,
        },
        _ => None,
    }
}

/// Which half of the state four rounds of SHA256 give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// SHA256H.
    Abcd,
    /// SHA256H2, whose operands are the other way round.
    Efgh,
}

/// The host keeps the words a, b, e, f in one register and c, d, g, h in another, highest first.
fn sha256_rounds(e: &mut Emitter<'_>, w: Word, part: Part) -> Inline {
    let (rd_operand, rn_operand) = (d(e, w), e.vm(w.rn() as u8));
    let (abcd, efgh): (Xm, Xm) = match part {
        Part::Abcd => (rd_operand, rn_operand),
        Part::Efgh => (rn_operand, rd_operand),
    };
    // Lowest first they are d c b a and h g f e.
    e.asm.vex2i(x86::PSHUFD, X1, abcd, 0b00_01_10_11);
    e.asm.vex2i(x86::PSHUFD, X2, efgh, 0b00_01_10_11);
    e.asm.vex3(x86::PUNPCKL[3], X3, X2, X1);
    e.asm.vex3(x86::PUNPCKH[3], X1, X2, X1);
    // X1 = a b e f, X3 = c d g h (highest first); the schedule words, two at a time, stand in xmm0.
    let schedule = m(e, w);
    e.asm.vex2(x86::MOVDQU, X0, schedule);
    e.asm.sse(Map::M0f38, Pp::None, SHA256RNDS2, X3, X1);
    e.asm.vex2i(x86::PSHUFD, X0, X0, 0b1110);
    e.asm.sse(Map::M0f38, Pp::None, SHA256RNDS2, X1, X3);
    // After four rounds X1 has a b e f, and X3, which was so after two, has c d g h.
    let unpack = if part == Part::Abcd { x86::PUNPCKH[3] } else { x86::PUNPCKL[3] };
    e.asm.vex3(unpack, X2, X3, X1);
    let out = out(e, w);
    e.asm.vex2i(x86::PSHUFD, out, X2, 0b00_01_10_11);
    e.write_v(rd(w), out);
    Some(())
}

/// `X2` = both halves of `a` rotated right by two counts and shifted right by a third, the three exclusively or-ed. `a` is not
/// `X2` or `X3`.
fn sigma(e: &mut Emitter<'_>, a: Xmm, rotations: [u8; 2], shift: u8) {
    let ((left, left_digit), (right, right_digit)) = (x86::psll(3), x86::psrl(3));
    e.asm.vex_shift(right, right_digit, X2, a, shift);
    for by in rotations {
        e.asm.vex_shift(right, right_digit, X3, a, by);
        e.asm.vex3(x86::PXOR, X2, X2, X3);
        e.asm.vex_shift(left, left_digit, X3, a, 64 - by);
        e.asm.vex3(x86::PXOR, X2, X2, X3);
    }
}

/// SHA512H and SHA512H2 on general registers. Each is twice a sum of three terms, of which the second needs the first's:
/// a choice or majority, rotations, and a part of Rd.
fn sha512_rounds(e: &mut Emitter<'_>, w: Word) -> Inline {
    e.clobber_flags();
    let rdx = e.take_rdx();
    let (sum, x, y) = (in_memory(e, w.rd(), 0), in_memory(e, w.rn(), 1), in_memory(e, w.rm(), 2));
    let first = w.bits(10, 2) == 0;
    let rotations = if first { [14, 18, 41] } else { [28, 34, 39] };
    for step in 0..2 {
        // rax is what is rotated.
        match (step, first) {
            (0, true) => e.asm.mov(Width::W64, Gpr::Rax, y.plus(8)),
            (0, false) => e.asm.mov(Width::W64, Gpr::Rax, y),
            (_, true) => {
                e.asm.mov(Width::W64, Gpr::Rax, Gpr::Rcx);
                e.asm.alu(Alu::Add, Width::W64, Gpr::Rax, y);
            }
            (_, false) => e.asm.mov(Width::W64, Gpr::Rax, Gpr::Rcx),
        }
        e.asm.rorx(Width::W64, Gpr::Rcx, Gpr::Rax, rotations[0]);
        for by in &rotations[1..] {
            e.asm.rorx(Width::W64, rdx, Gpr::Rax, *by);
            e.asm.alu(Alu::Xor, Width::W64, Gpr::Rcx, rdx);
        }
        if first {
            // The bits of one number where rax has ones, of the other where zeros.
            let (ones, zeros) = if step == 0 { (x, x.plus(8)) } else { (y.plus(8), x) };
            e.asm.mov(Width::W64, rdx, ones);
            e.asm.alu(Alu::Xor, Width::W64, rdx, zeros);
            e.asm.alu(Alu::And, Width::W64, rdx, Gpr::Rax);
            e.asm.alu(Alu::Xor, Width::W64, rdx, zeros);
        } else {
            // The majority of a, b and c is a where a and b agree, else c.
            let (b, c) = if step == 0 { (y.plus(8), x) } else { (y, y.plus(8)) };
            e.asm.mov(Width::W64, rdx, b);
            e.asm.alu(Alu::Xor, Width::W64, rdx, Gpr::Rax);
            e.asm.alu(Alu::Xor, Width::W64, Gpr::Rax, c);
            e.asm.alu(Alu::And, Width::W64, rdx, Gpr::Rax);
            e.asm.alu(Alu::Xor, Width::W64, rdx, c);
            e.asm.alu(Alu::Xor, Width::W64, rdx, Gpr::Rax);
        }
        e.asm.alu(Alu::Add, Width::W64, Gpr::Rcx, rdx);
        e.asm.alu(Alu::Add, Width::W64, Gpr::Rcx, if step == 0 { sum.plus(8) } else { sum });
        e.asm.vex2_gpr(x86::MOVQ_GPR, if step == 0 { X2 } else { X3 }, Gpr::Rcx);
    }
    let out = out(e, w);
    e.asm.vex3(x86::PUNPCKL[3], out, X3, X2);
    e.write_v(rd(w), out);
    Some(())
}

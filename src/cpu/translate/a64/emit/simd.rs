//! Inline forms of the AdvSIMD integer and cryptographic instructions that programs use most; `soft` does the others.
//!
//! A vector form of 64 bits is computed on all 128 bits, and the upper half of the result cleared. Results go to the
//! target's own register by the last host instruction only, since the target may be a source.

mod copy;
mod crypto;
mod misc;
mod multiply;
mod same;
mod shift;
mod x86;

use crate::cpu::translate::a64::decode::simd::{Class, Form, Sign, Word, classify};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter};
use crate::cpu::translate::a64::soft::simd::QC;
use crate::cpu::translate::a64::state::State;
use crate::cpu::translate::asm::{Alu, Cc, Mem, Vex, Width, Xm, Xmm};

const X0: Xmm = Xmm(0);
const X1: Xmm = Xmm(1);
const X2: Xmm = Xmm(2);
const X3: Xmm = Xmm(3);

/// What a part of this emitter did: `None` if it has no inline form, whatever it had emitted being taken back.
type Inline = Option<()>;

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, word: u32) -> Emitted {
    let w = Word(word);
    let done = match classify(word) {
        Some(Class::Copy) => copy::copy(e, w),
        Some(Class::ScalarCopy) => copy::scalar_copy(e, w),
        Some(Class::Table) => copy::table(e, w),
        Some(Class::Permute) => copy::permute(e, w),
        Some(Class::Extract) => copy::extract(e, w),
        Some(Class::ModifiedImmediate) => copy::immediate(e, w),
        Some(Class::ThreeSame(form)) => same::three_same(e, w, form),
        Some(Class::ThreeSameExtra(Form::Vector)) => multiply::dot(e, w),
        Some(Class::ThreeDifferent(Form::Vector)) => multiply::three_different(e, w),
        Some(Class::Indexed(form)) => multiply::indexed(e, w, form),
        Some(Class::TwoMisc(form)) => misc::two_misc(e, w, form),
        Some(Class::ScalarPairwise) => misc::scalar_pairwise(e, w),
        Some(Class::Across) => misc::across(e, w),
        Some(Class::ShiftImmediate(form)) => shift::immediate(e, w, form),
        Some(class) => crypto::emit(e, w, class),
        None => None,
    };
    if done.is_some() { Emitted::Done } else { Emitted::Unhandled }
}

fn rd(w: Word) -> u8 {
    w.rd() as u8
}

/// Rn in a host register that must not be changed; may use `X0`.
fn n(e: &mut Emitter<'_>, w: Word) -> Xmm {
    e.read_v(w.rn() as u8, X0)
}

/// Rm as an operand.
fn m(e: &Emitter<'_>, w: Word) -> Xm {
    e.vm(w.rm() as u8)
}

/// Rd as an operand.
fn d(e: &Emitter<'_>, w: Word) -> Xm {
    e.vm(rd(w))
}

/// Where to put the result: Rd's own register, or `X1`.
fn out(e: &mut Emitter<'_>, w: Word) -> Xmm {
    e.target_v(rd(w), X1)
}

/// An operand in a host register that must not be changed.
fn reg(e: &mut Emitter<'_>, x: Xm, scratch: Xmm) -> Xmm {
    match x {
        Xm::Reg(x) => x,
        Xm::Mem(_) => {
            e.asm.vex2(x86::MOVDQU, scratch, x);
            scratch
        }
    }
}

/// Writes Rd: all of it, or the low 64 bits with zeros above.
fn finish(e: &mut Emitter<'_>, w: Word, form: Form, value: Xmm) -> Inline {
    let bytes = if form == Form::Vector && w.q() { 16 } else { 8 };
    e.write_v_low(rd(w), value, bytes);
    Some(())
}

/// Sets FPSR.QC if any bit of `bad` is set within the bits that the instruction works on. Changes `bad`.
fn collect_saturation(e: &mut Emitter<'_>, w: Word, bad: Xmm) {
    if w.bit(28) {
        // A scalar form: only the lowest element counts.
        let (op, digit) = x86::PSLLDQ;
        e.asm.vex_shift(op, digit, bad, bad, 16 - (1 << w.size()));
    } else if !w.q() {
        e.asm.vex2(x86::MOVQ, bad, bad);
    }
    collect_saturation_of_all(e, bad);
}

/// Sets FPSR.QC if any bit of `bad` is set.
fn collect_saturation_of_all(e: &mut Emitter<'_>, bad: Xmm) {
    e.clobber_flags();
    let none = e.asm.label();
    e.asm.vex2(x86::PTEST, bad, bad);
    e.asm.jcc(Cc::E, none);
    let fpsr = e.state(std::mem::offset_of!(State, fpsr));
    e.asm.alu_imm(Alu::Or, Width::W32, fpsr, QC as i32);
    e.asm.bind(none);
}

/// `value`, a pattern of `bits` bits, in every element of a register.
fn splat(value: u64, bits: u32) -> u128 {
    (0..128 / bits).fold(0, |v, i| v | u128::from(value & (u64::MAX >> (64 - bits))) << (i * bits))
}

/// `dst = src op constant`.
fn with_constant(e: &mut Emitter<'_>, op: Vex, dst: Xmm, src: Xmm, value: u128) {
    let constant = e.constant(value);
    e.asm.vex3(op, dst, src, constant);
}

fn zero(e: &mut Emitter<'_>, x: Xmm) {
    e.asm.vex3(x86::PXOR, x, x, x);
}

fn ones(e: &mut Emitter<'_>, x: Xmm) {
    e.asm.vex3(x86::PCMPEQ[2], x, x, x);
}

/// The low or (with Q) high half of a register widened to elements of twice `size`, in `to`.
fn widen(e: &mut Emitter<'_>, w: Word, sign: Sign, size: u32, from: Xm, to: Xmm) {
    let op = x86::extend(sign, size);
    match from {
        Xm::Mem(mem) if w.q() => e.asm.vex2(op, to, mem.plus(8)),
        _ if w.q() => {
            e.asm.vex2i(x86::PSHUFD, to, from, 0xee);
            e.asm.vex2(op, to, to);
        }
        _ => e.asm.vex2(op, to, from),
    }
}

/// Writes the low 64 bits of `value` to the lower half of Rd, or with Q to the upper half, keeping the lower.
fn finish_narrow(e: &mut Emitter<'_>, w: Word, value: Xmm) -> Inline {
    if w.q() {
        let low = d(e, w);
        let low = reg(e, low, X0);
        let out = out(e, w);
        e.asm.vex3(x86::PUNPCKL[3], out, low, value);
        e.write_v(rd(w), out);
    } else {
        e.write_v_low(rd(w), value, 8);
    }
    Some(())
}

/// A vector register as memory: its slot, or copy `copy` (0 to 2) in the state, behind what [`Emitter::constant`] may use.
fn in_memory(e: &mut Emitter<'_>, reg: usize, copy: i32) -> Mem {
    match e.vm(reg as u8) {
        Xm::Mem(mem) => mem,
        Xm::Reg(value) => {
            let mem = e.state(std::mem::offset_of!(State, spill)).plus(16 + 16 * copy);
            e.asm.vex2(x86::MOVDQU_STORE, value, mem);
            mem
        }
    }
}

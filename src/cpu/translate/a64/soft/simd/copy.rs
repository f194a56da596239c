//! Moves of elements: DUP, INS, SMOV, UMOV, TBL, TBX, ZIP, UZP, TRN, EXT, and immediates.

use super::super::Undefined;
use super::lanes::{Shape, get, number, put};
use super::{Outcome, require, whole};
use crate::cpu::translate::a64::decode::simd::{Form, Sign, Word};
use crate::cpu::translate::a64::state::State;

/// log2 of an element's bytes and its index, from imm5.
fn element(w: Word) -> Result<(u32, u32), Undefined> {
    let imm5 = w.bits(16, 5);
    let size = imm5.trailing_zeros();
    require(size < 4)?;
    Ok((size, imm5 >> (size + 1)))
}

/// Executes a word of "copy".
pub fn copy(w: Word, state: &mut State) -> Result<(), Undefined> {
    let (size, index) = element(w)?;
    let bits = 8 << size;
    let n = state.v[w.rn()];
    let general = if w.rn() == 31 { 0 } else { state.x[w.rn()] };
    let imm4 = w.bits(11, 4);
    if w.u() {
        require(w.q())?;
        put(&mut state.v[w.rd()], bits, index, get(n, bits, imm4 >> size));
        return Ok(());
    }
    match imm4 {
        0b0000 => state.v[w.rd()] = Shape::of(w, size, Form::Vector)?.broadcast(get(n, bits, index)),
        0b0001 => state.v[w.rd()] = Shape::of(w, size, Form::Vector)?.broadcast(general),
        0b0011 => {
            require(w.q())?;
            put(&mut state.v[w.rd()], bits, index, general);
        }
        0b0101 => {
            require(size < 2 || size == 2 && w.q())?;
            let value = number(get(n, bits, index), bits, Sign::Signed) as u64;
            set_general(w, state, if w.q() { value } else { value & u64::from(u32::MAX) });
        }
        0b0111 => {
            require(w.q() == (size == 3))?;
            set_general(w, state, get(n, bits, index));
        }
        _ => return Err(Undefined),
    }
    Ok(())
}

fn set_general(w: Word, state: &mut State, value: u64) {
    if let Some(x) = state.x.get_mut(w.rd()) {
        *x = value;
    }
}

/// DUP (element) of one element.
pub fn scalar_copy(w: Word, state: &mut State) -> Result<(), Undefined> {
    let (size, index) = element(w)?;
    require(!w.u() && w.bits(11, 4) == 0)?;
    Outcome::from(u128::from(get(state.v[w.rn()], 8 << size, index))).write(w, state)
}

/// TBL, TBX.
pub fn table(w: Word, state: &mut State) -> Result<(), Undefined> {
    let registers = w.bits(13, 2) + 1;
    let (d, indices) = (state.v[w.rd()], state.v[w.rm()]);
    let shape = Shape::of(w, 0, Form::Vector)?;
    let value = shape.build(|i| {
        let index = get(indices, 8, i) as u32;
        let register = (w.rn() as u32 + index / 16) % 32;
        match index / 16 < registers {
            true => get(state.v[register as usize], 8, index % 16),
            false if w.bit(12) => get(d, 8, i),
            false => 0,
        }
    });
    Outcome::from(value).write(w, state)
}

/// UZP, TRN, ZIP.
pub fn permute(w: Word, state: &mut State) -> Result<(), Undefined> {
    let shape = Shape::of(w, w.size(), Form::Vector)?;
    let (n, m) = (state.v[w.rn()], state.v[w.rm()]);
    let part = w.bits(14, 1);
    let of = |v, i| get(v, shape.bits, i);
    let element = |i: u32| if i < shape.count { of(n, i) } else { of(m, i - shape.count) };
    let value = match w.bits(12, 2) {
        0b01 => shape.build(|i| element(2 * i + part)),
        0b10 => shape.build(|i| of(if i & 1 == 0 { n } else { m }, (i & !1) + part)),
        0b11 => shape.build(|i| of(if i & 1 == 0 { n } else { m }, part * shape.count / 2 + i / 2)),
        _ => return Err(Undefined),
    };
    Outcome::from(value).write(w, state)
}

/// EXT.
pub fn extract(w: Word, state: &mut State) -> Result<(), Undefined> {
    let (n, m) = (state.v[w.rn()], state.v[w.rm()]);
    let by = w.bits(11, 4) * 8;
    let value = match (w.q(), by) {
        (true, 0) => n,
        (true, _) => n >> by | m << (128 - by),
        (false, 0..64) => (n & whole(w, Form::Vector) | m << 64) >> by & whole(w, Form::Vector),
        (false, _) => return Err(Undefined),
    };
    Outcome::from(value).write(w, state)
}

/// MOVI, MVNI, ORR, BIC and FMOV with a modified immediate.
pub fn immediate(w: Word, state: &mut State) -> Result<(), Undefined> {
    let value = u128::from(expand_immediate(w).ok_or(Undefined)?);
    let value = (value << 64 | value) & whole(w, Form::Vector);
    let d = state.v[w.rd()];
    let cmode = w.bits(12, 4);
    let merges = cmode & 1 != 0 && cmode < 12;
    Outcome::from(match (merges, w.u()) {
        (true, false) => (d | value) & whole(w, Form::Vector),
        // The expanded value of BIC is inverted already.
        (true, true) => d & value & whole(w, Form::Vector),
        (false, _) => value,
    })
    .write(w, state)
}

/// The 64-bit value of a modified immediate (AdvSIMDExpandImm), inverted for MVNI and BIC. `None` if unallocated.
pub(in crate::cpu::translate::a64) fn expand_immediate(w: Word) -> Option<u64> {
    let byte = u64::from(w.bits(16, 3) << 5 | w.bits(5, 5));
    let (cmode, op) = (w.bits(12, 4), w.u());
    let words = |x: u64| x << 32 | x;
    let halves = |x: u64| x * 0x0001_0001_0001_0001;
    // The exponent of FMOV's immediate: bit 6 inverted, then copies of bit 6.
    let float = |exponent: u32, mantissa: u32| {
        let (sign, high, rest) = (byte >> 7, byte >> 6 & 1, byte & 0x3f);
        let top = (high ^ 1) << (exponent - 1) | if high != 0 { (1 << (exponent - 1)) - 4 } else { 0 };
        sign << (exponent + mantissa) | (top | rest >> 4) << mantissa | (rest & 0xf) << (mantissa - 4)
    };
    if w.bit(11) {
        return (cmode == 0b1111 && !op).then(|| halves(float(5, 10)));
    }
    let plain = match cmode {
        0b0000..=0b0111 => words(byte << (8 * (cmode >> 1))),
        0b1000..=0b1011 => halves(byte << (8 * (cmode >> 1 & 1))),
        0b1100 => words(byte << 8 | 0xff),
        0b1101 => words(byte << 16 | 0xffff),
        0b1110 if op => return Some((0..8).filter(|i| byte >> i & 1 != 0).fold(0, |v, i| v | 0xff << (8 * i))),
        0b1110 => byte * 0x0101_0101_0101_0101,
        _ if op => return w.q().then(|| float(11, 52)),
        _ => return Some(words(float(8, 23))),
    };
    Some(if op { !plain } else { plain })
}

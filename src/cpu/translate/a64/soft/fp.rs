//! Execution of floating-point instructions, scalar and vector, on a [`State`].

use super::Undefined;
use super::arith::*;
use super::convert::*;
use super::estimate::{recip, recip_exponent, rsqrt, unsigned_recip, unsigned_rsqrt};
use super::float::*;
use crate::cpu::translate::a64::decode::fp::{Binary, Fp, IntegerPlace, Lanes, Part, Relation, Unary, decode};
use crate::cpu::translate::a64::state::State;

/// Executes a floating-point instruction.
///
/// # Errors
/// The word is not a floating-point instruction; nothing has changed.
pub fn execute(word: u32, state: &mut State) -> Result<(), Undefined> {
    let insn = decode(word).ok_or(Undefined)?;
    let mut env = Env::new(state.fpcr);
    run(insn, state, &mut env);
    state.fpsr |= env.flags;
    Ok(())
}

/// Element `i` of a register, `bits` wide.
fn element(v: u128, bits: u32, i: u32) -> u64 {
    (v >> (i * bits)) as u64 & (u64::MAX >> (64 - bits))
}

/// Elements `0..count` of a new register.
fn build(bits: u32, count: u32, mut each: impl FnMut(u32) -> u64) -> u128 {
    (0..count).fold(0, |v, i| v | u128::from(each(i)) << (i * bits))
}

/// Registers as an instruction reads them.
struct Operands {
    n: u128,
    m: u128,
    bits: u32,
    index: Option<u8>,
}

impl Operands {
    fn n(&self, i: u32) -> u64 {
        element(self.n, self.bits, i)
    }

    fn m(&self, i: u32) -> u64 {
        element(self.m, self.bits, self.index.map_or(i, u32::from))
    }

    /// Element `i` of `m:n`.
    fn joined(&self, i: u32, count: u32) -> u64 {
        if i < count { element(self.n, self.bits, i) } else { element(self.m, self.bits, i - count) }
    }
}

fn run(insn: Fp, state: &mut State, env: &mut Env) {
    let v = |r: u8| state.v[usize::from(r)];
    let operands = |lanes: Lanes, rn, rm, index| Operands { n: v(rn), m: v(rm), bits: lanes.format.bits(), index };
    match insn {
        Fp::Binary { op, lanes, rd, rn, rm, index } => {
            let o = operands(lanes, rn, rm, index);
            set(state, rd, map(lanes, |i| binary(op, lanes.format, o.n(i), o.m(i), env)));
        }
        Fp::Pairwise { op, lanes, rd, rn, rm } => {
            let o = operands(lanes, rn, rm, None);
            let pair = |i| {
                let (a, b) = (o.joined(2 * i, lanes.count), o.joined(2 * i + 1, lanes.count));
                binary(op, lanes.format, a, b, env)
            };
            set(state, rd, map(lanes, pair));
        }
        Fp::Across { op, lanes, rd, rn } => {
            let all = v(rn);
            set(state, rd, u128::from(reduce(op, lanes.format, all, 0, lanes.count, env)));
        }
        Fp::MulAdd { lanes, rd, rn, rm, ra, index, neg_product, neg_addend } => {
            let o = operands(lanes, rn, rm, index);
            let (f, addend) = (lanes.format, v(ra));
            let negated = |neg, op| if neg { f.neg(op) } else { op };
            let each = |i| {
                let a = negated(neg_addend, element(addend, o.bits, i));
                mul_add(f, a, negated(neg_product, o.n(i)), o.m(i), env)
            };
            set(state, rd, map(lanes, each));
        }
        Fp::MulAddLong { count, rd, rn, rm, index, upper, neg_product } => {
            let o = operands(Lanes { format: HALF, count }, rn, rm, index);
            let (addend, first) = (v(rd), if upper { count } else { 0 });
            let each = |i| {
                let n = o.n(first + i);
                mul_add_half(element(addend, 32, i), if neg_product { HALF.neg(n) } else { n }, o.m(first + i), env)
            };
            set(state, rd, build(32, count, each));
        }
        Fp::Unary { op, lanes, rd, rn } => {
            let n = v(rn);
            set(state, rd, map(lanes, |i| unary(op, lanes.format, element(n, lanes.format.bits(), i), env)));
        }
        Fp::CompareMask { relation, lanes, rd, rn, rm } => {
            let zero_or = rm.map_or(0, v);
            let o = Operands { n: v(rn), m: zero_or, bits: lanes.format.bits(), index: None };
            let each = |i| if relate(relation, lanes.format, o.n(i), o.m(i), env) { lanes.format.mask() } else { 0 };
            set(state, rd, map(lanes, each));
        }
        Fp::Compare { format, rn, rm, signals } => {
            let (n, m) = (element(v(rn), format.bits(), 0), rm.map_or(0, |rm| element(v(rm), format.bits(), 0)));
            state.nzcv = compare_flags(format, n, m, signals, env);
        }
        Fp::CondCompare { format, rn, rm, signals, cond, nzcv } => {
            let (n, m) = (element(v(rn), format.bits(), 0), element(v(rm), format.bits(), 0));
            state.nzcv = match holds(cond, state.nzcv) {
                true => compare_flags(format, n, m, signals, env),
                false => u32::from(nzcv) << 28,
            };
        }
        Fp::Select { format, rd, rn, rm, cond } => {
            let from = if holds(cond, state.nzcv) { rn } else { rm };
            set(state, rd, element(v(from), format.bits(), 0).into());
        }
        Fp::Immediate { lanes, rd, value } => set(state, rd, map(lanes, |_| value)),
        _ => run_conversion(insn, state, env),
    }
}

/// The instructions that [`run`] leaves: conversions, moves between register files.
fn run_conversion(insn: Fp, state: &mut State, env: &mut Env) {
    let v = |r: u8| state.v[usize::from(r)];
    match insn {
        Fp::ToGeneral { part, width, rd, rn } => {
            let value = match part {
                Part::Low(bits) => element(v(rn), bits.min(width), 0),
                Part::Top => (v(rn) >> 64) as u64,
            };
            set_general(state, rd, value);
        }
        Fp::FromGeneral { part, rd, rn } => {
            let value = u128::from(general(state, rn));
            match part {
                Part::Low(bits) => set(state, rd, value & (u128::MAX >> (128 - bits))),
                Part::Top => set(state, rd, value << 64 | u128::from(v(rd) as u64)),
            }
        }
        Fp::ToInteger { lanes, place, signedness, fraction, rounding, rd, rn } => {
            let (f, n) = (lanes.format, v(rn));
            match place {
                IntegerPlace::General(width) => {
                    let value = to_fixed(f, element(n, f.bits(), 0), fraction, signedness, width, rounding, env);
                    set_general(state, rd, value);
                }
                IntegerPlace::Element => {
                    let each = |i| to_fixed(f, element(n, f.bits(), i), fraction, signedness, f.bits(), rounding, env);
                    set(state, rd, map(lanes, each));
                }
            }
        }
        Fp::FromInteger { lanes, place, signedness, fraction, rd, rn } => {
            let (f, n) = (lanes.format, v(rn));
            let value = match place {
                IntegerPlace::General(width) => {
                    from_fixed(f, general(state, rn), fraction, signedness, width, env.rounding, env).into()
                }
                IntegerPlace::Element => map(lanes, |i| {
                    from_fixed(f, element(n, f.bits(), i), fraction, signedness, f.bits(), env.rounding, env)
                }),
            };
            set(state, rd, value);
        }
        Fp::ToIntegerJs { rd, rn } => {
            let (value, exact) = to_int32_js(v(rn) as u64, env);
            state.nzcv = u32::from(exact) << 30;
            set_general(state, rd, value.into());
        }
        Fp::Convert { from, to, rounding, rd, rn } => {
            let value = convert(from, to, element(v(rn), from.bits(), 0), rounding.unwrap_or(env.rounding), env);
            set(state, rd, value.into());
        }
        Fp::Narrow { from, to, rounding, upper, rd, rn } => {
            let (n, rounding) = (v(rn), rounding.unwrap_or(env.rounding));
            let each = |i| convert(from, to, element(n, from.bits(), i), rounding, env);
            let half = build(to.bits(), 128 / from.bits(), each);
            set(state, rd, if upper { half << 64 | u128::from(v(rd) as u64) } else { half });
        }
        Fp::Lengthen { from, to, upper, rd, rn } => {
            let n = if upper { v(rn) >> 64 } else { v(rn) };
            let each = |i| convert(from, to, element(n, from.bits(), i), env.rounding, env);
            set(state, rd, build(to.bits(), 128 / to.bits(), each));
        }
        _ => run_products(insn, state, env),
    }
}

/// The instructions that [`run_conversion`] leaves: complex numbers and BFloat16.
fn run_products(insn: Fp, state: &mut State, env: &mut Env) {
    let v = |r: u8| state.v[usize::from(r)];
    match insn {
        Fp::ComplexAdd { lanes, rot270, rd, rn, rm } => {
            let f = lanes.format;
            let o = Operands { n: v(rn), m: v(rm), bits: f.bits(), index: None };
            let each = |i| {
                // The other part of the second operand, turned: by 90 degrees i * (a + bi) = -b + ai.
                let (real, turned) = (i % 2 == 0, o.m(i ^ 1));
                add(f, o.n(i), if real != rot270 { f.neg(turned) } else { turned }, env)
            };
            set(state, rd, map(lanes, each));
        }
        Fp::ComplexMulAdd { lanes, quarters, rd, rn, rm, index } => {
            let (f, addend) = (lanes.format, v(rd));
            let o = Operands { n: v(rn), m: v(rm), bits: f.bits(), index: None };
            let each = |i| {
                let (pair, part) = (i & !1, i & 1);
                let pair_m = index.map_or(pair, |index| 2 * u32::from(index));
                // Odd rotations take the imaginary part of n and the parts of m crossed.
                let odd = u32::from(quarters & 1);
                let m = o.m(pair_m + (part ^ odd));
                // Rotation by 90 negates the real part, by 180 both, by 270 the imaginary one.
                let negate = match quarters {
                    0 => false,
                    1 => part == 0,
                    2 => true,
                    _ => part == 1,
                };
                mul_add(f, element(addend, o.bits, i), o.n(pair + odd), if negate { f.neg(m) } else { m }, env)
            };
            set(state, rd, map(lanes, each));
        }
        Fp::Bf16Dot { lanes, rd, rn, rm, index } => {
            let addend = v(rd);
            let o = Operands { n: v(rn), m: v(rm), bits: 32, index };
            set(state, rd, map(lanes, |i| bf16_dot_add(element(addend, 32, i), o.n(i), o.m(i))));
        }
        Fp::Bf16Matrix { rd, rn, rm } => {
            let addend = v(rd);
            let o = Operands { n: v(rn), m: v(rm), bits: 32, index: None };
            let each = |i| {
                let (row, column) = (2 * (i / 2), 2 * (i % 2));
                let first = bf16_dot_add(element(addend, 32, i), o.n(row), o.m(column));
                bf16_dot_add(first, o.n(row + 1), o.m(column + 1))
            };
            set(state, rd, build(32, 4, each));
        }
        Fp::Bf16MulAddLong { top, rd, rn, rm, index } => {
            let addend = v(rd);
            let o = Operands { n: v(rn), m: v(rm), bits: 16, index };
            let each = |i| {
                let half = 2 * i + u32::from(top);
                mul_add(SINGLE, element(addend, 32, i), o.n(half) << 16, o.m(half) << 16, env)
            };
            set(state, rd, build(32, 4, each));
        }
        _ => {}
    }
}

fn set(state: &mut State, rd: u8, value: u128) {
    state.v[usize::from(rd)] = value;
}

/// A general register; 31 is zero.
fn general(state: &State, r: u8) -> u64 {
    state.x.get(usize::from(r)).copied().unwrap_or(0)
}

fn set_general(state: &mut State, r: u8, value: u64) {
    if let Some(x) = state.x.get_mut(usize::from(r)) {
        *x = value;
    }
}

fn map(lanes: Lanes, each: impl FnMut(u32) -> u64) -> u128 {
    build(lanes.format.bits(), lanes.count, each)
}

/// Elements `from..from + count` combined as a balanced tree (`Reduce`).
fn reduce(op: Binary, f: Format, v: u128, from: u32, count: u32, env: &mut Env) -> u64 {
    if count == 1 {
        return element(v, f.bits(), from);
    }
    let low = reduce(op, f, v, from, count / 2, env);
    let high = reduce(op, f, v, from + count / 2, count / 2, env);
    binary(op, f, low, high, env)
}

fn binary(op: Binary, f: Format, a: u64, b: u64, env: &mut Env) -> u64 {
    match op {
        Binary::Add => add(f, a, b, env),
        Binary::Sub => sub(f, a, b, env),
        Binary::Mul => mul(f, a, b, env),
        Binary::MulX => mulx(f, a, b, env),
        Binary::NegMul => neg_mul(f, a, b, env),
        Binary::Div => div(f, a, b, env),
        Binary::AbsDiff => abs_diff(f, a, b, env),
        Binary::Max => min_max(f, Extreme::Max, a, b, env),
        Binary::Min => min_max(f, Extreme::Min, a, b, env),
        Binary::MaxNum => min_max_num(f, Extreme::Max, a, b, env),
        Binary::MinNum => min_max_num(f, Extreme::Min, a, b, env),
        Binary::RecipStep => recip_step(f, a, b, env),
        Binary::RsqrtStep => rsqrt_step(f, a, b, env),
    }
}

fn unary(op: Unary, f: Format, a: u64, env: &mut Env) -> u64 {
    match op {
        Unary::Mov => a,
        Unary::Abs => f.abs(a),
        Unary::Neg => f.neg(a),
        Unary::Sqrt => sqrt(f, a, env),
        Unary::RoundInt(rounding, exactness) => round_int(f, a, rounding.unwrap_or(env.rounding), exactness, env),
        Unary::RoundIntN(width, rounding) => round_int_n(f, a, rounding.unwrap_or(env.rounding), width, env),
        Unary::RecipEstimate => recip(f, a, env),
        Unary::RsqrtEstimate => rsqrt(f, a, env),
        Unary::RecipExponent => recip_exponent(f, a, env),
        Unary::UnsignedRecip => unsigned_recip(a as u32).into(),
        Unary::UnsignedRsqrt => unsigned_rsqrt(a as u32).into(),
    }
}

fn relate(relation: Relation, f: Format, a: u64, b: u64, env: &mut Env) -> bool {
    match relation {
        Relation::Equal => equal(f, a, b, env),
        Relation::GreaterEqual => greater_equal(f, a, b, env),
        Relation::Greater => greater(f, a, b, env),
        Relation::LessEqual => greater_equal(f, b, a, env),
        Relation::Less => greater(f, b, a, env),
        Relation::AbsGreaterEqual => greater_equal(f, f.abs(a), f.abs(b), env),
        Relation::AbsGreater => greater(f, f.abs(a), f.abs(b), env),
    }
}

/// `ConditionHolds`.
fn holds(cond: u8, nzcv: u32) -> bool {
    let bit = |n: u32| nzcv >> n & 1 != 0;
    let (n, z, c, v) = (bit(31), bit(30), bit(29), bit(28));
    let result = match cond >> 1 {
        0 => z,
        1 => c,
        2 => n,
        3 => v,
        4 => c && !z,
        5 => n == v,
        6 => n == v && !z,
        _ => return true,
    };
    result != (cond & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other instructions are compared with Unicorn (`tests/differential.rs`).
    #[test]
    fn bf16_as_qemu_has_it() {
        let lines = include_str!("../../../../../tests/data/a64-bf16.txt").lines().filter(|l| !l.starts_with('#'));
        let mut cases = 0;
        for line in lines {
            let numbers: Vec<u128> =
                line.split([' ', '|']).filter_map(|word| u128::from_str_radix(word, 16).ok()).collect();
            let [word, fpcr, n, m, d, wanted, flags] = numbers[..] else { panic!("{line}") };
            let word = word as u32;
            let mut state = State { fpcr: fpcr as u32, ..State::new() };
            let decoded = decode(word).expect("BFloat16 instruction");
            let (rd, rn, rm) = match decoded {
                Fp::Convert { rd, rn, .. } | Fp::Narrow { rd, rn, .. } => (rd, rn, rn),
                Fp::Bf16Dot { rd, rn, rm, .. }
                | Fp::Bf16Matrix { rd, rn, rm }
                | Fp::Bf16MulAddLong { rd, rn, rm, .. } => (rd, rn, rm),
                _ => panic!("{line}: {decoded:?}"),
            };
            for (register, value) in [(rd, d), (rm, m), (rn, n)] {
                state.v[usize::from(register)] = value;
            }
            assert_eq!(execute(word, &mut state), Ok(()));
            assert_eq!((state.v[usize::from(rd)], state.fpsr), (wanted, flags as u32), "{line}: {decoded:?}");
            cases += 1;
        }
        assert!(cases > 50);
    }
}

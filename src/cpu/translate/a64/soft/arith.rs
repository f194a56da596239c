//! Floating-point arithmetic on one element: the `FPAdd`, `FPMulAdd`, `FPMax`, `FPCompare`... functions of the Arm
//! ARM's shared pseudocode.

use std::cmp::Ordering;

use super::float::*;

/// The sign of an exact zero that two numbers of opposite sign give.
fn cancelled(f: Format, env: &Env) -> u64 {
    f.zero(env.rounding == Rounding::MinusInf)
}

/// `FPAdd`.
pub fn add(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    let a = unpack(f, op1, env);
    let b = unpack(f, op2, env);
    if let Some(nan) = process_nans(f, &[(op1, a), (op2, b)], env) {
        return nan;
    }
    if a.is_inf() && b.is_inf() && a.sign != b.sign {
        return invalid(f, env);
    }
    if a.is_inf() || b.is_inf() {
        return f.infinity(if a.is_inf() { a.sign } else { b.sign });
    }
    if a.is_zero() && b.is_zero() && a.sign == b.sign {
        return f.zero(a.sign);
    }
    match sum(exact(&a), exact(&b)) {
        Some(value) => round(f, value, env.rounding, env),
        None => cancelled(f, env),
    }
}

/// `FPSub`: like [`add`], but a NaN second operand keeps its sign.
pub fn sub(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    let nan = f.exp_field(op2) == f.exp_field(f.default_nan()) && f.frac_field(op2) != 0;
    add(f, op1, if nan { op2 } else { f.neg(op2) }, env)
}

/// `FPAbs(FPSub)`, for `fabd`.
pub fn abs_diff(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    f.abs(sub(f, op1, op2, env))
}

/// A finite value with room below its significand; zero gives `None`.
fn exact(a: &Unpacked) -> Option<Exact> {
    // One bit of room above for carries.
    (a.class == Class::Finite).then(|| Exact { sign: a.sign, exp: a.exp + 1, sig: u128::from(a.sig) << 63 })
}

/// Adds exact values whose significands have their first one at bit 126 or 125; `None` is an exact zero.
fn sum(a: Option<Exact>, b: Option<Exact>) -> Option<Exact> {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (one, other) => return one.or(other),
    };
    let (a, b) = if a.exp >= b.exp { (a, b) } else { (b, a) };
    let low = shift_right_sticky(b.sig, (a.exp - b.exp) as u32);
    if a.sign == b.sign {
        return Some(Exact { sign: a.sign, exp: a.exp, sig: a.sig + low });
    }
    let (sign, sig) = match a.sig.cmp(&low) {
        Ordering::Equal => return None,
        Ordering::Greater => (a.sign, a.sig - low),
        Ordering::Less => (b.sign, low - a.sig),
    };
    Some(Exact { sign, exp: a.exp, sig })
}

fn shift_right_sticky(sig: u128, by: u32) -> u128 {
    match by {
        0 => sig,
        1..128 => (sig >> by) | u128::from(sig << (128 - by) != 0),
        _ => u128::from(sig != 0),
    }
}

/// The exact product of finite values, its first one at bit 126 or 125.
fn product(a: &Unpacked, b: &Unpacked) -> Option<Exact> {
    if a.is_zero() || b.is_zero() {
        return None;
    }
    // Values have at most 53 bits, so that the bit shifted out is 0.
    let sig = (u128::from(a.sig) * u128::from(b.sig)) >> 1;
    Some(Exact { sign: a.sign != b.sign, exp: a.exp + b.exp + 2, sig })
}

/// `FPMul`.
pub fn mul(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    multiply(f, op1, op2, None, env)
}

/// `FPMulX`: infinity times zero is 2.
pub fn mulx(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    multiply(f, op1, op2, Some(f.power_of_two(1)), env)
}

/// `FPNeg(FPMul)`, for `fnmul`.
pub fn neg_mul(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    f.neg(mul(f, op1, op2, env))
}

fn multiply(f: Format, op1: u64, op2: u64, inf_times_zero: Option<u64>, env: &mut Env) -> u64 {
    let a = unpack(f, op1, env);
    let b = unpack(f, op2, env);
    if let Some(nan) = process_nans(f, &[(op1, a), (op2, b)], env) {
        return nan;
    }
    let sign = a.sign != b.sign;
    if (a.is_inf() && b.is_zero()) || (a.is_zero() && b.is_inf()) {
        return match inf_times_zero {
            Some(two) => two | f.zero(sign),
            None => invalid(f, env),
        };
    }
    if a.is_inf() || b.is_inf() {
        return f.infinity(sign);
    }
    match product(&a, &b) {
        Some(value) => round(f, value, env.rounding, env),
        None => f.zero(sign),
    }
}

/// `FPDiv`.
pub fn div(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    let a = unpack(f, op1, env);
    let b = unpack(f, op2, env);
    if let Some(nan) = process_nans(f, &[(op1, a), (op2, b)], env) {
        return nan;
    }
    if (a.is_inf() && b.is_inf()) || (a.is_zero() && b.is_zero()) {
        return invalid(f, env);
    }
    let sign = a.sign != b.sign;
    if a.is_inf() || b.is_zero() {
        if !a.is_inf() {
            env.raise(DZC);
        }
        return f.infinity(sign);
    }
    if a.is_zero() || b.is_inf() {
        return f.zero(sign);
    }
    let dividend = u128::from(a.sig) << 63;
    let divisor = u128::from(b.sig);
    // Between 2^62 and 2^64; the first one of a quotient of 1 is at bit 63.
    let quotient = dividend / divisor;
    let sig = (quotient << 1) | u128::from(dividend % divisor != 0);
    round(f, Exact { sign, exp: a.exp - b.exp + 63, sig }, env.rounding, env)
}

/// `FPSqrt`.
pub fn sqrt(f: Format, op: u64, env: &mut Env) -> u64 {
    let a = unpack(f, op, env);
    if let Some(nan) = process_nans(f, &[(op, a)], env) {
        return nan;
    }
    if a.is_zero() {
        return f.zero(a.sign);
    }
    if a.sign {
        return invalid(f, env);
    }
    if a.is_inf() {
        return f.infinity(false);
    }
    // sig * 2^(exp - 63) as radicand * 2^(2 * half), the radicand with 126 or 127 bits.
    let half = (a.exp - 126) >> 1;
    let radicand = u128::from(a.sig) << (63 + (a.exp - 126 - 2 * half));
    let root = radicand.isqrt();
    let sig = (root << 1) | u128::from(root * root != radicand);
    round(f, Exact { sign: false, exp: half - 1 + 127, sig }, env.rounding, env)
}

/// `FPMulAdd`: `addend + op1 * op2` with one rounding.
pub fn mul_add(f: Format, addend: u64, op1: u64, op2: u64, env: &mut Env) -> u64 {
    let c = unpack(f, addend, env);
    let a = unpack(f, op1, env);
    let b = unpack(f, op2, env);
    let undefined = (a.is_inf() && b.is_zero()) || (a.is_zero() && b.is_inf());
    let nan = process_nans(f, &[(addend, c), (op1, a), (op2, b)], env);
    if c.class == Class::Quiet && undefined {
        return invalid(f, env);
    }
    match nan {
        Some(nan) => nan,
        None => fused(f, &c, &a, &b, 0, env),
    }
}

/// `FPMulAddH`: the product of half precision numbers added to a single precision number.
pub fn mul_add_half(addend: u64, op1: u64, op2: u64, env: &mut Env) -> u64 {
    let c = unpack(SINGLE, addend, env);
    let a = unpack(HALF, op1, env);
    let b = unpack(HALF, op2, env);
    let undefined = (a.is_inf() && b.is_zero()) || (a.is_zero() && b.is_inf());
    let nan = process_nans(SINGLE, &[(addend, c), (widen_nan(op1), a), (widen_nan(op2), b)], env);
    if c.class == Class::Quiet && undefined {
        return invalid(SINGLE, env);
    }
    match nan {
        Some(nan) => nan,
        None => fused(SINGLE, &c, &a, &b, 0, env),
    }
}

/// A half precision NaN as a single precision one.
fn widen_nan(op: u64) -> u64 {
    SINGLE.infinity(HALF.sign(op)) | (HALF.frac_field(op) << (SINGLE.frac_bits - HALF.frac_bits))
}

/// `(c + a * b) * 2^scale` of values that are not NaNs.
fn fused(f: Format, c: &Unpacked, a: &Unpacked, b: &Unpacked, scale: i32, env: &mut Env) -> u64 {
    let sign = a.sign != b.sign;
    let infinite = a.is_inf() || b.is_inf();
    if (infinite && (a.is_zero() || b.is_zero())) || (c.is_inf() && infinite && c.sign != sign) {
        return invalid(f, env);
    }
    if c.is_inf() || infinite {
        return f.infinity(if c.is_inf() { c.sign } else { sign });
    }
    let product = product(a, b);
    if product.is_none() && c.is_zero() && c.sign == sign {
        return f.zero(sign);
    }
    match sum(product, exact(c)) {
        Some(value) => round(f, Exact { exp: value.exp + scale, ..value }, env.rounding, env),
        None => cancelled(f, env),
    }
}

/// `FPRecipStepFused`: `2 - op1 * op2`.
pub fn recip_step(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    step(f, op1, op2, f.power_of_two(1), 0, env)
}

/// `FPRSqrtStepFused`: `(3 - op1 * op2) / 2`.
pub fn rsqrt_step(f: Format, op1: u64, op2: u64, env: &mut Env) -> u64 {
    let three = f.power_of_two(1) | f.quiet_bit();
    step(f, op1, op2, three, -1, env)
}

fn step(f: Format, op1: u64, op2: u64, constant: u64, scale: i32, env: &mut Env) -> u64 {
    let op1 = f.neg(op1);
    let a = unpack(f, op1, env);
    let b = unpack(f, op2, env);
    if let Some(nan) = process_nans(f, &[(op1, a), (op2, b)], env) {
        return nan;
    }
    if (a.is_inf() && b.is_zero()) || (a.is_zero() && b.is_inf()) {
        // 2.0 or 1.5.
        return if scale == 0 { constant } else { f.power_of_two(0) | f.quiet_bit() };
    }
    let c = unpack(f, constant, env);
    fused(f, &c, &a, &b, scale, env)
}

/// Which of two numbers [`min_max`] looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// The greater.
    Max,
    /// The less.
    Min,
}

/// `FPMax`, `FPMin`: a NaN operand gives a NaN.
pub fn min_max(f: Format, want: Extreme, op1: u64, op2: u64, env: &mut Env) -> u64 {
    let a = unpack(f, op1, env);
    let b = unpack(f, op2, env);
    if let Some(nan) = process_nans(f, &[(op1, a), (op2, b)], env) {
        return nan;
    }
    let first = match want {
        Extreme::Max => a.order(&b) == Ordering::Greater,
        Extreme::Min => a.order(&b) == Ordering::Less,
    };
    let (op, chosen) = if first { (op1, a) } else { (op2, b) };
    match chosen.class {
        Class::Zero => f.zero(match want {
            Extreme::Max => a.sign && b.sign,
            Extreme::Min => a.sign || b.sign,
        }),
        _ => op,
    }
}

/// `FPMaxNum`, `FPMinNum`: a quiet NaN loses against a number.
pub fn min_max_num(f: Format, want: Extreme, op1: u64, op2: u64, env: &mut Env) -> u64 {
    // Denormals are flushed, and flagged, when min_max unpacks the operands.
    let quiet = |op| unpack(f, op, &mut Env::new(0)).class == Class::Quiet;
    let loser = f.infinity(want == Extreme::Max);
    let (op1, op2) = match (quiet(op1), quiet(op2)) {
        (true, false) => (loser, op2),
        (false, true) => (op1, loser),
        _ => (op1, op2),
    };
    min_max(f, want, op1, op2, env)
}

/// Which NaNs make a comparison invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NanSignals {
    /// Signalling NaNs only.
    Signalling,
    /// Every NaN.
    Every,
}

/// The order of two numbers, `None` if unordered.
fn compare(f: Format, op1: u64, op2: u64, signals: NanSignals, env: &mut Env) -> Option<Ordering> {
    let a = unpack(f, op1, env);
    let b = unpack(f, op2, env);
    if a.is_nan() || b.is_nan() {
        let signalling = a.class == Class::Signalling || b.class == Class::Signalling;
        if signalling || signals == NanSignals::Every {
            env.raise(IOC);
        }
        return None;
    }
    Some(a.order(&b))
}

/// `FPCompare`: NZCV in bits 31 to 28.
pub fn compare_flags(f: Format, op1: u64, op2: u64, signals: NanSignals, env: &mut Env) -> u32 {
    let nzcv = match compare(f, op1, op2, signals, env) {
        None => 0b0011,
        Some(Ordering::Equal) => 0b0110,
        Some(Ordering::Less) => 0b1000,
        Some(Ordering::Greater) => 0b0010,
    };
    nzcv << 28
}

/// `FPCompareEQ`.
pub fn equal(f: Format, op1: u64, op2: u64, env: &mut Env) -> bool {
    compare(f, op1, op2, NanSignals::Signalling, env) == Some(Ordering::Equal)
}

/// `FPCompareGE`.
pub fn greater_equal(f: Format, op1: u64, op2: u64, env: &mut Env) -> bool {
    matches!(compare(f, op1, op2, NanSignals::Every, env), Some(Ordering::Equal | Ordering::Greater))
}

/// `FPCompareGT`.
pub fn greater(f: Format, op1: u64, op2: u64, env: &mut Env) -> bool {
    compare(f, op1, op2, NanSignals::Every, env) == Some(Ordering::Greater)
}

/// `BFDotAdd` without FEAT_EBF16: `addend + (a0 * b0 + a1 * b1)` of BFloat16 pairs, each step rounded to odd,
/// denormals flushed, NaNs default; FPCR and FPSR have no part in it.
pub fn bf16_dot_add(addend: u64, pair1: u64, pair2: u64) -> u64 {
    let mut env = Env { rounding: Rounding::OddInfinity, default_nan: true, flush: true, ..Env::new(0) };
    // A BFloat16 number is the upper half of a single precision one.
    let low = mul(SINGLE, (pair1 & 0xffff) << 16, (pair2 & 0xffff) << 16, &mut env);
    let high = mul(SINGLE, pair1 & 0xffff_0000, pair2 & 0xffff_0000, &mut env);
    let dot = add(SINGLE, low, high, &mut env);
    add(SINGLE, addend, dot, &mut env)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default mode of the host is FPCR 0: the host's arithmetic is an oracle for finite results.
    #[test]
    fn agrees_with_the_host() {
        let values: Vec<f64> = [0.0, 1.0, 1.5, 3.0, 0.1, 1e300, 1e-300, 5e-324, 2.2250738585072014e-308, 1.7e308]
            .into_iter()
            .flat_map(|v| [v, -v])
            .collect();
        for &a in &values {
            for &b in &values {
                let mut env = Env::new(0);
                let (x, y) = (a.to_bits(), b.to_bits());
                assert_eq!(add(DOUBLE, x, y, &mut env), (a + b).to_bits(), "{a:e} + {b:e}");
                assert_eq!(mul(DOUBLE, x, y, &mut env), (a * b).to_bits(), "{a:e} * {b:e}");
                if b != 0.0 {
                    assert_eq!(div(DOUBLE, x, y, &mut env), (a / b).to_bits(), "{a:e} / {b:e}");
                }
                for &c in &values {
                    let fused = a.mul_add(b, c);
                    assert_eq!(mul_add(DOUBLE, c.to_bits(), x, y, &mut env), fused.to_bits(), "{a:e} * {b:e} + {c:e}");
                }
            }
            if a >= 0.0 {
                assert_eq!(sqrt(DOUBLE, a.to_bits(), &mut Env::new(0)), a.sqrt().to_bits(), "sqrt {a:e}");
            }
        }
    }

    #[test]
    fn nan_and_flag_rules() {
        let mut env = Env::new(0);
        let signalling = DOUBLE.infinity(true) | 1;
        let quiet = DOUBLE.default_nan() | 2;
        assert_eq!(add(DOUBLE, quiet, signalling, &mut env), signalling | DOUBLE.quiet_bit());
        assert_eq!(env.flags, IOC);
        let mut env = Env::new(0);
        assert_eq!(div(DOUBLE, DOUBLE.power_of_two(0), DOUBLE.zero(true), &mut env), DOUBLE.infinity(true));
        assert_eq!(env.flags, DZC);
        let mut env = Env::new(0);
        assert_eq!(mul_add(DOUBLE, quiet, DOUBLE.infinity(false), 0, &mut env), DOUBLE.default_nan());
        assert_eq!(env.flags, IOC);
    }
}

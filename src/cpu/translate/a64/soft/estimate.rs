//! Reciprocal and reciprocal square root estimates (`FPRecipEstimate`, `FPRSqrtEstimate`, `FPRecpX`,
//! `UnsignedRecipEstimate`, `UnsignedRSqrtEstimate` of the Arm ARM's shared pseudocode).

use super::float::*;

/// `RecipEstimate`: nine bits of `1 / a` for `a` in 256..512.
fn recip_estimate(a: u32) -> u32 {
    ((1 << 19) / (a * 2 + 1)).div_ceil(2)
}

/// `RecipSqrtEstimate`: nine bits of `1 / sqrt(a)` for `a` in 128..512.
fn rsqrt_estimate(a: u32) -> u32 {
    // The middle of the interval that `a` stands for; from 256 on the last bit does not count.
    let a = if a < 256 { a * 2 + 1 } else { ((a & !1) + 1) * 2 };
    let mut b = 512;
    while a * (b + 1) * (b + 1) < 1 << 28 {
        b += 1;
    }
    b.div_ceil(2)
}

/// A fraction field as 52 bits.
fn wide_fraction(f: Format, op: u64) -> u64 {
    f.frac_field(op) << (52 - f.frac_bits)
}

const FRACTION: u64 = (1 << 52) - 1;

/// `FPRecipEstimate`.
pub fn recip(f: Format, op: u64, env: &mut Env) -> u64 {
    let a = unpack(f, op, env);
    match a.class {
        Class::Quiet | Class::Signalling => return process_nan(f, op, a.class, env),
        Class::Infinity => return f.zero(a.sign),
        Class::Zero => {
            env.raise(DZC);
            return f.infinity(a.sign);
        }
        Class::Finite => {}
    }
    // The largest exponent of a normal number.
    let max_exp = 1 - f.min_exp();
    if a.exp < -max_exp - 1 {
        env.raise(OFC | IXC);
        let infinite = env.rounding.overflows_to_infinity(a.sign);
        return if infinite { f.infinity(a.sign) } else { f.max_normal(a.sign) };
    }
    let flush = if f == HALF { env.flush_half } else { env.flush };
    if flush && a.exp >= max_exp - 1 {
        env.raise(UFC);
        return f.zero(a.sign);
    }
    let mut fraction = wide_fraction(f, op);
    let mut exp = f.exp_field(op) as i32;
    if exp == 0 {
        if fraction >> 51 == 0 {
            exp = -1;
            fraction = (fraction << 2) & FRACTION;
        } else {
            fraction = (fraction << 1) & FRACTION;
        }
    }
    let estimate = recip_estimate(256 | (fraction >> 44) as u32);
    let mut fraction = u64::from(estimate & 0xff) << 44;
    let mut result_exp = 2 * max_exp - 1 - exp;
    if result_exp == 0 {
        fraction = (1 << 51) | (fraction >> 1);
    } else if result_exp == -1 {
        fraction = (1 << 50) | (fraction >> 2);
        result_exp = 0;
    }
    f.zero(a.sign) | ((result_exp as u64) << f.frac_bits) | (fraction >> (52 - f.frac_bits))
}

/// `FPRSqrtEstimate`.
pub fn rsqrt(f: Format, op: u64, env: &mut Env) -> u64 {
    let a = unpack(f, op, env);
    match a.class {
        Class::Quiet | Class::Signalling => return process_nan(f, op, a.class, env),
        Class::Zero => {
            env.raise(DZC);
            return f.infinity(a.sign);
        }
        _ if a.sign => return invalid(f, env),
        Class::Infinity => return f.zero(false),
        Class::Finite => {}
    }
    // The unpacked significand is the normalised fraction of the pseudocode, its exponent without the bias.
    let exp = a.exp + 1 - f.min_exp();
    let leading = (a.sig >> 55) as u32;
    let scaled = if exp & 1 == 0 { leading } else { leading >> 1 };
    let estimate = rsqrt_estimate(scaled);
    let max_exp = 1 - f.min_exp();
    let result_exp = (3 * max_exp - 1 - exp) / 2;
    ((result_exp as u64) << f.frac_bits) | (u64::from(estimate & 0xff) << (f.frac_bits - 8))
}

/// `FPRecpX`: a power of two near the reciprocal.
pub fn recip_exponent(f: Format, op: u64, env: &mut Env) -> u64 {
    let a = unpack(f, op, env);
    if a.is_nan() {
        return process_nan(f, op, a.class, env);
    }
    let all = f.exp_field(f.infinity(false));
    let exp = match f.exp_field(op) {
        0 => all - 1,
        exp => all ^ exp,
    };
    f.zero(a.sign) | (exp << f.frac_bits)
}

/// `UnsignedRecipEstimate`.
pub fn unsigned_recip(op: u32) -> u32 {
    match op >> 31 {
        0 => u32::MAX,
        _ => recip_estimate(op >> 23) << 23,
    }
}

/// `UnsignedRSqrtEstimate`.
pub fn unsigned_rsqrt(op: u32) -> u32 {
    match op >> 30 {
        0 => u32::MAX,
        _ => rsqrt_estimate(op >> 23) << 23,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_of_one() {
        let one = u64::from(1f32.to_bits());
        assert_eq!(recip(SINGLE, one, &mut Env::new(0)), u64::from(0.998_046_9_f32.to_bits()));
        assert_eq!(rsqrt(SINGLE, one, &mut Env::new(0)), u64::from(0.998_046_9_f32.to_bits()));
        assert_eq!(recip_exponent(SINGLE, one, &mut Env::new(0)), u64::from(2f32.to_bits()));
    }
}

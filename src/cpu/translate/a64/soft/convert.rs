//! Floating-point conversions of one element: between formats, to and from integers and fixed point, to integral
//! values (`FPConvert`, `FPToFixed`, `FixedToFP`, `FPRoundInt`... of the Arm ARM's shared pseudocode).

use super::float::*;

/// `FPConvert`, and for [`BF16`] `FPConvertBF`: a value in another format.
pub fn convert(from: Format, to: Format, op: u64, rounding: Rounding, env: &mut Env) -> u64 {
    let a = unpack_for_conversion(from, op, env);
    let alternative = to == HALF && env.alternative_half;
    match a.class {
        Class::Quiet | Class::Signalling => {
            if a.class == Class::Signalling || alternative {
                env.raise(IOC);
            }
            match () {
                () if alternative => to.zero(a.sign),
                () if env.default_nan => to.default_nan(),
                () => convert_nan(from, to, op),
            }
        }
        Class::Infinity if alternative => {
            env.raise(IOC);
            to.mask() >> u32::from(!a.sign)
        }
        Class::Infinity => to.infinity(a.sign),
        Class::Zero => to.zero(a.sign),
        Class::Finite => {
            let value = Exact { sign: a.sign, exp: a.exp, sig: u128::from(a.sig) << 64 };
            round_for_conversion(to, value, rounding, env)
        }
    }
}

/// `FPConvertNaN`: the upper bits of the payload stay.
fn convert_nan(from: Format, to: Format, op: u64) -> u64 {
    let frac = from.frac_field(op) << (64 - from.frac_bits);
    to.infinity(from.sign(op)) | to.quiet_bit() | (frac >> (64 - to.frac_bits))
}

/// Whether an integer has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signedness {
    /// Two's complement.
    Signed,
    /// Without a sign.
    Unsigned,
}

/// What is left of a value cut to an integer: its magnitude and whether the cut lost something.
struct Integer {
    magnitude: u128,
    inexact: bool,
}

/// Rounds `sig * 2^(exp - 63)` to an integer; magnitudes above `2^100` come out as `2^100`.
fn to_integer(a: &Unpacked, exp: i32, rounding: Rounding) -> Integer {
    match exp {
        100.. => Integer { magnitude: 1 << 100, inexact: false },
        63.. => Integer { magnitude: u128::from(a.sig) << (exp - 63), inexact: false },
        _ => {
            // Below 2^-1 all is rest; one bit of it is enough for the decision.
            let cut = (63 - exp) as u32;
            let sig = u128::from(a.sig) << 1;
            let (magnitude, rest, half) = match cut {
                65.. => (0, 1, 2),
                _ => (sig >> (cut + 1), sig & ((2 << cut) - 1), 1 << cut),
            };
            let up = rounding.rounds_up(a.sign, magnitude & 1 != 0, rest, half);
            Integer { magnitude: magnitude + u128::from(up), inexact: rest != 0 }
        }
    }
}

/// `FPToFixed`: the value times `2^fraction` as an integer of `width` bits, saturated.
pub fn to_fixed(
    f: Format,
    op: u64,
    fraction: u32,
    signedness: Signedness,
    width: u32,
    rounding: Rounding,
    env: &mut Env,
) -> u64 {
    let a = unpack(f, op, env);
    let mask = u64::MAX >> (64 - width);
    let integer = match a.class {
        Class::Quiet | Class::Signalling => {
            env.raise(IOC);
            return 0;
        }
        Class::Zero => return 0,
        Class::Infinity => Integer { magnitude: 1 << 100, inexact: false },
        Class::Finite => to_integer(&a, a.exp + fraction as i32, rounding),
    };
    let limit = match (signedness, a.sign) {
        (Signedness::Unsigned, true) => 0,
        (Signedness::Unsigned, false) => u128::from(mask),
        (Signedness::Signed, true) => 1 << (width - 1),
        (Signedness::Signed, false) => (1 << (width - 1)) - 1,
    };
    if integer.magnitude > limit {
        env.raise(IOC);
    } else if integer.inexact {
        env.raise(IXC);
    }
    let magnitude = integer.magnitude.min(limit) as u64;
    (if a.sign { magnitude.wrapping_neg() } else { magnitude }) & mask
}

/// `FixedToFP`: an integer of `width` bits over `2^fraction` as a floating-point number.
pub fn from_fixed(
    f: Format,
    op: u64,
    fraction: u32,
    signedness: Signedness,
    width: u32,
    rounding: Rounding,
    env: &mut Env,
) -> u64 {
    let op = op << (64 - width);
    let sign = signedness == Signedness::Signed && op >> 63 != 0;
    let magnitude = if sign { op.wrapping_neg() } else { op };
    if magnitude == 0 {
        return f.zero(false);
    }
    // Bit 127 of the shifted magnitude stands for 2^(width - 1).
    let value = Exact { sign, exp: width as i32 - 1 - fraction as i32, sig: u128::from(magnitude) << 64 };
    round(f, value, rounding, env)
}

/// `FPToFixedJS`: a double as a 32-bit integer modulo 2^32, and whether that was exact (the Z flag).
pub fn to_int32_js(op: u64, env: &mut Env) -> (u32, bool) {
    let a = unpack(DOUBLE, op, env);
    match a.class {
        Class::Quiet | Class::Signalling | Class::Infinity => {
            env.raise(IOC);
            (0, false)
        }
        // Minus zero and flushed denormals are not exact.
        Class::Zero => (0, op == 0),
        Class::Finite => {
            let integer = match a.exp {
                // Only multiples of 2^32 are left.
                100.. => Integer { magnitude: 1 << 100, inexact: false },
                _ => to_integer(&a, a.exp, Rounding::Zero),
            };
            let limit = if a.sign { 1 << 31 } else { (1 << 31) - 1 };
            let out_of_range = integer.magnitude > limit;
            if out_of_range {
                env.raise(IOC);
            } else if integer.inexact {
                env.raise(IXC);
            }
            let magnitude = integer.magnitude as u32;
            let result = if a.sign { magnitude.wrapping_neg() } else { magnitude };
            (result, !out_of_range && !integer.inexact)
        }
    }
}

/// Whether rounding to an integral value tells that it changed the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// Inexact results raise IXC.
    Signals,
    /// Nothing is raised.
    Silent,
}

/// `FPRoundInt`: the integral value next to a number.
pub fn round_int(f: Format, op: u64, rounding: Rounding, exactness: Exactness, env: &mut Env) -> u64 {
    let a = unpack(f, op, env);
    match a.class {
        Class::Quiet | Class::Signalling => process_nan(f, op, a.class, env),
        Class::Infinity => op,
        Class::Zero => f.zero(a.sign),
        // No fraction left.
        Class::Finite if a.exp >= 63 => op,
        Class::Finite => {
            let integer = to_integer(&a, a.exp, rounding);
            if integer.inexact && exactness == Exactness::Signals {
                env.raise(IXC);
            }
            from_integer(f, a.sign, integer.magnitude, env)
        }
    }
}

/// `FPRoundIntN`: the integral value next to a number, or the most negative one if it does not fit `width` bits.
pub fn round_int_n(f: Format, op: u64, rounding: Rounding, width: u32, env: &mut Env) -> u64 {
    let a = unpack(f, op, env);
    let lowest = f.neg(f.power_of_two(width as i32 - 1));
    match a.class {
        Class::Quiet | Class::Signalling | Class::Infinity => {
            env.raise(IOC);
            lowest
        }
        Class::Zero => f.zero(a.sign),
        Class::Finite => {
            let integer = to_integer(&a, a.exp, rounding);
            let limit = (1 << (width - 1)) - u128::from(!a.sign);
            if integer.magnitude > limit {
                env.raise(IOC);
                return lowest;
            }
            if integer.inexact {
                env.raise(IXC);
            }
            from_integer(f, a.sign, integer.magnitude, env)
        }
    }
}

fn from_integer(f: Format, sign: bool, magnitude: u128, env: &mut Env) -> u64 {
    match magnitude {
        0 => f.zero(sign),
        _ => round(f, Exact { sign, exp: 127, sig: magnitude }, Rounding::Zero, env),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_saturate_and_flag() {
        let to_i32 = |v: f64, rounding| {
            let mut env = Env::new(0);
            let r = to_fixed(DOUBLE, v.to_bits(), 0, Signedness::Signed, 32, rounding, &mut env);
            (r as u32 as i32, env.flags)
        };
        assert_eq!(to_i32(1e300, Rounding::Zero), (i32::MAX, IOC));
        assert_eq!(to_i32(-2147483648.0, Rounding::Zero), (i32::MIN, 0));
        assert_eq!(to_i32(-2147483649.0, Rounding::Zero), (i32::MIN, IOC));
        assert_eq!(to_i32(f64::NAN, Rounding::Zero), (0, IOC));
        assert_eq!(to_i32(2.5, Rounding::TieEven), (2, IXC));
        assert_eq!(to_i32(2.5, Rounding::TieAway), (3, IXC));
        assert_eq!(to_i32(-2.5, Rounding::MinusInf), (-3, IXC));
        assert_eq!(to_i32(1e-300, Rounding::PlusInf), (1, IXC));
    }

    #[test]
    fn javascript_wraps() {
        let js = |v: f64| to_int32_js(v.to_bits(), &mut Env::new(0));
        assert_eq!(js(4294967296.0 + 5.0), (5, false));
        assert_eq!(js(-1.0), (u32::MAX, true));
        assert_eq!(js(-0.0), (0, false));
        assert_eq!(js(1.5), (1, false));
    }

    #[test]
    fn formats() {
        let mut env = Env::new(0);
        assert_eq!(convert(DOUBLE, SINGLE, 0.1f64.to_bits(), Rounding::TieEven, &mut env), u64::from(0.1f32.to_bits()));
        assert_eq!(convert(SINGLE, HALF, 65520f32.to_bits().into(), Rounding::TieEven, &mut env), HALF.infinity(false));
        assert_eq!(convert(SINGLE, BF16, 0x3f80_8000, Rounding::TieEven, &mut env), 0x3f80);
    }
}

//! The floating-point core: formats, the environment that FPCR sets, unpacking, rounding and NaN rules of the
//! Arm ARM's shared pseudocode (`FPUnpackBase`, `FPRoundBase`, `FPProcessNaN`), in integer arithmetic.
//!
//! Values travel as the low bits of a `u64`. Host floating point is never used, so that every FPCR mode is right and
//! no host mode matters.

/// FPSR: invalid operation.
pub const IOC: u32 = 1 << 0;
/// FPSR: division by zero.
pub const DZC: u32 = 1 << 1;
/// FPSR: overflow.
pub const OFC: u32 = 1 << 2;
/// FPSR: underflow.
pub const UFC: u32 = 1 << 3;
/// FPSR: inexact.
pub const IXC: u32 = 1 << 4;
/// FPSR: a denormal input was flushed to zero.
pub const IDC: u32 = 1 << 7;

/// An interchange format: sign, exponent, fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Width of the exponent field.
    pub exp_bits: u32,
    /// Width of the fraction field.
    pub frac_bits: u32,
}

/// IEEE 754 binary16 (with FPCR.AHP in conversions: Arm's alternative half precision).
pub const HALF: Format = Format { exp_bits: 5, frac_bits: 10 };
/// BFloat16.
pub const BF16: Format = Format { exp_bits: 8, frac_bits: 7 };
/// IEEE 754 binary32.
pub const SINGLE: Format = Format { exp_bits: 8, frac_bits: 23 };
/// IEEE 754 binary64.
pub const DOUBLE: Format = Format { exp_bits: 11, frac_bits: 52 };

impl Format {
    /// Width of a value, in bits.
    pub const fn bits(self) -> u32 {
        1 + self.exp_bits + self.frac_bits
    }

    /// All bits of a value.
    pub const fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }

    /// The sign bit.
    pub const fn sign_bit(self) -> u64 {
        1 << (self.bits() - 1)
    }

    const fn frac_mask(self) -> u64 {
        (1 << self.frac_bits) - 1
    }

    const fn exp_max(self) -> u64 {
        (1 << self.exp_bits) - 1
    }

    /// The bit of the fraction that tells a quiet NaN.
    pub const fn quiet_bit(self) -> u64 {
        1 << (self.frac_bits - 1)
    }

    const fn bias(self) -> i32 {
        (1 << (self.exp_bits - 1)) - 1
    }

    /// The exponent of the smallest normal number.
    pub const fn min_exp(self) -> i32 {
        1 - self.bias()
    }

    const fn is_half(self) -> bool {
        self.frac_bits == HALF.frac_bits
    }

    const fn signed(self, sign: bool, magnitude: u64) -> u64 {
        if sign { self.sign_bit() | magnitude } else { magnitude }
    }

    /// `FPZero`.
    pub const fn zero(self, sign: bool) -> u64 {
        self.signed(sign, 0)
    }

    /// `FPInfinity`.
    pub const fn infinity(self, sign: bool) -> u64 {
        self.signed(sign, self.exp_max() << self.frac_bits)
    }

    /// `FPMaxNormal`.
    pub const fn max_normal(self, sign: bool) -> u64 {
        self.signed(sign, (self.exp_max() << self.frac_bits) - 1)
    }

    /// `FPDefaultNaN`.
    pub const fn default_nan(self) -> u64 {
        (self.exp_max() << self.frac_bits) | self.quiet_bit()
    }

    /// `2.0^exp` for a normal exponent.
    pub const fn power_of_two(self, exp: i32) -> u64 {
        ((exp + self.bias()) as u64) << self.frac_bits
    }

    /// `FPNeg`: flips the sign, of NaNs too.
    pub const fn neg(self, op: u64) -> u64 {
        op ^ self.sign_bit()
    }

    /// `FPAbs`: clears the sign, of NaNs too.
    pub const fn abs(self, op: u64) -> u64 {
        op & !self.sign_bit()
    }

    /// The sign of a value.
    pub const fn sign(self, op: u64) -> bool {
        op & self.sign_bit() != 0
    }

    /// The exponent field of a value.
    pub const fn exp_field(self, op: u64) -> u64 {
        (op >> self.frac_bits) & self.exp_max()
    }

    /// The fraction field of a value.
    pub const fn frac_field(self, op: u64) -> u64 {
        op & self.frac_mask()
    }
}

/// How results that do not fit are rounded (`FPRounding`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To nearest, ties to even (FPCR.RMode 0).
    TieEven,
    /// Towards plus infinity (RMode 1).
    PlusInf,
    /// Towards minus infinity (RMode 2).
    MinusInf,
    /// Towards zero (RMode 3).
    Zero,
    /// To nearest, ties away from zero.
    TieAway,
    /// To odd: inexact results get an odd last bit. Overflow gives the largest number.
    Odd,
    /// To odd, but overflow gives infinity (`BFRound`).
    OddInfinity,
}

impl Rounding {
    /// FPCR.RMode's meaning.
    pub const fn of_fpcr(fpcr: u32) -> Rounding {
        match (fpcr >> 22) & 3 {
            0 => Rounding::TieEven,
            1 => Rounding::PlusInf,
            2 => Rounding::MinusInf,
            _ => Rounding::Zero,
        }
    }

    /// Whether an overflow of this sign gives infinity, not the largest number.
    pub const fn overflows_to_infinity(self, sign: bool) -> bool {
        match self {
            Rounding::TieEven | Rounding::TieAway | Rounding::OddInfinity => true,
            Rounding::PlusInf => !sign,
            Rounding::MinusInf => sign,
            Rounding::Zero | Rounding::Odd => false,
        }
    }

    /// Whether `magnitude` is to be incremented, when `rest` of `half * 2` was cut off below it.
    pub(super) fn rounds_up(self, sign: bool, odd: bool, rest: u128, half: u128) -> bool {
        match self {
            Rounding::TieEven => rest > half || (rest == half && odd),
            Rounding::TieAway => rest >= half,
            Rounding::PlusInf => rest != 0 && !sign,
            Rounding::MinusInf => rest != 0 && sign,
            Rounding::Zero | Rounding::Odd | Rounding::OddInfinity => false,
        }
    }
}

/// What FPCR asks for, and the FPSR flags raised so far.
#[derive(Clone, Copy, Debug)]
pub struct Env {
    /// The rounding mode of arithmetic.
    pub rounding: Rounding,
    /// FPCR.DN: NaN results are the default NaN.
    pub default_nan: bool,
    /// FPCR.FZ: denormals of single, double and BFloat16 are zero.
    pub flush: bool,
    /// FPCR.FZ16: denormals of half precision are zero, except in conversions.
    pub flush_half: bool,
    /// FPCR.AHP: half precision in conversions is Arm's alternative format.
    pub alternative_half: bool,
    /// Cumulative flags as in FPSR.
    pub flags: u32,
}

impl Env {
    /// The environment of an instruction, with no flags raised.
    pub const fn new(fpcr: u32) -> Env {
        Env {
            rounding: Rounding::of_fpcr(fpcr),
            default_nan: fpcr & (1 << 25) != 0,
            flush: fpcr & (1 << 24) != 0,
            flush_half: fpcr & (1 << 19) != 0,
            alternative_half: fpcr & (1 << 26) != 0,
            flags: 0,
        }
    }

    /// Raises flags.
    pub fn raise(&mut self, flags: u32) {
        self.flags |= flags;
    }
}

/// What kind of value a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Zero (or a flushed denormal).
    Zero,
    /// A finite number that is not zero.
    Finite,
    /// An infinity.
    Infinity,
    /// A quiet NaN.
    Quiet,
    /// A signalling NaN.
    Signalling,
}

/// An unpacked value: `sig * 2^(exp - 63)` for [`Class::Finite`], whose `sig` has bit 63 set.
#[derive(Clone, Copy, Debug)]
pub struct Unpacked {
    /// The kind of value.
    pub class: Class,
    /// Its sign.
    pub sign: bool,
    /// The exponent of bit 63 of `sig`.
    pub exp: i32,
    /// The significand, its leading one at bit 63; 0 unless finite.
    pub sig: u64,
}

impl Unpacked {
    /// Whether it is a NaN.
    pub fn is_nan(&self) -> bool {
        matches!(self.class, Class::Quiet | Class::Signalling)
    }

    /// Whether it is an infinity.
    pub fn is_inf(&self) -> bool {
        self.class == Class::Infinity
    }

    /// Whether it is a zero.
    pub fn is_zero(&self) -> bool {
        self.class == Class::Zero
    }

    /// The order of two values that are not NaNs; zeros of both signs are equal.
    pub fn order(&self, other: &Unpacked) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }

    /// A number whose order is that of the values.
    fn key(&self) -> i128 {
        let magnitude = match self.class {
            Class::Zero => 0,
            Class::Infinity => i128::MAX,
            _ => (((self.exp + 0x4000) as i128) << 64) | self.sig as i128,
        };
        if self.sign { -magnitude } else { magnitude }
    }
}

/// Takes a value apart, with a denormal flushed to zero as FPCR says (`FPUnpack`).
pub fn unpack(f: Format, op: u64, env: &mut Env) -> Unpacked {
    let flush = if f.is_half() { env.flush_half } else { env.flush };
    unpack_with(f, op, flush, false, env)
}

/// The same for the operand of a conversion: FZ16 does not apply, AHP does (`FPUnpackCV`).
pub fn unpack_for_conversion(f: Format, op: u64, env: &mut Env) -> Unpacked {
    let flush = !f.is_half() && env.flush;
    let alternative = f.is_half() && env.alternative_half;
    unpack_with(f, op, flush, alternative, env)
}

fn unpack_with(f: Format, op: u64, flush: bool, alternative: bool, env: &mut Env) -> Unpacked {
    let sign = f.sign(op);
    let field = f.exp_field(op);
    let frac = f.frac_field(op);
    let special = |class| Unpacked { class, sign, exp: 0, sig: 0 };
    if field == 0 {
        if frac == 0 {
            return special(Class::Zero);
        }
        if flush {
            if !f.is_half() {
                env.raise(IDC);
            }
            return special(Class::Zero);
        }
        let shift = frac.leading_zeros();
        // Bit `frac_bits` would have the exponent `min_exp`.
        let exp = f.min_exp() + (63 - shift as i32) - f.frac_bits as i32;
        return Unpacked { class: Class::Finite, sign, exp, sig: frac << shift };
    }
    if field == f.exp_max() && !alternative {
        return special(match frac {
            0 => Class::Infinity,
            _ if frac & f.quiet_bit() != 0 => Class::Quiet,
            _ => Class::Signalling,
        });
    }
    let sig = (1 << 63) | (frac << (63 - f.frac_bits));
    Unpacked { class: Class::Finite, sign, exp: field as i32 - f.bias(), sig }
}

/// An exact or sticky intermediate result: `sig * 2^(exp - 127)`. Bits lost below are ored into bit 0.
#[derive(Clone, Copy, Debug)]
pub struct Exact {
    /// Sign of the result.
    pub sign: bool,
    /// The exponent of bit 127 of `sig`.
    pub exp: i32,
    /// The significand, not zero, in any position.
    pub sig: u128,
}

/// Rounds to a format as FPCR says (`FPRound`).
pub fn round(f: Format, value: Exact, rounding: Rounding, env: &mut Env) -> u64 {
    let flush = if f.is_half() { env.flush_half } else { env.flush };
    round_with(f, value, rounding, flush, false, env)
}

/// The same for the result of a conversion: FZ16 does not apply, AHP does (`FPRoundCV`).
pub fn round_for_conversion(f: Format, value: Exact, rounding: Rounding, env: &mut Env) -> u64 {
    let flush = !f.is_half() && env.flush;
    let alternative = f.is_half() && env.alternative_half;
    round_with(f, value, rounding, flush, alternative, env)
}

fn round_with(f: Format, value: Exact, rounding: Rounding, flush: bool, alternative: bool, env: &mut Env) -> u64 {
    let Exact { sign, .. } = value;
    let shift = value.sig.leading_zeros();
    let sig = value.sig << shift;
    let exp = value.exp - shift as i32;
    if flush && exp < f.min_exp() {
        env.raise(UFC);
        return f.zero(sign);
    }
    // How many bits are cut off: all below the fraction, and more of a denormal.
    let denormal = exp < f.min_exp();
    let cut = 127 - f.frac_bits + if denormal { (f.min_exp() - exp) as u32 } else { 0 };
    let (mut magnitude, rest, half) = match cut {
        // Even the first bit is below the place of the last.
        128.. => (0, if cut == 128 { sig } else { 1 }, 1 << 127),
        _ => ((sig >> cut) as u64, sig & ((1 << cut) - 1), 1 << (cut - 1)),
    };
    let inexact = rest != 0;
    if denormal && inexact {
        // Tininess is detected before rounding.
        env.raise(UFC);
    }
    if rounding.rounds_up(sign, magnitude & 1 != 0, rest, half) {
        magnitude += 1;
    } else if matches!(rounding, Rounding::Odd | Rounding::OddInfinity) && inexact {
        magnitude |= 1;
    }
    // A denormal that rounds up to 2^frac_bits becomes the smallest normal number by the same addition.
    let result = match denormal {
        true => magnitude,
        false => magnitude.wrapping_add(((exp + f.bias() - 1) as u64) << f.frac_bits),
    };
    let limit = (f.exp_max() + u64::from(alternative)) << f.frac_bits;
    if result >= limit {
        return overflow(f, sign, rounding, alternative, env);
    }
    if inexact {
        env.raise(IXC);
    }
    f.signed(sign, result)
}

fn overflow(f: Format, sign: bool, rounding: Rounding, alternative: bool, env: &mut Env) -> u64 {
    if alternative {
        env.raise(IOC);
        return f.signed(sign, f.sign_bit() - 1);
    }
    env.raise(OFC | IXC);
    if rounding.overflows_to_infinity(sign) { f.infinity(sign) } else { f.max_normal(sign) }
}

/// The result for a NaN operand: quietened, or the default NaN (`FPProcessNaN`).
pub fn process_nan(f: Format, op: u64, class: Class, env: &mut Env) -> u64 {
    if class == Class::Signalling {
        env.raise(IOC);
    }
    if env.default_nan { f.default_nan() } else { op | f.quiet_bit() }
}

/// The NaN result of operands, if one is a NaN: the first signalling one, else the first quiet one
/// (`FPProcessNaNs`, `FPProcessNaNs3`).
pub fn process_nans(f: Format, ops: &[(u64, Unpacked)], env: &mut Env) -> Option<u64> {
    let first = |class| ops.iter().find(|(_, u)| u.class == class);
    let (op, unpacked) = first(Class::Signalling).or_else(|| first(Class::Quiet))?;
    Some(process_nan(f, *op, unpacked.class, env))
}

/// The default NaN of an invalid operation.
pub fn invalid(f: Format, env: &mut Env) -> u64 {
    env.raise(IOC);
    f.default_nan()
}

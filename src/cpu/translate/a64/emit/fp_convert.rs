//! Inline conversions of scalars: between formats, from and to integers and fixed point, and `frinta`. See
//! [`super::fp`] for the rules.

use super::fp_ops::*;
use super::{fp_half, fp_vector};
use crate::cpu::translate::a64::decode::fp::{IntegerPlace, Lanes};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::a64::soft::convert::{Exactness, Signedness};
use crate::cpu::translate::a64::soft::float::{Format, HALF, Rounding, SINGLE};
use crate::cpu::translate::asm::{Alu, Cc, Gpr, Rm, Width, Xm, Xmm};

/// `frinta`. Numbers without a fraction go the slow way.
pub(super) fn round_away(e: &mut Emitter<'_>, f: Format, rd: u8, rn: u8) {
    let magnitude = e.constant(splat(f, f.abs(f.mask())));
    let integral = e.constant(splat(f, f.power_of_two(f.frac_bits as i32)));
    let path = e.soft_path();
    let n = e.read_v(rn, X1);
    e.asm.vex3(packed_op(f, AND), X0, n, magnitude);
    e.asm.vex2(ucomis(f), X0, integral);
    e.asm.jcc(Cc::P, path.label);
    e.asm.jcc(Cc::Ae, path.label);
    half_away(e, f, Shape::Scalar, n);
    put(e, f, rd, X0);
    e.soft_path_ends(path);
}

/// `xmm0` = numbers that may have fractions, rounded with halves away from zero: truncated, and one added if half or
/// more was cut off. Raises no flags; `xmm2` and `xmm3` are lost.
pub(super) fn half_away(e: &mut Emitter<'_>, f: Format, shape: Shape, n: Xmm) {
    let sign = e.constant(splat(f, f.sign_bit()));
    let magnitude = e.constant(splat(f, f.abs(f.mask())));
    let half = e.constant(splat(f, f.power_of_two(-1)));
    let one = e.constant(splat(f, f.power_of_two(0)));
    let op = |opcode| match shape {
        Shape::Packed => packed_op(f, opcode),
        Shape::Scalar => scalar_op(f, opcode),
    };
    match shape {
        Shape::Packed => e.asm.vex2i(fp_vector::vround(f), X2, n, 8 | 3),
        Shape::Scalar => e.asm.vex3i(vround_scalar(f), X2, n, n, 8 | 3),
    }
    e.asm.vex3(op(SUB), X3, n, X2);
    e.asm.vex3(packed_op(f, AND), X3, X3, magnitude);
    e.asm.vex3i(op(CMP), X3, X3, half, GE);
    e.asm.vex3(packed_op(f, AND), X3, X3, one);
    // A signed one or zero, so that minus zero stays.
    e.asm.vex3(packed_op(f, AND), X0, n, sign);
    e.asm.vex3(packed_op(f, OR), X3, X3, X0);
    e.asm.vex3(op(ADD), X0, X2, X3);
}

pub(super) fn convert(e: &mut Emitter<'_>, from: Format, to: Format, rd: u8, rn: u8) -> Option<()> {
    if from == HALF || to == HALF {
        return fp_half::convert(e, from, to, rd, rn);
    }
    supported(Lanes::scalar(from))?;
    supported(Lanes::scalar(to))?;
    let path = e.soft_path();
    let n = e.read_v(rn, X1);
    e.asm.vex3(scalar_op(from, CONVERT), X0, n, n);
    put_checked(e, path, to, rd, X0, if to == SINGLE { Tiny::Possible } else { Tiny::Impossible });
    Some(())
}

/// The magnitude from which on a number goes the slow way to an integer of `width` bits, so that no instruction of the
/// fast way flags a number that does not fit as inexact, or one that does as invalid. `None`: the conversion tells.
fn integer_bound(f: Format, signedness: Signedness, width: u32, fraction: u32, rounding: Rounding) -> Option<u64> {
    let (double, signed) = (is_double(f), signedness == Signedness::Signed);
    if fraction > 0 {
        // The host converts to signed integers.
        let bits = if signed { width - 1 } else { width.min(63) };
        return Some(f.power_of_two(bits as i32 - fraction as i32));
    }
    let narrow = match (signed, width) {
        (true, 32) if double && rounding != Rounding::Zero => Some(f64::from(i32::MAX).to_bits()),
        (true, _) => None,
        (false, 32) if double => Some(f64::from(u32::MAX).to_bits()),
        (false, 32) => Some(f.power_of_two(32)),
        (false, _) => Some(f.power_of_two(63)),
    };
    match rounding {
        // What has no fraction cannot be rounded by adding one.
        Rounding::TieAway => Some(narrow.unwrap_or(u64::MAX).min(f.power_of_two(f.frac_bits as i32))),
        _ => narrow,
    }
}

/// Conversion to an integer or fixed point, in a general or vector register.
pub(super) fn to_integer(
    e: &mut Emitter<'_>,
    f: Format,
    place: IntegerPlace,
    signedness: Signedness,
    fraction: u32,
    rounding: Rounding,
    [rd, rn]: [u8; 2],
) -> Option<()> {
    let double = is_double(f);
    let width = match place {
        IntegerPlace::General(width) => width,
        IntegerPlace::Element => f.bits(),
    };
    let path = e.soft_path();
    let n = e.read_v(rn, X1);
    if let Some(bound) = integer_bound(f, signedness, width, fraction, rounding) {
        let word = if double { Width::W64 } else { Width::W32 };
        e.asm.vex2_gpr(if double { VMOVD_TO.w1() } else { VMOVD_TO }, n, Gpr::Rax);
        if signedness == Signedness::Signed {
            // Without the sign.
            e.asm.alu(Alu::Add, word, Gpr::Rax, Gpr::Rax);
            e.asm.mov_imm(Gpr::Rcx, bound << 1);
        } else {
            // Negative numbers are above all bounds.
            e.asm.mov_imm(Gpr::Rcx, bound);
        }
        e.asm.alu(Alu::Cmp, word, Gpr::Rax, Gpr::Rcx);
        e.asm.jcc(Cc::Ae, path.label);
    }
    let integral = match rounding {
        Rounding::Zero if fraction > 0 => {
            let scale = e.constant(u128::from(f.power_of_two(fraction as i32)));
            e.asm.vex3(scalar_op(f, MUL), X0, n, scale);
            X0
        }
        Rounding::Zero => n,
        Rounding::TieAway => {
            half_away(e, f, Shape::Scalar, n);
            X0
        }
        _ => {
            // Inexact results are flagged by the rounding, as the conversion would.
            let control = round_control(Some(rounding), Exactness::Signals)?;
            e.asm.vex3i(vround_scalar(f), X0, n, n, control);
            X0
        }
    };
    // Unsigned 32-bit numbers need a 64-bit conversion.
    let wide = width == 64 || signedness == Signedness::Unsigned;
    let truncate = scalar_op(f, TRUNCATE);
    e.asm.vex_to_gpr(if wide { truncate.w1() } else { truncate }, Gpr::Rax, integral);
    if signedness == Signedness::Signed {
        // What the host gives for all that does not fit is the only number from which 1 cannot be taken.
        e.asm.alu_imm(Alu::Cmp, if wide { Width::W64 } else { Width::W32 }, Gpr::Rax, 1);
        e.asm.jcc(Cc::O, path.label);
    }
    if rounding == Rounding::TieAway {
        // For the inexact flag.
        e.asm.vex_to_gpr(truncate.w1(), Gpr::Rcx, n);
    }
    match place {
        IntegerPlace::General(_) => e.write(rd, Gpr::Rax),
        IntegerPlace::Element => {
            let target = e.target_v(rd, X0);
            e.asm.vex2_gpr(if width == 64 { VMOVD_FROM.w1() } else { VMOVD_FROM }, target, Gpr::Rax);
            e.write_v(rd, target);
        }
    }
    e.soft_path_ends(path);
    Some(())
}

/// Conversion from an integer in a general or vector register.
pub(super) fn from_integer(
    e: &mut Emitter<'_>,
    f: Format,
    place: IntegerPlace,
    signedness: Signedness,
    fraction: u32,
    rd: u8,
    rn: u8,
) -> Option<()> {
    let width = match place {
        IntegerPlace::General(width) => width,
        IntegerPlace::Element => f.bits(),
    };
    let unsigned = signedness == Signedness::Unsigned;
    let path = (unsigned && width == 64).then(|| e.soft_path());
    let from = match place {
        IntegerPlace::General(_) => e.rm(rn),
        IntegerPlace::Element => match e.vm(rn) {
            Xm::Mem(mem) => Rm::Mem(mem),
            Xm::Reg(n) => {
                e.asm.vex2_gpr(if width == 64 { VMOVD_TO.w1() } else { VMOVD_TO }, n, Gpr::Rax);
                Rm::Reg(Gpr::Rax)
            }
        },
    };
    let from = match (unsigned, width) {
        (true, 32) => {
            e.asm.mov(Width::W32, Gpr::Rax, from);
            Rm::Reg(Gpr::Rax)
        }
        (true, _) => {
            e.asm.mov(Width::W64, Gpr::Rax, from);
            e.asm.test(Width::W64, Gpr::Rax, Gpr::Rax);
            Rm::Reg(Gpr::Rax)
        }
        _ => from,
    };
    if let Some(path) = path {
        e.asm.jcc(Cc::S, path.label);
    }
    let op = scalar_op(f, FROM_INT);
    e.asm.vex3(VPXOR, X0, X0, X0);
    e.asm.vex3_gpr(if unsigned || width == 64 { op.w1() } else { op }, X0, X0, from);
    if fraction > 0 {
        // Exact: the result is far from being denormal.
        let scale = e.constant(u128::from(f.power_of_two(-(fraction as i32))));
        e.asm.vex3(scalar_op(f, MUL), X0, X0, scale);
    }
    e.write_v(rd, X0);
    if let Some(path) = path {
        e.soft_path_ends(path);
    }
    Some(())
}

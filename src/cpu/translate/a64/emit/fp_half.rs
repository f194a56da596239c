//! Inline conversions of half precision, on hosts with F16C.

use super::fp_ops::*;
use super::fp_vector::{VPSHUFD, check_all, put_narrow, slow_if_any};
use crate::cpu::translate::a64::emitter::{Emitter, SoftPath};
use crate::cpu::translate::a64::soft::float::{DOUBLE, Format, HALF, SINGLE};
use crate::cpu::translate::asm::{Cc, Gpr, Map, Pp, Vex, Width, Xm};

const VCVTPH2PS: Vex = Vex::new(Map::M0f38, Pp::P66, 0x13);
/// `vcvtps2ph dst, src, imm`: the source stands in `reg`.
const VCVTPS2PH: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x1d);
/// Its immediate byte: round as `mxcsr` says.
const CURRENT_MODE: u8 = 4;
const VPCMPEQW: Vex = Vex::new(Map::M0f, Pp::P66, 0x75);
const VPMOVMSKB: Vex = Vex::new(Map::M0f, Pp::P66, 0xd7);
const VPAND: Vex = Vex::new(Map::M0f, Pp::P66, 0xdb);

fn host_converts() -> Option<()> {
    std::arch::is_x86_feature_detected!("f16c").then_some(())
}

/// `fcvt` from or to half precision; from double it would round twice.
pub(super) fn convert(e: &mut Emitter<'_>, from: Format, to: Format, rd: u8, rn: u8) -> Option<()> {
    host_converts()?;
    match (from, to) {
        (HALF, _) => {
            let low = e.constant(0xffff);
            let path = e.soft_path();
            let n = e.read_v(rn, X0);
            // A signalling NaN above it would be flagged.
            e.asm.vex3(VPAND, X0, n, low);
            e.asm.vex2(VCVTPH2PS, X0, X0);
            if to == DOUBLE {
                e.asm.vex3(scalar_op(SINGLE, CONVERT), X0, X0, X0);
            }
            put_checked(e, path, to, rd, X0, Tiny::Impossible);
            Some(())
        }
        (SINGLE, HALF) => {
            let path = e.soft_path();
            let n = e.read_v(rn, X0);
            e.asm.vex3i(VINSERTPS, X0, n, n, 0b1110);
            e.asm.vex2(ucomis(SINGLE), X0, X0);
            e.asm.jcc(Cc::P, path.label);
            to_half(e, path);
            e.write_v(rd, X0);
            e.soft_path_ends(path);
            Some(())
        }
        _ => None,
    }
}

/// Converts the singles in `xmm0`, which are not NaNs; the slow way decides about underflow where the host cannot.
fn to_half(e: &mut Emitter<'_>, path: SoftPath) {
    let magnitude = e.constant(splat(HALF, HALF.abs(HALF.mask())));
    let smallest = e.constant(splat(HALF, HALF.power_of_two(HALF.min_exp())));
    e.asm.vex2i(VCVTPS2PH, X0, X0, CURRENT_MODE);
    e.asm.vex3(VPAND, X1, X0, magnitude);
    e.asm.vex3(VPCMPEQW, X1, X1, smallest);
    e.asm.vex_to_gpr(VPMOVMSKB, Gpr::Rax, X1);
    e.asm.test(Width::W32, Gpr::Rax, Gpr::Rax);
    e.asm.jcc(Cc::Ne, path.label);
}

/// `fcvtn` of singles.
pub(super) fn narrow(e: &mut Emitter<'_>, upper: bool, rd: u8, rn: u8) -> Option<()> {
    host_converts()?;
    let path = e.soft_path();
    e.copy_v(rn, X0);
    e.asm.vex3i(packed_op(SINGLE, CMP), X1, X0, X0, UNORDERED);
    slow_if_any(e, path, SINGLE, X1);
    to_half(e, path);
    put_narrow(e, upper, rd);
    e.soft_path_ends(path);
    Some(())
}

/// `fcvtl` to singles.
pub(super) fn lengthen(e: &mut Emitter<'_>, upper: bool, rd: u8, rn: u8) -> Option<()> {
    host_converts()?;
    let path = e.soft_path();
    let n = match (upper, e.vm(rn)) {
        (false, n) => n,
        (true, Xm::Mem(mem)) => Xm::Mem(mem.plus(8)),
        (true, Xm::Reg(n)) => {
            e.asm.vex2i(VPSHUFD, X0, n, 0xee);
            Xm::Reg(X0)
        }
    };
    e.asm.vex2(VCVTPH2PS, X0, n);
    check_all(e, path, SINGLE, X0, Tiny::Impossible);
    e.write_v(rd, X0);
    e.soft_path_ends(path);
    Some(())
}

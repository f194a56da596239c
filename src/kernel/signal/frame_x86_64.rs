//! The signal frame of x86_64 (arch/x86/kernel/signal_64.c, arch/x86/kernel/fpu/signal.c of Linux).
//!
//! From high to low addresses: the red zone, the XSAVE area (64-byte aligned), siginfo, ucontext, return address.

use super::deliver::{Order, Return};
use super::*;
use crate::abi::consts::sigaction as sa;
use crate::abi::sigframe::x86_64::*;
use crate::arch::cpuid::{XSAVE_AVX as AVX, XSAVE_LEAST, XSAVE_SSE as SSE, XSAVE_X87 as X87, XSAVE_YMM, xsave_size};
use crate::arch::x86_64::{Fpu, MXCSR_MASK, RAX, RDI, RDX, RSI, RSP, Regs};
use crate::mem::Space;
use std::mem::{offset_of, size_of};
use zerocopy::IntoBytes;

/// Bytes below the stack pointer that a function may use without claiming them (System V ABI).
const RED_ZONE: u64 = 128;
/// Flags that a handler may change for the program it returns to (FIX_EFLAGS).
const USER_FLAGS: u64 = 0x5_0dd5;
/// Flags cleared on the way into a handler: direction, resume, trap.
const HANDLER_CLEARS: u64 = 0x400 | 0x1_0000 | 0x100;
/// Code and stack segments of a 64-bit program.
const SEGMENTS: (u16, u16) = (0x33, 0x2b);
/// Where the general registers stand in [`SigContext::low`], by their number in the encoding.
const LOW: [usize; 8] = [RDI, RSI, 5, 3, RDX, RAX, 1, RSP];

/// Bytes of the floating-point part of a frame: the XSAVE area and the word behind it, or what FXSAVE stores.
fn fpu_size(xcr0: u64) -> usize {
    if xcr0 == 0 { size_of::<FxState>() } else { xsave_size(xcr0) + size_of::<u32>() }
}

/// Bytes of stack that a frame takes at most, alignment included.
pub(super) fn max_size(xcr0: u64) -> u64 {
    let parts = size_of::<RtSigFrame>() + fpu_size(xcr0);
    (parts as u64 + 15 + 63).next_multiple_of(16)
}

/// The floating-point part of a frame.
fn save_fpu(fpu: &Fpu, xcr0: u64) -> Vec<u8> {
    let mut legacy = FxState {
        cwd: fpu.fcw,
        swd: fpu.fsw,
        twd: u16::from(fpu.ftw),
        fop: fpu.fop,
        rip: fpu.fip,
        rdp: fpu.fdp,
        mxcsr: fpu.mxcsr,
        mxcsr_mask: MXCSR_MASK,
        st: fpu.st,
        xmm: fpu.xmm,
        reserved: [0; 6],
        magic1: 0,
        extended_size: 0,
        xfeatures: 0,
        xstate_size: 0,
        padding: [0; 7],
    };
    if xcr0 == 0 {
        return legacy.as_bytes().to_vec();
    }
    let size = xsave_size(xcr0);
    legacy.magic1 = FP_XSTATE_MAGIC1;
    legacy.extended_size = (size + size_of::<u32>()) as u32;
    legacy.xfeatures = xcr0;
    legacy.xstate_size = size as u32;
    // Linux says of x87 and SSE that they are there whatever they hold; the CPU says of others whether they are in use.
    let in_use = if fpu.ymm_hi == [0; 16] { X87 | SSE } else { X87 | SSE | AVX };
    let header = XstateHeader { xstate_bv: xcr0 & in_use, xcomp_bv: 0, reserved: [0; 6] };
    let mut area = [legacy.as_bytes(), header.as_bytes()].concat();
    if xcr0 & AVX != 0 {
        fpu.ymm_hi.iter().for_each(|v| area.extend_from_slice(&v.to_le_bytes()));
    }
    area.extend_from_slice(&FP_XSTATE_MAGIC2.to_le_bytes());
    area
}

/// What a frame's floating-point part says about itself.
struct Extent {
    /// Components that are to be loaded; the others become what they are initially.
    wanted: u64,
    /// Those of them whose values are in the area.
    held: u64,
}

/// Reads a floating-point part back; a program may have changed it, or give one with the legacy part only.
///
/// # Errors
/// `EFAULT`: it cannot be read, or the instruction that loads it would fault.
fn load_fpu(space: &Space, at: GuestAddr, xcr0: u64) -> Result<Fpu, Errno> {
    let fx: FxState = space.copy_in(at)?;
    let extent = extent(space, at, &fx, xcr0)?;
    let has = |component| extent.held & component != 0;
    let mut fpu = Fpu::default();
    // XRSTOR loads mxcsr with either of these, whether the area holds their registers or not.
    if extent.wanted & (SSE | AVX) != 0 {
        if fx.mxcsr & !MXCSR_MASK != 0 {
            return Err(Errno::EFAULT);
        }
        fpu.mxcsr = fx.mxcsr;
    }
    if has(X87) {
        (fpu.fcw, fpu.fsw, fpu.ftw, fpu.fop) = (fx.cwd, fx.swd, fx.twd as u8, fx.fop);
        (fpu.fip, fpu.fdp) = (fx.rip, fx.rdp);
        // The upper bits of a place are no part of the register.
        fpu.st = fx.st.map(|value| value & (u128::MAX >> 48));
    }
    if has(SSE) {
        fpu.xmm = fx.xmm;
    }
    if has(AVX) {
        let halves = space.copy_in_array::<u128>(GuestAddr(at.0.wrapping_add(XSAVE_YMM.0 as u64)), 16)?;
        fpu.ymm_hi.copy_from_slice(&halves);
    }
    Ok(fpu)
}

/// Which components a floating-point part has (`check_xstate_in_sigframe` of Linux, then XRSTOR's own checks).
fn extent(space: &Space, at: GuestAddr, fx: &FxState, xcr0: u64) -> Result<Extent, Errno> {
    let legacy = Ok(Extent { wanted: X87 | SSE, held: X87 | SSE });
    let size = fx.xstate_size as usize;
    if xcr0 == 0
        || fx.magic1 != FP_XSTATE_MAGIC1
        || !(XSAVE_LEAST..=xsave_size(xcr0)).contains(&size)
        || fx.xstate_size > fx.extended_size
    {
        return legacy;
    }
    let magic2: u32 = space.copy_in(GuestAddr(at.0.wrapping_add(size as u64)))?;
    if magic2 != FP_XSTATE_MAGIC2 {
        return legacy;
    }
    let header: XstateHeader = space.copy_in(GuestAddr(at.0.wrapping_add(size_of::<FxState>() as u64)))?;
    if header.xstate_bv & !xcr0 != 0 || header.xcomp_bv != 0 || header.reserved != [0; 6] {
        return Err(Errno::EFAULT);
    }
    let wanted = fx.xfeatures & xcr0;
    Ok(Extent { wanted, held: header.xstate_bv & wanted })
}

fn save_registers(r: &Regs, trap: &Trap, mask: SigSet, fpstate: u64) -> SigContext {
    let mut c = SigContext {
        ip: r.rip,
        flags: r.rflags,
        cs: SEGMENTS.0,
        ss: SEGMENTS.1,
        err: trap.code,
        trapno: trap.number,
        oldmask: mask.0,
        cr2: trap.addr,
        fpstate,
        ..SigContext::default()
    };
    c.r8_r15.copy_from_slice(&r.gpr[8..]);
    c.low = LOW.map(|i| r.gpr[i]);
    c
}

/// Builds the frame of a handler and sets the registers that it starts with.
///
/// # Errors
/// `EFAULT`: the stack cannot take it, or the action has no restorer.
pub(super) fn push(space: &mut Space, r: &mut Regs, order: &Order<'_>) -> Result<(), Errno> {
    if !order.action.has(sa::SA_RESTORER) {
        return Err(Errno::EFAULT);
    }
    let old_sp = r.gpr[RSP];
    let nested = order.alt_stack.is_active(old_sp);
    let mut sp = old_sp.wrapping_sub(RED_ZONE);
    let mut entering = false;
    if order.action.has(sa::SA_ONSTACK)
        && let Some(top) = order.alt_stack.top_if_free(sp)
    {
        (sp, entering) = (top, true);
    }
    let fpu = save_fpu(&r.fpu, order.xcr0);
    let fpstate = sp.wrapping_sub(fpu.len() as u64) & !63;
    // A function finds its stack aligned to 16 bytes before the call pushed the return address.
    let sp = (fpstate.wrapping_sub(size_of::<RtSigFrame>() as u64) & !15).wrapping_sub(8);
    if (nested || entering) && !order.alt_stack.holds(sp) {
        return Err(Errno::EFAULT);
    }
    let frame = RtSigFrame {
        pretcode: order.action.restorer,
        uc: UContext {
            flags: if order.xcr0 == 0 { 0 } else { UC_FP_XSTATE } | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
            link: 0,
            stack: order.alt_stack.saved(),
            mcontext: save_registers(r, order.trap, order.mask, fpstate),
            sigmask: order.mask.0,
        },
        info: order.info.to_raw(),
    };
    let base = GuestAddr(sp);
    if !space.access_ok(base, fpstate.wrapping_sub(sp).wrapping_add(fpu.len() as u64)) {
        return Err(Errno::EFAULT);
    }
    space.write(GuestAddr(fpstate), &fpu)?;
    space.copy_out(base, &frame)?;
    r.gpr[RDI] = u64::from(order.info.signal.0);
    r.gpr[RSI] = sp.wrapping_add(offset_of!(RtSigFrame, info) as u64);
    r.gpr[RDX] = sp.wrapping_add(offset_of!(RtSigFrame, uc) as u64);
    // A handler declared without a prototype is called as a variadic function: no vector arguments.
    r.gpr[RAX] = 0;
    r.gpr[RSP] = sp;
    r.rip = order.action.handler;
    r.rflags &= !HANDLER_CLEARS;
    r.fpu = Fpu::default();
    Ok(())
}

/// Takes the frame that rt_sigreturn finds at the stack pointer back into the registers.
///
/// # Errors
/// `EFAULT`: it is not a frame that a program could go on with.
pub(super) fn pop(space: &Space, r: &mut Regs, xcr0: u64) -> Result<Return, Errno> {
    // The handler's `ret` has taken the return address away.
    let at = GuestAddr(r.gpr[RSP].wrapping_sub(size_of::<u64>() as u64));
    let frame: RtSigFrame = space.copy_in(at)?;
    let c = &frame.uc.mcontext;
    if c.cs | 3 != SEGMENTS.0 || frame.uc.flags & UC_STRICT_RESTORE_SS != 0 && c.ss | 3 != SEGMENTS.1 {
        return Err(Errno::EFAULT);
    }
    let fpu = if c.fpstate == 0 { Fpu::default() } else { load_fpu(space, GuestAddr(c.fpstate), xcr0)? };
    r.fpu = fpu;
    r.gpr[8..].copy_from_slice(&c.r8_r15);
    for (value, i) in c.low.iter().zip(LOW) {
        r.gpr[i] = *value;
    }
    r.rip = c.ip;
    r.rflags = r.rflags & !USER_FLAGS | c.flags & USER_FLAGS;
    Ok(Return { mask: SigSet(frame.uc.sigmask), stack: frame.uc.stack })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromBytes;

    #[test]
    fn sizes_are_those_of_linux() {
        assert_eq!(size_of::<SigContext>(), 256);
        assert_eq!(size_of::<UContext>(), 304);
        assert_eq!(size_of::<RtSigFrame>(), 440);
        assert_eq!(size_of::<FxState>(), 512);
        assert_eq!(offset_of!(FxState, xmm), 160);
        assert_eq!(offset_of!(FxState, magic1), 464);
        assert_eq!((fpu_size(0), fpu_size(X87 | SSE), fpu_size(X87 | SSE | AVX)), (512, 580, 836));
    }

    #[test]
    fn the_vector_state_is_laid_out_as_xsave_does() {
        let mut fpu = Fpu { fcw: 0x27f, mxcsr: 0x9fc0, ..Fpu::default() };
        fpu.xmm[15] = 0x1234;
        fpu.ymm_hi[1] = 0x77;
        let area = save_fpu(&fpu, X87 | SSE | AVX);
        assert_eq!(area.len(), 836);
        assert_eq!(area[160 + 15 * 16..][..2], [0x34, 0x12]);
        assert_eq!(area[576 + 16], 0x77);
        assert_eq!(area[832..], FP_XSTATE_MAGIC2.to_le_bytes());
        let fx = FxState::read_from_bytes(&area[..512]).expect("512 bytes");
        assert_eq!((fx.extended_size, fx.xstate_size, fx.xfeatures, fx.cwd, fx.mxcsr), (836, 832, 7, 0x27f, 0x9fc0));
    }
}

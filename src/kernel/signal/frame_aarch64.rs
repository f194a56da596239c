//! The signal frame of aarch64 (arch/arm64/kernel/signal.c of Linux).
//!
//! From high to low addresses: a frame record, the list of register records, ucontext, siginfo.

use super::deliver::{Order, Return};
use super::*;
use crate::abi::consts::sigaction as sa;
use crate::abi::sigframe::aarch64::*;
use crate::arch::aarch64::Regs;
use crate::mem::Space;
use std::mem::{offset_of, size_of};
use zerocopy::IntoBytes;

/// The flags N, Z, C, V.
const NZCV: u64 = 0xf000_0000;
/// Mode, 32-bit state and interrupt masks: a program has them all clear.
const PRIVILEGED: u64 = 0x3df;

/// The records: vector registers, the syndrome of a fault if there was one, the end.
fn save_records(r: &Regs, trap: &Trap) -> Vec<u8> {
    let head = |magic, size: usize| CtxHead { magic, size: size as u32 };
    let fpsimd =
        FpsimdContext { head: head(FPSIMD_MAGIC, size_of::<FpsimdContext>()), fpsr: r.fpsr, fpcr: r.fpcr, vregs: r.v };
    let mut records = fpsimd.as_bytes().to_vec();
    if trap.code != 0 {
        let esr = EsrContext { head: head(ESR_MAGIC, size_of::<EsrContext>()), esr: trap.code };
        records.extend_from_slice(esr.as_bytes());
    }
    records.extend_from_slice(CtxHead::default().as_bytes());
    records
}

/// Finds the vector registers among the records at `at`.
fn find_fpsimd(space: &Space, at: GuestAddr) -> Result<FpsimdContext, Errno> {
    let (mut offset, mut found) = (0u64, None);
    let (mut base, mut limit, mut have_extra) = (at, RESERVED as u64, false);
    loop {
        let place = base.checked_add(offset).ok_or(Errno::EFAULT)?;
        if limit - offset < size_of::<CtxHead>() as u64 || !place.0.is_multiple_of(16) {
            return Err(Errno::EFAULT);
        }
        let head: CtxHead = space.copy_in(place)?;
        let size = u64::from(head.size);
        match head.magic {
            0 if size == 0 => break,
            0 => return Err(Errno::EFAULT),
            _ if size < size_of::<CtxHead>() as u64 || limit - offset < size => return Err(Errno::EFAULT),
            FPSIMD_MAGIC if found.is_some() || size < size_of::<FpsimdContext>() as u64 => return Err(Errno::EFAULT),
            FPSIMD_MAGIC => found = Some(space.copy_in(place)?),
            ESR_MAGIC => {}
            EXTRA_MAGIC if !have_extra => {
                // More records follow in one block elsewhere; the list here ends with the usual record.
                let [_, data, bytes]: [u64; 3] = space.copy_in(place)?;
                have_extra = true;
                (base, offset, limit) = (GuestAddr(data), 0, bytes & 0xffff_ffff);
                continue;
            }
            _ => return Err(Errno::EFAULT),
        }
        offset += size;
    }
    found.ok_or(Errno::EFAULT)
}

/// Builds the frame of a handler and sets the registers that it starts with.
///
/// # Errors
/// `EFAULT`: the stack cannot take it.
pub(super) fn push(space: &mut Space, r: &mut Regs, order: &Order<'_>) -> Result<(), Errno> {
    let top = match order.action.has(sa::SA_ONSTACK) {
        true => order.alt_stack.top_if_free(r.sp).unwrap_or(r.sp),
        false => r.sp,
    };
    let record = top.wrapping_sub(size_of::<FrameRecord>() as u64) & !15;
    let sp = record.wrapping_sub(FRAME_SIZE);
    if top < sp || !space.access_ok(GuestAddr(sp), top - sp) {
        return Err(Errno::EFAULT);
    }
    let frame = RtSigFrame {
        info: order.info.to_raw(),
        uc: UContext {
            flags: 0,
            link: 0,
            stack: order.alt_stack.saved(),
            sigmask: order.mask.0,
            unused: [0; 128],
            mcontext: SigContext {
                fault_address: order.trap.addr,
                regs: r.x,
                sp: r.sp,
                pc: r.pc,
                pstate: r.pstate,
                pad: 0,
            },
        },
    };
    space.copy_out(GuestAddr(record), &FrameRecord { fp: r.x[29], lr: r.x[30] })?;
    space.write(GuestAddr(sp.wrapping_add(size_of::<RtSigFrame>() as u64)), &save_records(r, order.trap))?;
    space.copy_out(GuestAddr(sp), &frame)?;
    r.x[0] = u64::from(order.info.signal.0);
    if order.action.has(sa::SA_SIGINFO) {
        r.x[1] = sp.wrapping_add(offset_of!(RtSigFrame, info) as u64);
        r.x[2] = sp.wrapping_add(offset_of!(RtSigFrame, uc) as u64);
    }
    r.x[29] = record;
    r.x[30] = if order.action.has(sa::SA_RESTORER) { order.action.restorer } else { order.trampoline.0 };
    r.sp = sp;
    r.pc = order.action.handler;
    Ok(())
}

/// Takes the frame that rt_sigreturn finds at the stack pointer back into the registers.
///
/// # Errors
/// `EFAULT`: it is not a frame that a program could go on with.
pub(super) fn pop(space: &Space, r: &mut Regs) -> Result<Return, Errno> {
    if !r.sp.is_multiple_of(16) {
        return Err(Errno::EFAULT);
    }
    let frame: RtSigFrame = space.copy_in(GuestAddr(r.sp))?;
    let fpsimd = find_fpsimd(space, GuestAddr(r.sp.wrapping_add(size_of::<RtSigFrame>() as u64)))?;
    let c = &frame.uc.mcontext;
    if c.pstate & PRIVILEGED != 0 {
        return Err(Errno::EFAULT);
    }
    (r.x, r.sp, r.pc, r.pstate) = (c.regs, c.sp, c.pc, c.pstate & NZCV);
    (r.v, r.fpsr, r.fpcr) = (fpsimd.vregs, fpsimd.fpsr, fpsimd.fpcr);
    Ok(Return { mask: SigSet(frame.uc.sigmask), stack: frame.uc.stack })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_linux() {
        assert_eq!(offset_of!(UContext, mcontext), 176);
        assert_eq!(size_of::<SigContext>(), 288);
        assert_eq!(size_of::<RtSigFrame>(), 592);
        assert_eq!(FRAME_SIZE, 4688);
        assert_eq!(size_of::<FpsimdContext>(), 528);
    }

    #[test]
    fn a_fault_adds_its_syndrome() {
        let plain = save_records(&Regs::default(), &Trap::default());
        assert_eq!(plain.len(), 528 + 8);
        assert_eq!(plain[528..], [0; 8]);
        let faulted = save_records(&Regs::default(), &Trap { addr: 0, code: 0x9200_0007, number: 0 });
        assert_eq!(faulted.len(), 528 + 16 + 8);
        assert_eq!(faulted[528..532], ESR_MAGIC.to_le_bytes());
    }
}

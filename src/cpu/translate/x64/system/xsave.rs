//! `fxsave`, `xsave` and their like (Intel SDM volume 1, chapter 13), with the components that the guest's processor has.
//!
//! Where the last x87 instruction and its operand stood is not followed: the areas show what was loaded last.

use super::{Done, Exit, One, PROTECTION, UNDEFINED};
use crate::arch::cpuid::{XSAVE_AVX as AVX, XSAVE_LEAST, XSAVE_SSE as SSE, XSAVE_X87 as X87, XSAVE_YMM};
use crate::arch::x86_64::{Fpu, MXCSR_MASK, RAX, RDX};

const MXCSR_INITIAL: u32 = 0x1f80;

/// Offsets in the area.
const CONTROL: usize = 0;
const MXCSR: usize = 24;
const ST: usize = 32;
const XMM: usize = 160;
const XMM_END: usize = 416;
const HEADER: usize = 512;
const AREA: usize = XSAVE_YMM.0 + XSAVE_YMM.1;

/// Bit of XCOMP_BV: the area is compacted.
const COMPACTED: u64 = 1 << 63;

/// Components that are not in their initial state.
pub(super) fn in_use(fpu: &Fpu) -> u64 {
    let initial = Fpu::default();
    let x87 = (fpu.fcw, fpu.fsw, fpu.ftw) != (initial.fcw, initial.fsw, initial.ftw) || fpu.st != initial.st;
    let bit = |on: bool, bit: u64| if on { bit } else { 0 };
    bit(x87, X87) | bit(fpu.xmm != [0; 16], SSE) | bit(fpu.ymm_hi != [0; 16], AVX)
}

/// The legacy part of the area, x87 and SSE.
fn legacy(fpu: &Fpu) -> [u8; HEADER] {
    let mut area = [0; HEADER];
    let mut put = |at: usize, bytes: &[u8]| area[at..at + bytes.len()].copy_from_slice(bytes);
    put(CONTROL, &fpu.fcw.to_le_bytes());
    put(2, &fpu.fsw.to_le_bytes());
    put(4, &[fpu.ftw]);
    put(6, &fpu.fop.to_le_bytes());
    put(8, &fpu.fip.to_le_bytes());
    put(16, &fpu.fdp.to_le_bytes());
    put(MXCSR, &fpu.mxcsr.to_le_bytes());
    put(MXCSR + 4, &MXCSR_MASK.to_le_bytes());
    for (i, value) in fpu.st.iter().enumerate() {
        put(ST + 16 * i, &value.to_le_bytes()[..10]);
    }
    for (i, value) in fpu.xmm.iter().enumerate() {
        put(XMM + 16 * i, &value.to_le_bytes());
    }
    area
}

fn number<const N: usize>(area: &[u8], at: usize) -> [u8; N] {
    area.get(at..at + N).and_then(|b| b.try_into().ok()).unwrap_or([0; N])
}

fn load_x87(fpu: &mut Fpu, area: &[u8]) {
    fpu.fcw = u16::from_le_bytes(number(area, CONTROL));
    fpu.fsw = u16::from_le_bytes(number(area, 2));
    [fpu.ftw] = number(area, 4);
    fpu.fop = u16::from_le_bytes(number(area, 6));
    fpu.fip = u64::from_le_bytes(number(area, 8));
    fpu.fdp = u64::from_le_bytes(number(area, 16));
    for (i, place) in fpu.st.iter_mut().enumerate() {
        // The upper bits of a place are no part of the register.
        *place = u128::from_le_bytes(number(area, ST + 16 * i)) & (u128::MAX >> 48);
    }
}

fn load_xmm(fpu: &mut Fpu, area: &[u8]) {
    for (i, place) in fpu.xmm.iter_mut().enumerate() {
        *place = u128::from_le_bytes(number(area, XMM + 16 * i));
    }
}

fn load_mxcsr(fpu: &mut Fpu, area: &[u8]) -> Done {
    let value = u32::from_le_bytes(number(area, MXCSR));
    if value & !MXCSR_MASK != 0 {
        return Err(PROTECTION);
    }
    fpu.mxcsr = value;
    Ok(())
}

impl One<'_> {
    /// The area's address, which must be a multiple of `alignment`.
    fn area(&self, alignment: u64) -> Result<u64, Exit> {
        let addr = self.address(0)?;
        if addr.is_multiple_of(alignment) { Ok(addr) } else { Err(PROTECTION) }
    }

    pub(super) fn fxsave(&mut self) -> Done {
        let addr = self.area(16)?;
        let area = legacy(&self.regs.fpu);
        // The bytes behind the registers are left to software.
        self.write(addr, &area[..XMM_END])
    }

    pub(super) fn fxrstor(&mut self) -> Done {
        let area: [u8; HEADER] = self.read(self.area(16)?)?;
        load_mxcsr(&mut self.regs.fpu, &area)?;
        load_x87(&mut self.regs.fpu, &area);
        load_xmm(&mut self.regs.fpu, &area);
        Ok(())
    }

    /// The components that the instruction is about, and the area.
    fn requested(&self) -> Result<(u64, u64), Exit> {
        let xcr0 = self.cpuid.xcr0();
        if xcr0 == 0 {
            return Err(UNDEFINED);
        }
        let half = |register: usize| self.regs.gpr[register] & 0xffff_ffff;
        Ok((xcr0 & (half(RDX) << 32 | half(RAX)), self.area(64)?))
    }

    /// Writes those components, and MXCSR if it belongs to one of `with_mxcsr`.
    fn write_components(&mut self, addr: u64, components: u64, with_mxcsr: u64) -> Done {
        let area = legacy(&self.regs.fpu);
        let mut put = |from: usize, bytes: &[u8]| self.write(addr.wrapping_add(from as u64), bytes);
        if components & X87 != 0 {
            put(0, &area[..MXCSR])?;
            put(ST, &area[ST..XMM])?;
        }
        if components & with_mxcsr != 0 {
            put(MXCSR, &area[MXCSR..ST])?;
        }
        if components & SSE != 0 {
            put(XMM, &area[XMM..XMM_END])?;
        }
        if components & AVX != 0 {
            let halves: Vec<u8> = self.regs.fpu.ymm_hi.iter().flat_map(|v| v.to_le_bytes()).collect();
            self.write(addr.wrapping_add(XSAVE_YMM.0 as u64), &halves)?;
        }
        Ok(())
    }

    /// `xsave`, and `xsaveopt`, which leaves out what is in its initial state.
    pub(super) fn xsave(&mut self) -> Done {
        let (wanted, addr) = self.requested()?;
        let header = addr.wrapping_add(HEADER as u64);
        let len = if wanted & AVX != 0 { AREA } else { XSAVE_LEAST };
        self.check(addr, len as u64, crate::cpu::Access::Write)?;
        let used = in_use(&self.regs.fpu);
        let old = self.read_number(header, 8)?;
        let optimized = matches!(self.insn.mnemonic(), iced_x86::Mnemonic::Xsaveopt | iced_x86::Mnemonic::Xsaveopt64);
        self.write_components(addr, if optimized { wanted & used } else { wanted }, 0)?;
        if wanted & (SSE | AVX) != 0 {
            let area = legacy(&self.regs.fpu);
            self.write(addr.wrapping_add(MXCSR as u64), &area[MXCSR..ST])?;
        }
        self.write(header, &(old & !wanted | used & wanted).to_le_bytes())
    }

    /// `xsavec`: the same offsets, since there is but one component behind the header.
    pub(super) fn xsavec(&mut self) -> Done {
        let (wanted, addr) = self.requested()?;
        let len = if wanted & AVX != 0 { AREA } else { XSAVE_LEAST };
        self.check(addr, len as u64, crate::cpu::Access::Write)?;
        let mut used = in_use(&self.regs.fpu) & wanted;
        if self.regs.fpu.mxcsr != MXCSR_INITIAL {
            used |= SSE & wanted;
        }
        self.write_components(addr, used, SSE)?;
        let header = [used.to_le_bytes(), (wanted | COMPACTED).to_le_bytes()].concat();
        self.write(addr.wrapping_add(HEADER as u64), &header)
    }

    pub(super) fn xrstor(&mut self) -> Done {
        let (wanted, addr) = self.requested()?;
        let least: [u8; XSAVE_LEAST] = self.read(addr)?;
        let held = u64::from_le_bytes(number(&least, HEADER));
        let format = u64::from_le_bytes(number(&least, HEADER + 8));
        let compacted = format & COMPACTED != 0;
        let (allowed, reserved) = match compacted {
            true => (format & !COMPACTED, HEADER + 16..XSAVE_LEAST),
            false => (self.cpuid.xcr0(), HEADER + 8..HEADER + 24),
        };
        let known = allowed & !self.cpuid.xcr0() == 0 && held & !allowed == 0;
        if !known || least[reserved].iter().any(|&b| b != 0) {
            return Err(PROTECTION);
        }
        let initial = Fpu::default();
        let fpu = &mut self.regs.fpu;
        let has = |component: u64| (wanted & component != 0).then_some(held & component != 0);
        match has(SSE) {
            // The compacted form has MXCSR among the SSE registers, the other one takes it in any case.
            Some(false) if compacted => fpu.mxcsr = MXCSR_INITIAL,
            Some(true) if compacted => load_mxcsr(fpu, &least)?,
            _ if !compacted && wanted & (SSE | AVX) != 0 => load_mxcsr(fpu, &least)?,
            _ => {}
        }
        match has(SSE) {
            Some(true) => load_xmm(fpu, &least),
            Some(false) => fpu.xmm = initial.xmm,
            None => {}
        }
        match has(X87) {
            Some(true) => load_x87(fpu, &least),
            Some(false) => {
                (fpu.fcw, fpu.fsw, fpu.ftw, fpu.st) = (initial.fcw, initial.fsw, initial.ftw, initial.st);
                (fpu.fop, fpu.fip, fpu.fdp) = (0, 0, 0);
            }
            None => {}
        }
        match has(AVX) {
            Some(true) => {
                let halves: [u8; XSAVE_YMM.1] = self.read(addr.wrapping_add(XSAVE_YMM.0 as u64))?;
                for (place, value) in self.regs.fpu.ymm_hi.iter_mut().zip(halves.chunks_exact(16)) {
                    *place = u128::from_le_bytes(number(value, 0));
                }
            }
            Some(false) => fpu.ymm_hi = initial.ymm_hi,
            None => {}
        }
        Ok(())
    }
}

//! From what a CPU could not do to the signal that Linux sends for it.

use super::*;
use crate::abi::consts::{
    si_code_bus as bus, si_code_fpe as fpe, si_code_ill as ill, si_code_segv as segv, si_code_trap,
};
use crate::arch::{RegPort, Regs};
use crate::cpu::{Access, Exit, FaultKind};
use crate::mem::Space;

/// x86_64 exception numbers (Intel SDM volume 3, table 6-1).
mod vector {
    pub const DIVIDE: u64 = 0;
    pub const DEBUG: u64 = 1;
    pub const BREAKPOINT: u64 = 3;
    pub const INVALID_OPCODE: u64 = 6;
    pub const GENERAL_PROTECTION: u64 = 13;
    pub const PAGE_FAULT: u64 = 14;
    pub const X87: u64 = 16;
    pub const ALIGNMENT: u64 = 17;
    pub const SIMD: u64 = 19;
}

/// The exceptions of mxcsr.
const MXCSR_FLAGS: u32 = 0x3f;

impl Kernel {
    /// Turns a CPU exit that is the guest's fault into the signal that Linux sends for it, to the faulting thread.
    pub fn fault(&mut self, tid: Tid, exit: Exit, port: &mut dyn RegPort) {
        let Some(t) = self.threads.get_mut(&tid) else { return };
        if let Exit::Fault { addr, kind: FaultKind::Unmapped, .. } = exit {
            let mut space = t.space.borrow_mut();
            if space.area_at(addr).is_none() && space.grow_stack(addr) {
                return;
            }
        }
        let pc = port.pc();
        let described = match t.arch {
            Arch::X86_64 => {
                let mut regs = Regs::new(t.arch);
                port.save(&mut regs);
                let last = t.signals.trap;
                x86_64(exit, pc, &regs, last).map(|(info, trap)| match exit {
                    Exit::Fault { addr, access, kind: FaultKind::Protection } => {
                        let present = u64::from(is_present(&t.space.borrow(), addr, access));
                        (info, Trap { code: trap.code | present, ..trap })
                    }
                    _ => (info, trap),
                })
            }
            Arch::Aarch64 => aarch64(exit, pc, t.signals.trap),
        };
        let Some((info, trap)) = described else { return };
        t.signals.trap = trap;
        self.counters.faults += 1;
        self.force_signal(tid, info);
    }
}

/// The signal of an access that failed.
fn of_access(addr: GuestAddr, kind: FaultKind) -> SigInfo {
    match kind {
        FaultKind::Unmapped => SigInfo::fault(Signal::SIGSEGV, segv::SEGV_MAPERR, addr.0),
        FaultKind::Protection => SigInfo::fault(Signal::SIGSEGV, segv::SEGV_ACCERR, addr.0),
        FaultKind::BeyondFile => SigInfo::fault(Signal::SIGBUS, bus::BUS_ADRERR, addr.0),
        FaultKind::Alignment => SigInfo::fault(Signal::SIGBUS, bus::BUS_ADRALN, addr.0),
        FaultKind::NonCanonical => SigInfo::kernel(Signal::SIGSEGV),
    }
}

/// x86_64: `last` is what the thread's previous fault left, of which an exception without an address keeps cr2.
fn x86_64(exit: Exit, pc: u64, regs: &Regs, last: Trap) -> Option<(SigInfo, Trap)> {
    let trap = |number, code| Trap { number, code, addr: last.addr };
    Some(match exit {
        Exit::Fault { addr, kind, .. } if kind == FaultKind::NonCanonical => {
            (of_access(addr, kind), trap(vector::GENERAL_PROTECTION, 0))
        }
        Exit::Fault { addr, kind, .. } if kind == FaultKind::Alignment => {
            (of_access(addr, kind), trap(vector::ALIGNMENT, 0))
        }
        Exit::Fault { addr, access, kind } => {
            (of_access(addr, kind), Trap { number: vector::PAGE_FAULT, code: page_fault_code(access), addr: addr.0 })
        }
        Exit::Illegal { privileged: true } => (SigInfo::kernel(Signal::SIGSEGV), trap(vector::GENERAL_PROTECTION, 0)),
        Exit::Illegal { privileged: false } => {
            (SigInfo::fault(Signal::SIGILL, ill::ILL_ILLOPN, pc), trap(vector::INVALID_OPCODE, 0))
        }
        Exit::Breakpoint => (SigInfo::kernel(Signal::SIGTRAP), trap(vector::BREAKPOINT, 0)),
        Exit::SingleStep => (SigInfo::fault(Signal::SIGTRAP, si_code_trap::TRAP_TRACE, pc), trap(vector::DEBUG, 0)),
        Exit::Divide => (SigInfo::fault(Signal::SIGFPE, fpe::FPE_INTDIV, pc), trap(vector::DIVIDE, 0)),
        Exit::FloatingPoint { code } => {
            let number = if simd_caused(regs) { vector::SIMD } else { vector::X87 };
            (SigInfo::fault(Signal::SIGFPE, code as u32, pc), trap(number, 0))
        }
        Exit::Syscall | Exit::Budget => return None,
    })
}

/// Whether a refused access found a page, bit 0 of the error code. Nothing is there with PROT_NONE; a fetch brings the
/// page in before it is refused; a store finds it if something has been read there before.
fn is_present(space: &Space, addr: GuestAddr, access: Access) -> bool {
    match access {
        Access::Read => false,
        Access::Execute => space.area_at(addr).is_some_and(|a| !a.prot.is_empty()),
        Access::Write => space.resident(addr.page(), 1).is_ok_and(|pages| pages.first() == Some(&1)),
    }
}

/// The error code of a page fault but for bit 0: write, user, instruction fetch.
fn page_fault_code(access: Access) -> u64 {
    let how = match access {
        Access::Read => 0,
        Access::Write => 0x2,
        Access::Execute => 0x10,
    };
    how | 0x4
}

/// Whether mxcsr has an exception that it does not mask.
fn simd_caused(regs: &Regs) -> bool {
    let Regs::X86_64(r) = regs else { return false };
    let masked = r.fpu.mxcsr >> 7;
    r.fpu.mxcsr & !masked & MXCSR_FLAGS != 0
}

/// Exception classes of aarch64 (Arm ARM, ESR_EL1).
mod class {
    pub const INSTRUCTION_ABORT: u64 = 0x20;
    pub const PC_ALIGNMENT: u64 = 0x22;
    pub const DATA_ABORT: u64 = 0x24;
}

/// aarch64: `last` stays where Linux does not record a syndrome.
fn aarch64(exit: Exit, pc: u64, last: Trap) -> Option<(SigInfo, Trap)> {
    Some(match exit {
        Exit::Fault { addr, access, kind } => {
            (of_access(addr, kind), Trap { addr: addr.0, code: syndrome(access, kind), number: 0 })
        }
        Exit::Illegal { .. } => (SigInfo::fault(Signal::SIGILL, ill::ILL_ILLOPC, pc), Trap::default()),
        Exit::Breakpoint => (SigInfo::fault(Signal::SIGTRAP, si_code_trap::TRAP_BRKPT, pc), last),
        Exit::SingleStep => (SigInfo::fault(Signal::SIGTRAP, si_code_trap::TRAP_TRACE, pc), last),
        // The architecture's division does not trap; a backend that says so means the same as the other's.
        Exit::Divide => (SigInfo::fault(Signal::SIGFPE, fpe::FPE_INTDIV, pc), last),
        Exit::FloatingPoint { code } => (SigInfo::fault(Signal::SIGFPE, code as u32, pc), last),
        Exit::Syscall | Exit::Budget => return None,
    })
}

/// ESR_EL1 of an access that failed: class, 32-bit instruction, write, and the fault's status at the last level of the
/// page table.
fn syndrome(access: Access, kind: FaultKind) -> u64 {
    let status = match kind {
        FaultKind::Unmapped | FaultKind::BeyondFile | FaultKind::NonCanonical => 0b000111,
        FaultKind::Protection => 0b001111,
        FaultKind::Alignment => 0b100001,
    };
    let (class, bits) = match access {
        Access::Execute if kind == FaultKind::Alignment => (class::PC_ALIGNMENT, 0),
        Access::Execute => (class::INSTRUCTION_ABORT, status),
        Access::Read => (class::DATA_ABORT, status),
        Access::Write => (class::DATA_ABORT, status | 1 << 6),
    };
    class << 26 | 1 << 25 | bits
}

/// The signal for an rt_sigreturn(2) that finds no good frame at `sp`.
pub(super) fn bad_frame(space: &Space, arch: Arch, sp: u64) -> SigInfo {
    match arch {
        Arch::X86_64 => SigInfo::kernel(Signal::SIGSEGV),
        Arch::Aarch64 => {
            // Linux looks for any area that ends above the address.
            let covered = space.areas().any(|a| a.end.0 > sp);
            let code = if covered { segv::SEGV_ACCERR } else { segv::SEGV_MAPERR };
            SigInfo::fault(Signal::SIGSEGV, code, sp)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x86_64_page_faults() {
        let exit = |access, kind| Exit::Fault { addr: GuestAddr(0x10), access, kind };
        let regs = Regs::new(Arch::X86_64);
        let of = |access, kind| x86_64(exit(access, kind), 1, &regs, Trap::default()).expect("a fault");
        let (info, trap) = of(Access::Write, FaultKind::Unmapped);
        assert_eq!(info, SigInfo::fault(Signal::SIGSEGV, 1, 0x10));
        assert_eq!(trap, Trap { addr: 0x10, code: 6, number: 14 });
        assert_eq!(of(Access::Read, FaultKind::Protection).1.code, 4);
        assert_eq!(of(Access::Execute, FaultKind::Protection).1.code, 0x14);
        let (info, trap) = of(Access::Read, FaultKind::NonCanonical);
        assert_eq!((info.code, trap.number), (128, 13));
    }

    #[test]
    fn aarch64_syndromes() {
        assert_eq!(syndrome(Access::Read, FaultKind::Unmapped), 0x9200_0007);
        assert_eq!(syndrome(Access::Write, FaultKind::Protection), 0x9200_004f);
        assert_eq!(syndrome(Access::Execute, FaultKind::Unmapped), 0x8200_0007);
    }

    #[test]
    fn a_simd_exception_is_told_from_an_x87_one() {
        let mut regs = Regs::new(Arch::X86_64);
        assert!(!simd_caused(&regs));
        if let Regs::X86_64(r) = &mut regs {
            r.fpu.mxcsr = 0x1d80 | 0x4;
        }
        assert!(simd_caused(&regs));
    }
}

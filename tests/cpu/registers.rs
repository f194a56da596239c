//! Point 1: registers.

use super::bench::{Bench, each, odd_registers};
use sevm::arch::{Arch, Regs, x86_64};
use sevm::cpu::Exit;

#[test]
fn save_after_load_gives_the_same() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "straight");
        let odd = odd_registers(arch);
        bench.cpu.load(&odd);
        assert_eq!(bench.regs(), odd);
        assert_eq!((bench.cpu.pc(), bench.cpu.sp()), (odd.pc(), odd.sp()));
        assert_eq!(bench.cpu.syscall(), odd.syscall());
        bench.cpu.load(&Regs::new(arch));
        assert_eq!(bench.regs(), Regs::new(arch));
    });
}

#[test]
fn a_run_changes_no_other_registers() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "straight");
        let mut odd = odd_registers(arch);
        bench.cpu.load(&odd);
        assert_eq!(bench.run_for(4), Exit::Budget);
        let after = bench.regs();
        match (&mut odd, &after) {
            (Regs::X86_64(odd), Regs::X86_64(after)) => {
                odd.gpr[x86_64::RAX] = odd.gpr[x86_64::RAX].wrapping_add(4);
                (odd.rip, odd.rflags) = (after.rip, after.rflags);
            }
            (Regs::Aarch64(odd), Regs::Aarch64(_)) => {
                odd.x[0] = odd.x[0].wrapping_add(4);
                odd.pc += 16;
            }
            _ => panic!("mixed architectures"),
        }
        assert_eq!(after, odd);
    });
}

#[test]
fn state_made_by_the_guest_is_saved() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "state");
        match arch {
            Arch::X86_64 => {
                bench.edit_x86(|r| r.fpu.xmm[4] = 0x1111_2222_3333_4444_5555_6666_7777_8888);
                assert_eq!(bench.run(), Exit::Syscall);
                let r = bench.x86();
                assert_eq!(r.fpu.xmm[3], 0x1111_2222_3333_4444_5555_6666_7777_8888);
                // Two values on the x87 stack: top is 6; pi, then one.
                assert_eq!((r.fpu.fsw >> 11 & 7, r.fpu.ftw), (6, 0b1100_0000));
                assert_eq!(r.fpu.st[..2], [0x4000_c90f_daa2_2168_c235, 0x3fff_8000_0000_0000_0000]);
                assert_eq!(r.rflags & 0x401, 0x401, "carry and direction");
            }
            Arch::Aarch64 => {
                assert_eq!(bench.run(), Exit::Syscall);
                let r = bench.arm();
                assert_eq!(r.v[3], u128::from(2f64.to_bits()));
                assert_eq!(r.v[4], u128::from(f64::INFINITY.to_bits()));
                assert_eq!((r.fpcr, r.fpsr), (1 << 22, 1 << 1), "rounding mode; division by zero");
                assert_eq!(r.pstate, 0x4000_0000, "zero flag");
            }
        }
    });
}

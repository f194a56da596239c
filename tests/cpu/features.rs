//! Point 2: what instructions show and do.

use super::bench::{Bench, CODE, DATA, each, each_arm, each_x86};
use sevm::arch::{Arch, Regs, x86_64};
use sevm::cpu::{Counter, Exit};

#[test]
fn thread_pointers() {
    each_x86(|backend| {
        let mut bench = Bench::new(backend, Arch::X86_64, "fsgs_code");
        bench.write(DATA + 8, 0x1111);
        bench.write(DATA + 0x108, 0x2222);
        bench.edit_x86(|r| (r.gpr[x86_64::RDI], r.gpr[x86_64::RSI]) = (DATA, DATA + 0x100));
        assert_eq!(bench.run(), Exit::Syscall);
        let r = bench.x86();
        assert_eq!((r.gpr[x86_64::RAX], r.gpr[x86_64::RBX], r.gpr[x86_64::RDX]), (0x1111, 0x2222, DATA + 0x100));
        assert_eq!((r.fs_base, r.gs_base), (DATA, DATA + 0x100));
    });
    each_arm(|backend| {
        let mut bench = Bench::new(backend, Arch::Aarch64, "thread_pointer");
        bench.edit_arm(|r| r.tpidr = 0x1234_5678_9abc);
        assert_eq!(bench.run(), Exit::Syscall);
        let r = bench.arm();
        assert_eq!((r.x[0], r.tpidr), (0x1234_5678_9abc, 0x1234_5678_9abd));
    });
}

#[test]
fn shown_features_work() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "features");
        bench.point(DATA);
        if arch == Arch::Aarch64 {
            bench.edit_arm(|r| r.x[1] = 5);
        }
        bench.edit_regs_for_features();
        assert_eq!(bench.run(), Exit::Syscall, "pc {:#x}", bench.cpu.pc() - CODE);
        if let Regs::Aarch64(r) = bench.regs() {
            assert_eq!((r.x[0], r.x[2]), (0x1234, 0x1234), "signed and authenticated");
            assert_ne!(r.x[4], 0x1234, "signed");
            assert_ne!(r.x[5], 0);
        }
        let (hwcap, _) = bench.cpu.hwcap();
        assert_ne!(hwcap, 0);
    });
}

#[test]
fn cpuid_shows_the_table() {
    each_x86(|backend| {
        for (leaf, subleaf) in [(0, 0), (1, 0), (4, 2), (7, 0), (0xd, 0), (0x8000_0001, 0), (0x8000_0003, 0)] {
            let mut bench = Bench::new(backend, Arch::X86_64, "cpuid_code");
            bench.edit_x86(|r| (r.gpr[x86_64::RAX], r.gpr[x86_64::RCX]) = (leaf, subleaf));
            assert_eq!(bench.run_for(1), Exit::Budget);
            let r = bench.x86();
            let found = [x86_64::RAX, x86_64::RBX, x86_64::RCX, x86_64::RDX].map(|i| r.gpr[i] as u32);
            let shown = bench.cpu.cpuid().expect("an x86_64 CPU shows something");
            assert_eq!(found, shown.leaf(leaf as u32, subleaf as u32), "leaf {leaf:#x}");
        }
        let mut bench = Bench::new(backend, Arch::X86_64, "xgetbv_code");
        assert_eq!(bench.run(), Exit::Syscall);
        let shown = bench.cpu.cpuid().expect("an x86_64 CPU shows something");
        assert_eq!(bench.x86().gpr[x86_64::RAX], shown.xcr0());
        let mut bench = Bench::new(backend, Arch::X86_64, "rdrand_code");
        assert_eq!(bench.run(), Exit::Illegal { privileged: false });
        assert_eq!((bench.cpu.retired(), bench.x86().gpr[x86_64::RBX], bench.cpu.pc()), (2, 2, CODE + 4));
    });
}

#[test]
fn id_registers_are_as_linux_shows_them() {
    each_arm(|backend| {
        let mut bench = Bench::new(backend, Arch::Aarch64, "id_registers");
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!(bench.cpu.retired(), 9);
        let x = bench.arm().x;
        assert_ne!(x[0], 0);
        let field = |word: u64, low: u32| word >> low & 15;
        let (isar0, isar1, pfr0) = (x[1], x[2], x[3]);
        assert_eq!((field(isar0, 4), field(isar0, 20), field(isar0, 60)), (2, 2, 0), "AES, atomics, no RNDR");
        assert_eq!(field(isar1, 4), 1, "pointer authentication");
        assert_eq!((field(pfr0, 16), field(pfr0, 20), field(pfr0, 32)), (1, 1, 0), "half precision, no SVE");
        assert_eq!(x[4], 1 << 31);
        assert_eq!(x[5], 0, "not for user mode");
        assert_eq!(x[6] & 0x1f, 4, "dc zva of 64 bytes allowed");
        assert_ne!(x[7], 0);
        let (hwcap, hwcap2) = bench.cpu.hwcap();
        const SVE: u64 = 1 << 22;
        const RNG: u64 = 1 << 16;
        assert_eq!((hwcap & SVE, hwcap2 & RNG), (0, 0));
    });
}

#[test]
fn hints_do_not_wait() {
    each_arm(|backend| {
        let mut bench = Bench::new(backend, Arch::Aarch64, "hints");
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!((bench.arm().x[0], bench.cpu.retired()), (2, 6));
    });
}

#[test]
fn counters_follow_the_choice() {
    each(|backend, arch| {
        let name = if arch == Arch::X86_64 { "rdtsc_code" } else { "counters" };
        let mut bench = Bench::new(backend, arch, name);
        bench.cpu.set_counter(Counter::Retired { offset: 5_000_000_000 });
        assert_eq!(bench.run(), Exit::Syscall);
        match bench.regs() {
            Regs::X86_64(r) => {
                assert_eq!((r.gpr[x86_64::RBX], r.gpr[x86_64::RAX]), (5_000_000_000, 5_000_000_005));
            }
            Regs::Aarch64(r) => assert_eq!(r.x[..3], [5_000_000_000, 1_000_000_000, 5_000_000_002]),
        }
        assert_eq!(bench.cpu.retired(), if arch == Arch::X86_64 { 9 } else { 4 });
        bench.cpu.set_counter(Counter::Host);
        let now = || rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let before = now();
        bench.start(CODE);
        assert_eq!(bench.run(), Exit::Syscall);
        let after = now();
        let ns = |t: rustix::time::Timespec| t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64;
        let range = ns(before)..=ns(after);
        let (first, second) = match bench.regs() {
            Regs::X86_64(r) => (r.gpr[x86_64::RBX], r.gpr[x86_64::RAX]),
            Regs::Aarch64(r) => (r.x[0], r.x[2]),
        };
        assert!(range.contains(&first) && range.contains(&second) && first <= second);
    });
}

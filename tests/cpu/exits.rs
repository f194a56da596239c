//! Point 2: exits.

use super::bench::{
    Bench, CODE, DATA, DATA_END, NOWHERE, READ_ONLY, STACK_TOP, each, each_arm, each_x86, fault, snippet,
};
use sevm::arch::{Arch, Regs, x86_64};
use sevm::cpu::{Access, Exit, FaultKind};
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot};

#[test]
fn a_system_call_stops_behind_itself() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "add_loop");
        match arch {
            Arch::X86_64 => bench.edit_x86(|r| r.gpr[x86_64::RCX] = 10),
            Arch::Aarch64 => bench.edit_arm(|r| r.x[1] = 10),
        }
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!(bench.cpu.retired(), 33);
        let regs = bench.regs();
        match &regs {
            Regs::X86_64(r) => {
                assert_eq!(r.gpr[x86_64::RAX], 39);
                assert_eq!((r.gpr[x86_64::RCX], r.gpr[11]), (r.rip, r.rflags), "what the instruction leaves behind");
            }
            Regs::Aarch64(r) => assert_eq!((r.x[0], r.x[8]), (55, 172)),
        }
        assert_eq!(bench.cpu.syscall(), regs.syscall());
        let length = bench.cpu.pc() - CODE;
        let code = snippet(arch, "add_loop");
        let call = &code[(length - arch.syscall_insn_len()) as usize..length as usize];
        assert_eq!(call, if arch == Arch::X86_64 { &[0x0f, 0x05][..] } else { &[0x01, 0, 0, 0xd4] });
        bench.cpu.set_result(u64::MAX - 1);
        assert_eq!(bench.regs().result(), u64::MAX - 1);
    });
}

#[test]
fn a_fault_leaves_the_registers_before_the_instruction() {
    each(|backend, arch| {
        for (target, kind) in [(NOWHERE + 8, FaultKind::Unmapped), (DATA - 8, FaultKind::Unmapped)] {
            let mut bench = Bench::new(backend, arch, "load_fault");
            bench.point(target);
            assert_eq!(bench.run(), fault(target, Access::Read, kind));
            match bench.regs() {
                Regs::X86_64(r) => {
                    assert_eq!((r.gpr[x86_64::RAX], r.gpr[x86_64::RBX], r.gpr[x86_64::RDX]), (7, 5, 0));
                    assert_eq!(r.rip, CODE + 8);
                }
                Regs::Aarch64(r) => assert_eq!((r.x[0], r.x[1], r.x[2], r.pc), (7, 5, 0, CODE + 8)),
            }
            assert_eq!(bench.cpu.retired(), 2);
        }
        for (target, kind) in [(NOWHERE, FaultKind::Unmapped), (READ_ONLY + 16, FaultKind::Protection)] {
            let mut bench = Bench::new(backend, arch, "store_fault");
            bench.point(target);
            assert_eq!(bench.run(), fault(target, Access::Write, kind));
            assert_eq!((bench.regs().result(), bench.cpu.retired()), (7, 1));
        }
    });
}

#[test]
fn a_fault_can_be_repaired_and_the_instruction_run_again() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "store_fault");
        bench.point(NOWHERE);
        assert!(matches!(bench.run(), Exit::Fault { .. }));
        let request = MapRequest::anonymous_at(GuestAddr(NOWHERE), PAGE_SIZE, Prot::READ | Prot::WRITE);
        bench.space.map(&request).expect("map");
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!((bench.read(NOWHERE), bench.regs().result(), bench.cpu.retired()), (7, 8, 4));
    });
}

#[test]
fn jumps_to_bad_places_fault_there() {
    each(|backend, arch| {
        let name = if arch == Arch::X86_64 { "jump_rsi" } else { "jump_x3" };
        let high = if arch == Arch::X86_64 { FaultKind::NonCanonical } else { FaultKind::Unmapped };
        let places = [
            (NOWHERE, FaultKind::Unmapped),
            (0, FaultKind::Unmapped),
            (DATA, FaultKind::Protection),
            (0x7fff_ffff_0000, FaultKind::Unmapped),
            (0x1234_5678_9abc_def0 & !(1 << 55), high),
        ];
        for (target, kind) in places {
            let mut bench = Bench::new(backend, arch, name);
            bench.point(target);
            let Exit::Fault { addr, access, kind: found } = bench.run() else { panic!("no fault at {target:#x}") };
            assert_eq!((access, found), (Access::Execute, kind), "{target:#x}");
            if target >> 56 == 0 {
                assert_eq!((addr.0, bench.cpu.pc()), (target, target));
            }
            assert_eq!(bench.cpu.retired(), 1, "the jump itself");
        }
    });
}

#[test]
fn stack_instructions_fault_without_moving_the_stack() {
    each_x86(|backend| {
        let cases = [
            ("push_fault", NOWHERE + 8, NOWHERE, Access::Write),
            ("call_fault", NOWHERE + 8, NOWHERE, Access::Write),
            ("ret_fault", NOWHERE, NOWHERE, Access::Read),
        ];
        for (name, sp, addr, access) in cases {
            let mut bench = Bench::new(backend, Arch::X86_64, name);
            bench.edit_x86(|r| r.gpr[x86_64::RSP] = sp);
            assert_eq!(bench.run(), fault(addr, access, FaultKind::Unmapped), "{name}");
            assert_eq!((bench.cpu.pc(), bench.cpu.sp(), bench.cpu.retired()), (CODE, sp, 0), "{name}");
        }
    });
}

#[test]
fn repeated_string_instructions_show_their_progress_in_a_fault() {
    each_x86(|backend| {
        let mut bench = Bench::new(backend, Arch::X86_64, "movsb");
        bench.write(DATA, 0x0807_0605_0403_0201);
        bench.edit_x86(|r| {
            r.gpr[x86_64::RSI] = DATA;
            r.gpr[x86_64::RDI] = DATA_END - 3;
            r.gpr[x86_64::RCX] = 8;
        });
        assert_eq!(bench.run(), fault(DATA_END, Access::Write, FaultKind::Unmapped));
        let r = bench.x86();
        assert_eq!((r.gpr[x86_64::RSI], r.gpr[x86_64::RDI], r.gpr[x86_64::RCX]), (DATA + 3, DATA_END, 5));
        assert_eq!((r.rip, bench.cpu.retired()), (CODE + 1, 1), "cld only");
        assert_eq!(bench.read(DATA_END - 8) >> 40, 0x03_0201);
    });
}

#[test]
fn pair_loads_change_nothing_when_the_second_half_faults() {
    each_arm(|backend| {
        for name in ["load_pair", "load_pair_back"] {
            let mut bench = Bench::new(backend, Arch::Aarch64, name);
            bench.point(DATA_END - 8);
            bench.edit_arm(|r| (r.x[0], r.x[1]) = (11, 22));
            assert_eq!(bench.run(), fault(DATA_END, Access::Read, FaultKind::Unmapped));
            let r = bench.arm();
            assert_eq!((r.x[0], r.x[1], r.x[3], r.pc), (11, 22, DATA_END - 8, CODE), "{name}");
        }
    });
}

#[test]
fn undefined_instructions() {
    each(|backend, arch| {
        let names: &[&str] = match arch {
            Arch::X86_64 => &["ud2_code", "avx_code"],
            Arch::Aarch64 => &["udf_code", "privileged"],
        };
        for name in names {
            let mut bench = Bench::new(backend, arch, name);
            if *name == "avx_code" && bench.cpu.cpuid().is_some_and(|c| c.features().has("avx")) {
                continue;
            }
            assert_eq!(bench.run(), Exit::Illegal { privileged: false }, "{name}");
            let first = if arch == Arch::X86_64 { 2 } else { 4 };
            let exit = (bench.cpu.pc(), bench.cpu.retired(), bench.regs().result());
            assert_eq!(exit, (CODE + first, 1, 1), "{name}");
        }
    });
    each_arm(|backend| {
        for name in ["sve_code", "id_unknown"] {
            let mut bench = Bench::new(backend, Arch::Aarch64, name);
            assert_eq!(bench.run(), Exit::Illegal { privileged: false }, "{name}");
            assert_eq!((bench.cpu.pc(), bench.cpu.retired()), (CODE, 0));
        }
    });
}

#[test]
fn privileged_instructions_of_x86() {
    each_x86(|backend| {
        for (name, before) in [("hlt_code", 1), ("in_code", 0), ("wrmsr_code", 0), ("int80_code", 1)] {
            let mut bench = Bench::new(backend, Arch::X86_64, name);
            assert_eq!(bench.run(), Exit::Illegal { privileged: true }, "{name}");
            assert_eq!((bench.cpu.pc(), bench.cpu.retired()), (CODE + 2 * before, before), "{name}");
        }
        let codes: [(&str, &[u8]); 24] = [
            ("cli", b"\xfa"),
            ("sti", b"\xfb"),
            ("rdmsr", b"\x0f\x32"),
            ("rdpmc", b"\x0f\x33"),
            ("clts", b"\x0f\x06"),
            ("wbinvd", b"\x0f\x09"),
            ("swapgs", b"\x0f\x01\xf8"),
            ("mov cr0, rax", b"\x0f\x22\xc0"),
            ("mov rax, cr3", b"\x0f\x20\xd8"),
            ("mov rax, dr7", b"\x0f\x21\xf8"),
            ("lgdt [rdi]", b"\x0f\x01\x17"),
            ("lidt [rdi]", b"\x0f\x01\x1f"),
            ("lmsw ax", b"\x0f\x01\xf0"),
            ("ltr ax", b"\x0f\x00\xd8"),
            ("invlpg [rdi]", b"\x0f\x01\x3f"),
            ("sysretq", b"\x48\x0f\x07"),
            ("iretq", b"\x48\xcf"),
            ("iretd", b"\xcf"),
            ("retfq", b"\x48\xcb"),
            ("out dx, al", b"\xee"),
            ("rep insb", b"\xf3\x6c"),
            ("outsb", b"\x6e"),
            ("mov ds, ax", b"\x8e\xd8"),
            ("xsetbv", b"\x0f\x01\xd1"),
        ];
        for (text, code) in codes {
            let mut bench = Bench::with_code(backend, Arch::X86_64, code);
            bench.point(DATA);
            bench.edit_x86(|r| {
                // No segment has this number.
                r.gpr[x86_64::RAX] = 0x7778;
                r.gpr[x86_64::RSP] = STACK_TOP - 64;
            });
            assert_eq!(bench.run(), Exit::Illegal { privileged: true }, "{text}");
            assert_eq!((bench.cpu.pc(), bench.cpu.retired()), (CODE, 0), "{text}");
        }
    });
}

#[test]
fn breakpoints() {
    each(|backend, arch| {
        let (name, behind, counted) = match arch {
            Arch::X86_64 => ("int3_code", 3, 2),
            Arch::Aarch64 => ("brk_code", 4, 1),
        };
        let mut bench = Bench::new(backend, arch, name);
        assert_eq!(bench.run(), Exit::Breakpoint);
        assert_eq!((bench.cpu.pc(), bench.cpu.retired()), (CODE + behind, counted));
    });
}

#[test]
fn arithmetic_exceptions_of_x86() {
    each_x86(|backend| {
        let mut bench = Bench::new(backend, Arch::X86_64, "divide_zero");
        assert_eq!(bench.run(), Exit::Divide);
        assert_eq!((bench.x86().gpr[x86_64::RBX], bench.cpu.retired()), (1, 4));
        // Where the code begins with an instruction that leaves no flag as it is, but faults.
        const XOR_FLAGS: u64 = 0x44;
        const DIVIDE: u64 = 11;
        let mut bench = Bench::new(backend, Arch::X86_64, "divide_zero");
        for flags in [0x202, 0x202 | 0x8d5, 0x202 | XOR_FLAGS] {
            bench.edit_x86(|r| {
                (r.rip, r.rflags) = (CODE + DIVIDE, flags);
                r.gpr[x86_64::RCX] = 0;
            });
            assert_eq!(bench.run(), Exit::Divide);
            assert_eq!((bench.x86().rip, bench.x86().rflags), (CODE + DIVIDE, flags));
        }
        let mut bench = Bench::new(backend, Arch::X86_64, "divide_overflow");
        assert_eq!(bench.run(), Exit::Divide);
        assert_eq!(bench.cpu.retired(), 3);
        const FPE_FLTDIV: i32 = 3;
        let mut bench = Bench::new(backend, Arch::X86_64, "x87_trap");
        assert_eq!(bench.run(), Exit::FloatingPoint { code: FPE_FLTDIV });
        assert_eq!(bench.cpu.retired(), 5, "the exception is raised by the next waiting instruction");
    });
}

#[test]
fn single_step_of_x86() {
    each_x86(|backend| {
        let mut bench = Bench::new(backend, Arch::X86_64, "single_step");
        assert_eq!(bench.run(), Exit::SingleStep);
        // The instruction that sets TF is not followed by a trap; the next one is.
        assert_eq!(bench.x86().gpr[x86_64::RAX], 1);
        assert_eq!(bench.cpu.retired(), 4);
        assert_eq!(bench.run(), Exit::SingleStep);
        assert_eq!((bench.x86().gpr[x86_64::RAX], bench.cpu.retired()), (2, 5));
    });
}

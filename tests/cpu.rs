//! The conformance suite of CPU backends: each numbered point of the contract in `sevm::cpu::Cpu`, on both
//! architectures, for every backend that this build has. The code stands in `tests/cpu/*.s`.

use std::sync::atomic::Ordering;

use sevm::arch::{Arch, Regs, aarch64, cpuid, x86_64};
use sevm::cpu::{self, Access, Counter, Cpu, Exit, FaultKind, STOP_REQUESTED};
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot, Space, Windows};

const CODE: u64 = 0x40_0000;
/// Two pages of data, with nothing mapped before and after.
const DATA: u64 = 0x50_0000;
const DATA_END: u64 = DATA + 2 * PAGE_SIZE;
/// One page that can only be read.
const READ_ONLY: u64 = 0x60_0000;
const STACK: u64 = 0x70_0000;
const STACK_TOP: u64 = STACK + PAGE_SIZE;
/// Nothing is mapped here.
const NOWHERE: u64 = 0x1234_5000;

/// `STOP_REQUESTED` is global, so tests that run guests take turns.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// A CPU with a space that holds a snippet.
struct Bench {
    cpu: Box<dyn Cpu>,
    space: Space,
    windows: Windows,
}

fn snippet(arch: Arch, name: &str) -> &'static [u8] {
    let (bin, map): (&'static [u8], _) = match arch {
        Arch::X86_64 => (include_bytes!("cpu/x86_64.bin"), include_str!("cpu/x86_64.map")),
        Arch::Aarch64 => (include_bytes!("cpu/aarch64.bin"), include_str!("cpu/aarch64.map")),
    };
    let offset = |entry: &str| usize::from_str_radix(entry, 16).expect("hexadecimal offset");
    let mut entries = map.lines().filter_map(|l| l.split_once(' '));
    let (start, _) = entries.find(|(_, n)| *n == name).unwrap_or_else(|| panic!("no snippet {name}"));
    let (end, _) = entries.next().expect("end_of_code is last");
    &bin[offset(start)..offset(end)]
}

fn space(windows: &Windows, code: &[u8]) -> Space {
    let mut space = Space::new(windows).expect("a space");
    let mut map = |addr, len, prot| {
        space.map(&MapRequest::anonymous_at(GuestAddr(addr), len, prot)).expect("map");
    };
    map(CODE, 2 * PAGE_SIZE, Prot::READ | Prot::EXEC);
    map(DATA, 2 * PAGE_SIZE, Prot::READ | Prot::WRITE);
    map(READ_ONLY, PAGE_SIZE, Prot::READ);
    map(STACK, PAGE_SIZE, Prot::READ | Prot::WRITE);
    space.poke(GuestAddr(CODE), code).expect("poke");
    space
}

impl Bench {
    fn new(backend: &str, arch: Arch, name: &str) -> Bench {
        Bench::with_code(backend, arch, snippet(arch, name))
    }

    fn with_code(backend: &str, arch: Arch, code: &[u8]) -> Bench {
        let windows = Windows::new(36).expect("windows");
        let mut bench = Bench { cpu: cpu::open(backend, arch).expect("cpu"), space: space(&windows, code), windows };
        bench.start(CODE);
        bench
    }

    /// Fresh registers at `pc`.
    fn start(&mut self, pc: u64) {
        let mut regs = Regs::new(self.cpu.arch());
        regs.set_pc(pc);
        regs.set_sp(STACK_TOP);
        self.cpu.load(&regs);
    }

    fn run(&mut self) -> Exit {
        self.run_for(1_000_000)
    }

    fn run_for(&mut self, budget: u64) -> Exit {
        self.cpu.run(&mut self.space, budget).expect("the backend works")
    }

    fn regs(&self) -> Regs {
        let mut regs = Regs::new(self.cpu.arch());
        self.cpu.save(&mut regs);
        regs
    }

    fn x86(&self) -> Box<x86_64::Regs> {
        let Regs::X86_64(regs) = self.regs() else { panic!("not x86_64") };
        regs
    }

    fn arm(&self) -> Box<aarch64::Regs> {
        let Regs::Aarch64(regs) = self.regs() else { panic!("not aarch64") };
        regs
    }

    fn edit_x86(&mut self, edit: impl FnOnce(&mut x86_64::Regs)) {
        let mut regs = self.x86();
        edit(&mut regs);
        self.cpu.load(&Regs::X86_64(regs));
    }

    fn edit_arm(&mut self, edit: impl FnOnce(&mut aarch64::Regs)) {
        let mut regs = self.arm();
        edit(&mut regs);
        self.cpu.load(&Regs::Aarch64(regs));
    }

    /// Sets an address register that snippets of both architectures use: `rdi` or `x3` or `x4`, and `rsi` or `x3`.
    fn point(&mut self, addr: u64) {
        match self.cpu.arch() {
            Arch::X86_64 => self.edit_x86(|r| {
                r.gpr[x86_64::RSI] = addr;
                r.gpr[x86_64::RDI] = addr;
            }),
            Arch::Aarch64 => self.edit_arm(|r| {
                r.x[3] = addr;
                r.x[4] = addr;
            }),
        }
    }

    fn read(&self, addr: u64) -> u64 {
        self.space.copy_in(GuestAddr(addr)).expect("readable")
    }

    fn write(&mut self, addr: u64, value: u64) {
        self.space.copy_out(GuestAddr(addr), &value).expect("writable");
    }
}

/// Runs a test for each backend and architecture.
fn each(test: impl Fn(&str, Arch)) {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    assert!(!cpu::backends().is_empty(), "built without a CPU backend");
    for backend in cpu::backends() {
        for &arch in backend.archs {
            test(backend.name, arch);
        }
    }
}

fn each_x86(test: impl Fn(&str)) {
    each(|backend, arch| {
        if arch == Arch::X86_64 {
            test(backend);
        }
    });
}

fn each_arm(test: impl Fn(&str)) {
    each(|backend, arch| {
        if arch == Arch::Aarch64 {
            test(backend);
        }
    });
}

fn fault(addr: u64, access: Access, kind: FaultKind) -> Exit {
    Exit::Fault { addr: GuestAddr(addr), access, kind }
}

// Point 1: registers.

/// A value for every bit of every register, different everywhere.
fn odd_registers(arch: Arch) -> Regs {
    let mut n = 0x0123_4567_89ab_cdefu64;
    let mut next = || {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        n
    };
    let mut wide = || u128::from(next()) << 64 | u128::from(next());
    match arch {
        Arch::X86_64 => {
            let mut r = x86_64::Regs::default();
            r.gpr.iter_mut().for_each(|g| *g = wide() as u64);
            r.rip = CODE;
            r.rflags = 0x202 | 0xcd5;
            (r.fs_base, r.gs_base) = (0x1122_3344_5566, 0x7fff_0000_1111);
            r.fpu.fcw = 0x27f;
            r.fpu.fsw = 0x3 << 11 | 0x4700;
            r.fpu.ftw = 0b1010_0110;
            (r.fpu.fop, r.fpu.fip, r.fpu.fdp) = (0x123, 0x1234_5678_9abc, 0x4321_8765);
            r.fpu.mxcsr = 0x7f80;
            r.fpu.st.iter_mut().for_each(|s| *s = wide() >> 48);
            r.fpu.xmm.iter_mut().for_each(|x| *x = wide());
            Regs::X86_64(Box::new(r))
        }
        Arch::Aarch64 => {
            let mut r = aarch64::Regs::default();
            r.x.iter_mut().for_each(|x| *x = wide() as u64);
            (r.sp, r.pc, r.tpidr) = (wide() as u64, CODE, wide() as u64);
            r.pstate = 0xa000_0000;
            r.v.iter_mut().for_each(|v| *v = wide());
            r.fpcr = 0x03c0_0000;
            r.fpsr = 0x0800_001f;
            Regs::Aarch64(Box::new(r))
        }
    }
}

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

// Point 2: exits.

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
                r.gpr[x86_64::RAX] = 0x2b;
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
            assert_eq!(found, cpuid::cpuid(leaf as u32, subleaf as u32), "leaf {leaf:#x}");
        }
        let mut bench = Bench::new(backend, Arch::X86_64, "xgetbv_code");
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!(bench.x86().gpr[x86_64::RAX], 3, "x87 and SSE");
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

// Point 3: memory.

#[test]
fn an_access_across_pages_changes_nothing_when_one_refuses() {
    each(|backend, arch| {
        for (at, bad) in [(DATA_END - 3, DATA_END), (DATA - 3, DATA - 3)] {
            let mut bench = Bench::new(backend, arch, "unaligned_store");
            bench.write(DATA_END - 8, 0x1111_1111_1111_1111);
            bench.write(DATA, 0x2222_2222_2222_2222);
            bench.point(at);
            assert_eq!(bench.run(), fault(bad, Access::Write, FaultKind::Unmapped));
            assert_eq!((bench.read(DATA_END - 8), bench.read(DATA)), (0x1111_1111_1111_1111, 0x2222_2222_2222_2222));
        }
        let mut bench = Bench::new(backend, arch, "unaligned_store");
        bench.point(DATA + PAGE_SIZE - 3);
        match arch {
            Arch::X86_64 => bench.edit_x86(|r| r.gpr[x86_64::RAX] = 0x0102_0304_0506_0708),
            Arch::Aarch64 => bench.edit_arm(|r| r.x[0] = 0x0102_0304_0506_0708),
        }
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!(bench.read(DATA + PAGE_SIZE - 3), 0x0102_0304_0506_0708);
    });
}

#[test]
fn protections_hold_at_the_time_of_the_access() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "unaligned_store");
        let page = GuestAddr(DATA);
        for (prot, expect) in [
            (Prot::READ | Prot::WRITE, Exit::Syscall),
            (Prot::READ, fault(DATA, Access::Write, FaultKind::Protection)),
            (Prot::empty(), fault(DATA, Access::Write, FaultKind::Protection)),
            (Prot::WRITE, Exit::Syscall),
        ] {
            bench.space.protect(page, PAGE_SIZE, prot).expect("protect");
            bench.start(CODE);
            bench.point(DATA);
            assert_eq!(bench.run(), expect, "{prot:?}");
        }
        bench.space.unmap(page, PAGE_SIZE).expect("unmap");
        bench.start(CODE);
        bench.point(DATA);
        assert_eq!(bench.run(), fault(DATA, Access::Write, FaultKind::Unmapped));

        let load = if arch == Arch::X86_64 { "load_dl" } else { "load_x3" };
        let mut bench = Bench::new(backend, arch, load);
        for (prot, expect) in [
            (Prot::READ, Exit::Syscall),
            (Prot::empty(), fault(DATA, Access::Read, FaultKind::Protection)),
            (Prot::EXEC, Exit::Syscall),
        ] {
            bench.space.protect(page, PAGE_SIZE, prot).expect("protect");
            bench.start(CODE);
            bench.point(DATA);
            assert_eq!(bench.run(), expect, "{prot:?}");
        }
    });
}

#[test]
fn execute_permission_is_enforced() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "straight");
        assert_eq!(bench.run(), Exit::Syscall);
        bench.space.protect(GuestAddr(CODE), PAGE_SIZE, Prot::READ).expect("protect");
        bench.start(CODE);
        assert_eq!(bench.run(), fault(CODE, Access::Execute, FaultKind::Protection));
        assert_eq!(bench.cpu.pc(), CODE);
    });
}

#[test]
fn code_that_runs_into_a_bad_page_runs_up_to_it() {
    each(|backend, arch| {
        let (length, counted) = if arch == Arch::X86_64 { (3, 2) } else { (4, 2) };
        let mut bench = Bench::new(backend, arch, "nops");
        let border = CODE + 2 * PAGE_SIZE;
        // Two instructions fit before the border, which for x86_64 is crossed by the third.
        let spare = if arch == Arch::X86_64 { 1 } else { 0 };
        let start = border - 2 * length - spare;
        let code = &snippet(arch, "nops")[..(2 * length + spare) as usize];
        bench.space.poke(GuestAddr(start), code).expect("poke");
        bench.start(start);
        assert_eq!(bench.run(), fault(border, Access::Execute, FaultKind::Unmapped));
        assert_eq!((bench.cpu.pc(), bench.cpu.retired()), (border - spare, counted));
        assert_eq!(bench.regs().result(), 2);
    });
}

#[test]
fn reading_behind_the_end_of_a_mapped_file() {
    use std::os::fd::AsFd;
    each(|backend, arch| {
        let file = tempfile::tempfile().expect("file");
        file.set_len(100).expect("length");
        let backing = sevm::mem::Backing {
            fd: file.as_fd(),
            offset: 0,
            path: b"/file"[..].into(),
            dev: 0,
            ino: 0,
            readable: true,
            writable: true,
        };
        let mut bench = Bench::new(backend, arch, if arch == Arch::X86_64 { "load_dl" } else { "load_x3" });
        let mut request = MapRequest::anonymous_at(GuestAddr(NOWHERE), 3 * PAGE_SIZE, Prot::READ);
        request.flags = sevm::mem::MapFlags::SHARED | sevm::mem::MapFlags::FIXED;
        request.backing = Some(backing);
        bench.space.map(&request).expect("map");
        bench.point(NOWHERE + 8);
        assert_eq!(bench.run(), Exit::Syscall);
        let behind = NOWHERE + PAGE_SIZE + 8;
        bench.start(CODE);
        bench.point(behind);
        assert_eq!(bench.run(), fault(behind, Access::Read, FaultKind::BeyondFile));
        assert_eq!(bench.cpu.pc(), CODE);
        file.set_len(2 * PAGE_SIZE).expect("length");
        assert_eq!(bench.run(), Exit::Syscall, "the file has grown");
    });
}

#[test]
fn tagged_addresses_of_aarch64() {
    each_arm(|backend| {
        let mut bench = Bench::new(backend, Arch::Aarch64, "tagged");
        bench.write(DATA, 0x77);
        bench.point(0xab << 56 | DATA);
        bench.edit_arm(|r| r.x[1] = 0x88);
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!((bench.arm().x[0], bench.read(DATA)), (0x77, 0x88));
        bench.start(CODE);
        bench.point(0xab << 56 | NOWHERE);
        assert_eq!(bench.run(), fault(NOWHERE, Access::Read, FaultKind::Unmapped));
    });
}

#[test]
fn cache_lines_are_zeroed_and_exclusives_work() {
    each_arm(|backend| {
        let mut bench = Bench::new(backend, Arch::Aarch64, "zero_block");
        for i in 0..16 {
            bench.write(DATA + i * 8, u64::MAX);
        }
        bench.point(DATA + 0x48);
        assert_eq!(bench.run(), Exit::Syscall);
        let zeroed: Vec<u64> = (0..16).filter(|i| bench.read(DATA + i * 8) == 0).collect();
        assert_eq!(zeroed, (8..16).collect::<Vec<_>>());

        let mut bench = Bench::new(backend, Arch::Aarch64, "unaligned_exclusive");
        bench.point(DATA + 1);
        assert_eq!(bench.run(), fault(DATA + 1, Access::Read, FaultKind::Alignment));
        assert_eq!((bench.cpu.pc(), bench.cpu.retired()), (CODE, 0));

        // An exclusive store fails when another thread came in between.
        let mut code = snippet(Arch::Aarch64, "exclusive_load")[..4].to_vec();
        code.extend(snippet(Arch::Aarch64, "exclusive_store"));
        for (switched, status) in [(false, 0), (true, 1)] {
            let mut bench = Bench::with_code(backend, Arch::Aarch64, &code);
            bench.point(DATA);
            assert_eq!(bench.run_for(1), Exit::Budget);
            if switched {
                let regs = bench.regs();
                bench.cpu.load(&Regs::new(Arch::Aarch64));
                bench.cpu.load(&regs);
            }
            assert_eq!(bench.run(), Exit::Syscall);
            assert_eq!(bench.arm().x[1], status);
        }
    });
}

impl Bench {
    /// Room for stores below the stack pointer, and aligned places.
    fn edit_regs_for_features(&mut self) {
        if self.cpu.arch() == Arch::X86_64 {
            self.edit_x86(|r| r.gpr[x86_64::RSP] = STACK_TOP - 64);
        }
    }
}

// Point 4: counting.

#[test]
fn a_repeated_string_instruction_counts_once() {
    each_x86(|backend| {
        for count in [0, 1, 1000] {
            let mut bench = Bench::new(backend, Arch::X86_64, "movsb");
            bench.edit_x86(|r| {
                r.gpr[x86_64::RSI] = DATA;
                r.gpr[x86_64::RDI] = DATA + 2000;
                r.gpr[x86_64::RCX] = count;
            });
            assert_eq!(bench.run(), Exit::Syscall);
            assert_eq!(bench.cpu.retired(), 3, "{count} bytes");
        }
        let mut bench = Bench::new(backend, Arch::X86_64, "scasb");
        bench.write(DATA + 96, 0xff);
        bench.edit_x86(|r| {
            r.gpr[x86_64::RAX] = 0xff;
            r.gpr[x86_64::RDI] = DATA;
            r.gpr[x86_64::RCX] = 1000;
        });
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!((bench.x86().gpr[x86_64::RDI], bench.cpu.retired()), (DATA + 97, 3));
    });
}

#[test]
fn repeated_string_instructions_move_what_they_should() {
    each_x86(|backend| {
        let movsb: &[u8] = b"\xf3\xa4\x0f\x05";
        let movsq: &[u8] = b"\xf3\x48\xa5\x0f\x05";
        let stosb: &[u8] = b"\xf3\xaa\x0f\x05";
        let stosw: &[u8] = b"\xf3\x66\xab\x0f\x05";
        let stosq: &[u8] = b"\xf3\x48\xab\x0f\x05";
        let fs_movsb: &[u8] = b"\x64\xf3\xa4\x0f\x05";
        let ecx_stosb: &[u8] = b"\x67\xf3\xaa\x0f\x05";
        // Code, bytes an element, copying, source, target, downwards.
        let cases = [
            (movsb, 1, true, DATA, DATA + 0x1100, false),
            (movsb, 1, true, DATA + 3, DATA, false),
            (movsb, 1, true, DATA, DATA + 3, false),
            (movsb, 1, true, DATA + 0x800, DATA + 0x900, true),
            (movsq, 8, true, DATA, DATA + 0x1008, false),
            (movsq, 8, true, DATA, DATA + 12, false),
            (stosb, 1, false, 0, DATA + 5, false),
            (stosw, 2, false, 0, DATA + 5, false),
            (stosq, 8, false, 0, DATA + 0xffc, false),
            (stosq, 8, false, 0, DATA + 0x800, true),
            (fs_movsb, 1, true, DATA - 16, DATA + 0x1100, false),
            (ecx_stosb, 1, false, 0, DATA + 5, false),
        ];
        for (n, (code, size, copying, source, target, down)) in cases.into_iter().enumerate() {
            for count in [1u64, 2, 9, 100] {
                let mut bench = Bench::with_code(backend, Arch::X86_64, code);
                let mut model: Vec<u8> = (0..2 * PAGE_SIZE).map(|i| (i * 7 + i / 256) as u8).collect();
                bench.space.write(GuestAddr(DATA), &model).expect("write");
                let value = 0x1122_3344_5566_7788u64;
                bench.edit_x86(|r| {
                    (r.gpr[x86_64::RSI], r.gpr[x86_64::RDI]) = (source, target);
                    (r.gpr[x86_64::RCX], r.gpr[x86_64::RAX]) = (count, value);
                    r.fs_base = 16;
                    r.rflags |= if down { 0x400 } else { 0 };
                });
                let step = if down { 0u64.wrapping_sub(size) } else { size };
                let segment = if code == fs_movsb { 16 } else { 0 };
                for i in 0..count {
                    let at = |start: u64| (start.wrapping_add(step.wrapping_mul(i)).wrapping_sub(DATA)) as usize;
                    let bytes: Vec<u8> = match copying {
                        true => model[at(source + segment)..][..size as usize].to_vec(),
                        false => value.to_le_bytes()[..size as usize].to_vec(),
                    };
                    model[at(target)..][..size as usize].copy_from_slice(&bytes);
                }
                assert_eq!(bench.run(), Exit::Syscall, "case {n}, {count} elements");
                let mut found = vec![0; model.len()];
                bench.space.read(GuestAddr(DATA), &mut found).expect("read");
                assert!(found == model, "case {n}, {count} elements");
                let moved = |start: u64| start.wrapping_add(step.wrapping_mul(count));
                let r = bench.x86();
                let rsi = if copying { moved(source) } else { source };
                assert_eq!((r.gpr[x86_64::RDI], r.gpr[x86_64::RSI]), (moved(target), rsi), "case {n}");
                assert_eq!(bench.cpu.retired(), 2);
            }
        }
    });
}

// Point 5: budget.

#[test]
fn a_budget_is_used_up_exactly() {
    each(|backend, arch| {
        for budget in 1..=12 {
            let mut bench = Bench::new(backend, arch, "straight");
            let exit = bench.run_for(budget);
            let done = budget.min(10);
            assert_eq!(exit, if budget <= 10 { Exit::Budget } else { Exit::Syscall });
            assert_eq!(bench.cpu.retired(), budget.min(11));
            assert_eq!(bench.regs().result(), done);
            if exit == Exit::Budget {
                assert_eq!(bench.run(), Exit::Syscall);
                assert_eq!((bench.cpu.retired(), bench.regs().result()), (11, 10));
            }
        }
        let mut bench = Bench::new(backend, arch, "straight");
        assert_eq!(bench.run_for(0), Exit::Budget);
        assert_eq!((bench.cpu.retired(), bench.cpu.pc()), (0, CODE));
    });
}

#[test]
fn slices_of_any_size_add_up_to_the_same() {
    each(|backend, arch| {
        let mut whole = Bench::new(backend, arch, "add_loop");
        let iterations = 500;
        let prepare = |bench: &mut Bench| match arch {
            Arch::X86_64 => bench.edit_x86(|r| r.gpr[x86_64::RCX] = iterations),
            Arch::Aarch64 => bench.edit_arm(|r| r.x[1] = iterations),
        };
        prepare(&mut whole);
        assert_eq!(whole.run(), Exit::Syscall);
        for slice in [1, 2, 7, 100] {
            let mut bench = Bench::new(backend, arch, "add_loop");
            prepare(&mut bench);
            let mut total = 0;
            while bench.run_for(slice) == Exit::Budget {
                total += slice;
                assert_eq!(bench.cpu.retired(), total);
            }
            assert_eq!((bench.cpu.retired(), bench.regs()), (whole.cpu.retired(), whole.regs()), "slices of {slice}");
        }
    });
    each_x86(|backend| {
        // A budget that ends at a repeated string instruction: before it, and with it.
        let start = |bench: &mut Bench| {
            bench.edit_x86(|r| {
                r.gpr[x86_64::RSI] = DATA;
                r.gpr[x86_64::RDI] = DATA + 200;
                r.gpr[x86_64::RCX] = 100;
            })
        };
        for (budget, pc, left) in [(1, CODE + 1, 100), (2, CODE + 3, 0)] {
            let mut bench = Bench::new(backend, Arch::X86_64, "movsb");
            start(&mut bench);
            assert_eq!(bench.run_for(budget), Exit::Budget);
            assert_eq!((bench.cpu.pc(), bench.x86().gpr[x86_64::RCX], bench.cpu.retired()), (pc, left, budget));
            assert_eq!(bench.run(), Exit::Syscall);
            assert_eq!(bench.cpu.retired(), 3);
        }
    });
}

#[test]
fn a_request_to_stop_is_answered() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "forever");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(20));
                STOP_REQUESTED.store(true, Ordering::Relaxed);
            });
            assert_eq!(bench.run_for(u64::MAX), Exit::Budget);
        });
        STOP_REQUESTED.store(false, Ordering::Relaxed);
        let done = bench.cpu.retired();
        assert_eq!(done.div_ceil(2), bench.regs().result());
        assert_eq!(bench.run_for(1000), Exit::Budget);
        assert_eq!(bench.cpu.retired(), done + 1000);
    });
}

// Point 6: code changes.

fn writable_code(bench: &mut Bench) {
    let all = Prot::READ | Prot::WRITE | Prot::EXEC;
    bench.space.protect(GuestAddr(CODE), 2 * PAGE_SIZE, all).expect("protect");
}

#[test]
fn x86_runs_its_own_stores_at_once() {
    each_x86(|backend| {
        let mut bench = Bench::new(backend, Arch::X86_64, "patch_next");
        writable_code(&mut bench);
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!((bench.x86().gpr[x86_64::RAX], bench.cpu.retired()), (0x2222, 3));

        let mut bench = Bench::new(backend, Arch::X86_64, "patch_loop");
        writable_code(&mut bench);
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!(bench.x86().gpr[x86_64::RBX], 1 + 2 + 3);
        assert_eq!(bench.cpu.retired(), 2 + 3 * 7 + 1);
    });
}

#[test]
fn stores_to_code_on_another_page_are_noticed() {
    each(|backend, arch| {
        let name = if arch == Arch::X86_64 { "store_code" } else { "patch_call" };
        let mut bench = Bench::new(backend, arch, name);
        writable_code(&mut bench);
        let target = CODE + PAGE_SIZE;
        bench.space.poke(GuestAddr(target), snippet(arch, "return_one")).expect("poke");
        // The first store only makes the page storable; the second must still be seen, and so must the later ones.
        for value in [1u32, 5, 9, 9, 12] {
            bench.start(CODE);
            match arch {
                Arch::X86_64 => bench.edit_x86(|r| {
                    (r.gpr[x86_64::RDI], r.gpr[x86_64::RSI]) = (target + 1, target);
                    r.gpr[x86_64::RDX] = value.into();
                }),
                Arch::Aarch64 => bench.edit_arm(|r| {
                    // movz x0, value
                    (r.x[1], r.x[3], r.x[4]) = (u64::from(0xd280_0000 | value << 5), target, target);
                }),
            }
            assert_eq!(bench.run(), Exit::Syscall);
            assert_eq!(bench.regs().result(), u64::from(value));
        }
    });
}

#[test]
fn changes_by_the_kernel_are_noticed() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "straight");
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!(bench.regs().result(), 10);
        // The kernel writes other code over it, then maps another page there.
        bench
            .space
            .poke(GuestAddr(CODE), snippet(arch, if arch == Arch::X86_64 { "ud2_code" } else { "udf_code" }))
            .expect("poke");
        bench.start(CODE);
        assert_eq!(bench.run(), Exit::Illegal { privileged: false });
        let request = MapRequest::anonymous_at(GuestAddr(CODE), PAGE_SIZE, Prot::READ | Prot::EXEC);
        bench.space.map(&request).expect("map");
        bench.space.poke(GuestAddr(CODE), snippet(arch, "straight")).expect("poke");
        bench.start(CODE);
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!(bench.regs().result(), 10);
    });
}

// Point 7: spaces.

#[test]
fn spaces_do_not_see_one_another() {
    each(|backend, arch| {
        let mut bench = Bench::new(backend, arch, "straight");
        let mut other = space(&bench.windows, snippet(arch, "store_fault"));
        for round in 0..3u64 {
            bench.start(CODE);
            assert_eq!(bench.run(), Exit::Syscall);
            assert_eq!(bench.regs().result(), 10, "round {round}");
            bench.start(CODE);
            bench.point(DATA + 8 * round);
            assert_eq!(bench.cpu.run(&mut other, 100).expect("works"), Exit::Syscall);
            assert_eq!(bench.regs().result(), 8, "round {round}");
        }
        assert_eq!((bench.read(DATA), bench.read(DATA + 16)), (0, 0));
        assert_eq!(other.copy_in::<u64>(GuestAddr(DATA + 16)), Ok(7));

        // A space in the place of a dropped one has its own code.
        for name in ["straight", "store_fault", "straight"] {
            drop(other);
            other = space(&bench.windows, snippet(arch, name));
            bench.start(CODE);
            bench.point(DATA);
            assert_eq!(bench.cpu.run(&mut other, 100).expect("works"), Exit::Syscall);
            assert_eq!(bench.regs().result(), if name == "straight" { 10 } else { 8 });
        }

        // A fork has the same code at the same addresses and its own data.
        let mut child = bench.space.fork().expect("fork");
        bench.space.poke(GuestAddr(CODE), snippet(arch, "store_fault")).expect("poke");
        bench.start(CODE);
        assert_eq!(bench.cpu.run(&mut child, 100).expect("works"), Exit::Syscall);
        assert_eq!(bench.regs().result(), 10);
        bench.start(CODE);
        bench.point(DATA);
        assert_eq!(bench.run(), Exit::Syscall);
        assert_eq!((bench.read(DATA), child.copy_in::<u64>(GuestAddr(DATA))), (7, Ok(0)));
    });
}

// Point 8: no escape.

#[test]
fn random_instructions_do_no_harm() {
    // A longer search: SEVM_FUZZ_ROUNDS, and SEVM_FUZZ_SEED for another start.
    let number = |name, default| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let rounds = number("SEVM_FUZZ_ROUNDS", 3000);
    each(|backend, arch| {
        let mut seed = number("SEVM_FUZZ_SEED", 0x2545_f491_4f6c_dd1du64);
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let mut bench = Bench::new(backend, arch, "straight");
        for _ in 0..rounds {
            let code: Vec<u8> = (0..8).flat_map(|_| next().to_le_bytes()).collect();
            bench.space.poke(GuestAddr(CODE), &code).expect("poke");
            let mut regs = odd_registers(arch);
            regs.set_sp(STACK_TOP - 256);
            bench.cpu.load(&regs);
            let before = bench.cpu.retired();
            for _ in 0..20 {
                let exit = bench.run_for(50);
                assert!(bench.cpu.retired() - before <= 20 * 50);
                if exit != Exit::Syscall {
                    break;
                }
            }
        }
    });
}

#[test]
fn undefined_half_precision_instructions() {
    each_arm(|backend| {
        for word in [0x7e78_4a37u32, 0x0ed0_26ca, 0x0ef9_1ad9, 0x4ef9_f931] {
            let nop = 0xd503_201fu32;
            let ret = 0xd65f_03c0u32;
            let load = 0x5800_0040u32; // ldr x0, the second word on
            let code: Vec<u8> = [load, nop, word, ret].iter().flat_map(|w| w.to_le_bytes()).collect();
            let mut bench = Bench::with_code(backend, Arch::Aarch64, &code);
            assert_eq!(bench.run(), Exit::Illegal { privileged: false }, "{word:#x}");
            assert_eq!((bench.cpu.pc(), bench.cpu.retired()), (CODE + 8, 2));
            assert_eq!(bench.arm().x[0], u64::from(ret) << 32 | u64::from(word), "data reads see the true word");
            bench.space.poke(GuestAddr(CODE), snippet(Arch::Aarch64, "straight")).expect("poke");
            bench.start(CODE);
            assert_eq!(bench.run(), Exit::Syscall, "the changed page");
        }
    });
}

#[test]
fn unknown_backends_are_refused() {
    let Err(error) = cpu::open("abacus", Arch::X86_64) else { panic!("there is no such backend") };
    assert_eq!(error.to_string(), "unknown CPU backend 'abacus' (auto, unicorn)");
}

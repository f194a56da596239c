//! The conformance suite of CPU backends: each numbered point of the contract in `sevm::cpu::Cpu`, on both
//! architectures, for every backend that this build has. The code stands in `tests/cpu/*.s`.

use std::sync::atomic::Ordering;

use sevm::arch::{Arch, RegPort, Regs, aarch64, cpuid, x86_64};
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

//! What the tests of the contract share: a CPU with a space that holds a snippet.

use sevm::arch::{Arch, Regs, aarch64, x86_64};
use sevm::cpu::{self, Access, Cpu, Exit, FaultKind};
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot, Space, Windows};

pub const CODE: u64 = 0x40_0000;
/// Two pages of data, with nothing mapped before and after.
pub const DATA: u64 = 0x50_0000;
pub const DATA_END: u64 = DATA + 2 * PAGE_SIZE;
/// One page that can only be read.
pub const READ_ONLY: u64 = 0x60_0000;
pub const STACK: u64 = 0x70_0000;
pub const STACK_TOP: u64 = STACK + PAGE_SIZE;
/// Nothing is mapped here.
pub const NOWHERE: u64 = 0x1234_5000;

/// `STOP_REQUESTED` is global, so tests that run guests take turns.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// A CPU with a space that holds a snippet.
pub struct Bench {
    pub cpu: Box<dyn Cpu>,
    pub space: Space,
    pub windows: Windows,
}

pub fn snippet(arch: Arch, name: &str) -> &'static [u8] {
    let (bin, map): (&'static [u8], _) = match arch {
        Arch::X86_64 => (include_bytes!("x86_64.bin"), include_str!("x86_64.map")),
        Arch::Aarch64 => (include_bytes!("aarch64.bin"), include_str!("aarch64.map")),
    };
    let offset = |entry: &str| usize::from_str_radix(entry, 16).expect("hexadecimal offset");
    let mut entries = map.lines().filter_map(|l| l.split_once(' '));
    let (start, _) = entries.find(|(_, n)| *n == name).unwrap_or_else(|| panic!("no snippet {name}"));
    let (end, _) = entries.next().expect("end_of_code is last");
    &bin[offset(start)..offset(end)]
}

pub fn space(windows: &Windows, code: &[u8]) -> Space {
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
    pub fn new(backend: &str, arch: Arch, name: &str) -> Bench {
        Bench::with_code(backend, arch, snippet(arch, name))
    }

    pub fn with_code(backend: &str, arch: Arch, code: &[u8]) -> Bench {
        let windows = Windows::new(36).expect("windows");
        let mut bench = Bench { cpu: cpu::open(backend, arch).expect("cpu"), space: space(&windows, code), windows };
        bench.start(CODE);
        bench
    }

    /// Fresh registers at `pc`.
    pub fn start(&mut self, pc: u64) {
        let mut regs = Regs::new(self.cpu.arch());
        regs.set_pc(pc);
        regs.set_sp(STACK_TOP);
        self.cpu.load(&regs);
    }

    pub fn run(&mut self) -> Exit {
        self.run_for(1_000_000)
    }

    pub fn run_for(&mut self, budget: u64) -> Exit {
        self.cpu.run(&mut self.space, budget).expect("the backend works")
    }

    pub fn regs(&self) -> Regs {
        let mut regs = Regs::new(self.cpu.arch());
        self.cpu.save(&mut regs);
        regs
    }

    pub fn x86(&self) -> Box<x86_64::Regs> {
        let Regs::X86_64(regs) = self.regs() else { panic!("not x86_64") };
        regs
    }

    pub fn arm(&self) -> Box<aarch64::Regs> {
        let Regs::Aarch64(regs) = self.regs() else { panic!("not aarch64") };
        regs
    }

    pub fn edit_x86(&mut self, edit: impl FnOnce(&mut x86_64::Regs)) {
        let mut regs = self.x86();
        edit(&mut regs);
        self.cpu.load(&Regs::X86_64(regs));
    }

    pub fn edit_arm(&mut self, edit: impl FnOnce(&mut aarch64::Regs)) {
        let mut regs = self.arm();
        edit(&mut regs);
        self.cpu.load(&Regs::Aarch64(regs));
    }

    /// Sets an address register that snippets of both architectures use: `rdi` or `x3` or `x4`, and `rsi` or `x3`.
    pub fn point(&mut self, addr: u64) {
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

    pub fn read(&self, addr: u64) -> u64 {
        self.space.copy_in(GuestAddr(addr)).expect("readable")
    }

    pub fn write(&mut self, addr: u64, value: u64) {
        self.space.copy_out(GuestAddr(addr), &value).expect("writable");
    }

    /// Room for stores below the stack pointer, and aligned places.
    pub fn edit_regs_for_features(&mut self) {
        if self.cpu.arch() == Arch::X86_64 {
            self.edit_x86(|r| r.gpr[x86_64::RSP] = STACK_TOP - 64);
        }
    }
}

/// Runs a test for each backend and architecture.
pub fn each(test: impl Fn(&str, Arch)) {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    assert!(!cpu::backends().is_empty(), "built without a CPU backend");
    for backend in cpu::backends() {
        for &arch in backend.archs {
            test(backend.name, arch);
        }
    }
}

pub fn each_x86(test: impl Fn(&str)) {
    each(|backend, arch| {
        if arch == Arch::X86_64 {
            test(backend);
        }
    });
}

pub fn each_arm(test: impl Fn(&str)) {
    each(|backend, arch| {
        if arch == Arch::Aarch64 {
            test(backend);
        }
    });
}

pub fn fault(addr: u64, access: Access, kind: FaultKind) -> Exit {
    Exit::Fault { addr: GuestAddr(addr), access, kind }
}

/// A value for every bit of every register, different everywhere.
pub fn odd_registers(arch: Arch) -> Regs {
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

//! The parts of a call by themselves: dispatch of a trivial call, copies in and out of guest memory, the text of a
//! traced call, the translator's way from a space to another, and its work. Each beside one host system call (getppid) measured in the same run: `cargo bench --bench inner`.

use sevm::arch::{Arch, RawCall, Regs};
use sevm::host::RealHost;
use sevm::kernel::exec::Processor;
use sevm::kernel::{Config, Kernel, Program};
use sevm::mem::{GuestAddr, MapRequest, Prot, Space, Windows};
use sevm::trace::{Call, Flush, Options, Sink, TextSink, View};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 9;

/// Median nanoseconds of one `work` over rounds of `n`.
fn time(n: u32, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            (0..n).for_each(|_| work());
            begin.elapsed().as_nanos() as f64 / f64::from(n)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let host_call = time(200_000, || {
        black_box(std::os::unix::process::parent_id());
    });
    println!("| part | ns in this run | ratio to one host call |\n|---|---|---|");
    let row = |name: &str, ns: f64| println!("| {name} | {ns:.0} | {:.2} |", ns / host_call);
    row("host getppid", host_call);
    dispatch(&row);
    copies(&row);
    sink(&row);
    translator(&row);
    #[cfg(feature = "unicorn")]
    stores();
}

/// Runs of the translator from call to call, in one space and in two in turn; and code that is met for the first time.
fn translator(row: &impl Fn(&str, f64)) {
    use sevm::cpu::Exit;
    const CODE: u64 = 0x10_0000;
    const DATA: u64 = 0x4000_0000;
    const BLOCKS: usize = 20_000;
    let Ok(mut cpu) = sevm::cpu::open("translate", Arch::Aarch64) else { return };
    let windows = Windows::new(40).expect("address space");
    let with_code = |words: &[u32]| {
        let mut space = Space::new(&windows).expect("address space");
        let code: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let rx = Prot::READ | Prot::EXEC;
        space.map(&MapRequest::anonymous_at(GuestAddr(CODE), code.len() as u64, rx)).expect("room");
        space.map(&MapRequest::anonymous_at(GuestAddr(DATA), 4096, Prot::READ | Prot::WRITE)).expect("room");
        space.poke(GuestAddr(CODE), &code).expect("mapped");
        space
    };
    // svc #0; b back
    let calls = [0xd400_0001, 0x17ff_ffff];
    let mut spaces = [with_code(&calls), with_code(&calls)];
    let mut regs = sevm::arch::aarch64::Regs { pc: CODE, ..Default::default() };
    regs.x[1] = DATA;
    let regs = Regs::Aarch64(Box::new(regs));
    cpu.load(&regs);
    let mut call = |space: &mut Space| assert_eq!(cpu.run(space, 1000).expect("it runs"), Exit::Syscall);
    row("translator: to the next call", time(200_000, || call(&mut spaces[0])));
    let both = time(100_000, || spaces.iter_mut().for_each(&mut call));
    row("translator: to the next call of another space", both / 2.0);

    // add x2, x2, #1; ldr x3, [x1]; str x2, [x1, #8]; cmp x2, x3; b.eq to the next: then a call.
    let block = [0x9100_0442, 0xf940_0023, 0xf900_0422, 0xeb03_005f, 0x5400_0020];
    let mut space = with_code(&[block.repeat(BLOCKS), vec![calls[0]]].concat());
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let mut cpu = sevm::cpu::open("translate", Arch::Aarch64).expect("as before");
            cpu.load(&regs);
            let begin = Instant::now();
            assert_eq!(cpu.run(&mut space, u64::MAX).expect("it runs"), Exit::Syscall);
            begin.elapsed().as_nanos() as f64 / (BLOCKS * block.len()) as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    row("translator: an instruction met for the first time, in blocks of five", times[ROUNDS / 2]);
}

/// A loop of one store and one load, on Unicorn as it comes and on sevm's use of it (which also counts).
#[cfg(feature = "unicorn")]
fn stores() {
    use sevm::cpu::Exit;
    use unicorn_engine::{Arch as UcArch, Mode, Prot as UcProt, RegisterARM64, Unicorn};
    const LOOPS: u64 = 3_000_000;
    const CODE: u64 = 0x10_0000;
    const DATA: u64 = 0x20_0000;
    // str x0,[x1]; ldr x2,[x1]; subs x0,x0,#1; b.ne the store; svc #0
    let words = [0xf900_0020u32, 0xf940_0022, 0xf100_0400, 0x54ff_ffa1, 0xd400_0001];
    let code: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();

    let mut plain = Unicorn::new(UcArch::ARM64, Mode::LITTLE_ENDIAN).expect("Unicorn opens");
    plain.mem_map(CODE, 4096, UcProt::ALL).expect("room");
    plain.mem_map(DATA, 4096, UcProt::ALL).expect("room");
    plain.mem_write(CODE, &code).expect("mapped");
    let mut before = || {
        plain.reg_write(RegisterARM64::X0, LOOPS).expect("a register");
        plain.reg_write(RegisterARM64::X1, DATA).expect("a register");
        plain.emu_start(CODE, CODE + 16, 0, 0).expect("it runs");
    };

    let windows = Windows::new(40).expect("address space");
    let mut space = Space::new(&windows).expect("address space");
    let rx = Prot::READ | Prot::EXEC;
    space.map(&MapRequest::anonymous_at(GuestAddr(CODE), 4096, rx)).expect("room");
    space.map(&MapRequest::anonymous_at(GuestAddr(DATA), 4096, Prot::READ | Prot::WRITE)).expect("room");
    space.poke(GuestAddr(CODE), &code).expect("mapped");
    let mut cpu = sevm::cpu::open("unicorn", Arch::Aarch64).expect("the backend opens");
    let mut after = || {
        let mut regs = sevm::arch::aarch64::Regs { pc: CODE, ..Default::default() };
        (regs.x[0], regs.x[1]) = (LOOPS, DATA);
        cpu.load(&Regs::Aarch64(Box::new(regs)));
        assert_eq!(cpu.run(&mut space, u64::MAX).expect("it runs"), Exit::Syscall);
    };
    let (before, after) = (time(1, &mut before), time(1, &mut after));
    println!("\n| aarch64 loop of a store and a load | ns a loop in this run | ratio |\n|---|---|---|");
    println!("| Unicorn with its default TLB | {:.1} | 1.00 |", before / LOOPS as f64);
    println!("| sevm's backend | {:.1} | {:.2} |", after / LOOPS as f64, after / before);
}

/// `Kernel::syscall` of getppid, without a CPU.
fn dispatch(row: &impl Fn(&str, f64)) {
    let windows = Windows::new(40).expect("address space");
    let mut kernel = Kernel::new(Box::new(RealHost::new()), windows, Config::default());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/loader/good-x86_64");
    let copy = std::env::temp_dir().join(format!("sevm-bench-{}", std::process::id()));
    std::fs::copy(path, &copy).expect("the corpus is in the repository");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("own file");
    let name = copy.display().to_string().into_bytes();
    let program = Program { path: name.clone(), argv: vec![name], envp: Vec::new(), cwd: None };
    let pid = kernel.boot(&program, |_| Ok(Processor { hwcap: (0, 0), cpuid: None })).expect("a good program");
    let _ = std::fs::remove_file(&copy);
    let mut regs = Regs::new(Arch::X86_64);
    let nr = u64::from(sevm::syscalls::by_name(Arch::X86_64, "getppid").and_then(|e| e.nr[0]).expect("in the table"));
    let raw = RawCall { nr, args: [0; 6] };
    row(
        "dispatch of getppid",
        time(200_000, || {
            black_box(kernel.syscall(pid, raw, &mut regs));
        }),
    );
}

/// Copies between sevm and guest memory.
fn copies(row: &impl Fn(&str, f64)) {
    let windows = Windows::new(40).expect("address space");
    let mut space = Space::new(&windows).expect("address space");
    let at = space.map(&MapRequest::anonymous(1 << 20, Prot::READ | Prot::WRITE)).expect("room");
    row(
        "copy_out of 8 bytes",
        time(200_000, || {
            let _ = black_box(space.copy_out(GuestAddr(at.0 + 8), &1u64));
        }),
    );
    row(
        "copy_in of 8 bytes",
        time(200_000, || {
            let _ = black_box(space.copy_in::<u64>(GuestAddr(at.0 + 8)));
        }),
    );
    let mut page = vec![0u8; 4096];
    row(
        "read of 4096 bytes",
        time(50_000, || {
            let _ = black_box(space.read(GuestAddr(at.0 + 100), &mut page));
        }),
    );
}

/// Printing one openat(2) into nothing.
fn sink(row: &impl Fn(&str, f64)) {
    let windows = Windows::new(40).expect("address space");
    let mut space = Space::new(&windows).expect("address space");
    let at = space.map(&MapRequest::anonymous(4096, Prot::READ | Prot::WRITE)).expect("room");
    space.write(at, b"/etc/ld.so.cache\0").expect("mapped");
    let index = sevm::syscalls::lookup(Arch::X86_64, 257);
    let raw = RawCall { nr: 257, args: [-100i32 as u32 as u64, at.0, 0o2000000, 0, 0, 0] };
    let call = Call { tid: 1000, pid: 1000, arch: Arch::X86_64, raw, index, pc: 0x40_1000, sp: 0x7f_ffff_0000 };
    let view = View { space: &space, kernel: None, now_ns: 0, threads: 1, mark: None, regs: None };
    let mut text = TextSink::new(Options::default(), Box::new(std::io::sink()), Flush::Buffered);
    row(
        "text of an openat",
        time(100_000, || {
            text.enter(&view, &call);
            text.exit(&view, &call, Some(Ok(3)));
        }),
    );
}

//! Points 6 and 7: code that changes, and spaces.

use super::bench::{Bench, CODE, DATA, each, each_x86, snippet, space};
use sevm::arch::{Arch, x86_64};
use sevm::cpu::Exit;
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot};

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

//! Point 3: memory.

use super::bench::{Bench, CODE, DATA, DATA_END, NOWHERE, each, each_arm, fault, snippet};
use sevm::arch::{Arch, Regs, x86_64};
use sevm::cpu::{Access, Exit, FaultKind};
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot};

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

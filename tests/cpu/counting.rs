//! Points 4 and 5: counting and budgets.

use super::bench::{Bench, CODE, DATA, each, each_x86};
use sevm::arch::{Arch, x86_64};
use sevm::cpu::{Exit, STOP_REQUESTED};
use sevm::mem::{GuestAddr, PAGE_SIZE};
use std::sync::atomic::Ordering;

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

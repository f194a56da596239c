//! Point 8: no escape.

use super::bench::{Bench, CODE, STACK_TOP, each, each_arm, odd_registers, snippet};
use sevm::arch::Arch;
use sevm::cpu::{self, Exit};
use sevm::mem::GuestAddr;

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
    let names: Vec<&str> = cpu::backends().iter().map(|b| b.name).collect();
    assert_eq!(error.to_string(), format!("unknown CPU backend 'abacus' (auto, {})", names.join(", ")));
    for choice in ["lockstep:", "lockstep:unicorn", "lockstep:unicorn,abacus", "lockstep:lockstep:unicorn,unicorn"] {
        assert!(cpu::open(choice, Arch::Aarch64).is_err(), "{choice}");
    }
}

//! Point 8: wild pointers. Every form of access of aarch64, through addresses from all over the 64 bits, faults at the exact
//! address and changes nothing, wherever other spaces and sevm itself have their memory.

use sevm::arch::{Arch, Regs, aarch64};
use sevm::cpu::{self, Access, Cpu, Exit, FaultKind};
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot, Space, Windows};

use super::bench::{CODE, DATA, each_arm, odd_registers};
use super::encodings::{self, Mode, Pattern};

/// Bits of an address space; its neighbours lie a multiple of `1 << BITS` away on the host.
const BITS: u32 = 36;
const SVC: u32 = 0xd400_0001;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// An address from anywhere, `u64::MAX` included.
fn wild(random: &mut Random, spaces: &[u64]) -> u64 {
    let near = random.below(4096).wrapping_sub(2048);
    let address = match random.below(6) {
        0 => random.next() >> random.below(64),
        1 => (1u64 << random.below(64)).wrapping_add(near),
        2 => (random.below(1 << 28) << BITS) + DATA + random.below(PAGE_SIZE),
        3 => 0u64.wrapping_sub(random.next() >> random.below(64)),
        // Where a neighbour's bytes are, seen from this space, and where they are on the host.
        4 => spaces[1].wrapping_sub(spaces[0]).wrapping_add(DATA + random.below(PAGE_SIZE)),
        _ => spaces[random.below(2) as usize] + DATA + random.below(PAGE_SIZE),
    };
    if random.below(2) == 0 { address } else { address ^ random.next() << 56 }
}

/// What Linux reports for an address: its tag is taken off if it is a user's.
fn untagged(address: u64) -> u64 {
    if address >> 55 & 1 == 0 { address & u64::MAX >> 8 } else { address }
}

/// One instruction, and what it accesses with a given base.
struct Access1 {
    word: u32,
    base: usize,
    /// Added to the base.
    offset: u64,
    index: Option<(usize, u64)>,
}

/// Fills a pattern's fields at random. `None` for forms that take no wild base.
fn instruction(pattern: &Pattern, random: &mut Random) -> Option<Access1> {
    if matches!(pattern.mode, Mode::None | Mode::Literal) {
        return None;
    }
    let bits: Vec<u8> = pattern.bits.bytes().filter(|b| *b != b' ').collect();
    // The base is x3 or a register that a translator may keep elsewhere; what is loaded goes to others.
    let base = [3, 19, 9, 27][random.below(4) as usize];
    let index = 5;
    let (mut word, mut at, mut raw, mut width) = (0u32, 0, 0u64, 0u32);
    let mut next_general = 10 + 2 * random.below(2);
    while at < 32 {
        let letter = bits[at];
        let same = bits[at..].iter().take_while(|b| **b == letter).count();
        let len = if b"devwnbi".contains(&letter) { same.min(5) } else { same };
        let any = random.below(1 << len);
        let value = match letter {
            b'0' => 0,
            b'1' => (1 << len) - 1,
            b'b' => base as u64,
            b'i' => index as u64,
            b'd' | b'e' | b'n' => {
                next_general += 2;
                if len == 4 { next_general / 2 } else { next_general }
            }
            b'w' => 30,
            b'v' => random.below(30),
            b'o' => {
                (raw, width) = (any, len as u32);
                any
            }
            _ => any,
        };
        word |= (value << (32 - at - len)) as u32;
        at += len;
    }
    let signed = |log: u32| (((raw << (64 - width)) as i64 >> (64 - width)) << log) as u64;
    let (offset, index) = match pattern.mode {
        Mode::Unsigned(log) => (raw << log, None),
        Mode::Signed(log) | Mode::Pre(log) => (signed(log), None),
        Mode::Index(log) => {
            let value = random.next();
            let extended = match word >> 13 & 7 {
                0b010 => value & 0xffff_ffff,
                0b110 => value as u32 as i32 as u64,
                _ => value,
            };
            (extended << if word >> 12 & 1 == 1 { log } else { 0 }, Some((index, value)))
        }
        _ => (0, None),
    };
    Some(Access1 { word, base, offset, index })
}

/// Cache maintenance by address (`dc cvac` and so on), which may do nothing for addresses that are not mapped.
fn is_maintenance(word: u32) -> bool {
    word & 0xffff_f0e0 == 0xd50b_7020
}

struct Trap {
    cpu: Box<dyn Cpu>,
    spaces: [Space; 2],
}

fn trap(backend: &str) -> Trap {
    let windows = Windows::new(BITS).expect("windows");
    let mut spaces = [Space::new(&windows).expect("a space"), Space::new(&windows).expect("a space")];
    for space in &mut spaces {
        let mut map = |addr, prot| {
            space.map(&MapRequest::anonymous_at(GuestAddr(addr), PAGE_SIZE, prot)).expect("map");
        };
        map(CODE, Prot::READ | Prot::EXEC);
        map(DATA, Prot::READ | Prot::WRITE);
        space.write(GuestAddr(DATA), &[0xa5; PAGE_SIZE as usize]).expect("write");
    }
    Trap { cpu: cpu::open(backend, Arch::Aarch64).expect("cpu"), spaces }
}

#[test]
fn wild_pointers_reach_nothing() {
    let rounds = std::env::var("SEVM_WILD_ROUNDS").ok().and_then(|v| v.parse().ok()).unwrap_or(24);
    each_arm(|backend| {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let Trap { mut cpu, mut spaces } = trap(backend);
        let bases = [0, 1].map(|i: usize| spaces[i].host_base() as u64);
        let mapped = [CODE, DATA];
        for pattern in encodings::classes().iter().flat_map(|class| &class.patterns) {
            let Some(access) = instruction(pattern, &mut random) else { continue };
            let code: Vec<u8> = [access.word, SVC].iter().flat_map(|w| w.to_le_bytes()).collect();
            spaces[0].poke(GuestAddr(CODE), &code).expect("poke");
            for _ in 0..rounds {
                let mut target = wild(&mut random, &bases);
                // LDAPUR and STLUR must be aligned too, which is looked at before the page.
                if pattern.mode == Mode::Aligned
                    || pattern.size == 64
                    || pattern.bits[2..].trim_start().starts_with("011001")
                {
                    target &= !63;
                }
                let at = untagged(target);
                let beside = |page: &u64| at.wrapping_add(64).wrapping_sub(*page) < PAGE_SIZE + 64;
                if mapped.iter().any(beside) || at.checked_add(64).is_none() || at >> 55 == 0 && (at + 64) >> 55 == 1 {
                    continue;
                }
                let Regs::Aarch64(mut regs) = odd_registers(Arch::Aarch64) else { panic!("not aarch64") };
                (regs.pc, regs.fpcr) = (CODE, 0);
                regs.x[access.base] = target.wrapping_sub(access.offset);
                if let Some((register, value)) = access.index {
                    regs.x[register] = value;
                }
                check(&mut *cpu, &mut spaces[0], &regs, access.word, at);
            }
        }
        for space in &spaces {
            let mut bytes = [0; PAGE_SIZE as usize];
            space.read(GuestAddr(DATA), &mut bytes).expect("read");
            assert!(bytes.iter().all(|b| *b == 0xa5), "{backend}: memory has changed");
        }
    });
}

/// Runs the placed instruction, which must fault at `at` and change no register.
fn check(cpu: &mut dyn Cpu, space: &mut Space, regs: &aarch64::Regs, word: u32, at: u64) {
    cpu.load(&Regs::Aarch64(Box::new(regs.clone())));
    let before = cpu.retired();
    let exit = cpu.run(space, 100).expect("the backend works");
    let name = cpu.name();
    match exit {
        Exit::Fault { addr, access, kind } => {
            assert_eq!((addr.0, kind), (at, FaultKind::Unmapped), "{name}: {word:08x} at {at:#x}");
            assert_ne!(access, Access::Execute, "{name}: {word:08x} at {at:#x}");
        }
        Exit::Illegal { .. } => {}
        // A store-exclusive without its load stores nothing, and need not look at the address.
        Exit::Syscall
            if is_maintenance(word) || word & 0x3fa0_0000 == 0x0800_0000 || word & 0x3fe0_0000 == 0x0820_0000 =>
        {
            return;
        }
        exit => panic!("{name}: {word:08x} at {at:#x} gave {exit:?}"),
    }
    let mut after = Regs::new(Arch::Aarch64);
    cpu.save(&mut after);
    assert_eq!(after, Regs::Aarch64(Box::new(regs.clone())), "{name}: {word:08x} at {at:#x}");
    assert_eq!(cpu.retired(), before, "{name}: {word:08x}");
}

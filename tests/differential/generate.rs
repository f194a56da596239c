//! Random sequences of instructions with the registers and memory that they begin with.

use std::collections::HashMap;

use sevm::arch::aarch64::Regs;
use sevm::mem::PAGE_SIZE;

use super::encodings::{Class, Idiom, Mode, Pattern};
use super::unicorn;

/// Where sequences stand.
pub const CODE: u64 = 0x40_0000;
/// Bytes of code.
pub const CODE_SIZE: u64 = 16 * PAGE_SIZE;
/// Three pages to read and write, with nothing before them; a page to read; nothing.
pub const SCRATCH: u64 = CODE + 0x8_0000;
/// Bytes that can be written.
pub const SCRATCH_SIZE: u64 = 3 * PAGE_SIZE;
/// The page that can only be read.
pub const READ_ONLY: u64 = SCRATCH + SCRATCH_SIZE;

/// The longest sequence, without the `svc` that ends it.
pub const LONGEST: usize = 20;
/// What stands where nothing else can be made.
pub const NOP: u32 = 0xd503_201f;
/// `svc #0`
pub const SVC: u32 = 0xd400_0001;

/// A small generator of random numbers (splitmix64), so that a seed means the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}

/// A sequence and what it begins with.
#[derive(Clone, Debug)]
pub struct Case {
    /// Without the `svc` behind it.
    pub words: Vec<u32>,
    pub regs: Regs,
    /// Which of the fillings of the scratch area it gets.
    pub filling: usize,
    /// Whether the second backend runs it in slices of so many instructions.
    pub slice: Option<u64>,
}

const SPECIAL_INTEGERS: &[u64] = &[
    0,
    1,
    2,
    u64::MAX,
    1 << 63,
    (1 << 63) - 1,
    1 << 31,
    (1 << 31) - 1,
    0xffff_ffff,
    1 << 32,
    0xffff_ffff_8000_0000,
    0x8000_0000_8000_0000,
    0x5555_5555_5555_5555,
    0xff,
    0x80,
    0x8000,
    0x7fff,
];

const SPECIAL_HALVES: &[u16] = &[
    0, 0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0xfe00, 0x7d00, 0xfd01, 0x7bff, 0xfbff, 0x0001, 0x8001, 0x03ff,
    0x0400, 0x8400, 0x4000, 0x3e00, 0x3800, 0x77ff, 0x7800, 0x6400, 0x63ff, 0x4248, 0x0200, 0x1400,
];

const SPECIAL_SINGLES: &[u32] = &[
    0,
    0x8000_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffc0_1234,
    0x7f80_0001,
    0xffa5_5a5a,
    0x7f7f_ffff,
    0xff7f_ffff,
    1,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x8080_0000,
    0x4000_0000,
    0x3fc0_0000,
    0x3f00_0000,
    0xbf00_0000,
    0x4f00_0000,
    0x4eff_ffff,
    0xcf00_0000,
    0x4f80_0000,
    0x5f00_0000,
    0xdf00_0000,
    0x5f80_0000,
    0x4b00_0000,
    0x4aff_ffff,
    0x477f_e000,
    0x477f_f000,
    0x3380_0000,
    0x3300_0000,
    0x3880_0000,
    0x387f_e000,
    0x7e80_0000,
    0x7f00_0000,
    0x0100_0000,
    0x1f80_0000,
];

const SPECIAL_DOUBLES: &[u64] = &[
    0,
    0x8000_0000_0000_0000,
    0x3ff0_0000_0000_0000,
    0xbff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_1234,
    0x7ff0_0000_0000_0001,
    0xfff4_5555_5555_5555,
    0x7fef_ffff_ffff_ffff,
    0xffef_ffff_ffff_ffff,
    1,
    0x8000_0000_0000_0001,
    0x000f_ffff_ffff_ffff,
    0x0010_0000_0000_0000,
    0x8010_0000_0000_0000,
    0x4000_0000_0000_0000,
    0x3ff8_0000_0000_0000,
    0x3fe0_0000_0000_0000,
    0xbfe0_0000_0000_0000,
    0x41df_ffff_ffc0_0000,
    0x41e0_0000_0000_0000,
    0xc1e0_0000_0000_0000,
    0xc1e0_0000_0020_0000,
    0x41ef_ffff_ffe0_0000,
    0x41f0_0000_0000_0000,
    0x43e0_0000_0000_0000,
    0xc3e0_0000_0000_0000,
    0x43df_ffff_ffff_ffff,
    0x43f0_0000_0000_0000,
    0x4330_0000_0000_0000,
    0x432f_ffff_ffff_ffff,
    0x47ef_ffff_e000_0000,
    0x47ef_ffff_f000_0000,
    0x3810_0000_0000_0000,
    0x380f_ffff_ffff_ffff,
    0x36a0_0000_0000_0000,
    0x3690_0000_0000_0000,
    0x7fd0_0000_0000_0000,
    0x40ef_fc00_0000_0000,
    0x40ef_fe00_0000_0000,
    0x3e60_0000_0000_0000,
];

/// A random value as a general register may hold it.
fn integer(random: &mut Random) -> u64 {
    match random.below(8) {
        0..=2 => *random.pick(SPECIAL_INTEGERS),
        3 => random.pick(SPECIAL_INTEGERS).wrapping_add(random.below(5)).wrapping_sub(2),
        4 => random.next() >> random.below(64),
        5 => (random.next() as i64 >> random.below(64)) as u64,
        6 => *random.pick(SPECIAL_DOUBLES),
        _ => random.next(),
    }
}

/// A random value as a vector register or memory may hold it: lanes of one size, special ones or not.
fn vector(random: &mut Random) -> u128 {
    let mut lanes = |bits: u32, lane: &mut dyn FnMut(&mut Random) -> u128| {
        let mask = u128::MAX >> (128 - bits);
        (0..128 / bits).fold(0, |v, i| v | (lane(random) & mask) << (i * bits))
    };
    let near = |random: &mut Random| if random.one_in(4) { random.below(3).wrapping_sub(1) } else { 0 };
    let pick = lanes(32, &mut |r| r.next().into()) as u64 % 9;
    match pick {
        0 | 1 => lanes(64, &mut |r| {
            let v = *r.pick(SPECIAL_DOUBLES);
            v.wrapping_add(near(r)).into()
        }),
        2 | 3 => lanes(32, &mut |r| {
            let v = u64::from(*r.pick(SPECIAL_SINGLES));
            v.wrapping_add(near(r)).into()
        }),
        4 => lanes(16, &mut |r| u128::from(*r.pick(SPECIAL_HALVES))),
        5 => lanes(8, &mut |r| u128::from(*r.pick(&[0u8, 1, 0x7f, 0x80, 0xff, 0x40, 0xc0, 0x10]))),
        // Numbers of a like size, which sums and products can cancel.
        6 => lanes(64, &mut |r| (1.0f64 + r.below(1 << 20) as f64 / 7.0).to_bits().into()),
        7 => lanes(32, &mut |r| (1.0f32 - r.below(1 << 16) as f32 / 7.0).to_bits().into()),
        _ => lanes(64, &mut |r| r.next().into()),
    }
}

/// Bytes for the scratch area and the read-only page behind it.
pub fn fillings(random: &mut Random) -> Vec<u8> {
    let len = (SCRATCH_SIZE + PAGE_SIZE) * 2;
    (0..len / 16).flat_map(|_| vector(random).to_le_bytes()).collect()
}

/// Different fillings: the bytes of `fillings` from so many places.
pub const FILLINGS: usize = (SCRATCH_SIZE + PAGE_SIZE) as usize / 16;

/// A pattern taken apart.
struct Compiled {
    pattern: Pattern,
    fixed: u32,
    fields: Vec<Field>,
    /// Bits that hold register numbers.
    registers: u32,
}

#[derive(Clone, Copy)]
struct Field {
    letter: u8,
    shift: u32,
    bits: u32,
}

fn compile(pattern: Pattern) -> Compiled {
    let bits: Vec<u8> = pattern.bits.bytes().filter(|b| *b != b' ').collect();
    assert_eq!(bits.len(), 32, "pattern '{}'", pattern.bits);
    let (mut fixed, mut registers, mut fields) = (0, 0, Vec::new());
    let mut at = 0;
    while at < 32 {
        let letter = bits[at];
        let same = bits[at..].iter().take_while(|b| **b == letter).count();
        let len = if b"devwnbi".contains(&letter) { same.min(5) } else { same };
        let shift = (32 - at - len) as u32;
        match letter {
            b'0' => {}
            b'1' => fixed |= ones(len, shift),
            _ => {
                fields.push(Field { letter, shift, bits: len as u32 });
                if b"devwnbi".contains(&letter) {
                    registers |= ones(len, shift);
                }
            }
        }
        at += len;
    }
    Compiled { pattern, fixed, fields, registers }
}

fn ones(len: usize, shift: u32) -> u32 {
    (((1u64 << len) - 1) << shift) as u32
}

/// Makes cases of one class, with some instructions of all others between.
pub struct Generator {
    own: Vec<Compiled>,
    others: Vec<Compiled>,
    idioms: Vec<Idiom>,
    /// Encodings without their registers that turned out to be undefined, and how often they were left out since.
    undefined: HashMap<u32, u32>,
    oracle: Oracle,
    pub random: Random,
}

/// Who says what is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// Unicorn, which cannot judge everything.
    Unicorn,
    /// qemu-aarch64 7.2, which cannot either.
    Qemu,
    /// One that can.
    Other,
}

/// What is known about a sequence while it is made.
struct Draft {
    regs: Regs,
    words: Vec<u32>,
    length: usize,
    /// Registers that hold addresses or indexes, or will.
    reserved: u32,
    /// Those of them that have no value yet.
    free: Vec<u32>,
    /// Those that point into the scratch area.
    pointers: Vec<(u32, u64)>,
    often_general: Vec<u32>,
    often_vector: Vec<u32>,
}

impl Generator {
    pub fn new(class: &Class, all: &[Class], oracle: Oracle) -> Generator {
        let idioms = class.idioms.clone();
        let own = class.patterns.iter().map(|p| compile(*p)).collect();
        let others = all.iter().flat_map(|c| &c.patterns).map(|p| compile(*p)).collect();
        Generator { own, others, idioms, undefined: HashMap::new(), oracle, random: Random::new(0) }
    }

    /// Notes that a word is undefined, so that it comes rarely from now on: it ends its sequence.
    pub fn learn_undefined(&mut self, word: u32) {
        let fits = |c: &&Compiled| word & fixed_mask(c) == c.fixed;
        if let Some(compiled) = self.own.iter().chain(&self.others).find(fits) {
            self.undefined.insert(word & !compiled.registers, 0);
        }
    }

    /// Another set of registers for a case: those that are no addresses change.
    pub fn vary(&mut self, case: &Case, keep: u32) -> Case {
        let fresh = self.registers();
        let mut regs = fresh;
        for i in (0..31).filter(|i| keep >> i & 1 == 1) {
            regs.x[i] = case.regs.x[i];
        }
        (regs.sp, regs.pc) = (case.regs.sp, case.regs.pc);
        let filling = self.random.below(FILLINGS as u64) as usize;
        Case { words: case.words.clone(), regs, filling, slice: self.slice() }
    }

    fn slice(&mut self) -> Option<u64> {
        self.random.one_in(8).then(|| 1 + self.random.below(6))
    }

    fn registers(&mut self) -> Regs {
        let random = &mut self.random;
        let mut regs = Regs::default();
        regs.x.iter_mut().for_each(|x| *x = integer(random));
        regs.v.iter_mut().for_each(|v| *v = vector(random));
        regs.sp = (READ_ONLY - 256) & !15;
        regs.pstate = random.below(16) << 28;
        regs.tpidr = random.next();
        regs.fpcr = fpcr(random);
        regs.fpsr = if random.one_in(2) { 0 } else { random.next() as u32 & 0x0800_009f };
        regs
    }

    /// A new case at `pc`, and the registers that hold addresses in it, as a mask.
    pub fn case(&mut self, pc: u64) -> (Case, u32) {
        let mut regs = self.registers();
        regs.pc = pc;
        let random = &mut self.random;
        let length = 1 + random.below(LONGEST as u64) as usize;
        let mut free: Vec<u32> = Vec::new();
        for _ in 0..6 {
            let r = random.below(32) as u32;
            if !free.contains(&r) {
                free.push(r);
            }
        }
        let reserved = free.iter().fold(0, |mask, r| mask | 1 << r);
        let often_general = (0..4).map(|_| random.below(32) as u32).collect();
        let often_vector = (0..4).map(|_| random.below(32) as u32).collect();
        let words = Vec::with_capacity(length);
        let pointers = Vec::new();
        let mut draft = Draft { regs, words, length, reserved, free, pointers, often_general, often_vector };
        while draft.words.len() < length {
            let room = length - draft.words.len();
            if !self.idioms.is_empty() && room >= 4 && self.random.one_in(8) {
                let idiom = *self.random.pick(&self.idioms);
                self.idiom(&mut draft, idiom);
            } else {
                self.single(&mut draft);
            }
        }
        let filling = self.random.below(FILLINGS as u64) as usize;
        let slice = self.slice();
        (Case { words: draft.words, regs: draft.regs, filling, slice }, draft.reserved)
    }

    /// Adds one random instruction.
    fn single(&mut self, draft: &mut Draft) {
        for _ in 0..8 {
            let list = if self.others.is_empty() || self.random.below(16) < 13 { &self.own } else { &self.others };
            let index = self.random.below(list.len() as u64) as usize;
            let Some(word) = fill(&list[index], draft, &mut self.random) else { continue };
            if unicorn::cannot_judge(self.oracle, word) {
                continue;
            }
            if let Some(left_out) = self.undefined.get_mut(&(word & !list[index].registers)) {
                *left_out += 1;
                if *left_out % 64 != 0 {
                    continue;
                }
            }
            draft.words.push(word);
            return;
        }
        draft.words.push(NOP);
    }

    fn idiom(&mut self, draft: &mut Draft, idiom: Idiom) {
        let random = &mut self.random;
        let target = |draft: &Draft, random: &mut Random, skip: usize| {
            let room = draft.length - draft.words.len();
            (skip as u64 + random.below((room - skip) as u64 + 1)) as u32
        };
        let d = draft.written(random, &[]);
        let m = draft.read(random);
        match idiom {
            Idiom::Jump => {
                let ahead = target(draft, random, 2);
                // adr, br or blr or ret
                draft.words.extend([adr(d, ahead), random.pick(&[0xd61f_0000, 0xd63f_0000, 0xd65f_0000]) | d << 5]);
            }
            Idiom::SignedJump => {
                let ahead = target(draft, random, 3);
                let key = random.below(2) as u32 * 0x400;
                draft.words.push(adr(d, ahead));
                if m == d {
                    draft
                        .words
                        .extend([0xdac1_23e0 | key | d, random.pick(&[0xd61f_081f, 0xd63f_081f]) | key | d << 5]);
                } else {
                    let jump = random.pick(&[0xd71f_0800, 0xd73f_0800]);
                    draft.words.extend([0xdac1_0000 | key | m << 5 | d, jump | key | d << 5 | m]);
                }
            }
            Idiom::Exclusive => self.exclusive(draft),
            Idiom::Fpcr => {
                let bits = fpcr(random) >> 16;
                // movz d, bits, lsl 16; msr fpcr, d
                draft.words.extend([0xd2a0_0000 | bits << 5 | d, 0xd51b_4400 | d]);
            }
            Idiom::Fpsr => {
                let (high, low) = ((random.next() as u32 & 0x0800), random.next() as u32 & 0x9f);
                draft.words.extend([0xd2a0_0000 | high << 5 | d, 0xf280_0000 | low << 5 | d, 0xd51b_4420 | d]);
            }
            Idiom::Nzcv => draft.words.push(if random.one_in(2) { 0xd53b_4200 | d } else { 0xd51b_4200 | m }),
            Idiom::SignedLoad => {
                let at = SCRATCH + 2048 + 8 * random.below(1024);
                let Some(base) = draft.fresh(at) else { return };
                draft.pointers.retain(|(r, _)| *r != base);
                let key = random.below(2) as u32;
                let write_back = random.below(2) as u32;
                let offset = random.below(32) as u32;
                let load = 0xf820_0400 | key << 23 | offset << 12 | write_back << 11 | base << 5 | d;
                draft.words.extend([0xdac1_2be0 | key << 10 | base, load]);
            }
            Idiom::CompareAndUse => {
                let a = draft.read(random);
                let width = random.below(2) as u32;
                let setter = random.pick(&[0x6b00_0000, 0x6a00_0000, 0x2b00_0000, 0x7100_0000]);
                draft.words.push(setter | width << 31 | m << 16 | a << 5 | 31);
                let condition = random.below(16) as u32;
                let ahead = target(draft, random, 1);
                draft.words.push(match random.below(3) {
                    0 => 0x9a80_0000 | m << 16 | condition << 12 | a << 5 | d,
                    1 => 0x1a9f_07e0 | condition << 12 | d,
                    _ => 0x5400_0000 | ahead << 5 | condition,
                });
            }
            Idiom::System => {
                let register = if random.one_in(4) {
                    // The space of identification registers.
                    0x8_0000 | (random.below(8) as u32) << 8 | (random.below(8) as u32) << 5
                } else {
                    *random.pick(&SYSTEM_REGISTERS)
                };
                draft.words.push(0xd530_0000 | register | d);
                if random.one_in(4) {
                    draft.words.push(0xd51b_d040 | m); // msr tpidr_el0
                }
            }
        }
    }

    /// A load-exclusive, perhaps something between, and its store-exclusive.
    fn exclusive(&mut self, draft: &mut Draft) {
        let log = self.random.below(4) as u32;
        let pair = log >= 2 && self.random.one_in(3);
        let size = 1u64 << (log + u32::from(pair));
        let at = target(&mut self.random, size, true);
        let Some(base) = draft.fresh(at) else { return };
        let random = &mut self.random;
        let t = draft.written(random, &[]);
        let t2 = if pair { draft.written(random, &[t]) } else { 31 };
        let head = log << 30 | 0x0800_0000 | u32::from(pair) << 21;
        let ordered = |random: &mut Random| (random.below(2) as u32) << 15;
        draft.words.push(head | 1 << 22 | 31 << 16 | ordered(random) | t2 << 10 | base << 5 | t);
        if random.one_in(2) && draft.length - draft.words.len() > 1 {
            self.single(draft);
        }
        let random = &mut self.random;
        let (n, n2) = (draft.read(random), if pair { draft.read(random) } else { 31 });
        let status = draft.written(random, &[n, n2]);
        draft.words.push(head | status << 16 | ordered(random) | n2 << 10 | base << 5 | n);
    }
}

/// nzcv, fpcr, fpsr, tpidr_el0, tpidrro_el0, ctr_el0, dczid_el0, cntfrq_el0, as bits of `mrs`.
const SYSTEM_REGISTERS: [u32; 8] = [0xb_4200, 0xb_4400, 0xb_4420, 0xb_d040, 0xb_d060, 0xb_0020, 0xb_00e0, 0xb_e000];

fn adr(register: u32, ahead: u32) -> u32 {
    0x1000_0000 | ahead << 5 | register
}

/// Rounding mode, flush-to-zero, default NaN, alternative half precision, flush-to-zero of halves; most often 0.
fn fpcr(random: &mut Random) -> u32 {
    match random.below(4) {
        0 | 1 => 0,
        2 => (random.below(4) as u32) << 22,
        _ => random.next() as u32 & 0x07c8_0000,
    }
}

fn fixed_mask(compiled: &Compiled) -> u32 {
    !compiled.fields.iter().fold(0, |mask, f| mask | ones(f.bits as usize, f.shift))
}

/// An address in the scratch area for an access of `size` bytes; rarely one that faults or just does not.
fn target(random: &mut Random, size: u64, aligned: bool) -> u64 {
    let at = match random.below(64) {
        0 => READ_ONLY + random.below(PAGE_SIZE),
        1 => READ_ONLY + PAGE_SIZE - random.below(2 * size + 1),
        2 => READ_ONLY - random.below(2 * size + 1),
        3 => SCRATCH.wrapping_sub(size).wrapping_add(random.below(size + 1)),
        4..=7 => SCRATCH + PAGE_SIZE * (1 + random.below(2)) - random.below(size + 1),
        _ => SCRATCH + 512 + random.below(SCRATCH_SIZE - 1024),
    };
    if aligned || random.one_in(2) { at & !(size - 1) } else { at }
}

impl Draft {
    /// A register to be written: none that addresses need, and none of `but`.
    fn written(&self, random: &mut Random, but: &[u32]) -> u32 {
        loop {
            let r = self.read(random);
            if self.reserved >> r & 1 == 0 && !but.contains(&r) {
                return r;
            }
        }
    }

    fn read(&self, random: &mut Random) -> u32 {
        if random.one_in(2) { *random.pick(&self.often_general) } else { random.below(32) as u32 }
    }

    fn vector(&self, random: &mut Random) -> u32 {
        if random.one_in(2) { *random.pick(&self.often_vector) } else { random.below(32) as u32 }
    }

    /// A register that is given `value` from the beginning.
    fn fresh(&mut self, value: u64) -> Option<u32> {
        let at = self.free.iter().position(|r| *r != 31 || value.is_multiple_of(16))?;
        let register = self.free.swap_remove(at);
        self.set(register, value);
        self.pointers.push((register, value));
        Some(register)
    }

    fn set(&mut self, register: u32, value: u64) {
        match self.regs.x.get_mut(register as usize) {
            Some(x) => *x = value,
            None => self.regs.sp = value,
        }
    }
}

/// Chooses the fields of a pattern. `None` if no register is left for its address.
fn fill(compiled: &Compiled, draft: &mut Draft, random: &mut Random) -> Option<u32> {
    let Pattern { mode, size, .. } = compiled.pattern;
    let mut word = compiled.fixed;
    let address = if mode == Mode::None { None } else { Some(address(compiled, draft, random)?) };
    let (mut first, mut first_vector) = (None, None);
    for field in &compiled.fields {
        let any = random.next() as u32 & ones(field.bits as usize, 0);
        let value = match field.letter {
            b'x' => any,
            b'n' if mode == Mode::Aligned => loop {
                let n = draft.read(random);
                if Some(n) != first && address.as_ref().is_none_or(|a| a.base != n) {
                    break n;
                }
            },
            b'n' => draft.read(random),
            b'v' | b'w' => loop {
                let v = draft.vector(random);
                if Some(v) != first_vector || compiled.pattern.bits.bytes().all(|b| b != b'w') {
                    first_vector = Some(v);
                    break v;
                }
            },
            b'd' | b'e' => {
                let mut but: Vec<u32> = first.into_iter().collect();
                let mut register = draft.written(random, &but);
                if field.bits == 4 {
                    // The first of an even and an odd register.
                    while register % 2 == 1 || (draft.reserved | 1 << 31) >> (register + 1) & 1 == 1 {
                        but.push(register);
                        if but.len() > 64 {
                            return None;
                        }
                        register = draft.written(random, &first.into_iter().collect::<Vec<_>>());
                    }
                    first = Some(register);
                    register / 2
                } else {
                    let over_base = matches!(mode, Mode::Unsigned(_) | Mode::Signed(_) | Mode::Index(_));
                    if let Some(address) = &address
                        && over_base
                        && first.is_none()
                        && address.base != 31
                        && random.one_in(12)
                    {
                        register = address.base;
                        draft.pointers.retain(|(r, _)| *r != register);
                    }
                    first = Some(register);
                    register
                }
            }
            b'f' => {
                let room = (draft.length - draft.words.len()) as u64;
                1 + random.below(room) as u32
            }
            b'b' => address.as_ref()?.base,
            b'i' => address.as_ref()?.index,
            b'o' => address.as_ref()?.offset & ones(field.bits as usize, 0),
            letter => unreachable!("letter {} in '{}'", char::from(letter), compiled.pattern.bits),
        };
        word |= value << field.shift;
    }
    if let Some(address) = &address {
        if let Some((clear, set)) = address.option {
            word = word & !clear | set;
        }
        address.keep(draft, mode, size);
    }
    // A call writes register 30.
    let call = word >> 26 == 0b100101;
    Some(if call && draft.reserved >> 30 & 1 == 1 { word & !(1 << 31) } else { word })
}

/// The fields of an address.
struct Address {
    base: u32,
    index: u32,
    offset: u32,
    /// Bits of the word to clear and to set: how an index is extended.
    option: Option<(u32, u32)>,
    /// What the base is afterwards.
    after: Option<u64>,
}

impl Address {
    fn keep(&self, draft: &mut Draft, mode: Mode, _size: u32) {
        let Some(after) = self.after else { return };
        for (register, value) in &mut draft.pointers {
            if *register == self.base {
                *value = after;
            }
        }
        if mode == Mode::PostIndex && self.index != 31 {
            draft.pointers.retain(|(r, _)| *r != self.base);
        }
    }
}

/// Chooses an address: through a register of its own, or one that points into the scratch area already.
fn address(compiled: &Compiled, draft: &mut Draft, random: &mut Random) -> Option<Address> {
    let Pattern { mode, size, .. } = compiled.pattern;
    let size = u64::from(size);
    let at = target(random, size, mode == Mode::Aligned);
    let bits = compiled.fields.iter().find(|f| f.letter == b'o').map_or(0, |f| f.bits);
    let (raw, log) = match mode {
        Mode::Unsigned(log) => (if random.one_in(4) { random.below(1 << bits) } else { random.below(16) }, log),
        Mode::Signed(log) | Mode::Pre(log) | Mode::Post(log) => (random.below(1 << bits), log),
        Mode::Literal => {
            let pc = draft.regs.pc + 4 * draft.words.len() as u64;
            let offset = (at & !3).wrapping_sub(pc) >> 2;
            return Some(Address { base: 31, index: 31, offset: offset as u32, option: None, after: None });
        }
        _ => (0, 0),
    };
    let signed = !matches!(mode, Mode::Unsigned(_)) && bits > 0;
    let offset = if signed { (raw << (64 - bits)) as i64 >> (64 - bits) << log } else { (raw << log) as i64 } as u64;
    if let Mode::Index(log) = mode {
        return index(draft, random, at, log);
    }
    let before = if matches!(mode, Mode::Post(_) | Mode::PostIndex) { at } else { at.wrapping_sub(offset) };
    let tag = if random.one_in(8) { random.next() << 56 } else { 0 };
    let fits = |value: u64| mode != Mode::Aligned || value.is_multiple_of(size);
    let known = (!draft.pointers.is_empty() && random.one_in(2)).then(|| *random.pick(&draft.pointers));
    let (base, value) = match known.filter(|(_, value)| fits(*value)) {
        Some(known) => known,
        None => {
            let value = before & u64::MAX >> 8 | tag;
            (draft.fresh(value)?, value)
        }
    };
    let after = matches!(mode, Mode::Pre(_) | Mode::Post(_)).then(|| value.wrapping_add(offset));
    let index = match mode {
        Mode::PostIndex if random.one_in(2) => draft.read(random),
        _ => 31,
    };
    let after = if mode == Mode::PostIndex { Some(value) } else { after };
    Some(Address { base, index, offset: raw as u32, option: None, after })
}

/// A base and an index that together give `at`.
fn index(draft: &mut Draft, random: &mut Random, at: u64, log: u32) -> Option<Address> {
    let option = *random.pick(&[0b010u32, 0b011, 0b110, 0b111]);
    let scaled = random.below(2) as u32;
    let shift = scaled * log;
    let (index, value) = if random.one_in(8) {
        (31, 0)
    } else {
        let near = random.below(256).wrapping_sub(if random.one_in(2) { 128 } else { 0 });
        let value = match option {
            // The upper half is ignored.
            0b010 | 0b110 => near & 0xffff_ffff | random.next() << 32,
            _ if random.one_in(4) => random.next(),
            _ => near,
        };
        (draft.fresh(0).filter(|r| *r != 31)?, value)
    };
    draft.pointers.retain(|(r, _)| *r != index);
    if index != 31 {
        draft.set(index, value);
    }
    let extended = match option {
        0b010 => value & 0xffff_ffff,
        0b110 => value as u32 as i32 as u64,
        _ => value,
    };
    let base = draft.fresh(at.wrapping_sub(extended << shift))?;
    draft.pointers.retain(|(r, _)| *r != base);
    Some(Address { base, index, offset: 0, option: Some((0xf000, option << 13 | scaled << 12)), after: None })
}

//! Random sequences of instructions with the registers and memory that they begin with.

use std::collections::HashMap;

use sevm::arch::aarch64::Regs;

use super::encodings::{Class, Idiom, Mode, Pattern};
use super::{A64, unicorn};
use crate::isa::{self, Generate, Keep, Oracle};
use crate::random::{FILLINGS, READ_ONLY, Random, SCRATCH, integer, target, vector};

/// A sequence of instructions.
pub type Case = isa::Case<A64>;

/// The longest sequence, without the `svc` that ends it.
pub const LONGEST: usize = 20;
/// What stands where nothing else can be made.
pub const NOP: u32 = 0xd503_201f;
/// `svc #0`
pub const SVC: u32 = 0xd400_0001;

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

impl Generate<A64> for Generator {
    fn reseed(&mut self, seed: u64) {
        self.random = Random::new(seed);
    }

    fn learn_undefined(&mut self, word: u32) {
        let fits = |c: &&Compiled| word & fixed_mask(c) == c.fixed;
        if let Some(compiled) = self.own.iter().chain(&self.others).find(fits) {
            self.undefined.insert(word & !compiled.registers, 0);
        }
    }

    fn vary(&mut self, case: &Case, keep: Keep) -> Case {
        let fresh = self.registers();
        let mut regs = fresh;
        for i in (0..31).filter(|i| keep >> i & 1 == 1) {
            regs.x[i] = case.regs.x[i];
        }
        (regs.sp, regs.pc) = (case.regs.sp, case.regs.pc);
        let filling = self.random.below(FILLINGS as u64) as usize;
        Case { words: case.words.clone(), regs, filling, slice: isa::slice(&mut self.random) }
    }

    fn case(&mut self, pc: u64) -> (Case, Keep) {
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
        let slice = isa::slice(&mut self.random);
        (Case { words: draft.words, regs: draft.regs, filling, slice }, draft.reserved)
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

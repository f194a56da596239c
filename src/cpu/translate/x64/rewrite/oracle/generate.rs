//! Random instructions whose memory operands are where memory is, or at its end.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::native::{AREA, Input};
use super::{Class, DATA, Place, class, is_left_out};

/// An instruction and what it starts with.
pub(super) struct Case {
    pub insn: Instruction,
    pub bytes: Vec<u8>,
    pub place: Place,
    pub input: Input,
}

/// A sequence of numbers (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 33) % end
    }

    /// True once in so many times.
    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// Offsets of xmm0 and of the upper half of ymm0 in the XSAVE area.
const XMM: usize = 160;
const YMM_HIGH: usize = 576;
/// Bytes of either for all registers.
const HALVES: usize = 256;

/// Memory with small and large integers, and floating-point numbers.
pub(super) fn fill(random: &mut Random, data: &mut [u8]) {
    for place in data.chunks_exact_mut(8) {
        let value = match random.below(3) {
            0 => random.next(),
            1 => number(random).to_bits(),
            _ => random.below(300),
        };
        place.copy_from_slice(&value.to_le_bytes());
    }
}

fn number(random: &mut Random) -> f64 {
    (random.below(2000) as f64 - 1000.0) / 8.0
}

/// Bytes that are an instruction more often than not, in all encodings and with all prefixes.
pub(super) fn bytes(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    let vex = random.one_in(3);
    for (prefix, odds) in [(0x66, 4), (0xf2, 6), (0xf3, 6), (0x67, 20), (0x64, 12), (0x65, 12), (0x2e, 20), (0xf0, 30)]
    {
        let allowed = !vex || matches!(prefix, 0x67 | 0x64 | 0x65 | 0x2e);
        if random.one_in(odds) && allowed {
            bytes.push(prefix);
        }
    }
    if vex {
        let last = random.next() as u8 & 0xfc | random.below(4) as u8;
        match random.one_in(3) {
            true => bytes.extend([0xc5, last]),
            false => bytes.extend([0xc4, random.next() as u8 & 0xe0 | (1 + random.below(3) as u8), last]),
        }
    } else {
        if random.one_in(2) {
            bytes.push(0x40 | random.below(16) as u8);
        }
        bytes.extend_from_slice([&[][..], &[], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]][random.below(5) as usize]);
    }
    bytes.push(random.next() as u8);
    let modrm = random.next() as u8;
    // Every now and then relative to the program counter, or with a SIB byte.
    bytes.push(match random.below(8) {
        0 => modrm & 0x38 | 5,
        1 => modrm & 0xb8 | 4,
        _ => modrm,
    });
    bytes.push(random.next() as u8);
    for _ in 0..12 {
        let value = random.next() as u8;
        bytes.push(if random.one_in(2) { 0 } else { value });
    }
    bytes
}

/// Registers of all kinds.
fn registers(random: &mut Random, place: &Place) -> Input {
    let mut gpr = [0; 16];
    for value in &mut gpr {
        *value = match random.below(4) {
            0 => random.below(256),
            1 => random.next(),
            _ => place.data + random.below(DATA),
        };
    }
    gpr[4] = place.data + 0x100 + random.below(DATA - 0x200);
    let mut xsave = Box::new([0; AREA]);
    let finite = random.one_in(2);
    for i in (XMM..XMM + HALVES).chain(YMM_HIGH..YMM_HIGH + HALVES).step_by(8) {
        let value = if finite { number(random).to_bits() } else { random.next() };
        xsave[i..i + 8].copy_from_slice(&value.to_le_bytes());
    }
    for i in 0..8 {
        let at = 32 + 16 * i;
        xsave[at..at + 8].copy_from_slice(&(random.next() | 1 << 63).to_le_bytes());
        xsave[at + 8..at + 10].copy_from_slice(&(0x3fff + random.below(8) as u16).to_le_bytes());
    }
    xsave[0..2].copy_from_slice(&0x37fu16.to_le_bytes());
    xsave[3] = (random.below(8) as u8) << 3;
    xsave[4] = random.next() as u8;
    xsave[24..28].copy_from_slice(&0x1f80u32.to_le_bytes());
    xsave[512] = 7;
    let near = random.one_in(2) || place.data >> 32 != 0;
    let mut base = || if near { place.data + random.below(DATA) } else { random.below(0x1000) };
    let (fs_base, gs_base) = (base(), base());
    let flags = 0x202 | random.next() & 0x8d5;
    Input { gpr, flags, fs_base, gs_base, xsave }
}

/// The linear address of a memory operand, for an element of a gather.
fn address(insn: &Instruction, operand: u32, element: usize, input: &Input) -> Option<u64> {
    insn.virtual_address(operand, element, |register, element, size| {
        let value = |n: usize| input.gpr[n & 15];
        Some(match register {
            Register::FS => input.fs_base,
            Register::GS => input.gs_base,
            r if r.is_segment_register() => 0,
            Register::AL => value(0) & 0xff,
            r if r.is_gpr64() => value(r.number()),
            r if r.is_gpr32() => value(r.number()) & 0xffff_ffff,
            r if r.is_vector_register() => {
                let at = element * size;
                let start = if at < 16 { XMM + at } else { YMM_HIGH + at - 16 } + r.number() * 16;
                let mut bytes = [0; 8];
                bytes.get_mut(..size)?.copy_from_slice(input.xsave.get(start..start + size)?);
                u64::from_le_bytes(bytes)
            }
            _ => return None,
        })
    })
}

/// Registers of string instructions and the like: pointers into memory, and a small count.
fn point_strings(random: &mut Random, insn: &Instruction, place: &Place, input: &mut Input) -> Option<()> {
    let narrow =
        insn.op_kinds().any(|k| matches!(k, OpKind::MemorySegESI | OpKind::MemoryESEDI | OpKind::MemorySegEDI));
    let segment = match insn.segment_prefix() {
        Register::FS => input.fs_base,
        Register::GS => input.gs_base,
        _ => 0,
    };
    for register in [6, 7] {
        input.gpr[register] = place.data + 0x200 + random.below(DATA - 0x400);
        if random.one_in(8) {
            input.gpr[register] = place.data + DATA - random.below(32);
        }
    }
    input.gpr[1] = random.below(40);
    if insn.is_string_instruction() {
        input.flags |= if random.one_in(4) { 0x400 } else { 0 };
        return (!narrow && segment == 0).then_some(());
    }
    input.gpr[7] = input.gpr[7].wrapping_sub(segment);
    (!narrow).then_some(())
}

/// Moves the memory operand to a place in memory or at its end, by its displacement or a register.
fn aim(random: &mut Random, case: &mut Case, operand: u32) -> Option<()> {
    let (data, insn) = (case.place.data, case.insn);
    let target = match random.one_in(12) {
        true => data + DATA - random.below(48),
        false => (data + 0x40 + random.below(DATA - 0x80)) & if random.one_in(2) { !63 } else { !0 },
    };
    if insn.is_vsib() {
        // Small indices, so that all elements are near.
        for i in (XMM..XMM + HALVES).chain(YMM_HIGH..YMM_HIGH + HALVES).step_by(8) {
            let low = random.below(64);
            let high = if insn.is_vsib64() { 0 } else { random.below(64) };
            case.input.xsave[i..i + 8].copy_from_slice(&(low | high << 32).to_le_bytes());
        }
    }
    let slack = if insn.is_vsib() { 0x400 } else { 0 };
    let delta = target.wrapping_sub(slack).wrapping_sub(address(&insn, operand, 0, &case.input)?);
    let base = insn.memory_base();
    if base.is_gpr() {
        let value = &mut case.input.gpr[base.full_register().number() & 15];
        *value = value.wrapping_add(delta);
    } else {
        let mut decoder = Decoder::with_ip(64, &case.bytes, case.place.code, DecoderOptions::NONE);
        let decoded = decoder.decode();
        let offsets = decoder.get_constant_offsets(&decoded);
        let (at, size) = (offsets.displacement_offset(), offsets.displacement_size());
        let mut value = [0; 8];
        value.get_mut(..size)?.copy_from_slice(case.bytes.get(at..at + size)?);
        let value = u64::from_le_bytes(value).wrapping_add(delta).to_le_bytes();
        case.bytes[at..at + size].copy_from_slice(&value[..size]);
        case.insn = Decoder::with_ip(64, &case.bytes, case.place.code, DecoderOptions::NONE).decode();
    }
    let inside = |addr: u64| (data..data + DATA + 0x40).contains(&addr);
    let elements = if insn.is_vsib() { 2 } else { 1 };
    (0..elements).all(|i| address(&case.insn, operand, i, &case.input).is_some_and(inside)).then_some(())
}

/// A case, if the bytes that come up make one.
pub(super) fn case(random: &mut Random, places: &[Place]) -> Option<Case> {
    let place = places[random.below(places.len() as u64) as usize];
    let mut bytes = bytes(random);
    let insn = Decoder::with_ip(64, &bytes, place.code, DecoderOptions::NONE).decode();
    if insn.is_invalid() || is_left_out(&insn) {
        return None;
    }
    bytes.truncate(insn.len());
    let mut input = registers(random, &place);
    if insn.is_string_instruction() || class(&insn) == Class::AtRdi {
        point_strings(random, &insn, &place, &mut input)?;
    }
    if class(&insn) == Class::Leave {
        input.gpr[5] = place.data + random.below(DATA - 8);
    }
    let operand = (0..insn.op_count()).find(|&i| insn.op_kind(i) == OpKind::Memory);
    let bits = matches!(insn.mnemonic(), Mnemonic::Bt | Mnemonic::Bts | Mnemonic::Btr | Mnemonic::Btc);
    let bits = bits && operand.is_some() && insn.op1_kind() == OpKind::Register;
    let bit_register = insn.op1_register().full_register();
    if bits {
        // The bit may be far from the operand.
        input.gpr[bit_register.number() & 15] &= 0xff;
    }
    let mut case = Case { insn, bytes, place, input };
    if let Some(operand) = operand
        && class(&insn) != Class::Lea
    {
        aim(random, &mut case, operand)?;
    }
    if bits && case.input.gpr[bit_register.number() & 15] > 0xff {
        return None;
    }
    Some(case)
}

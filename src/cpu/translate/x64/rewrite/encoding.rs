//! The parts of an encoded instruction, and memory operands to put into it (Intel SDM volume 2, chapter 2).

use crate::cpu::translate::asm::Asm;

/// Segment override that means the guest's window.
pub(super) const GS: u8 = 0x65;
/// 16-bit operands.
pub(super) const OPERAND_SIZE: u8 = 0x66;
const LOCK: u8 = 0xf0;
/// An instruction has at most so many bytes.
pub(super) const MOST_BYTES: usize = 15;
/// 32-bit addresses.
pub(super) const ADDRESS_SIZE: u8 = 0x67;

/// What stands between the legacy prefixes and the opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    None,
    Rex(u8),
    /// `C5` and its byte.
    Vex2(u8),
    /// `C4` and its bytes.
    Vex3(u8, u8),
}

/// Where the parts of an instruction with a ModRM byte are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Bytes of legacy prefixes, and REX prefixes that another prefix makes void.
    prefixes: usize,
    lead: Lead,
    /// Where the opcode begins, escape bytes included.
    opcode: usize,
    modrm: usize,
    /// Where the immediate begins, if there is one.
    tail: usize,
}

fn is_legacy(byte: u8) -> bool {
    matches!(byte, 0x66 | 0x67 | 0xf0 | 0xf2 | 0xf3) || is_segment(byte)
}

fn is_segment(byte: u8) -> bool {
    matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65)
}

impl Layout {
    /// Takes a valid instruction with a ModRM byte apart; `None` if the bytes do not have the form of one.
    pub(super) fn of(bytes: &[u8]) -> Option<Layout> {
        let at = |i: usize| bytes.get(i).copied();
        let (prefixes, rex, i) = leading(bytes)?;
        let (lead, opcode, modrm) = match (at(i)?, rex) {
            (0xc5, None) => (Lead::Vex2(at(i + 1)?), i + 2, i + 3),
            (0xc4, None) => (Lead::Vex3(at(i + 1)?, at(i + 2)?), i + 3, i + 4),
            (first, rex) => {
                let escapes = match (first, at(i + 1)) {
                    (0x0f, Some(0x38 | 0x3a)) => 2,
                    (0x0f, _) => 1,
                    _ => 0,
                };
                (rex.map_or(Lead::None, Lead::Rex), i, i + escapes + 1)
            }
        };
        let tail = modrm + 1 + operand_bytes(at(modrm)?, at(modrm + 1));
        (tail <= bytes.len()).then_some(Layout { prefixes, lead, opcode, modrm, tail })
    }

    /// Emits the instruction with another memory operand, in the guest's window.
    pub(super) fn emit(&self, asm: &mut Asm, bytes: &[u8], operand: Operand) {
        emit_prefixes(asm, &bytes[..self.prefixes], operand.narrow);
        let (x, b) = operand.extension();
        match self.lead {
            Lead::None if x | b == 0 => {}
            Lead::None => asm.bytes(&[0x40 | x << 1 | b]),
            Lead::Rex(rex) => asm.bytes(&[rex & !3 | x << 1 | b]),
            Lead::Vex2(second) if x | b == 0 => asm.bytes(&[0xc5, second]),
            // R as it was, map 0F, W = 0.
            Lead::Vex2(second) => asm.bytes(&[0xc4, second & 0x80 | inverted(x, b) | 1, second & 0x7f]),
            Lead::Vex3(second, third) => asm.bytes(&[0xc4, second & 0x9f | inverted(x, b), third]),
        }
        asm.bytes(&bytes[self.opcode..self.modrm]);
        operand.emit(asm, bytes[self.modrm] >> 3 & 7);
        asm.bytes(&bytes[self.tail..]);
    }
}

/// Bytes of legacy prefixes and of REX prefixes that those make void, the REX prefix, and where the opcode (or VEX) begins.
fn leading(bytes: &[u8]) -> Option<(usize, Option<u8>, usize)> {
    let mut rex = None;
    for (i, &byte) in bytes.iter().enumerate() {
        match byte {
            b if is_legacy(b) => rex = None,
            0x40..=0x4f => rex = Some(byte),
            _ => return Some((i - usize::from(rex.is_some()), rex, i)),
        }
    }
    None
}

/// A `gs` prefix, and each legacy prefix that still means something once: an instruction has at most [`MOST_BYTES`].
fn emit_prefixes(asm: &mut Asm, prefixes: &[u8], narrow: bool) {
    asm.bytes(&[GS]);
    if narrow {
        asm.bytes(&[ADDRESS_SIZE]);
    }
    for single in [OPERAND_SIZE, LOCK] {
        if prefixes.contains(&single) {
            asm.bytes(&[single]);
        }
    }
    let repeat = prefixes.iter().rev().find(|b| matches!(b, 0xf2 | 0xf3));
    asm.bytes(repeat.map_or(&[], std::slice::from_ref));
}

/// Emits an instruction whose memory operand is implied or an absolute address: with a `gs` prefix instead of the segment prefixes that it
/// has.
pub(super) fn emit_in_window(asm: &mut Asm, bytes: &[u8]) -> Option<()> {
    let (prefixes, rex, opcode) = leading(bytes)?;
    let prefixes = &bytes[..prefixes];
    emit_prefixes(asm, prefixes, prefixes.contains(&ADDRESS_SIZE));
    asm.bytes(rex.as_slice());
    asm.bytes(&bytes[opcode..]);
    Some(())
}

/// VEX has X and B inverted, in bits 6 and 5.
fn inverted(x: u8, b: u8) -> u8 {
    (x ^ 1) << 6 | (b ^ 1) << 5
}

/// Bytes of SIB and displacement behind a ModRM byte.
fn operand_bytes(modrm: u8, sib: Option<u8>) -> usize {
    let (mode, rm) = (modrm >> 6, modrm & 7);
    let has_sib = mode != 3 && rm == 4;
    let disp = match mode {
        0 if rm == 5 || has_sib && sib.is_some_and(|s| s & 7 == 5) => 4,
        1 => 1,
        2 => 4,
        _ => 0,
    };
    usize::from(has_sib) + disp
}

/// Whether the bytes begin with a segment override of any kind, among other prefixes.
pub(super) fn has_segment(bytes: &[u8]) -> bool {
    leading(bytes).is_some_and(|(prefixes, ..)| bytes[..prefixes].iter().any(|&b| is_segment(b)))
}

/// A memory operand as it is encoded; registers by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operand {
    pub(super) base: Option<u8>,
    /// Number and log2 of the factor. A vector register for gathers.
    pub(super) index: Option<(u8, u8)>,
    pub(super) disp: i32,
    /// The address is cut to 32 bits.
    pub(super) narrow: bool,
}

impl Operand {
    /// `[base]`.
    pub(super) fn base(base: u8) -> Operand {
        Operand { base: Some(base), index: None, disp: 0, narrow: false }
    }

    /// The place some bytes further on, if it can be encoded.
    pub(super) fn plus(self, bytes: i32) -> Option<Operand> {
        // A sum that wraps is right where addresses do so too.
        let disp = if self.narrow { self.disp.wrapping_add(bytes) } else { self.disp.checked_add(bytes)? };
        Some(Operand { disp, ..self })
    }

    /// X and B of the prefix.
    fn extension(self) -> (u8, u8) {
        (self.index.map_or(0, |(i, _)| i >> 3), self.base.map_or(0, |b| b >> 3))
    }

    /// ModRM, SIB and displacement.
    fn emit(self, asm: &mut Asm, reg: u8) {
        let reg = (reg & 7) << 3;
        let (scaled, plain) = (self.index.map_or(4 << 3, |(i, scale)| scale << 6 | (i & 7) << 3), self.index.is_none());
        let Some(base) = self.base.map(|b| b & 7) else {
            asm.bytes(&[reg | 4, scaled | 5]);
            return asm.bytes(&self.disp.to_le_bytes());
        };
        let mode = match self.disp {
            0 if base != 5 => 0,
            -128..=127 => 1,
            _ => 2,
        };
        match plain && base != 4 {
            true => asm.bytes(&[mode << 6 | reg | base]),
            false => asm.bytes(&[mode << 6 | reg | 4, scaled | base]),
        }
        match mode {
            0 => {}
            1 => asm.bytes(&[self.disp as u8]),
            _ => asm.bytes(&self.disp.to_le_bytes()),
        }
    }
}

/// The size of an operation on a general register or a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpSize {
    /// 2 bytes.
    Word,
    /// 4 bytes.
    Dword,
    /// 8 bytes.
    Qword,
}

impl OpSize {
    /// Of an operand of so many bytes; 8 for all but 2 and 4.
    pub(super) fn of_bytes(bytes: usize) -> OpSize {
        match bytes {
            2 => OpSize::Word,
            4 => OpSize::Dword,
            _ => OpSize::Qword,
        }
    }

    /// Bytes.
    pub(super) fn bytes(self) -> i32 {
        match self {
            OpSize::Word => 2,
            OpSize::Dword => 4,
            OpSize::Qword => 8,
        }
    }
}

/// What an operation's memory operand is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum In {
    /// The guest's window.
    Guest,
    /// Nothing: sevm's own memory, or an address that is only computed.
    Host,
}

/// `opcode reg, [operand]` with a one-byte opcode.
pub(super) fn emit_op(asm: &mut Asm, of: In, size: OpSize, opcode: u8, reg: u8, operand: Operand) {
    if of == In::Guest {
        asm.bytes(&[GS]);
    }
    if operand.narrow {
        asm.bytes(&[ADDRESS_SIZE]);
    }
    if size == OpSize::Word {
        asm.bytes(&[OPERAND_SIZE]);
    }
    let (x, b) = operand.extension();
    let rex = u8::from(size == OpSize::Qword) << 3 | reg >> 3 << 2 | x << 1 | b;
    if rex != 0 {
        asm.bytes(&[0x40 | rex]);
    }
    asm.bytes(&[opcode]);
    operand.emit(asm, reg);
}

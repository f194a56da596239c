//! Loads and stores (Arm ARM, C4.1.94).

use super::{Extend, Key, Reg, bit, bits, reg, signed};

/// Which way data moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Direction {
    Load,
    Store,
}

/// How a loaded value fills its general register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Zeros above the value.
    Zero,
    /// The sign up to bit 31, zeros above.
    SignW,
    /// The sign up to bit 63.
    SignX,
}

/// The register and the amount that an access moves; `size` is the logarithm of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Data {
    /// A general register (31 is the zero register), 1 to 8 bytes.
    General { size: u8, fill: Fill },
    /// A vector register, 1 to 16 bytes; a load clears the rest.
    Vector { size: u8 },
}

impl Data {
    /// Logarithm of the bytes moved for one register.
    pub const fn size(self) -> u8 {
        match self {
            Data::General { size, .. } | Data::Vector { size } => size,
        }
    }
}

/// An address with its side effect. `rn` is SP at 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Address {
    /// A register plus an offset.
    Offset { rn: Reg, offset: i32 },
    /// The same, and the register takes the sum.
    PreIndex { rn: Reg, offset: i32 },
    /// A register, which takes the sum afterwards.
    PostIndex { rn: Reg, offset: i32 },
    /// A register plus an extended and shifted register (31 is the zero register).
    Register { rn: Reg, rm: Reg, extend: Extend, shift: u8 },
    /// An offset from the instruction.
    Literal { offset: i32 },
}

/// What is demanded of the order and the alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    Plain,
    /// A load-acquire or store-release: an alignment fault if the access leaves its 16-byte block.
    Ordered,
}

/// The read-modify-write instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Atomic {
    Add,
    Clear,
    Eor,
    Set,
    SignedMax,
    SignedMin,
    UnsignedMax,
    UnsignedMin,
    Swap,
}

/// What an AdvSIMD structure access moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Elements {
    /// Whole registers: `registers` of them from the first, elements of `structure` of them interleaved.
    Multiple { registers: u8, structure: u8 },
    /// One element of each of `structure` registers.
    Single { structure: u8, index: u8 },
    /// One element for each of `structure` registers, copied to all of it.
    Replicate { structure: u8 },
}

/// How a structure access leaves its address register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostIndex {
    /// As it was.
    None,
    /// Increased by the bytes moved.
    Bytes,
    /// Increased by a register.
    Reg(Reg),
}

/// A load or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Insn {
    /// One register.
    Single { direction: Direction, data: Data, rt: Reg, address: Address, order: Order },
    /// LDRAA, LDRAB: as LDR with an offset, of an authenticated address; the register takes the address if `write_back`.
    Authenticated { key: Key, rt: Reg, rn: Reg, offset: i32, write_back: bool },
    /// Two registers from successive places.
    Pair { direction: Direction, data: Data, rt: Reg, rt2: Reg, address: Address },
    /// Prefetch.
    Prefetch,
    /// LDXR and the like; the second register if a pair.
    LoadExclusive { size: u8, rt: Reg, rt2: Option<Reg>, rn: Reg },
    /// STXR and the like.
    StoreExclusive { size: u8, rs: Reg, rt: Reg, rt2: Option<Reg>, rn: Reg },
    /// CAS.
    CompareSwap { size: u8, rs: Reg, rt: Reg, rn: Reg },
    /// CASP, of two registers of `1 << size` bytes each.
    CompareSwapPair { size: u8, rs: Reg, rt: Reg, rn: Reg },
    /// LDADD and the like, SWP.
    Atomic { op: Atomic, size: u8, rs: Reg, rt: Reg, rn: Reg },
    /// LD1 to LD4, ST1 to ST4 and LD1R to LD4R; `size` is that of an element, `quad` says 16-byte registers.
    Structure { direction: Direction, elements: Elements, size: u8, quad: bool, rt: Reg, rn: Reg, post: PostIndex },
}

/// Decodes a load or a store.
pub(super) fn decode(word: u32) -> Option<Insn> {
    let vector = bit(word, 26);
    match (bits(word, 28, 2), bit(word, 24)) {
        (0, _) if vector => decode_structure(word),
        (0, false) => decode_exclusive(word),
        (0, true) => None,
        (1, false) => decode_literal(word),
        (1, true) => decode_ordered_unscaled(word),
        (2, _) => decode_pair(word),
        (_, true) => {
            let (data, direction) = match single(word)? {
                Single::Data(data, direction) => (data, direction),
                Single::Prefetch => return Some(Insn::Prefetch),
            };
            let offset = (bits(word, 10, 12) << data.size()) as i32;
            let address = Address::Offset { rn: reg(word, 5), offset };
            Some(plain(direction, data, reg(word, 0), address))
        }
        (_, false) if bit(word, 21) => match bits(word, 10, 2) {
            0 => decode_atomic(word),
            2 => decode_register_offset(word),
            _ => decode_authenticated(word),
        },
        (_, false) => decode_unscaled(word),
    }
}

fn plain(direction: Direction, data: Data, rt: Reg, address: Address) -> Insn {
    Insn::Single { direction, data, rt, address, order: Order::Plain }
}

/// What a single-register instruction moves.
enum Single {
    Data(Data, Direction),
    Prefetch,
}

/// By size (bits 31 and 30), V and opc, as all single-register forms have them.
fn single(word: u32) -> Option<Single> {
    let (size, opc) = (bits(word, 30, 2) as u8, bits(word, 22, 2));
    let direction = if opc & 1 == 0 { Direction::Store } else { Direction::Load };
    if bit(word, 26) {
        let size = match (opc < 2, size) {
            (true, _) => size,
            (false, 0) => 4,
            _ => return None,
        };
        return Some(Single::Data(Data::Vector { size }, direction));
    }
    let (fill, direction) = match (opc, size) {
        (0, _) => (Fill::Zero, Direction::Store),
        (1, _) => (Fill::Zero, Direction::Load),
        (2, 0..=2) => (Fill::SignX, Direction::Load),
        (2, _) => return Some(Single::Prefetch),
        (_, 0 | 1) => (Fill::SignW, Direction::Load),
        _ => return None,
    };
    Some(Single::Data(Data::General { size, fill }, direction))
}

/// Unscaled, post-indexed, unprivileged and pre-indexed.
fn decode_unscaled(word: u32) -> Option<Insn> {
    let (rn, offset) = (reg(word, 5), signed(word, 12, 9) as i32);
    let mode = bits(word, 10, 2);
    let (data, direction) = match single(word)? {
        Single::Data(data, direction) => (data, direction),
        Single::Prefetch => return (mode == 0).then_some(Insn::Prefetch),
    };
    let address = match mode {
        0 => Address::Offset { rn, offset },
        1 => Address::PostIndex { rn, offset },
        // LDTR and STTR at EL0 access memory as LDUR and STUR do.
        2 if bit(word, 26) => return None,
        2 => Address::Offset { rn, offset },
        _ => Address::PreIndex { rn, offset },
    };
    Some(plain(direction, data, reg(word, 0), address))
}

fn decode_register_offset(word: u32) -> Option<Insn> {
    if !bit(word, 14) {
        return None;
    }
    let (data, direction) = match single(word)? {
        Single::Data(data, direction) => (data, direction),
        Single::Prefetch => return Some(Insn::Prefetch),
    };
    let shift = if bit(word, 12) { data.size() } else { 0 };
    let extend = Extend::of(bits(word, 13, 3));
    let address = Address::Register { rn: reg(word, 5), rm: reg(word, 16), extend, shift };
    Some(plain(direction, data, reg(word, 0), address))
}

fn decode_authenticated(word: u32) -> Option<Insn> {
    if bits(word, 30, 2) != 3 || bit(word, 26) {
        return None;
    }
    let key = if bit(word, 23) { Key::Db } else { Key::Da };
    let offset = (signed(word, 22, 1) << 9 | i64::from(bits(word, 12, 9))) << 3;
    let (rt, rn) = (reg(word, 0), reg(word, 5));
    Some(Insn::Authenticated { key, rt, rn, offset: offset as i32, write_back: bit(word, 11) })
}

fn decode_literal(word: u32) -> Option<Insn> {
    let opc = bits(word, 30, 2) as u8;
    let data = match (bit(word, 26), opc) {
        (true, 3) => return None,
        (true, _) => Data::Vector { size: opc + 2 },
        (false, 0 | 1) => Data::General { size: opc + 2, fill: Fill::Zero },
        (false, 2) => Data::General { size: 2, fill: Fill::SignX },
        (false, _) => return Some(Insn::Prefetch),
    };
    let address = Address::Literal { offset: (signed(word, 5, 19) << 2) as i32 };
    Some(plain(Direction::Load, data, reg(word, 0), address))
}

/// LDAPUR, STLUR and their sizes. Memory tagging and memory copies, their neighbours, are not shown.
fn decode_ordered_unscaled(word: u32) -> Option<Insn> {
    if bit(word, 21) || bits(word, 10, 2) != 0 || bit(word, 26) {
        return None;
    }
    let Single::Data(data, direction) = single(word)? else { return None };
    let address = Address::Offset { rn: reg(word, 5), offset: signed(word, 12, 9) as i32 };
    Some(Insn::Single { direction, data, rt: reg(word, 0), address, order: Order::Ordered })
}

fn decode_pair(word: u32) -> Option<Insn> {
    let (opc, mode) = (bits(word, 30, 2) as u8, bits(word, 23, 2));
    let direction = if bit(word, 22) { Direction::Load } else { Direction::Store };
    let data = match (bit(word, 26), opc) {
        (_, 3) => return None,
        (true, _) => Data::Vector { size: opc + 2 },
        (false, 0) => Data::General { size: 2, fill: Fill::Zero },
        (false, 2) => Data::General { size: 3, fill: Fill::Zero },
        (false, _) if direction == Direction::Load && mode != 0 => Data::General { size: 2, fill: Fill::SignX },
        // STGP belongs to memory tagging.
        _ => return None,
    };
    let (rn, offset) = (reg(word, 5), (signed(word, 15, 7) << data.size()) as i32);
    let address = match mode {
        0 | 2 => Address::Offset { rn, offset },
        1 => Address::PostIndex { rn, offset },
        _ => Address::PreIndex { rn, offset },
    };
    Some(Insn::Pair { direction, data, rt: reg(word, 0), rt2: reg(word, 10), address })
}

fn decode_exclusive(word: u32) -> Option<Insn> {
    let size = bits(word, 30, 2) as u8;
    let (rt, rn, rt2, rs) = (reg(word, 0), reg(word, 5), reg(word, 10), reg(word, 16));
    let load = bit(word, 22);
    match (bit(word, 23), bit(word, 21)) {
        (false, false) if load => Some(Insn::LoadExclusive { size, rt, rt2: None, rn }),
        (false, false) => Some(Insn::StoreExclusive { size, rs, rt, rt2: None, rn }),
        (false, true) if size >= 2 && load => Some(Insn::LoadExclusive { size, rt, rt2: Some(rt2), rn }),
        (false, true) if size >= 2 => Some(Insn::StoreExclusive { size, rs, rt, rt2: Some(rt2), rn }),
        (false, true) => {
            let valid = rt2 == 31 && (rs | rt) & 1 == 0;
            valid.then_some(Insn::CompareSwapPair { size: size + 2, rs, rt, rn })
        }
        (true, false) => {
            let direction = if load { Direction::Load } else { Direction::Store };
            let data = Data::General { size, fill: Fill::Zero };
            let address = Address::Offset { rn, offset: 0 };
            Some(Insn::Single { direction, data, rt, address, order: Order::Ordered })
        }
        (true, true) => (rt2 == 31).then_some(Insn::CompareSwap { size, rs, rt, rn }),
    }
}

fn decode_atomic(word: u32) -> Option<Insn> {
    let size = bits(word, 30, 2) as u8;
    let (rt, rn, rs) = (reg(word, 0), reg(word, 5), reg(word, 16));
    if bit(word, 26) {
        return None;
    }
    let op = match (bit(word, 15), bits(word, 12, 3)) {
        (false, 0) => Atomic::Add,
        (false, 1) => Atomic::Clear,
        (false, 2) => Atomic::Eor,
        (false, 3) => Atomic::Set,
        (false, 4) => Atomic::SignedMax,
        (false, 5) => Atomic::SignedMin,
        (false, 6) => Atomic::UnsignedMax,
        (false, _) => Atomic::UnsignedMin,
        (true, 0) => Atomic::Swap,
        // LDAPR
        (true, 4) if bits(word, 22, 2) == 2 && rs == 31 => {
            let data = Data::General { size, fill: Fill::Zero };
            let address = Address::Offset { rn, offset: 0 };
            return Some(Insn::Single { direction: Direction::Load, data, rt, address, order: Order::Ordered });
        }
        _ => return None,
    };
    Some(Insn::Atomic { op, size, rs, rt, rn })
}

fn decode_structure(word: u32) -> Option<Insn> {
    let (rt, rn, rm) = (reg(word, 0), reg(word, 5), reg(word, 16));
    if bit(word, 31) {
        return None;
    }
    let direction = if bit(word, 22) { Direction::Load } else { Direction::Store };
    let quad = bit(word, 30);
    let post = match (bit(word, 23), rm) {
        (false, 0) => PostIndex::None,
        (false, _) => return None,
        (true, 31) => PostIndex::Bytes,
        (true, rm) => PostIndex::Reg(rm),
    };
    let size = bits(word, 10, 2) as u8;
    if !bit(word, 24) {
        let (registers, structure) = match bits(word, 12, 4) {
            0 => (4, 4),
            2 => (4, 1),
            4 => (3, 3),
            6 => (3, 1),
            7 => (1, 1),
            8 => (2, 2),
            10 => (2, 1),
            _ => return None,
        };
        if bit(word, 21) || (size == 3 && !quad && structure != 1) {
            return None;
        }
        let elements = Elements::Multiple { registers, structure };
        return Some(Insn::Structure { direction, elements, size, quad, rt, rn, post });
    }
    let structure = (bits(word, 13, 1) << 1 | bits(word, 21, 1)) as u8 + 1;
    // Q, S and size together are the index of the smallest element.
    let index = (bits(word, 30, 1) << 3 | bits(word, 10, 3)) as u8;
    let (size, index) = match bits(word, 14, 2) {
        0 => (0, index),
        1 if size & 1 == 0 => (1, index >> 1),
        2 if size == 0 => (2, index >> 2),
        2 if size == 1 && !bit(word, 12) => (3, index >> 3),
        3 if direction == Direction::Load && !bit(word, 12) => {
            let elements = Elements::Replicate { structure };
            return Some(Insn::Structure { direction, elements, size, quad, rt, rn, post });
        }
        _ => return None,
    };
    Some(Insn::Structure { direction, elements: Elements::Single { structure, index }, size, quad, rt, rn, post })
}

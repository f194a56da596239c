//! AdvSIMD structure loads and stores: LD1 to LD4, ST1 to ST4.

use super::memory::{VMOVDQU_LOAD, VMOVDQU_STORE, VMOVQ_LOAD, VMOVQ_STORE, VPEXTRB, VPEXTRQ, VPEXTRW, VPINSRQ, VPXOR};
use crate::cpu::translate::a64::decode::memory::{Direction, Elements, PostIndex};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::asm::{Alu, Cc, Gpr, Map, Mem, Pp, Size, Vex, Width, Xmm};

use Gpr::{Rax, Rcx};

const VPSHUFB: Vex = Vex::new(Map::M0f38, Pp::P66, 0x00);
const VPOR: Vex = Vex::new(Map::M0f, Pp::P66, 0xeb);
const VPINSRB: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x20);
const VPINSRW: Vex = Vex::new(Map::M0f, Pp::P66, 0xc4);
const VPINSRD: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x22);
const VPEXTRD: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x16);
/// By the logarithm of the element's size.
const INSERT: [Vex; 4] = [VPINSRB, VPINSRW, VPINSRD, VPINSRQ];
const EXTRACT: [Vex; 4] = [VPEXTRB, VPEXTRW, VPEXTRD, VPEXTRQ];
const BROADCAST: [Vex; 4] = [
    Vex::new(Map::M0f38, Pp::P66, 0x78),
    Vex::new(Map::M0f38, Pp::P66, 0x79),
    Vex::new(Map::M0f38, Pp::P66, 0x58),
    Vex::new(Map::M0f38, Pp::P66, 0x59),
];

/// What is moved, all but the address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) direction: Direction,
    pub(super) elements: Elements,
    /// Logarithm of an element's bytes.
    pub(super) size: u8,
    /// Registers of 16 bytes, else of 8.
    pub(super) quad: bool,
    pub(super) rt: u8,
}

impl Access {
    fn registers(&self) -> u8 {
        match self.elements {
            Elements::Multiple { registers, .. } => registers,
            Elements::Single { structure, .. } | Elements::Replicate { structure } => structure,
        }
    }

    fn reg(&self, n: u8) -> u8 {
        (self.rt + n) % 32
    }

    fn register_bytes(&self) -> i32 {
        if self.quad { 16 } else { 8 }
    }

    fn bytes(&self) -> i32 {
        let each = match self.elements {
            Elements::Multiple { .. } => self.register_bytes(),
            _ => 1 << self.size,
        };
        i32::from(self.registers()) * each
    }
}

/// Emits an access at the address in register `rn`.
pub(super) fn emit(e: &mut Emitter<'_>, access: Access, rn: u8, post: PostIndex) {
    e.clobber_flags();
    let mem = e.address(rn, 0);
    if access.direction == Direction::Store && access.registers() > 1 {
        probe_store(e, mem, access.bytes());
    }
    match (access.elements, access.direction) {
        (Elements::Multiple { structure: 1, .. }, Direction::Load) => load_registers(e, access, mem),
        (Elements::Multiple { structure: 1, .. }, Direction::Store) => {
            for n in 0..access.registers() {
                let source = e.read_v(access.reg(n), Xmm(0));
                store_register(e, access, source, mem.plus(i32::from(n) * access.register_bytes()));
            }
        }
        (Elements::Multiple { .. }, Direction::Load) => load_interleaved(e, access, mem),
        (Elements::Multiple { .. }, Direction::Store) => store_interleaved(e, access, mem),
        (Elements::Single { index, .. }, Direction::Load) => load_lanes(e, access, index, mem),
        (Elements::Single { index, .. }, Direction::Store) => {
            for n in 0..access.registers() {
                let source = e.read_v(access.reg(n), Xmm(0));
                let at = mem.plus(i32::from(n) << access.size);
                e.asm.vex2i_gpr(EXTRACT[usize::from(access.size)], source, at, index);
            }
        }
        (Elements::Replicate { .. }, _) => {
            for n in 0..access.registers() {
                e.asm.vex2(BROADCAST[usize::from(access.size)], Xmm(n), mem.plus(i32::from(n) << access.size));
            }
            write_all(e, access);
        }
    }
    match post {
        PostIndex::None => {}
        PostIndex::Bytes => e.add_to_base(rn, i64::from(access.bytes())),
        PostIndex::Reg(rm) => {
            let (base, index) = (e.read(rn, Rax), e.read(rm, Rcx));
            let target = e.target(rn, Rax);
            e.asm.lea(Width::W64, target, Mem::host(base, 0).indexed(index, 0));
            e.write(rn, target);
        }
    }
}

/// Faults now if a page that several stores go to refuses the last one: then the first has not been made. A store that
/// changes nothing asks the page.
fn probe_store(e: &mut Emitter<'_>, mem: Mem, bytes: i32) {
    let one_page = e.asm.label();
    e.asm.lea(Width::W32, Rax, mem);
    e.asm.alu_imm(Alu::And, Width::W32, Rax, 0xfff);
    e.asm.alu_imm(Alu::Cmp, Width::W32, Rax, 0x1000 - bytes);
    e.asm.jcc(Cc::Be, one_page);
    e.asm.mov_imm(Rax, 0);
    e.asm.lock_alu(Alu::Or, Size::B1, mem.plus(bytes - 1), Rax);
    e.asm.bind(one_page);
}

fn load_register(e: &mut Emitter<'_>, access: Access, to: Xmm, mem: Mem) {
    e.asm.vex2(if access.quad { VMOVDQU_LOAD } else { VMOVQ_LOAD }, to, mem);
}

fn store_register(e: &mut Emitter<'_>, access: Access, from: Xmm, mem: Mem) {
    e.asm.vex2(if access.quad { VMOVDQU_STORE } else { VMOVQ_STORE }, from, mem);
}

/// Gives the registers what `xmm0` and so on hold.
fn write_all(e: &mut Emitter<'_>, access: Access) {
    for n in 0..access.registers() {
        e.write_v_low(access.reg(n), Xmm(n), access.register_bytes() as u32);
    }
}

fn load_registers(e: &mut Emitter<'_>, access: Access, mem: Mem) {
    let last = access.registers() - 1;
    for n in 0..last {
        load_register(e, access, Xmm(n), mem.plus(i32::from(n) * access.register_bytes()));
    }
    let target = e.target_v(access.reg(last), Xmm(last));
    load_register(e, access, target, mem.plus(i32::from(last) * access.register_bytes()));
    e.write_v(access.reg(last), target);
    for n in 0..last {
        e.write_v(access.reg(n), Xmm(n));
    }
}

fn load_lanes(e: &mut Emitter<'_>, access: Access, index: u8, mem: Mem) {
    for n in 0..access.registers() {
        let old = e.read_v(access.reg(n), Xmm(n));
        let at = mem.plus(i32::from(n) << access.size);
        e.asm.vex3i_gpr(INSERT[usize::from(access.size)], Xmm(n), old, at, index);
    }
    for n in 0..access.registers() {
        e.write_v(access.reg(n), Xmm(n));
    }
}

/// Where byte `byte` of register `n` stands in memory.
fn memory_place(access: Access, n: u8, byte: u8) -> u8 {
    let (element, within) = (byte >> access.size, byte & ((1 << access.size) - 1));
    ((element * access.registers() + n) << access.size) + within
}

/// The `vpshufb` mask that brings what `source` says (by byte of the result) to its place; zeros elsewhere.
fn mask(source: impl Fn(u8) -> Option<u8>) -> Option<u128> {
    let bytes: [u8; 16] = std::array::from_fn(|i| source(i as u8).unwrap_or(0x80));
    bytes.iter().any(|b| *b < 0x80).then(|| u128::from_le_bytes(bytes))
}

/// The mask for the part of register `n` that stands in 16-byte block `block` of memory.
fn load_mask(access: Access, n: u8, block: u8) -> Option<u128> {
    mask(|byte| {
        let at = memory_place(access, n, byte);
        (i32::from(byte) < access.register_bytes() && at / 16 == block).then_some(at % 16)
    })
}

/// The mask for the part of block `block` of memory that comes from register `n`.
fn store_mask(access: Access, n: u8, block: u8) -> Option<u128> {
    mask(|byte| {
        let wanted = block * 16 + byte;
        (0..access.register_bytes() as u8).find(|&b| memory_place(access, n, b) == wanted)
    })
}

/// Blocks of 16 bytes, the last of which may be half one.
fn blocks(access: Access) -> u8 {
    (access.bytes() as u8).div_ceil(16)
}

fn load_interleaved(e: &mut Emitter<'_>, access: Access, mem: Mem) {
    // A load of all of it, into registers that no guest register is in, makes sure that nothing faults later.
    let all = blocks(access);
    for block in 0..all {
        let half = access.bytes() - i32::from(block) * 16 < 16;
        e.asm.vex2(if half { VMOVQ_LOAD } else { VMOVDQU_LOAD }, Xmm(0), mem.plus(i32::from(block) * 16));
    }
    for n in 0..access.registers() {
        let mut first = true;
        for block in 0..all {
            let Some(mask) = load_mask(access, n, block) else { continue };
            let half = access.bytes() - i32::from(block) * 16 < 16;
            let to = if first { Xmm(0) } else { Xmm(1) };
            let mask = e.constant(mask);
            e.asm.vex2(if half { VMOVQ_LOAD } else { VMOVDQU_LOAD }, to, mem.plus(i32::from(block) * 16));
            e.asm.vex3(VPSHUFB, to, to, mask);
            if !first {
                e.asm.vex3(VPOR, Xmm(0), Xmm(0), Xmm(1));
            }
            first = false;
        }
        e.write_v(access.reg(n), Xmm(0));
    }
}

fn store_interleaved(e: &mut Emitter<'_>, access: Access, mem: Mem) {
    for block in 0..blocks(access) {
        e.asm.vex3(VPXOR, Xmm(0), Xmm(0), Xmm(0));
        for n in 0..access.registers() {
            let Some(mask) = store_mask(access, n, block) else { continue };
            let mask = e.constant(mask);
            let source = e.read_v(access.reg(n), Xmm(1));
            e.asm.vex3(VPSHUFB, Xmm(1), source, mask);
            e.asm.vex3(VPOR, Xmm(0), Xmm(0), Xmm(1));
        }
        let half = access.bytes() - i32::from(block) * 16 < 16;
        e.asm.vex2(if half { VMOVQ_STORE } else { VMOVDQU_STORE }, Xmm(0), mem.plus(i32::from(block) * 16));
    }
}

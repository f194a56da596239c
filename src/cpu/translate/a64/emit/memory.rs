//! Loads and stores of one register and of pairs. Atomics stand in `atomic.rs`, structures in `structure.rs`.
//!
//! What is loaded goes to a guest register only when no access can fault any more; what is stored by several host stores
//! must not be stored in part.

use super::integer::{SIZES, or_sp};
use super::{atomic, structure, system};
use crate::cpu::translate::a64::decode::memory::{Address, Data, Direction, Fill, Insn, Order};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter};
use crate::cpu::translate::a64::regs::place;
use crate::cpu::translate::asm::{Gpr, Map, Mem, Pp, Size, Vex, Width, Xmm};

use Gpr::{Rax, Rcx};

const W32: Width = Width::W32;
const W64: Width = Width::W64;

pub(super) const VMOVD_LOAD: Vex = Vex::new(Map::M0f, Pp::P66, 0x6e);
pub(super) const VMOVQ_FROM_GPR: Vex = VMOVD_LOAD.w1();
const VMOVD_STORE: Vex = Vex::new(Map::M0f, Pp::P66, 0x7e);
pub(super) const VMOVQ_TO_GPR: Vex = VMOVD_STORE.w1();
pub(super) const VMOVQ_LOAD: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7e);
pub(super) const VMOVQ_STORE: Vex = Vex::new(Map::M0f, Pp::P66, 0xd6);
pub(super) const VMOVDQU_LOAD: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x6f);
pub(super) const VMOVDQU_STORE: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7f);
pub(super) const VPEXTRB: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x14);
pub(super) const VPEXTRW: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x15);
pub(super) const VPEXTRQ: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x16).w1();
pub(super) const VPINSRQ: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x22).w1();
pub(super) const VPXOR: Vex = Vex::new(Map::M0f, Pp::P66, 0xef);
const VPUNPCKLDQ: Vex = Vex::new(Map::M0f, Pp::P66, 0x62);
const VPUNPCKLQDQ: Vex = Vex::new(Map::M0f, Pp::P66, 0x6c);
const VINSERTI128: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x38).l1();
const VZEROUPPER: [u8; 3] = [0xc5, 0xf8, 0x77];

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, insn: Insn) -> Emitted {
    match insn {
        Insn::Single { direction, data, rt, address, order } => {
            if order == Order::Ordered {
                let Address::Offset { rn, offset } = address else { return Emitted::Unhandled };
                atomic::check_within_block(e, or_sp(rn), offset, 1 << data.size(), direction);
            }
            let mem = e.operand(address);
            match direction {
                Direction::Load => e.load(data, rt, mem),
                Direction::Store => e.store(data, rt, mem),
            }
            e.write_back(address);
        }
        Insn::Authenticated { key, rt, rn, offset, write_back } => {
            let rn = or_sp(rn);
            system::authenticated(e, key, rn, None);
            let spill = e.state(std::mem::offset_of!(crate::cpu::translate::a64::state::State, spill));
            e.asm.lea(W64, Rax, Mem::host(Rax, offset));
            e.asm.store(Size::B8, spill, Rax);
            let mem = e.address_in(Rax);
            let target = e.target(rt, Rax);
            e.asm.mov(W64, target, mem);
            e.write(rt, target);
            if write_back {
                e.asm.mov(W64, Rcx, spill);
                e.write(rn, Rcx);
            }
        }
        Insn::Pair { direction, data, rt, rt2, address } => {
            let mem = e.operand(address);
            // SP is a multiple of 16, so such a pair lies in one page.
            let (Address::Offset { rn, offset } | Address::PreIndex { rn, offset }) = address else {
                e.pair(direction, data, rt, rt2, mem, false);
                e.write_back(address);
                return Emitted::Done;
            };
            let together = rn == 31 && offset % 16 == 0 && data.size() <= 3;
            e.pair(direction, data, rt, rt2, mem, together);
            e.write_back(address);
        }
        Insn::Prefetch => {}
        Insn::LoadExclusive { .. }
        | Insn::StoreExclusive { .. }
        | Insn::CompareSwap { .. }
        | Insn::CompareSwapPair { .. }
        | Insn::Atomic { .. } => atomic::emit(e, insn),
        Insn::Structure { direction, elements, size, quad, rt, rn, post } => {
            structure::emit(e, structure::Access { direction, elements, size, quad, rt }, or_sp(rn), post);
        }
    }
    Emitted::Done
}

impl Emitter<'_> {
    /// The operand at an address, before write-back.
    fn operand(&mut self, address: Address) -> Mem {
        match address {
            Address::Offset { rn, offset } | Address::PreIndex { rn, offset } => {
                self.address(or_sp(rn), i64::from(offset))
            }
            Address::PostIndex { rn, .. } => self.address(or_sp(rn), 0),
            Address::Register { rn, rm, extend, shift } => self.address_indexed(or_sp(rn), rm, extend, shift),
            Address::Literal { offset } => {
                let at = self.pc().wrapping_add_signed(i64::from(offset));
                self.address_constant(at)
            }
        }
    }

    fn write_back(&mut self, address: Address) {
        if let Address::PreIndex { rn, offset } | Address::PostIndex { rn, offset } = address {
            self.add_to_base(or_sp(rn), i64::from(offset));
        }
    }

    fn load(&mut self, data: Data, rt: u8, mem: Mem) {
        match data {
            Data::General { size, fill } => {
                let target = self.target(rt, Rax);
                self.load_general(size, fill, target, mem);
                self.write(rt, target);
                if fill == Fill::Zero && size < 2 {
                    self.note_most(rt, (1 << (8 << size)) - 1);
                }
            }
            Data::Vector { size } => {
                let target = self.target_v(rt, Xmm(0));
                self.load_vector(size, target, mem);
                self.write_v(rt, target);
            }
        }
    }

    fn load_general(&mut self, size: u8, fill: Fill, to: Gpr, mem: Mem) {
        let bytes = SIZES[usize::from(size & 3)];
        match fill {
            Fill::Zero => self.asm.load_zx(bytes, to, mem),
            Fill::SignW => self.asm.load_sx(bytes, W32, to, mem),
            Fill::SignX => self.asm.load_sx(bytes, W64, to, mem),
        }
    }

    /// Loads `1 << size` bytes, zeros above.
    fn load_vector(&mut self, size: u8, to: Xmm, mem: Mem) {
        match size {
            0 | 1 => {
                self.asm.load_zx(SIZES[usize::from(size)], Rax, mem);
                self.asm.vex2_gpr(VMOVD_LOAD, to, Rax);
            }
            2 => self.asm.vex2(VMOVD_LOAD, to, mem),
            3 => self.asm.vex2(VMOVQ_LOAD, to, mem),
            _ => self.asm.vex2(VMOVDQU_LOAD, to, mem),
        }
    }

    fn store(&mut self, data: Data, rt: u8, mem: Mem) {
        match data {
            Data::General { size: 2, .. } if rt == 31 => self.asm.store_imm(W32, mem, 0),
            Data::General { size: 3, .. } if rt == 31 => self.asm.store_imm(W64, mem, 0),
            Data::General { size, .. } => {
                let source = self.read(rt, Rax);
                self.asm.store(SIZES[usize::from(size & 3)], mem, source);
            }
            Data::Vector { size } => {
                let source = self.read_v(rt, Xmm(0));
                self.store_vector(size, mem, source);
            }
        }
    }

    fn store_vector(&mut self, size: u8, mem: Mem, source: Xmm) {
        match size {
            0 => self.asm.vex2i_gpr(VPEXTRB, source, mem, 0),
            1 => self.asm.vex2i_gpr(VPEXTRW, source, mem, 0),
            2 => self.asm.vex2(VMOVD_STORE, source, mem),
            3 => self.asm.vex2(VMOVQ_STORE, source, mem),
            _ => self.asm.vex2(VMOVDQU_STORE, source, mem),
        }
    }

    /// `together` says that both registers' places are in one page.
    fn pair(&mut self, direction: Direction, data: Data, rt: u8, rt2: u8, mem: Mem, together: bool) {
        let second = mem.plus(1 << data.size());
        match (direction, data) {
            (Direction::Load, Data::General { size, fill }) => {
                let first_to = if together { self.target(rt, Rax) } else { Rax };
                self.load_general(size, fill, first_to, mem);
                let second_to = self.target(rt2, Rcx);
                self.load_general(size, fill, second_to, second);
                if rt != rt2 {
                    self.write(rt, first_to);
                }
                self.write(rt2, second_to);
            }
            (Direction::Load, Data::Vector { size }) => {
                let first_to = if together { self.target_v(rt, Xmm(0)) } else { Xmm(0) };
                self.load_vector(size, first_to, mem);
                let second_to = self.target_v(rt2, Xmm(1));
                self.load_vector(size, second_to, second);
                if rt != rt2 {
                    self.write_v(rt, first_to);
                }
                self.write_v(rt2, second_to);
            }
            (Direction::Store, Data::General { size, .. }) => self.store_pair(size, rt, rt2, mem, together),
            (Direction::Store, Data::Vector { size: 4 }) => {
                let first = self.read_v(rt, Xmm(0));
                let both = self.vm(rt2);
                self.asm.vex3i(VINSERTI128, Xmm(0), first, both, 1);
                self.asm.vex2(VMOVDQU_STORE.l1(), Xmm(0), mem);
                self.asm.bytes(&VZEROUPPER);
            }
            (Direction::Store, Data::Vector { .. }) if together => {
                for (reg, mem) in [(rt, mem), (rt2, second)] {
                    self.store(data, reg, mem);
                }
            }
            (Direction::Store, Data::Vector { size }) => {
                let first = self.read_v(rt, Xmm(0));
                let other = self.vm(rt2);
                let unpack = if size == 2 { VPUNPCKLDQ } else { VPUNPCKLQDQ };
                self.asm.vex3(unpack, Xmm(0), first, other);
                self.store_vector(size + 1, mem, Xmm(0));
            }
        }
    }

    /// Two general registers by one host store, unless they lie in one page.
    fn store_pair(&mut self, size: u8, rt: u8, rt2: u8, mem: Mem, together: bool) {
        if together {
            let data = Data::General { size, fill: Fill::Zero };
            self.store(data, rt, mem);
            return self.store(data, rt2, mem.plus(1 << size));
        }
        if rt == 31 && rt2 == 31 {
            self.asm.vex3(VPXOR, Xmm(0), Xmm(0), Xmm(0));
        } else if size == 2 {
            self.asm.vex2_gpr(VMOVD_LOAD, Xmm(0), place(rt));
            self.asm.vex3i_gpr(VPINSRD, Xmm(0), Xmm(0), place(rt2), 1);
        } else {
            self.asm.vex2_gpr(VMOVQ_FROM_GPR, Xmm(0), place(rt));
            self.asm.vex3i_gpr(VPINSRQ, Xmm(0), Xmm(0), place(rt2), 1);
        }
        self.store_vector(size + 1, mem, Xmm(0));
    }
}

const VPINSRD: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x22);

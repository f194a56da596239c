//! Code that all blocks share: entry, exits, and what an indirect jump does when the table does not know its target.

use super::state::{State, field, gpr_slot, spill_slot};
use crate::cpu::translate::asm::{Asm, Gpr, JumpSite, Map, Mem, Pp, Size, Vex, Width, Xmm};
use crate::cpu::translate::front::{Common, Reason};

pub(super) const VMOVDQU_LOAD: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x6f).l1();
pub(super) const VMOVDQU_STORE: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7f).l1();
pub(super) const VMOVQ_LOAD: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7e);
pub(super) const VMOVQ_STORE: Vex = Vex::new(Map::M0f, Pp::P66, 0xd6);

/// The register of the budget.
pub(super) const BUDGET: Xmm = Xmm(15);

/// What the calling convention (System V) wants back.
const KEPT: [Gpr; 6] = [Gpr::Rbx, Gpr::Rbp, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];

/// General registers by number.
pub(super) const GPRS: [Gpr; 16] = {
    use Gpr::*;
    [Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15]
};

/// Registers that an indirect jump uses, which it puts aside in the slots of these numbers. The entry of its target takes the last
/// one back.
pub(super) const JUMP_TARGET: (Gpr, u8) = (Gpr::Rcx, 0);
pub(super) const JUMP_TAG: (Gpr, u8) = (Gpr::R10, 1);
pub(super) const JUMP_ENTRY: (Gpr, u8) = (Gpr::R11, 2);

/// Host addresses of the shared code that blocks jump to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thunks {
    /// Leaves for each reason, the pc (and argument) being in the state.
    exits: [u64; Reason::ALL.len()],
    /// An indirect jump to the pc in the state is not in the table; its registers are still aside.
    pub miss: u64,
    /// Functions that move the x87 state from the host's registers and to them.
    pub save_x87: u64,
    /// See `save_x87`.
    pub load_x87: u64,
}

impl Thunks {
    /// Where to leave for a reason.
    pub fn exit(&self, reason: Reason) -> u64 {
        self.exits[reason as usize]
    }
}

/// Emits it. The assembler must stand where it will run.
pub(super) fn emit(asm: &mut Asm) -> (Common, Thunks) {
    let enter = asm.here();
    emit_enter(asm);
    let exit = asm.here();
    emit_exit(asm);
    let fault = asm.here();
    asm.vex2(VMOVDQU_STORE, BUDGET, field!(fault_ymm15));
    emit_reason(asm, Reason::Fault, exit);
    let mut thunks = Thunks::default();
    for reason in Reason::ALL {
        thunks.exits[reason as usize] = asm.here();
        emit_reason(asm, reason, exit);
    }
    thunks.miss = asm.here();
    for (reg, slot) in [JUMP_TARGET, JUMP_TAG, JUMP_ENTRY] {
        asm.mov(Width::W64, reg, spill_slot(slot));
    }
    emit_reason(asm, Reason::Lookup, exit);
    thunks.save_x87 = asm.here();
    emit_x87(asm, 0);
    thunks.load_x87 = asm.here();
    emit_x87(asm, 1);
    (Common { enter, fault }, thunks)
}

/// `fxsave64` (0) or `fxrstor64` (1).
fn emit_x87(asm: &mut Asm, which: u8) {
    asm.wide_0fae(which, field!(x87));
    asm.ret();
}

/// Goes on at a constant guest address by the jump table.
pub(super) fn emit_far(asm: &mut Asm, thunks: &Thunks, target: u64) {
    for (reg, slot) in [JUMP_TARGET, JUMP_TAG, JUMP_ENTRY] {
        asm.store(Size::B8, spill_slot(slot), reg);
    }
    asm.mov_imm(JUMP_TARGET.0, target);
    emit_jump(asm, thunks);
}

fn emit_reason(asm: &mut Asm, reason: Reason, exit: u64) -> JumpSite {
    asm.store_imm(Width::W32, field!(reason), reason as i32);
    asm.jmp_to(exit)
}

fn vector(number: u8) -> Mem {
    field!(ymm).plus(i32::from(number) * 32)
}

/// `extern "sysv64" fn()`: goes to the entry in the state.
fn emit_enter(asm: &mut Asm) {
    KEPT.into_iter().for_each(|reg| asm.push(reg));
    asm.store(Size::B8, field!(host_sp), Gpr::Rsp);
    asm.mov(Width::W64, Gpr::Rax, field!(host_flags));
    emit_load_flags(asm);
    asm.ldmxcsr(field!(mxcsr));
    asm.vex2(VMOVQ_LOAD, BUDGET, field!(budget));
    (0..15).for_each(|i| asm.vex2(VMOVDQU_LOAD, Xmm(i), vector(i)));
    for (number, reg) in GPRS.into_iter().enumerate() {
        asm.mov(Width::W64, reg, gpr_slot(number as u8));
    }
    asm.jmp_rm(field!(entry));
}

/// Loads the flags in `rax`, and destroys `rcx`. `popfq` takes longer than all the rest of an entry, and is needed only where DF is set;
/// otherwise an addition makes OF, and `sahf` the others.
fn emit_load_flags(asm: &mut Asm) {
    // test eax, DF; jnz to the last line
    asm.bytes(&[0xa9, 0x00, 0x04, 0x00, 0x00, 0x75, 17]);
    // mov ecx, eax; shr ecx, 11; and ecx, 1
    asm.bytes(&[0x89, 0xc1, 0xc1, 0xe9, 11, 0x83, 0xe1, 1]);
    // mov ah, al; mov al, cl; add al, 0x7f; sahf; jmp over the last line
    asm.bytes(&[0x88, 0xc4, 0x88, 0xc8, 0x04, 0x7f, 0x9e, 0xeb, 2]);
    // push rax; popfq
    asm.bytes(&[0x50, 0x9d]);
}

fn emit_exit(asm: &mut Asm) {
    for (number, reg) in GPRS.into_iter().enumerate() {
        asm.store(Size::B8, gpr_slot(number as u8), reg);
    }
    asm.mov(Width::W64, Gpr::Rsp, field!(host_sp));
    // pushfq; pop rax; cld
    asm.bytes(&[0x9c, 0x58, 0xfc]);
    asm.store(Size::B8, field!(host_flags), Gpr::Rax);
    (0..15).for_each(|i| asm.vex2(VMOVDQU_STORE, Xmm(i), vector(i)));
    asm.vex2(VMOVQ_STORE, BUDGET, field!(budget));
    asm.bytes(&[0xc5, 0xf8, 0x77]);
    asm.stmxcsr(field!(mxcsr));
    asm.ldmxcsr(field!(host_mxcsr));
    KEPT.into_iter().rev().for_each(|reg| asm.pop(reg));
    asm.ret();
}

/// Goes on at the guest address in `rcx`, all three registers being aside.
pub(super) fn emit_jump(asm: &mut Asm, thunks: &Thunks) {
    let (target, tag, entry) = (JUMP_TARGET.0, JUMP_TAG.0, JUMP_ENTRY.0);
    asm.store(Size::B8, field!(pc), target);
    asm.load_zx(Size::B2, tag, target);
    asm.mov(Width::W64, entry, field!(jumps));
    // An entry has 16 bytes.
    asm.lea(Width::W64, entry, Mem::host(entry, 0).indexed(tag, 3));
    asm.lea(Width::W64, entry, Mem::host(entry, 0).indexed(tag, 3));
    asm.mov(Width::W64, tag, Mem::host(entry, 0));
    asm.lea(Width::W64, target, Mem::host(target, 1).indexed(tag, 0));
    // jrcxz over the jump that follows
    asm.bytes(&[0xe3, 5]);
    asm.jmp_to(thunks.miss);
    asm.mov(Width::W64, target, spill_slot(JUMP_TARGET.1));
    asm.mov(Width::W64, tag, spill_slot(JUMP_TAG.1));
    asm.jmp_rm(Mem::host(entry, 8));
}

const _: () = assert!(std::mem::size_of::<State>() < 1 << 20);

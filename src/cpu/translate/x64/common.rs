//! Code that all blocks share: entry, exits, and what an indirect jump does when the table does not know its target.

use super::state::{State, field, gpr_slot, spill_slot};
use crate::cpu::translate::asm::{Alu, Asm, Cc, Gpr, JumpSite, Map, Mem, Pp, Shift, Size, Unary, Vex, Width, Xmm};
use crate::cpu::translate::front::{Common, Reason};

pub(super) const VMOVDQU_LOAD: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x6f).l1();
pub(super) const VMOVDQU_STORE: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7f).l1();
pub(super) const VMOVQ_LOAD: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7e);
pub(super) const VMOVQ_STORE: Vex = Vex::new(Map::M0f, Pp::P66, 0xd6);
pub(super) const VMOVMSKPD: Vex = Vex::new(Map::M0f, Pp::P66, 0x50);

/// The register of the budget.
pub(super) const BUDGET: Xmm = Xmm(15);

/// `mxcsr` as Rust wants it, and its notes of what has happened.
const MXCSR_DEFAULT: i32 = 0x1f80;
const MXCSR_NOTES: i32 = 0x3f;

/// What the calling convention (System V) wants back.
const KEPT: [Gpr; 6] = [Gpr::Rbx, Gpr::Rbp, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];

/// General registers by number.
pub(super) const GPRS: [Gpr; 16] = {
    use Gpr::*;
    [Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15]
};

/// Registers that an indirect jump uses, which it puts aside in the slots of these numbers; [`emit_indirect`] takes them back.
pub(super) const ASIDE: [(Gpr, u8); 3] = [(TARGET, 0), (INDEX, 1), (TABLE, 2)];
/// Holds the guest address.
pub(super) const TARGET: Gpr = Gpr::Rcx;
const INDEX: Gpr = Gpr::R10;
/// Any constant may be loaded to it on the way.
pub(super) const TABLE: Gpr = Gpr::R11;

/// Host addresses of the shared code that blocks jump to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thunks {
    /// Leaves for each reason, the pc (and argument) being in the state.
    exits: [u64; Reason::ALL.len()],
    /// An indirect jump to the guest address in `rcx` has come to the wrong block, or the budget is overdrawn; registers are still aside.
    miss: u64,
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
    asm.store(Size::B8, field!(pc), TARGET);
    emit_back(asm);
    emit_reason(asm, Reason::Lookup, exit);
    thunks.save_x87 = asm.here();
    emit_x87(asm, 0);
    thunks.load_x87 = asm.here();
    emit_x87(asm, 1);
    (Common { enter, fault, miss: thunks.miss }, thunks)
}

/// `fxsave64` (0) or `fxrstor64` (1).
fn emit_x87(asm: &mut Asm, which: u8) {
    asm.wide_0fae(which, field!(x87));
    asm.ret();
}

/// Takes the registers of an indirect jump back.
fn emit_back(asm: &mut Asm) {
    for (reg, slot) in ASIDE {
        asm.mov(Width::W64, reg, spill_slot(slot));
    }
}

/// Goes on at a constant guest address by the jump table.
pub(super) fn emit_far(asm: &mut Asm, target: u64) {
    for (reg, slot) in ASIDE {
        asm.store(Size::B8, spill_slot(slot), reg);
    }
    asm.mov_imm(TARGET, target);
    emit_jump(asm);
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
    // Both are dear, and seldom needed.
    let same = asm.label();
    asm.stmxcsr(field!(host_mxcsr));
    asm.mov(Width::W32, Gpr::Rax, field!(host_mxcsr));
    asm.alu(Alu::Cmp, Width::W32, Gpr::Rax, field!(mxcsr));
    asm.jcc(Cc::E, same);
    asm.ldmxcsr(field!(mxcsr));
    asm.bind(same);
    emit_flags(asm);
    asm.vex2(VMOVQ_LOAD, BUDGET, field!(budget));
    (0..15).for_each(|i| asm.vex2(VMOVDQU_LOAD, Xmm(i), vector(i)));
    for (number, reg) in GPRS.into_iter().enumerate() {
        asm.mov(Width::W64, reg, gpr_slot(number as u8));
    }
    asm.jmp_rm(field!(entry));
}

/// Makes the host's flags those in the state.
fn emit_flags(asm: &mut Asm) {
    const DF: i32 = 0x400;
    const OF_BIT: u8 = 11;
    let (slow, done) = (asm.label(), asm.label());
    asm.mov(Width::W32, Gpr::Rax, field!(host_flags));
    asm.test_imm(Width::W32, Gpr::Rax, DF);
    asm.jcc(Cc::Ne, slow);
    asm.mov(Width::W32, Gpr::Rcx, Gpr::Rax);
    asm.shift_imm(Shift::Shr, Width::W32, Gpr::Rcx, OF_BIT);
    asm.alu_imm(Alu::And, Width::W32, Gpr::Rcx, 1);
    // mov ah, al; mov al, cl
    asm.bytes(&[0x88, 0xc4, 0x88, 0xc8]);
    asm.add_al(127);
    asm.sahf();
    asm.jmp(done);
    asm.bind(slow);
    // push rax; popfq
    asm.bytes(&[0x50, 0x9d]);
    asm.bind(done);
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
    // Only how Rust computes matters to it, not what has been noted of that.
    let plain = asm.label();
    asm.mov(Width::W32, Gpr::Rax, field!(mxcsr));
    asm.alu_imm(Alu::And, Width::W32, Gpr::Rax, !MXCSR_NOTES);
    asm.alu_imm(Alu::Cmp, Width::W32, Gpr::Rax, MXCSR_DEFAULT);
    asm.jcc(Cc::E, plain);
    asm.store_imm(Width::W32, field!(host_mxcsr), MXCSR_DEFAULT);
    asm.ldmxcsr(field!(host_mxcsr));
    asm.bind(plain);
    KEPT.into_iter().rev().for_each(|reg| asm.pop(reg));
    asm.ret();
}

/// Goes on at the guest address in `rcx`, the registers being aside.
pub(super) fn emit_jump(asm: &mut Asm) {
    asm.load_zx(Size::B2, INDEX, TARGET);
    asm.mov(Width::W64, TABLE, field!(jumps));
    asm.jmp_rm(Mem::host(TABLE, 0).indexed(INDEX, 3));
}

/// What the table goes to for a guest address: sees whether it was meant and the budget is not overdrawn, both at once, and goes on at the
/// host address `unchecked`. No flag changes.
pub(super) fn emit_indirect(asm: &mut Asm, thunks: &Thunks, pc: u64, unchecked: u64) {
    // 1 if the budget is overdrawn. Addresses that come to this entry are equal in their low bits, so that none is off by 1.
    asm.vex_to_gpr(VMOVMSKPD, INDEX, BUDGET);
    match i32::try_from((pc as i64).wrapping_neg()) {
        Ok(less) => asm.lea(Width::W64, TARGET, Mem::host(TARGET, less).indexed(INDEX, 0)),
        Err(_) => {
            asm.mov_imm(TABLE, pc.wrapping_neg());
            asm.lea(Width::W64, TARGET, Mem::host(TARGET, 0).indexed(TABLE, 0));
            asm.lea(Width::W64, TARGET, Mem::host(TARGET, 0).indexed(INDEX, 0));
        }
    }
    let wrong = asm.label();
    // jrcxz over the jump that follows
    asm.bytes(&[0xe3, 5]);
    asm.jmp(wrong);
    emit_back(asm);
    asm.jmp_to(unchecked);
    asm.bind(wrong);
    asm.unary(Unary::Not, Width::W64, INDEX);
    asm.lea(Width::W64, TARGET, Mem::host(TARGET, 1).indexed(INDEX, 0));
    asm.mov_imm(TABLE, pc);
    asm.lea(Width::W64, TARGET, Mem::host(TARGET, 0).indexed(TABLE, 0));
    asm.jmp_to(thunks.miss);
}

const _: () = assert!(std::mem::size_of::<State>() < 1 << 20);

//! Code that all blocks share: entry, exit, calls of helpers.

use super::emitter::{Thunks, emit_jump};
use super::regs::{BUDGET, PINNED, PINNED_V, STATE, field, slot, slot_v};
use super::state::State;
use crate::cpu::translate::asm::{Alu, Asm, Gpr, Map, Mem, Pp, Size, Vex, Width};
use crate::cpu::translate::front::{Common, Reason};

const VMOVDQA_LOAD: Vex = Vex::new(Map::M0f, Pp::P66, 0x6f);
const VMOVDQA_STORE: Vex = Vex::new(Map::M0f, Pp::P66, 0x7f);

/// What the calling convention (System V) wants back.
const KEPT: [Gpr; 6] = [Gpr::Rbx, Gpr::Rbp, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];

/// A field of the state.
fn at(disp: i32) -> Mem {
    Mem::host(STATE, disp)
}

/// Emits it; gives also what goes on at the guest address in `rax`. The assembler must stand where it will run.
pub(super) fn emit(asm: &mut Asm) -> (Common, Thunks, u64) {
    let enter = asm.here();
    emit_enter(asm);
    let fault = asm.here();
    asm.mov_imm(Gpr::Rax, Reason::Fault as u64);
    let exit = asm.here();
    emit_exit(asm);
    let call = asm.here();
    emit_call(asm);
    let miss = asm.here();
    asm.store(Size::B8, at(field!(pc)), Gpr::Rax);
    asm.mov_imm(Gpr::Rax, Reason::Lookup as u64);
    asm.jmp_to(exit);
    let budget = asm.here();
    asm.mov_imm(Gpr::Rdx, Reason::Budget as u64);
    let leave = asm.here();
    asm.alu(Alu::Add, Width::W64, BUDGET, Gpr::Rcx);
    asm.store(Size::B8, at(field!(pc)), Gpr::Rax);
    asm.mov(Width::W64, Gpr::Rax, Gpr::Rdx);
    asm.jmp_to(exit);
    let wild = asm.here();
    asm.store(Size::B8, at(field!(exit_arg)), Gpr::Rax);
    asm.lea(Width::W64, Gpr::Rax, Mem::host(Gpr::Rax, 0).indexed(Gpr::Rdx, 0));
    asm.mov_imm(Gpr::Rdx, Reason::Wild as u64);
    asm.jmp_to(leave);
    let link = asm.here();
    asm.store(Size::B8, at(field!(exit_arg)), Gpr::Rcx);
    asm.mov_imm(Gpr::Rax, Reason::Link as u64);
    asm.jmp_to(exit);
    let jump = asm.here();
    emit_jump(asm, miss);
    (Common { enter, fault, miss }, Thunks { leave, budget, wild, link, miss, call }, jump)
}

/// `extern "sysv64" fn(rbp: *mut u8, entry: u64) -> u32`.
fn emit_enter(asm: &mut Asm) {
    KEPT.into_iter().for_each(|reg| asm.push(reg));
    // With the return address seven words are on the stack: one more makes it a multiple of 16.
    asm.alu_imm(Alu::Sub, Width::W64, Gpr::Rsp, 8);
    asm.mov(Width::W64, Gpr::Rbp, Gpr::Rdi);
    asm.mov(Width::W64, Gpr::Rax, Gpr::Rsi);
    asm.stmxcsr(at(field!(host_mxcsr)));
    asm.ldmxcsr(at(field!(mxcsr)));
    asm.mov(Width::W64, BUDGET, at(field!(budget)));
    emit_load(asm);
    asm.jmp_rm(Gpr::Rax);
}

fn emit_exit(asm: &mut Asm) {
    emit_store(asm);
    asm.store(Size::B8, at(field!(budget)), BUDGET);
    asm.stmxcsr(at(field!(mxcsr)));
    asm.ldmxcsr(at(field!(host_mxcsr)));
    asm.alu_imm(Alu::Add, Width::W64, Gpr::Rsp, 8);
    KEPT.into_iter().rev().for_each(|reg| asm.pop(reg));
    asm.ret();
}

/// `rax`: the function, `rcx`: its second argument. Keeps `rdx`.
fn emit_call(asm: &mut Asm) {
    // The return address and this make a multiple of 16.
    asm.push(Gpr::Rdx);
    emit_store(asm);
    asm.stmxcsr(at(field!(mxcsr)));
    asm.ldmxcsr(at(field!(host_mxcsr)));
    asm.lea(Width::W64, Gpr::Rdi, at(-State::BIAS));
    asm.mov(Width::W64, Gpr::Rsi, Gpr::Rcx);
    asm.call_rm(Gpr::Rax);
    asm.ldmxcsr(at(field!(mxcsr)));
    emit_load(asm);
    asm.pop(Gpr::Rdx);
    asm.ret();
}

fn emit_store(asm: &mut Asm) {
    for (reg, host) in PINNED {
        asm.store(Size::B8, slot(reg), host);
    }
    for (reg, host) in PINNED_V {
        asm.vex2(VMOVDQA_STORE, host, slot_v(reg));
    }
}

fn emit_load(asm: &mut Asm) {
    for (reg, host) in PINNED {
        asm.mov(Width::W64, host, slot(reg));
    }
    for (reg, host) in PINNED_V {
        asm.vex2(VMOVDQA_LOAD, host, slot_v(reg));
    }
}

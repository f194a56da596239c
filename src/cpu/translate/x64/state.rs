//! The state of an x86_64 guest thread as translated code sees it.

use crate::arch::cpuid::Cpuid;
use crate::cpu::translate::asm::Mem;
use crate::cpu::translate::front::HostFault;

/// Most instructions of a block.
pub const MOST: usize = 64;

/// Registers of the loaded thread, and what translated code needs at hand. It lies in front of the code (`field!` names
/// operands in it). While translated code runs, general registers, flags, vector registers 0 ... 14 and the x87 state are in the host's
/// registers and not here.
#[repr(C, align(64))]
#[derive(Clone, Debug)]
pub struct State {
    /// ymm0 ... ymm15. The last is always here but in the middle of blocks that use it.
    pub ymm: [[u64; 4]; 16],
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ... r15.
    pub gpr: [u64; 16],
    /// The program counter; exact outside of translated code only.
    pub pc: u64,
    /// `rflags`; exact outside of translated code only.
    pub rflags: u64,
    /// Those flags that are the host's while translated code runs ([`State::HOST_FLAGS`]): what to enter with, and what was left with.
    pub host_flags: u64,
    /// Bases of the guest's own segments; always exact.
    pub fs_base: u64,
    /// See `fs_base`.
    pub gs_base: u64,
    /// Host address of guest address 0 of the running space, which is the host's `gs` base too.
    pub window: u64,
    /// The jump table of the running space and mode.
    pub jumps: u64,
    /// Instructions that may still retire; in the low half of `xmm15` while translated code runs.
    pub budget: i64,
    /// Where the budget is while `ymm15` is the guest's.
    pub kept_budget: i64,
    /// Whether that is so: 1 or 0.
    pub exchanged: u64,
    /// Why translated code was left: a [`Reason`](super::super::front::Reason).
    pub reason: u64,
    /// What an exit of translated code tells besides its reason.
    pub exit_arg: u64,
    /// A place for an instruction to put general registers aside; nothing in it outlives the instruction.
    pub spill: [u64; 8],
    /// The same for vector registers.
    pub vector_spill: [[u64; 4]; 2],
    /// `mxcsr` of the guest.
    pub mxcsr: u32,
    /// `mxcsr` of everything else.
    pub host_mxcsr: u32,
    /// Value of `rsp` to go back to when translated code is left.
    pub host_sp: u64,
    /// Where to enter translated code.
    pub entry: u64,
    /// What ymm15 held at a fault.
    pub fault_ymm15: [u64; 4],
    /// What the fault handler tells.
    pub fault: HostFault,
    /// The x87 registers of the last instruction, as they were loaded: opcode, instruction pointer, data pointer.
    pub last_x87: (u16, u64, u64),
    /// x87 state as `fxsave64` writes it, for when it is not in the host's registers.
    pub x87: Fxsave,
    /// The processor that the guest sees.
    pub cpuid: Cpuid,
    /// What a block of so many instructions takes off its budget.
    pub charges: [[u64; 2]; MOST + 1],
}

/// The area of `fxsave64`.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Fxsave(pub [u8; 512]);

/// The operand of a field of the state, as `field!(gpr)`; add [`Mem::plus`] for elements.
macro_rules! field {
    ($($name:tt)+) => {
        crate::cpu::translate::asm::Mem::data(std::mem::offset_of!(crate::cpu::translate::x64::state::State, $($name)+) as i32)
    };
}
pub(crate) use field;

/// The place of a general register, by number.
pub fn gpr_slot(number: u8) -> Mem {
    field!(gpr).plus(i32::from(number & 15) * 8)
}

/// A place to put a general register aside.
pub fn spill_slot(slot: u8) -> Mem {
    field!(spill).plus(i32::from(slot & 7) * 8)
}

const _: () = {
    assert!(std::mem::offset_of!(State, charges) % 16 == 0);
};

impl State {
    /// CF, PF, AF, ZF, SF, DF, OF.
    pub const HOST_FLAGS: u64 = 0xcd5;

    /// A state as a new thread has it.
    pub fn new(cpuid: Cpuid) -> State {
        let mut x87 = [0; 512];
        (x87[0], x87[1]) = (0x7f, 0x03);
        (x87[24], x87[25]) = (0x80, 0x1f);
        let mut charges = [[0; 2]; MOST + 1];
        for (count, charge) in charges.iter_mut().enumerate() {
            charge[0] = count as u64;
        }
        State {
            ymm: [[0; 4]; 16],
            gpr: [0; 16],
            pc: 0,
            rflags: 0x202,
            host_flags: 0x202,
            fs_base: 0,
            gs_base: 0,
            window: 0,
            jumps: 0,
            budget: 0,
            kept_budget: 0,
            exchanged: 0,
            reason: 0,
            exit_arg: 0,
            spill: [0; 8],
            vector_spill: [[0; 4]; 2],
            mxcsr: 0x1f80,
            host_mxcsr: 0x1f80,
            host_sp: 0,
            entry: 0,
            fault_ymm15: [0; 4],
            fault: HostFault::default(),
            last_x87: (0, 0, 0),
            x87: Fxsave(x87),
            cpuid,
            charges,
        }
    }
}

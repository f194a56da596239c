//! The state of an aarch64 guest thread as translated code sees it.

use crate::cpu::translate::front::HostFault;

/// Registers of the loaded thread, and what translated code needs at hand. Translated code points into it with `rbp`
/// ([`State::BIAS`]); registers that are pinned to host registers are up to date here only outside of translated code
/// and inside helpers.
#[repr(C, align(64))]
#[derive(Clone, Debug)]
pub struct State {
    /// v0 ... v31.
    pub v: [u128; 32],
    /// x0 ... x30.
    pub x: [u64; 31],
    /// The stack pointer.
    pub sp: u64,
    /// The program counter; exact outside of translated code only.
    pub pc: u64,
    /// Condition flags N, Z, C, V in bits 31 ... 28. Exact outside of translated code and in `soft`; translated code
    /// itself keeps [`State::flags`].
    pub nzcv: u32,
    /// Floating-point control.
    pub fpcr: u32,
    /// Floating-point status. Translated code collects the cumulative flags of `mxcsr` besides.
    pub fpsr: u32,
    /// The condition flags as translated code keeps them: `ax` after `lahf; seto al` with the carry flag inverted, as
    /// x86's subtraction has it.
    pub flags: u32,
    /// `tpidr_el0`, the thread pointer.
    pub tpidr: u64,
    /// Always 0: what register 31 reads as.
    pub zero: u64,
    /// `pdep` mask that makes guest addresses safe; see `emitter.rs`.
    pub address_mask: u64,
    /// Addresses below it lie in the window.
    pub address_limit: u64,
    /// The jump table of the running space and mode.
    pub jumps: u64,
    /// Instructions that may still retire in this run.
    pub budget: u64,
    /// What an exit of translated code tells besides its reason.
    pub exit_arg: u64,
    /// Guest address that the exclusive monitor watches; [`State::NO_MONITOR`] when it is clear.
    pub monitor: u64,
    /// Bytes that the monitor watches: 1, 2, 4, 8, 16.
    pub monitor_size: u64,
    /// What was loaded from there.
    pub monitor_value: u128,
    /// A place for an instruction to put something aside; nothing in it outlives the instruction. It is aligned to 16 bytes, as
    /// operands of host instructions must be.
    pub spill: [u64; 8],
    /// `mxcsr` for translated code.
    pub mxcsr: u32,
    /// `mxcsr` of everything else.
    pub host_mxcsr: u32,
    /// The engine, for helpers.
    pub engine: u64,
    /// Value of `rsp` to go back to when translated code is left.
    pub host_sp: u64,
    /// What the fault handler tells.
    pub fault: HostFault,
}

impl State {
    /// `rbp` in translated code is the address of the state plus this, so that x0 ... x30 and sp have short offsets.
    pub const BIAS: i32 = 512 + 128;

    /// No address that a load can have.
    pub const NO_MONITOR: u64 = u64::MAX;

    /// A state with all registers 0.
    pub fn new() -> State {
        State {
            v: [0; 32],
            x: [0; 31],
            sp: 0,
            pc: 0,
            nzcv: 0,
            fpcr: 0,
            fpsr: 0,
            flags: 0x100,
            tpidr: 0,
            zero: 0,
            address_mask: 0,
            address_limit: 0,
            jumps: 0,
            budget: 0,
            exit_arg: 0,
            monitor: State::NO_MONITOR,
            monitor_size: 0,
            monitor_value: 0,
            mxcsr: 0x1f80,
            host_mxcsr: 0x1f80,
            spill: [0; 8],
            engine: 0,
            host_sp: 0,
            fault: HostFault::default(),
        }
    }

    /// Makes [`State::flags`] say what [`State::nzcv`] says.
    pub fn pack_flags(&mut self) {
        let bit = |n: u32| self.nzcv >> n & 1;
        self.flags = bit(31) << 15 | bit(30) << 14 | (bit(29) ^ 1) << 8 | bit(28);
    }

    /// Makes [`State::nzcv`] say what [`State::flags`] says.
    pub fn unpack_flags(&mut self) {
        let bit = |n: u32| self.flags >> n & 1;
        self.nzcv = bit(15) << 31 | bit(14) << 30 | (bit(8) ^ 1) << 29 | bit(0) << 28;
    }
}

const _: () = assert!(std::mem::offset_of!(State, spill) % 16 == 0);

impl Default for State {
    fn default() -> State {
        State::new()
    }
}

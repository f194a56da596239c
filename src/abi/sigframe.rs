//! What the kernel puts on the stack for a signal handler (arch/x86/include/asm/sigframe.h and uapi/asm/sigcontext.h,
//! arch/arm64/kernel/signal.c and uapi/asm/sigcontext.h).

use super::siginfo::{RawSigInfo, RawStack};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// x86_64.
pub mod x86_64 {
    use super::*;

    /// `uc_flags`: the frame has an XSAVE area behind the legacy one.
    pub const UC_FP_XSTATE: u64 = 1;
    /// `uc_flags`: the context has a valid `ss`.
    pub const UC_SIGCONTEXT_SS: u64 = 2;
    /// `uc_flags`: `ss` is restored as it is.
    pub const UC_STRICT_RESTORE_SS: u64 = 4;
    /// `fp_sw_bytes.magic1`.
    pub const FP_XSTATE_MAGIC1: u32 = 0x4650_5853;
    /// The word behind the XSAVE area.
    pub const FP_XSTATE_MAGIC2: u32 = 0x4650_5845;

    /// struct sigcontext_64.
    #[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct SigContext {
        /// r8 ... r15.
        pub r8_r15: [u64; 8],
        /// rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, in this order.
        pub low: [u64; 8],
        /// Instruction pointer.
        pub ip: u64,
        /// Flags.
        pub flags: u64,
        /// Code segment.
        pub cs: u16,
        /// 0.
        pub gs: u16,
        /// 0.
        pub fs: u16,
        /// Stack segment.
        pub ss: u16,
        /// Error code of the last exception.
        pub err: u64,
        /// Its number.
        pub trapno: u64,
        /// The first 64 signals of the mask.
        pub oldmask: u64,
        /// Address of the last page fault.
        pub cr2: u64,
        /// Address of the floating-point state, or 0.
        pub fpstate: u64,
        /// Nothing.
        pub reserved: [u64; 8],
    }

    /// struct ucontext.
    #[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct UContext {
        /// UC_*.
        pub flags: u64,
        /// 0.
        pub link: u64,
        /// The alternate stack at delivery.
        pub stack: RawStack,
        /// Registers.
        pub mcontext: SigContext,
        /// Mask to put back.
        pub sigmask: u64,
    }

    /// struct rt_sigframe.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct RtSigFrame {
        /// The handler's return address: the restorer.
        pub pretcode: u64,
        /// The context, the handler's third argument.
        pub uc: UContext,
        /// The handler's second argument.
        pub info: RawSigInfo,
    }

    /// struct _fpstate_64: the FXSAVE area with what Linux keeps in its unused end.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct FxState {
        /// x87 control word.
        pub cwd: u16,
        /// x87 status word.
        pub swd: u16,
        /// Abridged tag word.
        pub twd: u16,
        /// Last opcode.
        pub fop: u16,
        /// Last instruction pointer.
        pub rip: u64,
        /// Last data pointer.
        pub rdp: u64,
        /// SSE control and status.
        pub mxcsr: u32,
        /// Bits that mxcsr can have.
        pub mxcsr_mask: u32,
        /// ST(0) ... ST(7).
        pub st: [u128; 8],
        /// xmm0 ... xmm15.
        pub xmm: [u128; 16],
        /// Nothing.
        pub reserved: [u64; 6],
        /// FP_XSTATE_MAGIC1.
        pub magic1: u32,
        /// Bytes of the whole state, FP_XSTATE_MAGIC2 included.
        pub extended_size: u32,
        /// Components in it.
        pub xfeatures: u64,
        /// Bytes of the XSAVE area.
        pub xstate_size: u32,
        /// Nothing.
        pub padding: [u32; 7],
    }

    /// The header of the XSAVE area.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct XstateHeader {
        /// Components that are not in their initial state.
        pub xstate_bv: u64,
        /// Compaction: 0.
        pub xcomp_bv: u64,
        /// 0.
        pub reserved: [u64; 6],
    }
}

/// aarch64.
pub mod aarch64 {
    use super::*;

    /// Magic of [`FpsimdContext`].
    pub const FPSIMD_MAGIC: u32 = 0x4650_8001;
    /// Magic of [`EsrContext`].
    pub const ESR_MAGIC: u32 = 0x4553_5201;
    /// Magic of a record that points to more records elsewhere.
    pub const EXTRA_MAGIC: u32 = 0x4558_5401;
    /// Bytes for records in a [`SigContext`].
    pub const RESERVED: usize = 4096;

    /// struct _aarch64_ctx: the head of every record.
    #[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct CtxHead {
        /// Which record it is; 0 ends the list.
        pub magic: u32,
        /// Its bytes, head included.
        pub size: u32,
    }

    /// struct fpsimd_context.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct FpsimdContext {
        /// Head.
        pub head: CtxHead,
        /// Floating-point status.
        pub fpsr: u32,
        /// Floating-point control.
        pub fpcr: u32,
        /// v0 ... v31.
        pub vregs: [u128; 32],
    }

    /// struct esr_context: the syndrome of the last fault.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct EsrContext {
        /// Head.
        pub head: CtxHead,
        /// ESR_EL1.
        pub esr: u64,
    }

    /// struct sigcontext without its records.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct SigContext {
        /// Address of the last fault.
        pub fault_address: u64,
        /// x0 ... x30.
        pub regs: [u64; 31],
        /// Stack pointer.
        pub sp: u64,
        /// Program counter.
        pub pc: u64,
        /// Flags.
        pub pstate: u64,
        /// Aligns the records to 16 bytes.
        pub pad: u64,
    }

    /// struct ucontext without the records at its end.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct UContext {
        /// 0.
        pub flags: u64,
        /// 0.
        pub link: u64,
        /// The alternate stack at delivery.
        pub stack: RawStack,
        /// Mask to put back.
        pub sigmask: u64,
        /// Room for a larger mask, and alignment.
        pub unused: [u8; 128],
        /// Registers.
        pub mcontext: SigContext,
    }

    /// struct rt_sigframe without the records at its end.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct RtSigFrame {
        /// The handler's second argument.
        pub info: RawSigInfo,
        /// The context, the handler's third argument.
        pub uc: UContext,
    }

    /// struct frame_record: what makes the interrupted function the caller of the handler.
    #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct FrameRecord {
        /// x29.
        pub fp: u64,
        /// x30.
        pub lr: u64,
    }

    /// Bytes of the whole frame, with the room for records.
    pub const FRAME_SIZE: u64 = (std::mem::size_of::<RtSigFrame>() + RESERVED) as u64;
}

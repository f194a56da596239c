//! What a front end must supply, and what passes between it and the engine.
//!
//! The engine knows blocks, links, images of code, jump tables, budgets and faults. It knows nothing of a guest
//! architecture; that is the front end's, together with the state that translated code works on.
//!
//! The contract of translated code:
//! 1. **Entry.** [`FrontEnd::enter`] runs code at a host address until it leaves through the common exit, and gives the reason. Before,
//!    the engine has set the jump table, the budget and the address mask, and the `gs` base to the window. Afterwards all guest
//!    registers are in the state, and the budget says how much is left.
//! 2. **Count.** A block takes the number of its instructions from the budget at its entry and leaves with [`Reason::Budget`]
//!    and nothing changed if it does not suffice, or, where [`FrontEnd::SLACK`] allows it, sometimes later. It may take them in
//!    pieces. An exit in its middle gives back what has not retired.
//! 3. **Links.** A direct jump out of a block goes to a stub that leaves with [`Reason::Link`] and the link's number, until
//!    the engine patches it to go to the target's entry. An indirect jump asks the jump table itself and leaves with
//!    [`Reason::Lookup`] if that does not know.
//! 4. **Memory.** Guest memory is accessed by `gs`-prefixed operands only, at an address that is either within the window and the
//!    guards around it or not canonical.
//! 5. **Faults.** A host fault may come at such an access only, and at that moment every guest register is where the common exit
//!    expects it, as it was before the instruction; NZCV or its like as the [`Mark`] of the instruction says.
//! 6. **Place.** Code of a block depends on the guest's bytes and address, the mode, and the thunks; not on the space, so that spaces
//!    share it.

use crate::arch::cpuid::Cpuid;
use crate::arch::{Arch, RawCall, Regs};
use crate::cpu::{Access, Exit, FaultKind};
use crate::mem::Space;

use super::asm::Asm;
use super::jumps::Shape;

/// Why translated code comes back to the engine: what `eax` holds at the common exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// The budget does not reach to the end of the block at the pc.
    Budget,
    /// A direct jump has no target yet; the argument is the number of its link, which knows where it goes.
    Link,
    /// An indirect jump to the pc is not in the jump table.
    Lookup,
    /// A system call; the pc is behind it.
    Syscall,
    /// Undefined instruction at the pc.
    Illegal,
    /// The instruction at the pc is not for user mode, or breaks the rules of segments: general protection.
    Protection,
    /// The front end itself does the instruction at the pc ([`FrontEnd::help`]).
    Help,
    /// Breakpoint instruction at the pc.
    Breakpoint,
    /// The instruction at the pc is to be done by another backend.
    Fallback,
    /// A misaligned address, at the pc; the argument is the address, [`FrontEnd::misaligned_access`] knows the access.
    Alignment,
    /// What decides the mode has changed: the code before and behind may differ in it.
    Mode,
    /// The instruction at the pc reads the counter: the engine does it, since it knows the count.
    Counter,
    /// Translations of the line at the guest address in the argument are void.
    Invalidate,
    /// A host fault in translated code.
    Fault,
    /// An address behind the window's end, or with a tag, in a block that was made for [`Addresses::Plain`] and whose address is
    /// the argument; nothing of the instruction at the pc has been done.
    Wild,
}

impl Reason {
    /// All of them, by number.
    pub const ALL: [Reason; 15] = {
        use Reason::*;
        [
            Budget, Link, Lookup, Syscall, Illegal, Protection, Help, Breakpoint, Fallback, Alignment, Mode, Counter,
            Invalidate, Fault, Wild,
        ]
    };

    /// The reason with this number.
    pub fn from_number(number: u32) -> Option<Reason> {
        Reason::ALL.get(number as usize).copied()
    }
}

/// Where the budget of a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extent {
    /// Where the front end likes.
    Whole,
    /// Behind exactly so many instructions, unless the block ends before: then it leaves with [`Reason::Budget`].
    Cut(u32),
}

/// Whether flags that nobody will ask for may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagUse {
    /// Flags that are overwritten before they are used or seen need not be made.
    Live,
    /// All flags are exact after every block.
    Exact,
}

/// Whether the guest may change code without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// No: the engine hears of every change.
    Fixed,
    /// Yes: if stores are to take effect at once, a block must look whether its code is what it was made from.
    Checked,
}

/// What guest addresses the accesses of a block must be ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Those in the window; at others the block may leave with [`Reason::Wild`].
    Plain,
    /// All: they fault, or reach what the architecture says.
    Any,
}

/// What is to be translated.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Guest address of the first instruction.
    pub pc: u64,
    /// [`FrontEnd::mode`] at the entry.
    pub mode: u8,
    /// How far.
    pub extent: Extent,
    /// What is done about flags.
    pub flags: FlagUse,
    /// Whether its bytes stay.
    pub stability: Stability,
    /// What addresses it meets.
    pub addresses: Addresses,
}

/// Guest code that may be read: executable bytes around the first instruction.
pub trait Code {
    /// Fills `bytes` with code at a guest address. Gives how many bytes from there on are executable.
    fn fetch(&self, addr: u64, bytes: &mut [u8]) -> usize;

    /// The same; whether all of it is executable.
    fn read(&self, addr: u64, bytes: &mut [u8]) -> bool {
        self.fetch(addr, bytes) == bytes.len()
    }
}

/// A direct jump that is not linked yet. Offsets are from the start of the block's code.
#[derive(Clone, Copy, Debug)]
pub struct LinkSite {
    /// Of the 32-bit distance of the jump.
    pub at: u32,
    /// Of the stub that it goes to while there is no target.
    pub stub: u32,
    /// Of the 32-bit number of the link within the stub, which the engine fills in.
    pub number: u32,
    /// Guest address that it goes to.
    pub target: u64,
    /// Which entry of the target.
    pub entry: Entry,
}

/// Where a block is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Where the budget is asked for: [`Translated::checked`].
    Checked,
    /// Behind that, for links of which the front end knows that they need not ask: [`Translated::unchecked`].
    Unchecked,
}

/// Where the code of an instruction begins, and what the front end must know at a fault in it.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Offset from the start of the block's code.
    pub host: u32,
    /// Guest address, relative to the block's.
    pub guest: u32,
    /// How many instructions of the block come before it.
    pub index: u32,
    /// How many have been charged so far.
    pub charged: u32,
    /// For the front end.
    pub note: u32,
}

/// A translated block; its code is in the assembler.
#[derive(Debug, Default)]
pub struct Translated {
    /// Instructions that it charges.
    pub count: u32,
    /// Guest bytes from the first instruction on that it was made from.
    pub bytes: u32,
    /// Direct jumps.
    pub links: Vec<LinkSite>,
    /// At least one for each instruction, ascending.
    pub marks: Vec<Mark>,
    /// Where the code of the last instruction ends.
    pub main_end: u32,
    /// Entries of its code, in which the one after an indirect jump stands [`FrontEnd::HEAD`] bytes from its begin.
    pub checked: u32,
    /// See `checked`.
    pub unchecked: u32,
    /// There is no block: the first instruction has a byte that is not executable, at this guest address.
    pub unreadable: Option<u64>,
    /// Instructions done by helpers, by word or opcode.
    pub soft: u32,
}

/// Host addresses of what all blocks share.
#[derive(Clone, Copy, Debug, Default)]
pub struct Common {
    /// Called by [`FrontEnd::enter`].
    pub enter: u64,
    /// Where the fault handler sends faulting code: the common exit with [`Reason::Fault`].
    pub fault: u64,
}

/// What the host told about a fault in translated code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct HostFault {
    /// Address of the host instruction; 0 when there was no fault.
    pub rip: u64,
    /// The address that the host names, which is 0 for one that is not canonical.
    pub addr: u64,
    /// `eflags`.
    pub eflags: u64,
    /// SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGTRAP.
    pub signal: i32,
    /// `si_code`.
    pub code: i32,
    /// The processor's number of the exception, and its error code.
    pub trap: u32,
    /// See `trap`.
    pub error: u32,
}

/// What an instruction wanted of memory: one range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// First guest address, as the guest computes it: without what it ignores.
    pub addr: u64,
    /// Bytes.
    pub len: u64,
    /// Read or write.
    pub access: Access,
}

/// Whether an instruction that stops its thread has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// It has not retired, and the pc is at it.
    Fault,
    /// It has, and the pc is behind it.
    Trap,
}

/// What a host fault was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    /// An access to memory.
    Access(Wanted),
    /// Something else that the guest must know.
    Exit(Exit),
    /// Nothing that the instruction can do.
    Nothing,
}

/// A guest architecture for the engine.
pub trait FrontEnd {
    /// Which.
    const ARCH: Arch;

    /// Bytes of memory that it wants in front of the code.
    const DATA: usize = 0;

    /// How the jump table is laid out for it.
    const JUMPS: Shape;

    /// By how many instructions it may overdraw its budget, unless [`FrontEnd::set_exact`] forbids it.
    const SLACK: u64 = 0;

    /// Bytes of a block's code before the entry for indirect jumps, the same for all blocks.
    const HEAD: u64 = 0;

    /// Bytes between the entry for indirect jumps and [`Translated::checked`], the same for all blocks.
    const INDIRECT: u64 = 0;

    /// What a breakpoint instruction is to its thread.
    const BREAKPOINT: Trap = Trap::Fault;

    /// Tells where the memory in front of the code is; it stays as long as the front end.
    fn place(&mut self, _data: *mut u8) {}

    /// Whether budgets may not be overdrawn from now on. This may change [`FrontEnd::mode`].
    fn set_exact(&mut self, _exact: bool) {}

    /// Tells the host address of the running space's guest address 0.
    fn set_window(&mut self, _base: u64) {}

    /// Emits a jump to a guest address by the jump table.
    fn emit_far(&mut self, asm: &mut Asm, target: u64);

    /// Why the thread cannot go on at an address that is not executable, if it is not for what is mapped there.
    fn bad_target(&self, _addr: u64) -> Option<FaultKind> {
        None
    }

    /// Whether the thread wants to stop after each instruction.
    fn stepping(&self) -> bool {
        false
    }

    /// Emits what all blocks share, for the place where the assembler stands.
    fn emit_common(&mut self, asm: &mut Asm) -> Common;

    /// Runs translated code at a host address. See the contract above.
    fn enter(&mut self, entry: u64) -> u32;

    /// Emits a block.
    ///
    /// # Errors
    /// What is wrong with the front end itself.
    fn translate(&mut self, asm: &mut Asm, request: &Request, code: &dyn Code) -> Result<Translated, String>;

    /// Whether what translated code refers to has no room for that of another block.
    fn is_full(&self) -> bool;

    /// All translations have been thrown away.
    fn flushed(&mut self);

    /// Tells the number of address bits of windows, which decides what is a wild address.
    fn set_address_bits(&mut self, bits: u32);

    /// The mode of the loaded thread: decides, with pc and bytes, what code is emitted.
    fn mode(&self) -> u8;

    /// The jump table that translated code asks.
    fn set_jumps(&mut self, table: u64);

    /// Instructions that may still retire; negative when it is overdrawn.
    fn budget(&self) -> i64;

    /// Sets the budget.
    fn set_budget(&mut self, budget: i64);

    /// The argument of the exit.
    fn exit_arg(&self) -> u64;

    /// Where the fault handler writes. The address stays.
    fn host_fault(&mut self) -> *mut HostFault;

    /// After a fault in the instruction at the pc: puts the registers right as its mark says.
    fn settle_fault(&mut self, fault: &HostFault, note: u32);

    /// What a fault of the instruction in `bytes` at the pc was about, by the registers as they are.
    fn explain(&self, fault: &HostFault, bytes: &[u8]) -> Explained;

    /// At [`Reason::Alignment`]: what was tried.
    fn misaligned_access(&self) -> Access;

    /// What the architecture ignores of an address is taken off.
    fn untag(&self, addr: u64) -> u64;

    /// Why the pc cannot even be looked at, if so: what instruction addresses must be multiples of.
    fn pc_alignment(&self) -> u64;

    /// The loaded thread's pc.
    fn pc(&self) -> u64;

    /// Sets the pc.
    fn set_pc(&mut self, pc: u64);

    /// At [`Reason::Help`]: does the instruction at the pc and goes behind it. If it cannot, the exit says why, and nothing has changed.
    fn help(&mut self, _space: &mut Space, _bytes: &[u8]) -> Option<Exit> {
        Some(Exit::Illegal { privileged: false })
    }

    /// At [`Reason::Counter`]: does the instruction at the pc with this value of the counter and goes behind it.
    fn read_counter(&mut self, bytes: &[u8], value: u64);

    /// At [`Reason::Mode`]: registers have changed that decide the mode.
    fn mode_changed(&mut self);

    /// Bytes that an `Invalidate` concerns, from its argument.
    fn invalidated(&self) -> (u64, u64);

    /// Another thread must not complete this one's exclusive store.
    fn clear_exclusive(&mut self);

    /// Number and arguments of the call.
    fn syscall(&self) -> RawCall;

    /// Sets the result register.
    fn set_result(&mut self, value: u64);

    /// The stack pointer.
    fn sp(&self) -> u64;

    /// Copies all registers out.
    fn save(&self, regs: &mut Regs);

    /// Replaces all registers; those of another architecture are left alone.
    fn load(&mut self, regs: &Regs);

    /// At [`Reason::Breakpoint`], where it is a trap: goes behind the instruction at the pc.
    fn pass_breakpoint(&mut self, _bytes: &[u8]) {}

    /// What `cpuid` shows, for x86_64.
    fn cpuid(&self) -> Option<Cpuid> {
        None
    }

    /// AT_HWCAP and AT_HWCAP2.
    fn hwcap(&self) -> (u64, u64);
}

//! How many instructions an x86_64 block holds. Unicorn tells a block's address and bytes; decoding it once and keeping
//! the answer is much cheaper than a hook for each instruction.

#![expect(unsafe_code, reason = "guest instructions are read from the window")]

use std::cell::Cell;

use super::string::StringOp;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction};

/// Slots of the table; a power of two.
const SLOTS: usize = 1 << 12;

/// What is known about a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Instructions, without a repeated string instruction at the end.
    pub(super) count: u32,
    /// Where a repeated string instruction at the end starts.
    pub(super) repeat: Option<u64>,
    /// What that instruction does, if it can be done at once.
    pub(super) string: Option<StringOp>,
    /// The first instruction that must not run: how many stand before it, and whether it is a privileged one.
    pub(super) forbidden: Option<(u32, bool)>,
}

/// A direct-mapped table of how many instructions plain blocks have, by host address, so that spaces do not mix.
pub(super) struct Table(Box<[Slot]>);

/// Host address, and bytes | instructions << 32.
type Slot = Cell<(u64, u64)>;

impl Table {
    pub(super) fn new() -> Table {
        Table((0..SLOTS).map(|_| Cell::default()).collect())
    }

    fn slot(&self, host: u64) -> Option<&Slot> {
        self.0.get((host ^ host >> 12) as usize % SLOTS)
    }

    /// How many instructions the block has, if it is here.
    #[inline(always)]
    pub(super) fn get(&self, host: u64, bytes: u32) -> Option<u32> {
        let (found, packed) = self.slot(host)?.get();
        (found == host && packed as u32 == bytes).then_some((packed >> 32) as u32)
    }

    /// Remembers a block.
    pub(super) fn put(&self, host: u64, bytes: u32, count: u32) {
        if let Some(slot) = self.slot(host) {
            slot.set((host, u64::from(bytes) | u64::from(count) << 32));
        }
    }

    /// Forgets everything, since code has changed.
    pub(super) fn forget(&self) {
        self.0.iter().for_each(|slot| slot.set((0, 0)));
    }
}

/// Reads instructions of the guest; keeps its buffer.
#[derive(Default)]
pub(super) struct Reader {
    buffer: Vec<u8>,
}

impl Reader {
    /// Looks at a block that has just been translated from `start`.
    pub(super) fn block(&mut self, base: u64, start: u64, bytes: u32) -> Block {
        let mut block = Block { count: 0, repeat: None, string: None, forbidden: None };
        self.each(base + start, start, bytes, |instruction| {
            if block.forbidden.is_none() {
                block.forbidden = forbid(instruction).map(|privileged| (block.count, privileged));
            }
            if is_repeated(instruction) && instruction.next_ip() == start + u64::from(bytes) {
                block.repeat = Some(instruction.ip());
                block.string = StringOp::of(instruction);
            } else {
                block.count += 1;
            }
            true
        });
        block
    }

    /// How many instructions of the block stand before the one at `pc`.
    pub(super) fn instructions_before(&mut self, base: u64, start: u64, bytes: u32, pc: u64) -> u64 {
        let mut before = 0;
        self.each(base + start, start, bytes, |instruction| {
            before += u64::from(instruction.ip() < pc);
            instruction.next_ip() < pc
        });
        before
    }

    /// The address of the instruction number `count` of the block.
    pub(super) fn address_of(&mut self, base: u64, start: u64, bytes: u32, count: u64) -> u64 {
        let (mut left, mut at) = (count, start);
        self.each(base + start, start, bytes, |instruction| {
            if left > 0 {
                left -= 1;
                at = instruction.next_ip();
            }
            left > 0
        });
        at
    }

    /// How many whole instructions from `start` on end at or before `end`.
    pub(super) fn whole_until(&mut self, base: u64, start: u64, end: u64) -> u64 {
        let mut whole = 0;
        self.each(base + start, start, (end - start) as u32, |instruction| {
            whole += u64::from(!instruction.is_invalid());
            true
        });
        whole
    }

    /// Calls `look` with each instruction of a block until it says no. Bytes that are no instruction end the block.
    fn each(&mut self, host: u64, start: u64, bytes: u32, mut look: impl FnMut(&Instruction) -> bool) {
        self.buffer.resize(bytes as usize, 0);
        // SAFETY: the engine has just read these bytes as instructions from executable areas of the window, which
        // stay readable while it runs; they are copied, as the guest may change them.
        unsafe { std::ptr::copy(host as *const u8, self.buffer.as_mut_ptr(), bytes as usize) };
        let mut decoder = Decoder::with_ip(64, &self.buffer, start, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            decoder.decode_out(&mut instruction);
            if !look(&instruction) || instruction.is_invalid() {
                break;
            }
        }
    }
}

/// A string instruction with a repeat prefix, which Unicorn runs as a block of its own an element at a time.
fn is_repeated(instruction: &Instruction) -> bool {
    (instruction.has_rep_prefix() || instruction.has_repne_prefix()) && instruction.is_string_instruction()
}

/// Instructions that Unicorn must not run, and whether they are a protection fault rather than undefined.
fn forbid(instruction: &Instruction) -> Option<bool> {
    use Code::*;
    match instruction.code() {
        // CPUID does not show them: their numbers would come from the host.
        Rdrand_r16 | Rdrand_r32 | Rdrand_r64 | Rdseed_r16 | Rdseed_r32 | Rdseed_r64 => Some(false),
        // There are no segments to go to, and `iret` could even get into virtual-8086 mode here.
        Iretw | Iretd | Iretq | Retfw | Retfd | Retfq | Retfw_imm16 | Retfd_imm16 | Retfq_imm16 => Some(true),
        Call_m1616 | Call_m1632 | Call_m1664 | Jmp_m1616 | Jmp_m1632 | Jmp_m1664 => Some(true),
        // Unicorn knows no performance counters.
        Rdpmc => Some(true),
        // Unicorn leaves out the check of the permission bitmap.
        In_AL_imm8 | In_AX_imm8 | In_EAX_imm8 | In_AL_DX | In_AX_DX | In_EAX_DX => Some(true),
        Out_imm8_AL | Out_imm8_AX | Out_imm8_EAX | Out_DX_AL | Out_DX_AX | Out_DX_EAX => Some(true),
        Insb_m8_DX | Insw_m16_DX | Insd_m32_DX | Outsb_DX_m8 | Outsw_DX_m16 | Outsd_DX_m32 => Some(true),
        _ => None,
    }
}

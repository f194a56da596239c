//! How many instructions an x86_64 block holds. Unicorn tells a block's address and bytes; decoding it once and keeping
//! the answer is much cheaper than a hook for each instruction.

#![expect(unsafe_code, reason = "guest instructions are read from the window")]

use iced_x86::{Code, Decoder, DecoderOptions, Instruction};

/// Slots of the table; a power of two.
const SLOTS: usize = 1 << 13;

/// What is known about a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    host: u64,
    bytes: u32,
    generation: u32,
    /// Instructions, without a repeated string instruction at the end.
    pub(super) count: u32,
    /// Where a repeated string instruction starts, in bytes from the start; [`NONE`] when there is none.
    repeat: u32,
    /// The first instruction that must not run: how many stand before it, and whether it is a privileged one.
    pub(super) forbidden: Option<(u32, bool)>,
}

const NONE: u32 = u32::MAX;

impl Block {
    /// The address of the repeated string instruction at its end.
    pub(super) fn repeat(&self, start: u64) -> Option<u64> {
        (self.repeat != NONE).then(|| start + u64::from(self.repeat))
    }
}

/// A direct-mapped table of blocks, by host address, so that spaces do not mix.
pub(super) struct Blocks {
    slots: Box<[Block]>,
    generation: u32,
    buffer: Vec<u8>,
}

impl Blocks {
    pub(super) fn new() -> Blocks {
        let empty = Block { host: 0, bytes: 0, generation: 0, count: 0, repeat: NONE, forbidden: None };
        Blocks { slots: vec![empty; SLOTS].into_boxed_slice(), generation: 1, buffer: Vec::new() }
    }

    /// Forgets everything, since code has changed.
    pub(super) fn forget(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.slots.iter_mut().for_each(|slot| slot.bytes = 0);
        }
    }

    /// The block of `bytes` bytes at `start`, which has just been translated from there.
    pub(super) fn get(&mut self, base: u64, start: u64, bytes: u32) -> Block {
        let host = base + start;
        let index = (host ^ (host >> 13)) as usize % SLOTS;
        let slot = self.slots[index];
        if slot.host == host && slot.bytes == bytes && slot.generation == self.generation {
            return slot;
        }
        let block = self.decode(host, start, bytes);
        self.slots[index] = block;
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

    fn decode(&mut self, host: u64, start: u64, bytes: u32) -> Block {
        let (mut count, mut repeat, mut forbidden) = (0, NONE, None);
        self.each(host, start, bytes, |instruction| {
            if forbidden.is_none() {
                forbidden = forbid(instruction).map(|privileged| (count, privileged));
            }
            if is_repeated(instruction) && instruction.next_ip() == start + u64::from(bytes) {
                repeat = (instruction.ip() - start) as u32;
            } else {
                count += 1;
            }
            true
        });
        Block { host, bytes, generation: self.generation, count, repeat, forbidden }
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

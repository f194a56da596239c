//! Instructions that the front end does itself: those that would tell of the host, and rare ones.

use iced_x86::Mnemonic;

use super::state::State;
use super::wanted::decode;
use crate::cpu::Exit;
use crate::mem::Space;

const EAX: usize = 0;
const ECX: usize = 1;
const EDX: usize = 2;
const EBX: usize = 3;

/// Does the instruction in `bytes` at the pc and goes behind it. If it cannot, the exit says why, and nothing has changed.
pub(super) fn help(state: &mut State, _space: &mut Space, bytes: &[u8]) -> Option<Exit> {
    let refused = Some(Exit::Illegal { privileged: false });
    let Some(instruction) = decode(bytes, state.pc) else { return refused };
    match instruction.mnemonic() {
        Mnemonic::Cpuid => {
            let [eax, ebx, ecx, edx] = state.cpuid.leaf(state.gpr[EAX] as u32, state.gpr[ECX] as u32);
            for (reg, value) in [(EAX, eax), (EBX, ebx), (ECX, ecx), (EDX, edx)] {
                state.gpr[reg] = u64::from(value);
            }
        }
        _ => return refused,
    }
    state.pc = instruction.next_ip();
    None
}

/// `rdtsc` and `rdtscp` with this value of the counter.
pub(super) fn read_counter(state: &mut State, bytes: &[u8], value: u64) {
    let Some(instruction) = decode(bytes, state.pc) else { return };
    state.gpr[EAX] = value & 0xffff_ffff;
    state.gpr[EDX] = value >> 32;
    if instruction.mnemonic() == Mnemonic::Rdtscp {
        state.gpr[ECX] = 0;
    }
    state.pc = instruction.next_ip();
}

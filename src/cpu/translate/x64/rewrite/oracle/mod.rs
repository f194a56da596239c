//! The processor itself as the judge of rewriting: random instructions with random registers are executed as they are, and rewritten
//! with the guest's memory elsewhere; registers, flags, memory and faults must be the same.

#![expect(unsafe_code, reason = "runs machine code in a process of its own")]

mod generate;
mod native;

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{Code, Decoder, DecoderOptions, Instruction};

use super::classify::{Class, class};
use super::{Note, Out, Rewritten, rewrite};
use crate::cpu::translate::asm::Asm;
use crate::cpu::translate::front::Mark;
use crate::cpu::translate::x64::out::LazyEncoder;
use crate::cpu::translate::x64::state::State;
use generate::{Case, Random};

/// Bytes of the memory that instructions access; what follows is not mapped.
const DATA: u64 = 0x4000;
/// Host address of guest address 0.
const WINDOW: u64 = 0x2a_0000_0000;
/// Where the rewritten code is, and the state in front of it.
const TRANSLATED: u64 = WINDOW - 0x10_0000;
const STATE: u64 = WINDOW - 0x20_0000;

/// Where an instruction and its memory are.
#[derive(Clone, Copy)]
struct Place {
    code: u64,
    data: u64,
}

/// Within reach of a displacement, of a displacement with 32-bit addresses, and of none.
const PLACES: [Place; 3] = [
    Place { code: 0x3000_0000, data: 0x2000_0000 },
    Place { code: 0xa000_0000, data: 0x9000_0000 },
    Place { code: 0x7_3000_0000, data: 0x7_2000_0000 },
];

/// Instructions that the two executions differ in on purpose, or that processors differ in.
fn is_left_out(insn: &Instruction) -> bool {
    matches!(class(insn), Class::End | Class::Undefined | Class::Privileged | Class::Counter | Class::ReadPid | Class::Nop)
        // The processor looks at the new end of the stack.
        || class(insn) == Class::Enter && insn.immediate16() > 0x80
}

/// What a run has found.
#[derive(Default)]
struct Findings {
    done: BTreeMap<Code, u32>,
    faults: u32,
    wrong: Vec<String>,
}

/// Emits the instruction; `None` if it is done outside of translated code.
fn translate(insn: &Instruction, bytes: &[u8]) -> Option<(Vec<u8>, Vec<Mark>)> {
    let mut asm = Asm::new(TRANSLATED);
    asm.set_anchor(STATE);
    let mut encoder = LazyEncoder::default();
    let mut out = Out::new(&mut asm, &mut encoder);
    out.begin(0, 0);
    match rewrite(&mut out, insn, bytes) {
        Ok(Rewritten::Next) => {}
        _ => return None,
    }
    let marks = out.take_marks();
    asm.bytes(&native::leaving_jump());
    Some((asm.finish().to_vec(), marks))
}

/// Puts registers right as the notes say, after a fault at an offset of the code.
fn settle(gpr: &mut [u64; 16], marks: &[Mark], at: u32) {
    let note = Note(marks.iter().rev().find(|m| m.host <= at).map_or(0, |m| m.note));
    for (register, flag) in [(6, Note::RSI_HOST), (7, Note::RDI_HOST)] {
        if note.has(flag) {
            gpr[register] = gpr[register].wrapping_sub(WINDOW);
        }
    }
    for (register, slot) in note.registers_aside() {
        let place = STATE + (std::mem::offset_of!(State, spill) + 8 * slot) as u64;
        gpr[register] = u64::from_le_bytes(native::get(place, 8).try_into().unwrap_or_default());
    }
}

/// The fields of the state that rewritten code reads.
fn put_state(fs_base: u64, gs_base: u64) {
    let fields = [
        (std::mem::offset_of!(State, window), WINDOW),
        (std::mem::offset_of!(State, fs_base), fs_base),
        (std::mem::offset_of!(State, gs_base), gs_base),
    ];
    fields.iter().for_each(|(at, value)| native::put(STATE + *at as u64, &value.to_le_bytes()));
}

fn check(case: &Case, data: &[u8], findings: &mut Findings) {
    let Case { insn, bytes, place, input } = case;
    let Some((translated, marks)) = translate(insn, bytes) else { return };
    let mut original = bytes.clone();
    original.extend(native::leaving_jump());
    native::put(place.code, &original);
    native::put(TRANSLATED, &translated);
    for base in [0, WINDOW] {
        native::put(base + place.data, data);
    }
    put_state(input.fs_base, input.gs_base);
    let expected = native::run(place.code, input);
    let ours = native::Input { fs_base: native::fs_base(), gs_base: WINDOW, ..input.clone() };
    let mut got = native::run(TRANSLATED, &ours);
    if got.signal != 0 {
        settle(&mut got.gpr, &marks, got.rip.wrapping_sub(TRANSLATED) as u32);
        findings.faults += 1;
    }
    *findings.done.entry(insn.code()).or_default() += 1;
    let (mut wanted, stored) = (native::get(place.data, DATA), native::get(WINDOW + place.data, DATA));
    if class(insn) == Class::StoreFpuEnvironment {
        // Where the last instruction stood is not told.
        wanted.iter_mut().zip(&stored).filter(|(_, s)| **s == 0).for_each(|(w, _)| *w = 0);
    }
    let mut differences = Vec::new();
    let mut compare = |what: &str, same: bool| {
        if !same {
            differences.push(what.to_owned());
        }
    };
    compare("signal", (expected.signal, expected.code) == (got.signal, got.code));
    compare(
        "address",
        expected.addr == got.addr || expected.addr == got.addr.wrapping_sub(WINDOW) || expected.signal == 4,
    );
    for i in 0..16 {
        compare(&format!("register {i}: {:x} {:x}", expected.gpr[i], got.gpr[i]), expected.gpr[i] == got.gpr[i]);
    }
    compare(&format!("flags {:x} {:x}", expected.flags, got.flags), expected.flags == got.flags);
    compare("vector registers", expected.xsave == got.xsave);
    compare("memory", wanted == stored);
    // A signal that only comes of where the code is tells its address.
    if expected.signal as i32 == libc::SIGFPE || expected.signal as i32 == libc::SIGTRAP {
        differences.retain(|d| d != "address");
    }
    if !differences.is_empty() {
        findings.wrong.push(format!("{:?} {bytes:02x?} -> {translated:02x?}: {differences:?}", insn.code()));
    }
}

/// Runs random instructions; gives the status to end the process with.
fn judge(samples: u32, least: usize) -> i32 {
    native::take_signals();
    let mut mapped =
        native::map(TRANSLATED, 0x1000) && native::map(STATE, size_of::<State>().next_multiple_of(4096) as u64);
    for place in PLACES {
        mapped &=
            native::map(place.code, 0x1000) && native::map(place.data, DATA) && native::map(WINDOW + place.data, DATA);
    }
    if !mapped {
        eprintln!("no room for the test's memory");
        return 2;
    }
    let mut random = Random::new(0x5eed_0001);
    let mut findings = Findings::default();
    let mut data = vec![0; DATA as usize];
    for sample in 0..samples {
        if sample % 64 == 0 {
            generate::fill(&mut random, &mut data);
        }
        if let Some(case) = generate::case(&mut random, &PLACES) {
            check(&case, &data, &mut findings);
        }
    }
    let done: u32 = findings.done.values().sum();
    eprintln!("{done} instructions of {} kinds, {} faults", findings.done.len(), findings.faults);
    findings.wrong.iter().take(20).for_each(|w| eprintln!("wrong: {w}"));
    i32::from(!findings.wrong.is_empty() || findings.done.len() < least || findings.faults < 100)
}

#[test]
fn rewritten_instructions_do_what_the_processor_does() {
    if !crate::cpu::translate::host::missing().is_empty() {
        return;
    }
    // SAFETY: the child runs this thread only, and ends without going back to the test harness.
    match unsafe { libc::fork() } {
        0 => {
            let status = judge(200_000, 1500);
            // SAFETY: ends the child.
            unsafe { libc::_exit(status) }
        }
        child => {
            let mut status = -1;
            // SAFETY: waits for the child just made.
            unsafe { libc::waitpid(child, &mut status, 0) };
            assert_eq!(status, 0, "see the messages of the child process");
        }
    }
}

/// Every instruction that random bytes can be is copied, rewritten or refused: none is an error.
#[test]
fn every_instruction_has_a_class_that_rewriting_knows() {
    let mut random = Random::new(0x5eed_0002);
    let mut seen = BTreeSet::new();
    for _ in 0..400_000 {
        let bytes = generate::bytes(&mut random);
        let insn = Decoder::with_ip(64, &bytes, 0x1000, DecoderOptions::NONE).decode();
        if insn.is_invalid() || class(&insn) == Class::End {
            continue;
        }
        seen.insert(insn.code());
        let (mut asm, mut encoder) = (Asm::new(TRANSLATED), LazyEncoder::default());
        asm.set_anchor(STATE);
        let mut out = Out::new(&mut asm, &mut encoder);
        out.begin(0, 0);
        let bytes = &bytes[..insn.len()];
        assert!(rewrite(&mut out, &insn, bytes).is_ok(), "{:?} {bytes:x?}", insn.code());
    }
    assert!(seen.len() > 1500, "{}", seen.len());
}

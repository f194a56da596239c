//! The translator's A64 decoder against objdump: both must agree on which words are instructions.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use sevm::cpu::translate::a64::decode::{Insn, decode};

const OBJDUMP: &str = "aarch64-linux-gnu-objdump";
const WORDS: usize = 200_000;

/// The classes (bits 28 to 25) that the decoder takes apart itself: integer, loads and stores, branches, system.
const CLASSES: [u32; 10] = [4, 5, 6, 8, 9, 10, 11, 12, 13, 14];

/// What objdump knows and the machine's HWCAP does not show, by the beginnings of mnemonics: memory tagging, memory
/// copies, CSSC, 64-byte accesses, transactions, waiting with a time, hinted branches; then what EL0 may not execute,
/// with the system registers and the cache maintenance that are not for it.
const NOT_SHOWN: &[&str] = &[
    "addg", "subg", "subp", "cmpp", "gmi", "irg", "ldg", "stg", "st2g", "stz", "cpy", "set", "abs", "cnt", "ctz",
    "smax", "smin", "umax", "umin", "ld64b", "st64b", "tcancel", "tcommit", "tstart", "ttest", "wfet", "wfit", "bc.",
    "smstart", "smstop", "hvc", "smc", "hlt", "dcps", "eret", "drps", "mrs", "msr", "sys", "at", "tlbi", "cfp", "cpp",
    "dvp", "dc", "ic",
];

/// Words of all classes, often with fields that are all ones or all zeros, as many encodings want them.
fn words() -> Vec<u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as u32
    };
    let mut word = || {
        let class = CLASSES[next() as usize % CLASSES.len()];
        let mut word = next() & !(15 << 25) | class << 25;
        match next() % 8 {
            0 => word |= 31 << 16,
            1 => word &= !(31 << 16),
            2 => word |= 31 << 10,
            3 => word &= !(63 << 10),
            4 => word = word & !0xffc0_0000 | 0xd500_0000,
            _ => {}
        }
        word
    };
    (0..WORDS).map(|_| word()).collect()
}

/// Whether objdump is right to differ.
fn excused(text: &str, insn: &Insn) -> bool {
    let mnemonic = text.split_whitespace().next().unwrap_or_default();
    match insn {
        Insn::Undefined => NOT_SHOWN.iter().any(|start| mnemonic.starts_with(start)) || text.contains("nxs"),
        // Its table has no CONSTRAINED UNPREDICTABLE forms: registers that coincide, fields that should be ones.
        insn => matches!(format!("{insn:?}"), text if text.contains("Pair") || text.contains("Ordered")),
    }
}

#[test]
fn objdump_agrees_on_what_is_allocated() {
    let words = words();
    let path = std::env::temp_dir().join(format!("sevm-a64-decode-{}", std::process::id()));
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    std::fs::write(&path, bytes).expect("a temporary file");
    let run = Command::new(OBJDUMP).args(["-D", "-z", "-b", "binary", "-m", "aarch64"]).arg(&path).output();
    let _ = std::fs::remove_file(&path);
    let Ok(run) = run else {
        assert!(std::env::var_os("CI").is_none(), "{OBJDUMP} is not installed");
        eprintln!("left out: {OBJDUMP} is not installed");
        return;
    };
    let listing = String::from_utf8_lossy(&run.stdout);
    let mut seen = 0;
    let mut wrong = BTreeSet::new();
    for line in listing.lines() {
        let mut fields = line.splitn(3, '\t');
        let (Some(_), Some(word), Some(text)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let Ok(word) = u32::from_str_radix(word.trim(), 16) else { continue };
        seen += 1;
        let insn = decode(word);
        if text.starts_with(".inst") != (insn == Insn::Undefined) && !excused(text, &insn) {
            let mut entry = String::new();
            let _ = write!(entry, "{word:08x} {text}: {insn:?}");
            wrong.insert(entry);
        }
    }
    assert_eq!(seen, WORDS, "objdump's listing is not as expected");
    let first: Vec<_> = wrong.iter().take(20).cloned().collect();
    assert!(wrong.is_empty(), "{} words differ, such as\n{}", wrong.len(), first.join("\n"));
}

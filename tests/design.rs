//! The source keeps to its design: modules depend in one direction, `unsafe` stays where it is meant to be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which modules a module may use (ARCHITECTURE.md). A module may always use itself and the crate's error type.
const ALLOWED: &[(&str, &[&str])] = &[
    ("abi", &[]),
    ("arch", &[]),
    // Which access a fault was is the CPU's word.
    ("mem", &["abi", "cpu"]),
    ("cpu", &["arch", "mem"]),
    // A signal to sevm asks the running CPU to stop.
    ("host", &["abi", "cpu", "mem"]),
    ("syscalls", &["abi", "arch", "mem"]),
    ("loader", &["abi", "arch", "mem"]),
    ("kernel", &["abi", "arch", "cpu", "host", "loader", "mem", "syscalls"]),
    // Events and what a signal carries are the kernel's own types.
    ("symbols", &[]),
    ("trace", &["abi", "arch", "kernel", "mem", "symbols", "syscalls"]),
    // Which calls are tampered with is said as which are shown.
    ("inject", &["abi", "arch", "kernel", "syscalls", "trace"]),
    ("machine", &["abi", "arch", "cpu", "inject", "kernel", "mem", "syscalls", "trace"]),
    ("report", &["arch", "cpu", "machine", "symbols", "syscalls"]),
    ("vm", &["arch", "cpu", "host", "kernel", "machine", "mem", "report", "trace"]),
    ("fuzz", &["abi", "loader", "mem", "syscalls"]),
];

/// `unsafe` blocks, functions and impls by file. The number may fall, and then falls here too; it rises only with a reason.
const UNSAFE_AT_MOST: &[(&str, usize)] = &[
    ("cpu/translate/a64/front.rs", 1),
    ("cpu/translate/a64/soft/pointer.rs", 1),
    ("cpu/translate/cache.rs", 5),
    // Four of them for the exceptions that x86_64 instructions have as they are, and the stack of the handlers.
    ("cpu/translate/fault.rs", 6),
    ("cpu/translate/host.rs", 3),
    // Two of them to map tables: ordinary memory, or the contents that an empty one has.
    ("cpu/translate/jumps.rs", 5),
    ("cpu/translate/mod.rs", 4),
    ("cpu/translate/x64/front.rs", 4),
    // Only in unit tests, in a process of their own.
    ("cpu/translate/x64/rewrite/oracle/mod.rs", 3),
    ("cpu/translate/x64/rewrite/oracle/native.rs", 8),
    ("cpu/unicorn/count.rs", 1),
    ("cpu/unicorn/engine.rs", 22),
    ("cpu/unicorn/hooks.rs", 17),
    ("cpu/unicorn/mod.rs", 4),
    ("cpu/unicorn/string.rs", 2),
    // Two of them for what the first process leaves behind (fork, dup2).
    ("host/sys.rs", 59),
    // Six of them for memory that fork copies late, and the handler that does it.
    ("mem/region.rs", 24),
];

fn source_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("source folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The path below `src/`.
fn short(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    path.strip_prefix(root).expect("below src").to_string_lossy().into_owned()
}

/// The top-level module of a file.
fn module(short: &str) -> &str {
    short.split('/').next().unwrap_or(short).trim_end_matches(".rs")
}

/// Code without its comments and its unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    text.lines().map(|l| l.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn modules_depend_in_one_direction() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut wrong = BTreeSet::new();
    for path in source_files() {
        let short = short(&path);
        let own = module(&short).to_string();
        // The command line may use everything; the roots only name the modules.
        let Some(allowed) = allowed.get(own.as_str()) else { continue };
        let text = std::fs::read_to_string(&path).expect("source");
        for part in code(&text).split("crate::").skip(1) {
            // `use crate::{a, b}` names several.
            let group = part.strip_prefix('{').and_then(|p| p.split('}').next()).unwrap_or(part);
            let names: Vec<&str> = if part.starts_with('{') { group.split(',').collect() } else { vec![group] };
            for name in names {
                let name: String = name.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if !name.is_empty() && name != own && !allowed.contains(&name.as_str()) {
                    wrong.insert(format!("{short} uses {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "against the direction of ARCHITECTURE.md:\n{}", Vec::from_iter(wrong).join("\n"));
}

#[test]
fn every_module_has_its_rule() {
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(m, _)| *m).chain(["cli", "error", "lib", "main"]).collect();
    for path in source_files() {
        let short = short(&path);
        assert!(known.contains(module(&short)), "{short}: add its module to ALLOWED");
    }
}

#[test]
fn unsafe_stays_where_it_is() {
    let limits: BTreeMap<&str, usize> = UNSAFE_AT_MOST.iter().copied().collect();
    let mut found = BTreeMap::new();
    for path in source_files() {
        let text = std::fs::read_to_string(&path).expect("source");
        let uses =
            code(&text).split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| *word == "unsafe").count();
        if uses > 0 {
            found.insert(short(&path), uses);
        }
    }
    for (file, uses) in &found {
        assert!(
            file == "mem/region.rs" || file == "host/sys.rs" || file.starts_with("cpu/"),
            "{file}: unsafe stands only in mem/region.rs, host/sys.rs and cpu/"
        );
        let limit = limits.get(file.as_str()).copied().unwrap_or(0);
        assert!(*uses <= limit, "{file}: {uses} uses of unsafe, {limit} allowed");
    }
    let loose: Vec<_> = limits.iter().filter(|(f, n)| found.get(**f).copied().unwrap_or(0) < **n).collect();
    assert!(loose.is_empty(), "lower the limits: {loose:?}; found {found:?}");
}

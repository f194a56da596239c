//! What `sevm syscalls` prints, and that `docs/SYSCALLS.md` is what it prints now.

use sevm::arch::Arch;
use sevm::syscalls::report::{Coverage, Format, render};
use std::path::Path;
use std::process::Command;

/// Calls carried out, per architecture. Raise them with the handlers; they never fall.
const IMPLEMENTED_AT_LEAST: [(Arch, usize); 2] = [(Arch::X86_64, 220), (Arch::Aarch64, 190)];

fn printed(args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_sevm")).arg("syscalls").args(args).output().expect("sevm runs");
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

#[test]
fn the_page_in_docs_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SYSCALLS.md");
    let now = render(None, Format::Markdown).expect("renders");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &now).expect("docs can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == now, "docs/SYSCALLS.md is stale: sevm syscalls --format md > docs/SYSCALLS.md");
}

#[test]
fn every_form_is_printed() {
    assert!(printed(&[]).lines().any(|l| l.starts_with("openat ") && l.contains("257") && l.contains("56")));
    assert!(printed(&["--arch", "aarch64", "--format", "csv"]).starts_with("name,aarch64,classes,level,note\n"));
    let json: serde_json::Value = serde_json::from_str(&printed(&["--format", "json"])).expect("JSON");
    let read = json.as_array().and_then(|a| a.iter().find(|e| e["name"] == "read")).expect("read is there");
    assert_eq!((read["x86_64"].as_u64(), read["aarch64"].as_u64()), (Some(0), Some(63)));
    assert_eq!(printed(&["--format", "md"]), render(None, Format::Markdown).expect("renders"));
}

#[test]
fn a_wrong_option_is_an_error() {
    for args in [["--arch", "mips"], ["--format", "xml"]] {
        let out = Command::new(env!("CARGO_BIN_EXE_sevm")).arg("syscalls").args(args).output().expect("sevm runs");
        assert!(!out.status.success() && !out.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn the_number_of_calls_never_falls() {
    for (arch, least) in IMPLEMENTED_AT_LEAST {
        let now = Coverage::of(arch).implemented();
        println!("{arch}: {now} calls");
        assert!(now >= least, "{arch}: {now} calls are carried out, {least} were");
    }
}

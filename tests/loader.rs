//! Files that cannot be run: the exact message and status for each; and the few that can.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sevm(program: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sevm")).arg("run").arg(program).output().expect("sevm starts")
}

/// A copy of a corpus file with the given permissions.
fn copy(dir: &Path, name: &str, mode: u32) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/loader").join(name);
    let to = dir.join(name);
    std::fs::copy(from, &to).expect("the corpus is in the repository");
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(mode)).expect("own file");
    to
}

#[track_caller]
fn refused(program: &Path, status: i32, reason: &str) {
    let out = sevm(program);
    let message = String::from_utf8_lossy(&out.stderr);
    assert_eq!(message, format!("sevm: {}: {reason}\n", program.display()));
    assert_eq!(out.status.code(), Some(status), "{}", program.display());
    assert!(out.stdout.is_empty());
}

#[test]
fn malformed_files() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, reason) in [
        ("empty", "the file is empty"),
        ("text", "not an ELF file"),
        ("magic-only", "truncated ELF file: the ELF header lies beyond its end"),
        ("short-header", "truncated ELF file: the ELF header lies beyond its end"),
        ("class32", "a 32-bit ELF file; sevm runs 64-bit programs"),
        ("big-endian", "a big-endian ELF file; sevm runs little-endian programs"),
        ("riscv", "an ELF file for machine 243 (RISCV); sevm runs x86_64 and aarch64"),
        ("relocatable-object", "an ELF file of type REL; only executables can be run"),
        ("truncated-segment", "truncated ELF file: a segment lies beyond its end"),
        ("overlap", "malformed ELF file: segments at 0x400000 and 0x400100 overlap"),
        ("wrap", "malformed ELF file: the segment at 0xffffffffffff0000 of 0x20000 bytes wraps around"),
        ("huge", "no room in the address space for the program"),
        ("entry-outside", "malformed ELF file: the entry 0x900000 lies outside all segments"),
        ("no-segments", "malformed ELF file: no segment to load"),
        ("file-larger", "malformed ELF file: the segment at 0x400000 has more bytes in the file than in memory"),
        ("misaligned", "malformed ELF file: the segment at 0x400100 is not aligned as its offset 0x0 in the file"),
        ("interp", "malformed ELF file: the interpreter's name is not terminated"),
    ] {
        refused(&copy(dir.path(), name, 0o755), 126, reason);
    }
}

#[test]
fn not_programs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    refused(dir.path(), 126, "Is a directory");
    refused(&copy(dir.path(), "good-x86_64", 0o600), 126, "Permission denied");
    refused(&copy(dir.path(), "good-aarch64", 0o000), 126, "Permission denied");
    refused(Path::new("/dev/null"), 126, "not a regular file");
    refused(&dir.path().join("missing"), 127, "No such file or directory");
    refused(&dir.path().join("good-x86_64/below"), 127, "Not a directory");
    refused(Path::new("no-such-program-anywhere"), 127, "No such file or directory");
    let mut long = dir.path().to_path_buf();
    long.push("x".repeat(300));
    refused(&long, 126, "File name too long");
    let link = dir.path().join("loop");
    std::os::unix::fs::symlink(&link, &link).expect("own directory");
    refused(&link, 126, "Too many levels of symbolic links");
}

#[test]
fn runnable_files() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for name in ["good-x86_64", "good-aarch64", "good-pie", "good-bss"] {
        let out = sevm(&copy(dir.path(), name, 0o755));
        assert_eq!(out.status.code(), Some(42), "{name}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

#[test]
fn many_arguments() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let program = copy(dir.path(), "good-x86_64", 0o755);
    let out = Command::new(env!("CARGO_BIN_EXE_sevm"))
        .arg("run")
        .arg(&program)
        .args(std::iter::repeat_n("x".repeat(100_000), 18))
        .output()
        .expect("sevm starts");
    assert_eq!(out.status.code(), Some(42), "1.8 MB of arguments fit into a quarter of 8 MiB");
}

//! A trace that cannot be written: told once, and the program does not notice.

use std::process::{Command, Output, Stdio};

const SEVM: &str = env!("CARGO_BIN_EXE_sevm");

/// A program that makes more calls than any buffer holds lines, and ends with status 7.
const PROGRAM: &str = r#"
#include <unistd.h>
int main(void)
{
    for (int i = 0; i < 5000; i++)
        getppid();
    write(1, "done\n", 5);
    return 7;
}
"#;

fn build(dir: &std::path::Path) -> Option<std::path::PathBuf> {
    let (source, program) = (dir.join("program.c"), dir.join("program"));
    std::fs::write(&source, PROGRAM).expect("file");
    let built = Command::new("gcc").args(["-static", "-O1", "-o"]).arg(&program).arg(&source).status();
    if built.is_ok_and(|s| s.success()) {
        return Some(program);
    }
    assert!(std::env::var_os("CI").is_none(), "gcc is needed in CI");
    eprintln!("left out: gcc -static does not work here");
    None
}

fn trace(options: &[&str], program: &std::path::Path) -> Output {
    Command::new(SEVM).arg("trace").args(options).arg(program).stdin(Stdio::null()).output().expect("sevm runs")
}

#[test]
fn full_disks_and_closed_pipes() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let Some(program) = build(dir.path()) else { return };
    for (options, name, why) in [
        (&["-o", "/dev/full"][..], "/dev/full", "No space left on device"),
        (&["-o", "/dev/full", "--format=json"], "/dev/full", "No space left on device"),
        (&["-o", "/dev/full", "--format=perfetto"], "/dev/full", "No space left on device"),
        (&["-o", "/dev/full", "-c"], "/dev/full", "No space left on device"),
        (&["-o", "/dev/full", "-C"], "/dev/full", "No space left on device"),
        (&["-o", "|exec true"], "|exec true", "Broken pipe"),
        (&["-o", "|exec true", "--format=json"], "|exec true", "Broken pipe"),
    ] {
        let out = trace(options, &program);
        assert_eq!((out.status.code(), &out.stdout[..]), (Some(7), &b"done\n"[..]), "{options:?}");
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(told, format!("sevm: {name}: {why}\n"), "{options:?}");
    }
}

/// Standard error itself is full or closed: there is nobody to tell.
#[test]
fn standard_error_that_takes_nothing() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let Some(program) = build(dir.path()) else { return };
    for options in [&["-f"][..], &["-c"], &["--format=json"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let mut command = Command::new(SEVM);
        command.arg("trace").args(options).arg(&program).stdin(Stdio::null()).stderr(full);
        let out = command.output().expect("sevm runs");
        assert_eq!((out.status.code(), &out.stdout[..]), (Some(7), &b"done\n"[..]), "{options:?}");
    }
    let script = format!("exec 2>&-; '{SEVM}' trace '{}'", program.display());
    let out = Command::new("/bin/sh").arg("-c").arg(script).stdin(Stdio::null()).output().expect("sh runs");
    assert_eq!((out.status.code(), &out.stdout[..]), (Some(7), &b"done\n"[..]));
}

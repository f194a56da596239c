//! `sevm trace -k` and `-kk`: the functions behind a call, for both architectures, by call frame information and by frame
//! pointers, with and without symbols.

use std::path::Path;
use std::process::Command;

const COMPILERS: &[&str] = &["gcc", "aarch64-linux-gnu-gcc"];

/// Builds the program and gives what sevm prints of it with `option`.
fn trace(compiler: &str, flags: &[&str], option: &str) -> Option<String> {
    let dir = tempfile::tempdir().expect("temporary folder");
    let program = dir.path().join("stack");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stacks/stack.c");
    let built =
        Command::new(compiler).args(["-static", "-O1"]).args(flags).arg("-o").arg(&program).arg(source).status();
    if !built.is_ok_and(|s| s.success()) {
        eprintln!("skipped: {compiler} -static does not work here");
        return None;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_sevm"));
    let out = command.args(["trace", option, "-e", "trace=getppid"]).arg(&program).output().expect("sevm runs");
    Some(String::from_utf8_lossy(&out.stderr).into_owned())
}

/// The functions of the first stack.
fn functions(trace: &str) -> Vec<&str> {
    let frames = trace.lines().skip_while(|l| !l.starts_with(" > ")).take_while(|l| l.starts_with(" > "));
    frames.map(|f| f.split('(').nth(1).and_then(|f| f.split(['+', ')']).next()).unwrap_or_default()).collect()
}

fn ends_in_main(trace: &str) -> bool {
    functions(trace).starts_with(&["syscall", "inner", "middle", "main"])
}

#[test]
fn by_call_frame_information() {
    for compiler in COMPILERS {
        let Some(text) = trace(compiler, &["-fomit-frame-pointer"], "-k") else { continue };
        assert!(ends_in_main(&text), "{compiler}: {text}");
        assert!(
            functions(&text).last().is_some_and(|f| *f == "_start" || f.starts_with("__libc")),
            "{compiler}: {text}"
        );
    }
}

#[test]
fn lines_of_the_source() {
    for compiler in COMPILERS {
        let Some(text) = trace(compiler, &["-g"], "-kk") else { continue };
        for place in ["(inner+", "(middle+", "(main+"] {
            let line = text.lines().find(|l| l.contains(place)).unwrap_or_else(|| panic!("{compiler}: {text}"));
            assert!(line.contains("] stack.c:"), "{compiler}: {line}");
        }
    }
}

/// Without call frame information of its own the program's frames are found by their pointers.
#[test]
fn by_frame_pointers() {
    let flags = ["-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"];
    for compiler in COMPILERS {
        let Some(text) = trace(compiler, &flags, "-k") else { continue };
        assert!(ends_in_main(&text), "{compiler}: {text}");
    }
}

#[test]
fn without_symbols() {
    for compiler in COMPILERS {
        let Some(text) = trace(compiler, &["-s"], "--stack-trace=symbol") else { continue };
        let frames = functions(&text);
        assert!(frames.len() > 4 && frames.iter().all(|f| f.is_empty()), "{compiler}: {text}");
    }
}

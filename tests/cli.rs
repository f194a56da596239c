//! The command line: statuses, options, messages.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output};

fn sevm(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sevm")).args(args).output().expect("sevm starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Builds a static program from C source, and gives its path; `None`, with a message, where there is no compiler.
fn build(name: &str, source: &str) -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli");
    std::fs::create_dir_all(&dir).expect("the target directory can be written");
    let (c, out) = (dir.join(format!("{name}.c")), dir.join(name));
    std::fs::write(&c, source).expect("the target directory can be written");
    let built = Command::new("gcc").args(["-static", "-O1", "-o"]).arg(&out).arg(&c).status();
    if built.is_ok_and(|s| s.success()) {
        return Some(out);
    }
    assert!(std::env::var_os("CI").is_none(), "gcc is needed in CI");
    eprintln!("left out: gcc cannot build {name}");
    None
}

const PROGRAM: &str = r#"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    char cwd[4096];
    if (argc > 1 && !strcmp(argv[1], "kill")) raise(atoi(argv[2]));
    if (argc > 1 && !strcmp(argv[1], "exit")) return atoi(argv[2]);
    printf("%s|%s|%s|%s\n", argv[0], getenv("A") ? getenv("A") : "-", getenv("HOME") ? "home" : "-", getcwd(cwd, sizeof cwd));
    return 0;
}
"#;

#[test]
fn statuses_and_signals_are_passed_on() {
    let Some(program) = build("status", PROGRAM) else { return };
    let program = program.display().to_string();
    for code in [0, 1, 42, 255] {
        assert_eq!(sevm(&["run", &program, "exit", &code.to_string()]).status.code(), Some(code));
    }
    for signal in [1, 6, 9, 11, 15, 34] {
        let native = Command::new(&program).args(["kill", &signal.to_string()]).status().expect("it runs");
        let ours = sevm(&["run", &program, "kill", &signal.to_string()]).status;
        assert_eq!(ours.signal(), native.signal(), "signal {signal}");
        assert_eq!(ours.signal(), Some(signal));
    }
}

#[test]
fn environment_name_and_directory() {
    let Some(program) = build("environment", PROGRAM) else { return };
    let program = program.display().to_string();
    let out = sevm(&["run", "-E", "A=b=c", "--env", "HOME", "--argv0", "other", "--cwd", "/usr", &program]);
    assert_eq!(text(&out.stdout), "other|b=c|-|/usr\n", "{}", text(&out.stderr));
    let out = sevm(&["run", "--", &program]);
    assert!(text(&out.stdout).starts_with(&format!("{program}|")), "{}", text(&out.stdout));
    assert!(out.stderr.is_empty(), "run prints nothing of its own: {}", text(&out.stderr));
}

#[test]
fn usage_errors() {
    for args in [
        &["run"][..],
        &["run", "--no-such-option", "x"],
        &["no-such-command"],
        &[],
        &["run", "--cpu", "abacus", "/bin/true"],
    ] {
        let out = sevm(args);
        assert_eq!(out.status.code(), Some(125), "{args:?}: {}", text(&out.stderr));
        assert!(out.stdout.is_empty() && !out.stderr.is_empty(), "{args:?}");
    }
    for args in [&["--version"][..], &["--help"], &["run", "--help"], &["trace", "--help"]] {
        let out = sevm(args);
        assert_eq!(out.status.code(), Some(0), "{args:?}");
        assert!(!out.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn statistics() {
    let Some(program) = build("statistics", PROGRAM) else { return };
    let program = program.display().to_string();
    let out = sevm(&["run", "--stats=json", &program, "exit", "3"]);
    assert_eq!(out.status.code(), Some(3));
    let json: serde_json::Value = serde_json::from_str(text(&out.stderr).trim()).expect("the statistics are JSON");
    assert!(json.is_object(), "{json}");
    assert!(text(&out.stderr).contains("x86_64"));
    let table = sevm(&["run", "--stats", &program]);
    assert!(text(&table.stderr).contains("system calls"), "{}", text(&table.stderr));
}

#[test]
fn traces_go_where_they_are_sent() {
    let Some(program) = build("trace", PROGRAM) else { return };
    let program = program.display().to_string();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log").display().to_string();
    let out = sevm(&["trace", "-o", &log, "-e", "trace=write,exit_group", &program]);
    assert!(out.stderr.is_empty() && !out.stdout.is_empty());
    let lines: Vec<String> = std::fs::read_to_string(&log).expect("written").lines().map(String::from).collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].starts_with("write(1, \"") && lines[1].starts_with("exit_group(0)"), "{lines:#?}");
    assert_eq!(lines[2], "+++ exited with 0 +++");
    for bad in [&["trace", "-e", "trace=nosuchcall", &program][..], &["trace", "-o", "/nonexistent/x", &program]] {
        let out = sevm(bad);
        assert!(!out.status.success(), "{bad:?}");
        assert!(text(&out.stderr).starts_with("sevm: "), "{}", text(&out.stderr));
    }
}

#[test]
fn the_table_has_every_format() {
    for format in ["table", "md", "csv", "json"] {
        let out = sevm(&["syscalls", "--arch", "aarch64", "--format", format]);
        assert!(out.status.success() && text(&out.stdout).contains("openat"), "{format}");
    }
    let json = sevm(&["syscalls", "--format", "json"]);
    let _: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
}

/// Leaves a child that makes `done` once there is `go`, and exits with 3; with an argument the child locks records first.
const LEAVER: &str = r#"
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int told[2];
    char c;
    pipe(told);
    if (fork() == 0) {
        struct flock all = {.l_type = F_WRLCK};
        int fd = open("lock", O_RDWR | O_CREAT, 0600);
        if (argc > 1) fcntl(fd, F_SETLK, &all);
        write(told[1], "x", 1);
        while (access("go", F_OK)) usleep(5000);
        printf("goes on\n");
        fflush(stdout);
        close(creat("done", 0600));
        _exit(0);
    }
    read(told[0], &c, 1);
    return 3;
}
"#;

/// Waits until `condition` holds, for half a minute at most.
fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !condition() {
        if std::time::Instant::now() > until {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    true
}

#[test]
fn the_first_process_ends_the_command_and_others_go_on() {
    let Some(program) = build("leaver", LEAVER) else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let there = |name: &str| dir.path().join(name).exists();
    let out = std::fs::File::create(dir.path().join("out")).expect("a file");
    let command = |options: &[&str], args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sevm"));
        command.arg("run").args(options).arg(&program).args(args).current_dir(dir.path());
        command.stdout(out.try_clone().expect("a file"));
        command
    };
    let status = command(&[], &[]).status().expect("sevm starts");
    assert_eq!(status.code(), Some(3));
    assert!(!there("done"), "it was not waited for");
    std::fs::write(dir.path().join("go"), "").expect("a file");
    assert!(eventually(|| there("done")), "what was left behind does not go on");
    assert_eq!(std::fs::read_to_string(dir.path().join("out")).expect("the output"), "goes on\n");

    // Locks, statistics, limits and determinism keep all in one process.
    for (options, args) in
        [(&[][..], &["lock"][..]), (&["--stats"], &[]), (&["--max-time", "100"], &[]), (&["--deterministic"], &[])]
    {
        let _ = std::fs::remove_file(dir.path().join("go"));
        std::fs::remove_file(dir.path().join("done")).expect("it was made");
        let mut child = command(options, args).stderr(std::process::Stdio::null()).spawn().expect("sevm starts");
        std::thread::sleep(std::time::Duration::from_millis(700));
        let early = child.try_wait().expect("a child");
        std::fs::write(dir.path().join("go"), "").expect("a file");
        assert_eq!(child.wait().expect("a child").code(), Some(3), "{options:?}");
        assert!(early.is_none() && there("done"), "{options:?} {args:?}: left behind");
    }
}

/// Prints feature words of `cpuid`, AT_HWCAP2 in decimal, and XCR0 where there is one.
const FEATURES: &str = r#"
#include <cpuid.h>
#include <stdio.h>
#include <sys/auxv.h>
int main(void) {
    unsigned a, b, c, d, low = 0, high;
    __cpuid(1, a, b, c, d);
    printf("%x %x", d, c);
    if (c >> 27 & 1) __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    __cpuid_count(7, 0, a, b, c, d);
    printf(" %x %x %x", b, c, d);
    __cpuid(0x80000001, a, b, c, d);
    printf(" %x %x", d, c);
    __cpuid_count(0xd, 0, a, b, c, d);
    printf(" hwcap2 %lu xcr0 %x size %u agree %d\n", getauxval(AT_HWCAP2), low, b, a == low);
    return 0;
}
"#;

#[test]
fn a_cpu_model_fixes_what_programs_see() {
    let Some(program) = build("features", FEATURES) else { return };
    let program = program.display().to_string();
    let show = |model: &str| sevm(&["run", "--cpu-model", model, &program]);
    let baseline = "f8bfbfd 80000000 0 0 0 2c100800 0 hwcap2 0 xcr0 0 size 0 agree 1\n";
    assert_eq!(text(&show("x86-64").stdout), baseline);
    let v2 = "f8bfbfd 80982201 0 0 0 2c100800 1 hwcap2 0 xcr0 0 size 0 agree 1\n";
    assert_eq!(text(&show("x86-64-v2").stdout), v2);
    let v3 = show("x86-64-v3");
    if v3.status.success() {
        let all = "f8bfbfd bcd83201 128 0 0 2c100800 21 hwcap2 0 xcr0 7 size 832 agree 1\n";
        assert_eq!(text(&v3.stdout), all);
    } else {
        let message = text(&v3.stderr);
        assert!(message.starts_with("sevm: --cpu-model x86-64-v3 needs what the CPU backend '"), "{message}");
        assert!(message.contains("avx2"), "{message}");
    }
    assert!(text(&show("host").stdout).ends_with("agree 1\n"));
    let wrong = show("x86-64-v9");
    assert_eq!(wrong.status.code(), Some(125));
    assert!(text(&wrong.stderr).contains("unknown CPU model 'x86-64-v9' (host, x86-64, x86-64-v2, x86-64-v3)"));
}

#[test]
fn unicorn_says_which_features_it_lacks() {
    let Some(program) = build("features_unicorn", FEATURES) else { return };
    let program = program.display().to_string();
    let run = |cpu: &str| sevm(&["run", "--cpu", cpu, "--cpu-model", "x86-64-v3", &program]);
    let of = "sevm: --cpu-model x86-64-v3 needs what the CPU backend 'unicorn' lacks here: fma, avx, f16c, avx2\n";
    assert_eq!(text(&run("unicorn").stderr), of);
    assert_eq!(run("unicorn").status.code(), Some(125));
}

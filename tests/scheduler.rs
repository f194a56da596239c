//! Turns, waits, and what sevm says when every thread waits for another one.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Two threads that each want the other's lock, and a child that waits for a pipe that nobody writes to.
const DEADLOCK: &str = r#"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void *other(void *p) {
    pthread_mutex_lock(&b);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&a);
    return p;
}
int main(int argc, char **argv) {
    int pipes[2];
    char c;
    pthread_t t;
    if (argc > 1 && !strcmp(argv[1], "pause")) pause();
    if (argc == 1 && (pipe(pipes) || fork() == 0)) return read(pipes[0], &c, 1);
    pthread_barrier_init(&both, 0, 2);
    pthread_create(&t, 0, other, 0);
    pthread_mutex_lock(&a);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&b);
    return 0;
}
"#;

/// Threads and a process that compute without end while the first thread reads lines and tells them back, and a signal
/// that ends it all.
const SPINNING: &str = r#"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
static volatile sig_atomic_t told;
static void handler(int n) { (void)n; told = 1; }
static void *spin(void *p) { while (!told) ; return p; }
int main(void) {
    char line[100];
    pthread_t t[3];
    struct sigaction sa = {.sa_handler = handler};
    if (fork() == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); for (;;) ; }
    sigaction(SIGTERM, &sa, 0);
    for (int i = 0; i < 3; i++) pthread_create(&t[i], 0, spin, 0);
    while (fgets(line, sizeof line, stdin)) { printf("got %s", line); fflush(stdout); }
    for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
    return told ? 7 : 8;
}
"#;

fn build(name: &str, source: &str) -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scheduler");
    std::fs::create_dir_all(&dir).expect("the target directory can be written");
    // Tests run at the same time, and a file that is written cannot be run.
    let name = format!("{name}-{:?}", std::thread::current().id());
    let (c, out) = (dir.join(format!("{name}.c")), dir.join(name));
    std::fs::write(&c, source).expect("the target directory can be written");
    let built = Command::new("gcc").args(["-static", "-pthread", "-w", "-o"]).arg(&out).arg(&c).status();
    if built.is_ok_and(|s| s.success()) {
        return Some(out);
    }
    assert!(std::env::var_os("CI").is_none(), "gcc is needed in CI");
    eprintln!("left out: gcc cannot build it");
    None
}

fn sevm(args: &[&str], program: &PathBuf, rest: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sevm"));
    command.arg("run").args(args).arg(program).args(rest).stdin(Stdio::null());
    command
}

#[test]
fn a_deterministic_run_ends() {
    let Some(program) = build("deadlock", DEADLOCK) else { return };
    let out = sevm(&["--deterministic"], &program, &[]).output().expect("sevm starts");
    let text = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(120), "{text}");
    assert!(text.starts_with("sevm: deadlock"), "{text}");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines.len(), 3, "a line for each thread: {text}");
    assert_eq!(lines.iter().filter(|l| l.contains("waits in futex(")).count(), 2, "{text}");
    assert_eq!(lines.iter().filter(|l| l.contains("waits in read(")).count(), 1, "{text}");
    let paused = sevm(&["--deterministic"], &program, &["pause"]).output().expect("sevm starts");
    assert_eq!(paused.status.code(), Some(120), "no signal can come");
}

#[test]
fn other_runs_tell_the_user_and_wait() {
    let Some(program) = build("deadlock", DEADLOCK) else { return };
    let mut child = sevm(&[], &program, &["alone"]).stderr(Stdio::piped()).spawn().expect("sevm starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let first = lines.next().expect("a notice").expect("it can be read");
    assert!(first.starts_with("sevm: every thread waits for another one"), "{first}");
    // It still takes signals from outside.
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|s| s.success()));
    assert_eq!(child.wait().expect("it ends").signal(), Some(15));
}

#[test]
fn who_waits_for_signals_is_left_alone() {
    let Some(program) = build("deadlock", DEADLOCK) else { return };
    let child = sevm(&[], &program, &["pause"]).stderr(Stdio::piped()).spawn().expect("sevm starts");
    std::thread::sleep(std::time::Duration::from_millis(700));
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|s| s.success()));
    let out = child.wait_with_output().expect("it ends");
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.status.signal(), Some(15));
}

#[test]
fn input_and_signals_arrive_while_others_spin() {
    let Some(program) = build("spinning", SPINNING) else { return };
    let mut command = sevm(&[], &program, &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sevm starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut stdin = child.stdin.take().expect("it is piped");
    for word in ["one", "two", "three"] {
        std::thread::sleep(std::time::Duration::from_millis(50));
        writeln!(stdin, "{word}").expect("it reads");
        let line = lines.next().expect("an answer").expect("it can be read");
        assert_eq!(line, format!("got {word}"));
    }
    // The signal interrupts nothing but the threads that look for it: the first one goes on to read.
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|s| s.success()));
    std::thread::sleep(std::time::Duration::from_millis(50));
    drop(stdin);
    assert_eq!(child.wait().expect("it ends").code(), Some(7));
}

//! The library's front door: files, observers, limits and hosts of one's choice.

use sevm::Error;
use sevm::abi::Errno;
use sevm::kernel::{ExitStatus, Limit, Limits};
use sevm::trace::{Call, Sink, View};
use sevm::vm::{Builder, Input, Vm};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

const BUSYBOX: &str = "/bin/busybox";

/// A run of a shell script, or nothing where there is no shell to run it.
fn shell(script: &str) -> Option<Builder> {
    Path::new(BUSYBOX).exists().then(|| Vm::builder(BUSYBOX).args(["sh", "-c", script]).capture())
}

#[test]
fn captures_what_a_program_writes_and_feeds_what_it_reads() {
    let Some(builder) = shell("read line; echo got $line; echo oops >&2; exit 3") else { return };
    let finished =
        builder.stdin(Input::Bytes(b"a line\nmore\n".to_vec())).build().expect("builds").run().expect("runs");
    assert_eq!(String::from_utf8_lossy(&finished.stdout), "got a line\n");
    assert_eq!(String::from_utf8_lossy(&finished.stderr), "oops\n");
    assert_eq!(finished.status, ExitStatus::Code(3));
}

#[test]
fn environment_directory_and_name_are_the_builders() {
    let Some(builder) = shell("echo $A-$HOME; pwd") else { return };
    let finished = builder.env_clear().env("A", "1").env("A", "2").cwd("/usr").build().expect("builds").run();
    assert_eq!(String::from_utf8_lossy(&finished.expect("runs").stdout), "2-\n/usr\n");
}

#[test]
fn deterministic_runs_are_the_same_and_begin_when_told() {
    let run = |seed| {
        let builder = shell("date +%s; echo $RANDOM $RANDOM; mktemp -u")?;
        let epoch = Duration::from_secs(1_700_000_000);
        Some(builder.deterministic(seed).epoch(epoch).build().expect("builds").run().expect("runs"))
    };
    let (Some(a), Some(b), Some(other)) = (run(1), run(1), run(2)) else { return };
    assert!(a.stdout.starts_with(b"1700000000\n"), "{}", String::from_utf8_lossy(&a.stdout));
    assert_eq!((&a.stdout, &a.stats.instructions), (&b.stdout, &b.stats.instructions));
    assert_ne!(a.stdout, other.stdout);
}

#[test]
fn an_observer_can_be_read_afterwards() {
    #[derive(Default)]
    struct Names(Vec<&'static str>);
    impl Sink for Names {
        fn exit(&mut self, _: &View<'_>, call: &Call, _: Option<Result<u64, Errno>>) {
            self.0.extend(call.entry().map(|e| e.name));
        }
    }
    let Some(builder) = shell("echo x") else { return };
    let names = Rc::new(RefCell::new(Names::default()));
    builder.sink(Rc::clone(&names)).build().expect("builds").run().expect("runs");
    assert!(names.borrow().0.contains(&"write"), "{:?}", names.borrow().0);
    assert!(names.borrow().0.last().is_some_and(|last| *last == "exit_group"));
}

#[test]
fn each_limit_ends_the_run() {
    let run = |script, limits: Limits| {
        let builder = shell(script)?;
        match builder.limits(limits).deterministic(0).build().expect("builds").run() {
            Err(Error::Limit { limit, .. }) => Some(limit),
            other => panic!("{script}: {other:?}"),
        }
    };
    let none = Limits::default();
    let cases = [
        ("while :; do :; done", Limits { instructions: Some(1_000_000), ..none }, Limit::Instructions),
        ("while :; do sleep 10; done", Limits { time_ns: Some(60_000_000_000), ..none }, Limit::Time),
        ("x=a; while :; do x=$x$x; done", Limits { memory: Some(16 << 20), ..none }, Limit::Memory),
        ("f() { f & f & }; f; wait", Limits { processes: Some(10), ..none }, Limit::Processes),
    ];
    for (script, limits, limit) in cases {
        if let Some(reached) = run(script, limits) {
            assert_eq!(reached, limit, "{script}");
        }
    }
}

#[test]
fn instructions_end_exactly_at_their_limit() {
    for most in [1, 999, 12_345] {
        let Some(builder) = shell("while :; do :; done") else { return };
        let mut vm = builder.limits(Limits { instructions: Some(most), ..Limits::default() }).build().expect("builds");
        let pid = vm.machine().kernel.processes.keys().next().copied().expect("a process");
        assert!(matches!(vm.machine().run(pid), Err(Error::Limit { limit: Limit::Instructions, .. })));
        assert_eq!(vm.machine().kernel.counters.instructions, most);
    }
}

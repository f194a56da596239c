//! sevm beside native, qemu-user and strace, in one run: `cargo bench --bench ratios [-- WORD]`.
//!
//! Every row runs its variants in turn, round by round, so that a machine whose speed drifts hurts all alike; the median
//! round is quoted. Only ratios mean anything on a shared machine. Prints Markdown, as README quotes it. A tool that is
//! not installed leaves its column empty.

mod common;

use common::{SEVM, Way, build, measure, table, tool};
use std::path::Path;

fn main() {
    // `cargo test --benches` and `cargo bench` pass flags of their own.
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|w| name.contains(w.as_str()));
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    if wanted("calls") {
        calls();
    }
    if wanted("start") {
        start();
    }
    if wanted("forks") {
        forks();
    }
    if wanted("kernels") {
        kernels();
    }
}

/// The cost of one system call, from the difference of two runs.
fn calls() {
    println!("### Cost of one system call (native = 1)\n");
    let mut rows = Vec::new();
    for (title, name, n) in [("getppid", "calls", 100_000), ("read + write of one byte", "transfer", 50_000)] {
        let guest = build(name);
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ratios/trace.log").display().to_string();
        let mut ways = vec![
            Way::new("native", &[], &guest.x86_64),
            Way::new("sevm run, x86_64", &[SEVM, "run"], &guest.x86_64),
            Way::new("sevm trace -o FILE, x86_64", &[SEVM, "trace", "-o", &log], &guest.x86_64),
        ];
        if let Some(program) = &guest.aarch64 {
            ways.push(Way::new("sevm run, aarch64", &[SEVM, "run"], program));
            ways.push(Way::new("sevm trace -o FILE, aarch64", &[SEVM, "trace", "-o", &log], program));
            if tool("qemu-aarch64") {
                ways.push(Way::new("qemu-aarch64", &["qemu-aarch64"], program));
                ways.push(Way::new("qemu-aarch64 -strace", &["qemu-aarch64", "-strace"], program));
            }
        }
        if tool("qemu-x86_64") {
            ways.push(Way::new("qemu-x86_64", &["qemu-x86_64"], &guest.x86_64));
        }
        if tool("strace") {
            ways.push(Way::new("strace -o FILE", &["strace", "-o", &log], &guest.x86_64));
        }
        let (none, many) = (measure(&ways, |_| 1), measure(&ways, |w| w.share(n)));
        let runs = ways.iter().map(|w| f64::from(w.share(n)));
        let cost: Vec<f64> = none.iter().zip(&many).zip(runs).map(|((a, b), n)| (b - a).max(0.0) / n).collect();
        for (way, c) in ways.iter().zip(&cost) {
            rows.push(vec![title.into(), way.title.into(), format!("{:.2}", c / cost[0]), format!("{:.0}", c * 1e9)]);
        }
    }
    table(&["call", "how", "ratio", "ns in this run"], &rows);
}

/// Start to exit of a program that does nothing.
fn start() {
    println!("### Start-up of a static program (native = 1)\n");
    let guest = build("calls");
    let mut ways =
        vec![Way::new("native", &[], &guest.x86_64), Way::new("sevm run, x86_64", &[SEVM, "run"], &guest.x86_64)];
    if let Some(program) = &guest.aarch64 {
        ways.push(Way::new("sevm run, aarch64", &[SEVM, "run"], program));
        if tool("qemu-aarch64") {
            ways.push(Way::new("qemu-aarch64", &["qemu-aarch64"], program));
        }
    }
    if tool("qemu-x86_64") {
        ways.push(Way::new("qemu-x86_64", &["qemu-x86_64"], &guest.x86_64));
    }
    if tool("strace") {
        ways.push(Way::new("strace", &["strace"], &guest.x86_64));
    }
    let times = measure(&ways, |_| 0);
    let rows: Vec<_> = ways
        .iter()
        .zip(&times)
        .map(|(w, t)| vec![w.title.to_string(), format!("{:.1}", t / times[0]), format!("{:.1}", t * 1e3)])
        .collect();
    table(&["how", "ratio", "ms in this run"], &rows);
}

/// The cost of a process, from the difference of two runs: fork, the child's end, and wait; the same with execve.
fn forks() {
    println!("### Cost of one process (native = 1)\n");
    let guest = build("fork");
    let mut rows = Vec::new();
    for (title, bytes, mode, n) in [
        ("fork, exit, wait", "0", "exit", 200),
        ("the same with 100 MB written", "100000000", "exit", 10),
        ("fork, execve, exit, wait", "0", "exec", 50),
        ("the same with 100 MB written", "100000000", "exec", 10),
    ] {
        let mut ways =
            vec![Way::new("native", &[], &guest.x86_64), Way::new("sevm run, x86_64", &[SEVM, "run"], &guest.x86_64)];
        if tool("qemu-x86_64") {
            ways.push(Way::new("qemu-x86_64", &["qemu-x86_64"], &guest.x86_64));
        }
        if let Some(program) = &guest.aarch64 {
            ways.push(Way::new("sevm run, aarch64", &[SEVM, "run"], program));
            // Under qemu-aarch64 the exec'ed program is a native one or fails, depending on binfmt_misc.
            if tool("qemu-aarch64") && mode == "exit" {
                ways.push(Way::new("qemu-aarch64", &["qemu-aarch64"], program));
            }
        }
        for way in &mut ways {
            way.command.extend([bytes.to_string(), mode.to_string()]);
        }
        let (few, many) = (measure(&ways, |_| 1), measure(&ways, |_| n + 1));
        let cost: Vec<f64> = few.iter().zip(&many).map(|(a, b)| (b - a).max(1e-9) / f64::from(n)).collect();
        for (way, c) in ways.iter().zip(&cost) {
            let ratio = format!("{:.1}", c / cost[0]);
            rows.push(vec![title.into(), way.title.into(), ratio, format!("{:.0}", c * 1e6)]);
        }
    }
    table(&["what", "how", "ratio", "us in this run"], &rows);
}

/// Compute kernels; each ratio is to native x86_64 code.
fn kernels() {
    println!("### Compute (native = 1)\n");
    let mut rows = Vec::new();
    for (name, n) in [("fib", 20), ("sieve", 20), ("sort", 30), ("matrix", 60), ("hash", 300), ("interp", 60)] {
        let guest = build(name);
        let mut ways =
            vec![Way::new("native", &[], &guest.x86_64), Way::new("sevm x86_64", &[SEVM, "run"], &guest.x86_64)];
        if tool("qemu-x86_64") {
            ways.push(Way::new("qemu-x86_64", &["qemu-x86_64"], &guest.x86_64));
        }
        if let Some(program) = &guest.aarch64 {
            ways.push(Way::new("sevm aarch64", &[SEVM, "run"], program));
            if tool("qemu-aarch64") {
                ways.push(Way::new("qemu-aarch64", &["qemu-aarch64"], program));
            }
        }
        let (none, many) = (measure(&ways, |_| 0), measure(&ways, |_| n));
        let work: Vec<f64> = none.iter().zip(&many).map(|(a, b)| (b - a).max(1e-9)).collect();
        let ratio = |title: &str| {
            let at = ways.iter().position(|w| w.title == title);
            at.map_or_else(String::new, |i| format!("{:.1}", work[i] / work[0]))
        };
        let titles = ["sevm x86_64", "qemu-x86_64", "sevm aarch64", "qemu-aarch64"];
        rows.push(std::iter::once(name.to_string()).chain(titles.map(ratio)).collect());
    }
    table(&["kernel", "sevm x86_64", "qemu-x86_64", "sevm aarch64", "qemu-aarch64"], &rows);
}

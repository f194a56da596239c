//! What tracing adds to a call: sevm beside strace and qemu-user, in one run: `cargo bench --bench tracing`.
//!
//! Each tracer is compared with the same machine without it: strace with native, `qemu -strace` with qemu, `sevm trace` with
//! `sevm run`. Counted is processor time, of tracer and program together, which other work on the machine disturbs least. Prints
//! Markdown, as README quotes it; the ratio is to what strace adds when it writes to a file.

mod common;

use common::{SEVM, Way, build, table, tool};
use std::path::Path;

/// A way to trace, and the title of the way that it is compared with.
struct Traced {
    way: Way,
    without: &'static str,
}

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    println!("### What tracing adds to a call\n");
    let mut rows = Vec::new();
    for (title, name, n) in [("getppid", "calls", 400_000), ("read + write of one byte", "transfer", 200_000)] {
        rows.extend(rows_of(title, name, n));
    }
    table(&["call", "how", "ns added in this run", "of what strace adds"], &rows);
}

/// The least processor time of each way in some rounds, in seconds.
fn least(ways: &[Way], arg: impl Fn(&Way) -> u32) -> Vec<f64> {
    let mut times = vec![f64::INFINITY; ways.len()];
    for _ in 0..5 {
        for (way, least) in ways.iter().zip(&mut times) {
            let before = children_seconds();
            way.time(&arg(way).to_string());
            *least = least.min(children_seconds() - before);
        }
    }
    times
}

/// Processor time of all processes that this one has waited for, and of those that they have waited for (proc(5),
/// `cutime` and `cstime`).
fn children_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    // The name, in parentheses, may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
    // USER_HZ is 100 on both architectures.
    ticks as f64 / 100.0
}

fn rows_of(title: &str, name: &str, n: u32) -> Vec<Vec<String>> {
    let guest = build(name);
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ratios/trace.log").display().to_string();
    let sevm = |title: &'static str, options: &[&str]| {
        let command: Vec<&str> = [SEVM, "trace"].into_iter().chain(options.iter().copied()).collect();
        Traced { way: Way::new(title, &command, &guest.x86_64), without: "sevm run" }
    };
    let mut ways = vec![
        Traced { way: Way::new("native", &[], &guest.x86_64), without: "native" },
        Traced { way: Way::new("sevm run", &[SEVM, "run"], &guest.x86_64), without: "sevm run" },
        sevm("sevm, other calls traced", &["-e", "trace=openat", "-o", &log]),
        sevm("sevm, filtered out by an argument", &["-e", "where=arg1 == 12345", "-o", &log]),
        sevm("sevm, filtered out by the result", &["-e", "where=result == 12345", "-o", &log]),
        sevm("sevm, text to a file", &["-o", &log]),
        sevm("sevm, JSON to a file", &["--format=json", "-o", &log]),
        sevm("sevm, -c", &["-c", "-o", &log]),
    ];
    if tool("strace") {
        let strace = |title: &'static str, options: &[&str]| {
            let command: Vec<&str> = ["strace"].into_iter().chain(options.iter().copied()).collect();
            Traced { way: Way::new(title, &command, &guest.x86_64), without: "native" }
        };
        ways.push(strace("strace, text to a file", &["-o", &log]));
        ways.push(strace("strace -c", &["-c", "-o", &log]));
        ways.push(strace("strace, other calls traced", &["-e", "trace=openat", "-o", &log]));
        ways.push(strace(
            "strace --seccomp-bpf, other calls traced",
            &["-f", "--seccomp-bpf", "-e", "trace=openat", "-o", &log],
        ));
    }
    if tool("qemu-x86_64") {
        ways.push(Traced { way: Way::new("qemu", &["qemu-x86_64"], &guest.x86_64), without: "qemu" });
        ways.push(Traced {
            way: Way::new("qemu -strace", &["qemu-x86_64", "-strace"], &guest.x86_64),
            without: "qemu",
        });
    }
    let without: Vec<&str> = ways.iter().map(|w| w.without).collect();
    let ways: Vec<Way> = ways.into_iter().map(|w| w.way).collect();
    let (none, many) = (least(&ways, |_| 1), least(&ways, |w| w.share(n)));
    let runs = ways.iter().map(|w| f64::from(w.share(n)));
    let cost: Vec<f64> = none.iter().zip(&many).zip(runs).map(|((a, b), n)| (b - a) / n).collect();
    let cost_of = |title: &str| ways.iter().position(|w| w.title == title).map(|i| cost[i]);
    let added = |i: usize| cost[i] - cost_of(without[i]).unwrap_or(0.0);
    let strace = ways.iter().position(|w| w.title == "strace, text to a file").map(added);
    let tracers = (0..ways.len()).filter(|i| ways[*i].title != without[*i]);
    tracers
        .map(|i| {
            let ratio = strace.filter(|s| *s > 0.0).map_or_else(String::new, |s| match added(i) / s {
                r if r < 0.0005 => "0".to_string(),
                r if r < 0.5 => format!("1/{:.0}", 1.0 / r),
                r => format!("{r:.2}"),
            });
            vec![title.to_string(), ways[i].title.to_string(), format!("{:.0}", added(i) * 1e9), ratio]
        })
        .collect()
}

//! The CPU backends on aarch64 programs beside native x86_64 code and qemu-aarch64: `cargo bench --bench cpus [-- WORD...]`.
//!
//! All variants run in turn in one session, and what is compared is processor time. Every row is quoted as times of the
//! native run, and beside it how many times faster than qemu-aarch64 a backend is. sevm counts instructions in all of them. Kernels are the difference of a long
//! run and one that does nothing; programs are measured from start to end. Programs come from `scripts/fetch-arm64.sh`
//! (the tree of `tests/tree.toml`); what is not installed is left out.

mod common;

use common::{SEVM, build, medians, processor_time, table, tool};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROUNDS: usize = 3;

/// Kernels, with how often each does its work.
const KERNELS: &[(&str, u32)] = &[
    ("fib", 8),
    ("calls_deep", 15),
    ("sort", 8),
    ("sieve", 8),
    ("matrix", 10),
    ("matrix_single", 25),
    ("hash", 80),
    ("interp", 15),
    ("sha256", 60),
    ("crc", 300),
    ("copy", 60),
    ("search", 120),
    ("transcend", 50),
    ("saxpy", 3000),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|w| name.contains(w.as_str()));
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    if !tool("aarch64-linux-gnu-gcc") {
        println!("aarch64-linux-gnu-gcc is not installed");
        return;
    }
    let mut factors = Vec::new();
    if KERNELS.iter().any(|(name, _)| wanted(name)) {
        kernels(&wanted, &mut factors);
    }
    if wanted("programs") {
        programs(&mut factors);
    }
    if wanted("start") {
        start();
    }
    summary(&factors);
}

/// The backends that run aarch64, as `--cpu` names them.
fn backends() -> Vec<&'static str> {
    let runs = |b: &&sevm::cpu::Backend| b.archs.contains(&sevm::arch::Arch::Aarch64);
    sevm::cpu::backends().iter().filter(runs).map(|b| b.name).collect()
}

/// qemu-aarch64 if there is one, and every backend, with what stands before the program.
fn front(before_program: &[&str], qemu_options: &[&str]) -> Vec<(&'static str, Vec<String>)> {
    let strings = |list: &[&str]| list.iter().map(|s| (*s).to_string()).collect::<Vec<_>>();
    let mut ways = Vec::new();
    if tool("qemu-aarch64") {
        ways.push(("qemu-aarch64", [strings(&["qemu-aarch64"]), strings(qemu_options)].concat()));
    }
    for name in backends() {
        ways.push((name, [strings(&[SEVM, "run", "--cpu", name]), strings(before_program)].concat()));
    }
    ways
}

fn header(first: &str, ways: &[(&'static str, Vec<String>)]) -> Vec<String> {
    let names = ways.iter().map(|(name, _)| (*name).to_string());
    let faster = ways.iter().skip(1).map(|(name, _)| format!("qemu / {name}"));
    [first.to_string(), "native".into()].into_iter().chain(names).chain(faster).collect()
}

/// One row: times of the native run, then how many times faster than the first of the others.
fn row(name: &str, seconds: &[f64], factors: &mut Vec<Vec<f64>>) -> Vec<String> {
    // Without a native program there is nothing to compare with.
    let times =
        seconds.iter().map(|t| if seconds[0].is_nan() { String::new() } else { format!("{:.2}", t / seconds[0]) });
    let faster: Vec<f64> = seconds.iter().skip(2).map(|t| seconds[1] / t).collect();
    factors.push(faster.clone());
    std::iter::once(name.to_string()).chain(times).chain(faster.iter().map(|f| format!("{f:.2}"))).collect()
}

fn print(header: &[String], rows: &[Vec<String>]) {
    table(&header.iter().map(String::as_str).collect::<Vec<_>>(), rows);
}

fn kernels(wanted: &impl Fn(&str) -> bool, factors: &mut Vec<Vec<f64>>) {
    println!("### Kernels on aarch64 CPUs (native x86_64 = 1)\n");
    let ways = front(&[], &[]);
    let mut rows = Vec::new();
    let program_of = |guest: &Path, n: u32| Program {
        name: "",
        native: None,
        guest: guest.to_path_buf(),
        args: vec![n.to_string()],
    };
    for (name, n) in KERNELS.iter().filter(|(name, _)| wanted(name)) {
        let guest = build(name);
        let Some(program) = &guest.aarch64 else { continue };
        let commands: Vec<(Vec<String>, &Path)> = std::iter::once((Vec::new(), guest.x86_64.as_path()))
            .chain(ways.iter().map(|(_, c)| (c.clone(), program.as_path())))
            .collect();
        let (none, many) = (time(&program_of(program, 0), &commands), time(&program_of(program, *n), &commands));
        let work: Vec<f64> = none.iter().zip(&many).map(|(a, b)| (b - a).max(1e-9)).collect();
        rows.push(row(name, &work, factors));
    }
    print(&header("kernel", &ways), &rows);
}

/// A program of the tree: what it is called natively, its path in the tree, its arguments.
struct Program {
    name: &'static str,
    native: Option<PathBuf>,
    guest: PathBuf,
    args: Vec<String>,
}

/// A program, which is not a script that starts one.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let is_binary = |p: &PathBuf| {
        let mut magic = [0; 4];
        std::fs::File::open(p).is_ok_and(|mut f| f.read_exact(&mut magic).is_ok()) && magic == *b"\x7fELF"
    };
    names.iter().find_map(|name| std::env::split_paths(&path).map(|dir| dir.join(name)).find(is_binary))
}

fn list(tree: &Path, busybox: &Path, work: &Path) -> Vec<Program> {
    let text = work.join("text");
    let lines = (0..60_000u64).map(|i| format!("{} line {i} of {}\n", i.wrapping_mul(0x9e37_79b9) % 99_991, i % 97));
    std::fs::write(&text, lines.collect::<String>()).expect("the work directory can be written");
    let text_name = text.display().to_string();
    let native_busybox = find(&["busybox"]);
    let applet = |name, args: &[&str]| Program {
        name,
        native: native_busybox.clone(),
        guest: busybox.to_path_buf(),
        args: args.iter().map(|a| a.replace("TEXT", &text_name)).collect(),
    };
    let in_tree = |name: &'static str, native: &[&str], guest: &str, args: &[&str]| Program {
        name,
        native: find(native),
        guest: tree.join("usr/bin").join(guest),
        args: args.iter().map(|a| (*a).to_string()).collect(),
    };
    let python = "import json\nd={str(i):[j*i for j in range(20)] for i in range(1500)}\ns=json.dumps(d)\n\
                  assert json.loads(s)==d\nprint(sum(i*i%7 for i in range(200000)))";
    let lua =
        "local t={} for i=1,200000 do t[i]=tostring(i*7919%100003) end table.sort(t) print(t[1],#table.concat(t))";
    let sql = "create table t(a integer, b text); with recursive n(i) as (select 1 union all select i+1 from n where \
               i<40000) insert into t select i*7919%100003, 'text '||i from n; create index x on t(a); select count(*), \
               sum(length(b)) from t where a%3=1;";
    vec![
        applet("busybox gzip", &["gzip", "-c", "TEXT"]),
        applet("busybox sha256sum", &["sha256sum", "TEXT", "TEXT", "TEXT"]),
        applet("busybox sort", &["sort", "-n", "TEXT"]),
        applet("busybox awk", &["awk", "{ n[$1 % 101] += NF } END { for (k in n) s += n[k]; print s }", "TEXT"]),
        in_tree("python3", &["python3.11", "python3"], "python3", &["-c", python]),
        in_tree("lua", &["lua5.4", "lua"], "lua5.4", &["-e", lua]),
        in_tree("sqlite3", &["sqlite3"], "sqlite3", &[":memory:", sql]),
    ]
}

/// The Go compiler of this machine's Go, built for aarch64, and a file for it.
fn go_compiler(work: &Path) -> Option<Program> {
    let go = find(&["go"])?;
    let run = |arch: &str, out: &Path| {
        let status = Command::new(&go)
            .args(["build", "-o"])
            .arg(out)
            .arg("cmd/compile")
            .env("GOARCH", arch)
            .env("CGO_ENABLED", "0")
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|s| s.success())
    };
    let (native, guest) = (work.join("compile.x86_64"), work.join("compile.aarch64"));
    if !run("amd64", &native) || !run("arm64", &guest) {
        return None;
    }
    let source = work.join("file.go");
    let functions = (0..300).map(|i| {
        format!("func f{i}(a []int, s string) int {{\n\tn := len(s)\n\tfor k, x := range a {{\n\t\tif x%{} == k {{ n += x * {i} }}\n\t}}\n\treturn n\n}}\n", i + 2)
    });
    std::fs::write(&source, format!("package p\n\n{}", functions.collect::<String>())).ok()?;
    let out = work.join("file.o").display().to_string();
    let args = ["-p", "p", "-c", "1", "-o", &out].map(String::from).into_iter();
    let args = args.chain([source.display().to_string()]).collect();
    Some(Program { name: "Go compile", native: Some(native), guest, args })
}

fn programs(factors: &mut Vec<Vec<f64>>) {
    let cache = std::env::var_os("SEVM_CACHE").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("sevm"))
    });
    let Some(cache) = cache.map(|c| c.join("arm64")) else { return };
    let (tree, busybox) = (cache.join("trees/tools"), cache.join("bin/busybox"));
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cpus");
    std::fs::create_dir_all(&work).expect("the target directory can be written");
    println!("### Programs on aarch64 CPUs, start to end (native x86_64 = 1)\n");
    let prefix = tree.display().to_string();
    let ways = front(&["-L", &prefix], &["-L", &prefix]);
    let mut rows = Vec::new();
    for program in list(&tree, &busybox, &work).into_iter().chain(go_compiler(&work)) {
        if !program.guest.is_file() {
            continue;
        }
        let native = program.native.as_deref().unwrap_or(Path::new(""));
        let commands: Vec<(Vec<String>, &Path)> = std::iter::once((Vec::new(), native))
            .chain(ways.iter().map(|(_, c)| (c.clone(), program.guest.as_path())))
            .collect();
        rows.push(row(program.name, &time(&program, &commands), factors));
    }
    print(&header("program", &ways), &rows);
}

/// Median seconds of a program run in each way, in turn.
fn time(program: &Program, commands: &[(Vec<String>, &Path)]) -> Vec<f64> {
    let mut times = vec![Vec::new(); commands.len()];
    for _ in 0..ROUNDS {
        for ((front, path), times) in commands.iter().zip(&mut times) {
            if path.as_os_str().is_empty() {
                times.push(f64::NAN);
                continue;
            }
            let mut words = front.iter().map(std::ffi::OsStr::new).chain([path.as_os_str()]);
            let mut command = Command::new(words.next().unwrap_or_default());
            command.args(words).args(&program.args).stdin(Stdio::null());
            command.env("LC_ALL", "C").env("GOMAXPROCS", "1");
            let (status, took) = processor_time(&mut command);
            // A variant that fails has no time.
            times.push(if status.success() { took } else { f64::NAN });
        }
    }
    medians(times)
}

/// Start to exit of a static program that does nothing.
fn start() {
    println!("### Start of a static program\n");
    let guest = build("calls");
    let Some(program) = &guest.aarch64 else { return };
    let nothing = Program { name: "", native: None, guest: program.clone(), args: vec!["0".into()] };
    let ways = front(&[], &[]);
    let commands: Vec<(Vec<String>, &Path)> = std::iter::once((Vec::new(), guest.x86_64.as_path()))
        .chain(ways.iter().map(|(_, c)| (c.clone(), program.as_path())))
        .collect();
    let times = time(&nothing, &commands);
    let names = std::iter::once("native").chain(ways.iter().map(|(name, _)| *name));
    let rows: Vec<_> = names.zip(&times).map(|(n, t)| vec![n.to_string(), format!("{:.1}", t * 1e3)]).collect();
    table(&["how", "ms in this run"], &rows);
}

/// The geometric mean of how many times faster than qemu-aarch64 each backend was, and the worst.
fn summary(factors: &[Vec<f64>]) {
    if !tool("qemu-aarch64") || factors.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for (i, name) in backends().into_iter().enumerate() {
        let all: Vec<f64> = factors.iter().filter_map(|f| f.get(i)).copied().filter(|f| f.is_finite()).collect();
        let mean = (all.iter().map(|f| f.ln()).sum::<f64>() / all.len() as f64).exp();
        let worst = all.iter().copied().fold(f64::INFINITY, f64::min);
        rows.push(vec![name.to_string(), all.len().to_string(), format!("{mean:.2}"), format!("{worst:.2}")]);
    }
    println!("### Times as fast as qemu-aarch64\n");
    table(&["backend", "rows", "geometric mean", "least"], &rows);
}

//! Real programs for the benchmark of CPU backends: for x86_64 those of this machine, for aarch64 those of the tree that
//! `scripts/fetch-arm64.sh` unpacks (the one of `tests/tree.toml`), with the same arguments.

use crate::{Guest, Program};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program, which is not a script that starts one.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let is_binary = |p: &PathBuf| {
        let mut magic = [0; 4];
        std::fs::File::open(p).is_ok_and(|mut f| f.read_exact(&mut magic).is_ok()) && magic == *b"\x7fELF"
    };
    names.iter().find_map(|name| std::env::split_paths(&path).map(|dir| dir.join(name)).find(is_binary))
}

/// Where what is unpacked from Debian's arm64 packages lies.
fn unpacked() -> Option<PathBuf> {
    let home = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("sevm"))
    };
    Some(std::env::var_os("SEVM_CACHE").map(PathBuf::from).or_else(home)?.join("arm64"))
}

/// The tree of aarch64 programs.
pub fn tree() -> Option<PathBuf> {
    unpacked().map(|dir| dir.join("trees/tools")).filter(|tree| tree.is_dir())
}

/// A static busybox for each architecture.
pub fn busybox() -> Guest {
    Guest {
        x86_64: find(&["busybox"]).unwrap_or_default(),
        aarch64: unpacked().map(|dir| dir.join("bin/busybox")).filter(|file| file.is_file()),
    }
}

/// What there is of the programs, with their work; what they read and write lies in `work`.
pub fn list(work: &Path) -> Vec<Program> {
    let text = work.join("text");
    let lines = (0..60_000u64).map(|i| format!("{} line {i} of {}\n", i.wrapping_mul(0x9e37_79b9) % 99_991, i % 97));
    std::fs::write(&text, lines.collect::<String>()).expect("the work directory can be written");
    let text_name = text.display().to_string();
    let applet = |name, args: &[&str]| {
        let args = args.iter().map(|a| a.replace("TEXT", &text_name)).collect();
        Program { name, guest: busybox(), args }
    };
    let in_tree = |name, native: &[&str], guest: &str, args: &[&str]| {
        let aarch64 = tree().map(|t| t.join("usr/bin").join(guest)).filter(|file| file.is_file());
        let guest = Guest { x86_64: find(native).unwrap_or_default(), aarch64 };
        Program { name, guest, args: args.iter().map(|a| (*a).to_string()).collect() }
    };
    let python = "import json\nd={str(i):[j*i for j in range(20)] for i in range(1500)}\ns=json.dumps(d)\n\
                  assert json.loads(s)==d\nprint(sum(i*i%7 for i in range(200000)))";
    let lua =
        "local t={} for i=1,200000 do t[i]=tostring(i*7919%100003) end table.sort(t) print(t[1],#table.concat(t))";
    let sql = "create table t(a integer, b text); with recursive n(i) as (select 1 union all select i+1 from n where \
               i<40000) insert into t select i*7919%100003, 'text '||i from n; create index x on t(a); select count(*), \
               sum(length(b)) from t where a%3=1;";
    let mut programs = vec![
        applet("busybox gzip", &["gzip", "-c", "TEXT"]),
        applet("busybox sha256sum", &["sha256sum", "TEXT", "TEXT", "TEXT"]),
        applet("busybox sort", &["sort", "-n", "TEXT"]),
        applet("busybox awk", &["awk", "{ n[$1 % 101] += NF } END { for (k in n) s += n[k]; print s }", "TEXT"]),
        in_tree("python3", &["python3.11", "python3"], "python3", &["-c", python]),
        in_tree("lua", &["lua5.4", "lua"], "lua5.4", &["-e", lua]),
        in_tree("sqlite3", &["sqlite3"], "sqlite3", &[":memory:", sql]),
    ];
    programs.extend(go_compiler(work));
    programs
}

/// The Go compiler of this machine's Go, built for both architectures, and a file for it.
fn go_compiler(work: &Path) -> Option<Program> {
    let go = find(&["go"])?;
    let compiler = |arch: &str| {
        let out = work.join(format!("compile.{arch}"));
        let status = Command::new(&go)
            .args(["build", "-o"])
            .arg(&out)
            .arg("cmd/compile")
            .env("GOARCH", arch)
            .env("CGO_ENABLED", "0")
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|s| s.success()).then_some(out)
    };
    let guest = Guest { x86_64: compiler("amd64")?, aarch64: compiler("arm64") };
    let source = work.join("file.go");
    let functions = (0..300).map(|i| {
        format!("func f{i}(a []int, s string) int {{\n\tn := len(s)\n\tfor k, x := range a {{\n\t\tif x%{} == k {{ n += x * {i} }}\n\t}}\n\treturn n\n}}\n", i + 2)
    });
    std::fs::write(&source, format!("package p\n\n{}", functions.collect::<String>())).ok()?;
    let out = work.join("file.o").display().to_string();
    let args = ["-p", "p", "-c", "1", "-o", &out].map(String::from).into_iter();
    let args = args.chain([source.display().to_string()]).collect();
    Some(Program { name: "Go compile", guest, args })
}

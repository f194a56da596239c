//! Random names in random trees of directories, files, links and mounts: `sevm run --root --bind` finds and refuses what a
//! real chroot(2) with bind mounts does, and nothing leads out of the root.

mod common;

use common::{Arch, Missing};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// A small generator of the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Names that the trees have; few, so that paths meet.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A path of up to six components, of which some are `..` and `.`; sometimes absolute, sometimes with a slash behind.
fn random_path(r: &mut Numbers) -> String {
    let mut path = String::new();
    if r.below(2) == 0 {
        path.push('/');
    }
    for i in 0..=r.below(6) {
        if i > 0 {
            path.push_str(if r.below(12) == 0 { "//" } else { "/" });
        }
        path.push_str(match r.below(10) {
            0..2 => "..",
            2 => ".",
            _ => r.pick(&NAMES),
        });
    }
    if r.below(8) == 0 {
        path.push('/');
    }
    path
}

/// Fills a directory three levels deep. `secret` is a file outside that links try to reach.
fn grow(r: &mut Numbers, dir: &Path, depth: usize, secret: &Path) -> std::io::Result<()> {
    for name in NAMES {
        let path = dir.join(name);
        match r.below(10) {
            0..5 if depth > 0 => {
                fs::create_dir(&path)?;
                grow(r, &path, depth - 1, secret)?;
            }
            0..6 => fs::write(&path, "x".repeat(1 + r.below(1000)))?,
            6..8 => symlink(random_path(r), &path)?,
            8 => match r.below(3) {
                0 => symlink(secret, &path)?,
                1 => symlink("../".repeat(12) + secret.to_str().unwrap_or_default(), &path)?,
                _ => symlink("/".repeat(1 + r.below(2)), &path)?,
            },
            _ => {}
        }
    }
    Ok(())
}

/// One random machine: a root, what is bound into it, and what is outside.
struct Machine {
    dir: tempfile::TempDir,
    /// Host directory or file, its place in the root, whether it is read-only.
    binds: Vec<(String, String, bool)>,
}

impl Machine {
    fn new(seed: u64, probe: &Path) -> std::io::Result<Machine> {
        let mut r = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let at = dir.path();
        let secret = at.join("secret");
        fs::write(&secret, "not for guests\n")?;
        for tree in ["root", "bound0", "bound1", "bound2"] {
            fs::create_dir(at.join(tree))?;
            grow(&mut r, &at.join(tree), if tree == "root" { 3 } else { 2 }, &secret)?;
        }
        fs::copy(probe, at.join("root/probe"))?;
        for point in ["m0", "m1", "a_dir"] {
            fs::create_dir(at.join("root").join(point))?;
        }
        fs::create_dir_all(at.join("bound0/in"))?;
        fs::write(at.join("root/m_file"), "below")?;
        fs::write(at.join("one_file"), "a file that is bound")?;
        symlink("/m0", at.join("root/to_mount"))?;
        symlink("m1/..", at.join("root/up_from_mount"))?;
        let bind = |host: &str, guest: &str, read_only| (host.to_owned(), guest.to_owned(), read_only);
        let binds = vec![
            bind("bound0", "/m0", false),
            bind("bound1", "/m1", true),
            bind("bound2", "/m0/in", false),
            bind("one_file", "/m_file", true),
            // The root itself holds what is bound here: the same directory by two ways.
            bind("root/a_dir", "/m0/in", false),
        ];
        let kept = if r.below(2) == 0 { 4 } else { 5 };
        Ok(Machine { dir, binds: binds.into_iter().take(kept).collect() })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the probe prints in a real chroot.
    fn native(&self, input: &str) -> Result<String, String> {
        let mut script = String::from("set -e\ncd \"$1\"\n");
        for (host, guest, read_only) in &self.binds {
            script.push_str(&format!("mount --bind {host} root{guest}\n"));
            if *read_only {
                script.push_str(&format!("mount -o remount,ro,bind root{guest}\n"));
            }
        }
        script.push_str("exec chroot root /probe\n");
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script, "sh"]).arg(self.dir.path());
        run(command, input)
    }

    /// What it prints under sevm.
    fn emulated(&self, input: &str) -> Result<String, String> {
        let mut command = Command::new(common::SEVM);
        command.arg("run").args(common::cpu_option()).arg("--root").arg(self.at("root"));
        for (host, guest, read_only) in &self.binds {
            let end = if *read_only { ":ro" } else { "" };
            command.arg("--bind").arg(format!("{}:{guest}{end}", self.at(host).display()));
        }
        command.arg("/probe");
        run(command, input)
    }
}

fn run(mut command: Command, input: &str) -> Result<String, String> {
    use std::io::{Seek, Write};
    let mut stdin = tempfile::tempfile().map_err(|e| e.to_string())?;
    stdin.write_all(input.as_bytes()).and_then(|()| stdin.rewind()).map_err(|e| e.to_string())?;
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let out = command.output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() {
        Ok(text)
    } else {
        Err(format!("{:?}: {}\n{}", command.get_program(), out.status, String::from_utf8_lossy(&out.stderr)))
    }
}

/// Calls that change nothing.
fn looking(r: &mut Numbers) -> String {
    let mut path = random_path(r);
    if r.below(4) == 0 {
        let front = ["/m0/", "/m1/", "/m0/in/", "/to_mount/", "up_from_mount/", "/m_file", "m1/../m0/../"];
        path = format!("{}{}", r.pick(&front), path.trim_start_matches('/'));
    }
    match r.below(14) {
        0..3 => format!("stat {path}"),
        3 => format!("lstat {path}"),
        4..6 => format!("open {path}"),
        6 => format!("nofollow {path}"),
        7 => format!("readlink {path}"),
        8 => format!("chdir {path}"),
        9 => format!("keep {path}"),
        10 => format!("openat {path}"),
        11 => format!("openat2 {} {path}", r.pick(&["0", "1", "4", "8", "10", "14", "9", "5"])),
        12 => format!("readonly {path}"),
        _ => match r.below(3) {
            0 => format!("list {path}"),
            1 => format!("access {path}"),
            _ => "fchdir .".to_owned(),
        },
    }
}

/// Calls that change files.
fn changing(r: &mut Numbers) -> String {
    let mut path = || {
        let path = random_path(r);
        match r.below(3) {
            0 => format!("{}{}", r.pick(&["/m0/", "/m1/", "/m0/in/", "/m_file"]), path.trim_start_matches('/')),
            _ => path,
        }
    };
    let (one, two) = (path(), path());
    let op = r.pick(&[
        "write",
        "create",
        "exclusive",
        "truncopen",
        "tmpfile",
        "mkdir",
        "mkfifo",
        "rmdir",
        "unlink",
        "chmod",
        "chown",
        "utimens",
        "truncate",
        "setxattr",
        "access",
        "symlink",
        "rename",
        "rename",
        "link",
        "linkat",
    ]);
    match op {
        "symlink" | "rename" | "link" | "linkat" => format!("{op} {one} {two}"),
        _ => format!("{op} {one}"),
    }
}

/// Compares line by line.
fn same(native: &str, emulated: &str) -> Result<(), String> {
    let pairs = native.lines().zip(emulated.lines()).filter(|(a, b)| a != b).take(8);
    let differences: Vec<String> = pairs.map(|(a, b)| format!("chroot: {a}\n  sevm: {b}")).collect();
    if differences.is_empty() && native.lines().count() == emulated.lines().count() {
        Ok(())
    } else {
        Err(differences.join("\n"))
    }
}

/// Inode numbers, as which two trees with the same content differ, taken out.
fn without_inodes(text: &str) -> String {
    let words = |line: &str| line.split(' ').filter(|w| !w.starts_with("ino=")).collect::<Vec<_>>().join(" ");
    text.lines().map(|line| words(line) + "\n").collect()
}

/// All that is below a directory, by name: type, permissions, size and where links lead.
fn contents(dir: &Path, prefix: &str, out: &mut Vec<String>) -> std::io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(dir)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(|e| e.file_name());
    for entry in entries {
        let meta = entry.path().symlink_metadata()?;
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        let size = if meta.is_dir() { 0 } else { meta.len() };
        out.push(format!(
            "{name} {:o} {size} {:?}",
            meta.mode(),
            fs::read_link(entry.path()).ok().map(|l| l.into_os_string().len())
        ));
        if meta.is_dir() {
            contents(&entry.path(), &name, out)?;
        }
    }
    Ok(())
}

/// The same inode or the same errno for every name.
fn check_looking(seed: u64, probe: &Path) -> Result<(), String> {
    let machine = Machine::new(seed, probe).map_err(|e| e.to_string())?;
    let mut r = Numbers(seed | 0x5eed_0000);
    let input: String = (0..1500).map(|_| looking(&mut r) + "\n").collect();
    let (native, emulated) = (machine.native(&input)?, machine.emulated(&input)?);
    // The machine makes up what a root directory that is only a directory does not have.
    let emulated = emulated.replace(" dev ", " ").replace(" proc ", " ").replace(" sys ", " ");
    same(&native, &emulated)
}

/// The same results and the same files afterwards, in two trees that are alike.
fn check_changing(seed: u64, probe: &Path) -> Result<(), String> {
    let machines = [0, 1].map(|_| Machine::new(seed, probe).map_err(|e| e.to_string()));
    let [one, two] = machines;
    let (one, two) = (one?, two?);
    let mut r = Numbers(seed | 0xc4a6_0000);
    let input: String = (0..300).map(|_| changing(&mut r) + "\n").collect();
    let (native, emulated) = (one.native(&input)?, two.emulated(&input)?);
    same(&without_inodes(&native), &without_inodes(&emulated))?;
    let [mut want, mut got] = [vec![], vec![]];
    for tree in ["root", "bound0", "bound1", "bound2"] {
        contents(&one.at(tree), tree, &mut want).map_err(|e| e.to_string())?;
        contents(&two.at(tree), tree, &mut got).map_err(|e| e.to_string())?;
    }
    same(&want.join("\n"), &got.join("\n"))?;
    for machine in [&one, &two] {
        let secret = fs::read(machine.at("secret")).map_err(|e| e.to_string())?;
        if secret != b"not for guests\n" {
            return Err("the file outside was changed".into());
        }
    }
    Ok(())
}

/// The well-known ways out of a chroot end at the root of the machine.
fn check_escapes(probe: &Path) -> Result<(), String> {
    let machine = Machine::new(7, probe).map_err(|e| e.to_string())?;
    let root = fs::metadata(machine.at("root")).map_err(|e| e.to_string())?.ino();
    let secret = machine.at("secret").display().to_string();
    let up = "../".repeat(40);
    let input = format!(
        "stat /\nkeep /\nchroot a_dir\nchdir {up}\nstat .\nstat {up}\nopenat {up}\nfchdir .\nchroot {up}\nstat {up}\n\
         stat /\nstat /proc/self/root/{up}\nstat /proc/self/cwd/{up}\nstat /proc/1000/root\nstat {up}{secret}\nstat {secret}\n\
         stat /proc/1000/root{secret}\nchroot m0\nchdir {up}\nstat {up}\nchdir /\nchroot in\nchdir {up}{up}\nstat .\n"
    );
    let out = machine.emulated(&input)?;
    if out.contains(&format!("ino={}", fs::metadata(&secret).map_err(|e| e.to_string())?.ino())) {
        return Err(format!("the file outside was reached:\n{out}"));
    }
    let above: Vec<u64> =
        machine.dir.path().ancestors().filter_map(|dir| Some(fs::metadata(dir).ok()?.ino())).collect();
    for line in out.lines() {
        let ino = line.split("ino=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
        if ino.is_some_and(|ino| ino != root && above.contains(&ino)) {
            return Err(format!("a directory above the root was reached: {line}"));
        }
    }
    if out.matches(&format!("ino={root} ")).count() < 8 {
        return Err(format!("the root was not reached:\n{out}"));
    }
    Ok(())
}

/// Directories that were open outside are not there for the guest.
fn check_inherited(probe: &Path) -> Result<(), String> {
    let machine = Machine::new(8, probe).map_err(|e| e.to_string())?;
    let script = "exec \"$1\" run --root \"$2/root\" /probe 3<\"$2\" 4<\"$2/root/a_dir\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", common::SEVM]).arg(machine.dir.path());
    let out = run(
        command,
        "stat /proc/self/fd/3/secret\nopen /proc/self/fd/3\nopen /proc/self/fd/4\nopen /proc/self/fd/4/..\n",
    )?;
    let root = fs::metadata(machine.at("root")).map_err(|e| e.to_string())?.ino();
    let lines: Vec<&str> = out.lines().collect();
    let right = matches!(&lines[..], [a, b, c, up, d, ..] if a.ends_with("ENOENT") && b.ends_with("ENOENT")
        && c.contains(" ok ") && up.contains(&format!("ino={root} ")) && d.contains(&format!("ino={root} ")));
    if right { Ok(()) } else { Err(out) }
}

/// The probe, built without a dynamic linker.
fn build() -> Result<PathBuf, Missing> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("root_probe");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/root_probe.c");
    let made = Command::new("cc").args(["-O1", "-static", "-w", "-o"]).arg(&out).arg(source).status();
    if made.is_ok_and(|s| s.success()) { Ok(out) } else { Err(Missing("cc and a static C library".into())) }
}

/// Whether mounts and chroot(2) are permitted here.
fn may_mount() -> Result<(), Missing> {
    let status = Command::new("unshare").args(["-m", "chroot", "/", "true"]).stderr(Stdio::null()).status();
    let permitted = status.is_ok_and(|s| s.success());
    if permitted { Ok(()) } else { Err(Missing("the right to unshare(2) mounts and to chroot(2)".into())) }
}

fn main() -> ExitCode {
    let probe = build();
    let built = probe.as_ref().map(|_| ()).map_err(Clone::clone);
    let probe = probe.unwrap_or_default();
    let needs = built.clone().and_then(|()| may_mount()).and_then(|()| Arch::X86_64.reference().map(|_| ()));
    let mut trials = vec![];
    for seed in 1..=12 {
        let p = probe.clone();
        trials.push(common::trial(format!("looking::{seed}"), needs.clone(), move || check_looking(seed, &p)));
        let p = probe.clone();
        trials.push(common::trial(format!("changing::{seed}"), needs.clone(), move || check_changing(seed, &p)));
    }
    let p = probe.clone();
    trials.push(common::trial("escapes".into(), built.clone(), move || check_escapes(&p)));
    trials.push(common::trial("inherited".into(), built, move || check_inherited(&probe)));
    common::run_trials(trials)
}

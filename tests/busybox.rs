//! Runs the applets of Debian's static busybox named in `busybox.list` as Linux does (natively or under qemu-user) and
//! under sevm, and compares output, end and the files left. Then the same with an editor and a shell in a terminal.

mod common;

use common::terminal::{self, Step};
use common::{Arch, Job, Missing, Outcome, Place};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// One invocation of the list.
#[derive(Debug, Clone, Default)]
struct Case {
    line: String,
    words: Vec<OsString>,
    stdin: Option<String>,
    /// The runs may differ in numbers.
    mask_digits: bool,
    /// The runs may differ in the order of lines.
    mask_order: bool,
    env: Vec<(String, String)>,
    seconds: Option<u64>,
    big: bool,
}

/// Reads the list.
fn cases(text: &str) -> Result<Vec<Case>, String> {
    let mut cases = vec![];
    let mut next = Case::default();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let Some(option) = line.strip_prefix('@') else {
            let mut words = split(line).ok_or_else(|| format!("busybox.list: quotes: {line}"))?;
            if let [.., redirect, file] = &words[..]
                && redirect == "<"
            {
                next.stdin = Some(file.clone());
                words.truncate(words.len() - 2);
            }
            next.line = line.to_owned();
            next.words = words.into_iter().map(OsString::from).collect();
            cases.push(std::mem::take(&mut next));
            continue;
        };
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        let bad = || format!("busybox.list: {line}");
        match name {
            "mask" if value.starts_with("digits ") => next.mask_digits = true,
            "mask" if value.starts_with("order ") => next.mask_order = true,
            "env" => {
                let (name, value) = value.split_once('=').ok_or_else(bad)?;
                next.env.push((name.to_owned(), value.to_owned()));
            }
            "seconds" => next.seconds = Some(value.parse().map_err(|_| bad())?),
            "big" => next.big = true,
            _ => return Err(bad()),
        }
    }
    Ok(cases)
}

/// Splits a line as a shell does, with both kinds of quotes and no expansion; `None` if a quote is not closed.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A small generator of the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 24) as u8).collect()
    }
}

const WORDS: [&str; 12] =
    ["alpha", "beta", "gamma", "delta", "alpha", "epsilon", "zeta", "Alpha", "eta", "theta", "beta", "iota"];

/// The files that the invocations work on.
fn fill(dir: &Path, busybox: &[OsString]) -> Result<(), String> {
    let mut numbers = Numbers(0x5eed_1234_5678_9abc);
    let write = |name: &str, bytes: &[u8]| fs::write(dir.join(name), bytes).map_err(|e| format!("{name}: {e}"));
    let text: String = (1..=200u64)
        .map(|i| match i % 9 {
            0 => "\n".to_owned(),
            3 => format!("line {i}   with some blanks  and the word {} in it\n", WORDS[i as usize % 12]),
            _ => format!("line {i} {}\n", WORDS[(i * 7) as usize % 12]),
        })
        .collect();
    write("text", text.as_bytes())?;
    let nums: String = (0..60).map(|_| format!("{}\n", numbers.next() as i64 % 1000)).collect();
    write("nums", nums.as_bytes())?;
    write("words", (WORDS.join("\n") + "\n").as_bytes())?;
    let table: String =
        WORDS.iter().map(|w| format!("{w}:{}:{}.{}\n", numbers.next() % 50, numbers.next() % 9, w.len())).collect();
    write("table", table.as_bytes())?;
    let mut data = numbers.bytes(48 * 1024);
    data.extend(b"some readable text between the bytes\n");
    data.extend(vec![0; 4096]);
    write("data.bin", &data)?;
    data[100] ^= 1;
    data[20_000] ^= 0x55;
    write("data2.bin", &data)?;
    for (name, content) in [
        ("tabs", "a\tb\t\tc\n        eight\n\tx  y\n"),
        ("dos.txt", "first\r\nsecond line\r\n\r\nlast"),
        ("months", "Mar 3\nJan 9\nDec 1\nfeb 2\n"),
        ("versions", "a-1.10\na-1.9\na-1.9.1\nb-0.1\n"),
        ("nul", "pear\0apple\0fig\0"),
        ("sorted1", "alpha\nbeta\ndelta\ngamma\nzeta\n"),
        ("sorted2", "alpha\nbeta\nepsilon\ngamma\ntheta\nzeta\n"),
        ("pairs", "shirt tie\ntie jacket\ntrousers shoes\ntrousers belt\nbelt jacket\nsocks shoes\n"),
        ("hexdump", "00000000: 6865 6c6c 6f20 776f 726c 640a            hello world.\n"),
        ("edits", "/alpha/p\n1,3d\n$a\nappended\n.\n1,$s/beta/BETA/\n1,2p\nw edited\nq\n"),
        ("pattern", "alpha\nline 5\n"),
        ("script.sed", "/^$/d\ns/line \\([0-9]*\\)/[\\1]/\n/alpha/{\nh\ng\ni\\\ninserted\n}\n3q\n"),
        ("script.awk", "FNR == 1 { files++ }\n/alpha/ { hits++ }\n{ n += length }\nEND { print files, hits, n }\n"),
        ("calc.bc", "scale=30\n4*a(1)\n2^300\nfor (i = 0; i < 5; i++) i * i\nobase=16\n255\n"),
        ("calc-l.bc", "scale=25\n4*a(1)\ne(1)\nl(10)\ns(1)\nsqrt(2)\n"),
        (
            "script.sh",
            "f() { local x=$1; echo \"<$x>\"; }\nf \"$2\"; f \"$1\"\ncat=3; echo $((cat ** 2)) >made; exit 4\n",
        ),
        ("names", "text\ntree\ntree/sub\ntree/sub/deep.txt\nwords\n"),
        ("coded", "VGhlIHF1aWNrIGJyb3duIGZveAo=\n"),
        (
            "p.diff",
            "--- sorted1\n+++ sorted1\n@@ -1,5 +1,6 @@\n alpha\n beta\n-delta\n+epsilon\n gamma\n+theta\n zeta\n",
        ),
    ] {
        write(name, content.as_bytes())?;
    }
    fill_trees(dir).map_err(|e| format!("making directories: {e}"))?;
    for name in ["text.xz", "text.lzma"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        fs::copy(&from, dir.join(name)).map_err(|e| format!("{name}: {e}"))?;
    }
    settle(dir).map_err(|e| format!("setting times: {e}"))?;
    // Archives of files with settled times.
    for (made, arguments, stdin) in [
        ("t.tar", "tar cf - tree text words", None),
        ("t.cpio", "cpio -o -H newc", Some("names")),
        ("text.gz", "gzip -c text", None),
        ("text.bz2", "bzip2 -c text", None),
        ("sums", "md5sum text words data.bin", None),
        ("uu", "uuencode words decoded", None),
    ] {
        let stdin = match stdin {
            Some(name) => File::open(dir.join(name)).map_err(|e| e.to_string())?.into(),
            None => Stdio::null(),
        };
        let status = Command::new(&busybox[0])
            .args(&busybox[1..])
            .args(arguments.split(' '))
            .current_dir(dir)
            .stdin(stdin)
            .stdout(File::create(dir.join(made)).map_err(|e| e.to_string())?)
            .stderr(Stdio::null())
            .status()
            .map_err(|e| e.to_string())?;
        if !status.success() {
            return Err(format!("making {made}: {arguments}: {status}"));
        }
    }
    write("t.ar", &ar(&[("words", (WORDS.join("\n") + "\n").as_bytes()), ("odd", b"odd")]))?;
    settle(dir).map_err(|e| format!("setting times: {e}"))
}

/// An archive as `ar` makes it.
fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in members {
        let name = format!("{name}/");
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8o}{:<10}`\n", 1_500_000_000, 0, 0, 0o100644, content.len());
        out.extend(header.as_bytes());
        out.extend(*content);
        if content.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

fn fill_trees(dir: &Path) -> std::io::Result<()> {
    let tree = dir.join("tree");
    fs::create_dir_all(tree.join("sub/deeper"))?;
    fs::create_dir_all(dir.join("empty"))?;
    fs::create_dir_all(dir.join("p/q/r"))?;
    fs::write(tree.join("one.txt"), "alpha in one\n")?;
    fs::write(tree.join("two.txt"), "beta\n".repeat(1000))?;
    fs::write(tree.join("sub/deep.txt"), "alpha deep\n")?;
    fs::write(tree.join("sub/deeper/empty"), "")?;
    fs::write(tree.join("run.sh"), "#!/bin/sh\necho run\n")?;
    fs::set_permissions(tree.join("run.sh"), fs::Permissions::from_mode(0o755))?;
    fs::set_permissions(tree.join("one.txt"), fs::Permissions::from_mode(0o600))?;
    fs::hard_link(tree.join("one.txt"), tree.join("sub/one-again.txt"))?;
    symlink("sub/deep.txt", tree.join("link"))?;
    symlink("nowhere", tree.join("dangling"))?;
    fs::create_dir(dir.join("tree2"))?;
    fs::write(dir.join("tree2/one.txt"), "alpha in two\n")?;
    fs::write(dir.join("tree2/three.txt"), "only here\n")
}

/// Gives every file below a time in the past that depends on its name only.
fn settle(dir: &Path) -> std::io::Result<()> {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    let mut entries: Vec<_> = fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in &entries {
        if path.is_dir() && !path.is_symlink() {
            settle(path)?;
        }
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let time = Timespec { tv_sec: 1_400_000_000 + (common::snapshot::hash(name) % 100_000_000) as i64, tv_nsec: 0 };
        utimensat(CWD, path, &Timestamps { last_access: time, last_modification: time }, AtFlags::SYMLINK_NOFOLLOW)?;
    }
    let time = Timespec { tv_sec: 1_450_000_000, tv_nsec: 0 };
    utimensat(CWD, dir, &Timestamps { last_access: time, last_modification: time }, AtFlags::empty())?;
    Ok(())
}

/// 50 MB of lines in no order.
fn big(path: &Path) -> std::io::Result<()> {
    let mut numbers = Numbers(0xb16_b16);
    let mut file = std::io::BufWriter::new(File::create(path)?);
    for _ in 0..50_000_000 / 100 {
        let [a, b] = [numbers.next(), numbers.next()];
        writeln!(file, "{a:020} {b:016x} {:>61}", WORDS[(a % 12) as usize])?;
    }
    file.flush()
}

/// Copies the files of the template, with times, modes and links.
fn copy(template: &Path, dir: &Path) -> std::io::Result<()> {
    let status = Command::new("cp").arg("-a").arg(template.join(".")).arg(dir).status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other("cp -a failed")) }
}

/// Runs one invocation both ways.
fn check(case: &Case, arch: Arch, busybox: &Path, template: &Path) -> Result<(), String> {
    let place = Place::new()?;
    let prepare = |dir: &Path| {
        copy(template, dir)?;
        if case.big { big(&dir.join("big")) } else { Ok(()) }
    };
    let stdin = case.stdin.as_ref().map(|name| template.join(name));
    let job = Job {
        args: &case.words,
        env: &case.env,
        stdin: stdin.as_deref(),
        timeout: case.seconds.map_or(common::TIMEOUT, Duration::from_secs),
        prepare: &prepare,
    };
    let mut reference = arch.reference().map_err(|m| m.0)?;
    reference.push(busybox.into());
    let mut sevm = common::sevm_run::<&str>(&[]);
    sevm.push(busybox.into());
    let expected = place.run(&reference, &job).map_err(|e| format!("reference: {e}"))?;
    let actual = place.run(&sevm, &job)?;
    let masked = |mut o: Outcome| {
        for text in [&mut o.stdout, &mut o.stderr] {
            if case.mask_digits {
                *text = common::mask_digits(text);
            }
            if case.mask_order {
                let mut lines: Vec<_> = text.split(|b| *b == b'\n').collect();
                lines.sort();
                *text = lines.join(&b'\n');
            }
        }
        o
    };
    common::compare(&masked(expected), &masked(actual))
}

/// A program in a terminal: each key sequence is sent when the text before it has been shown and nothing more comes.
struct Session {
    name: &'static str,
    args: &'static [&'static str],
    /// Wait for this text, then send these keys.
    steps: &'static [(&'static str, &'static str)],
}

const SESSIONS: [Session; 4] = [
    Session {
        name: "vi",
        args: &["vi", "words"],
        steps: &[
            ("words", "Onew first line\x1b"),
            ("new first line", "jdd"),
            ("Delete", ":s/beta/BETA/\r"),
            ("BETA", "Gofinal\x1b"),
            ("final", "yyp"),
            ("final", "/gamma\r"),
            ("gamma", "x"),
            ("amma", "u"),
            ("gamma", ":wq\r"),
        ],
    },
    Session { name: "vi without saving", args: &["vi", "text"], steps: &[("line 1", "ddGdgg"), ("line", ":q!\r")] },
    Session {
        name: "sh",
        args: &["sh", "-i"],
        steps: &[
            ("# ", "echo one$((1+1))\r"),
            ("one2\r", "x=5; echo $x; cd tree; pwd\r"),
            ("w/tree\r", "echo a\x7fb\x01#\r"),
            ("# ", "exit 3\r"),
        ],
    },
    Session { name: "stty", args: &["stty", "-a"], steps: &[] },
];

impl Session {
    /// Compares what the terminal showed, the end and the files left.
    fn check(&self, arch: Arch, busybox: &Path, template: &Path) -> Result<(), String> {
        let place = Place::new()?;
        let steps: Vec<_> = self.steps.iter().map(|&(text, keys)| Step { text, keys }).collect();
        let prepare = |work: &Path| copy(template, work).map_err(|e| e.to_string());
        let session = terminal::Session { steps: &steps, env: &[], prepare: &prepare };
        let command = |front: Vec<OsString>| {
            front.into_iter().chain([busybox.into()]).chain(self.args.iter().map(OsString::from)).collect::<Vec<_>>()
        };
        let reference = command(arch.reference().map_err(|m| m.0)?);
        let expected = session.run(&reference, &place).map_err(|e| format!("reference: {e}"))?;
        let actual = session.run(&command(common::sevm_run::<&str>(&[])), &place)?;
        common::compare(&expected, &actual)
    }
}

/// What both architectures need.
fn needs(arch: Arch) -> Result<PathBuf, Missing> {
    arch.reference()?;
    common::distribution_program(arch, "busybox", "busybox-static")
}

fn main() -> ExitCode {
    let cases = cases(include_str!("busybox.list")).unwrap_or_else(|e| panic!("{e}"));
    let mut trials = vec![];
    let template = Arc::new(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made"));
    let maker = Arch::ALL.iter().find_map(|arch| {
        let mut command = arch.reference().ok()?;
        command.push(needs(*arch).ok()?.into());
        Some(command)
    });
    if let Some(maker) = maker {
        fill(template.path(), &maker).unwrap_or_else(|e| panic!("{e}"));
    }
    for arch in Arch::ALL {
        let busybox = needs(arch);
        let available = busybox.as_ref().map(|_| ()).map_err(Clone::clone);
        let busybox = busybox.unwrap_or_default();
        for case in cases.clone() {
            let (busybox, template) = (busybox.clone(), template.clone());
            let name = format!("{}::{}", arch.name(), case.line);
            trials.push(common::trial(name, available.clone(), move || check(&case, arch, &busybox, template.path())));
        }
        for session in &SESSIONS {
            let (busybox, template) = (busybox.clone(), template.clone());
            let name = format!("{}::{} in a terminal", arch.name(), session.name);
            let run = move || session.check(arch, &busybox, template.path());
            trials.push(common::trial(name, available.clone(), run));
        }
    }
    let code = common::run_trials(trials);
    drop(template);
    code
}

//! Runs the shell scripts of `scripts/` with Debian's static shells, natively and under sevm, and compares what they
//! print, how they end and the files they leave.
//!
//! A script (`NAME.sh`) begins with a comment that says what it is about, and settings:
//!
//! ```sh
//! # shells: bash zsh mksh ash     who can run it; `mksh` is all three builds of mksh
//! # mask: numbers                 the runs may differ in numbers (process ids in a shell's own messages)
//! # listener                      a server on loopback answers lines; its port is in $PORT
//! # port                          a free port is in $PORT
//! # stdin: TEXT                   standard input, with \n for line ends
//! # args: WORD...                 arguments of the script
//! # seconds: N                    time that a run may take
//! # core                          run with each of its shells, always
//! ```
//!
//! A session (`NAME.tty`) has the same settings and then what happens in a terminal with an interactive shell in it:
//! `wait TEXT` waits for a text, `type LINE` sends a line, `keys ^Z` sends keys without a line end. External commands are
//! those of the static busybox of the shell's architecture. The x86_64 shell running natively is the reference for both.
//!
//! A script that is not of the core runs with one of its shells for each architecture, not the same for both, another
//! for the next script; `SEVM_ALL_SHELLS=1` runs all with all, three times as many runs.

mod common;

use common::terminal::{self, Step};
use common::{Arch, Job, Missing, Outcome, Place};
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A shell of the distribution that needs no dynamic loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    MkshDiet,
    MkshKlibc,
    MkshMusl,
    Sash,
    Ash,
}

impl Shell {
    /// The shells that a word of a `shells:` line means.
    fn named(word: &str) -> Option<&'static [Shell]> {
        Some(match word {
            "bash" => &[Shell::Bash],
            "zsh" => &[Shell::Zsh],
            "mksh" => &[Shell::MkshDiet, Shell::MkshKlibc, Shell::MkshMusl],
            "sash" => &[Shell::Sash],
            "ash" => &[Shell::Ash],
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::MkshDiet => "mksh-diet",
            Shell::MkshKlibc => "mksh-klibc",
            Shell::MkshMusl => "mksh-musl",
            Shell::Sash => "sash",
            Shell::Ash => "ash",
        }
    }

    /// Where the distribution keeps it.
    fn program(self, arch: Arch) -> Result<PathBuf, Missing> {
        let in_lib = |libc: &str| {
            let path = format!("usr/lib/{libc}/bin/mksh");
            let path = match arch {
                Arch::X86_64 => Path::new("/").join(path),
                Arch::Aarch64 => common::arm64_cache().join("root").join(path),
            };
            let missing = || Missing(format!("needs {} (package mksh; make setup fetches it)", path.display()));
            if path.is_file() { Ok(path) } else { Err(missing()) }
        };
        match self {
            Shell::Bash => common::distribution_program(arch, "bash-static", "bash-static"),
            Shell::Zsh => common::distribution_program(arch, "zsh-static", "zsh-static"),
            Shell::MkshDiet => in_lib("diet"),
            Shell::MkshKlibc => in_lib("klibc"),
            Shell::MkshMusl => in_lib(&format!("{}-linux-musl", arch.name())),
            Shell::Sash => common::distribution_program(arch, "sash", "sash"),
            Shell::Ash => common::distribution_program(arch, "busybox", "busybox-static"),
        }
    }

    /// Its program and the options that keep it from reading files of the user's.
    fn command(self, arch: Arch, interactive: bool) -> Result<Vec<OsString>, Missing> {
        let options: &[&str] = match (self, interactive) {
            (Shell::Bash, false) => &["--norc", "--noprofile"],
            (Shell::Bash, true) => &["--norc", "--noprofile", "--noediting", "-i"],
            (Shell::Zsh, false) => &["-f"],
            (Shell::Zsh, true) => &["-f", "+Z", "-i"],
            (Shell::Ash, false) => &["ash"],
            (Shell::Ash, true) => &["ash", "-i"],
            (Shell::Sash, false) => &["-f"],
            (Shell::Sash, true) => &[],
            (_, false) => &[],
            (_, true) => &["-i"],
        };
        Ok([self.program(arch)?.into()].into_iter().chain(options.iter().map(OsString::from)).collect())
    }
}

/// What a file of `scripts/` says about itself.
#[derive(Debug, Clone, Default)]
struct Script {
    name: String,
    text: String,
    shells: Vec<Shell>,
    mask_numbers: bool,
    listener: bool,
    port: bool,
    stdin: Option<String>,
    args: Vec<OsString>,
    timeout: Option<Duration>,
    /// Of a session: texts to wait for and keys to send then.
    steps: Vec<(String, String)>,
    session: bool,
    core: bool,
}

impl Script {
    fn read(path: &Path) -> Result<Self, String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        let session = name.ends_with(".tty");
        let mut script = Script { name, text, session, ..Script::default() };
        for line in script.text.clone().lines() {
            let read = match line.strip_prefix("# ") {
                Some(setting) => script.set(setting),
                None if session => script.step(line),
                None => break,
            };
            read.map_err(|e| format!("{}: {e}: {line}", script.name))?;
        }
        if script.shells.is_empty() {
            return Err(format!("{}: no shells", script.name));
        }
        Ok(script)
    }

    fn set(&mut self, setting: &str) -> Result<(), String> {
        let (name, value) = setting.split_once(": ").unwrap_or((setting, ""));
        match name {
            "shells" => {
                for word in value.split_whitespace() {
                    self.shells.extend(Shell::named(word).ok_or("no such shell")?);
                }
            }
            "mask" if value == "numbers" => self.mask_numbers = true,
            "core" => self.core = true,
            "listener" => self.listener = true,
            "port" => self.port = true,
            "stdin" => self.stdin = Some(value.replace("\\n", "\n")),
            "args" => self.args = value.split_whitespace().map(OsString::from).collect(),
            "seconds" => self.timeout = Some(Duration::from_secs(value.parse().map_err(|_| "no number")?)),
            // Any other comment is one.
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            "wait" => self.steps.push((rest.to_owned(), String::new())),
            "type" => self.send(&format!("{rest}\r")),
            "keys" => self.send(&control(rest)),
            _ => return Err("neither wait, type nor keys".into()),
        }
        Ok(())
    }

    /// Adds keys to what follows the last text.
    fn send(&mut self, keys: &str) {
        match self.steps.last_mut() {
            Some((_, last)) if last.is_empty() => last.push_str(keys),
            _ => self.steps.push((String::new(), keys.to_owned())),
        }
    }

    /// Runs it with `shell` for `arch`, with `front` before the shell's command.
    fn run(&self, shell: Shell, arch: Arch, front: Vec<OsString>) -> Result<Outcome, String> {
        let place = Place::new()?;
        let bin = commands(arch)?;
        let mut env = vec![("PATH".to_owned(), bin.to_string_lossy().into_owned())];
        // Kept until the run is over.
        let server = if self.listener { Some(Server::start()?) } else { None };
        if let Some(server) = &server {
            env.push(("PORT".into(), server.port.to_string()));
        } else if self.port {
            env.push(("PORT".into(), free_port()?.to_string()));
        }
        let mut command = front;
        command.extend(shell.command(arch, self.session).map_err(|m| m.0)?);
        // For scripts that call the shell again. zsh does not split what a variable holds, and there are no files here
        // that its option keeps it from.
        let mut words: Vec<_> = shell.command(arch, false).map_err(|m| m.0)?;
        if shell == Shell::Zsh {
            words.truncate(1);
        }
        let words: Vec<_> = words.iter().map(|w| w.to_string_lossy()).collect();
        env.push(("SHELL_COMMAND".into(), words.join(" ")));
        let mut command = common::with_default_signals(command)?;
        let outcome = if self.session {
            env.extend(
                [("PS1", "#$ "), ("PS2", "> "), ("HISTFILE", ""), ("ENV", "")].map(|(k, v)| (k.into(), v.into())),
            );
            let steps: Vec<_> = self.steps.iter().map(|(text, keys)| Step { text, keys }).collect();
            let mut whole =
                vec![common::tool("setsid", "util-linux").map_err(|m| m.0)?.into(), "-c".into(), "-w".into()];
            whole.append(&mut command);
            terminal::Session { steps: &steps, env: &env, prepare: &|_| Ok(()) }.run(&whole, &place)
        } else {
            let stdin = place.beside("stdin");
            fs::write(&stdin, self.stdin.as_deref().unwrap_or("")).map_err(|e| e.to_string())?;
            command.push(self.name.clone().into());
            let prepare = |work: &Path| fs::write(work.join(&self.name), &self.text);
            // More than for one program: several run at once, and a script starts many.
            let timeout = self.timeout.unwrap_or(2 * common::TIMEOUT);
            place.run(&command, &Job { args: &self.args, env: &env, stdin: Some(&stdin), timeout, prepare: &prepare })
        };
        let mut outcome = outcome?;
        if self.mask_numbers || self.session {
            outcome.stdout = common::mask_digits(&outcome.stdout);
            outcome.stderr = common::mask_digits(&outcome.stderr);
        }
        Ok(outcome)
    }
}

/// `^X` as the control character it names.
fn control(keys: &str) -> String {
    let mut out = String::new();
    let mut keys = keys.chars();
    while let Some(c) = keys.next() {
        match (c, c == '^') {
            (_, true) => out.extend(keys.next().map(|k| if k == '?' { '\x7f' } else { char::from(k as u8 & 0x1f) })),
            (c, false) => out.push(c),
        }
    }
    out
}

/// A directory with a link to the architecture's busybox for each of its applets.
fn commands(arch: Arch) -> Result<PathBuf, String> {
    static MADE: [OnceLock<Result<PathBuf, String>>; 2] = [OnceLock::new(), OnceLock::new()];
    MADE[usize::from(arch == Arch::Aarch64)].get_or_init(|| link_commands(arch)).clone()
}

fn link_commands(arch: Arch) -> Result<PathBuf, String> {
    let busybox = common::distribution_program(arch, "busybox", "busybox-static").map_err(|m| m.0)?;
    let mut list = arch.reference().map_err(|m| m.0)?;
    list.extend([busybox.clone().into(), "--list".into()]);
    let output = Command::new(&list[0]).args(&list[1..]).output().map_err(|e| e.to_string())?;
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands").join(arch.name());
    fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
    for name in String::from_utf8_lossy(&output.stdout).lines() {
        match std::os::unix::fs::symlink(&busybox, dir.join(name)) {
            // Of an earlier run, or one at the same time.
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(format!("{name}: {e}")),
            _ => {}
        }
    }
    Ok(dir)
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port())
}

/// A server that greets, gives every line back and ends a connection after `quit`.
struct Server {
    port: u16,
}

impl Server {
    fn start() -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        // It serves until the test program ends.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || Server::serve(stream));
            }
        });
        Ok(Server { port })
    }

    fn serve(mut stream: TcpStream) -> std::io::Result<()> {
        let lines = BufReader::new(stream.try_clone()?).lines();
        stream.write_all(b"welcome\n")?;
        for (n, line) in lines.enumerate() {
            let line = line?;
            if line == "quit" {
                return stream.write_all(b"bye\n");
            }
            stream.write_all(format!("{} {line}\n", n + 1).as_bytes())?;
        }
        Ok(())
    }
}

/// Whether `arch`'s shell and what it takes to run it are there.
fn needs(shell: Shell, arch: Arch) -> Result<(), Missing> {
    shell.program(Arch::X86_64)?;
    shell.program(arch)?;
    common::distribution_program(Arch::X86_64, "busybox", "busybox-static")?;
    common::distribution_program(arch, "busybox", "busybox-static")?;
    arch.reference()?;
    common::tool("setsid", "util-linux").map(|_| ())
}

/// Whether the script at position `n` runs with the shell at position `at` of its own for `arch`, where not all do.
fn chosen(script: &Script, n: usize, at: usize, arch: Arch) -> bool {
    let count = script.shells.len();
    // The other architecture takes the shell half way round, so that most shells meet a script in one of them.
    let turn = if arch == Arch::Aarch64 { n + count / 2 } else { n };
    script.core || turn % count == at
}

/// The trial of `script` with `shell` for `arch`; `reference` is its native run, made when first needed.
fn trial(
    script: &Arc<Script>,
    shell: Shell,
    arch: Arch,
    reference: &Arc<OnceLock<Result<Outcome, String>>>,
) -> libtest_mimic::Trial {
    let (script, reference) = (script.clone(), reference.clone());
    let name = format!("{}::{}::{}", script.name, shell.name(), arch.name());
    common::trial(name, needs(shell, arch), move || {
        let front = Arch::X86_64.reference().map_err(|m| m.0)?;
        let expected = reference.get_or_init(|| script.run(shell, Arch::X86_64, front));
        let expected = expected.as_ref().map_err(|e| format!("reference: {e}"))?;
        if std::env::var_os("SEVM_SHOW").is_some() {
            let text = [expected.stdout.as_slice(), &expected.stderr].concat();
            eprintln!("--- {} {}\n{}", script.name, shell.name(), String::from_utf8_lossy(&text));
        }
        let actual = script.run(shell, arch, common::sevm_run::<&str>(&[]))?;
        common::compare(expected, &actual)
    })
}

fn main() -> ExitCode {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut paths: Vec<_> = fs::read_dir(&dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    let all_shells = std::env::var_os("SEVM_ALL_SHELLS").is_some();
    let mut trials = vec![];
    for (n, path) in paths.into_iter().enumerate() {
        let script = match Script::read(&path) {
            Ok(script) => Arc::new(script),
            Err(e) => {
                trials.push(common::trial(path.to_string_lossy().into_owned(), Ok(()), move || Err(e)));
                continue;
            }
        };
        for (at, &shell) in script.shells.iter().enumerate() {
            let reference = Arc::default();
            let arches = Arch::ALL.into_iter().filter(|&arch| all_shells || chosen(&script, n, at, arch));
            trials.extend(arches.map(|arch| trial(&script, shell, arch, &reference)));
        }
    }
    // Many scripts wait for the clock or for keys more than they compute.
    common::run_trials_on(trials, 2)
}

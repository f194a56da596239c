//! A whole machine in a few lines: what to run, with which files, host, observers and limits.
//!
//! [`Vm::builder`] collects what differs from the usual, [`Vm::run`] runs the program to its end and gives what came of
//! it. Does not know how any of it is done: see [`crate::machine`].

use crate::Error;
use crate::arch::cpuid::Model;
use crate::host::{Host, RealHost};
use crate::kernel::{Config, ExitStatus, Kernel, Limits, Program};
use crate::machine::Machine;
use crate::mem::Windows;
use crate::report::Stats;
use crate::trace::Sink;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the guest's standard input comes from.
#[derive(Debug)]
pub enum Input {
    /// This program's own.
    Inherit,
    /// These bytes; none is an empty file.
    Bytes(Vec<u8>),
    /// An open file.
    File(OwnedFd),
}

/// Where the guest's standard output or standard error goes.
#[derive(Debug)]
pub enum Output {
    /// This program's own.
    Inherit,
    /// Into [`Finished`]. To the guest it is a file.
    Capture,
    /// An open file.
    File(OwnedFd),
}

/// What a run shall be; made by [`Vm::builder`].
pub struct Builder {
    program: OsString,
    argv0: Option<OsString>,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: Option<PathBuf>,
    cpu: String,
    cpu_model: Model,
    address_bits: u32,
    config: Config,
    stdin: Input,
    outputs: [Output; 2],
    host: Option<Box<dyn Host>>,
    sinks: Vec<Box<dyn Sink>>,
}

impl Builder {
    /// Appends an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Builder {
        self.args.push(arg.as_ref().to_os_string());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Builder {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_os_string()));
        self
    }

    /// The program's own name, `argv[0]`, which is else its path.
    #[must_use]
    pub fn argv0(mut self, name: impl AsRef<OsStr>) -> Builder {
        self.argv0 = Some(name.as_ref().to_os_string());
        self
    }

    /// Sets an environment variable. The environment is this program's own unless it is cleared.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Builder {
        let name = name.as_ref();
        self.env.retain(|(n, _)| n != name);
        self.env.push((name.to_os_string(), value.as_ref().to_os_string()));
        self
    }

    /// Empties the environment.
    #[must_use]
    pub fn env_clear(mut self) -> Builder {
        self.env.clear();
        self
    }

    /// The directory that the program starts in.
    #[must_use]
    pub fn cwd(mut self, dir: impl AsRef<Path>) -> Builder {
        self.cwd = Some(dir.as_ref().to_path_buf());
        self
    }

    /// The CPU backend by name ([`crate::cpu::backends`]); `auto` is the fastest that works.
    #[must_use]
    pub fn cpu(mut self, name: &str) -> Builder {
        self.cpu = name.to_string();
        self
    }

    /// The features that an x86_64 program sees ([`Model`]).
    #[must_use]
    pub fn cpu_model(mut self, model: Model) -> Builder {
        self.cpu_model = model;
        self
    }

    /// Size of each guest address space, as a power of two from 32 to 46.
    #[must_use]
    pub fn address_bits(mut self, bits: u32) -> Builder {
        self.address_bits = bits;
        self
    }

    /// Fixes all that would change from run to run; the seed decides what random numbers come.
    #[must_use]
    pub fn deterministic(mut self, seed: u64) -> Builder {
        (self.config.deterministic, self.config.seed) = (true, seed);
        self
    }

    /// When a deterministic run starts, as time since 1970.
    #[must_use]
    pub fn epoch(mut self, since_1970: Duration) -> Builder {
        self.config.epoch_ns = Some(u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX));
        self
    }

    /// What the run may use at most; one that goes beyond it ends with [`Error::Limit`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Builder {
        self.config.limits = limits;
        self
    }

    /// The kernel's other settings, determinism and limits included.
    #[must_use]
    pub fn config(mut self, config: Config) -> Builder {
        self.config = config;
        self
    }

    /// Standard input.
    #[must_use]
    pub fn stdin(mut self, input: Input) -> Builder {
        self.stdin = input;
        self
    }

    /// Standard output.
    #[must_use]
    pub fn stdout(mut self, output: Output) -> Builder {
        self.outputs[0] = output;
        self
    }

    /// Standard error.
    #[must_use]
    pub fn stderr(mut self, output: Output) -> Builder {
        self.outputs[1] = output;
        self
    }

    /// No input, and both outputs into [`Finished`].
    #[must_use]
    pub fn capture(self) -> Builder {
        self.stdin(Input::Bytes(Vec::new())).stdout(Output::Capture).stderr(Output::Capture)
    }

    /// Another host than the real one. It says itself which files the guest starts with, so that [`Builder::stdin`] and
    /// the like have no effect.
    #[must_use]
    pub fn host(mut self, host: Box<dyn Host>) -> Builder {
        self.host = Some(host);
        self
    }

    /// Adds an observer. To read it after the run give `Rc<RefCell<S>>` and keep a clone.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink + 'static) -> Builder {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Builds the machine with the program loaded, ready to run.
    ///
    /// # Errors
    /// The program cannot be run, or the machine not be built.
    pub fn build(self) -> Result<Vm, Error> {
        let windows = Windows::new(self.address_bits)?;
        let mut captured = [None, None];
        let host = match self.host {
            Some(host) => host,
            None => {
                let mut files = vec![(0, input(self.stdin)?)];
                for ((number, output), captured) in (1..).zip(self.outputs).zip(&mut captured) {
                    files.push((number, open_output(number, output, captured)?));
                }
                Box::new(RealHost::embedded(files))
            }
        };
        let mut machine = Machine::new(Kernel::new(host, windows, self.config), &self.cpu);
        machine.cpu_model = self.cpu_model;
        self.sinks.into_iter().for_each(|sink| machine.observe(sink));
        let argv0 = self.argv0.as_ref().unwrap_or(&self.program);
        let program = Program {
            path: self.program.as_bytes().to_vec(),
            argv: std::iter::once(argv0).chain(&self.args).map(|a| a.as_bytes().to_vec()).collect(),
            envp: self.env.iter().map(|(n, v)| [n.as_bytes(), b"=", v.as_bytes()].concat()).collect(),
            cwd: self.cwd,
        };
        let pid = machine.boot(&program)?;
        Ok(Vm { machine, pid, captured })
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How the program ended.
    pub status: ExitStatus,
    /// What it wrote to a captured standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to a captured standard error.
    pub stderr: Vec<u8>,
    /// What the run has cost.
    pub stats: Stats,
}

/// A machine with a program in it.
///
/// A program that is not there is an error with the exit status that a shell would give:
///
/// ```
/// use sevm::{Error, vm::Vm};
///
/// let built = Vm::builder("/nowhere/at/all").env_clear().capture().build();
/// assert!(matches!(built.err(), Some(Error::Load { status: 127, .. })));
/// ```
pub struct Vm {
    machine: Machine,
    pid: crate::kernel::Pid,
    captured: [Option<File>; 2],
}

impl Vm {
    /// Begins to describe a run of the program with this path.
    pub fn builder(program: impl AsRef<OsStr>) -> Builder {
        Builder {
            program: program.as_ref().to_os_string(),
            argv0: None,
            args: Vec::new(),
            env: std::env::vars_os().collect(),
            cwd: None,
            cpu: "auto".to_string(),
            cpu_model: Model::Host,
            address_bits: 40,
            config: Config::default(),
            stdin: Input::Inherit,
            outputs: [Output::Inherit, Output::Inherit],
            host: None,
            sinks: Vec::new(),
        }
    }

    /// The machine, for what this type does not show.
    pub fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Runs until the program and all that it started have ended.
    ///
    /// # Errors
    /// A limit was reached, or sevm itself failed; what the guest does is never an error here.
    pub fn run(mut self) -> Result<Finished, Error> {
        let start = Instant::now();
        let status = self.machine.run(self.pid)?;
        let stats = Stats::collect(&self.machine, start.elapsed());
        let [stdout, stderr] = self.captured.map(|file| file.map_or(Ok(Vec::new()), contents));
        Ok(Finished { status, stdout: stdout?, stderr: stderr?, stats })
    }
}

fn failed(what: &str) -> impl Fn(std::io::Error) -> Error {
    let what = what.to_string();
    move |source| Error::Host { what: what.clone(), source }
}

/// A file in memory.
fn memory_file(name: &str) -> Result<File, Error> {
    let fd = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC);
    fd.map(File::from).map_err(|e| failed("a file in memory")(e.into()))
}

fn input(input: Input) -> Result<OwnedFd, Error> {
    match input {
        Input::Inherit => std::io::stdin().as_fd().try_clone_to_owned().map_err(failed("standard input")),
        Input::File(fd) => Ok(fd),
        Input::Bytes(bytes) => {
            let mut file = memory_file("stdin")?;
            file.write_all(&bytes).and_then(|()| file.rewind()).map_err(failed("standard input"))?;
            Ok(file.into())
        }
    }
}

/// The file for an output; one that is captured is kept too.
fn open_output(number: i32, output: Output, captured: &mut Option<File>) -> Result<OwnedFd, Error> {
    match output {
        Output::Inherit if number == 1 => {
            std::io::stdout().as_fd().try_clone_to_owned().map_err(failed("standard output"))
        }
        Output::Inherit => std::io::stderr().as_fd().try_clone_to_owned().map_err(failed("standard error")),
        Output::File(fd) => Ok(fd),
        Output::Capture => {
            let file = memory_file(if number == 1 { "stdout" } else { "stderr" })?;
            let copy = file.try_clone().map_err(failed("a file in memory"))?;
            *captured = Some(copy);
            Ok(file.into())
        }
    }
}

fn contents(mut file: File) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(failed("what was captured"))?;
    Ok(bytes)
}

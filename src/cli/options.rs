//! Options that every subcommand which runs a program takes.

use super::values;
use crate::Error;
use crate::arch::cpuid::Model;
use crate::host::RealHost;
use crate::host::sandbox::{self, Confinement, Network, Rights};
use crate::kernel::fs::{Bind, Layout, Writing};
use crate::kernel::{Config, ExitStatus, Kernel, Limits, NetworkAccess, Program, Remaining};
use crate::machine::Machine;
use crate::mem::Windows;
use crate::report::{Stats, cpu_stats, perf_map};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How the numbers of a run are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StatsFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// How to set up the machine, and what to run in it.
#[derive(clap::Args)]
pub struct RunOptions {
    /// CPU backend: auto, translate or unicorn; lockstep:A,B runs two and compares them
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub cpu: String,
    /// Features that x86_64 programs see: all that backend and host have (host), or just those of a level
    #[arg(long, value_name = "host|x86-64|x86-64-v2|x86-64-v3", default_value = "host")]
    pub cpu_model: Model,
    /// Size of a guest address space, as a power of two
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(32..=46))]
    pub address_bits: u32,
    /// Let the program see DIR as its root directory, with /proc and the usual devices in it
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Let the program see the file or directory HOST as GUEST; with :ro it cannot be changed
    #[arg(long, value_name = "HOST:GUEST[:ro]", value_parser = bind)]
    pub bind: Vec<Bind>,
    /// Look for the files that absolute names mean in DIR first (default: $SEVM_LD_PREFIX)
    #[arg(short = 'L', long = "prefix", value_name = "DIR")]
    pub prefix: Option<PathBuf>,
    /// Set NAME to VALUE in the program's environment, or unset NAME
    #[arg(long = "env", short = 'E', value_name = "NAME[=VALUE]")]
    pub env: Vec<OsString>,
    /// Start the program in this directory; with --root, a directory in there
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// Pass this as the program's own name
    #[arg(long, value_name = "NAME")]
    pub argv0: Option<OsString>,
    /// Take clock, randomness and all else that would change from run to run from a fixed machine
    #[arg(long)]
    pub deterministic: bool,
    /// Seed of the randomness of a deterministic run
    #[arg(long, value_name = "N", default_value_t = 0, requires = "deterministic")]
    pub seed: u64,
    /// When a deterministic run starts: seconds since 1970, or a date such as 2026-11-23T10:20:30Z
    #[arg(long, value_name = "DATE", value_parser = values::epoch, requires = "deterministic")]
    pub epoch: Option<u64>,
    /// End the run, with status 121, when N instructions have run (K, M, G, T: powers of 1000)
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub max_instructions: Option<u64>,
    /// End the run, with status 122, when the programs have mapped more than so many bytes to write to (K, M, G, T:
    /// powers of 1024)
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    pub max_memory: Option<u64>,
    /// End the run, with status 123, when more than N processes live
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub max_processes: Option<u64>,
    /// End the run, with status 124, after so many seconds (of the virtual clock in a deterministic run)
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    pub max_time: Option<u64>,
    /// End the run at the first system call that is not implemented
    #[arg(long)]
    pub strict: bool,
    /// Let the program reach no network: internet sockets can be made and nothing reached from them, loopback included
    #[arg(long)]
    pub no_network: bool,
    /// Let sevm confine itself before the program runs: to the files below --root and of --bind, to its own system calls,
    /// and to its own process
    #[arg(long, conflicts_with = "perf_map")]
    pub sandbox: bool,
    /// Check every write of a call against the table
    #[arg(long, hide = true)]
    pub check_table: bool,
    /// Print what the run has cost at its end, on standard error: as a table, or as json
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    pub stats: Option<StatsFormat>,
    /// Write it to FILE instead
    #[arg(long, value_name = "FILE", requires = "stats")]
    pub stats_output: Option<PathBuf>,
    /// Print what the CPU backend has counted about its own work at the end, on standard error
    #[arg(long)]
    pub cpu_stats: bool,
    /// Write /tmp/perf-PID.map for perf(1) at the end, with the guest's symbols for translated code
    #[arg(long)]
    pub perf_map: bool,
    /// The program, which is looked for in PATH if it has no slash, and its arguments
    #[arg(value_name = "PROGRAM [ARG...]", required = true, trailing_var_arg = true, num_args = 1..)]
    pub command: Vec<OsString>,
}

impl RunOptions {
    /// Builds the machine, with the program loaded and ready to run. Gives the id of its process too.
    ///
    /// # Errors
    /// The program cannot be run, or the machine not be built.
    pub fn boot(&self) -> Result<(Machine, i32), Error> {
        let windows = Windows::new(self.address_bits)?;
        let network = if self.no_network { NetworkAccess::None } else { NetworkAccess::Host };
        let config = Config {
            strict: self.strict,
            check_outs: self.check_table,
            deterministic: self.deterministic,
            seed: self.seed,
            epoch_ns: self.epoch,
            limits: Limits {
                instructions: self.max_instructions,
                time_ns: self.max_time,
                memory: self.max_memory,
                processes: self.max_processes,
            },
            layout: self.layout(),
            network,
            // In a sandbox there is no fork to go on in.
            remaining: if self.stats.is_some() || self.sandbox { Remaining::AwaitEnd } else { Remaining::LeaveBehind },
            ..Config::default()
        };
        let kernel = Kernel::new(Box::new(RealHost::new()), windows, config);
        let mut machine = Machine::new(kernel, &self.cpu);
        machine.cpu_model = self.cpu_model;
        let program = self.program()?;
        let pid = machine.boot(&program)?;
        Ok((machine, pid))
    }

    /// Runs the machine to its end, and tells what that cost if it was asked for.
    ///
    /// # Errors
    /// Those of [`Machine::run`]; the statistics cannot be written.
    pub fn run(&self, mut machine: Machine, pid: i32) -> Result<ExitStatus, Error> {
        machine.kernel.config.count_pages = self.stats.is_some();
        // What is written at the end is opened now.
        let stats_file = self.stats_output.as_deref().map(create).transpose()?;
        self.confine()?;
        let start = Instant::now();
        let result = machine.run(pid);
        if machine.is_left_behind() {
            std::mem::forget(machine);
            return result;
        }
        if self.cpu_stats {
            // Nobody can be told where standard error is closed.
            drop(std::io::stderr().write_all(cpu_stats::table(&machine).as_bytes()));
        }
        if self.perf_map {
            perf_map::write(&machine)?;
        }
        let Some(format) = self.stats else { return result };
        let stats = Stats::collect(&machine, start.elapsed());
        let text = match format {
            StatsFormat::Table => stats.table(),
            StatsFormat::Json => stats.to_json()?,
        };
        match stats_file {
            Some((path, mut file)) => file
                .write_all(text.as_bytes())
                .map_err(|source| Error::Host { what: format!("cannot write '{}'", path.display()), source })?,
            // Nobody can be told where even standard error is closed.
            None => drop(std::io::stderr().write_all(text.as_bytes())),
        }
        result
    }

    /// Confines this process, if that was asked for, and says what cannot be confined here.
    fn confine(&self) -> Result<(), Error> {
        if !self.sandbox {
            return Ok(());
        }
        let layout = self.layout();
        let root = layout.root.unwrap_or_else(|| PathBuf::from("/"));
        let mut files = vec![(root, Rights::All)];
        files.extend(layout.prefix.map(|dir| (dir, Rights::All)));
        files.extend(layout.binds.into_iter().map(|bind| match bind.writing {
            Writing::Allowed => (bind.host, Rights::All),
            Writing::Refused => (bind.host, Rights::Read),
        }));
        let network = if self.no_network { Network::Refused } else { Network::Allowed };
        for left in sandbox::confine(&Confinement { files, network })? {
            eprintln!("sevm: --sandbox: this kernel cannot confine {left}");
        }
        Ok(())
    }

    fn layout(&self) -> Layout {
        let prefix = self.prefix.clone().or_else(|| std::env::var_os("SEVM_LD_PREFIX").map(PathBuf::from));
        Layout { root: self.root.clone(), binds: self.bind.clone(), prefix }
    }

    fn program(&self) -> Result<Program, Error> {
        let [program, args @ ..] = &self.command[..] else { return Err(Error::Usage("no program given".into())) };
        // What PATH means below another root, only the machine knows.
        let path = if self.root.is_some() { program.as_bytes().to_vec() } else { search(program) };
        let argv0 = self.argv0.as_ref().unwrap_or(program);
        let argv = std::iter::once(argv0).chain(args).map(|a| a.as_bytes().to_vec()).collect();
        Ok(Program { path, argv, envp: self.environment(), cwd: self.cwd.clone() })
    }

    fn environment(&self) -> Vec<Vec<u8>> {
        let mut list: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        for item in &self.env {
            let bytes = item.as_bytes();
            let equals = bytes.iter().position(|b| *b == b'=');
            let name = &bytes[..equals.unwrap_or(bytes.len())];
            let value = equals.map(|at| OsString::from_vec(bytes[at + 1..].to_vec()));
            let at = list.iter().position(|(n, _)| n.as_bytes() == name);
            match (value, at) {
                (Some(value), Some(at)) => list[at].1 = value,
                (Some(value), None) => list.push((OsString::from_vec(name.to_vec()), value)),
                (None, Some(at)) => drop(list.remove(at)),
                (None, None) => {}
            }
        }
        list.into_iter().map(|(n, v)| [n.as_bytes(), b"=", v.as_bytes()].concat()).collect()
    }
}

/// A file to write to, with its name.
fn create(path: &Path) -> Result<(&Path, std::fs::File), Error> {
    let failed = |source| Error::Host { what: format!("cannot write '{}'", path.display()), source };
    Ok((path, std::fs::File::create(path).map_err(failed)?))
}

/// HOST:GUEST, with `:ro` or `:rw` behind.
fn bind(text: &str) -> Result<Bind, String> {
    let (rest, writing) = match text.rsplit_once(':') {
        Some((rest, "ro")) => (rest, Writing::Refused),
        Some((rest, "rw")) => (rest, Writing::Allowed),
        _ => (text, Writing::Allowed),
    };
    let (host, guest) = rest.split_once(':').ok_or("it has no colon")?;
    if host.is_empty() || !guest.starts_with('/') {
        return Err("GUEST is an absolute path".into());
    }
    Ok(Bind { host: host.into(), guest: guest.into(), writing })
}

/// The path of a program: as given if it has a slash, else the first executable file of that name in PATH, else as
/// given, which then cannot be found.
fn search(name: &OsString) -> Vec<u8> {
    let bytes = name.as_bytes();
    if bytes.contains(&b'/') || bytes.is_empty() {
        return bytes.to_vec();
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let executable = |p: &Path| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(p).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path)
        .map(|dir| if dir.as_os_str().is_empty() { Path::new(".").join(name) } else { dir.join(name) })
        .find(|p| executable(p))
        .map_or_else(|| bytes.to_vec(), |p| p.into_os_string().into_vec())
}

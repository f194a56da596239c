//! `sevm binfmt`: lets the host's kernel start foreign programs with sevm (Documentation/admin-guide/binfmt-misc.rst).

use crate::Error;
use crate::arch::Arch;
use crate::kernel::ExitStatus;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where Linux has its list.
const DIR: &str = "/proc/sys/fs/binfmt_misc";

/// Arguments of `sevm binfmt`.
#[derive(clap::Args)]
pub struct Args {
    /// Register the entries with the running kernel (needs root)
    #[arg(long, conflicts_with = "uninstall")]
    install: bool,
    /// Remove them from the running kernel (needs root)
    #[arg(long)]
    uninstall: bool,
    /// Only for programs of this architecture. Without it, this machine's own is printed but not registered
    #[arg(long, value_name = "ARCH")]
    arch: Option<Arch>,
    /// How to print: conf (lines for a file in /etc/binfmt.d) or shell (commands)
    #[arg(long, value_name = "FORMAT", default_value = "conf")]
    format: Format,
    /// Flags of the entries beside P: F opens sevm now rather than at each start, for programs in other roots
    #[arg(long, value_name = "FLAGS", default_value = "", value_parser = flags)]
    flags: String,
    /// The sevm to start; by default this one
    #[arg(long, value_name = "PATH")]
    interpreter: Option<PathBuf>,
    /// The directory that the kernel's list is mounted at
    #[arg(long, value_name = "DIR", default_value = DIR, hide = true)]
    dir: PathBuf,
}

/// How the entries are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For systemd-binfmt(8).
    Conf,
    /// For a shell.
    Shell,
}

/// Checks flags and puts P before them, by which the kernel passes a program's own name.
fn flags(text: &str) -> Result<String, String> {
    let mut all = "P".to_string();
    for flag in text.chars() {
        match flag {
            'P' | 'F' if all.contains(flag) => {}
            'F' => all.push(flag),
            'O' | 'C' => {
                return Err(format!(
                    "{flag} is not for sevm, which opens the program by its name with the user's rights"
                ));
            }
            _ => return Err(format!("no flag {flag}: there are P and F")),
        }
    }
    Ok(all)
}

/// Prints, registers or removes the entries.
pub fn main(args: Args) -> Result<ExitStatus, Error> {
    let own = Arch::ALL.into_iter().find(|a| a.name() == std::env::consts::ARCH);
    let shown: Vec<Arch> = args.arch.map_or(Arch::ALL.to_vec(), |a| vec![a]);
    if args.uninstall {
        for arch in shown {
            let done = if remove(&args.dir, arch)? { "removed" } else { "not there" };
            println!("{}: {done}", name(arch));
        }
        return Ok(ExitStatus::Code(0));
    }
    let interpreter = match args.interpreter {
        Some(path) => path,
        None => std::env::current_exe().map_err(|source| Error::Host { what: "sevm's own path".into(), source })?,
    };
    let interpreter = usable(&interpreter)?;
    if args.install {
        for arch in shown.into_iter().filter(|a| args.arch.is_some() || Some(*a) != own) {
            let done =
                if install(&args.dir, arch, interpreter, &args.flags)? { "registered" } else { "is there already" };
            println!("{}: {done}", name(arch));
        }
        return Ok(ExitStatus::Code(0));
    }
    for arch in shown {
        let entry = entry(arch, interpreter, &args.flags);
        match args.format {
            Format::Conf if Some(arch) == own => println!("# This machine's own architecture:\n# {entry}"),
            Format::Conf => println!("{entry}"),
            Format::Shell if Some(arch) == own => println!("# This machine's own architecture:\n# {}", command(&entry)),
            Format::Shell => println!("{}", command(&entry)),
        }
    }
    Ok(ExitStatus::Code(0))
}

/// The name of an entry.
fn name(arch: Arch) -> String {
    format!("sevm-{}", arch.name())
}

/// The path as text that an entry can hold.
fn usable(path: &Path) -> Result<&str, Error> {
    // BINPRM_BUF_SIZE of older kernels.
    const LONGEST: usize = 127;
    let text =
        path.to_str().filter(|t| path.is_absolute() && t.len() <= LONGEST && !t.contains([':', '\n', '\'', '\\']));
    text.ok_or_else(|| {
        let why = format!("an absolute path of at most {LONGEST} bytes without colon, quote and backslash");
        Error::Usage(format!("'{}' cannot stand in an entry: it must be {why}", path.display()))
    })
}

/// What the first 20 bytes of an ELF program of `arch` are, and which bits of them count: 64 bits, little-endian, version
/// 1, any OS, an executable or shared object (types 2 and 3), the machine.
fn magic(arch: Arch) -> ([u8; 20], [u8; 20]) {
    const OS: usize = 7;
    const TYPE: usize = 16;
    let machine = match arch {
        Arch::X86_64 => 62,
        Arch::Aarch64 => 183,
    };
    let magic = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, machine, 0];
    let mut mask = [0xff; 20];
    mask[OS] = 0;
    mask[TYPE] = 0xfe;
    (magic, mask)
}

/// Bytes as the kernel and systemd read them.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "\\x{b:02x}");
        s
    })
}

/// `:name:type:offset:magic:mask:interpreter:flags`.
fn entry(arch: Arch, interpreter: &str, flags: &str) -> String {
    let (magic, mask) = magic(arch);
    format!(":{}:M:0:{}:{}:{interpreter}:{flags}", name(arch), escaped(&magic), escaped(&mask))
}

/// A command that registers an entry.
fn command(entry: &str) -> String {
    format!("printf '%s' '{entry}' > {DIR}/register")
}

/// Explains why the kernel's list cannot be changed.
fn refused(dir: &Path) -> impl Fn(std::io::Error) -> Error {
    let dir = dir.display().to_string();
    move |source| {
        let what = match source.kind() {
            ErrorKind::PermissionDenied => format!("only root may change {dir}"),
            ErrorKind::NotFound => {
                format!("binfmt_misc is not mounted (mount -t binfmt_misc binfmt_misc {dir} does that)")
            }
            _ => format!("cannot change {dir}"),
        };
        Error::Host { what, source }
    }
}

/// Registers the entry, in place of an older one of its name. False if it is there as it should be.
fn install(dir: &Path, arch: Arch, interpreter: &str, flags: &str) -> Result<bool, Error> {
    let entry = entry(arch, interpreter, flags);
    match std::fs::read_to_string(dir.join(name(arch))) {
        Ok(there) if is_same(&there, arch, interpreter, flags) => return Ok(false),
        Ok(_) => {
            remove(dir, arch)?;
        }
        Err(_) => {}
    }
    // The file is never to be made: where it is not, nothing is mounted.
    let register = std::fs::OpenOptions::new().write(true).open(dir.join("register"));
    let written = register.and_then(|mut file| std::io::Write::write_all(&mut file, entry.as_bytes()));
    written.map_err(refused(dir)).map(|()| true)
}

/// Whether what the kernel tells of an entry is what `entry` asks for.
fn is_same(there: &str, arch: Arch, interpreter: &str, flags: &str) -> bool {
    let (magic, mask) = magic(arch);
    let hex = |bytes: &[u8]| escaped(bytes).replace("\\x", "");
    let field = |name: &str| there.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
    let sorted = |text: &str| {
        let mut all: Vec<char> = text.chars().collect();
        all.sort_unstable();
        all
    };
    there.lines().next() == Some("enabled")
        && field("interpreter ") == Some(interpreter)
        && field("flags:").map(sorted) == Some(sorted(flags))
        && field("offset ") == Some("0")
        && field("magic ") == Some(&hex(&magic))
        && field("mask ") == Some(&hex(&mask))
}

/// Removes the entry; false if there is none.
fn remove(dir: &Path, arch: Arch) -> Result<bool, Error> {
    match std::fs::OpenOptions::new().write(true).open(dir.join(name(arch))) {
        Ok(mut file) => std::io::Write::write_all(&mut file, b"-1").map_err(refused(dir)).map(|()| true),
        Err(e) if e.kind() == ErrorKind::NotFound && dir.join("register").exists() => Ok(false),
        Err(e) => Err(refused(dir)(e)),
    }
}

/// The command line that stands for `args` if the kernel has started sevm for a foreign program: the program's path, its
/// own name and its arguments follow sevm's path then. The kernel says so by a bit of AT_FLAGS (since Linux 5.12), for
/// entries with the flag P.
pub fn as_command(args: &[OsString], auxv: &[u8]) -> Option<Vec<OsString>> {
    const AT_FLAGS: u64 = 8;
    const PRESERVE_ARGV0: u64 = 1;
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
    let mut entries = auxv.chunks_exact(16).map(|e| (word(&e[..8]), word(&e[8..])));
    let preserved = entries.any(|(key, value)| key == AT_FLAGS && value & PRESERVE_ARGV0 != 0);
    let ([sevm, path, argv0, rest @ ..], true) = (args, preserved) else { return None };
    let mut name = OsString::from("--argv0=");
    name.push(argv0);
    let before = [sevm.clone(), "run".into(), name, "--".into(), path.clone()];
    Some(before.into_iter().chain(rest.iter().cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The strings of qemu's `scripts/qemu-binfmt-conf.sh` for aarch64, which are in wide use, but for the padding.
    #[test]
    fn entries_have_the_kernels_form() {
        let entry = entry(Arch::Aarch64, "/usr/bin/sevm", "PF");
        let fields: Vec<&str> = entry.split(':').collect();
        assert_eq!(fields[..4], ["", "sevm-aarch64", "M", "0"]);
        let header = r"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00";
        let mask = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";
        assert_eq!(fields[4..], [header, mask, "/usr/bin/sevm", "PF"]);
        // The kernel takes at most 1920 bytes.
        assert!(entry.len() < 1920);
    }

    #[test]
    fn only_programs_of_the_architecture_match() {
        let exe = std::fs::read("/proc/self/exe").expect("this program");
        for arch in Arch::ALL {
            let (magic, mask) = magic(arch);
            let matches = exe.iter().zip(magic).zip(mask).take(20).all(|((b, m), bits)| (b ^ m) & bits == 0);
            assert_eq!(matches, arch.name() == std::env::consts::ARCH, "{arch}");
        }
    }

    #[test]
    fn flags_are_checked() {
        assert_eq!(flags(""), Ok("P".into()));
        assert_eq!(flags("FP"), Ok("PF".into()));
        assert!(flags("C").is_err() && flags("O").is_err() && flags("x").is_err());
    }

    #[test]
    fn paths_that_break_an_entry_are_refused() {
        assert!(usable(Path::new("/usr/bin/sevm")).is_ok());
        for path in ["sevm", "/a:b", "/a'b", "/a\nb"] {
            assert!(usable(Path::new(path)).is_err(), "{path:?}");
        }
    }

    #[test]
    fn what_is_registered_is_recognised() {
        let there = "enabled\ninterpreter /usr/bin/sevm\nflags: PF\noffset 0\n\
                     magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";
        assert!(is_same(there, Arch::Aarch64, "/usr/bin/sevm", "PF"));
        assert!(!is_same(there, Arch::Aarch64, "/usr/bin/sevm", "P"));
        assert!(!is_same(there, Arch::X86_64, "/usr/bin/sevm", "PF"));
        assert!(!is_same(&there.replace("enabled", "disabled"), Arch::Aarch64, "/usr/bin/sevm", "PF"));
    }

    #[test]
    fn nothing_is_made_where_nothing_is_mounted() {
        let dir = tempfile::tempdir().expect("directory");
        let result = install(dir.path(), Arch::Aarch64, "/usr/bin/sevm", "P");
        assert!(result.is_err_and(|e| e.to_string().contains("not mounted")));
        assert!(remove(dir.path(), Arch::Aarch64).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).expect("directory").count(), 0);
    }

    #[test]
    fn the_kernels_arguments_become_a_command() {
        let args: Vec<OsString> = ["/usr/bin/sevm", "/opt/prog", "prog", "-x", "--"].map(OsString::from).to_vec();
        let auxv = |flags: u64| [6u64, 4096, 8, flags, 0, 0].iter().flat_map(|w| w.to_ne_bytes()).collect::<Vec<u8>>();
        let command = as_command(&args, &auxv(1)).expect("started by the kernel");
        assert_eq!(command, ["/usr/bin/sevm", "run", "--argv0=prog", "--", "/opt/prog", "-x", "--"]);
        assert_eq!(as_command(&args, &auxv(0)), None);
        assert_eq!(as_command(&args[..1], &auxv(1)), None);
    }
}

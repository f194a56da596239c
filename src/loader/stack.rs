//! The initial stack: argc, argv, envp and the auxiliary vector, laid out as Linux does (fs/binfmt_elf.c,
//! create_elf_tables).

use super::LoadError;
use crate::abi::Errno;
use crate::mem::{AreaName, GuestAddr, MapFlags, MapRequest, PAGE_SIZE, Prot, Space};

/// Types of auxiliary vector entries (getauxval(3)).
#[allow(missing_docs, reason = "named as in getauxval(3)")]
pub mod at {
    pub const NULL: u64 = 0;
    pub const PHDR: u64 = 3;
    pub const PHENT: u64 = 4;
    pub const PHNUM: u64 = 5;
    pub const PAGESZ: u64 = 6;
    pub const BASE: u64 = 7;
    pub const FLAGS: u64 = 8;
    pub const ENTRY: u64 = 9;
    pub const UID: u64 = 11;
    pub const EUID: u64 = 12;
    pub const GID: u64 = 13;
    pub const EGID: u64 = 14;
    pub const PLATFORM: u64 = 15;
    pub const HWCAP: u64 = 16;
    pub const CLKTCK: u64 = 17;
    pub const SECURE: u64 = 23;
    pub const RANDOM: u64 = 25;
    pub const HWCAP2: u64 = 26;
    pub const EXECFN: u64 = 31;
    pub const SYSINFO_EHDR: u64 = 33;
    pub const MINSIGSTKSZ: u64 = 51;
}

/// What goes on the stack.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// Arguments, `argv[0]` first.
    pub argv: &'a [Vec<u8>],
    /// Environment, `NAME=value`.
    pub envp: &'a [Vec<u8>],
    /// AT_EXECFN.
    pub execfn: &'a [u8],
    /// AT_PLATFORM.
    pub platform: &'static str,
    /// The 16 bytes that AT_RANDOM points to.
    pub random: [u8; 16],
    /// The other entries of the auxiliary vector, in order; the four that point into the stack are added.
    pub auxv: &'a [(u64, u64)],
    /// Bytes that the stack may grow to (RLIMIT_STACK).
    pub limit: u64,
    /// The stack is executable.
    pub executable: bool,
}

/// Where things are on the stack.
#[derive(Clone, Debug)]
pub struct Built {
    /// The initial stack pointer, 16-byte aligned; argc is there.
    pub sp: GuestAddr,
    /// Start and end of the argument strings.
    pub args: (GuestAddr, GuestAddr),
    /// Start and end of the environment strings.
    pub env: (GuestAddr, GuestAddr),
    /// The whole auxiliary vector, without the terminating AT_NULL.
    pub auxv: Vec<(u64, u64)>,
}

/// Linux's room below the strings when the stack is set up (setup_arg_pages: 128 KiB).
const EXPAND: u64 = 128 << 10;

/// The longest single argument or environment string (MAX_ARG_STRLEN).
const MAX_ARG_STRLEN: usize = 32 * PAGE_SIZE as usize;

/// Writes downwards from the top of the stack.
struct Writer<'a> {
    space: &'a mut Space,
    sp: u64,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<GuestAddr, LoadError> {
        self.sp -= bytes.len() as u64;
        self.space.poke(GuestAddr(self.sp), bytes).map_err(LoadError::Host)?;
        Ok(GuestAddr(self.sp))
    }

    fn string(&mut self, s: &[u8]) -> Result<GuestAddr, LoadError> {
        self.bytes(&[s, b"\0"].concat())
    }

    /// Strings so that the first one gets the lowest address; their addresses in order.
    fn strings(&mut self, list: &[Vec<u8>]) -> Result<Vec<u64>, LoadError> {
        let mut out = list.iter().rev().map(|s| Ok(self.string(s)?.0)).collect::<Result<Vec<_>, LoadError>>()?;
        out.reverse();
        Ok(out)
    }
}

/// Maps the stack at the top of the address space and fills it.
///
/// # Errors
/// `E2BIG` when arguments and environment take more than a quarter of the stack's limit (execve(2)).
pub fn build(space: &mut Space, c: &Contents<'_>) -> Result<Built, LoadError> {
    let strings: Vec<&Vec<u8>> = c.argv.iter().chain(c.envp).collect();
    let text: u64 = strings.iter().map(|s| s.len() as u64 + 1).sum();
    let pointers = (strings.len() + 3 + 2 * (c.auxv.len() + 6)) as u64 * 8;
    let quarter = (c.limit / 4).clamp(EXPAND, 6 << 20);
    if text + pointers > quarter || strings.iter().any(|s| s.len() >= MAX_ARG_STRLEN) {
        return Err(LoadError::Host(Errno::E2BIG));
    }
    let top = space.limit();
    let used = text + pointers + c.execfn.len() as u64 + PAGE_SIZE;
    let len = (used + EXPAND).next_multiple_of(PAGE_SIZE);
    let mut prot = Prot::READ | Prot::WRITE;
    if c.executable {
        prot |= Prot::EXEC;
    }
    let mut request = MapRequest::anonymous_at(GuestAddr(top - len), len, prot);
    request.flags |= MapFlags::GROWSDOWN | MapFlags::STACK;
    request.name = AreaName::Stack;
    space.map(&request).map_err(|_| LoadError::NoRoom("the stack"))?;
    fill(space, c, top)
}

fn fill(space: &mut Space, c: &Contents<'_>, top: u64) -> Result<Built, LoadError> {
    let mut w = Writer { space, sp: top - 8 };
    let execfn = w.string(c.execfn)?;
    let env_end = execfn;
    let envp = w.strings(c.envp)?;
    let args_end = GuestAddr(w.sp);
    let argv = w.strings(c.argv)?;
    let args_start = GuestAddr(w.sp);
    let platform = w.string(c.platform.as_bytes())?;
    w.sp &= !15;
    let random = w.bytes(&c.random)?;

    let mut auxv = c.auxv.to_vec();
    auxv.extend([(at::RANDOM, random.0), (at::EXECFN, execfn.0), (at::PLATFORM, platform.0)]);
    let mut words = vec![argv.len() as u64];
    words.extend(argv.iter().chain(&[0]).chain(&envp).chain(&[0]));
    for (kind, value) in auxv.iter().chain(&[(at::NULL, 0)]) {
        words.extend([*kind, *value]);
    }
    w.sp = (w.sp & !15) - (words.len() as u64 * 8).next_multiple_of(16);
    let sp = GuestAddr(w.sp);
    let bytes: Vec<u8> = words.iter().flat_map(|v| v.to_le_bytes()).collect();
    w.space.poke(sp, &bytes).map_err(LoadError::Host)?;
    Ok(Built { sp, args: (args_start, args_end), env: (args_end, env_end), auxv })
}

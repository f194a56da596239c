//! The vDSO (vdso(7)): a small shared object that is mapped into every program.
//!
//! Each of its functions makes the system call of its name, and no more: clocks are then read in one place, a trace shows
//! every reading, and a deterministic run counts it. On a real machine most of these calls never reach the kernel. The
//! object is made here, field by field, for programs that look symbols up by dynamic section (C libraries, Go) or by
//! section headers (dietlibc), and for unwinders and debuggers.

use crate::abi::Errno;
use crate::arch::Arch;
use crate::mem::{AreaName, GuestAddr, MapFlags, MapRequest, PAGE_SIZE, Prot, Space};

/// Its DT_SONAME, on both architectures.
const SONAME: &str = "linux-vdso.so.1";

/// A function that makes one system call.
struct Function {
    /// Its names: the first is global, another weak.
    names: &'static [&'static str],
    /// The number of the call.
    call: u32,
}

/// arch/x86/entry/vdso/vdso.lds.S
const X86_64: &[Function] = &[
    Function { names: &["__vdso_clock_gettime", "clock_gettime"], call: 228 },
    Function { names: &["__vdso_gettimeofday", "gettimeofday"], call: 96 },
    Function { names: &["__vdso_getcpu", "getcpu"], call: 309 },
    Function { names: &["__vdso_time", "time"], call: 201 },
    Function { names: &["__vdso_clock_getres", "clock_getres"], call: 229 },
];

/// arch/arm64/kernel/vdso/vdso.lds.S. The return from signal handlers is the last one: no unwind information may cover
/// it, for unwinders know a signal frame by its two instructions.
const AARCH64: &[Function] = &[
    Function { names: &["__kernel_gettimeofday"], call: 169 },
    Function { names: &["__kernel_clock_gettime"], call: 113 },
    Function { names: &["__kernel_clock_getres"], call: 114 },
    Function { names: &["__kernel_rt_sigreturn"], call: RT_SIGRETURN },
];

/// aarch64's number of rt_sigreturn(2).
const RT_SIGRETURN: u32 = 139;

/// Where the object lies in a process.
#[derive(Clone, Copy, Debug)]
pub struct Mapped {
    /// Its ELF header (AT_SYSINFO_EHDR).
    pub header: GuestAddr,
    /// The code through which handlers without SA_RESTORER return. x86_64 has none: there a restorer is compulsory.
    pub sigreturn: GuestAddr,
}

/// Maps the object of `arch`.
///
/// # Errors
/// `ENOMEM`: no room.
pub fn map(space: &mut Space, arch: Arch) -> Result<Mapped, Errno> {
    let (bytes, sigreturn) = image(arch);
    let request = MapRequest {
        flags: MapFlags::PRIVATE | MapFlags::ANONYMOUS,
        name: AreaName::Special("[vdso]"),
        ..MapRequest::anonymous((bytes.len() as u64).next_multiple_of(PAGE_SIZE), Prot::READ | Prot::EXEC)
    };
    let header = space.map(&request)?;
    space.poke(header, &bytes)?;
    Ok(Mapped { header, sigreturn: sigreturn.map_or(GuestAddr::NULL, |at| GuestAddr(header.0 + at)) })
}

/// Bytes of an ELF header, a program header and a section header.
const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const SECTION_HEADER: u64 = 64;

/// Sections in their order, by which they refer to each other.
mod section {
    pub const TEXT: u32 = 1;
    pub const STRINGS: u32 = 2;
    pub const SYMBOLS: u32 = 3;
    pub const NAMES: u32 = 10;
    pub const COUNT: u32 = 11;
}

/// A symbol of the object.
struct Symbol {
    name: &'static str,
    /// STT_FUNC with STB_GLOBAL or STB_WEAK.
    info: u8,
    value: u64,
    size: u64,
}

/// The file as it grows, and the headers of its sections.
struct Writer {
    bytes: Vec<u8>,
    headers: Vec<u8>,
    /// Names of sections, each ended by a zero.
    names: Vec<u8>,
}

/// What of a section header does not follow from where the section lies.
struct Section {
    name: &'static str,
    kind: u32,
    flags: u64,
    link: u32,
    info: u32,
    entry_size: u64,
}

const ALLOC: u64 = 2;

impl Section {
    const fn new(name: &'static str, kind: u32) -> Section {
        Section { name, kind, flags: ALLOC, link: 0, info: 0, entry_size: 0 }
    }
}

impl Writer {
    /// Adds a section; gives its address, which is its offset.
    fn section(&mut self, s: &Section, content: &[u8]) -> u64 {
        let align = 16;
        self.bytes.resize(self.bytes.len().next_multiple_of(align as usize), 0);
        let at = self.bytes.len() as u64;
        let name = self.names.len() as u32;
        self.names.extend(s.name.bytes().chain([0]));
        // The names of sections end with the name of that very section.
        let content = if s.name == ".shstrtab" { self.names.clone() } else { content.to_vec() };
        self.bytes.extend(&content);
        words32(&mut self.headers, &[name, s.kind]);
        words64(&mut self.headers, &[s.flags, if s.flags & ALLOC != 0 { at } else { 0 }, at, content.len() as u64]);
        words32(&mut self.headers, &[s.link, s.info]);
        words64(&mut self.headers, &[align, s.entry_size]);
        at
    }
}

fn words16(out: &mut Vec<u8>, words: &[u16]) {
    out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
}

fn words32(out: &mut Vec<u8>, words: &[u32]) {
    out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
}

fn words64(out: &mut Vec<u8>, words: &[u64]) {
    out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
}

/// The functions of `arch`, the name of their version, and the ELF machine number.
fn functions(arch: Arch) -> (&'static [Function], &'static str, u16) {
    match arch {
        Arch::X86_64 => (X86_64, "LINUX_2.6", 62),
        Arch::Aarch64 => (AARCH64, "LINUX_2.6.39", 183),
    }
}

/// The instructions of a function, with what fills them up to a multiple of 16 bytes.
fn code(arch: Arch, call: u32) -> Vec<u8> {
    let mut out = Vec::new();
    match arch {
        Arch::X86_64 => {
            // mov $call, %eax; syscall; ret
            out.push(0xb8);
            words32(&mut out, &[call]);
            out.extend([0x0f, 0x05, 0xc3]);
            out.resize(16, 0x90);
        }
        // mov x8, #call; svc #0; ret; nop
        Arch::Aarch64 => words32(&mut out, &[0xd280_0008 | call << 5, 0xd400_0001, 0xd65f_03c0, 0xd503_201f]),
    }
    out
}

/// Bytes of the object, and where the return from signal handlers lies in it.
fn image(arch: Arch) -> (Vec<u8>, Option<u64>) {
    let (functions, version, machine) = functions(arch);
    let start = HEADER + 3 * PROGRAM_HEADER;
    let mut w = Writer { bytes: vec![0; start as usize], headers: vec![0; SECTION_HEADER as usize], names: vec![0] };
    let text: Vec<u8> = functions.iter().flat_map(|f| code(arch, f.call)).collect();
    let text_at = w.section(&Section { flags: ALLOC | 4, ..Section::new(".text", 1) }, &text);
    let (mut symbols, mut sigreturn, mut covered) = (Vec::new(), None, text.len() as u64);
    for (i, f) in functions.iter().enumerate() {
        let value = text_at + 16 * i as u64;
        if arch == Arch::Aarch64 && f.call == RT_SIGRETURN {
            // Unwinders look up an address less one, as for any return address: that is the nop before it.
            (sigreturn, covered) = (Some(value), value - text_at - 4);
        }
        for (k, name) in f.names.iter().enumerate() {
            symbols.push(Symbol { name, info: if k == 0 { 0x12 } else { 0x22 }, value, size: 16 });
        }
    }
    let dynamic = dynamic_sections(&mut w, &symbols, version);
    let frames_at = frames(&mut w, arch, text_at, covered);
    w.section(&Section { flags: 0, ..Section::new(".shstrtab", 3) }, &[]);
    w.bytes.resize(w.bytes.len().next_multiple_of(16), 0);
    let headers_at = w.bytes.len() as u64;
    w.bytes.extend(&w.headers);

    let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    words16(&mut head, &[3, machine]);
    words32(&mut head, &[1]);
    words64(&mut head, &[text_at, HEADER, headers_at]);
    words32(&mut head, &[0]);
    let counts = [HEADER as u16, PROGRAM_HEADER as u16, 3, SECTION_HEADER as u16];
    words16(&mut head, &counts);
    words16(&mut head, &[section::COUNT as u16, section::NAMES as u16]);
    // PT_LOAD, PT_DYNAMIC and PT_GNU_EH_FRAME, with rights, place and alignment.
    let size = w.bytes.len() as u64;
    for (kind, rights, at, len, align) in
        [(1, 5, 0, size, PAGE_SIZE), (2, 4, dynamic.0, dynamic.1, 8), (0x6474_e550, 4, frames_at, 20, 4)]
    {
        words32(&mut head, &[kind, rights]);
        words64(&mut head, &[at, at, at, len, len, align]);
    }
    w.bytes[..start as usize].copy_from_slice(&head);
    (w.bytes, sigreturn)
}

/// Strings, symbols, hash table, versions and the dynamic section itself, whose place and length it gives.
fn dynamic_sections(w: &mut Writer, symbols: &[Symbol], version: &str) -> (u64, u64) {
    let mut strings = vec![0];
    let mut add = |s: &str| {
        let at = strings.len() as u32;
        strings.extend(s.bytes().chain([0]));
        at
    };
    let (soname, version_name) = (add(SONAME), add(version));
    let mut table = vec![0; 24];
    for s in symbols {
        words32(&mut table, &[add(s.name)]);
        table.extend([s.info, 0]);
        words16(&mut table, &[section::TEXT as u16]);
        words64(&mut table, &[s.value, s.size]);
    }
    let strings_at = w.section(&Section::new(".dynstr", 3), &strings);
    let linked = |name, kind, link| Section { link, ..Section::new(name, kind) };
    let section = Section { info: 1, entry_size: 24, ..linked(".dynsym", 11, section::STRINGS) };
    let symbols_at = w.section(&section, &table);
    let section = Section { entry_size: 4, ..linked(".hash", 5, section::SYMBOLS) };
    let hash_at = w.section(&section, &hash_table(symbols));

    // All symbols are of version 2; version 1 is the object's own name.
    let mut versions = Vec::new();
    words16(&mut versions, &[0]);
    symbols.iter().for_each(|_| words16(&mut versions, &[2]));
    let section = Section { entry_size: 2, ..linked(".gnu.version", 0x6fff_ffff, section::SYMBOLS) };
    let versions_at = w.section(&section, &versions);
    let mut definitions = Vec::new();
    for (flags, number, name, at, next) in [(1, 1, SONAME, soname, 28), (0, 2, version, version_name, 0)] {
        words16(&mut definitions, &[1, flags, number, 1]);
        words32(&mut definitions, &[hash(name), 20, next, at, 0]);
    }
    let section = Section { info: 2, ..linked(".gnu.version_d", 0x6fff_fffd, section::STRINGS) };
    let definitions_at = w.section(&section, &definitions);

    let mut dynamic = Vec::new();
    for (tag, value) in [
        (14, soname.into()),
        (4, hash_at),
        (5, strings_at),
        (6, symbols_at),
        (10, strings.len() as u64),
        (11, 24),
        (0x6fff_fffc, definitions_at),
        (0x6fff_fffd, 2),
        (0x6fff_fff0, versions_at),
        (0, 0),
    ] {
        words64(&mut dynamic, &[tag, value]);
    }
    let section = Section { entry_size: 16, ..linked(".dynamic", 6, section::STRINGS) };
    (w.section(&section, &dynamic), dynamic.len() as u64)
}

/// The hash table of System V: as many buckets as symbols.
fn hash_table(symbols: &[Symbol]) -> Vec<u8> {
    let count = symbols.len();
    let (mut buckets, mut chains) = (vec![0_u32; count], vec![0_u32; count + 1]);
    for (i, s) in symbols.iter().enumerate() {
        let bucket = &mut buckets[hash(s.name) as usize % count];
        chains[i + 1] = *bucket;
        *bucket = i as u32 + 1;
    }
    let mut out = Vec::new();
    words32(&mut out, &[count as u32, count as u32 + 1]);
    words32(&mut out, &buckets);
    words32(&mut out, &chains);
    out
}

/// The hash of a name (System V ABI, "Hash Table").
fn hash(name: &str) -> u32 {
    name.bytes().fold(0_u32, |h, byte| {
        let h = (h << 4).wrapping_add(byte.into());
        let high = h & 0xf000_0000;
        (h ^ high >> 24) & !high
    })
}

/// `.eh_frame` for `len` bytes of code at `text`, all with the frame of their caller, and `.eh_frame_hdr`, whose place it
/// gives (LSB Core, "Exception Frames").
///
/// No entry covers aarch64's return from signal handlers, so that unwinders look at its instructions.
fn frames(w: &mut Writer, arch: Arch, text: u64, len: u64) -> u64 {
    // Version 1, "zR", code and data alignment (-8), the return address, one byte: addresses are relative, of 4 bytes.
    let (code_align, column, rules): (u8, u8, &[u8]) = match arch {
        // CFA = rsp + 8; the return address lies 8 below.
        Arch::X86_64 => (1, 16, &[0x0c, 7, 8, 0x90, 1]),
        // CFA = sp + 0.
        Arch::Aarch64 => (4, 30, &[0x0c, 31, 0]),
    };
    let mut common = vec![0, 0, 0, 0, 1, b'z', b'R', 0, code_align, 0x78, column, 1, 0x1b];
    common.extend(rules);
    common.resize((common.len() + 4).next_multiple_of(8) - 4, 0);
    let mut out = Vec::new();
    words32(&mut out, &[common.len() as u32]);
    out.extend(&common);
    let at = (w.bytes.len() as u64).next_multiple_of(16);
    let entry = out.len() as u64;
    let place = at + entry + 8;
    words32(&mut out, &[20, entry as u32 + 4, text.wrapping_sub(place) as u32, len as u32, 0, 0]);
    words32(&mut out, &[0]);
    w.section(&Section::new(".eh_frame", 1), &out);

    // Version 1; where the frames are (relative), a count and a table relative to this section.
    let header = (w.bytes.len() as u64).next_multiple_of(16);
    let mut table = vec![1, 0x1b, 0x03, 0x3b];
    let relative = |to: u64, from: u64| to.wrapping_sub(from) as u32;
    words32(&mut table, &[relative(at, header + 4), 1, relative(text, header), relative(at + entry, header)]);
    w.section(&Section::new(".eh_frame_hdr", 1), &table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_objects_are_read_by_a_library_that_did_not_write_them() {
        for arch in [Arch::X86_64, Arch::Aarch64] {
            let (bytes, sigreturn) = image(arch);
            assert!(bytes.len() as u64 <= PAGE_SIZE);
            let elf = goblin::elf::Elf::parse(&bytes).expect("an ELF file");
            assert_eq!(elf.soname, Some(SONAME));
            assert_eq!(elf.section_headers.len(), section::COUNT as usize);
            let names: Vec<_> = elf.section_headers.iter().filter_map(|s| elf.shdr_strtab.get_at(s.sh_name)).collect();
            assert_eq!((names[2], names[3], names[10]), (".dynstr", ".dynsym", ".shstrtab"));
            let (functions, version, _) = functions(arch);
            let wanted: usize = functions.iter().map(|f| f.names.len()).sum();
            assert_eq!(elf.dynsyms.len(), wanted + 1);
            for symbol in elf.dynsyms.iter().skip(1) {
                let name = elf.dynstrtab.get_at(symbol.st_name).expect("a name");
                let function = functions.iter().find(|f| f.names.contains(&name)).expect("a function");
                let at = symbol.st_value as usize;
                assert_eq!(bytes[at..at + 16], code(arch, function.call));
                assert_eq!(sigreturn == Some(symbol.st_value), function.call == RT_SIGRETURN);
            }
            let verdef = elf.verdef.expect("version definitions");
            let names: Vec<_> = verdef.iter().flat_map(|d| d.iter().map(|a| a.vda_name).collect::<Vec<_>>()).collect();
            let names: Vec<_> = names.iter().filter_map(|n| elf.dynstrtab.get_at(*n)).collect();
            assert_eq!(names, [SONAME, version]);
        }
    }

    #[test]
    fn every_symbol_is_found_by_its_hash() {
        let (functions, ..) = functions(Arch::X86_64);
        let names = functions.iter().flat_map(|f| f.names);
        let symbols: Vec<_> = names.map(|name| Symbol { name, info: 0x12, value: 0, size: 0 }).collect();
        let table = hash_table(&symbols);
        let word = |i: usize| u32::from_le_bytes(table[4 * i..4 * i + 4].try_into().expect("4 bytes")) as usize;
        let buckets = word(0);
        for s in &symbols {
            let mut at = word(2 + hash(s.name) as usize % buckets);
            while at != 0 && symbols[at - 1].name != s.name {
                at = word(2 + buckets + at);
            }
            assert_ne!(at, 0, "{} is not in its chain", s.name);
        }
        // The number that programs have compiled in (Go's runtime, for one).
        assert_eq!(hash("LINUX_2.6"), 0x3ae_75f6);
    }
}

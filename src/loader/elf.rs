//! ELF headers and segments (elf(5); fs/binfmt_elf.c for what Linux accepts).

use super::{Image, LoadError};
use crate::abi::Errno;
use crate::arch::Arch;
use crate::mem::{Backing, GuestAddr, MapFlags, MapRequest, PAGE_SIZE, Prot, Space};
use goblin::container::{Container, Ctx};
use goblin::elf::header::{EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB, ELFMAG, ET_DYN, ET_EXEC, Header};
use goblin::elf::program_header::{PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_PHDR, ProgramHeader};
use std::rc::Rc;

const HEADER_SIZE: usize = 64;
const PHENT: usize = 56;
/// Linux reads at most a page of program headers.
const MAX_HEADERS: u16 = (PAGE_SIZE as usize / PHENT) as u16;
/// PATH_MAX, which bounds an interpreter's name.
const PATH_MAX: u64 = 4096;

/// A segment to map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Address, before the bias.
    pub vaddr: u64,
    /// Bytes in memory.
    pub memsz: u64,
    /// Where in the file.
    pub offset: u64,
    /// Bytes in the file; the rest is zero.
    pub filesz: u64,
    /// Access.
    pub prot: Prot,
}

impl Segment {
    fn first_page(&self) -> u64 {
        self.vaddr & !(PAGE_SIZE - 1)
    }

    /// Behind its last page. Cannot overflow: checked when the headers were read.
    fn end_page(&self) -> u64 {
        (self.vaddr + self.memsz).next_multiple_of(PAGE_SIZE)
    }
}

/// What the headers of an acceptable file say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Its architecture.
    pub arch: Arch,
    /// It may lie anywhere (ET_DYN).
    pub relocatable: bool,
    /// Entry, before the bias.
    pub entry: u64,
    /// Where the program headers are in the file.
    pub phoff: u64,
    /// How many there are.
    pub phnum: u16,
    /// Address of the program headers as PT_PHDR gives it.
    pub phdr_vaddr: Option<u64>,
    /// PT_LOAD segments, ascending.
    pub segments: Vec<Segment>,
    /// PT_INTERP without its NUL.
    pub interpreter: Option<Vec<u8>>,
    /// PT_GNU_STACK asks for an executable stack.
    pub exec_stack: bool,
    /// The largest alignment of a segment.
    pub align: u64,
}

fn malformed<T>(reason: impl Into<String>) -> Result<T, LoadError> {
    Err(LoadError::Malformed(reason.into()))
}

impl Headers {
    /// Reads and checks the headers of a file.
    ///
    /// # Errors
    /// Everything that keeps sevm from running it.
    pub fn read(image: &Image<'_>) -> Result<Headers, LoadError> {
        if image.size == 0 {
            return Err(LoadError::Empty);
        }
        let head = image.read(0, HEADER_SIZE)?;
        let header = check_header(&head)?;
        if header.e_phentsize as usize != PHENT {
            return malformed(format!("program headers of {} bytes", header.e_phentsize));
        }
        if header.e_phnum == 0 || header.e_phnum > MAX_HEADERS {
            return malformed(format!("{} program headers", header.e_phnum));
        }
        let len = header.e_phnum as usize * PHENT;
        let table = image.read(header.e_phoff, len)?;
        if table.len() < len {
            return Err(LoadError::Truncated("the program header table"));
        }
        let ctx = Ctx::new(Container::Big, goblin::container::Endian::Little);
        let parsed = ProgramHeader::parse(&table, 0, header.e_phnum as usize, ctx);
        let Ok(list) = parsed else { return malformed("unreadable program headers") };
        Headers::from_parts(image, &header, &list)
    }

    fn from_parts(image: &Image<'_>, header: &Header, list: &[ProgramHeader]) -> Result<Headers, LoadError> {
        let arch = arch_of(header)?;
        let mut out = Headers {
            arch,
            relocatable: header.e_type == ET_DYN,
            entry: header.e_entry,
            phoff: header.e_phoff,
            phnum: header.e_phnum,
            phdr_vaddr: None,
            segments: Vec::new(),
            interpreter: None,
            exec_stack: false,
            align: PAGE_SIZE,
        };
        for ph in list {
            match ph.p_type {
                PT_LOAD if ph.p_memsz > 0 || ph.p_filesz > 0 => {
                    out.segments.push(segment(image, ph)?);
                    if ph.p_align.is_power_of_two() {
                        out.align = out.align.max(ph.p_align);
                    }
                }
                PT_PHDR => out.phdr_vaddr = Some(ph.p_vaddr),
                PT_GNU_STACK => out.exec_stack = ph.p_flags & PF_X != 0,
                PT_INTERP if out.interpreter.is_none() => out.interpreter = Some(interpreter(image, ph)?),
                _ => {}
            }
        }
        out.check_layout()?;
        Ok(out)
    }

    fn check_layout(&self) -> Result<(), LoadError> {
        let Some(last) = self.segments.last() else { return malformed("no segment to load") };
        for pair in self.segments.windows(2) {
            if pair[1].vaddr < pair[0].vaddr + pair[0].memsz {
                return malformed(format!("segments at {:#x} and {:#x} overlap", pair[0].vaddr, pair[1].vaddr));
            }
        }
        if last.end_page() - self.segments[0].first_page() >= 1 << 47 {
            return malformed("segments span more than an address space");
        }
        let inside = |s: &&Segment| s.vaddr <= self.entry && self.entry < s.vaddr + s.memsz;
        match self.segments.iter().find(inside) {
            Some(s) if s.prot.contains(Prot::EXEC) => Ok(()),
            Some(_) => malformed(format!("the entry {:#x} is not in an executable segment", self.entry)),
            None => malformed(format!("the entry {:#x} lies outside all segments", self.entry)),
        }
    }
}

fn check_header(head: &[u8]) -> Result<Header, LoadError> {
    if !head.starts_with(ELFMAG) {
        return Err(LoadError::NotElf);
    }
    if head.len() <= EI_DATA {
        return Err(LoadError::Truncated("the ELF header"));
    }
    if head[EI_CLASS] != ELFCLASS64 {
        return Err(LoadError::Unsupported("a 32-bit ELF file; sevm runs 64-bit programs".into()));
    }
    if head[EI_DATA] != ELFDATA2LSB {
        return Err(LoadError::Unsupported("a big-endian ELF file; sevm runs little-endian programs".into()));
    }
    if head.len() < HEADER_SIZE {
        return Err(LoadError::Truncated("the ELF header"));
    }
    goblin::elf::Elf::parse_header(head).map_err(|e| LoadError::Malformed(e.to_string()))
}

fn arch_of(header: &Header) -> Result<Arch, LoadError> {
    let arch = Arch::ALL.into_iter().find(|a| a.elf_machine() == header.e_machine);
    let Some(arch) = arch else {
        let name = goblin::elf::header::machine_to_str(header.e_machine);
        return Err(LoadError::Unsupported(format!(
            "an ELF file for machine {} ({name}); sevm runs x86_64 and aarch64",
            header.e_machine
        )));
    };
    match header.e_type {
        ET_EXEC | ET_DYN => Ok(arch),
        t => Err(LoadError::Unsupported(format!(
            "an ELF file of type {}; only executables can be run",
            goblin::elf::header::et_to_str(t)
        ))),
    }
}

fn segment(image: &Image<'_>, ph: &ProgramHeader) -> Result<Segment, LoadError> {
    let at = ph.p_vaddr;
    if ph.p_filesz > ph.p_memsz {
        return malformed(format!("the segment at {at:#x} has more bytes in the file than in memory"));
    }
    let limit = 1u64 << 47;
    match at.checked_add(ph.p_memsz) {
        Some(end) if end <= limit => {}
        Some(_) => return malformed(format!("the segment at {at:#x} of {:#x} bytes is too large", ph.p_memsz)),
        None => return malformed(format!("the segment at {at:#x} of {:#x} bytes wraps around", ph.p_memsz)),
    }
    match ph.p_offset.checked_add(ph.p_filesz) {
        Some(end) if end <= image.size || ph.p_filesz == 0 => {}
        _ => return Err(LoadError::Truncated("a segment")),
    }
    if at % PAGE_SIZE != ph.p_offset % PAGE_SIZE {
        return malformed(format!(
            "the segment at {at:#x} is not aligned as its offset {:#x} in the file",
            ph.p_offset
        ));
    }
    let mut prot = Prot::empty();
    for (bit, p) in [(PF_R, Prot::READ), (PF_W, Prot::WRITE), (PF_X, Prot::EXEC)] {
        if ph.p_flags & bit != 0 {
            prot |= p;
        }
    }
    Ok(Segment { vaddr: at, memsz: ph.p_memsz, offset: ph.p_offset, filesz: ph.p_filesz, prot })
}

fn interpreter(image: &Image<'_>, ph: &ProgramHeader) -> Result<Vec<u8>, LoadError> {
    if !(2..=PATH_MAX).contains(&ph.p_filesz) {
        return malformed(format!("an interpreter name of {} bytes", ph.p_filesz));
    }
    let mut name = image.read(ph.p_offset, ph.p_filesz as usize)?;
    if (name.len() as u64) < ph.p_filesz {
        return Err(LoadError::Truncated("the interpreter's name"));
    }
    match name.pop() {
        Some(0) if !name.contains(&0) => Ok(name),
        _ => malformed("the interpreter's name is not terminated"),
    }
}

/// What to add to the addresses of a program: 0 unless it is relocatable, then two thirds up the address space, where
/// Linux puts it without randomisation (ELF_ET_DYN_BASE).
///
/// # Errors
/// It reaches beyond the address space.
pub fn program_bias(headers: &Headers, limit: u64) -> Result<u64, LoadError> {
    let (Some(first), Some(last)) = (headers.segments.first(), headers.segments.last()) else { return Ok(0) };
    let bias = if headers.relocatable {
        (limit / 3 * 2).next_multiple_of(headers.align.min(1 << 30)).wrapping_sub(first.first_page())
    } else {
        0
    };
    let end = last.end_page().wrapping_add(bias);
    let start = first.first_page().wrapping_add(bias);
    if start < end && end <= limit { Ok(bias) } else { Err(LoadError::NoRoom("the program")) }
}

/// What to add to the addresses of an interpreter: wherever mmap(2) would put it.
///
/// # Errors
/// There is no room, or it is not relocatable.
pub fn interpreter_bias(space: &mut Space, headers: &Headers) -> Result<u64, LoadError> {
    let (Some(first), Some(last)) = (headers.segments.first(), headers.segments.last()) else { return Ok(0) };
    if !headers.relocatable {
        return Err(LoadError::Unsupported("an interpreter that is not relocatable".into()));
    }
    let len = last.end_page() - first.first_page();
    let hold = MapRequest::anonymous(len, Prot::empty());
    let at = space.map(&hold).map_err(|_| LoadError::NoRoom("the interpreter"))?;
    space.unmap(at, len).map_err(|_| LoadError::NoRoom("the interpreter"))?;
    Ok(at.0.wrapping_sub(first.first_page()))
}

/// Where the parts of a mapped file lie.
#[derive(Clone, Copy, Debug)]
pub struct Mapped {
    pub(super) entry: GuestAddr,
    pub(super) phdr: GuestAddr,
    pub(super) code: (GuestAddr, GuestAddr),
    pub(super) data: (GuestAddr, GuestAddr),
    pub(super) end: GuestAddr,
}

/// Maps all segments of a file, `bias` added to their addresses.
///
/// # Errors
/// There is no room, or the host refuses to map the file.
pub fn map(space: &mut Space, image: &Image<'_>, headers: &Headers, bias: u64) -> Result<Mapped, LoadError> {
    let at = |v: u64| GuestAddr(v.wrapping_add(bias));
    let (mut code, mut data, mut end) = (None, None, GuestAddr::NULL);
    for s in &headers.segments {
        map_segment(space, image, s, bias)?;
        let (start, stop) = (at(s.vaddr), at(s.vaddr + s.filesz));
        if s.prot.contains(Prot::EXEC) {
            let c = code.get_or_insert((start, stop));
            c.1 = c.1.max(stop);
        }
        data = Some((start, stop));
        end = end.max(at(s.vaddr + s.memsz));
    }
    let in_file = |s: &&Segment| s.offset <= headers.phoff && headers.phoff - s.offset < s.filesz;
    let phdr = match headers.phdr_vaddr {
        Some(v) => at(v),
        None => {
            headers.segments.iter().find(in_file).map_or(GuestAddr::NULL, |s| at(s.vaddr + headers.phoff - s.offset))
        }
    };
    let none = (GuestAddr::NULL, GuestAddr::NULL);
    Ok(Mapped { entry: at(headers.entry), phdr, code: code.unwrap_or(none), data: data.unwrap_or(none), end })
}

fn no_room(_: Errno) -> LoadError {
    LoadError::NoRoom("a segment")
}

fn map_segment(space: &mut Space, image: &Image<'_>, s: &Segment, bias: u64) -> Result<(), LoadError> {
    let start = GuestAddr(s.first_page().wrapping_add(bias));
    let lead = s.vaddr - s.first_page();
    let end = GuestAddr(s.end_page().wrapping_add(bias));
    let mut next = start;
    if s.filesz > 0 {
        let len = lead + s.filesz;
        let backing = Backing {
            fd: image.fd,
            offset: s.offset - lead,
            path: Rc::clone(&image.path),
            dev: image.dev,
            ino: image.ino,
            readable: true,
            writable: false,
        };
        let flags = MapFlags::PRIVATE | MapFlags::FIXED;
        let request = MapRequest { addr: start, flags, backing: Some(backing), ..MapRequest::anonymous(len, s.prot) };
        space.map(&request).map_err(|e| match e {
            Errno::ENOMEM | Errno::EINVAL => LoadError::NoRoom("a segment"),
            e => LoadError::Host(e),
        })?;
        next = GuestAddr(start.0 + len.next_multiple_of(PAGE_SIZE));
        // Zero to the end of the page, not only of the segment: the dynamic linker allocates from there.
        let tail = (start.0 + len)..next.0;
        if s.memsz > s.filesz && !tail.is_empty() {
            let zeros = vec![0; (tail.end - tail.start) as usize];
            space.poke(GuestAddr(tail.start), &zeros).map_err(no_room)?;
        }
    }
    if next < end {
        let request = MapRequest::anonymous_at(next, end.0 - next.0, s.prot);
        space.map(&request).map_err(no_room)?;
    }
    Ok(())
}

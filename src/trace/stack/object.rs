//! An ELF object: its symbols, call frame information and line numbers.

use gimli::{EndianRcSlice, RunTimeEndian, SectionId};
use goblin::elf::program_header::PT_LOAD;
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE};
use goblin::elf::{Elf, SectionHeader};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

pub(super) type Slice = EndianRcSlice<RunTimeEndian>;
type Lines = addr2line::Context<Slice>;

/// A part of the file that is mapped.
struct Segment {
    offset: u64,
    size: u64,
    vaddr: u64,
}

/// Addresses of sections that call frame information counts from.
#[derive(Clone, Copy, Default)]
pub(super) struct Bases {
    pub eh_frame: u64,
    pub text: u64,
    pub got: u64,
}

/// An object.
pub(super) struct Object {
    segments: Vec<Segment>,
    /// Functions by address, with the object's own names.
    symbols: Vec<(u64, String)>,
    pub eh_frame: Option<Slice>,
    pub debug_frame: Option<Slice>,
    pub bases: Bases,
    /// Sections with line numbers, by name.
    sections: Vec<(String, Rc<[u8]>)>,
    lines: OnceCell<Option<Lines>>,
}

fn slice(bytes: &[u8]) -> Slice {
    EndianRcSlice::new(Rc::from(bytes), RunTimeEndian::Little)
}

fn is_compressed(header: &SectionHeader) -> bool {
    header.sh_flags & u64::from(goblin::elf::section_header::SHF_COMPRESSED) != 0
}

impl Object {
    /// The object in `bytes`, if they are one.
    pub(super) fn parse(bytes: Vec<u8>) -> Option<Object> {
        let elf = Elf::parse(&bytes).ok()?;
        let segments = elf
            .program_headers
            .iter()
            .filter(|h| h.p_type == PT_LOAD)
            .map(|h| Segment { offset: h.p_offset, size: h.p_filesz, vaddr: h.p_vaddr })
            .collect();
        let mut object = Object {
            segments,
            symbols: symbols(&elf),
            eh_frame: None,
            debug_frame: None,
            bases: Bases::default(),
            sections: Vec::new(),
            lines: OnceCell::new(),
        };
        for header in &elf.section_headers {
            let Some(name) = elf.shdr_strtab.get_at(header.sh_name) else { continue };
            let content = || {
                let start = usize::try_from(header.sh_offset).ok()?;
                let end = start.checked_add(usize::try_from(header.sh_size).ok()?)?;
                bytes.get(start..end).filter(|_| !is_compressed(header))
            };
            match name {
                ".eh_frame" => {
                    object.bases.eh_frame = header.sh_addr;
                    object.eh_frame = content().map(slice);
                }
                ".text" => object.bases.text = header.sh_addr,
                ".got" => object.bases.got = header.sh_addr,
                ".debug_frame" => object.debug_frame = content().map(slice),
                name if name.starts_with(".debug_") => {
                    if let Some(content) = content() {
                        object.sections.push((name.to_string(), Rc::from(content)));
                    }
                }
                _ => {}
            }
        }
        Some(object)
    }

    /// The address that a place in the file is for.
    pub(super) fn vaddr_of(&self, offset: u64) -> u64 {
        let segment = self.segments.iter().find(|s| offset.checked_sub(s.offset).is_some_and(|o| o < s.size));
        segment.map_or(offset, |s| (offset - s.offset).wrapping_add(s.vaddr))
    }

    /// The function at or before an address, readable, and where it begins.
    pub(super) fn symbol(&self, vaddr: u64) -> Option<(Cow<'_, str>, u64)> {
        let behind = self.symbols.partition_point(|(at, _)| *at <= vaddr);
        let (at, _) = self.symbols.get(behind.checked_sub(1)?)?;
        // Of several names for one place the first in the object's table.
        let first = self.symbols.partition_point(|(a, _)| a < at);
        let (at, name) = self.symbols.get(first)?;
        Some((addr2line::demangle_auto(Cow::Borrowed(name), None), *at))
    }

    /// The file and the line of the source that an address comes from.
    pub(super) fn source(&self, vaddr: u64) -> Option<(String, u32)> {
        let lines = self.lines.get_or_init(|| {
            let section = |id: SectionId| {
                let found = self.sections.iter().find(|(name, _)| name == id.name());
                let bytes = found.map_or_else(|| Rc::from(&[][..]), |(_, bytes)| Rc::clone(bytes));
                Ok::<_, gimli::Error>(EndianRcSlice::new(bytes, RunTimeEndian::Little))
            };
            gimli::Dwarf::load(section).ok().and_then(|dwarf| Lines::from_dwarf(dwarf).ok())
        });
        let location = lines.as_ref()?.find_location(vaddr).ok()??;
        let file = location.file?;
        let name = file.rsplit('/').next().unwrap_or(file);
        Some((name.to_string(), location.line?))
    }
}

/// Functions by address; those of one address in the order of the tables.
fn symbols(elf: &Elf<'_>) -> Vec<(u64, String)> {
    let own = elf.syms.iter().filter_map(|s| Some((s, elf.strtab.get_at(s.st_name)?)));
    let dynamic = elf.dynsyms.iter().filter_map(|s| Some((s, elf.dynstrtab.get_at(s.st_name)?)));
    let mut symbols: Vec<_> = own
        .chain(dynamic)
        .filter(|(s, name)| {
            let kind =
                matches!(s.st_type(), STT_FUNC | STT_GNU_IFUNC) || s.st_type() == STT_NOTYPE && !name.starts_with('$');
            kind && s.st_shndx != 0 && s.st_value != 0 && !name.is_empty()
        })
        .map(|(s, name)| (s.st_value, name.to_string()))
        .collect();
    symbols.sort_by_key(|(at, _)| *at);
    symbols
}

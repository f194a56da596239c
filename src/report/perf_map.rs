//! `--perf-map`: the file by which perf(1) names translated code (linux/tools/perf/Documentation/jit-interface.txt).

use crate::Error;
use crate::cpu::Translation;
use crate::machine::Machine;
use goblin::elf::Elf;
use goblin::elf::program_header::PT_LOAD;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// Functions of one file by the offset in it: name and length in bytes.
type Functions = BTreeMap<u64, (String, u64)>;

/// Writes the map of all translated code to `/tmp/perf-PID.map`, PID being sevm's own.
///
/// # Errors
/// The file cannot be written.
pub fn write(machine: &Machine) -> Result<(), Error> {
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let mut known: BTreeMap<Rc<[u8]>, Functions> = BTreeMap::new();
    let mut text = String::new();
    for piece in machine.cpus().flat_map(|cpu| cpu.translations()) {
        let name = name(&piece, &mut known);
        let _ = writeln!(text, "{:x} {:x} {name}", piece.host, piece.len);
    }
    std::fs::write(&path, text).map_err(|source| Error::Host { what: format!("cannot write '{path}'"), source })
}

/// A name for a piece: the guest's function and the offset in it, or else the file or the address.
fn name(piece: &Translation, known: &mut BTreeMap<Rc<[u8]>, Functions>) -> String {
    let Some((path, offset)) = &piece.file else { return format!("guest_{:#x}", piece.pc.0) };
    let functions = known.entry(Rc::clone(path)).or_insert_with(|| functions(path));
    match functions.range(..=*offset).next_back() {
        Some((start, (name, len))) if offset - start < (*len).max(4) => format!("{name}+{:#x}", offset - start),
        _ => {
            let file = Path::new(OsStr::from_bytes(path)).file_name().unwrap_or_default();
            format!("{}+{offset:#x}", file.to_string_lossy())
        }
    }
}

/// The functions that a file's symbol tables name. None if it is no ELF file that can be read.
fn functions(path: &[u8]) -> Functions {
    let mut found = Functions::new();
    let Ok(bytes) = std::fs::read(OsStr::from_bytes(path)) else { return found };
    let Ok(elf) = Elf::parse(&bytes) else { return found };
    let offset = |address: u64| {
        let holds = |p: &&goblin::elf::ProgramHeader| p.p_type == PT_LOAD && p.vm_range().contains(&(address as usize));
        elf.program_headers.iter().find(holds).map(|p| address - p.p_vaddr + p.p_offset)
    };
    for (table, names) in [(&elf.dynsyms, &elf.dynstrtab), (&elf.syms, &elf.strtab)] {
        for symbol in table.iter().filter(|s| s.is_function() && s.st_value != 0) {
            if let (Some(at), Some(name)) = (offset(symbol.st_value), names.get_at(symbol.st_name)) {
                found.insert(at, (name.to_owned(), symbol.st_size));
            }
        }
    }
    found
}

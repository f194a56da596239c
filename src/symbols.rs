//! Functions of ELF files, by where they lie in the file.

use goblin::elf::Elf;
use goblin::elf::program_header::PT_LOAD;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The functions that a file's symbol tables name.
#[derive(Clone, Debug, Default)]
pub struct Functions(BTreeMap<u64, (String, u64)>);

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 30;

impl Functions {
    /// Those of an open file, whatever its position; none if it is no ELF file that can be read.
    pub fn of_file(file: &File) -> Functions {
        let Ok(size) = file.metadata().map(|m| m.len()) else { return Functions::default() };
        let mut bytes = vec![0; size.min(LARGEST) as usize];
        file.read_exact_at(&mut bytes, 0).map_or_else(|_| Functions::default(), |()| Functions::of_elf(&bytes))
    }

    /// Those of an ELF file's contents; none if they are none.
    pub fn of_elf(bytes: &[u8]) -> Functions {
        let mut found = BTreeMap::new();
        let Ok(elf) = Elf::parse(bytes) else { return Functions(found) };
        let offset = |address: u64| {
            let holds =
                |p: &&goblin::elf::ProgramHeader| p.p_type == PT_LOAD && p.vm_range().contains(&(address as usize));
            elf.program_headers.iter().find(holds).map(|p| (address - p.p_vaddr).wrapping_add(p.p_offset))
        };
        for (table, names) in [(&elf.dynsyms, &elf.dynstrtab), (&elf.syms, &elf.strtab)] {
            for symbol in table.iter().filter(|s| s.is_function() && s.st_value != 0) {
                if let (Some(at), Some(name)) = (offset(symbol.st_value), names.get_at(symbol.st_name)) {
                    found.insert(at, (name.to_owned(), symbol.st_size));
                }
            }
        }
        Functions(found)
    }

    /// The function at an offset in the file, and how far behind its beginning that is. Functions without a size (of
    /// assembler code) are taken to have `sizeless` bytes.
    pub fn at(&self, offset: u64, sizeless: u64) -> Option<(&str, u64)> {
        let (start, (name, len)) = self.0.range(..=offset).next_back()?;
        let behind = offset - start;
        (behind < if *len == 0 { sizeless } else { *len }).then_some((name.as_str(), behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This test's own program has symbols, and what is none has not.
    #[test]
    fn own_functions() {
        let own = File::open("/proc/self/exe").expect("a file");
        let functions = Functions::of_file(&own);
        let main = functions.0.iter().find(|(_, (name, _))| name == "main").expect("a function");
        assert_eq!(functions.at(*main.0 + 1, 4), Some(("main", 1)));
        assert!(Functions::of_elf(b"\x7fELF and nothing").0.is_empty());
    }
}

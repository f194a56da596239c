//! What the engine knows of each address space.

use std::collections::BTreeMap;

use super::image::ImageId;
use super::jumps::{JumpTable, Tables};
use crate::Error;
use crate::mem::SpaceId;

/// One address space.
#[derive(Debug)]
pub(super) struct Slot {
    /// Host address of guest address 0.
    pub base: u64,
    /// One jump table a mode.
    pub tables: [Option<JumpTable>; 2],
    /// Images of files that it shows, with their guest ranges.
    pub files: Vec<(std::ops::Range<u64>, ImageId)>,
    /// All its other code.
    pub private: ImageId,
}

impl Slot {
    /// A space where nothing has run.
    pub fn new(base: u64, private: ImageId) -> Slot {
        Slot { base, tables: [None, None], files: Vec::new(), private }
    }

    /// The image that holds the code at an address, if it is a file's that is known.
    pub fn file_at(&self, pc: u64) -> Option<(std::ops::Range<u64>, ImageId)> {
        self.files.iter().find(|(range, _)| range.contains(&pc)).cloned()
    }

    /// The jump table of a mode.
    pub fn table(&mut self, mode: u8, tables: &mut Tables) -> Result<&mut JumpTable, Error> {
        let table = &mut self.tables[usize::from(mode & 1)];
        match table {
            Some(table) => Ok(table),
            None => Ok(table.insert(tables.table()?)),
        }
    }

    /// Forgets where indirect jumps go.
    pub fn clear_tables(&mut self) {
        self.tables.iter_mut().flatten().for_each(JumpTable::clear);
    }
}

/// All spaces.
#[derive(Debug, Default)]
pub(super) struct Spaces(pub BTreeMap<SpaceId, Slot>);

impl Spaces {
    /// Forgets one guest address in the jump tables of all spaces that show an image.
    pub fn forget(&mut self, image: ImageId, pc: u64, mode: u8) {
        for slot in self.0.values_mut() {
            let shows = slot.private == image || slot.files.iter().any(|(_, id)| *id == image);
            if let Some(table) = slot.tables[usize::from(mode & 1)].as_mut().filter(|_| shows) {
                table.forget(pc);
            }
        }
    }

    /// Forgets where indirect jumps go, everywhere.
    pub fn clear_tables(&mut self) {
        self.0.values_mut().for_each(Slot::clear_tables);
    }
}

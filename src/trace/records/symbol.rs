//! Names for addresses of code.

use crate::mem::{AreaName, GuestAddr, Space};
use crate::symbols::Functions;
use std::collections::BTreeMap;
use std::fs::File;

/// The functions of all files that calls have come from, by device and inode.
#[derive(Default)]
pub(super) struct Symbols(BTreeMap<(u64, u64), Functions>);

impl Symbols {
    /// The function that an address is in, and how far behind its beginning.
    pub(super) fn at(&mut self, space: &Space, addr: u64) -> Option<(&str, u64)> {
        let area = space.area_at(GuestAddr(addr))?;
        let AreaName::File { dev, ino, .. } = &area.name else { return None };
        let functions = self.0.entry((*dev, *ino)).or_insert_with(|| {
            let file = area.file().and_then(|fd| fd.try_clone_to_owned().ok());
            file.map_or_else(Functions::default, |fd| Functions::of_file(&File::from(fd)))
        });
        functions.at(area.offset() + (addr - area.start.0), 256)
    }
}

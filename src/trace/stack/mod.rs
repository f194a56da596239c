//! Where a call was made: the guest's stack with symbols (`-k`, `-kk`).
//!
//! Frames are found by DWARF call frame information (`.eh_frame`, `.debug_frame`) and, where there is none, by frame
//! pointers. Object files are read once each, through a function that whoever starts the trace gives; the kernel's own
//! object is read from guest memory.

mod object;
mod unwind;

use super::buf::{self, Buf};
use crate::arch::Regs;
use crate::mem::{Area, AreaName, GuestAddr, Space};
use object::Object;
use std::collections::BTreeMap;
use std::rc::Rc;
use unwind::Registers;

/// Gives the bytes of a file by its name in the guest.
pub type Loader = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

/// What is shown of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Its function (`-k`).
    Symbols,
    /// Its line in the source too (`-kk`).
    Source,
}

/// Frames that are shown at most; strace's limit.
const LIMIT: usize = 256;

/// Bytes of an object in memory that are looked at.
const MOST_IN_MEMORY: u64 = 1 << 16;

/// Stacks and the objects that their frames are in.
pub(super) struct Stacks {
    shown: Stack,
    loader: Loader,
    objects: BTreeMap<Vec<u8>, Option<Rc<Object>>>,
}

/// Where a frame is.
struct Place {
    name: Vec<u8>,
    object: Option<Rc<Object>>,
    /// Address of the program counter in the object's own numbering, and in its file.
    vaddr: u64,
    offset: u64,
    /// What the object's addresses have to be raised by.
    bias: u64,
}

impl Stacks {
    pub(super) fn new(shown: Stack, loader: Loader) -> Stacks {
        Stacks { shown, loader, objects: BTreeMap::new() }
    }

    /// The frames of a thread with these registers, a line each.
    pub(super) fn trace(&mut self, space: &Space, regs: &Regs) -> Buf {
        let mut out = Buf::new();
        let mut registers = Registers::of(regs);
        for depth in 0..LIMIT {
            let pc = registers.pc();
            // Behind a call stands the instruction after it, which may belong to another function.
            let inside = if depth == 0 || registers.is_exact() { pc } else { pc.wrapping_sub(1) };
            let Some(place) = self.place(space, inside) else { break };
            self.line(&mut out, &place, pc.wrapping_sub(inside));
            let object = place.object.as_deref();
            if !registers.step(space, object, place.vaddr, place.bias) {
                break;
            }
        }
        if out.is_empty() {
            buf::text(&mut out, " > no stack can be told\n");
        }
        out
    }

    fn place(&mut self, space: &Space, pc: u64) -> Option<Place> {
        let area = space.area_at(GuestAddr(pc))?;
        let name = match &area.name {
            AreaName::File { path, .. } => path.to_vec(),
            AreaName::Special(name) => name.as_bytes().to_vec(),
            _ => return Some(Place { name: b"[anon]".to_vec(), object: None, vaddr: pc, offset: pc, bias: 0 }),
        };
        let offset = (pc - area.start.0).wrapping_add(area.offset());
        let object = self.object(space, area, &name);
        let vaddr = object.as_ref().map_or(offset, |o| o.vaddr_of(offset));
        Some(Place { name, object, vaddr, offset, bias: pc.wrapping_sub(vaddr) })
    }

    fn object(&mut self, space: &Space, area: &Area, name: &[u8]) -> Option<Rc<Object>> {
        if let Some(known) = self.objects.get(name) {
            return known.clone();
        }
        let bytes = match &area.name {
            AreaName::File { .. } => (self.loader)(name),
            _ => {
                let mut bytes = vec![0; area.len().min(MOST_IN_MEMORY) as usize];
                space.read(area.start, &mut bytes).is_ok().then_some(bytes)
            }
        };
        let object = bytes.and_then(Object::parse).map(Rc::new);
        self.objects.insert(name.to_vec(), object.clone());
        object
    }

    /// ` > /bin/true(main+0x10) [0x1234]`, and with `-kk` the place in the source.
    fn line(&self, out: &mut Buf, place: &Place, behind: u64) {
        buf::text(out, " > ");
        buf::escaped(out, &place.name);
        buf::text(out, "(");
        let vaddr = place.vaddr.wrapping_add(behind);
        if let Some((symbol, at)) = place.object.as_ref().and_then(|o| o.symbol(place.vaddr)) {
            buf::text(out, &symbol);
            buf::text(out, "+0x");
            buf::text(out, &format!("{:x}", vaddr.wrapping_sub(at)));
        }
        buf::text(out, &format!(") [{:#x}]", place.offset.wrapping_add(behind)));
        if self.shown == Stack::Source
            && let Some((file, line)) = place.object.as_ref().and_then(|o| o.source(place.vaddr))
        {
            buf::text(out, " ");
            buf::escaped(out, file.as_bytes());
            buf::text(out, &format!(":{line}"));
        }
        out.push(b'\n');
    }
}

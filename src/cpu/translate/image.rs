//! Translated blocks, the links between them, and the images that they belong to.
//!
//! An image is a unit of sharing: either the unchanged contents of an executable area of a file, which all spaces that
//! show it share and which outlives them, or all other code of one space. Direct jumps are linked within an image only, so
//! that a space may drop an image without looking for jumps into it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::cache::CodeCache;
use super::front::{Addresses, Entry, Extent, Mark, Translated};
use crate::mem::CodeFile;

const PAGE: u64 = 4096;

/// Names a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u32);

/// Names an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(pub u32);

/// A translated block.
#[derive(Debug)]
pub struct Block {
    /// Where it belongs.
    pub image: ImageId,
    /// Guest address.
    pub pc: u64,
    /// Guest bytes.
    pub bytes: u32,
    /// Instructions.
    pub count: u32,
    /// Offset of its code: the entry for indirect jumps.
    pub host: u32,
    /// The other entries, from there.
    pub checked: u32,
    /// See `checked`.
    pub unchecked: u32,
    /// Where the code of its last instruction ends, from there.
    pub main_end: u32,
    /// Its marks: first and number.
    marks: (u32, u32),
    mode: u8,
    extent: Extent,
    /// The first link that goes to it, plus one.
    incoming: u32,
}

/// A direct jump out of a block. Offsets are of the cache.
#[derive(Clone, Copy, Debug)]
struct Link {
    at: u32,
    stub: u32,
    image: ImageId,
    mode: u8,
    target: u64,
    entry: Entry,
    /// The next one that goes to the same block, plus one.
    next: u32,
}

/// The blocks of one guest page in one mode.
#[derive(Debug, Default)]
struct CodePage {
    /// Whole blocks by the offset of their first byte, ascending.
    entries: Vec<(u16, BlockId)>,
    blocks: Vec<BlockId>,
}

impl CodePage {
    fn place(&self, pc: u64) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&((pc % PAGE) as u16), |e| e.0)
    }

    fn get(&self, pc: u64) -> Option<BlockId> {
        self.place(pc).ok().and_then(|at| self.entries.get(at)).map(|e| e.1)
    }

    fn set(&mut self, pc: u64, id: BlockId) {
        match self.place(pc) {
            Ok(at) => self.entries[at].1 = id,
            Err(at) => self.entries.insert(at, ((pc % PAGE) as u16, id)),
        }
    }

    fn remove(&mut self, pc: u64) {
        if let Ok(at) = self.place(pc) {
            self.entries.remove(at);
        }
    }
}

/// The file that an image's code comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path when it was first met.
    pub path: Rc<[u8]>,
    /// Guest address of the area.
    pub start: u64,
    /// Where in the file that is, in bytes.
    pub offset: u64,
}

/// Hashes numbers of pages, of which no guest can have enough to make them collide to any effect.
#[derive(Debug, Default)]
struct PageHasher(u64);

impl Hasher for PageHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u64(u64::from(*b)));
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// An image.
#[derive(Debug, Default)]
struct Image {
    source: Option<Source>,
    /// Pages by number and mode.
    pages: HashMap<(u64, u8), CodePage, BuildHasherDefault<PageHasher>>,
    /// Blocks that end where a budget does.
    cuts: BTreeMap<(u64, u8, Extent), BlockId>,
    /// Addresses and modes of blocks that met an address outside of the window, or with a tag.
    wild: BTreeSet<(u64, u8)>,
}

/// Everything that is translated.
#[derive(Debug)]
pub struct Images {
    images: Vec<Image>,
    files: BTreeMap<CodeFile, ImageId>,
    /// Private images that nobody uses.
    spare: Vec<ImageId>,
    /// In the order of their code.
    blocks: Vec<Block>,
    marks: Vec<Mark>,
    links: Vec<Link>,
}

impl Default for Images {
    fn default() -> Images {
        // Room for what small programs need, of which only what is used takes memory: to make room step by step would copy
        // everything several times.
        const BLOCKS: usize = 4096;
        Images {
            images: Vec::new(),
            files: BTreeMap::new(),
            spare: Vec::new(),
            blocks: Vec::with_capacity(BLOCKS),
            marks: Vec::with_capacity(8 * BLOCKS),
            links: Vec::with_capacity(2 * BLOCKS),
        }
    }
}

impl Images {
    /// The image of a file's contents.
    pub fn of_file(&mut self, file: &CodeFile, path: Rc<[u8]>) -> ImageId {
        if let Some(id) = self.files.get(file) {
            return *id;
        }
        let id = self.private();
        self.images[id.0 as usize].source = Some(Source { path, start: file.start.0, offset: file.offset });
        self.files.insert(*file, id);
        id
    }

    /// An empty image of one's own.
    pub fn private(&mut self) -> ImageId {
        self.spare.pop().unwrap_or_else(|| {
            self.images.push(Image::default());
            ImageId(self.images.len() as u32 - 1)
        })
    }

    /// Gives a private image back, whose space is gone.
    pub fn give_back(&mut self, id: ImageId) {
        self.images[id.0 as usize] = Image::default();
        self.spare.push(id);
    }

    /// All blocks with where they come from.
    pub fn all(&self) -> impl Iterator<Item = (&Block, Option<&Source>)> {
        self.blocks.iter().map(|b| (b, self.images[b.image.0 as usize].source.as_ref()))
    }

    /// A block by its name.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The block at a guest address.
    pub fn find(&self, image: ImageId, pc: u64, mode: u8, extent: Extent) -> Option<BlockId> {
        let image = &self.images[image.0 as usize];
        match extent {
            Extent::Whole => image.pages.get(&(pc / PAGE, mode))?.get(pc),
            Extent::Cut(_) => image.cuts.get(&(pc, mode, extent)).copied(),
        }
    }

    /// What addresses a block must be ready for.
    pub fn addresses(&self, image: ImageId, pc: u64, mode: u8) -> Addresses {
        match self.images[image.0 as usize].wild.contains(&(pc, mode)) {
            true => Addresses::Any,
            false => Addresses::Plain,
        }
    }

    /// Notes that a block met an address that it was not ready for.
    pub fn meet_wild(&mut self, image: ImageId, pc: u64, mode: u8) {
        self.images[image.0 as usize].wild.insert((pc, mode));
    }

    /// Adds a block whose code has been appended to the cache at `host`.
    pub fn add(
        &mut self,
        cache: &mut CodeCache,
        place: (ImageId, u64, u8, Extent),
        host: u32,
        translated: &Translated,
    ) -> BlockId {
        let (image, pc, mode, extent) = place;
        let id = BlockId(self.blocks.len() as u32);
        for site in &translated.links {
            cache.patch(host + site.number, self.links.len() as u32);
            let (at, stub) = (host + site.at, host + site.stub);
            self.links.push(Link { at, stub, image, mode, target: site.target, entry: site.entry, next: 0 });
        }
        let marks = (self.marks.len() as u32, translated.marks.len() as u32);
        self.marks.extend_from_slice(&translated.marks);
        self.blocks.push(Block {
            image,
            pc,
            bytes: translated.bytes,
            count: translated.count,
            host,
            main_end: translated.main_end,
            checked: translated.checked,
            unchecked: translated.unchecked,
            marks,
            mode,
            extent,
            incoming: 0,
        });
        let owner = &mut self.images[image.0 as usize];
        let page = owner.pages.entry((pc / PAGE, mode)).or_default();
        page.blocks.push(id);
        match extent {
            Extent::Whole => page.set(pc, id),
            Extent::Cut(_) => {
                owner.cuts.insert((pc, mode, extent), id);
            }
        }
        id
    }

    /// Where a link wants to go: image, mode and guest address.
    pub fn link_target(&self, link: u32) -> Option<(ImageId, u8, u64)> {
        self.links.get(link as usize).map(|l| (l.image, l.mode, l.target))
    }

    /// Makes a link go to a block.
    pub fn connect(&mut self, cache: &mut CodeCache, link: u32, to: BlockId) {
        let Some(site) = self.links.get_mut(link as usize) else { return };
        let block = &mut self.blocks[to.0 as usize];
        let entry = match site.entry {
            Entry::Checked => block.checked,
            Entry::Unchecked => block.unchecked,
        };
        cache.patch_jump(site.at, block.host + entry);
        site.next = std::mem::replace(&mut block.incoming, link + 1);
    }

    /// Makes a link go to code at an offset of the cache, which stays as long as the link.
    pub fn divert(&mut self, cache: &mut CodeCache, link: u32, to: u32) {
        if let Some(site) = self.links.get(link as usize) {
            cache.patch_jump(site.at, to);
        }
    }

    /// Drops the blocks of an image that overlap a guest range; `each` hears of the address and mode of every one.
    pub fn drop_range(
        &mut self,
        cache: &mut CodeCache,
        image: ImageId,
        start: u64,
        end: u64,
        mut each: impl FnMut(u64, u8),
    ) {
        let owner = &mut self.images[image.0 as usize];
        if owner.pages.is_empty() {
            return;
        }
        // A block may end behind the page that it begins in.
        let (first, last) = ((start / PAGE).saturating_sub(1), end.saturating_sub(1) / PAGE);
        // A range of few pages is looked up, a large one filters what there is.
        let keys: Vec<(u64, u8)> = if last - first < owner.pages.len() as u64 {
            (first..=last).flat_map(|p| [(p, 0), (p, 1)]).filter(|k| owner.pages.contains_key(k)).collect()
        } else {
            owner.pages.keys().copied().filter(|(p, _)| (first..=last).contains(p)).collect()
        };
        for key in keys {
            let Some(page) = owner.pages.get_mut(&key) else { continue };
            let (gone, kept): (Vec<BlockId>, Vec<BlockId>) = page.blocks.iter().partition(|id| {
                let block = &self.blocks[id.0 as usize];
                block.pc < end && block.pc.saturating_add(u64::from(block.bytes.max(4))) > start
            });
            page.blocks = kept;
            for id in &gone {
                let block = &mut self.blocks[id.0 as usize];
                let mut next = std::mem::take(&mut block.incoming);
                while let Some(link) = next.checked_sub(1).and_then(|link| self.links.get(link as usize)) {
                    cache.patch_jump(link.at, link.stub);
                    next = link.next;
                }
                match block.extent {
                    Extent::Whole => page.remove(block.pc),
                    cut => {
                        owner.cuts.remove(&(block.pc, block.mode, cut));
                    }
                }
                each(block.pc, block.mode);
            }
            if page.blocks.is_empty() {
                owner.pages.remove(&key);
            }
        }
    }

    /// The block and the mark of the instruction whose code is at an offset of the cache.
    pub fn at_host(&self, offset: u32) -> Option<(BlockId, Mark)> {
        let after = self.blocks.partition_point(|b| b.host <= offset);
        let index = after.checked_sub(1)?;
        let block = &self.blocks[index];
        let within = offset - block.host;
        if within >= block.main_end {
            return None;
        }
        let marks = &self.marks[block.marks.0 as usize..(block.marks.0 + block.marks.1) as usize];
        let number = marks.partition_point(|m| m.host <= within).checked_sub(1)?;
        Some((BlockId(index as u32), marks[number]))
    }

    /// Forgets everything; the cache has been emptied. Names of images stay good.
    pub fn clear(&mut self) {
        for image in &mut self.images {
            image.pages.clear();
            image.cuts.clear();
        }
        self.blocks.clear();
        self.marks.clear();
        self.links.clear();
    }
}

//! Guest memory against a simple model: a map from page number to bytes and permissions. Random operation sequences
//! must give the same results, the same areas and the same contents, in the space itself and in its forks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use proptest::prelude::*;
use sevm::abi::Errno;
use sevm::cpu::{Access, FaultKind};
use sevm::mem::{
    AreaName, Backing, GuestAddr, Locking, MapFlags, MapRequest, PAGE_SIZE, Prot, RemapFlags, Space, Windows,
};

/// The pages that fixed operations use, so that they meet often.
const ARENA: u64 = 0x10_0000;
const ARENA_PAGES: u64 = 24;
/// Pages that the mapped file has at first, and at most.
const FILE_PAGES: u64 = 6;

type Bytes = Vec<u8>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    PrivateAnon,
    SharedAnon,
    PrivateFile(u64),
    SharedFile(u64),
}

#[derive(Clone, Debug)]
enum Op {
    Map {
        page: u64,
        pages: u64,
        prot: u8,
        kind: Kind,
        place: Place,
    },
    Unmap {
        page: u64,
        pages: u64,
    },
    Protect {
        page: u64,
        pages: u64,
        prot: u8,
    },
    Write {
        at: u64,
        len: usize,
        fill: u8,
    },
    Poke {
        at: u64,
        len: usize,
        fill: u8,
    },
    Zero {
        at: u64,
        len: u64,
    },
    Remap {
        page: u64,
        old: u64,
        new: u64,
        flags: u32,
        to: u64,
    },
    Discard {
        page: u64,
        pages: u64,
    },
    FileWrite {
        page: u64,
        fill: u8,
    },
    FileTruncate {
        pages: u64,
    },
    Fork,
    /// Another space is the one that is used from here on.
    Switch {
        to: usize,
    },
    /// A space other than the one in use goes.
    Exit {
        which: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Fixed,
    NoReplace,
    Hint,
    Anywhere,
}

/// What a page shows.
#[derive(Clone, Debug)]
enum Content {
    Anon(Bytes),
    /// One page of a shared object: the object's pages, and which of them. Past its end is a bus error.
    Shared(Rc<RefCell<Vec<Bytes>>>, u64),
    /// A page of the file, unless it has bytes of its own.
    PrivateFile(u64, Option<Bytes>),
    SharedFile(u64),
}

#[derive(Clone, Debug)]
struct Page {
    prot: Prot,
    content: Content,
}

/// The file as the model sees it, and the real one.
struct TestFile {
    real: File,
    pages: Vec<Bytes>,
}

#[derive(Clone, Default)]
struct Model {
    pages: BTreeMap<u64, Page>,
}

fn zeros() -> Bytes {
    vec![0; PAGE_SIZE as usize]
}

impl Model {
    fn bytes(&self, page: u64, file: &TestFile) -> Option<Bytes> {
        match &self.pages.get(&page)?.content {
            Content::Anon(bytes) => Some(bytes.clone()),
            Content::Shared(object, index) => object.borrow().get(*index as usize).cloned(),
            Content::PrivateFile(_, Some(own)) => Some(own.clone()),
            Content::PrivateFile(index, None) | Content::SharedFile(index) => file.pages.get(*index as usize).cloned(),
        }
    }

    /// Changes bytes of one page; false behind the end of its file.
    fn change(&mut self, page: u64, file: &mut TestFile, change: impl FnOnce(&mut Bytes)) -> bool {
        let Some(p) = self.pages.get_mut(&page) else { return false };
        match &mut p.content {
            Content::Anon(bytes) => change(bytes),
            Content::Shared(object, index) => match object.borrow_mut().get_mut(*index as usize) {
                Some(bytes) => change(bytes),
                None => return false,
            },
            Content::PrivateFile(index, own) => match (own.as_mut(), file.pages.get(*index as usize)) {
                (Some(bytes), _) => change(bytes),
                (None, Some(shown)) => change(own.insert(shown.clone())),
                (None, None) => return false,
            },
            Content::SharedFile(index) => match file.pages.get_mut(*index as usize) {
                Some(bytes) => change(bytes),
                None => return false,
            },
        }
        true
    }

    /// Writes byte by byte while `allowed` and the file permit; gives the number written.
    fn write(&mut self, at: u64, data: &[u8], file: &mut TestFile, allowed: impl Fn(&Page) -> bool) -> usize {
        let mut done = 0;
        while done < data.len() {
            let addr = at + done as u64;
            let n = ((PAGE_SIZE - addr % PAGE_SIZE) as usize).min(data.len() - done);
            let page = addr / PAGE_SIZE;
            let start = (addr % PAGE_SIZE) as usize;
            let ok = self.pages.get(&page).is_some_and(&allowed)
                && self.change(page, file, |bytes| bytes[start..start + n].copy_from_slice(&data[done..done + n]));
            if !ok {
                break;
            }
            done += n;
        }
        done
    }

    /// Whether two neighbouring pages belong to one area.
    fn joined(&self, page: u64) -> bool {
        let (Some(a), Some(b)) = (self.pages.get(&page), self.pages.get(&(page + 1))) else { return false };
        a.prot == b.prot
            && match (&a.content, &b.content) {
                (Content::Anon(_), Content::Anon(_)) => true,
                (Content::Shared(x, i), Content::Shared(y, j)) => Rc::ptr_eq(x, y) && i + 1 == *j,
                (Content::PrivateFile(i, _), Content::PrivateFile(j, _)) => i + 1 == *j,
                (Content::SharedFile(i), Content::SharedFile(j)) => i + 1 == *j,
                _ => false,
            }
    }

    fn areas(&self) -> Vec<(u64, u64, Prot)> {
        let mut areas: Vec<(u64, u64, Prot)> = Vec::new();
        for (&page, p) in &self.pages {
            match areas.last_mut() {
                Some(last) if last.1 == page && self.joined(page - 1) => last.1 = page + 1,
                _ => areas.push((page, page + 1, p.prot)),
            }
        }
        areas
    }

    fn area_end(&self, page: u64) -> Option<u64> {
        self.areas().iter().find(|a| a.0 <= page && page < a.1).map(|a| a.1)
    }

    fn is_free(&self, page: u64, pages: u64) -> bool {
        self.pages.range(page..page + pages).next().is_none()
    }

    /// Where a mapping without a fixed place goes: the highest free place below `top`.
    fn highest(&self, pages: u64, top: u64) -> u64 {
        let mut places: Vec<u64> = self.pages.keys().filter_map(|&p| p.checked_sub(pages)).collect();
        places.push(top - pages);
        places.into_iter().filter(|&p| p + pages <= top && self.is_free(p, pages)).max().expect("room below")
    }

    fn unmap(&mut self, page: u64, pages: u64) {
        self.pages.retain(|&p, _| p < page || p >= page + pages);
    }
}

struct World {
    spaces: Vec<(Space, Model)>,
    file: TestFile,
}

impl World {
    fn new(lazy_from: u64) -> World {
        let windows = Windows::new(32).unwrap();
        windows.set_lazy_from(lazy_from);
        let space = Space::new(&windows).unwrap();
        let real = tempfile::tempfile().unwrap();
        let pages: Vec<Bytes> = (0..FILE_PAGES).map(|i| vec![0x40 + i as u8; PAGE_SIZE as usize]).collect();
        for (i, page) in pages.iter().enumerate() {
            real.write_all_at(page, i as u64 * PAGE_SIZE).unwrap();
        }
        World { spaces: vec![(space, Model::default())], file: TestFile { real, pages } }
    }

    /// The first page that no mapping without a place covers: where the search begins.
    fn top(&self) -> u64 {
        (self.spaces[0].0.limit() - (128 << 20)) / PAGE_SIZE
    }

    fn apply(&mut self, op: &Op) {
        let top = self.top();
        let (space, model) = self.spaces.last_mut().unwrap();
        let file = &mut self.file;
        match *op {
            Op::Map { page, pages, prot, kind, place } => map(space, model, file, top, page, pages, prot, kind, place),
            Op::Unmap { page, pages } => {
                assert_eq!(space.unmap(arena(page), pages * PAGE_SIZE), Ok(()));
                model.unmap(number(page), pages);
            }
            Op::Protect { page, pages, prot } => {
                let prot = Prot::from_bits_retain(prot);
                let mut expected = Ok(());
                for p in number(page)..number(page) + pages {
                    match model.pages.get_mut(&p) {
                        Some(page) => page.prot = prot,
                        None => {
                            expected = Err(Errno::ENOMEM);
                            break;
                        }
                    }
                }
                assert_eq!(space.protect(arena(page), pages * PAGE_SIZE, prot), expected);
            }
            Op::Write { at, len, fill } => {
                let data = pattern(len, fill);
                let done = model.write(ARENA + at, &data, file, |p| p.prot.contains(Prot::WRITE));
                assert_eq!(space.write_partial(GuestAddr(ARENA + at), &data), done);
            }
            Op::Poke { at, len, fill } => {
                let data = pattern(len, fill);
                let done = model.write(ARENA + at, &data, file, |_| true);
                let expected = if done == len { Ok(()) } else { Err(Errno::EFAULT) };
                assert_eq!(space.poke(GuestAddr(ARENA + at), &data), expected);
            }
            Op::Zero { at, len } => {
                let done = model.write(ARENA + at, &vec![0; len as usize], file, |p| p.prot.contains(Prot::WRITE));
                let expected = if done as u64 == len { Ok(()) } else { Err(Errno::EFAULT) };
                assert_eq!(space.zero(GuestAddr(ARENA + at), len), expected);
            }
            Op::Remap { page, old, new, flags, to } => remap(space, model, top, page, old, new, flags, to),
            Op::Discard { page, pages } => {
                let range = number(page)..number(page) + pages;
                let whole = range.clone().all(|p| model.pages.contains_key(&p));
                for (_, p) in model.pages.range_mut(range) {
                    match &mut p.content {
                        Content::Anon(bytes) => *bytes = zeros(),
                        Content::PrivateFile(_, own) => *own = None,
                        _ => {}
                    }
                }
                let expected = if whole { Ok(()) } else { Err(Errno::ENOMEM) };
                assert_eq!(space.discard(arena(page), pages * PAGE_SIZE), expected);
            }
            Op::FileWrite { page, fill } => {
                if let Some(bytes) = file.pages.get_mut(page as usize) {
                    *bytes = pattern(PAGE_SIZE as usize, fill);
                    file.real.write_all_at(bytes, page * PAGE_SIZE).unwrap();
                }
            }
            Op::FileTruncate { pages } => self.truncate(pages),
            Op::Fork => {
                let (space, model) = (space.fork().unwrap(), model.clone());
                self.spaces.push((space, model));
            }
            Op::Switch { to } => {
                let last = self.spaces.len() - 1;
                self.spaces.swap(to % (last + 1), last);
            }
            Op::Exit { which } => {
                let last = self.spaces.len() - 1;
                if last > 0 {
                    self.spaces.remove(which % last);
                }
            }
        }
    }

    fn truncate(&mut self, pages: u64) {
        self.file.real.set_len(pages * PAGE_SIZE).unwrap();
        self.file.pages.resize(pages as usize, zeros());
        // Private copies of pages that the file no longer has are gone too.
        for (_, model) in &mut self.spaces {
            for p in model.pages.values_mut() {
                if let Content::PrivateFile(index, own) = &mut p.content
                    && *index >= pages
                {
                    *own = None;
                }
            }
        }
    }

    fn check(&self) {
        for (space, model) in &self.spaces {
            let areas: Vec<_> = space.areas().map(|a| (a.start.0 / PAGE_SIZE, a.end.0 / PAGE_SIZE, a.prot)).collect();
            assert_eq!(areas, model.areas());
            assert_eq!(space.total_mapped(), model.pages.len() as u64 * PAGE_SIZE);
            for (&page, p) in &model.pages {
                let mut found = zeros();
                let at = GuestAddr(page * PAGE_SIZE);
                let expected = model.bytes(page, &self.file);
                assert_eq!(space.peek(at, &mut found).ok().map(|()| found), expected, "page {page:#x}");
                let mut found = zeros();
                let readable = expected.filter(|_| !p.prot.is_empty());
                assert_eq!(space.read(at, &mut found).ok().map(|()| found), readable, "page {page:#x}");
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one for each part of the operation")]
fn map(
    space: &mut Space,
    model: &mut Model,
    file: &TestFile,
    top: u64,
    page: u64,
    pages: u64,
    prot: u8,
    kind: Kind,
    place: Place,
) {
    let prot = Prot::from_bits_retain(prot);
    let (sharing, offset) = match kind {
        Kind::PrivateAnon => (MapFlags::PRIVATE | MapFlags::ANONYMOUS, None),
        Kind::SharedAnon => (MapFlags::SHARED | MapFlags::ANONYMOUS, None),
        Kind::PrivateFile(offset) => (MapFlags::PRIVATE, Some(offset)),
        Kind::SharedFile(offset) => (MapFlags::SHARED, Some(offset)),
    };
    let backing = offset.map(|offset| Backing {
        fd: file.real.as_fd(),
        offset: offset * PAGE_SIZE,
        path: Rc::from(&b"/a/file"[..]),
        dev: 1,
        ino: 2,
        readable: true,
        writable: true,
    });
    let (extra, expected) = match place {
        Place::Fixed => (MapFlags::FIXED, Ok(number(page))),
        Place::NoReplace if model.is_free(number(page), pages) => (MapFlags::FIXED_NOREPLACE, Ok(number(page))),
        Place::NoReplace => (MapFlags::FIXED_NOREPLACE, Err(Errno::EEXIST)),
        Place::Hint if model.is_free(number(page), pages) => (MapFlags::empty(), Ok(number(page))),
        Place::Hint | Place::Anywhere => (MapFlags::empty(), Ok(model.highest(pages, top))),
    };
    let addr = if matches!(place, Place::Anywhere) { GuestAddr::NULL } else { arena(page) };
    let request =
        MapRequest { addr, len: pages * PAGE_SIZE, prot, flags: sharing | extra, backing, name: AreaName::Anon };
    let found = space.map(&request);
    assert_eq!(found, expected.map(|p| GuestAddr(p * PAGE_SIZE)));
    let Ok(start) = expected else { return };
    model.unmap(start, pages);
    let object = Rc::new(RefCell::new(vec![zeros(); pages as usize]));
    for i in 0..pages {
        let content = match kind {
            Kind::PrivateAnon => Content::Anon(zeros()),
            Kind::SharedAnon => Content::Shared(object.clone(), i),
            Kind::PrivateFile(offset) => Content::PrivateFile(offset + i, None),
            Kind::SharedFile(offset) => Content::SharedFile(offset + i),
        };
        model.pages.insert(start + i, Page { prot, content });
    }
}

#[expect(clippy::too_many_arguments, reason = "one for each part of the operation")]
fn remap(space: &mut Space, model: &mut Model, top: u64, page: u64, old: u64, new: u64, flags: u32, to: u64) {
    let flags = RemapFlags::from_bits_retain(flags);
    let expected = model_remap(model, top, number(page), old, new, flags, number(to));
    let found = space.remap(arena(page), old * PAGE_SIZE, new * PAGE_SIZE, flags, arena(to));
    assert_eq!(found, expected.map(|p| GuestAddr(p * PAGE_SIZE)));
}

/// mremap(2) on page numbers, from its manual page and the kernel's order of checks.
fn model_remap(
    model: &mut Model,
    top: u64,
    from: u64,
    mut old: u64,
    new: u64,
    flags: RemapFlags,
    to: u64,
) -> Result<u64, Errno> {
    let [moves, fixed, keeps] =
        [RemapFlags::MAYMOVE, RemapFlags::FIXED, RemapFlags::DONTUNMAP].map(|f| flags.contains(f));
    if (fixed || keeps) && !moves || keeps && old != new || new == 0 {
        return Err(Errno::EINVAL);
    }
    let overlap = from + old > to && to + new > from;
    if (fixed || keeps) && overlap {
        return Err(Errno::EINVAL);
    }
    if !model.pages.contains_key(&from) {
        return Err(Errno::EFAULT);
    }
    if fixed {
        model.unmap(to, new);
    }
    if old > new || (old == new && !fixed && !keeps) {
        model.unmap(from + new, old - new);
        if !fixed && !keeps {
            return Ok(from);
        }
        old = new;
    }
    let Some(first) = model.pages.get(&from).cloned() else { return Err(Errno::EFAULT) };
    let shared = matches!(first.content, Content::Shared(..) | Content::SharedFile(_));
    if old == 0 && !shared {
        return Err(Errno::EINVAL);
    }
    let end = model.area_end(from).expect("mapped");
    if from + old > end {
        return Err(Errno::EFAULT);
    }
    let in_place = !fixed && !keeps && old != 0 && from + old == end && model.is_free(end, new - old);
    let start = match () {
        () if in_place => from,
        () if fixed => to,
        () if !moves => return Err(Errno::ENOMEM),
        () if keeps && model.is_free(to, new) => to,
        () => model.highest(new, top),
    };
    let moved: Vec<Page> = (0..new)
        .map(|i| {
            let source = if i < old { model.pages[&(from + i)].content.clone() } else { later(&first.content, i) };
            Page { prot: first.prot, content: source }
        })
        .collect();
    if !in_place && !keeps && old > 0 {
        model.unmap(from, old);
    }
    if keeps {
        for (_, p) in model.pages.range_mut(from..from + old) {
            match &mut p.content {
                Content::Anon(bytes) => *bytes = zeros(),
                Content::PrivateFile(_, own) => *own = None,
                _ => {}
            }
        }
    }
    for (i, page) in moved.into_iter().enumerate() {
        model.pages.insert(start + i as u64, page);
    }
    Ok(start)
}

/// What a page shows that lies `i` pages behind `first` in the same mapping, untouched.
fn later(first: &Content, i: u64) -> Content {
    match first {
        Content::Anon(_) => Content::Anon(zeros()),
        Content::Shared(object, index) => Content::Shared(object.clone(), index + i),
        Content::PrivateFile(index, _) => Content::PrivateFile(index + i, None),
        Content::SharedFile(index) => Content::SharedFile(index + i),
    }
}

fn number(page: u64) -> u64 {
    ARENA / PAGE_SIZE + page
}

fn arena(page: u64) -> GuestAddr {
    GuestAddr(number(page) * PAGE_SIZE)
}

fn pattern(len: usize, fill: u8) -> Bytes {
    (0..len).map(|i| fill.wrapping_add((i / 61) as u8)).collect()
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::PrivateAnon),
        1 => Just(Kind::SharedAnon),
        2 => (0..FILE_PAGES).prop_map(Kind::PrivateFile),
        2 => (0..FILE_PAGES).prop_map(Kind::SharedFile),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let page = 0..ARENA_PAGES;
    let pages = 1..7u64;
    let prot = prop_oneof![4 => Just(3u8), 1 => 0..8u8];
    let place = prop_oneof![
        4 => Just(Place::Fixed),
        1 => Just(Place::NoReplace),
        1 => Just(Place::Hint),
        1 => Just(Place::Anywhere),
    ];
    // Starts and lengths near page borders are the interesting ones.
    let at = (0..=ARENA_PAGES, prop_oneof![Just(0i64), -3..3i64, 0..4096i64])
        .prop_map(|(page, shift)| (page as i64 * PAGE_SIZE as i64 + shift).max(0) as u64);
    let len = prop_oneof![1..10usize, 4090..4100usize, 1..20000usize];
    prop_oneof![
        6 => (page.clone(), pages.clone(), prot.clone(), kind(), place)
            .prop_map(|(page, pages, prot, kind, place)| Op::Map { page, pages, prot, kind, place }),
        2 => (page.clone(), pages.clone()).prop_map(|(page, pages)| Op::Unmap { page, pages }),
        3 => (page.clone(), pages.clone(), prot).prop_map(|(page, pages, prot)| Op::Protect { page, pages, prot }),
        6 => (at.clone(), len.clone(), any::<u8>()).prop_map(|(at, len, fill)| Op::Write { at, len, fill }),
        1 => (at.clone(), len.clone(), any::<u8>()).prop_map(|(at, len, fill)| Op::Poke { at, len, fill }),
        1 => (at, 0..9000u64).prop_map(|(at, len)| Op::Zero { at, len }),
        4 => (page.clone(), 0..5u64, 0..7u64, 0..8u32, page.clone())
            .prop_map(|(page, old, new, flags, to)| Op::Remap { page, old, new, flags, to }),
        2 => (page, pages).prop_map(|(page, pages)| Op::Discard { page, pages }),
        1 => (0..FILE_PAGES, any::<u8>()).prop_map(|(page, fill)| Op::FileWrite { page, fill }),
        1 => (0..=FILE_PAGES).prop_map(|pages| Op::FileTruncate { pages }),
        1 => Just(Op::Fork),
        1 => (0..8usize).prop_map(|to| Op::Switch { to }),
        1 => (0..8usize).prop_map(|which| Op::Exit { which }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_the_model(ops in prop::collection::vec(op(), 1..40)) {
        let mut world = World::new(u64::MAX);
        for op in &ops {
            world.apply(op);
            world.check();
        }
    }

    /// The same with forks that copy late. Looking at the bytes would copy them, so they are looked at in the end.
    #[test]
    fn late_copies_behave_as_the_model(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new(PAGE_SIZE);
        for op in &ops {
            world.apply(op);
        }
        world.check();
    }

    /// The break, against plain arithmetic: it moves wherever a page of room is left before the next area.
    #[test]
    fn break_behaves_as_the_model(steps in prop::collection::vec(0..40_000u64, 1..30), obstacle in 4..12u64) {
        let mut space = Space::new(&Windows::new(32).unwrap()).unwrap();
        let start = 0x20_0123u64;
        space.set_brk_start(GuestAddr(start));
        let wall = 0x20_0000 + obstacle * PAGE_SIZE;
        space.map(&MapRequest::anonymous_at(GuestAddr(wall), PAGE_SIZE, Prot::READ)).unwrap();
        let mut brk = start;
        for step in steps {
            let wanted = start - 5000 + step;
            let end = wanted.next_multiple_of(PAGE_SIZE);
            let shrinks_or_stays = end <= brk.next_multiple_of(PAGE_SIZE);
            if wanted >= start && (shrinks_or_stays || end + PAGE_SIZE <= wall) {
                brk = wanted;
            }
            prop_assert_eq!(space.brk(GuestAddr(wanted)), GuestAddr(brk));
            let first = start.next_multiple_of(PAGE_SIZE);
            let mapped = brk.next_multiple_of(PAGE_SIZE) - first;
            prop_assert!(space.check_range(GuestAddr(first), mapped));
            prop_assert_eq!(space.total_mapped(), mapped + PAGE_SIZE);
        }
    }
}

const RW: Prot = Prot::READ.union(Prot::WRITE);

fn space() -> Space {
    Space::new(&Windows::new(32).unwrap()).unwrap()
}

fn fixed(space: &mut Space, page: u64, pages: u64, prot: Prot) -> GuestAddr {
    space.map(&MapRequest::anonymous_at(arena(page), pages * PAGE_SIZE, prot)).unwrap()
}

#[test]
fn strings_end_where_the_pages_do() {
    let mut s = space();
    let start = fixed(&mut s, 0, 2, RW);
    let end = start.offset(2 * PAGE_SIZE);
    s.write(GuestAddr(end.0 - 6), b"hello\0").unwrap();
    assert_eq!(s.read_cstr(GuestAddr(end.0 - 6), 4096), Ok(b"hello".to_vec()));
    assert_eq!(s.read_cstr(GuestAddr(end.0 - 6), 6), Ok(b"hello".to_vec()));
    assert_eq!(s.read_cstr(GuestAddr(end.0 - 6), 5), Err(Errno::ENAMETOOLONG));
    s.write(GuestAddr(end.0 - 6), b"hello!").unwrap();
    assert_eq!(s.read_cstr(GuestAddr(end.0 - 6), 4096), Err(Errno::EFAULT));
    assert_eq!(s.read_cstr(GuestAddr(end.0 - 6), 6), Err(Errno::ENAMETOOLONG));
    assert_eq!(s.read_cstr(GuestAddr::NULL, 4096), Err(Errno::EFAULT));
    assert_eq!(s.read_cstr(GuestAddr(u64::MAX), 4096), Err(Errno::EFAULT));
    assert_eq!(s.read_cstr(GuestAddr(u64::MAX - 300), 4096), Err(Errno::EFAULT));
}

#[test]
fn values_and_arrays_are_copied_whole_or_not() {
    let mut s = space();
    let start = fixed(&mut s, 0, 3, RW);
    let last = GuestAddr(start.0 + 3 * PAGE_SIZE - 8);
    s.copy_out(last, &0x1122_3344_5566_7788u64).unwrap();
    assert_eq!(s.copy_in::<u64>(last), Ok(0x1122_3344_5566_7788));
    assert_eq!(s.copy_in::<u64>(last.offset(1)), Err(Errno::EFAULT));
    assert_eq!(s.copy_out(last.offset(4), &[1u32, 2]), Err(Errno::EFAULT));
    assert_eq!(s.copy_in::<u32>(last.offset(4)), Ok(1), "what fits is written");
    s.copy_out_array(start, &(0..2048u32).collect::<Vec<_>>()).unwrap();
    assert_eq!(s.copy_in_array::<u32>(start.offset(4), 2047).unwrap()[2046], 2047);
    assert_eq!(s.copy_in_array::<u32>(start, usize::MAX), Err(Errno::EFAULT));
    assert_eq!(s.copy_in_array::<u32>(start, 1 << 40), Err(Errno::EFAULT));
    assert_eq!(s.copy_in_array::<u32>(GuestAddr::NULL, 0), Ok(vec![]));
    assert_eq!(s.copy_in::<[u8; 8192]>(start).map(|b| b[4]), Ok(1));
}

#[test]
fn spans_stop_at_the_first_bad_page() {
    let mut s = space();
    let start = fixed(&mut s, 0, 4, RW);
    s.protect(start.offset(2 * PAGE_SIZE), PAGE_SIZE, Prot::READ).unwrap();
    s.protect(start.offset(3 * PAGE_SIZE), PAGE_SIZE, Prot::empty()).unwrap();
    assert_eq!(s.spans_in(start.offset(10), 1 << 20).unwrap().len(), 3 * PAGE_SIZE - 10);
    assert_eq!(s.spans_out(start.offset(10), 1 << 20).unwrap().len(), 2 * PAGE_SIZE - 10);
    assert_eq!(s.spans_out(start.offset(2 * PAGE_SIZE), 1).unwrap_err(), Errno::EFAULT);
    assert_eq!(s.spans_in(start, u64::MAX).unwrap_err(), Errno::EFAULT);
    assert!(s.spans_in(GuestAddr::NULL, 0).unwrap().is_empty());
    s.write_log().set_enabled(true);
    s.spans_out(start, 100).unwrap();
    s.copy_out(start.offset(8), &7u32).unwrap();
    assert_eq!(s.write_log().take(), vec![(start, 100), (start.offset(8), 4)]);
}

#[test]
fn faults_are_told_apart() {
    let mut s = space();
    let start = fixed(&mut s, 0, 1, Prot::READ);
    assert_eq!(s.classify_fault(start, Access::Write), FaultKind::Protection);
    assert_eq!(s.classify_fault(start, Access::Execute), FaultKind::Protection);
    assert_eq!(s.classify_fault(start.offset(PAGE_SIZE), Access::Read), FaultKind::Unmapped);
    assert_eq!(s.classify_fault(GuestAddr(u64::MAX), Access::Read), FaultKind::Unmapped);
    assert_eq!(s.classify_fault(start, Access::Read), FaultKind::BeyondFile);
}

#[test]
fn stacks_grow_to_their_limit_and_keep_a_gap() {
    let mut s = space();
    let mib = 1 << 20;
    let top = GuestAddr(64 * mib);
    let request = MapRequest::anonymous_at(GuestAddr(top.0 - PAGE_SIZE), PAGE_SIZE, RW);
    s.map(&MapRequest { flags: request.flags | MapFlags::GROWSDOWN, name: AreaName::Stack, ..request }).unwrap();
    // A hint in the gap below is not honoured, and the break stops before it.
    let near = MapRequest { addr: GuestAddr(top.0 - mib / 2), ..MapRequest::anonymous(PAGE_SIZE, RW) };
    assert_ne!(s.map(&near), Ok(near.addr));
    // Kernel writes extend it, reads see zeros.
    assert_eq!(s.copy_in::<u64>(GuestAddr(top.0 - 3 * PAGE_SIZE)), Ok(0));
    s.copy_out(GuestAddr(top.0 - 3 * PAGE_SIZE), &5u64).unwrap();
    assert_eq!(s.area_at(GuestAddr(top.0 - 3 * PAGE_SIZE)).unwrap().name, AreaName::Stack);
    assert!(s.grow_stack(GuestAddr(top.0 - 8 * mib)));
    assert!(!s.grow_stack(GuestAddr(top.0 - 8 * mib - 1)), "the limit is 8 MiB");
    s.limits.stack = u64::MAX;
    s.map(&MapRequest::anonymous_at(GuestAddr(top.0 - 20 * mib), PAGE_SIZE, RW)).unwrap();
    let below = top.0 - 20 * mib + PAGE_SIZE;
    assert!(!s.grow_stack(GuestAddr(below + mib - PAGE_SIZE)), "an area is nearer than 1 MiB");
    assert!(s.grow_stack(GuestAddr(below + mib)));
    s.limits.address_space = s.total_mapped();
    assert!(!s.grow_stack(GuestAddr(below + mib - 1)));
    assert!(!s.grow_stack(GuestAddr(8)));
}

#[test]
fn sizes_that_overflow_are_refused() {
    let mut s = space();
    let start = fixed(&mut s, 0, 2, RW);
    let limit = s.limit();
    let anon = |addr: u64, len: u64, extra: MapFlags| {
        let request = MapRequest::anonymous(len, RW);
        MapRequest { addr: GuestAddr(addr), flags: request.flags | extra, ..request }
    };
    for len in [limit + 1, 1 << 62, u64::MAX - PAGE_SIZE, u64::MAX] {
        assert_eq!(s.map(&anon(0, len, MapFlags::empty())), Err(Errno::ENOMEM));
        assert_eq!(s.map(&anon(start.0, len, MapFlags::FIXED)), Err(Errno::ENOMEM));
        assert_eq!(s.unmap(start, len), Err(Errno::EINVAL));
        assert_eq!(s.protect(start, len, RW), Err(Errno::ENOMEM));
        assert!(s.remap(start, PAGE_SIZE, len, RemapFlags::MAYMOVE, GuestAddr::NULL).is_err());
        assert!(s.discard(start, len).is_err());
        assert!(s.set_locked(start, len, Locking::Now).is_err());
        assert!(!s.access_ok(start, len));
    }
    assert_eq!(s.map(&anon(limit, PAGE_SIZE, MapFlags::FIXED)), Err(Errno::ENOMEM));
    assert_eq!(s.map(&anon(limit - PAGE_SIZE, PAGE_SIZE, MapFlags::FIXED)), Ok(GuestAddr(limit - PAGE_SIZE)));
    // A hint that cannot be met is forgotten.
    assert!(s.map(&anon(u64::MAX - 5, PAGE_SIZE, MapFlags::empty())).is_ok());
    assert_eq!(s.map(&anon(5000, PAGE_SIZE, MapFlags::empty())), Ok(GuestAddr(65536)));
    assert_eq!(s.brk(GuestAddr(u64::MAX)), GuestAddr(0));
    assert!(s.resident(start, u64::MAX).is_err());
    assert!(s.zero(GuestAddr(u64::MAX), 2).is_err());
    assert!(s.peek(GuestAddr(u64::MAX), &mut [0; 2]).is_err());
}

#[test]
fn limits_hold() {
    let mut s = space();
    let start = fixed(&mut s, 0, 4, RW);
    s.limits.address_space = 8 * PAGE_SIZE;
    assert_eq!(s.map(&MapRequest::anonymous(5 * PAGE_SIZE, RW)), Err(Errno::ENOMEM));
    fixed(&mut s, 0, 8, RW);
    assert_eq!(s.remap(start, 8 * PAGE_SIZE, 9 * PAGE_SIZE, RemapFlags::MAYMOVE, GuestAddr::NULL), Err(Errno::ENOMEM));
    s.limits.address_space = u64::MAX;
    s.limits.data = 8 * PAGE_SIZE;
    let read_only = s.map(&MapRequest::anonymous(PAGE_SIZE, Prot::READ)).unwrap();
    assert_eq!(s.protect(read_only, PAGE_SIZE, RW), Err(Errno::ENOMEM));
    assert_eq!(s.map(&MapRequest::anonymous(PAGE_SIZE, RW)), Err(Errno::ENOMEM));
    s.limits.data = u64::MAX;
    s.limits.commit = 1 << 20;
    assert_eq!(s.map(&MapRequest::anonymous((1 << 20) + 1, RW)), Err(Errno::ENOMEM));
    assert!(s.map(&MapRequest::anonymous((1 << 20) + 1, Prot::empty())).is_ok());
    s.limits.locked = 2 * PAGE_SIZE;
    assert_eq!(s.set_locked(start, 3 * PAGE_SIZE, Locking::Now), Err(Errno::ENOMEM));
    assert_eq!(s.set_locked(start, 2 * PAGE_SIZE, Locking::Now), Ok(()));
    assert_eq!(s.locked_bytes(), 2 * PAGE_SIZE);
    assert_eq!(s.set_locked(start.offset(5), 1, Locking::Unlock), Ok(()));
    assert_eq!(s.locked_bytes(), PAGE_SIZE);
}

#[test]
fn changes_are_told() {
    let mut s = space();
    assert_eq!(s.take_changes(), vec![(GuestAddr(0), s.limit())], "a new space forgets its predecessor");
    let start = fixed(&mut s, 0, 4, Prot::READ | Prot::EXEC);
    s.take_changes();
    s.poke(start.offset(100), b"code").unwrap();
    assert_eq!(s.take_changes(), vec![(start.offset(100), 4)]);
    s.protect(start, PAGE_SIZE, RW).unwrap();
    assert_eq!(s.take_changes(), vec![(start, PAGE_SIZE)]);
    s.write(start, b"data").unwrap();
    assert_eq!(s.take_changes(), vec![]);
    s.unmap(start, 8 * PAGE_SIZE).unwrap();
    assert_eq!(s.take_changes(), vec![(start, 4 * PAGE_SIZE)]);
    for i in 0..1000 {
        fixed(&mut s, i * 2, 1, RW);
    }
    assert!(s.take_changes().len() <= 128);
}

#[test]
fn private_memory_of_forks_is_apart() {
    let windows = Windows::new(32).unwrap();
    let mut parent = Space::new(&windows).unwrap();
    let start = fixed(&mut parent, 0, 3, RW);
    parent.write(start, b"before").unwrap();
    parent.set_option(start.offset(PAGE_SIZE), PAGE_SIZE, sevm::mem::AreaOption::DontFork, true).unwrap();
    parent.write(start.offset(2 * PAGE_SIZE), b"wiped").unwrap();
    parent.set_option(start.offset(2 * PAGE_SIZE), PAGE_SIZE, sevm::mem::AreaOption::WipeOnFork, true).unwrap();
    let mut child = parent.fork().unwrap();
    assert_ne!(child.id(), parent.id());
    child.write(start, b"child!").unwrap();
    assert_eq!(parent.copy_in::<[u8; 6]>(start), Ok(*b"before"));
    assert_eq!(child.copy_in::<[u8; 6]>(start), Ok(*b"child!"));
    assert_eq!(child.copy_in::<u8>(start.offset(PAGE_SIZE)), Err(Errno::EFAULT));
    assert_eq!(child.copy_in::<[u8; 5]>(start.offset(2 * PAGE_SIZE)), Ok([0; 5]));
    let id = child.id();
    drop(child);
    assert_eq!(Space::new(&windows).unwrap().id(), id);
}

/// Many pages with a mark in each, enough for several chunks.
fn marked(space: &mut Space, pages: u64, mark: u64) -> GuestAddr {
    let start = fixed(space, 0, pages, RW);
    mark_all(space, start, pages, mark);
    start
}

fn mark_all(space: &mut Space, start: GuestAddr, pages: u64, mark: u64) {
    for page in 0..pages {
        space.copy_out(start.offset(page * PAGE_SIZE + page % 500 * 8), &(mark + page)).unwrap();
    }
}

fn assert_marked(space: &Space, start: GuestAddr, pages: u64, mark: u64) {
    for page in 0..pages {
        let at = start.offset(page * PAGE_SIZE + page % 500 * 8);
        assert_eq!(space.copy_in::<u64>(at), Ok(mark + page), "page {page}");
    }
}

#[test]
fn late_copies_show_the_moment_of_the_fork() {
    const PAGES: u64 = 700;
    let windows = Windows::new(32).unwrap();
    let mut parent = Space::new(&windows).unwrap();
    let start = marked(&mut parent, PAGES, 1 << 32);
    let first = parent.fork().unwrap();
    mark_all(&mut parent, start, PAGES / 2, 2 << 32);
    let mut second = parent.fork().unwrap();
    let third = second.fork().unwrap();
    mark_all(&mut second, start, PAGES, 3 << 32);
    mark_all(&mut parent, start, PAGES, 4 << 32);
    assert_marked(&first, start, PAGES, 1 << 32);
    assert_marked(&third, start, PAGES / 2, 2 << 32);
    assert_marked(&second, start, PAGES, 3 << 32);
    assert_marked(&parent, start, PAGES, 4 << 32);
}

#[test]
fn late_copies_outlive_their_source() {
    const PAGES: u64 = 700;
    let windows = Windows::new(32).unwrap();
    let mut parent = Space::new(&windows).unwrap();
    let start = marked(&mut parent, PAGES, 1 << 32);
    let mut child = parent.fork().unwrap();
    // One chunk is the child's own already.
    child.copy_out(start.offset(100 * PAGE_SIZE), &7u64).unwrap();
    let grandchild = child.fork().unwrap();
    drop(parent);
    let again = child.fork().unwrap();
    drop(child);
    for space in [&grandchild, &again] {
        assert_eq!(space.copy_in::<u64>(start.offset(100 * PAGE_SIZE)), Ok(7));
        assert_marked(space, start, 100, 1 << 32);
    }
    drop(grandchild);
    assert_marked(&again, start.offset(200 * PAGE_SIZE), 0, 0);
    // Their windows are empty for who comes next.
    let mut next = Space::new(&windows).unwrap();
    let there = fixed(&mut next, 0, PAGES, RW);
    assert_eq!(next.copy_in::<[u64; 512]>(there.offset(300 * PAGE_SIZE)), Ok([0; 512]));
}

#[test]
fn late_copies_survive_changes_of_mappings() {
    const PAGES: u64 = 700;
    let windows = Windows::new(32).unwrap();
    let mut parent = Space::new(&windows).unwrap();
    let start = marked(&mut parent, PAGES, 1 << 32);
    let mut child = parent.fork().unwrap();
    parent.unmap(start, 100 * PAGE_SIZE).unwrap();
    parent.protect(start.offset(100 * PAGE_SIZE), 50 * PAGE_SIZE, Prot::READ).unwrap();
    parent.discard(start.offset(200 * PAGE_SIZE), 50 * PAGE_SIZE).unwrap();
    child.protect(start.offset(300 * PAGE_SIZE), 50 * PAGE_SIZE, Prot::READ).unwrap();
    child.unmap(start.offset(650 * PAGE_SIZE), 50 * PAGE_SIZE).unwrap();
    assert_marked(&child, start, 650, 1 << 32);
    let zero = parent.copy_in::<[u64; 512]>(start.offset(210 * PAGE_SIZE));
    assert_eq!(zero, Ok([0; 512]));
    assert_eq!(parent.copy_out(start.offset(120 * PAGE_SIZE), &1u64), Err(Errno::EFAULT));
    drop(child);
    mark_all(&mut parent, start.offset(400 * PAGE_SIZE), 300, 5 << 32);
    assert_marked(&parent, start.offset(400 * PAGE_SIZE), 300, 5 << 32);
}

#[test]
fn a_host_call_may_use_memory_that_is_copied_late() {
    const PAGES: u64 = 100;
    let windows = Windows::new(32).unwrap();
    let mut parent = Space::new(&windows).unwrap();
    let start = marked(&mut parent, PAGES, 1 << 32);
    let mut child = parent.fork().unwrap();
    assert_eq!(child.spans_in(start, PAGES * PAGE_SIZE).map(|s| s.len()), Ok(PAGES * PAGE_SIZE));
    assert_eq!(parent.spans_out(start, PAGE_SIZE).map(|s| s.len()), Ok(PAGE_SIZE));
    assert_marked(&child, start, PAGES, 1 << 32);
    child.copy_out(start, &9u64).unwrap();
    assert_marked(&parent, start, PAGES, 1 << 32);
}

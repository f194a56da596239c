//! Memory of a process as `/proc/PID/maps`, `smaps`, `smaps_rollup` and `numa_maps` show it (proc_pid_maps(5)).

use crate::mem::{Area, AreaName, OwnPages, PAGE_SIZE, Prot, Space};
use std::fmt::Write as _;

/// Column at which a line's name begins: the fixed fields of 64-bit addresses and a blank.
const NAME_COLUMN: usize = 73;
/// Shared anonymous memory is an unlinked file of the kernel's own tmpfs.
const SHARED_NAME: &[u8] = b"/dev/zero (deleted)";

/// The name of the file that is mapped there; nothing for what is not a file.
pub fn file_name(area: &Area) -> Vec<u8> {
    match &area.name {
        AreaName::File { path, .. } => path.to_vec(),
        AreaName::Anon if area.shared => SHARED_NAME.to_vec(),
        _ => Vec::new(),
    }
}

/// `maps`.
pub(super) fn maps(space: &Space, _relatives: &[&Space]) -> Vec<u8> {
    let mut out = Vec::new();
    for area in space.areas() {
        out.extend(line(area));
    }
    out
}

/// `smaps`.
pub(super) fn smaps(space: &Space, relatives: &[&Space]) -> Vec<u8> {
    let mut out = Vec::new();
    for area in space.areas() {
        let usage = Usage::of(space, area, relatives);
        let mut text = String::new();
        let _ = writeln!(text, "Size:           {:8} kB", area.len() / 1024);
        text.push_str("KernelPageSize:        4 kB\nMMUPageSize:           4 kB\n");
        usage.write(&mut text);
        text.push_str("THPeligible:           0\n");
        let _ = writeln!(text, "VmFlags: {}", flags(area));
        out.extend(line(area));
        out.extend(text.into_bytes());
    }
    out
}

/// `smaps_rollup`.
pub(super) fn rollup(space: &Space, relatives: &[&Space]) -> Vec<u8> {
    let (mut sum, mut ends) = (Usage::default(), None);
    for area in space.areas() {
        sum.add(&Usage::of(space, area, relatives));
        let first = ends.map_or(area.start.0, |(first, _)| first);
        ends = Some((first, area.end.0));
    }
    let Some((start, end)) = ends else { return Vec::new() };
    let mut text = String::new();
    let _ = write!(text, "{start:08x}-{end:08x} ---p 00000000 00:00 0");
    pad(&mut text);
    text.push_str("[rollup]\n");
    sum.write(&mut text);
    text.into_bytes()
}

/// `numa_maps` (numa(7)): pages of each area, all on the one node and by the default policy.
pub(super) fn numa(space: &Space, relatives: &[&Space]) -> Vec<u8> {
    let mut out = Vec::new();
    for area in space.areas() {
        let usage = Usage::of(space, area, relatives);
        let [pages, anonymous] = [usage.rss, usage.anonymous].map(|kib| kib * 1024 / PAGE_SIZE);
        out.extend(format!("{:08x} default", area.start.0).into_bytes());
        match &area.name {
            // Pages of the kernel's own are not counted.
            AreaName::Special(_) => {
                out.push(b'\n');
                continue;
            }
            AreaName::Heap => out.extend(b" heap"),
            AreaName::Stack => out.extend(b" stack"),
            AreaName::Anon if !area.shared => {}
            AreaName::Anon | AreaName::File { .. } => {
                out.extend(b" file=");
                file_name(area).iter().for_each(|byte| escape(&mut out, *byte));
            }
        }
        let mut text = String::new();
        let dirty = if area.shared { pages } else { anonymous };
        for (name, count) in [("anon", anonymous), ("dirty", dirty)].into_iter().filter(|(_, count)| *count > 0) {
            let _ = write!(text, " {name}={count}");
        }
        if pages != anonymous && pages != dirty {
            let _ = write!(text, " mapped={pages}");
        }
        if pages > 0 {
            let _ = write!(text, " N0={pages} kernelpagesize_kB=4");
        }
        text.push('\n');
        out.extend(text.into_bytes());
    }
    out
}

/// A byte of a name in a line whose fields blanks end (seq_file_path()).
fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'\n' | b'\t' | b'=' | b' ' => out.extend(format!("\\{byte:03o}").into_bytes()),
        byte => out.push(byte),
    }
}

fn pad(text: &mut String) {
    while text.len() < NAME_COLUMN {
        text.push(' ');
    }
}

/// The line of an area in `maps`.
fn line(area: &Area) -> Vec<u8> {
    let bit = |flag: Prot, letter: char| if area.prot.contains(flag) { letter } else { '-' };
    let (dev, ino, name): (u64, u64, &[u8]) = match &area.name {
        AreaName::File { path, dev, ino } => (*dev, *ino, path),
        AreaName::Heap => (0, 0, b"[heap]"),
        AreaName::Stack => (0, 0, b"[stack]"),
        AreaName::Special(name) => (0, 0, name.as_bytes()),
        AreaName::Anon if area.shared => (1, 1, SHARED_NAME),
        AreaName::Anon => (0, 0, b""),
    };
    let (major, minor) = (rustix::fs::major(dev), rustix::fs::minor(dev));
    let mut text = format!(
        "{:08x}-{:08x} {}{}{}{} {:08x} {major:02x}:{minor:02x} {ino}",
        area.start.0,
        area.end.0,
        bit(Prot::READ, 'r'),
        bit(Prot::WRITE, 'w'),
        bit(Prot::EXEC, 'x'),
        if area.shared { 's' } else { 'p' },
        area.offset(),
    );
    text.push(' ');
    if !name.is_empty() {
        pad(&mut text);
    }
    let mut out = text.into_bytes();
    for byte in name {
        match byte {
            b'\n' => out.extend(b"\\012"),
            b => out.push(*b),
        }
    }
    out.push(b'\n');
    out
}

/// `VmFlags` of an area.
fn flags(area: &Area) -> String {
    let file = matches!(area.name, AreaName::File { .. });
    [
        (area.prot.contains(Prot::READ), "rd"),
        (area.prot.contains(Prot::WRITE), "wr"),
        (area.prot.contains(Prot::EXEC), "ex"),
        (area.shared, "sh"),
        (true, "mr"),
        (area.may_write, "mw"),
        (true, "me"),
        (area.shared && area.may_write, "ms"),
        (area.grows_down, "gd"),
        (area.locked, "lo"),
        (area.dont_fork, "dc"),
        (area.noreserve, "nr"),
        (!file, "ac"),
        (area.wipe_on_fork, "wf"),
        (area.dont_dump, "dd"),
        (area.sealed, "sl"),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, name)| format!("{name} "))
    .collect()
}

/// Memory in use, in KiB.
#[derive(Clone, Copy, Default)]
struct Usage {
    rss: u64,
    anonymous: u64,
    shared: u64,
    locked: u64,
}

impl Usage {
    /// `relatives` are the spaces of processes that fork(2) made of this one, or this one of.
    fn of(space: &Space, area: &Area, relatives: &[&Space]) -> Usage {
        if area.prot.is_empty() {
            return Usage::default();
        }
        let kib = |pages: u64| pages * PAGE_SIZE / 1024;
        let resident = space.resident(area.start, area.len()).unwrap_or_default();
        let resident = kib(resident.iter().filter(|p| **p != 0).count() as u64);
        let own = if area.shared { OwnPages::default() } else { space.own_pages(area, relatives) };
        let (anonymous, common) = (kib(own.count), kib(own.common));
        // What has not been copied yet is not in memory on the host.
        let rss = resident.max(anonymous);
        Usage {
            rss,
            anonymous,
            shared: if area.shared { rss } else { common },
            locked: if area.locked { rss } else { 0 },
        }
    }

    fn add(&mut self, other: &Usage) {
        self.rss += other.rss;
        self.anonymous += other.anonymous;
        self.shared += other.shared;
        self.locked += other.locked;
    }

    fn write(&self, text: &mut String) {
        let private = self.rss - self.shared;
        let dirty = private.min(self.anonymous.saturating_sub(self.shared));
        let clean = private - dirty;
        for (name, value) in [
            ("Rss", self.rss),
            ("Pss", self.rss),
            ("Pss_Dirty", dirty),
            ("Shared_Clean", 0),
            ("Shared_Dirty", self.shared),
            ("Private_Clean", clean),
            ("Private_Dirty", dirty),
            ("Referenced", self.rss),
            ("Anonymous", self.anonymous),
            ("KSM", 0),
            ("LazyFree", 0),
            ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0),
            ("FilePmdMapped", 0),
            ("Shared_Hugetlb", 0),
            ("Private_Hugetlb", 0),
            ("Swap", 0),
            ("SwapPss", 0),
            ("Locked", self.locked),
        ] {
            let _ = writeln!(text, "{:<16}{value:8} kB", format!("{name}:"));
        }
    }
}

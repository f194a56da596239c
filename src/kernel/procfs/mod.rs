//! Files that sevm makes up: `/proc` and `/sys/devices/system/cpu`, which show the guest's machine and not the host.
//!
//! Path resolution ([`crate::kernel::fs`]) asks [`lookup`] for one node after the other and follows its links.
//! What a file contains is made by the functions in the modules below; this module only finds them. It knows neither
//! descriptors nor how a file is read.

mod activity;
mod cpus;
mod machine;
mod maps;
pub mod mounts;
mod process;
mod sysctl;

use super::*;
pub use maps::file_name;
use std::rc::Rc;

/// Makes the content of a file. Called when it is opened and again whenever it is read from its start.
pub type Reader = Rc<dyn Fn(&mut Kernel) -> Result<Vec<u8>, Errno>>;
/// Takes what is written to a file; gives the number of bytes taken.
pub type Writer = Rc<dyn Fn(&mut Kernel, &[u8]) -> Result<usize, Errno>>;

/// What a synthetic path names.
#[derive(Clone)]
pub enum Node {
    /// A regular file.
    Text {
        /// Permission bits.
        mode: u32,
        /// Its content.
        read: Reader,
        /// What writing to it does; without it, writing fails with `EIO`.
        write: Option<Writer>,
    },
    /// A directory; [`list`] gives its entries.
    Dir {
        /// Permission bits.
        mode: u32,
    },
    /// A device of the machine.
    Device(devfs::Device),
    /// The memory of a thread's process.
    Memory(Tid, MemoryView),
    /// A symbolic link to this name.
    Link(Vec<u8>),
    /// A link that leads to an object and not to a name (proc(5): exe, cwd, root, fd/*).
    Magic(Magic),
}

/// How memory is seen as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryView {
    /// As its bytes (`mem`).
    Bytes,
    /// As a word for each page (`pagemap`).
    Pages,
}

/// Where a magic link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magic {
    /// A descriptor of a thread's process.
    Fd(Tid, i32),
    /// A process's program.
    Exe(Pid),
    /// A thread's working directory.
    Cwd(Tid),
    /// A thread's root directory.
    Root(Tid),
    /// The file that a thread's process has mapped from the one address to the other.
    Map(Tid, u64, u64),
    /// A namespace of a thread, by its index in [`task::NAMESPACES`].
    Namespace(Tid, usize),
}

/// A name in a synthetic directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: Vec<u8>,
    /// Its DT_* type.
    pub kind: u8,
}

impl Entry {
    /// An entry of this name that is a directory.
    pub fn dir(name: impl AsRef<[u8]>) -> Entry {
        Entry { name: name.as_ref().to_vec(), kind: 4 }
    }

    /// An entry of this name that is a regular file.
    pub fn file(name: impl AsRef<[u8]>) -> Entry {
        Entry { name: name.as_ref().to_vec(), kind: 8 }
    }

    /// An entry of this name that is a symbolic link.
    pub fn link(name: impl AsRef<[u8]>) -> Entry {
        Entry { name: name.as_ref().to_vec(), kind: 10 }
    }
}

impl Node {
    /// A file that everybody may read, with this content.
    pub fn text(read: impl Fn(&mut Kernel) -> Vec<u8> + 'static) -> Node {
        Node::Text { mode: 0o444, read: Rc::new(move |k| Ok(read(k))), write: None }
    }

    /// A directory that everybody may list.
    pub fn dir() -> Node {
        Node::Dir { mode: 0o555 }
    }
}

/// The trees and single files that are made up, as machine paths.
pub const ROOTS: [&[u8]; 7] =
    [b"/proc", b"/sys/devices/system/cpu", b"/dev/ptmx", b"/dev/pts", b"/dev/random", b"/dev/tty", b"/dev/urandom"];

/// Whether this guest path begins a tree that is made up, or is a made-up file.
pub fn is_root(path: &[u8]) -> bool {
    ROOTS.contains(&path)
}

/// Whether this path is one of the trees that are made up, or lies in one.
pub fn is_made(path: &[u8]) -> bool {
    ROOTS.iter().any(|root| path.strip_prefix(*root).is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/')))
}

/// The node with this absolute guest path, which has no `.`, `..`, double or trailing slash, and none of whose leading
/// components is a link (so `/proc/1000/exe`, not `/proc/self/exe`).
pub fn lookup(kernel: &mut Kernel, caller: Tid, path: &[u8]) -> Option<Node> {
    let parts: Vec<&[u8]> = path.split(|b| *b == b'/').skip(1).collect();
    match &parts[..] {
        [b"proc"] => Some(Node::dir()),
        [b"proc", b"self"] => {
            let pid = kernel.threads.get(&caller)?.pid;
            Some(Node::Link(pid.to_string().into_bytes()))
        }
        [b"proc", b"thread-self"] => {
            let pid = kernel.threads.get(&caller)?.pid;
            Some(Node::Link(format!("{pid}/task/{caller}").into_bytes()))
        }
        [b"proc", id, rest @ ..] if id.first().is_some_and(u8::is_ascii_digit) => {
            let id = number(id)?;
            // Every thread has a directory that can be named, though only those of processes are listed.
            let tid = if kernel.processes.contains_key(&id) { id } else { kernel.threads.get(&id)?.tid };
            process_node(kernel, tid, rest, Place::Process)
        }
        [b"proc", rest @ ..] => machine::node(caller, &text(rest)?.join("/")),
        [b"sys", b"devices", b"system", b"cpu", rest @ ..] => cpus::node(kernel, &text(rest)?),
        [b"dev", rest @ ..] => devfs::node(kernel, rest),
        _ => None,
    }
}

/// The components of a path as text; names that sevm makes have no others.
fn text<'a>(parts: &[&'a [u8]]) -> Option<Vec<&'a str>> {
    parts.iter().map(|part| std::str::from_utf8(part).ok()).collect()
}

/// The entries of a synthetic directory, `.` and `..` left out, in their order.
pub fn list(kernel: &mut Kernel, _caller: Tid, path: &[u8]) -> Vec<Entry> {
    let parts: Vec<&[u8]> = path.split(|b| *b == b'/').skip(1).collect();
    match &parts[..] {
        [b"proc"] => {
            let mut entries = machine::list("");
            entries.extend([Entry::link("self"), Entry::link("thread-self")]);
            entries.extend(kernel.processes.keys().map(|pid| Entry::dir(pid.to_string())));
            entries
        }
        [b"proc", id] if number(id).is_some() => {
            let mut entries = thread_entries();
            entries.push(Entry::dir("task"));
            entries
        }
        [b"proc", id, b"task"] => {
            let threads = number(id).and_then(|pid| kernel.processes.get(&pid)).map(|p| p.threads.clone());
            threads.unwrap_or_default().iter().map(|tid| Entry::dir(tid.to_string())).collect()
        }
        [b"proc", id, b"fd"] | [b"proc", _, b"task", id, b"fd"] => descriptors(kernel, id),
        [b"proc", id, b"map_files"] | [b"proc", _, b"task", id, b"map_files"] => {
            number(id).map(|tid| process::mapped_files(kernel, tid)).unwrap_or_default()
        }
        [b"proc", id, b"fdinfo"] | [b"proc", _, b"task", id, b"fdinfo"] => {
            descriptors(kernel, id).into_iter().map(|e| Entry::file(e.name)).collect()
        }
        [b"proc", _, b"task", id] if number(id).is_some() => {
            let mut entries = thread_entries();
            entries.push(Entry::file("children"));
            entries
        }
        [b"proc", _, b"ns"] | [b"proc", _, b"task", _, b"ns"] => {
            task::NAMESPACES.iter().map(|kind| Entry::link(kind.entry)).collect()
        }
        [b"proc", id, b"net"] | [b"proc", _, b"task", id, b"net"] if number(id).is_some() => {
            NET.iter().map(Entry::file).collect()
        }
        [b"proc", id, b"attr"] | [b"proc", _, b"task", id, b"attr"] if number(id).is_some() => {
            ATTR.iter().map(Entry::file).collect()
        }
        [b"proc", rest @ ..] => text(rest).map(|parts| machine::list(&parts.join("/"))).unwrap_or_default(),
        [b"sys", b"devices", b"system", b"cpu", rest @ ..] => {
            text(rest).map(|parts| cpus::list(kernel, &parts)).unwrap_or_default()
        }
        [b"dev", rest @ ..] => devfs::list(kernel, rest),
        _ => Vec::new(),
    }
}

/// What the directories of processes and threads have in common.
fn thread_entries() -> Vec<Entry> {
    let links = ["cwd", "exe", "root"].map(Entry::link);
    let files = process::FILES.iter().map(|f| Entry::file(f.name));
    let memory = ["mem", "pagemap"].map(Entry::file);
    let dirs = ["attr", "fd", "fdinfo", "map_files", "net", "ns"].map(Entry::dir);
    links.into_iter().chain(dirs).chain(memory).chain(files).collect()
}

/// Which kind of directory describes a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `/proc/PID`.
    Process,
    /// `/proc/PID/task/TID`.
    Task,
}

/// Files of `attr`.
const ATTR: [&str; 6] = ["current", "exec", "fscreate", "keycreate", "prev", "sockcreate"];

/// Files of `net`.
const NET: [&str; 22] = [
    "arp",
    "dev",
    "dev_mcast",
    "if_inet6",
    "igmp",
    "igmp6",
    "ipv6_route",
    "netlink",
    "netstat",
    "packet",
    "protocols",
    "raw",
    "raw6",
    "route",
    "snmp",
    "snmp6",
    "sockstat",
    "tcp",
    "tcp6",
    "udp",
    "udp6",
    "unix",
];

/// A file of `net`: the network is the host's, but UNIX sockets are the machine's own.
fn net_file(k: &mut Kernel, name: &str) -> Vec<u8> {
    match name {
        "unix" => k.net.listing(),
        name => k.host.proc_file(&format!("/proc/self/net/{name}")),
    }
}

/// What lies below `/proc/TID`.
fn process_node(kernel: &mut Kernel, tid: Tid, rest: &[&[u8]], place: Place) -> Option<Node> {
    let pid = kernel.threads.get(&tid).map_or(tid, |t| t.pid);
    match rest {
        [] | [b"task"] => Some(Node::dir()),
        [b"task", id, below @ ..] => {
            let id = number(id)?;
            (kernel.threads.get(&id)?.pid == pid && !below.starts_with(&[b"task"])).then_some(())?;
            process_node(kernel, id, below, Place::Task)
        }
        [b"exe"] => Some(Node::Magic(Magic::Exe(pid))),
        [b"cwd"] => Some(Node::Magic(Magic::Cwd(tid))),
        [b"root"] => Some(Node::Magic(Magic::Root(tid))),
        [b"fd"] | [b"map_files"] => Some(Node::Dir { mode: 0o500 }),
        [b"fdinfo"] | [b"attr"] | [b"net"] => Some(Node::dir()),
        [b"ns"] => Some(Node::Dir { mode: 0o511 }),
        [b"map_files", name] => process::mapped_file(kernel, tid, name),
        [b"ns", name] => {
            let index = task::NAMESPACES.iter().position(|kind| kind.entry.as_bytes() == *name)?;
            Some(Node::Magic(Magic::Namespace(tid, index)))
        }
        [b"net", name] => {
            let name = *NET.iter().find(|n| n.as_bytes() == *name)?;
            Some(Node::text(move |k| net_file(k, name)))
        }
        [b"attr", name] => {
            ATTR.iter().find(|n| n.as_bytes() == *name)?;
            // Without a security module there is nothing to tell.
            Some(Node::Text { mode: 0o666, read: Rc::new(|_| Err(Errno::EINVAL)), write: None })
        }
        [b"mem"] => Some(Node::Memory(tid, MemoryView::Bytes)),
        [b"pagemap"] => Some(Node::Memory(tid, MemoryView::Pages)),
        [b"fdinfo", n] => {
            let fd = number(n)?;
            kernel.threads.get(&tid)?.files.borrow().get(fd).ok()?;
            Some(Node::Text { mode: 0o444, read: Rc::new(move |k| process::fd_info(k, tid, fd)), write: None })
        }
        [b"fd", n] => {
            let fd = number(n)?;
            kernel.threads.get(&tid)?.files.borrow().get(fd).ok()?;
            Some(Node::Magic(Magic::Fd(tid, fd)))
        }
        [b"children"] if place == Place::Task => {
            Some(Node::Text { mode: 0o444, read: Rc::new(move |k| activity::children(k, tid)), write: None })
        }
        [name] => process::node(tid, name),
        _ => None,
    }
}

fn descriptors(kernel: &Kernel, id: &[u8]) -> Vec<Entry> {
    let Some(thread) = number(id).and_then(|tid| kernel.threads.get(&tid)) else { return Vec::new() };
    thread.files.borrow().iter().map(|(fd, _)| Entry::link(fd.to_string())).collect()
}

/// A decimal number as procfs accepts it: no sign, no leading zero.
pub(crate) fn number(text: &[u8]) -> Option<i32> {
    if text.first() == Some(&b'0') && text.len() > 1 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

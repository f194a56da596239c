//! Names of UNIX sockets: paths and abstract names.
//!
//! A path is a real socket node on the guest's file system, found again by device and inode number: links, renames and
//! mounts lead to it as in Linux. The bound socket keeps a handle of the node, so that the number is not given to
//! another file while it lives.

use super::*;
use crate::kernel::fs;

/// offsetof(struct sockaddr_un, sun_path).
const PATH: usize = 2;
/// sizeof(struct sockaddr_un).
const LONGEST: usize = 110;

/// The name that an end is bound to.
#[derive(Debug)]
pub(super) enum Name {
    /// A name in the machine's own name space, without the family.
    Abstract(Vec<u8>),
    /// A node of the file system: device and inode number.
    Node {
        /// Device and inode number.
        key: (u64, u64),
        /// Keeps the inode number from being used again.
        _handle: HostFd,
    },
}

/// Which ends stand by which names.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: BTreeMap<Vec<u8>, Weak<End>>,
    by_node: BTreeMap<(u64, u64), Weak<End>>,
}

impl Shared {
    /// Gives a name back, if it is this end's.
    pub fn release(&self, name: &Name, end: &End) {
        let mut names = self.names.borrow_mut();
        let is_own = |found: Option<&Weak<End>>| found.is_some_and(|w| std::ptr::eq(w.as_ptr(), end));
        match name {
            Name::Abstract(name) if is_own(names.by_name.get(name)) => drop(names.by_name.remove(name)),
            Name::Node { key, .. } if is_own(names.by_node.get(key)) => drop(names.by_node.remove(key)),
            _ => {}
        }
    }
}

/// Whom an address leads to.
#[derive(Debug)]
pub(super) enum Found {
    /// A socket of the machine.
    Here(Rc<End>),
    /// A node that no guest has bound: the host's own, if anybody's.
    Outside(HostFd),
}

/// What an address names.
enum Wanted {
    Nothing,
    Abstract(Vec<u8>),
    Path(Vec<u8>),
}

fn read(address: &[u8]) -> Result<Wanted, Errno> {
    if family(address) != Some(AF_UNIX) || address.len() > LONGEST {
        return Err(Errno::EINVAL);
    }
    let name = &address[PATH..];
    Ok(match name.first() {
        None => Wanted::Nothing,
        Some(0) => Wanted::Abstract(name.to_vec()),
        Some(_) => Wanted::Path(name.iter().copied().take_while(|b| *b != 0).collect()),
    })
}

/// bind(2).
pub(super) fn bind(ctx: &mut Ctx, end: &Rc<End>, address: &[u8]) -> Result<(), Errno> {
    let wanted = read(address)?;
    if matches!(wanted, Wanted::Nothing) {
        return bind_by_itself(ctx, end);
    }
    let is_bound = end.state.borrow().name.is_some();
    match wanted {
        Wanted::Abstract(_) if is_bound => Err(Errno::EINVAL),
        Wanted::Path(path) => {
            let (handle, stat) = fs::make_socket(ctx, &path).map_err(|e| match e {
                Errno::EEXIST => Errno::EADDRINUSE,
                e => e,
            })?;
            if is_bound {
                // As in Linux, which looks at the name first.
                fs::remove_socket(ctx, &path)?;
                return Err(Errno::EINVAL);
            }
            let key = (stat.dev, stat.ino);
            let full = [&address[..PATH], &path, b"\0"].concat();
            end.shared.names.borrow_mut().by_node.insert(key, Rc::downgrade(end));
            set(end, Name::Node { key, _handle: handle }, &full);
            Ok(())
        }
        Wanted::Abstract(name) => bind_abstract(end, name),
        Wanted::Nothing => Ok(()),
    }
}

fn bind_abstract(end: &Rc<End>, name: Vec<u8>) -> Result<(), Errno> {
    let mut names = end.shared.names.borrow_mut();
    if names.by_name.get(&name).is_some_and(|w| w.strong_count() > 0) {
        return Err(Errno::EADDRINUSE);
    }
    names.by_name.insert(name.clone(), Rc::downgrade(end));
    let full = [&(AF_UNIX as u16).to_le_bytes()[..], &name].concat();
    set(end, Name::Abstract(name), &full);
    Ok(())
}

fn set(end: &End, name: Name, address: &[u8]) {
    let mut state = end.state.borrow_mut();
    (state.name, state.address) = (Some(name), address.into());
}

/// Gives an end without a name an abstract one of five digits (unix(7), autobind).
pub(super) fn bind_by_itself(ctx: &mut Ctx, end: &Rc<End>) -> Result<(), Errno> {
    if end.state.borrow().name.is_some() {
        return Ok(());
    }
    for _ in 0..=0xf_ffff {
        let number = ctx.kernel.net.last_name;
        ctx.kernel.net.last_name = (number + 1) & 0xf_ffff;
        match bind_abstract(end, format!("\0{number:05x}").into_bytes()) {
            Err(Errno::EADDRINUSE) => {}
            result => return result,
        }
    }
    Err(Errno::ENOSPC)
}

/// Whom `address` leads to.
///
/// # Errors
/// Those of connect(2): `EINVAL`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE` and those of path resolution.
pub(super) fn find(ctx: &mut Ctx, from: &End, address: &[u8]) -> Result<Found, Errno> {
    let shared = Rc::clone(&from.shared);
    let found = match read(address)? {
        Wanted::Nothing => return Err(Errno::EINVAL),
        Wanted::Abstract(name) => {
            let end = shared.names.borrow().by_name.get(&name).and_then(Weak::upgrade);
            end.ok_or(Errno::ECONNREFUSED)?
        }
        Wanted::Path(path) => {
            let (handle, stat) = fs::find_socket(ctx, &path)?;
            if FileKind::of_mode(stat.mode) != FileKind::Socket {
                return Err(Errno::ECONNREFUSED);
            }
            let end = shared.names.borrow().by_node.get(&(stat.dev, stat.ino)).and_then(Weak::upgrade);
            match end {
                Some(end) => end,
                None => return Ok(Found::Outside(handle)),
            }
        }
    };
    if found.kind == from.kind { Ok(Found::Here(found)) } else { Err(Errno::EPROTOTYPE) }
}

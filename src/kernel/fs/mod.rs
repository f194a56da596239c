//! Files and directories by name: open, metadata, links, directories, extended attributes.
//!
//! Every call resolves its names with [`path`], which gives a host handle, an open file of the guest or a made-up file
//! (`made`), and then asks the host about that. What can be done with a descriptor alone is in [`crate::kernel::io`].

mod access;
mod context;
mod dir;
mod inherited;
mod lease;
mod links;
mod made;
mod magic;
mod memory;
pub mod mounts;
mod names;
mod open;
pub mod path;
mod program;
mod socket;
mod stat;
mod statfs;
mod times;
mod walk;
mod xattr;

pub use access::{access, chmod, chown, faccessat, faccessat2, fchmod, fchmodat, fchmodat2, fchown, fchownat, lchown};
pub use context::{Confined, FsContext, chdir, chroot, fchdir, getcwd, umask};
pub use dir::{HostDir, getdents, getdents64};
pub use inherited::replace_inherited;
pub use lease::{Leases, set_lease};
pub use links::{link, linkat, readlink, readlinkat, symlink, symlinkat};
pub use made::{Made, MadeFile};
use mounts::guest_name;
pub use mounts::{Bind, Layout, Mounts, Writing};
pub use names::{mkdir, mkdirat, mknod, mknodat, rename, renameat, renameat2, rmdir, unlink, unlinkat};
pub use open::{Fifos, creat, open, openat, openat2};
pub use program::{find_program, open_interpreter, open_program};
pub use socket::{find_socket, make_socket, remove_socket};
pub use stat::{fstat, lstat, newfstatat, stat, statx};
pub use statfs::{fstatfs, statfs, ustat};
pub use times::{futimesat, truncate, utime, utimensat, utimes};
pub use xattr::{
    fgetxattr, flistxattr, fremovexattr, fsetxattr, getxattr, getxattrat, lgetxattr, listxattr, listxattrat,
    llistxattr, lremovexattr, lsetxattr, removexattr, removexattrat, setxattr, setxattrat,
};

use super::*;
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::cell::RefCell;
use std::rc::Rc;

/// Root, working directory and umask of the caller.
fn context(ctx: &mut Ctx) -> Rc<RefCell<FsContext>> {
    Rc::clone(&ctx.thread().fs)
}

/// The name of an open file as /proc/PID/fd shows it.
pub fn name_of(ctx: &mut Ctx, file: &file::File) -> Vec<u8> {
    use file::FileKind::{Block, Character, Directory, Fifo, Regular, Socket, Symlink};
    match (file.host_fd(), file.kind()) {
        (Some(fd), Block | Character | Directory | Fifo | Regular | Socket | Symlink) => {
            let fd = fd.clone();
            let name = ctx.kernel.host.path_of(&fd);
            // Pipes and sockets have no path; Linux shows what it cannot reach as it is seen from the real root.
            if name.first() == Some(&b'/') { guest_name(ctx, &fd).unwrap_or(name) } else { name }
        }
        _ => file.path().to_vec(),
    }
}

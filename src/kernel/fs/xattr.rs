//! Extended attributes.

use super::access::own_fd;
use super::path::{AT_FDCWD, Empty, Follow};
use super::*;
use crate::abi::consts::at::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW};
use crate::abi::consts::xattr::{XATTR_CREATE, XATTR_REPLACE};
use crate::host::{HostFd, Xattr};

/// Longest name, its NUL included.
const NAME_MAX: usize = 256;
/// Longest value and longest list of names (XATTR_SIZE_MAX, XATTR_LIST_MAX).
const VALUE_MAX: u64 = 65536;

/// struct xattr_args (setxattrat(2)).
#[derive(Clone, Copy, Debug, zerocopy::FromBytes)]
#[repr(C)]
struct XattrArgs {
    value: u64,
    size: u32,
    flags: u32,
}

/// Whose attributes are meant.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// A name, with AT_* flags.
    Name(i32, GuestAddr, u32),
    /// A descriptor.
    Fd(i32),
}

impl Of {
    /// The host's file.
    ///
    /// # Errors
    /// Those of the way there; `EOPNOTSUPP`: made-up files have no attributes.
    fn handle(self, ctx: &mut Ctx) -> Result<HostFd, Errno> {
        let unsupported = |e| if e == Errno::EPERM { Errno::EOPNOTSUPP } else { e };
        match self {
            Of::Fd(fd) => own_fd(ctx, fd).map_err(unsupported),
            Of::Name(dirfd, addr, flags) => {
                let name = ctx.path(addr)?;
                let follow = if flags & AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
                let target = path::resolve_or_fd(ctx, dirfd, &name, follow, Empty::from_flags(flags))?;
                target.host_fd().cloned().ok_or(Errno::EOPNOTSUPP)
            }
        }
    }

    /// A name whose AT_* flags come from the guest.
    fn at(dirfd: i32, addr: GuestAddr, flags: u32) -> Result<Of, Errno> {
        if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL);
        }
        Ok(Of::Name(dirfd, addr, flags))
    }
}

fn attribute_name(ctx: &Ctx, addr: GuestAddr) -> Result<Vec<u8>, Errno> {
    let name = ctx.mem().read_cstr(addr, NAME_MAX).map_err(|e| match e {
        Errno::ENAMETOOLONG => Errno::ERANGE,
        e => e,
    })?;
    if name.is_empty() { Err(Errno::ERANGE) } else { Ok(name) }
}

fn writable(ctx: &Ctx, handle: &HostFd) -> Result<(), Errno> {
    if ctx.kernel.mounts.refuses_writing(handle.mount()) { Err(Errno::EROFS) } else { Ok(()) }
}

fn set(ctx: &mut Ctx, of: Of, name: GuestAddr, value: (GuestAddr, u64), flags: u32) -> SysResult {
    if flags & !(XATTR_CREATE | XATTR_REPLACE) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = attribute_name(ctx, name)?;
    if value.1 > VALUE_MAX {
        return Err(Errno::E2BIG.into());
    }
    let mut bytes = vec![0; value.1 as usize];
    ctx.mem().read(value.0, &mut bytes)?;
    let handle = of.handle(ctx)?;
    writable(ctx, &handle)?;
    ctx.kernel.host.set_xattr(&handle, &name, &bytes, flags)?;
    Ok(0)
}

fn get(ctx: &mut Ctx, of: Of, name: GuestAddr, out: (GuestAddr, u64)) -> SysResult {
    let name = attribute_name(ctx, name)?;
    let handle = of.handle(ctx)?;
    let answer = ctx.kernel.host.get_xattr(&handle, &name, out.1.min(VALUE_MAX) as usize)?;
    give(ctx, out.0, answer)
}

fn list(ctx: &mut Ctx, of: Of, out: (GuestAddr, u64)) -> SysResult {
    let handle = of.handle(ctx)?;
    let answer = ctx.kernel.host.list_xattr(&handle, out.1.min(VALUE_MAX) as usize)?;
    give(ctx, out.0, answer)
}

fn give(ctx: &mut Ctx, addr: GuestAddr, answer: Xattr) -> SysResult {
    match answer {
        Xattr::Length(n) => Ok(n as u64),
        Xattr::Value(bytes) => {
            ctx.mem().write(addr, &bytes)?;
            Ok(bytes.len() as u64)
        }
    }
}

fn remove(ctx: &mut Ctx, of: Of, name: GuestAddr) -> SysResult {
    let name = attribute_name(ctx, name)?;
    let handle = of.handle(ctx)?;
    writable(ctx, &handle)?;
    ctx.kernel.host.remove_xattr(&handle, &name)?;
    Ok(0)
}

/// setxattr(2).
pub fn setxattr(ctx: &mut Ctx, a: &args::Setxattr) -> SysResult {
    set(ctx, Of::Name(AT_FDCWD, a.path, 0), a.name, (a.value, a.size), a.flags)
}

/// lsetxattr(2).
pub fn lsetxattr(ctx: &mut Ctx, a: &args::Lsetxattr) -> SysResult {
    set(ctx, Of::Name(AT_FDCWD, a.path, AT_SYMLINK_NOFOLLOW), a.name, (a.value, a.size), a.flags)
}

/// fsetxattr(2).
pub fn fsetxattr(ctx: &mut Ctx, a: &args::Fsetxattr) -> SysResult {
    set(ctx, Of::Fd(a.fd), a.name, (a.value, a.size), a.flags)
}

/// setxattrat(2).
pub fn setxattrat(ctx: &mut Ctx, a: &args::Setxattrat) -> SysResult {
    let of = Of::at(a.dirfd, a.path, a.at_flags)?;
    let x = extended_args(ctx, a.args, a.usize)?;
    set(ctx, of, a.name, (GuestAddr(x.value), x.size.into()), x.flags)
}

/// getxattr(2).
pub fn getxattr(ctx: &mut Ctx, a: &args::Getxattr) -> SysResult {
    get(ctx, Of::Name(AT_FDCWD, a.path, 0), a.name, (a.value, a.size))
}

/// lgetxattr(2).
pub fn lgetxattr(ctx: &mut Ctx, a: &args::Lgetxattr) -> SysResult {
    get(ctx, Of::Name(AT_FDCWD, a.path, AT_SYMLINK_NOFOLLOW), a.name, (a.value, a.size))
}

/// fgetxattr(2).
pub fn fgetxattr(ctx: &mut Ctx, a: &args::Fgetxattr) -> SysResult {
    get(ctx, Of::Fd(a.fd), a.name, (a.value, a.size))
}

/// getxattrat(2).
pub fn getxattrat(ctx: &mut Ctx, a: &args::Getxattrat) -> SysResult {
    let of = Of::at(a.dirfd, a.path, a.at_flags)?;
    let x = extended_args(ctx, a.args, a.usize)?;
    if x.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    get(ctx, of, a.name, (GuestAddr(x.value), x.size.into()))
}

/// listxattr(2).
pub fn listxattr(ctx: &mut Ctx, a: &args::Listxattr) -> SysResult {
    list(ctx, Of::Name(AT_FDCWD, a.path, 0), (a.list, a.size))
}

/// llistxattr(2).
pub fn llistxattr(ctx: &mut Ctx, a: &args::Llistxattr) -> SysResult {
    list(ctx, Of::Name(AT_FDCWD, a.path, AT_SYMLINK_NOFOLLOW), (a.list, a.size))
}

/// flistxattr(2).
pub fn flistxattr(ctx: &mut Ctx, a: &args::Flistxattr) -> SysResult {
    list(ctx, Of::Fd(a.fd), (a.list, a.size))
}

/// listxattrat(2).
pub fn listxattrat(ctx: &mut Ctx, a: &args::Listxattrat) -> SysResult {
    let of = Of::at(a.dirfd, a.path, a.at_flags)?;
    list(ctx, of, (a.list, a.size))
}

/// removexattr(2).
pub fn removexattr(ctx: &mut Ctx, a: &args::Removexattr) -> SysResult {
    remove(ctx, Of::Name(AT_FDCWD, a.path, 0), a.name)
}

/// lremovexattr(2).
pub fn lremovexattr(ctx: &mut Ctx, a: &args::Lremovexattr) -> SysResult {
    remove(ctx, Of::Name(AT_FDCWD, a.path, AT_SYMLINK_NOFOLLOW), a.name)
}

/// fremovexattr(2).
pub fn fremovexattr(ctx: &mut Ctx, a: &args::Fremovexattr) -> SysResult {
    remove(ctx, Of::Fd(a.fd), a.name)
}

/// removexattrat(2).
pub fn removexattrat(ctx: &mut Ctx, a: &args::Removexattrat) -> SysResult {
    let of = Of::at(a.dirfd, a.path, a.at_flags)?;
    remove(ctx, of, a.name)
}

/// struct xattr_args, which may be longer in a newer kernel as long as the rest is zero.
fn extended_args(ctx: &Ctx, addr: GuestAddr, size: u64) -> Result<XattrArgs, Errno> {
    let known = size_of::<XattrArgs>();
    if size < known as u64 {
        return Err(Errno::EINVAL);
    }
    if size > crate::mem::PAGE_SIZE {
        return Err(Errno::E2BIG);
    }
    let mut bytes = vec![0; size as usize];
    ctx.mem().read(addr, &mut bytes)?;
    if bytes[known..].iter().any(|b| *b != 0) {
        return Err(Errno::E2BIG);
    }
    ctx.mem().copy_in(addr)
}

//! Descriptors that sevm was started with and that lead into the host's /proc: the guest gets its own machine's instead.

use super::made::Made;
use super::path::{Mount, mount_of};
use super::*;
use crate::kernel::file::{File, Text};
use crate::kernel::procfs;

/// Puts the guest's own files in the place of the host's.
pub fn replace_inherited(ctx: &mut Ctx) {
    let open: Vec<(i32, Rc<File>)> = ctx.files().iter().map(|(fd, file)| (fd, Rc::clone(file))).collect();
    let mut replaced: Vec<(Rc<File>, Rc<File>)> = Vec::new();
    for (fd, file) in open {
        let known = replaced.iter().find(|(old, _)| Rc::ptr_eq(old, &file)).map(|(_, new)| Rc::clone(new));
        let Some(new) = known.or_else(|| instead_of(ctx, &file)) else { continue };
        // The number was open a moment ago.
        let _ = ctx.files().replace(fd, Rc::clone(&new), false);
        replaced.push((file, new));
    }
}

/// What takes the place of an open file; `None`: it may stay.
fn instead_of(ctx: &mut Ctx, file: &Rc<File>) -> Option<Rc<File>> {
    let fd = file.host_fd()?.clone();
    let stat = ctx.kernel.host.stat(&fd).ok()?;
    let path = ctx.kernel.host.path_of(&fd);
    match mount_of(ctx, &fd, &stat) {
        Mount::Proc => {}
        Mount::Sysfs if path.starts_with(b"/sys/devices/system/cpu") => {}
        Mount::Ordinary | Mount::Sysfs => return None,
    }
    let path = own_path(ctx, &path);
    let made = Made::find(ctx, &path).and_then(|made| made.into_file(ctx, file.flags()).ok());
    // Of other processes of the host the guest's machine knows nothing.
    made.or_else(|| Some(File::new(Text::new(stat, |_| Err(Errno::ESRCH)), &path, file.flags())))
}

/// The path with the guest's pid where the host's has that of sevm: the program was meant to find itself.
fn own_path(ctx: &mut Ctx, path: &[u8]) -> Vec<u8> {
    let stat = ctx.kernel.host.proc_file("/proc/self/stat");
    let outer = stat.split(|b| *b == b' ').next().and_then(procfs::number);
    let mut parts: Vec<Vec<u8>> = path.split(|b| *b == b'/').map(<[u8]>::to_vec).collect();
    let own = ctx.pid.to_string().into_bytes();
    // /proc/PID and /proc/PID/task/PID.
    for part in parts.iter_mut().skip(2) {
        if outer.is_some() && procfs::number(part) == outer {
            part.clone_from(&own);
        }
    }
    parts.join(&b'/')
}

//! eventfd(2): a counter as a file.

use super::*;
use crate::abi::consts::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE};
use crate::abi::consts::open::O_RDWR;
use crate::abi::consts::poll::{POLLERR, POLLIN, POLLOUT};
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps, Readiness};
use crate::syscalls::args;
use std::any::Any;
use std::cell::Cell;

/// The counter's greatest value; one more is kept for overflows inside Linux and cannot be written.
const MAX: u64 = u64::MAX - 1;

/// A counter.
#[derive(Debug)]
struct EventFd {
    id: u64,
    count: Cell<u64>,
    /// A read takes one instead of all.
    semaphore: bool,
}

impl EventFd {
    fn key(&self) -> WaitKey {
        WaitKey::Object(self.id)
    }
}

impl FileOps for EventFd {
    fn kind(&self) -> FileKind {
        FileKind::Anonymous
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        if buf.left() < 8 {
            return Err(Errno::EINVAL.into());
        }
        let taken = match self.count.get() {
            0 => return Err(Stop::Block(Wait::key(self.key()))),
            _ if self.semaphore => 1,
            all => all,
        };
        self.count.set(self.count.get() - taken);
        ctx.kernel.wake_events(self.key(), POLLOUT);
        buf.put_all(&taken.to_ne_bytes())?;
        Ok(8)
    }

    fn write(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        // Exactly one number, since Linux 6.11.
        if buf.left() != 8 {
            return Err(Errno::EINVAL.into());
        }
        let before = buf.done();
        let mut bytes = [0; 8];
        buf.get_all(&mut bytes)?;
        let more = u64::from_ne_bytes(bytes);
        if more == u64::MAX {
            buf.rewind(before);
            return Err(Errno::EINVAL.into());
        }
        match self.count.get().checked_add(more).filter(|sum| *sum <= MAX) {
            Some(sum) => self.count.set(sum),
            None => {
                buf.rewind(before);
                return Err(Stop::Block(Wait::key(self.key())));
            }
        }
        ctx.kernel.wake_events(self.key(), POLLIN);
        Ok(8)
    }

    fn readiness(&self, _ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        let mut ready = 0;
        if self.count.get() > 0 {
            ready |= POLLIN;
        }
        if self.count.get() == u64::MAX {
            ready |= POLLERR;
        }
        if self.count.get() < MAX {
            ready |= POLLOUT;
        }
        Readiness::object(ready, self.key())
    }

    fn seek(&self, _ctx: &mut Ctx, _file: &File, _offset: i64, _whence: u32) -> Result<u64, Errno> {
        // noop_llseek
        Ok(0)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(anonymous_stat())
    }

    fn fdinfo(&self) -> String {
        format!(
            "eventfd-count: {:16x}\neventfd-id: {}\neventfd-semaphore: {}\n",
            self.count.get(),
            self.id,
            u8::from(self.semaphore)
        )
    }
}

fn create(ctx: &mut Ctx, count: u32, flags: u32) -> SysResult {
    if flags & !(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let id = ctx.kernel.new_object();
    let file = EventFd { id, count: Cell::new(count.into()), semaphore: flags & EFD_SEMAPHORE != 0 };
    install(ctx, file, b"anon_inode:[eventfd]", O_RDWR, flags)
}

/// eventfd(2), the first form, without flags.
pub fn eventfd(ctx: &mut Ctx, a: &args::Eventfd) -> SysResult {
    create(ctx, a.initval, 0)
}

/// eventfd2(2).
pub fn eventfd2(ctx: &mut Ctx, a: &args::Eventfd2) -> SysResult {
    create(ctx, a.initval, a.flags)
}

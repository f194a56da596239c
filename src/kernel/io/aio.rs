//! Asynchronous I/O as the kernel offers it: io_setup(2), io_submit(2), io_getevents(2) and their kin.
//!
//! A request is carried out while it is submitted, which Linux does too wherever a file cannot do better. So a context is
//! a queue of completions, and only requests that wait for files to become ready ([`poll`]) are ever there to be
//! cancelled.

mod poll;

use super::transfer::{Dir, MAX_RW, pieces};
use super::*;
use crate::abi::{AioSigset, IoEvent, Iocb, Timespec};
use crate::host::Sync;
use crate::kernel::file::Readiness;
use crate::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot, SpaceId};
use crate::syscalls::args;
use std::collections::VecDeque;
use std::rc::Rc;

/// Commands of `struct iocb` (include/uapi/linux/aio_abi.h).
mod command {
    pub const PREAD: u16 = 0;
    pub const PWRITE: u16 = 1;
    pub const FSYNC: u16 = 2;
    pub const FDSYNC: u16 = 3;
    pub const POLL: u16 = 5;
    pub const PREADV: u16 = 7;
    pub const PWRITEV: u16 = 8;
}

/// IOCB_FLAG_RESFD and IOCB_FLAG_IOPRIO.
const RESFD: u32 = 1;
const IOPRIO: u32 = 2;

/// Events that all contexts may hold (/proc/sys/fs/aio-max-nr).
const MAX_EVENTS: u32 = 65536;

/// A context.
#[derive(Debug)]
struct Context {
    /// What waiters wait for.
    id: u64,
    room: u32,
    done: VecDeque<IoEvent>,
}

/// All contexts, by the memory they belong to and the address that names them.
#[derive(Debug, Default)]
pub struct AioContexts {
    contexts: BTreeMap<(SpaceId, u64), Context>,
    /// Requests that wait, by the agents that wait for them.
    polls: BTreeMap<Tid, poll::Poll>,
}

impl Kernel {
    /// Forgets the contexts of an address space that goes.
    pub(in crate::kernel) fn forget_aio(&mut self, space: SpaceId) {
        if !self.aio.contexts.is_empty() {
            self.aio.contexts.retain(|(of, _), _| *of != space);
            self.drop_polls(space, None);
        }
    }
}

impl AioContexts {
    fn reserved(&self) -> u32 {
        self.contexts.values().map(|c| c.room).sum()
    }
}

/// How far a submission has come, kept while a request waits.
#[derive(Default)]
struct Submitted(u64);

/// The context that the caller names.
fn context<'a>(ctx: &'a mut Ctx<'_>, id: GuestAddr) -> Result<&'a mut Context, Errno> {
    let space = ctx.mem().id();
    ctx.kernel.aio.contexts.get_mut(&(space, id.0)).ok_or(Errno::EINVAL)
}

/// io_setup(2). The id is the address of a page, as programs expect; it stays zero, so that they ask the kernel.
pub fn io_setup(ctx: &mut Ctx, a: &args::IoSetup) -> SysResult {
    let old: u64 = ctx.mem().copy_in(a.ctx_idp)?;
    if old != 0 || a.nr_events == 0 {
        return Err(Errno::EINVAL.into());
    }
    if a.nr_events > MAX_EVENTS - ctx.kernel.aio.reserved().min(MAX_EVENTS) {
        return Err(Errno::EAGAIN.into());
    }
    let page = ctx.mem().map(&MapRequest::anonymous(PAGE_SIZE, Prot::READ | Prot::WRITE))?;
    if let Err(e) = ctx.mem().copy_out(a.ctx_idp, &page.0) {
        ctx.mem().unmap(page, PAGE_SIZE)?;
        return Err(e.into());
    }
    let (id, space) = (ctx.kernel.new_object(), ctx.mem().id());
    ctx.kernel.aio.contexts.insert((space, page.0), Context { id, room: a.nr_events, done: VecDeque::new() });
    Ok(0)
}

/// io_destroy(2).
pub fn io_destroy(ctx: &mut Ctx, a: &args::IoDestroy) -> SysResult {
    let space = ctx.mem().id();
    let gone = ctx.kernel.aio.contexts.remove(&(space, a.ctx_id.0)).ok_or(Errno::EINVAL)?;
    ctx.kernel.drop_polls(space, Some(a.ctx_id));
    // The program may have unmapped the page itself.
    let _ = ctx.mem().unmap(a.ctx_id, PAGE_SIZE);
    ctx.kernel.wake_all(WaitKey::Object(gone.id));
    Ok(0)
}

/// io_submit(2).
pub fn io_submit(ctx: &mut Ctx, a: &args::IoSubmit) -> SysResult {
    context(ctx, a.ctx_id)?;
    let count = u64::try_from(a.nr).map_err(|_| Errno::EINVAL)?;
    let state = ctx.call_state(|_| Submitted::default());
    loop {
        let done = state.borrow().0;
        if done >= count {
            return Ok(done);
        }
        match submit_one(ctx, a.ctx_id, a.iocbpp, done) {
            Ok(()) => state.borrow_mut().0 += 1,
            // What has been submitted counts; the error comes back when the rest is submitted again.
            Err(Stop::Errno(_)) if done > 0 => return Ok(done),
            Err(stop) => return Err(stop),
        }
    }
}

/// Carries out request number `n` of the array at `list`.
fn submit_one(ctx: &mut Ctx, id: GuestAddr, list: GuestAddr, n: u64) -> Result<(), Stop> {
    let at: u64 = ctx.mem().copy_in(GuestAddr(list.0.wrapping_add(8 * n)))?;
    let at = GuestAddr(at);
    let iocb: Iocb = ctx.mem().copy_in(at)?;
    if iocb.reserved2 != 0 || iocb.nbytes > i64::MAX as u64 {
        return Err(Errno::EINVAL.into());
    }
    let space = ctx.mem().id();
    let waiting = ctx.kernel.aio.polls.values().filter(|p| p.is_of(space, Some(id))).count();
    let c = context(ctx, id)?;
    if c.done.len() + waiting >= c.room as usize {
        return Err(Errno::EAGAIN.into());
    }
    if iocb.flags & !(RESFD | IOPRIO) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = ctx.file(iocb.fildes as i32)?;
    let tell = if iocb.flags & RESFD != 0 { Some(ctx.file(iocb.resfd as i32)?) } else { None };
    if tell.as_ref().is_some_and(|f| !f.path().starts_with(b"anon_inode:[eventfd]")) {
        return Err(Errno::EINVAL.into());
    }
    // KIOCB_KEY, which io_cancel(2) looks for.
    ctx.mem().copy_out(at.offset(8), &0u32)?;
    if iocb.opcode == command::POLL {
        return Ok(poll::begin(ctx, (id, at), &iocb, file, tell)?);
    }
    let res = match carry_out(ctx, &file, &iocb) {
        Ok(n) => n as i64,
        Err(Stop::Errno(e)) if is_result(e) => -i64::from(e.0),
        Err(Stop::Block(wait)) => return Err(ctx.wait(wait, Errno::EINTR)),
        Err(stop) => return Err(stop),
    };
    let event = IoEvent { data: iocb.data, obj: at.0, res, res2: 0 };
    complete(ctx, (space, id.0), event, tell);
    Ok(())
}

/// Puts the event of a request that is done into its context, and counts it in an eventfd.
fn complete(ctx: &mut Ctx, context: (SpaceId, u64), event: IoEvent, tell: Option<Rc<File>>) {
    let Some(c) = ctx.kernel.aio.contexts.get_mut(&context) else { return };
    c.done.push_back(event);
    let key = WaitKey::Object(c.id);
    ctx.kernel.wake_all(key);
    if let Some(counter) = tell {
        let mut one = Buffer::kernel(1u64.to_ne_bytes().to_vec());
        // A counter that is full stays full.
        let _ = counter.ops().write(ctx, &counter, &mut one, Access::default());
    }
}

/// Whether an error is the request's result, rather than a reason to refuse the request.
fn is_result(e: Errno) -> bool {
    !matches!(e, Errno::EINVAL | Errno::EBADF | Errno::EFAULT)
}

fn carry_out(ctx: &mut Ctx, file: &Rc<File>, iocb: &Iocb) -> SysResult {
    let at = u64::try_from(iocb.offset).map_err(|_| Errno::EINVAL);
    let dir = match iocb.opcode {
        command::PREAD | command::PREADV => Dir::Read,
        command::PWRITE | command::PWRITEV => Dir::Write,
        command::FSYNC | command::FDSYNC => {
            let Some(fd) = file.host_fd().cloned() else { return Err(Errno::EINVAL.into()) };
            let how = if iocb.opcode == command::FSYNC { Sync::All } else { Sync::Data };
            ctx.kernel.host.sync(&fd, how)?;
            return Ok(0);
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let allowed = match dir {
        Dir::Read => file.can_read(),
        Dir::Write => file.can_write(),
    };
    if !allowed {
        return Err(Errno::EBADF.into());
    }
    let mut buf = match iocb.opcode {
        command::PREADV | command::PWRITEV => pieces(ctx, GuestAddr(iocb.buf), iocb.nbytes)?,
        _ => {
            if !ctx.mem().access_ok(GuestAddr(iocb.buf), iocb.nbytes) {
                return Err(Errno::EFAULT.into());
            }
            Buffer::guest(ctx.space(), vec![(GuestAddr(iocb.buf), iocb.nbytes.min(MAX_RW))])
        }
    };
    let at = if file.ops().is_seekable() { Some(at?) } else { None };
    let how = Access { at, flags: iocb.rw_flags as u32 };
    let moved = match dir {
        Dir::Read => file.ops().read(ctx, file, &mut buf, how),
        Dir::Write => file.ops().write(ctx, file, &mut buf, how),
    };
    moved.map(|n| n as u64)
}

/// io_cancel(2): only requests that wait for a file can be cancelled. Their event comes all the same, and says nothing.
pub fn io_cancel(ctx: &mut Ctx, a: &args::IoCancel) -> SysResult {
    let key: u32 = ctx.mem().copy_in(a.iocb.offset(8))?;
    if key != 0 {
        return Err(Errno::EINVAL.into());
    }
    context(ctx, a.ctx_id)?;
    Err(if poll::cancel(ctx, a.ctx_id, a.iocb) { Errno::EINPROGRESS } else { Errno::EINVAL }.into())
}

/// io_getevents(2).
pub fn io_getevents(ctx: &mut Ctx, a: &args::IoGetevents) -> SysResult {
    events(ctx, a.ctx_id, [a.min_nr, a.nr], a.events, a.timeout)
}

/// io_pgetevents(2).
pub fn io_pgetevents(ctx: &mut Ctx, a: &args::IoPgetevents) -> SysResult {
    if !a.usig.is_null() {
        let arg: AioSigset = ctx.mem().copy_in(a.usig)?;
        if arg.set != 0 {
            let mask = ctx.read_sigset(GuestAddr(arg.set), arg.size)?;
            ctx.set_temporary_mask(mask);
        }
    }
    events(ctx, a.ctx_id, [a.min_nr, a.nr], a.events, a.timeout)
}

fn events(ctx: &mut Ctx, id: GuestAddr, [least, most]: [i64; 2], to: GuestAddr, timeout: GuestAddr) -> SysResult {
    let deadline = ctx.call_state(|ctx| -> Result<Option<u64>, Errno> {
        if timeout.is_null() {
            return Ok(None);
        }
        let time: Timespec = ctx.mem().copy_in(timeout)?;
        let ns = time.to_ns().ok_or(Errno::EINVAL)?;
        Ok(Some(ctx.kernel.monotonic_ns().saturating_add(ns)))
    });
    let deadline = *deadline.borrow();
    let deadline = deadline?;
    let c = context(ctx, id)?;
    if least < 0 || most < 0 || least > most {
        return Err(Errno::EINVAL.into());
    }
    let key = WaitKey::Object(c.id);
    let ready = (c.done.len() as u64).min(most as u64);
    let late = deadline.is_some_and(|at| ctx.kernel.monotonic_ns() >= at);
    if ready < least as u64 && !late {
        let stop = ctx.wait(Wait::key(key).or_until(deadline), Errno::EINTR);
        let interrupted = matches!(stop, Stop::Errno(_));
        if !interrupted || ready == 0 {
            return Err(stop);
        }
    }
    let mut given = 0;
    while given < ready {
        let Some(event) = context(ctx, id)?.done.front().copied() else { break };
        let at = GuestAddr(to.0.wrapping_add(given * size_of::<IoEvent>() as u64));
        match ctx.mem().copy_out(at, &event) {
            Ok(()) => {}
            Err(_) if given > 0 => break,
            Err(e) => return Err(e.into()),
        }
        context(ctx, id)?.done.pop_front();
        given += 1;
    }
    Ok(given)
}

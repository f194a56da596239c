//! IOCB_CMD_POLL: requests that are done when a file is ready.
//!
//! They are the only ones that wait, and they wait while their program does something else. So the kernel waits for them
//! itself, as an agent (`kernel/agents.rs`), and looks again when it is woken.

use super::*;
use crate::abi::consts::poll::{POLLERR, POLLHUP};
use crate::arch::Regs;
use crate::host::PollFd;

/// A request that waits.
#[derive(Debug)]
pub(super) struct Poll {
    space: SpaceId,
    /// The address that names its context.
    context: GuestAddr,
    iocb: GuestAddr,
    data: u64,
    file: Rc<File>,
    events: u32,
    tell: Option<Rc<File>>,
}

impl Poll {
    pub(super) fn is_of(&self, space: SpaceId, context: Option<GuestAddr>) -> bool {
        self.space == space && context.is_none_or(|c| c == self.context)
    }

    /// Which of the events hold now, and what to wait for.
    fn ask(&self, ctx: &mut Ctx) -> (u32, Wait) {
        let events = self.events as i16;
        let Readiness { ready, host, keys, deadline_ns } = self.file.ops().readiness(ctx, &self.file, events);
        let mut found = u32::from(ready as u16);
        let mut fds = Vec::new();
        if let Some(fd) = host {
            let mut one = [PollFd { fd, events, revents: 0 }];
            // A file that cannot be asked now is asked when it wakes the kernel.
            if ctx.kernel.host.poll(&mut one, Some(0)).is_ok() {
                found |= u32::from(one[0].revents as u16);
            }
            fds.extend(one.map(|p| (p.fd, p.events)));
        }
        (found & self.events, Wait { fds, deadline_ns, keys })
    }

    fn complete(self, ctx: &mut Ctx, found: u32) {
        let event = IoEvent { data: self.data, obj: self.iocb.0, res: found.into(), res2: 0 };
        complete(ctx, (self.space, self.context.0), event, self.tell);
    }
}

/// Begins a request (aio_poll()).
///
/// # Errors
/// `EINVAL`: nothing is to be waited for, or what means nothing here is not 0.
pub(super) fn begin(
    ctx: &mut Ctx,
    (context, at): (GuestAddr, GuestAddr),
    iocb: &Iocb,
    file: Rc<File>,
    tell: Option<Rc<File>>,
) -> Result<(), Errno> {
    let asked = u16::try_from(iocb.buf).map_err(|_| Errno::EINVAL)?;
    if iocb.offset != 0 || iocb.nbytes != 0 || iocb.rw_flags != 0 {
        return Err(Errno::EINVAL);
    }
    let can_wait = file.ops().can_poll();
    let (space, events) = (ctx.mem().id(), u32::from(asked) | POLLERR | POLLHUP);
    let poll = Poll { space, context, iocb: at, data: iocb.data, file, events, tell };
    match poll.ask(ctx) {
        (0, _) if !can_wait => Err(Errno::EINVAL),
        (0, wait) => {
            let agent = ctx.kernel.new_agent(wait);
            ctx.kernel.aio.polls.insert(agent, poll);
            Ok(())
        }
        (found, _) => {
            poll.complete(ctx, found);
            Ok(())
        }
    }
}

/// Ends a request of the caller that waits, with no event; whether there is one.
pub(super) fn cancel(ctx: &mut Ctx, context: GuestAddr, iocb: GuestAddr) -> bool {
    let space = ctx.mem().id();
    let mut polls = ctx.kernel.aio.polls.iter();
    let Some(agent) = polls.find(|(_, p)| p.is_of(space, Some(context)) && p.iocb == iocb).map(|(agent, _)| *agent)
    else {
        return false;
    };
    ctx.kernel.dismiss_agent(agent);
    if let Some(poll) = ctx.kernel.aio.polls.remove(&agent) {
        poll.complete(ctx, 0);
    }
    true
}

impl Kernel {
    /// Looks again for an agent that has been woken.
    pub(in crate::kernel) fn look_at_poll(&mut self, agent: Tid) {
        let Some(poll) = self.aio.polls.remove(&agent) else { return };
        // Files are asked in the name of a thread that has the memory.
        let thread = self.threads.values().find(|t| t.space.borrow().id() == poll.space);
        let Some((tid, arch)) = thread.map(|t| (t.tid, t.arch)) else { return };
        let mut regs = Regs::new(arch);
        let Some(mut ctx) = Ctx::new(self, tid, &mut regs) else { return };
        match poll.ask(&mut ctx) {
            (0, wait) => {
                self.let_agent_wait(agent, wait);
                self.aio.polls.insert(agent, poll);
            }
            (found, _) => poll.complete(&mut ctx, found),
        }
    }

    /// Forgets the requests of an address space, or of one of its contexts.
    pub(super) fn drop_polls(&mut self, space: SpaceId, context: Option<GuestAddr>) {
        let of = |p: &Poll| p.is_of(space, context);
        let agents: Vec<Tid> = self.aio.polls.iter().filter(|(_, p)| of(p)).map(|(agent, _)| *agent).collect();
        for agent in agents {
            self.dismiss_agent(agent);
            self.aio.polls.remove(&agent);
        }
    }
}

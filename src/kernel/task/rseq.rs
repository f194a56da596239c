//! Restartable sequences: rseq(2).
//!
//! A thread tells where it keeps its `struct rseq`. When it is preempted or takes a signal inside a sequence that the
//! struct names, it goes on at the sequence's abort address instead.

use super::*;
use crate::abi::RseqCs;
use crate::abi::consts::rseq::RSEQ_FLAG_UNREGISTER;
use crate::mem::{GuestAddr, Space};

/// Bytes of the original `struct rseq`, and their alignment.
const ORIGINAL_SIZE: u32 = 32;

/// Offsets in `struct rseq` (include/uapi/linux/rseq.h).
const CPU_ID_START: u64 = 0;
const CPU_ID: u64 = 4;
const RSEQ_CS: u64 = 8;
const NODE_ID: u64 = 20;
const MM_CID: u64 = 24;

/// The cpu_id of a thread that is not registered.
const UNINITIALIZED: u32 = u32::MAX;

/// A thread's registration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rseq {
    /// Its `struct rseq`; null when there is none.
    pub addr: GuestAddr,
    /// The struct's size in bytes.
    pub len: u32,
    /// What stands before every abort address.
    pub signature: u32,
}

/// rseq(2).
pub fn rseq(ctx: &mut Ctx, a: &args::Rseq) -> SysResult {
    let (addr, len, sig) = (a.rseq, a.rseq_len, a.sig);
    let now = ctx.thread().rseq;
    if a.flags & RSEQ_FLAG_UNREGISTER != 0 {
        return unregister(ctx, now, addr, len, sig, a.flags);
    }
    if a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    if !now.addr.is_null() {
        let error = match now {
            Rseq { addr: at, len: of, .. } if at != addr || of != len => Errno::EINVAL,
            Rseq { signature, .. } if signature != sig => Errno::EPERM,
            _ => Errno::EBUSY,
        };
        return Err(error.into());
    }
    if len < ORIGINAL_SIZE || !addr.0.is_multiple_of(ORIGINAL_SIZE.into()) {
        return Err(Errno::EINVAL.into());
    }
    if !ctx.mem().access_ok(addr, len.into()) {
        return Err(Errno::EFAULT.into());
    }
    let cpu = ctx.kernel.cpu_of(ctx.tid);
    publish(&mut ctx.mem(), addr, cpu, cpu)?;
    ctx.mem().copy_out(addr.offset(RSEQ_CS), &0u64)?;
    ctx.thread().rseq = Rseq { addr, len, signature: sig };
    Ok(0)
}

fn unregister(ctx: &mut Ctx, now: Rseq, addr: GuestAddr, len: u32, sig: u32, flags: u32) -> SysResult {
    if flags & !RSEQ_FLAG_UNREGISTER != 0 || now.addr.is_null() || now.addr != addr || now.len != len {
        return Err(Errno::EINVAL.into());
    }
    if now.signature != sig {
        return Err(Errno::EPERM.into());
    }
    publish(&mut ctx.mem(), addr, 0, UNINITIALIZED)?;
    ctx.thread().rseq = Rseq::default();
    Ok(0)
}

/// Writes the processor's number to the struct.
fn publish(mem: &mut Space, addr: GuestAddr, start: u32, cpu: u32) -> Result<(), Errno> {
    mem.copy_out(addr.offset(CPU_ID_START), &start)?;
    mem.copy_out(addr.offset(CPU_ID), &cpu)?;
    mem.copy_out(addr.offset(NODE_ID), &0u32)?;
    mem.copy_out(addr.offset(MM_CID), &0u32)
}

impl Kernel {
    /// The processor that a thread seems to run on: the first one that it may.
    pub(super) fn cpu_of(&mut self, tid: Tid) -> u32 {
        let mask = self.affinity(tid);
        let first = mask.iter().enumerate().find(|(_, byte)| **byte != 0);
        first.map_or(0, |(n, byte)| n as u32 * 8 + byte.trailing_zeros())
    }

    /// A thread may run on other processors now, and finds it out from its struct.
    pub(super) fn move_to_cpu(&mut self, tid: Tid) {
        let cpu = self.cpu_of(tid);
        let Some(t) = self.threads.get(&tid) else { return };
        if !t.rseq.addr.is_null() {
            let mut both = [0; 8];
            both[..4].copy_from_slice(&cpu.to_le_bytes());
            both[4..].copy_from_slice(&cpu.to_le_bytes());
            // Not an output of the call, and a bad address is found when the thread leaves a sequence.
            let _ = t.space.borrow_mut().poke(t.rseq.addr.offset(CPU_ID_START), &both);
        }
    }

    /// To be called when another thread has had the processor, and before a handler's frame is built: takes the thread
    /// out of the restartable sequence it is in, if it is in one. A malformed registration is the end of the process,
    /// by SIGSEGV as in Linux.
    pub fn leave_rseq(&mut self, tid: Tid, port: &mut dyn RegPort) {
        if self.abort_rseq(tid, port).is_err()
            && let Some(pid) = self.threads.get(&tid).map(|t| t.pid)
        {
            self.exit_process(pid, ExitStatus::Signal { signal: Signal::SIGSEGV, core: false });
        }
    }

    fn abort_rseq(&mut self, tid: Tid, port: &mut dyn RegPort) -> Result<(), Errno> {
        let Some(t) = self.threads.get_mut(&tid) else { return Ok(()) };
        if t.rseq.addr.is_null() {
            return Ok(());
        }
        let mut mem = t.space.borrow_mut();
        let at: u64 = mem.copy_in(t.rseq.addr.offset(RSEQ_CS))?;
        if at == 0 {
            return Ok(());
        }
        let cs: RseqCs = mem.copy_in(GuestAddr(at))?;
        let end = cs.start_ip.checked_add(cs.post_commit_offset).ok_or(Errno::EINVAL)?;
        let pc = port.pc();
        if cs.version != 0 || (cs.start_ip..end).contains(&cs.abort_ip) {
            return Err(Errno::EINVAL);
        }
        mem.copy_out(t.rseq.addr.offset(RSEQ_CS), &0u64)?;
        if !(cs.start_ip..end).contains(&pc) {
            return Ok(());
        }
        let signature: u32 = mem.copy_in(GuestAddr(cs.abort_ip.wrapping_sub(4)))?;
        if signature != t.rseq.signature {
            return Err(Errno::EINVAL);
        }
        drop(mem);
        let mut regs = t.regs.clone();
        port.save(&mut regs);
        regs.set_pc(cs.abort_ip);
        port.load(&regs);
        Ok(())
    }
}

//! Files of a process that tell what it does, and what it may do (proc(5)): scheduling, I/O, the call it is in, ids.

use super::process::process;
use super::*;
use std::fmt::Write as _;

/// `autogroup`: there are no scheduling groups but one for each session.
pub(super) fn autogroup(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    Ok(format!("/autogroup-{} nice 0\n", process(k, tid)?.sid).into_bytes())
}

/// `io`: what the transfers of its calls were; of the disk the machine knows nothing.
pub(super) fn io(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    let io = process(k, tid)?.io;
    let mut text = String::new();
    for (name, value) in [
        ("rchar", io.read_bytes),
        ("wchar", io.written_bytes),
        ("syscr", io.reads),
        ("syscw", io.writes),
        ("read_bytes", 0),
        ("write_bytes", 0),
        ("cancelled_write_bytes", 0),
    ] {
        let _ = writeln!(text, "{name}: {value}");
    }
    Ok(text.into_bytes())
}

/// `sched`: the figures that the machine's scheduler has.
pub(super) fn sched(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    let cpu = k.thread_cpu(tid);
    let name = String::from_utf8_lossy(&process::comm(k, tid)?).into_owned();
    let p = process(k, tid)?;
    let mut text = format!("{name} ({tid}, #threads: {})\n{}\n", p.threads.len().max(1), "-".repeat(67));
    let ms = |ns: u64| format!("{}.{:06}", ns / 1_000_000, ns % 1_000_000);
    let s = k.threads.get(&tid).map(|t| t.sched.clone()).unwrap_or_default();
    let priority = if s.priority > 0 { 99 - i64::from(s.priority) } else { 120 + i64::from(s.nice) };
    for (key, value) in [
        ("se.exec_start", ms(p.start_ns)),
        ("se.sum_exec_runtime", ms(cpu.total_ns())),
        ("policy", s.policy.to_string()),
        ("prio", priority.to_string()),
    ] {
        let _ = writeln!(text, "{key:<45}:{value:>21}");
    }
    Ok(text.into_bytes())
}

/// `syscall`: number, arguments, stack pointer and program counter of the call that a thread waits in.
pub(super) fn syscall(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    process(k, tid)?;
    let Some(t) = k.threads.get(&tid) else { return Ok(b"0 0x0 0x0\n".to_vec()) };
    let Some(call) = t.in_call else {
        return Ok(b"running\n".to_vec());
    };
    let args: String = call.raw.args.iter().map(|a| format!(" {a:#x}")).collect();
    Ok(format!("{}{args} {:#x} {:#x}\n", call.raw.nr as i64, t.regs.sp(), call.pc).into_bytes())
}

/// `setgroups`, `uid_map`, `gid_map`, `projid_map`: the first user namespace, with every id as it is.
pub(super) fn whole_map(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    process(k, tid)?;
    Ok(format!("{:10} {:10} {:10}\n", 0, 0, u32::MAX).into_bytes())
}

/// The ids of the children that a thread has made, for `task/TID/children`.
pub(super) fn children(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    let pid = process(k, tid)?.pid;
    // Those whose creator has ended stand with the first thread.
    let threads = process(k, tid)?.threads.clone();
    let of = |p: &Process| if threads.contains(&p.creator) { p.creator } else { pid };
    let ids = k.processes.values().filter(|p| p.ppid == pid && of(p) == tid).map(|p| format!("{} ", p.pid));
    Ok(ids.collect::<String>().into_bytes())
}

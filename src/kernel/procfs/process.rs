//! The files of `/proc/PID` and `/proc/PID/task/TID` (proc(5)).

use super::*;
use super::{activity, maps};
use crate::kernel::sys::NR_OPEN;
use crate::kernel::time::{CpuTime, SECOND_NS, USER_HZ};
use crate::kernel::tty::Tty;
use crate::mem::{GuestAddr, PAGE_SIZE, Space};
use std::fmt::Write as _;

/// What a file of a process directory is made by; the id is a thread's, or a zombie's.
type Make = fn(&mut Kernel, Tid) -> Result<Vec<u8>, Errno>;
/// What takes the bytes that are written to it.
type Take = fn(&mut Kernel, Tid, &[u8]) -> Result<(), Errno>;

/// A file of a process directory: name, permission bits, content, and what writing does.
pub(super) struct File {
    pub(super) name: &'static str,
    mode: u32,
    make: Make,
    take: Option<Take>,
}

const fn read(name: &'static str, make: Make) -> File {
    File { name, mode: 0o444, make, take: None }
}

const fn private(name: &'static str, make: Make) -> File {
    File { name, mode: 0o400, make, take: None }
}

const fn settable(name: &'static str, make: Make, take: Take) -> File {
    File { name, mode: 0o644, make, take: Some(take) }
}

/// The files, in the order of their names.
pub(super) const FILES: &[File] = &[
    settable("autogroup", activity::autogroup, |_, _, _| Err(Errno::EINVAL)),
    private("auxv", |k, tid| Ok(process(k, tid)?.auxv_bytes())),
    read("cgroup", |k, tid| process(k, tid).map(|_| b"0::/\n".to_vec())),
    File { name: "clear_refs", mode: 0o200, make: |_, _| Err(Errno::EINVAL), take: Some(clear_refs) },
    read("cmdline", |k, tid| strings(k, tid, |p| p.layout.args, |p| &p.argv)),
    settable("comm", |k, tid| Ok([&comm(k, tid)?[..], b"\n"].concat()), set_comm),
    settable("coredump_filter", coredump_filter, set_coredump_filter),
    read("cpuset", |k, tid| process(k, tid).map(|_| b"/\n".to_vec())),
    private("environ", |k, tid| strings(k, tid, |p| p.layout.env, |p| &p.envp)),
    settable("gid_map", activity::whole_map, |_, _, _| Err(Errno::EPERM)),
    private("io", activity::io),
    settable("limits", limits, |_, _, _| Err(Errno::EINVAL)),
    settable("loginuid", |k, tid| Ok(process(k, tid)?.settings.login_uid.to_string().into_bytes()), set_login_uid),
    read("maps", |k, tid| with_space(k, tid, maps::maps)),
    read("mountinfo", |k, _| mounts::mountinfo(k)),
    read("mounts", |k, _| mounts::mounts(k)),
    read("numa_maps", |k, tid| with_space(k, tid, maps::numa)),
    settable("oom_adj", |k, tid| Ok(line(process(k, tid)?.settings.oom_score_adj * 17 / 1000)), set_oom_adj),
    read("oom_score", |k, tid| Ok(line((process(k, tid)?.settings.oom_score_adj + 1000) * 2 / 3))),
    settable("oom_score_adj", |k, tid| Ok(line(process(k, tid)?.settings.oom_score_adj)), set_oom_score_adj),
    private("personality", |k, tid| Ok(format!("{:08x}\n", process(k, tid)?.personality).into_bytes())),
    settable("projid_map", activity::whole_map, |_, _, _| Err(Errno::EPERM)),
    settable("sched", activity::sched, |_, _, _| Ok(())),
    read("sessionid", |k, tid| process(k, tid).map(|_| u32::MAX.to_string().into_bytes())),
    read("schedstat", |k, tid| {
        let cpu = k.thread_cpu(tid);
        Ok(format!("{} 0 1\n", cpu.total_ns()).into_bytes())
    }),
    settable("setgroups", |k, tid| process(k, tid).map(|_| b"allow\n".to_vec()), |_, _, _| Err(Errno::EPERM)),
    read("smaps", |k, tid| with_space(k, tid, maps::smaps)),
    read("smaps_rollup", |k, tid| with_space(k, tid, maps::rollup)),
    private("stack", |k, tid| process(k, tid).map(|_| Vec::new())),
    read("stat", stat),
    read("statm", statm),
    read("status", status),
    private("syscall", activity::syscall),
    settable("timens_offsets", |k, tid| process(k, tid).map(|_| TIMENS.to_vec()), |_, _, _| Err(Errno::EACCES)),
    read("timers", |k, tid| {
        let pid = process(k, tid)?.pid;
        Ok(k.timer_listing(pid))
    }),
    settable(
        "timerslack_ns",
        |k, tid| Ok(line(process(k, tid)?.settings.timer_slack_ns)),
        |k, tid, text| {
            let value: u64 = parse(text)?;
            change(k, tid)?.timer_slack_ns = value;
            Ok(())
        },
    ),
    settable("uid_map", activity::whole_map, |_, _, _| Err(Errno::EPERM)),
    read("wchan", |k, tid| process(k, tid).map(|_| b"0".to_vec())),
];

/// `timens_offsets`: clocks as they are.
const TIMENS: &[u8] = b"monotonic           0         0\nboottime            0         0\n";

/// The file with this name in the directory of `tid`.
pub(super) fn node(tid: Tid, name: &[u8]) -> Option<Node> {
    let file = FILES.iter().find(|f| f.name.as_bytes() == name)?;
    let make = file.make;
    let write = file.take.map(|take| -> Writer {
        Rc::new(move |k: &mut Kernel, bytes: &[u8]| take(k, tid, bytes).map(|()| bytes.len()))
    });
    Some(Node::Text { mode: file.mode, read: Rc::new(move |k| make(k, tid)), write })
}

fn line(value: impl std::fmt::Display) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

/// A number that was written to a file.
fn parse<T: std::str::FromStr>(text: &[u8]) -> Result<T, Errno> {
    let text = std::str::from_utf8(text).map_err(|_| Errno::EINVAL)?;
    text.trim().parse().map_err(|_| Errno::EINVAL)
}

/// The process of a thread; the id of a zombie, which has no threads, is its own.
pub(super) fn process(k: &Kernel, tid: Tid) -> Result<&Process, Errno> {
    k.process_of(tid).or_else(|| k.processes.get(&tid)).ok_or(Errno::ESRCH)
}

fn change(k: &mut Kernel, tid: Tid) -> Result<&mut task::Settings, Errno> {
    let pid = process(k, tid)?.pid;
    k.processes.get_mut(&pid).map(|p| &mut p.settings).ok_or(Errno::ESRCH)
}

/// Its name: a thread's own, or for a zombie what its program is called.
pub(super) fn comm(k: &Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    if let Some(t) = k.threads.get(&tid) {
        return Ok(t.comm.clone());
    }
    Ok(process(k, tid)?.comm_at_exit.clone())
}

fn set_comm(k: &mut Kernel, tid: Tid, text: &[u8]) -> Result<(), Errno> {
    let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
    k.threads.get_mut(&tid).ok_or(Errno::ESRCH)?.comm = text[..end.min(15)].to_vec();
    Ok(())
}

fn coredump_filter(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    Ok(format!("{:08x}\n", process(k, tid)?.settings.coredump_filter).into_bytes())
}

fn set_coredump_filter(k: &mut Kernel, tid: Tid, text: &[u8]) -> Result<(), Errno> {
    let text = std::str::from_utf8(text).map_err(|_| Errno::EINVAL)?.trim();
    let value = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    change(k, tid)?.coredump_filter = value.map_err(|_| Errno::EINVAL)? & 0x1ff;
    Ok(())
}

fn set_login_uid(k: &mut Kernel, tid: Tid, text: &[u8]) -> Result<(), Errno> {
    let uid = parse(text)?;
    change(k, tid)?.login_uid = uid;
    Ok(())
}

/// `clear_refs`: which pages were used is not kept, so there is nothing to forget.
fn clear_refs(k: &mut Kernel, tid: Tid, text: &[u8]) -> Result<(), Errno> {
    process(k, tid)?;
    let what: u32 = parse(text)?;
    if (1..=5).contains(&what) { Ok(()) } else { Err(Errno::EINVAL) }
}

/// The old scale from -17 to 15 (proc_pid_oom_adj(5)).
fn set_oom_adj(k: &mut Kernel, tid: Tid, text: &[u8]) -> Result<(), Errno> {
    let value: i32 = parse(text)?;
    let score = match value {
        15 => 1000,
        -17..=14 => value * 1000 / 17,
        _ => return Err(Errno::EINVAL),
    };
    set_oom_score_adj(k, tid, score.to_string().as_bytes())
}

fn set_oom_score_adj(k: &mut Kernel, tid: Tid, text: &[u8]) -> Result<(), Errno> {
    let value: i32 = parse(text)?;
    if !(-1000..=1000).contains(&value) {
        return Err(Errno::EINVAL);
    }
    let privileged = k.threads.get(&tid).is_some_and(|t| t.credentials.has(task::CAP_SYS_RESOURCE));
    let settings = change(k, tid)?;
    if value < settings.oom_score_adj && !privileged {
        return Err(Errno::EACCES);
    }
    settings.oom_score_adj = value;
    Ok(())
}

/// The files that a process has mapped, as the links of `map_files` (proc_pid_map_files(5)).
pub(super) fn mapped_files(k: &Kernel, tid: Tid) -> Vec<Entry> {
    let Some(t) = k.threads.get(&tid) else { return Vec::new() };
    let space = t.space.borrow();
    let areas = space.areas().filter(|a| a.file().is_some());
    areas.map(|a| Entry::link(format!("{:x}-{:x}", a.start.0, a.end.0))).collect()
}

/// The link of `map_files` with this name.
pub(super) fn mapped_file(k: &Kernel, tid: Tid, name: &[u8]) -> Option<Node> {
    let (start, end) = std::str::from_utf8(name).ok()?.split_once('-')?;
    let bounds = [start, end].map(|word| u64::from_str_radix(word, 16).ok());
    let [Some(start), Some(end)] = bounds else { return None };
    // No sign, no leading zero.
    let is_exact = format!("{start:x}-{end:x}").as_bytes() == name;
    (is_exact && is_mapped_file(k, tid, start, end)).then_some(Node::Magic(Magic::Map(tid, start, end)))
}

fn is_mapped_file(k: &Kernel, tid: Tid, start: u64, end: u64) -> bool {
    k.threads.get(&tid).is_some_and(|t| t.space.borrow().file_between(start, end).is_some())
}

/// Runs `show` over the memory of a thread; a zombie has none, and shows nothing.
fn with_space(k: &mut Kernel, tid: Tid, show: Show) -> Result<Vec<u8>, Errno> {
    let p = process(k, tid)?;
    let Some(t) = k.threads.get(&tid) else { return Ok(Vec::new()) };
    let children = k.processes.values().filter(|c| c.ppid == p.pid && !c.settings.has_executed);
    let parent = k.processes.get(&p.ppid).filter(|_| !p.settings.has_executed);
    let relatives: Vec<_> = children
        .chain(parent)
        .filter_map(|relative| k.threads.get(relative.threads.first()?))
        .filter(|relative| !Rc::ptr_eq(&relative.space, &t.space))
        .map(|relative| relative.space.borrow())
        .collect();
    let relatives: Vec<&Space> = relatives.iter().map(|space| &**space).collect();
    Ok(show(&t.space.borrow(), &relatives))
}

/// Shows a space, given those that have pages in common with it since a fork(2).
type Show = fn(&Space, &[&Space]) -> Vec<u8>;

/// Arguments or environment: what now stands in the process's memory where they were at its start.
fn strings(
    k: &mut Kernel,
    tid: Tid,
    range: fn(&Process) -> (GuestAddr, GuestAddr),
    initial: fn(&Process) -> &Vec<Vec<u8>>,
) -> Result<Vec<u8>, Errno> {
    let p = process(k, tid)?;
    let Some(t) = k.threads.get(&tid) else { return Ok(Vec::new()) };
    let (start, end) = range(p);
    let len = end.0.saturating_sub(start.0).min(4 << 20) as usize;
    let mut bytes = vec![0; len];
    if len == 0 || t.space.borrow().read(start, &mut bytes).is_err() {
        return Ok(initial(p).iter().flat_map(|s| [&s[..], b"\0"].concat()).collect());
    }
    Ok(bytes)
}

/// `limits`.
fn limits(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    const ROWS: [(&str, &str); 16] = [
        ("Max cpu time", "seconds"),
        ("Max file size", "bytes"),
        ("Max data size", "bytes"),
        ("Max stack size", "bytes"),
        ("Max core file size", "bytes"),
        ("Max resident set", "bytes"),
        ("Max processes", "processes"),
        ("Max open files", "files"),
        ("Max locked memory", "bytes"),
        ("Max address space", "bytes"),
        ("Max file locks", "locks"),
        ("Max pending signals", "signals"),
        ("Max msgqueue size", "bytes"),
        ("Max nice priority", ""),
        ("Max realtime priority", ""),
        ("Max realtime timeout", "us"),
    ];
    let mut text = format!("{:<25} {:<20} {:<20} {:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    let show = |v: u64| if v == u64::MAX { "unlimited".to_string() } else { v.to_string() };
    for ((name, unit), limit) in ROWS.into_iter().zip(process(k, tid)?.limits) {
        let _ = write!(text, "{name:<25} {:<20} {:<20} ", show(limit.soft), show(limit.hard));
        let _ = if unit.is_empty() { writeln!(text) } else { writeln!(text, "{unit:<10}") };
    }
    Ok(text.into_bytes())
}

/// What `stat`, `statm` and `status` say about memory, in bytes; zero for a zombie.
#[derive(Default)]
struct Memory {
    size: u64,
    resident: u64,
    locked: u64,
    data: u64,
    stack: u64,
}

fn memory(k: &Kernel, tid: Tid) -> Memory {
    let Some(t) = k.threads.get(&tid) else { return Memory::default() };
    let space = t.space.borrow();
    let stack = space.areas().filter(|a| matches!(a.name, crate::mem::AreaName::Stack)).map(|a| a.len()).sum();
    // What is resident depends on the host; a deterministic run counts all that is mapped.
    let resident = if k.config.deterministic { space.total_mapped() } else { space.resident_pages() * PAGE_SIZE };
    Memory { size: space.total_mapped(), resident, locked: space.locked_bytes(), data: space.data_mapped(), stack }
}

/// The letter and the word for what a thread is doing. A thread whose file is read by itself is running.
fn state(k: &Kernel, tid: Tid) -> (char, &'static str) {
    match k.threads.get(&tid).map(|t| &t.state) {
        Some(State::Runnable) => ('R', "running"),
        Some(State::Blocked(_)) => ('S', "sleeping"),
        Some(State::Stopped) => ('T', "stopped"),
        None => ('Z', "zombie"),
    }
}

/// Ignored and caught signals, as sets.
fn dispositions(t: &Thread) -> (u64, u64) {
    let (mut ignored, mut caught) = (0, 0);
    for (i, action) in t.actions.borrow().0.iter().enumerate() {
        match action.handler {
            0 => {}
            1 => ignored |= 1 << i,
            _ => caught |= 1 << i,
        }
    }
    (ignored, caught)
}

/// CPU time for `stat`: a process's, or in a `task` directory the thread's own.
fn cpu_of(k: &mut Kernel, tid: Tid) -> CpuTime {
    match process(k, tid).map(|p| p.pid) {
        Ok(pid) if pid == tid => k.process_cpu(pid),
        _ => k.thread_cpu(tid),
    }
}

/// Number of the controlling terminal's device and its foreground group; 0 and -1 without one.
fn terminal(k: &mut Kernel, tid: Tid) -> (i64, i64) {
    let Some(tty) = process(k, tid).ok().and_then(|p| p.terminal) else { return (0, -1) };
    let foreground = match k.control_of(tty).foreground {
        0 => -1,
        group => i64::from(group),
    };
    let device = match tty {
        Tty::Pty(number) => k.terminals.pty(number).map_or(0, |p| p.stat().rdev as i64),
        Tty::Host => {
            let text = k.host.proc_file("/proc/self/stat");
            let text = String::from_utf8_lossy(&text).into_owned();
            let after = text.rsplit(") ").next().unwrap_or_default();
            after.split(' ').nth(4).and_then(|w| w.parse().ok()).unwrap_or(0)
        }
    };
    (device, foreground)
}

/// `stat`.
fn stat(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    const TICK_NS: u64 = SECOND_NS / USER_HZ;
    let name = comm(k, tid)?;
    let (cpu, memory, (tty, foreground)) = (cpu_of(k, tid), memory(k, tid), terminal(k, tid));
    let (letter, _) = state(k, tid);
    let p = process(k, tid)?;
    let t = k.threads.get(&tid);
    let (ignored, caught) = t.map_or((0, 0), dispositions);
    let (pending, blocked) = t.map_or((0, 0), |t| (t.signals.pending.set.0, t.signals.mask.0));
    let sched = t.map(|t| t.sched.clone()).unwrap_or_default();
    let priority = if sched.priority > 0 { -1 - i64::from(sched.priority) } else { 20 + i64::from(sched.nice) };
    let (l, children) = (&p.layout, p.accounts.children);
    let exit = p.exit.map_or(0, ExitStatus::to_wait_status);
    let ticks = |ns: u64| (ns / TICK_NS) as i64;
    let fields: Vec<i128> = vec![
        p.ppid.into(),
        p.pgid.into(),
        p.sid.into(),
        tty.into(),
        foreground.into(),
        // PF_RANDOMIZE, then four counts of page faults that are not kept.
        0x40_0000,
        0,
        0,
        0,
        0,
        ticks(cpu.user_ns).into(),
        ticks(cpu.system_ns).into(),
        ticks(children.user_ns).into(),
        ticks(children.system_ns).into(),
        priority.into(),
        sched.nice.into(),
        // A zombie is its own last thread.
        p.threads.len().max(1) as i128,
        0,
        ticks(p.start_ns).into(),
        memory.size.into(),
        (memory.resident / PAGE_SIZE).into(),
        p.limits[5].soft.into(),
        l.code.0.0.into(),
        l.code.1.0.into(),
        l.stack.0.into(),
        0,
        0,
        pending.into(),
        blocked.into(),
        ignored.into(),
        caught.into(),
        0,
        0,
        0,
        // SIGCHLD, processor 0.
        17,
        0,
        sched.priority.into(),
        sched.policy.into(),
        0,
        0,
        0,
        l.data.0.0.into(),
        l.data.1.0.into(),
        l.brk.0.into(),
        l.args.0.0.into(),
        l.args.1.0.into(),
        l.env.0.0.into(),
        l.env.1.0.into(),
        exit.into(),
    ];
    let mut out = format!("{tid} (").into_bytes();
    out.extend(name);
    let rest: Vec<String> = fields.iter().map(i128::to_string).collect();
    out.extend(format!(") {letter} {}\n", rest.join(" ")).into_bytes());
    Ok(out)
}

/// `statm`, in pages.
fn statm(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    let m = memory(k, tid);
    let l = process(k, tid)?.layout;
    let pages = |bytes: u64| bytes.div_ceil(PAGE_SIZE);
    let text = pages(l.code.1.0.saturating_sub(l.code.0.0));
    let shared = m.resident.saturating_sub(m.data);
    Ok(format!("{} {} {} {text} 0 {} 0\n", pages(m.size), pages(m.resident), pages(shared), pages(m.data + m.stack))
        .into_bytes())
}

/// `status`.
fn status(k: &mut Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    let name = comm(k, tid)?;
    let affinity = k.affinity(tid);
    let (letter, word) = state(k, tid);
    let p = process(k, tid)?;
    let mut out = b"Name:\t".to_vec();
    for byte in name {
        match byte {
            b'\n' => out.extend(b"\\n"),
            b'\\' => out.extend(b"\\\\"),
            b => out.push(b),
        }
    }
    let mut s = String::from("\n");
    if let Some(t) = k.threads.get(&tid) {
        let _ = writeln!(s, "Umask:\t{:04o}", t.fs.borrow().umask);
    }
    let _ = writeln!(s, "State:\t{letter} ({word})\nTgid:\t{}\nNgid:\t0\nPid:\t{tid}\nPPid:\t{}", p.pid, p.ppid);
    s.push_str("TracerPid:\t0\n");
    if let Some(t) = k.threads.get(&tid) {
        let ids = |ids: [u32; 4]| ids.map(|id| id.to_string()).join("\t");
        let _ = writeln!(s, "Uid:\t{}\nGid:\t{}", ids(t.credentials.uid), ids(t.credentials.gid));
        let size = t.files.borrow().iter().last().map_or(0, |(fd, _)| fd as u64).max(63) + 1;
        let _ = writeln!(s, "FDSize:\t{}", size.next_power_of_two().min(NR_OPEN));
        let groups: String = t.credentials.groups.iter().map(|g| format!("{g} ")).collect();
        let _ = writeln!(s, "Groups:\t{groups}");
    } else {
        let uid = p.owner_at_exit;
        let _ = writeln!(s, "Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\t0\t0\t0\nFDSize:\t0\nGroups:\t");
    }
    let _ = writeln!(s, "NStgid:\t{}\nNSpid:\t{tid}\nNSpgid:\t{}\nNSsid:\t{}\nKthread:\t0", p.pid, p.pgid, p.sid);
    status_memory(k, tid, p, &mut s);
    let _ = writeln!(s, "Threads:\t{}", p.threads.len().max(1));
    status_signals(k, tid, p, &mut s);
    let (mode, filters) = k.threads.get(&tid).map_or((0, 0), |t| (t.seccomp.mode(), t.seccomp.filters()));
    let privileges = u8::from(p.settings.no_new_privs);
    let _ = writeln!(s, "NoNewPrivs:\t{privileges}\nSeccomp:\t{mode}\nSeccomp_filters:\t{filters}");
    let mask: u64 = affinity.iter().take(8).rev().fold(0, |m, b| m << 8 | u64::from(*b));
    let _ = writeln!(s, "Cpus_allowed:\t{mask:x}\nCpus_allowed_list:\t{}", task::cpu_list(&affinity));
    s.push_str(
        "Mems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n",
    );
    out.extend(s.into_bytes());
    Ok(out)
}

fn status_memory(k: &Kernel, tid: Tid, p: &Process, s: &mut String) {
    if !k.threads.contains_key(&tid) {
        return;
    }
    let m = memory(k, tid);
    let code = p.layout.code.1.0.saturating_sub(p.layout.code.0.0);
    let anonymous = m.resident.min(m.data + m.stack);
    for (name, bytes) in [
        ("VmPeak", m.size),
        ("VmSize", m.size),
        ("VmLck", m.locked),
        ("VmPin", 0),
        ("VmHWM", m.resident),
        ("VmRSS", m.resident),
        ("RssAnon", anonymous),
        ("RssFile", m.resident - anonymous),
        ("RssShmem", 0),
        ("VmData", m.data),
        ("VmStk", m.stack),
        ("VmExe", code),
        ("VmLib", 0),
        ("VmPTE", 0),
        ("VmSwap", 0),
        ("HugetlbPages", 0),
    ] {
        let _ = writeln!(s, "{name}:\t{:8} kB", bytes / 1024);
    }
    s.push_str("CoreDumping:\t0\nTHP_enabled:\t1\n");
}

fn status_signals(k: &Kernel, tid: Tid, p: &Process, s: &mut String) {
    let t = k.threads.get(&tid);
    let (ignored, caught) = t.map_or((0, 0), dispositions);
    let (pending, blocked) = t.map_or((0, 0), |t| (t.signals.pending.set.0, t.signals.mask.0));
    let queued = p.pending.queue.len() + t.map_or(0, |t| t.signals.pending.queue.len());
    let _ = writeln!(s, "SigQ:\t{queued}/{}", p.limits[11].soft);
    for (name, set) in
        [("SigPnd", pending), ("ShdPnd", p.pending.set.0), ("SigBlk", blocked), ("SigIgn", ignored), ("SigCgt", caught)]
    {
        let _ = writeln!(s, "{name}:\t{set:016x}");
    }
    let [effective, permitted, inheritable, bounding, ambient] = t.map_or([0; 5], |t| t.credentials.caps);
    for (name, set) in [
        ("CapInh", inheritable),
        ("CapPrm", permitted),
        ("CapEff", effective),
        ("CapBnd", bounding),
        ("CapAmb", ambient),
    ] {
        let _ = writeln!(s, "{name}:\t{set:016x}");
    }
}

/// `fdinfo/N`: position, flags and inode of an open file.
pub(super) fn fd_info(k: &mut Kernel, tid: Tid, fd: i32) -> Result<Vec<u8>, Errno> {
    use crate::abi::consts::open::O_CLOEXEC;
    const SEEK_CUR: u32 = 1;
    let t = k.threads.get(&tid).ok_or(Errno::ENOENT)?;
    let (arch, file) = (t.arch, t.files.borrow().get(fd).map_err(|_| Errno::ENOENT)?);
    let close_on_exec = t.files.borrow().close_on_exec(fd).map_err(|_| Errno::ENOENT)?;
    let canonical = file.flags() | if close_on_exec { O_CLOEXEC } else { 0 };
    let flags = crate::syscalls::sets::OPEN.from_canonical(arch, canonical.into());
    // A file without positions shows 0.
    let (pos, ino) = match file.host_fd() {
        Some(host) => (k.host.seek(host, 0, SEEK_CUR).unwrap_or(0), k.host.stat(host).map_or(0, |stat| stat.ino)),
        None => (file.offset.get(), file.ops().inode()),
    };
    let mnt_id = file.host_fd().map_or(1, |fd| mounts::shown_id(k, fd, 1));
    let more = file.ops().fdinfo_in(k);
    Ok(format!("pos:\t{pos}\nflags:\t0{flags:o}\nmnt_id:\t{mnt_id}\nino:\t{ino}\n{more}").into_bytes())
}

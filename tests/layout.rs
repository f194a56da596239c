//! The layouts that guests see are those that C compilers make of the kernel's headers: for each architecture a C
//! program prints sizes, offsets and numbers, and they are compared with Rust's.

mod common;

use common::build::{Build, Libc};
use common::{Arch, Job, Place};
use sevm::abi::sigframe::{aarch64, x86_64};
use sevm::abi::siginfo::{RawSigAction, RawSigInfo, RawStack, SignalfdSiginfo};
use sevm::abi::*;
use sevm::kernel::signal::{Fields, SigInfo};
use sevm::mem::GuestAddr;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::ExitCode;
use zerocopy::IntoBytes;

/// The start of the C program.
const PROLOGUE: &str = include_str!("layout.c");

/// What is asked of C, and what Rust says.
#[derive(Debug)]
struct Question {
    /// A C statement that prints an answer.
    c: String,
    /// The answer that Rust gives.
    answer: String,
}

/// A number under a name.
fn number(name: &str, c: &str, value: u64) -> Question {
    Question { c: format!("NUMBER(\"{name}\", {c});"), answer: format!("{name} = {value}") }
}

/// A field of a struct. `member` is the C member; where Rust has several as one, `first..=last`, or `first..next` for
/// what is in front of `next`.
fn field(name: &str, c_type: &str, member: &str, offset: usize, size: usize) -> Question {
    let (first, end) = if let Some((first, last)) = member.split_once("..=") {
        (first, format!("END({c_type}, {last})"))
    } else if let Some((first, next)) = member.split_once("..") {
        (first, format!("START({c_type}, {next})"))
    } else {
        (member, format!("END({c_type}, {member})"))
    };
    Question {
        c: format!("FIELD(\"{name}\", START({c_type}, {first}), {end});"),
        answer: format!("{name} at {offset}, {size} bytes"),
    }
}

/// The size of the field that a function takes from a struct.
fn size_by<S, F>(_: impl Fn(&S) -> &F) -> usize {
    size_of::<F>()
}

/// The questions about structs, each as
/// `RustType = "C type" { prefix "common start of the C members", field, field = "C member in full", ... }`.
/// `size "C expression"` behind the type replaces its `sizeof`.
macro_rules! layouts {
    ($($rust:ty = $c:literal $(size $size:literal)? {
        prefix $prefix:literal $(, $field:ident $(= $member:literal)?)* $(,)?
    })*) => {{
        let mut questions = Vec::new();
        $({
            let rust = stringify!($rust);
            let c_size = [$($size,)? concat!("sizeof(", $c, ")")][0];
            questions.push(number(&format!("size of {rust}"), c_size, size_of::<$rust>() as u64));
            $({
                let name = stringify!($field);
                let member = [$($member,)? concat!($prefix, stringify!($field))][0];
                let size = size_by(|s: &$rust| &s.$field);
                questions.push(field(&format!("{rust}.{name}"), $c, member, offset_of!($rust, $field), size));
            })*
        })*
        questions
    }};
}

/// Structs that are the same on both architectures.
fn common() -> Vec<Question> {
    let mut questions = files();
    questions.extend(times());
    questions.extend(system());
    questions.extend(signals());
    questions.extend(sockets());
    questions.extend(ipc());
    questions
}

fn sockets() -> Vec<Question> {
    layouts! {
        MsgHdr = "struct user_msghdr" {
            prefix "msg_", name, name_len = "msg_namelen", iov, iov_len = "msg_iovlen", control,
            control_len = "msg_controllen", flags,
        }
        MMsgHdr = "struct mmsghdr" { prefix "msg_", hdr, len }
        CMsgHdr = "struct cmsghdr" { prefix "cmsg_", len, level, kind = "cmsg_type" }
        UCred = "struct ucred" { prefix "", pid, uid, gid }
    }
}

fn ipc() -> Vec<Question> {
    layouts! {
        IpcPerm = "struct ipc64_perm" { prefix "", key, uid, gid, cuid, cgid, mode, seq }
        ShmidDs = "struct shmid64_ds" {
            prefix "", shm_perm, shm_segsz, shm_atime, shm_dtime, shm_ctime, shm_cpid, shm_lpid, shm_nattch
        }
        ShmInfo64 = "struct shminfo64" { prefix "", shmmax, shmmin, shmmni, shmseg, shmall }
        ShmInfo = "struct shm_info" {
            prefix "", used_ids, shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes
        }
        SemInfo = "struct seminfo" {
            prefix "", semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem
        }
        Sembuf = "struct sembuf" { prefix "", sem_num, sem_op, sem_flg }
        MsqidDs = "struct msqid64_ds" {
            prefix "", msg_perm, msg_stime, msg_rtime, msg_ctime, msg_cbytes, msg_qnum, msg_qbytes, msg_lspid,
            msg_lrpid,
        }
        MsgInfo = "struct msginfo" { prefix "", msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql, msgseg }
        MqAttr = "struct mq_attr" { prefix "", mq_flags, mq_maxmsg, mq_msgsize, mq_curmsgs }
    }
}

fn files() -> Vec<Question> {
    layouts! {
        Flock = "struct flock" { prefix "l_", kind = "l_type", whence, start, len, pid }
        OwnerEx = "struct f_owner_ex" { prefix "", kind = "type", id = "pid" }
        OpenHow = "struct open_how" { prefix "", flags, mode, resolve }
        FileCloneRange = "struct file_clone_range" { prefix "", src_fd, src_offset, src_length, dest_offset }
        IoVec = "struct iovec" { prefix "iov_", base, len }
        Iocb = "struct iocb" {
            prefix "aio_", data, key, rw_flags, opcode = "aio_lio_opcode", reqprio, fildes, buf, nbytes, offset,
            reserved2, flags, resfd,
        }
        IoEvent = "struct io_event" { prefix "", data, obj, res, res2 }
        AioSigset = "struct __aio_sigset" { prefix "", set = "sigmask", size = "sigsetsize" }
        PollFd = "struct pollfd" { prefix "", fd, events, revents }
        SigsetArg = "struct sigset_argpack" { prefix "", set = "p", size }
        StatxTime = "struct statx_timestamp" { prefix "tv_", sec, nsec }
        Statx = "struct statx" {
            prefix "stx_", mask, blksize, attributes, nlink, uid, gid, mode, ino, size, blocks, attributes_mask, atime,
            btime, ctime, mtime, rdev = "stx_rdev_major..=stx_rdev_minor", dev = "stx_dev_major..=stx_dev_minor", mnt_id,
            dio_align = "stx_dio_mem_align..=stx_dio_offset_align",
        }
        StatFs = "struct statfs" {
            prefix "f_", kind = "f_type", block_size = "f_bsize", blocks, free = "f_bfree", available = "f_bavail",
            files, files_free = "f_ffree", id = "f_fsid", name_len = "f_namelen", fragment_size = "f_frsize", flags,
        }
        Termios = "struct termios" { prefix "c_", iflag, oflag, cflag, lflag, line, cc }
        Termios2 = "struct termios2" {
            prefix "c_", base = "c_iflag..=c_cc", ispeed, ospeed
        }
        Termio = "struct termio" { prefix "c_", iflag, oflag, cflag, lflag, line, cc }
        WinSize = "struct winsize" { prefix "ws_", rows = "ws_row", cols = "ws_col", xpixel, ypixel }
    }
}

fn times() -> Vec<Question> {
    layouts! {
        Timespec = "struct __kernel_timespec" { prefix "", tv_sec, tv_nsec }
        Timeval = "struct __kernel_old_timeval" { prefix "", tv_sec, tv_usec }
        Itimerspec = "struct __kernel_itimerspec" { prefix "", it_interval, it_value }
        Itimerval = "struct __kernel_old_itimerval" { prefix "", it_interval, it_value }
        Timezone = "struct timezone" { prefix "", tz_minuteswest, tz_dsttime }
        Tms = "struct tms" { prefix "", tms_utime, tms_stime, tms_cutime, tms_cstime }
        Timex = "struct __kernel_timex" {
            prefix "", modes, offset, freq, maxerror, esterror, status, constant, precision, tolerance, time, tick,
            ppsfreq, jitter, shift, stabil, jitcnt, calcnt, errcnt, stbcnt, tai,
        }
        Sigevent = "struct sigevent" {
            prefix "", sigev_value, sigev_signo, sigev_notify, sigev_notify_thread_id = "_sigev_un._tid"
        }
    }
}

fn system() -> Vec<Question> {
    layouts! {
        Utsname = "struct new_utsname" { prefix "", sysname, nodename, release, version, machine, domainname }
        Sysinfo = "struct sysinfo" {
            prefix "", uptime, loads, totalram, freeram, sharedram, bufferram, totalswap, freeswap, procs, totalhigh,
            freehigh, mem_unit,
        }
        Rlimit = "struct rlimit64" { prefix "", rlim_cur, rlim_max }
        Rusage = "struct rusage" {
            prefix "", ru_utime, ru_stime, ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap,
            ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw,
        }
        CapHeader = "struct __user_cap_header_struct" { prefix "", version, pid }
        CapData = "struct __user_cap_data_struct" { prefix "", effective, permitted, inheritable }
        SchedAttr = "struct sched_attr" {
            prefix "", size, sched_policy, sched_flags, sched_nice, sched_priority, sched_runtime, sched_deadline,
            sched_period, sched_util_min, sched_util_max,
        }
        CloneArgs = "struct clone_args" {
            prefix "", flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size,
            cgroup,
        }
        FutexWaitv = "struct futex_waitv" { prefix "", val, uaddr, flags, reserved = "__reserved" }
        RseqCs = "struct rseq_cs" { prefix "", version, flags, start_ip, post_commit_offset, abort_ip }
    }
}

fn signals() -> Vec<Question> {
    let mut questions = layouts! {
        RawSigInfo = "siginfo_t" { prefix "si_", signo, errno, code, union = "_sifields..=_si_pad" }
        RawSigAction = "struct sigaction" { prefix "sa_", handler, flags, restorer, mask }
        RawStack = "stack_t" { prefix "ss_", sp, flags, size }
        SignalfdSiginfo = "struct signalfd_siginfo" {
            prefix "ssi_", signo, errno, code, pid, uid, fd, tid, band, overrun, trapno, status, int, ptr, utime, stime,
            addr, addr_lsb, syscall, call_addr, arch,
        }
    };
    questions.extend(siginfo_members());
    questions
}

/// The members of siginfo_t's union, found by what they hold.
fn siginfo_members() -> Vec<Question> {
    // Values whose bytes occur nowhere else.
    let small = |n: u32| 0x5a00_0080 + n;
    let large = |n: u64| 0x6b00_0000_0000_0090 + n;
    let cases = [
        (Fields::Kill { pid: small(1) as i32, uid: small(2) }, vec![("_kill._pid", 1), ("_kill._uid", 2)], vec![]),
        (
            Fields::Queue { pid: small(1) as i32, uid: small(2), value: large(1) },
            vec![("_rt._pid", 1), ("_rt._uid", 2)],
            vec![("_rt._sigval", 1)],
        ),
        (
            Fields::Timer { id: small(1) as i32, overrun: small(2) as i32, value: large(1) },
            vec![("_timer._tid", 1), ("_timer._overrun", 2)],
            vec![("_timer._sigval", 1)],
        ),
        (
            Fields::Child {
                pid: small(1) as i32,
                uid: small(2),
                status: small(3) as i32,
                utime: large(1) as i64,
                stime: large(2) as i64,
            },
            vec![("_sigchld._pid", 1), ("_sigchld._uid", 2), ("_sigchld._status", 3)],
            vec![("_sigchld._utime", 1), ("_sigchld._stime", 2)],
        ),
        (Fields::Fault { addr: GuestAddr(large(1)) }, vec![], vec![("_sigfault._addr", 1)]),
        (
            Fields::Poll { band: large(1) as i64, fd: small(1) as i32 },
            vec![("_sigpoll._fd", 1)],
            vec![("_sigpoll._band", 1)],
        ),
        (
            Fields::Syscall { addr: GuestAddr(large(1)), nr: small(1) as i32, arch: small(2) },
            vec![("_sigsys._syscall", 1), ("_sigsys._arch", 2)],
            vec![("_sigsys._call_addr", 1)],
        ),
    ];
    let mut questions = vec![];
    for (fields, words, longs) in cases {
        let raw = SigInfo { fields, ..SigInfo::kernel(Signal::SIGUSR1) }.to_raw();
        let words = words.into_iter().map(|(member, n)| (member, small(n).to_le_bytes().to_vec()));
        let longs = longs.into_iter().map(|(member, n)| (member, large(n).to_le_bytes().to_vec()));
        for (member, value) in words.chain(longs) {
            // Beyond the struct when it is nowhere: an answer that C never gives.
            let at = raw.as_bytes().windows(value.len()).position(|w| w == value).unwrap_or(usize::MAX);
            questions.push(field(member, "siginfo_t", &format!("_sifields.{member}"), at, value.len()));
        }
    }
    questions
}

/// Structs and numbers of x86_64 alone.
fn of_x86_64() -> Vec<Question> {
    let mut questions = layouts! {
        StatX86_64 = "struct stat" {
            prefix "st_", dev, ino, nlink, mode, uid, gid, rdev, size, blksize, blocks,
            atime = "st_atime..=st_atime_nsec", mtime = "st_mtime..=st_mtime_nsec", ctime = "st_ctime..=st_ctime_nsec",
        }
        SemidDsX86_64 = "struct semid64_ds" { prefix "", sem_perm, sem_otime, sem_ctime, sem_nsems }
        Ustat = "struct ustat" { prefix "f_", free = "f_tfree", inodes = "f_tinode" }
        x86_64::SigContext = "struct sigcontext_64" {
            prefix "", r8_r15 = "r8..=r15", low = "di..=sp", ip, flags, cs, gs, fs, ss, err, trapno, oldmask, cr2,
            fpstate, reserved = "reserved1",
        }
        x86_64::UContext = "struct ucontext" {
            prefix "uc_", flags, link, stack, mcontext, sigmask
        }
        x86_64::RtSigFrame = "struct rt_sigframe" { prefix "", pretcode, uc, info }
        x86_64::FxState = "struct _fpstate_64" {
            prefix "", cwd, swd, twd, fop, rip, rdp, mxcsr, mxcsr_mask, st = "st_space", xmm = "xmm_space",
            reserved = "reserved2", magic1 = "sw_reserved.magic1", extended_size = "sw_reserved.extended_size",
            xfeatures = "sw_reserved.xfeatures", xstate_size = "sw_reserved.xstate_size",
            padding = "sw_reserved.padding",
        }
        x86_64::XstateHeader = "struct _header" {
            prefix "", xstate_bv = "xfeatures", xcomp_bv = "reserved1[0]", reserved = "reserved1[1]..=reserved2"
        }
    };
    // The order of the registers that Rust has in one array.
    for (i, name) in ["di", "si", "bp", "bx", "dx", "ax", "cx", "sp"].into_iter().enumerate() {
        let at = offset_of!(x86_64::SigContext, low) + 8 * i;
        questions.push(field(name, "struct sigcontext_64", name, at, 8));
    }
    questions.extend([
        number("UC_FP_XSTATE", "UC_FP_XSTATE", x86_64::UC_FP_XSTATE),
        number("UC_SIGCONTEXT_SS", "UC_SIGCONTEXT_SS", x86_64::UC_SIGCONTEXT_SS),
        number("UC_STRICT_RESTORE_SS", "UC_STRICT_RESTORE_SS", x86_64::UC_STRICT_RESTORE_SS),
        number("FP_XSTATE_MAGIC1", "FP_XSTATE_MAGIC1", x86_64::FP_XSTATE_MAGIC1.into()),
        number("FP_XSTATE_MAGIC2", "FP_XSTATE_MAGIC2", x86_64::FP_XSTATE_MAGIC2.into()),
    ]);
    questions
}

/// Structs and numbers of aarch64 alone. Rust's frame ends where the records of variable size start.
fn of_aarch64() -> Vec<Question> {
    let mut questions = layouts! {
        StatAarch64 = "struct stat" {
            prefix "st_", dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks,
            atime = "st_atime..=st_atime_nsec", mtime = "st_mtime..=st_mtime_nsec", ctime = "st_ctime..=st_ctime_nsec",
        }
        SemidDsAarch64 = "struct semid64_ds" { prefix "", sem_perm, sem_otime, sem_ctime, sem_nsems }
        aarch64::CtxHead = "struct _aarch64_ctx" { prefix "", magic, size }
        aarch64::FpsimdContext = "struct fpsimd_context" { prefix "", head, fpsr, fpcr, vregs }
        aarch64::EsrContext = "struct esr_context" { prefix "", head, esr }
        aarch64::SigContext = "struct sigcontext" size "START(struct sigcontext, __reserved)" {
            prefix "", fault_address, regs, sp, pc, pstate
        }
        aarch64::UContext = "struct ucontext" size "START(struct ucontext, uc_mcontext.__reserved)" {
            prefix "uc_", flags, link, stack, sigmask, mcontext = "uc_mcontext..uc_mcontext.__reserved"
        }
        aarch64::RtSigFrame = "struct rt_sigframe" size "START(struct rt_sigframe, uc.uc_mcontext.__reserved)" {
            prefix "", info, uc = "uc..uc.uc_mcontext.__reserved"
        }
        aarch64::FrameRecord = "struct frame_record" { prefix "", fp, lr }
    };
    questions.extend([
        number("FPSIMD_MAGIC", "FPSIMD_MAGIC", aarch64::FPSIMD_MAGIC.into()),
        number("ESR_MAGIC", "ESR_MAGIC", aarch64::ESR_MAGIC.into()),
        number("EXTRA_MAGIC", "EXTRA_MAGIC", aarch64::EXTRA_MAGIC.into()),
        number("RESERVED", "sizeof(((struct sigcontext *)0)->__reserved)", aarch64::RESERVED as u64),
        number("FRAME_SIZE", "sizeof(struct rt_sigframe)", aarch64::FRAME_SIZE),
    ]);
    questions
}

fn questions(arch: Arch) -> Vec<Question> {
    let mut questions = common();
    questions.extend(match arch {
        Arch::X86_64 => of_x86_64(),
        Arch::Aarch64 => of_aarch64(),
    });
    questions
}

/// The program that asks the questions of `arch`.
fn program(arch: Arch) -> Build {
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("layout-{}", arch.name())).join("main.c");
    Build { source, arch, libc: Libc::Glibc, flags: vec!["-O1".into()] }
}

/// Builds and runs the program, and compares.
fn check(arch: Arch) -> Result<(), String> {
    let questions = questions(arch);
    let mut text = PROLOGUE.to_string();
    questions.iter().for_each(|q| text += &format!("\t{}\n", q.c));
    text += "\treturn 0;\n}\n";
    let build = program(arch);
    common::build::write_source(&build.source, &text)?;

    let mut command = arch.reference().map_err(|m| m.0)?;
    command.push(build.get()?.into());
    let job = Job { args: &[], env: &[], stdin: None, timeout: common::TIMEOUT, prepare: &|_| Ok(()) };
    let outcome = Place::new()?.run(&command, &job)?;
    if !outcome.status.success() {
        return Err(format!("{}\n{}", common::status(outcome.status), common::excerpt(&outcome.stderr)));
    }
    let output = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let lines: Vec<&str> = output.lines().collect();
    if lines.len() != questions.len() {
        return Err(format!("{} answers to {} questions", lines.len(), questions.len()));
    }
    let mut report = String::new();
    for (question, line) in questions.iter().zip(lines) {
        if question.answer != line {
            let _ = writeln!(report, "C: {line}\nRust: {}", question.answer);
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// Every `#[repr(C)]` struct of `src/abi` is asked about.
fn check_all_listed() -> Result<(), String> {
    let mut listed = BTreeSet::new();
    for question in Arch::ALL.into_iter().flat_map(questions) {
        if let Some((name, _)) = question.answer.strip_prefix("size of ").and_then(|a| a.split_once(" = ")) {
            listed.insert(name.rsplit("::").next().unwrap_or(name).trim().to_string());
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/abi");
    let mut missing = vec![];
    for entry in fs::read_dir(&folder).map_err(|e| e.to_string())?.flatten() {
        let text = fs::read_to_string(entry.path()).map_err(|e| e.to_string())?;
        for after in text.split("#[repr(C)]").skip(1) {
            let name = after.split_once("pub struct ").map_or("", |(_, rest)| rest);
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !listed.contains(&name) {
                missing.push(format!("{} in {}", name, entry.file_name().to_string_lossy()));
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("not compared with C: {}", missing.join(", "))) }
}

fn main() -> ExitCode {
    let mut trials = vec![common::trial("every_struct_is_compared".into(), Ok(()), check_all_listed)];
    for arch in Arch::ALL {
        let needs = program(arch).needs().and_then(|()| arch.reference().map(|_| ()));
        trials.push(common::trial(format!("layouts_of_{}", arch.name()), needs, move || check(arch)));
    }
    common::run_trials(trials)
}

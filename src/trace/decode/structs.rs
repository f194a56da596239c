//! The structs of signatures: their layouts (include/uapi) in strace's order of fields, and which printer each has.

use super::layout::{Brief, Field, Kind, Layout, f, layout};
use super::{Cx, ipc, time};
use crate::arch::Arch;
use crate::syscalls::{Struct, sets};

const fn brief(size: usize, shown: usize, fields: &'static [Field]) -> Layout {
    Layout { size, fields, brief: Brief::First(shown) }
}

pub(super) static TIMESPEC: Layout = layout(16, &[f("tv_sec", 0, Kind::I64), f("tv_nsec", 8, Kind::I64)]);
pub(super) static TIMEVAL: Layout = layout(16, &[f("tv_sec", 0, Kind::I64), f("tv_usec", 8, Kind::I64)]);
static ITIMERSPEC: Layout =
    layout(32, &[f("it_interval", 0, Kind::Struct(&TIMESPEC)), f("it_value", 16, Kind::Struct(&TIMESPEC))]);
static ITIMERVAL: Layout =
    layout(32, &[f("it_interval", 0, Kind::Struct(&TIMEVAL)), f("it_value", 16, Kind::Struct(&TIMEVAL))]);
static TIMEZONE: Layout = layout(8, &[f("tz_minuteswest", 0, Kind::I32), f("tz_dsttime", 4, Kind::I32)]);
pub(super) static RLIMIT: Layout = layout(16, &[f("rlim_cur", 0, Kind::Limit), f("rlim_max", 8, Kind::Limit)]);
static TMS: Layout = layout(
    32,
    &[
        f("tms_utime", 0, Kind::Ticks),
        f("tms_stime", 8, Kind::Ticks),
        f("tms_cutime", 16, Kind::Ticks),
        f("tms_cstime", 24, Kind::Ticks),
    ],
);
static UTIMBUF: Layout = layout(16, &[f("actime", 0, Kind::Time), f("modtime", 8, Kind::Time)]);
static STACK: Layout = layout(
    24,
    &[f("ss_sp", 0, Kind::Addr), f("ss_flags", 8, Kind::Flags32(&sets::SIGALTSTACK)), f("ss_size", 16, Kind::U64)],
);
static UTSNAME: Layout = brief(
    390,
    2,
    &[
        f("sysname", 0, Kind::Text(65)),
        f("nodename", 65, Kind::Text(65)),
        f("release", 130, Kind::Text(65)),
        f("version", 195, Kind::Text(65)),
        f("machine", 260, Kind::Text(65)),
        f("domainname", 325, Kind::Text(65)),
    ],
);
pub(super) static RUSAGE: Layout = brief(
    144,
    2,
    &[
        f("ru_utime", 0, Kind::Struct(&TIMEVAL)),
        f("ru_stime", 16, Kind::Struct(&TIMEVAL)),
        f("ru_maxrss", 32, Kind::U64),
        f("ru_ixrss", 40, Kind::U64),
        f("ru_idrss", 48, Kind::U64),
        f("ru_isrss", 56, Kind::U64),
        f("ru_minflt", 64, Kind::U64),
        f("ru_majflt", 72, Kind::U64),
        f("ru_nswap", 80, Kind::U64),
        f("ru_inblock", 88, Kind::U64),
        f("ru_oublock", 96, Kind::U64),
        f("ru_msgsnd", 104, Kind::U64),
        f("ru_msgrcv", 112, Kind::U64),
        f("ru_nsignals", 120, Kind::U64),
        f("ru_nvcsw", 128, Kind::U64),
        f("ru_nivcsw", 136, Kind::U64),
    ],
);
static SYSINFO: Layout = layout(
    112,
    &[
        f("uptime", 0, Kind::U64),
        f("loads", 8, Kind::Longs(3)),
        f("totalram", 32, Kind::U64),
        f("freeram", 40, Kind::U64),
        f("sharedram", 48, Kind::U64),
        f("bufferram", 56, Kind::U64),
        f("totalswap", 64, Kind::U64),
        f("freeswap", 72, Kind::U64),
        f("procs", 80, Kind::U16),
        f("totalhigh", 88, Kind::U64),
        f("freehigh", 96, Kind::U64),
        f("mem_unit", 104, Kind::U32),
    ],
);
static STATFS: Layout = layout(
    120,
    &[
        f("f_type", 0, Kind::Enum64(&sets::FS_MAGIC)),
        f("f_bsize", 8, Kind::U64),
        f("f_blocks", 16, Kind::U64),
        f("f_bfree", 24, Kind::U64),
        f("f_bavail", 32, Kind::U64),
        f("f_files", 40, Kind::U64),
        f("f_ffree", 48, Kind::U64),
        f("f_fsid", 56, Kind::Fsid),
        f("f_namelen", 64, Kind::U64),
        f("f_frsize", 72, Kind::U64),
        f("f_flags", 80, Kind::IfSet(8, &Kind::Flags64(&sets::STATFS_FLAGS))),
    ],
);
static FLOCK_OWNER: Layout = layout(8, &[f("type", 0, Kind::Enum32(&sets::F_OWNER)), f("pid", 4, Kind::I32)]);
static CAP_HEADER: Layout = layout(8, &[f("version", 0, Kind::Enum32(&sets::CAP_VERSION)), f("pid", 4, Kind::I32)]);
static MQ_ATTR: Layout = layout(
    32,
    &[
        f("mq_flags", 0, Kind::Flags64(&sets::OPEN_MODE)),
        f("mq_maxmsg", 8, Kind::I64),
        f("mq_msgsize", 16, Kind::I64),
        f("mq_curmsgs", 24, Kind::I64),
    ],
);
static SEMBUF: Layout =
    layout(6, &[f("sem_num", 0, Kind::U16), f("sem_op", 2, Kind::I16), f("sem_flg", 4, Kind::Flags16(&sets::SEMOP))]);
static CACHESTAT_RANGE: Layout = layout(16, &[f("off", 0, Kind::U64), f("len", 8, Kind::U64)]);
static CACHESTAT: Layout = layout(
    40,
    &[
        f("nr_cache", 0, Kind::U64),
        f("nr_dirty", 8, Kind::U64),
        f("nr_writeback", 16, Kind::U64),
        f("nr_evicted", 24, Kind::U64),
        f("nr_recently_evicted", 32, Kind::U64),
    ],
);
static FUTEX_WAITV: Layout = layout(
    24,
    &[
        f("val", 0, Kind::X64),
        f("uaddr", 8, Kind::Addr),
        f("flags", 16, Kind::Flags32(&sets::FUTEX_WAITV)),
        f("__reserved", 20, Kind::IfSet(4, &Kind::X32)),
    ],
);
static IO_EVENT: Layout =
    layout(32, &[f("data", 0, Kind::X64), f("obj", 8, Kind::X64), f("res", 16, Kind::I64), f("res2", 24, Kind::I64)]);
static TIMEX: Layout = layout(
    208,
    &[
        f("modes", 0, Kind::Flags32(&sets::ADJTIMEX_MODES)),
        f("offset", 8, Kind::I64),
        f("freq", 16, Kind::I64),
        f("maxerror", 24, Kind::U64),
        f("esterror", 32, Kind::U64),
        f("status", 40, Kind::Flags32(&sets::ADJTIMEX_STATUS)),
        f("constant", 48, Kind::I64),
        f("precision", 56, Kind::U64),
        f("tolerance", 64, Kind::I64),
        f("time", 72, Kind::Struct(&TIMEVAL)),
        f("tick", 88, Kind::I64),
        f("ppsfreq", 96, Kind::I64),
        f("jitter", 104, Kind::I64),
        f("shift", 112, Kind::I32),
        f("stabil", 120, Kind::I64),
        f("jitcnt", 128, Kind::I64),
        f("calcnt", 136, Kind::I64),
        f("errcnt", 144, Kind::I64),
        f("stbcnt", 152, Kind::I64),
        f("tai", 160, Kind::I32),
    ],
);
static STAT_X86_64: Layout = layout(
    144,
    &[
        f("st_dev", 0, Kind::Dev64),
        f("st_ino", 8, Kind::U64),
        f("st_mode", 24, Kind::Mode),
        f("st_nlink", 16, Kind::U64),
        f("st_uid", 28, Kind::U32),
        f("st_gid", 32, Kind::U32),
        f("st_blksize", 56, Kind::U64),
        f("st_blocks", 64, Kind::U64),
    ],
);
static STAT_AARCH64: Layout = layout(
    128,
    &[
        f("st_dev", 0, Kind::Dev64),
        f("st_ino", 8, Kind::U64),
        f("st_mode", 16, Kind::Mode),
        f("st_nlink", 20, Kind::U32),
        f("st_uid", 24, Kind::U32),
        f("st_gid", 28, Kind::U32),
        f("st_blksize", 56, Kind::U32),
        f("st_blocks", 64, Kind::U64),
    ],
);

// Registers of x86_64 (sys/user.h).
static USER_REGS: Layout = layout(
    216,
    &[
        f("r15", 0, Kind::X64),
        f("r14", 8, Kind::X64),
        f("r13", 16, Kind::X64),
        f("r12", 24, Kind::X64),
        f("rbp", 32, Kind::X64),
        f("rbx", 40, Kind::X64),
        f("r11", 48, Kind::X64),
        f("r10", 56, Kind::X64),
        f("r9", 64, Kind::X64),
        f("r8", 72, Kind::X64),
        f("rax", 80, Kind::X64),
        f("rcx", 88, Kind::X64),
        f("rdx", 96, Kind::X64),
        f("rsi", 104, Kind::X64),
        f("rdi", 112, Kind::X64),
        f("orig_rax", 120, Kind::X64),
        f("rip", 128, Kind::X64),
        f("cs", 136, Kind::X64),
        f("eflags", 144, Kind::X64),
        f("rsp", 152, Kind::X64),
        f("ss", 160, Kind::X64),
        f("fs_base", 168, Kind::X64),
        f("gs_base", 176, Kind::X64),
        f("ds", 184, Kind::X64),
        f("es", 192, Kind::X64),
        f("fs", 200, Kind::X64),
        f("gs", 208, Kind::X64),
    ],
);
static USER_FPREGS: Layout = layout(
    512,
    &[
        f("cwd", 0, Kind::X16),
        f("swd", 2, Kind::X16),
        f("ftw", 4, Kind::X16),
        f("fop", 6, Kind::X16),
        f("rip", 8, Kind::X64),
        f("rdp", 16, Kind::X64),
        f("mxcsr", 24, Kind::X32),
        f("mxcr_mask", 28, Kind::X32),
        f("st_space", 32, Kind::Many(32, 4, &Kind::X32)),
        f("xmm_space", 160, Kind::Many(64, 4, &Kind::X32)),
        f("padding", 416, Kind::Many(24, 4, &Kind::X32)),
    ],
);
static REGSET: Layout = layout(16, &[f("iov_base", 0, Kind::Addr), f("iov_len", 8, Kind::U64)]);

/// The layout of stat(2)'s struct up to its blocks, and where device number, size and times stand.
pub(super) fn stat(arch: Arch) -> (&'static Layout, usize, usize, usize) {
    match arch {
        Arch::X86_64 => (&STAT_X86_64, 40, 48, 72),
        Arch::Aarch64 => (&STAT_AARCH64, 32, 48, 72),
    }
}

/// The layout of a struct that is nothing but its fields.
fn simple(s: Struct) -> Option<&'static Layout> {
    Some(match s {
        Struct::Timespec => &TIMESPEC,
        Struct::Timeval => &TIMEVAL,
        Struct::Itimerspec => &ITIMERSPEC,
        Struct::Itimerval => &ITIMERVAL,
        Struct::Timezone => &TIMEZONE,
        Struct::Rlimit => &RLIMIT,
        Struct::Tms => &TMS,
        Struct::Utimbuf => &UTIMBUF,
        Struct::StackT => &STACK,
        Struct::Utsname => &UTSNAME,
        Struct::Rusage => &RUSAGE,
        Struct::Sysinfo => &SYSINFO,
        Struct::Statfs => &STATFS,
        Struct::FOwnerEx => &FLOCK_OWNER,
        Struct::CapHeader => &CAP_HEADER,
        Struct::MqAttr => &MQ_ATTR,
        Struct::Sembuf => &SEMBUF,
        Struct::CachestatRange => &CACHESTAT_RANGE,
        Struct::Cachestat => &CACHESTAT,
        Struct::FutexWaitv => &FUTEX_WAITV,
        Struct::IoEvent => &IO_EVENT,
        Struct::ShmidDs => &ipc::SHMID_DS,
        Struct::ShmidSet => &ipc::SHMID_SET,
        Struct::Shminfo => &ipc::SHMINFO,
        Struct::ShmInfo => &ipc::SHM_INFO,
        Struct::SemidSet => &ipc::SEMID_SET,
        Struct::Seminfo => &ipc::SEMINFO,
        Struct::MsqidDs => &ipc::MSQID_DS,
        Struct::MsqidSet => &ipc::MSQID_SET,
        Struct::Msginfo => &ipc::MSGINFO,
        Struct::LandlockPathBeneathAttr => &super::admin::LANDLOCK_PATH,
        Struct::Timex => &TIMEX,
        Struct::UserRegs => &USER_REGS,
        Struct::UserFpregs => &USER_FPREGS,
        Struct::Regset => &REGSET,
        _ => return None,
    })
}

impl Cx<'_> {
    /// Prints one struct at `addr`; the address when it cannot be decoded.
    pub(super) fn structure(&mut self, s: Struct, addr: u64) {
        if addr == 0 {
            return self.text("NULL");
        }
        if let Some(layout) = simple(s) {
            return self.layout(layout, addr);
        }
        match s {
            Struct::Stat => self.stat(addr),
            Struct::Statx => self.statx(addr),
            Struct::Sigaction => self.sigaction(addr),
            Struct::Siginfo => self.siginfo_at(addr),
            Struct::Sigevent => self.sigevent(addr),
            Struct::Flock => self.flock(addr),
            Struct::Wstatus => self.wait_status(addr),
            Struct::SchedParam => {
                if let Some(b) = self.fetch_or_addr::<4>(addr) {
                    self.out.push(b'[');
                    self.sdec(i64::from(i32::from_le_bytes(b)));
                    self.out.push(b']');
                }
            }
            Struct::CapData => self.cap_data(addr),
            Struct::EpollEvent => self.epoll_event_at(addr),
            Struct::Msghdr => self.msghdr(addr),
            Struct::Pselect6Sig | Struct::AioSigset => self.pselect_mask(addr),
            Struct::SemidDs => self.layout(ipc::semid_ds(self.arch), addr),
            Struct::FileHandle => self.file_handle(addr),
            Struct::SockFprog => self.filter_program(addr, true),
            Struct::Iocb => self.iocb_at(addr),
            Struct::UserDesc => self.user_desc(addr),
            Struct::PerfEventAttr => self.perf_attr(addr),
            Struct::TimeT => {
                if let Some(b) = self.fetch_or_addr::<8>(addr) {
                    let seconds = i64::from_le_bytes(b);
                    self.out.push(b'[');
                    self.sdec(seconds);
                    time::date_comment(self.out, seconds, 0, 9);
                    self.out.push(b']');
                }
            }
            _ => self.addr(addr),
        }
    }

    /// Prints `count` structs that follow one another. Some count otherwise (syscall-tables/README.md).
    pub(super) fn structures(&mut self, s: Struct, addr: u64, count: u64) {
        if addr == 0 && !matches!(s, Struct::Dirent | Struct::Dirent64) {
            return self.text("NULL");
        }
        match s {
            Struct::Sigset => return self.sigset_at(addr, count),
            Struct::Cpuset => return self.cpuset(addr, count),
            Struct::Sockaddr => return self.sockaddr(addr, count),
            Struct::Dirent | Struct::Dirent64 => return self.dirents(s, addr, count),
            Struct::Cstr => return self.string_of(addr, count),
            Struct::Fdset => return self.fdset(addr, count),
            Struct::Pollfd => return self.pollfds(addr, count),
            Struct::PageState => return self.array::<1>(addr, count, |cx, b| cx.dec(u64::from(b[0] & 1))),
            Struct::Msgbuf => return self.msgbuf(addr, count),
            Struct::EpollEvent => return self.epoll_events(addr, count),
            Struct::Longmask => return self.array::<8>(addr, count, Cx::mask_word),
            Struct::IocbPtr => return self.iocbs(addr, count),
            _ if count == 0 && self.style.dereference => return self.text("[]"),
            _ => {}
        }
        let Some(layout) = simple(s) else { return self.addr(addr) };
        let size = layout.size as u64;
        let mut first = [0u8; 1];
        if self.failed() || !self.fetch(addr, &mut first) {
            return self.addr(addr);
        }
        self.list(count, |cx, i| {
            cx.layout(layout, addr.saturating_add(i.saturating_mul(size)));
            true
        });
    }

    /// A word of a mask: sixteen columns wide, as C's `%#016lx` has it.
    fn mask_word(&mut self, b: &[u8; 8]) {
        let value = u64::from_le_bytes(*b);
        let text = if value == 0 { "0".repeat(16) } else { format!("{value:#016x}") };
        self.text(&text);
    }
}

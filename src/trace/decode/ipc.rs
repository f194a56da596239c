//! System V IPC: what the ctl calls read and write (include/uapi/linux/{shm,sem,msg}.h), priorities of I/O, quotas.

use super::Cx;
use super::layout::{Brief, Field, Kind, Layout, f, layout};
use crate::arch::Arch;
use crate::syscalls::{Set, sets};

/// Asks for the structs of 32-bit ids, which are the only ones here (include/uapi/linux/ipc.h).
pub(super) const IPC_64: u64 = 0x100;

static PERM: Layout = layout(
    48,
    &[
        f("uid", 4, Kind::U32),
        f("gid", 8, Kind::U32),
        f("mode", 20, Kind::Mode32),
        f("key", 0, Kind::U32),
        f("cuid", 12, Kind::U32),
        f("cgid", 16, Kind::U32),
    ],
);
static PERM_SET: Layout = layout(48, &[f("uid", 4, Kind::U32), f("gid", 8, Kind::U32), f("mode", 20, Kind::Mode32)]);

pub(super) static SHMID_DS: Layout = layout(
    112,
    &[
        f("shm_perm", 0, Kind::Struct(&PERM)),
        f("shm_segsz", 48, Kind::U64),
        f("shm_cpid", 80, Kind::I32),
        f("shm_lpid", 84, Kind::I32),
        f("shm_nattch", 88, Kind::U64),
        f("shm_atime", 56, Kind::U64),
        f("shm_dtime", 64, Kind::U64),
        f("shm_ctime", 72, Kind::U64),
    ],
);
pub(super) static SHMID_SET: Layout = layout(112, &[f("shm_perm", 0, Kind::Struct(&PERM_SET))]);
pub(super) static SHMINFO: Layout = layout(
    72,
    &[
        f("shmmax", 0, Kind::U64),
        f("shmmin", 8, Kind::U64),
        f("shmmni", 16, Kind::U64),
        f("shmseg", 24, Kind::U64),
        f("shmall", 32, Kind::U64),
    ],
);
pub(super) static SHM_INFO: Layout = layout(
    48,
    &[
        f("used_ids", 0, Kind::I32),
        f("shm_tot", 8, Kind::U64),
        f("shm_rss", 16, Kind::U64),
        f("shm_swp", 24, Kind::U64),
        f("swap_attempts", 32, Kind::U64),
        f("swap_successes", 40, Kind::U64),
    ],
);
static SEMID_DS_X86_64: Layout = layout(
    104,
    &[
        f("sem_perm", 0, Kind::Struct(&PERM)),
        f("sem_otime", 48, Kind::U64),
        f("sem_ctime", 64, Kind::U64),
        f("sem_nsems", 80, Kind::U64),
    ],
);
static SEMID_DS_AARCH64: Layout = layout(
    88,
    &[
        f("sem_perm", 0, Kind::Struct(&PERM)),
        f("sem_otime", 48, Kind::U64),
        f("sem_ctime", 56, Kind::U64),
        f("sem_nsems", 64, Kind::U64),
    ],
);
pub(super) static SEMID_SET: Layout = layout(88, &[f("sem_perm", 0, Kind::Struct(&PERM_SET))]);
pub(super) static SEMINFO: Layout = layout(
    40,
    &[
        f("semmap", 0, Kind::I32),
        f("semmni", 4, Kind::I32),
        f("semmns", 8, Kind::I32),
        f("semmnu", 12, Kind::I32),
        f("semmsl", 16, Kind::I32),
        f("semopm", 20, Kind::I32),
        f("semume", 24, Kind::I32),
        f("semusz", 28, Kind::I32),
        f("semvmx", 32, Kind::I32),
        f("semaem", 36, Kind::I32),
    ],
);
pub(super) static MSQID_DS: Layout = layout(
    120,
    &[
        f("msg_perm", 0, Kind::Struct(&PERM)),
        f("msg_stime", 48, Kind::U64),
        f("msg_rtime", 56, Kind::U64),
        f("msg_ctime", 64, Kind::U64),
        f("msg_qnum", 80, Kind::U64),
        f("msg_qbytes", 88, Kind::U64),
        f("msg_lspid", 96, Kind::I32),
        f("msg_lrpid", 100, Kind::I32),
    ],
);
pub(super) static MSQID_SET: Layout =
    layout(120, &[f("msg_perm", 0, Kind::Struct(&PERM_SET)), f("msg_qbytes", 88, Kind::U64)]);
pub(super) static MSGINFO: Layout = layout(
    32,
    &[
        f("msgpool", 0, Kind::I32),
        f("msgmap", 4, Kind::I32),
        f("msgmax", 8, Kind::I32),
        f("msgmnb", 12, Kind::I32),
        f("msgmni", 16, Kind::I32),
        f("msgssz", 20, Kind::I32),
        f("msgtql", 24, Kind::I32),
        f("msgseg", 28, Kind::U16),
    ],
);

/// The state of a set of semaphores.
pub(super) fn semid_ds(arch: Arch) -> &'static Layout {
    match arch {
        Arch::X86_64 => &SEMID_DS_X86_64,
        Arch::Aarch64 => &SEMID_DS_AARCH64,
    }
}

// Commands of XFS (include/uapi/linux/dqblk_xfs.h).
const XQUOTAON: u32 = 0x5801;
const XQUOTAOFF: u32 = 0x5802;
const XGETQUOTA: u32 = 0x5803;
const XSETQLIM: u32 = 0x5804;
const XGETQSTAT: u32 = 0x5805;
const XQUOTARM: u32 = 0x5806;
const XQUOTASYNC: u32 = 0x5807;
const XGETQSTATV: u32 = 0x5808;
const XGETNEXTQUOTA: u32 = 0x5809;

static DQBLK: Layout = Layout { size: 72, fields: DQBLK_FIELDS, brief: Brief::First(6) };
static NEXT_DQBLK: Layout = Layout { size: 72, fields: NEXT_DQBLK_FIELDS, brief: Brief::First(7) };
static DQBLK_FIELDS: &[Field] = &[
    f("dqb_bhardlimit", 0, Kind::U64),
    f("dqb_bsoftlimit", 8, Kind::U64),
    f("dqb_curspace", 16, Kind::U64),
    f("dqb_ihardlimit", 24, Kind::U64),
    f("dqb_isoftlimit", 32, Kind::U64),
    f("dqb_curinodes", 40, Kind::U64),
    f("dqb_btime", 48, Kind::U64),
    f("dqb_itime", 56, Kind::U64),
    f("dqb_valid", 64, Kind::Flags32(&sets::QIF)),
];
static NEXT_DQBLK_FIELDS: &[Field] = &[
    f("dqb_bhardlimit", 0, Kind::U64),
    f("dqb_bsoftlimit", 8, Kind::U64),
    f("dqb_curspace", 16, Kind::U64),
    f("dqb_ihardlimit", 24, Kind::U64),
    f("dqb_isoftlimit", 32, Kind::U64),
    f("dqb_curinodes", 40, Kind::U64),
    f("dqb_id", 68, Kind::U32),
    f("dqb_btime", 48, Kind::U64),
    f("dqb_itime", 56, Kind::U64),
    f("dqb_valid", 64, Kind::Flags32(&sets::QIF)),
];
static XFS_DQUOT: Layout = Layout { size: 112, fields: XFS_DQUOT_FIELDS, brief: Brief::First(10) };
static XFS_DQUOT_FIELDS: &[Field] = &[
    f("d_version", 0, Kind::I8),
    f("d_flags", 1, Kind::Flags8(&sets::XFS_QUOTA)),
    f("d_fieldmask", 2, Kind::X16),
    f("d_id", 4, Kind::U32),
    f("d_blk_hardlimit", 8, Kind::U64),
    f("d_blk_softlimit", 16, Kind::U64),
    f("d_ino_hardlimit", 24, Kind::U64),
    f("d_ino_softlimit", 32, Kind::U64),
    f("d_bcount", 40, Kind::U64),
    f("d_icount", 48, Kind::U64),
    f("d_itimer", 56, Kind::I32),
    f("d_btimer", 60, Kind::I32),
    f("d_iwarns", 64, Kind::U16),
    f("d_bwarns", 66, Kind::U16),
    f("d_rtb_hardlimit", 72, Kind::U64),
    f("d_rtb_softlimit", 80, Kind::U64),
    f("d_rtbcount", 88, Kind::U64),
    f("d_rtbtimer", 96, Kind::I32),
    f("d_rtbwarns", 100, Kind::U16),
];
static XFS_FILES: Layout =
    layout(24, &[f("qfs_ino", 0, Kind::U64), f("qfs_nblks", 8, Kind::U64), f("qfs_nextents", 16, Kind::U32)]);
static XFS_STATE: Layout = Layout { size: 80, fields: XFS_STATE_FIELDS, brief: Brief::First(1) };
static XFS_STATE_FIELDS: &[Field] = &[
    f("qs_version", 0, Kind::I8),
    f("qs_flags", 2, Kind::Flags16(&sets::XFS_QUOTA_STATE)),
    f("qs_uquota", 8, Kind::Struct(&XFS_FILES)),
    f("qs_gquota", 32, Kind::Struct(&XFS_FILES)),
    f("qs_incoredqs", 56, Kind::U32),
    f("qs_btimelimit", 60, Kind::I32),
    f("qs_itimelimit", 64, Kind::I32),
    f("qs_rtbtimelimit", 68, Kind::I32),
    f("qs_bwarnlimit", 72, Kind::U16),
    f("qs_iwarnlimit", 74, Kind::U16),
];
static XFS_STATE_V: Layout = Layout { size: 160, fields: XFS_STATE_V_FIELDS, brief: Brief::First(1) };
static XFS_STATE_V_FIELDS: &[Field] = &[
    f("qs_version", 0, Kind::I8),
    f("qs_flags", 2, Kind::Flags16(&sets::XFS_QUOTA_STATE)),
    f("qs_incoredqs", 4, Kind::U32),
    f("qs_uquota", 8, Kind::Struct(&XFS_FILES)),
    f("qs_gquota", 32, Kind::Struct(&XFS_FILES)),
    f("qs_pquota", 56, Kind::Struct(&XFS_FILES)),
    f("qs_btimelimit", 80, Kind::I32),
    f("qs_itimelimit", 84, Kind::I32),
    f("qs_rtbtimelimit", 88, Kind::I32),
    f("qs_bwarnlimit", 92, Kind::U16),
    f("qs_iwarnlimit", 94, Kind::U16),
];

impl Cx<'_> {
    /// A priority of I/O: its class and its rank.
    pub(super) fn ioprio(&mut self, value: u32) {
        self.text("IOPRIO_PRIO_VALUE(");
        self.name(&sets::IOPRIO_CLASS, u64::from(value >> 13));
        self.text(", ");
        self.dec(u64::from(value & 0x1fff));
        self.out.push(b')');
    }

    /// A command of the ctl calls, with the flag that old programs set in it.
    pub(super) fn ipc_command(&mut self, set: &Set, cmd: u32) {
        let cmd = u64::from(cmd);
        if cmd & IPC_64 != 0 && self.style.constants != super::Constants::Raw {
            self.text("IPC_64|");
            return self.name(set, cmd & !IPC_64);
        }
        self.name(set, cmd);
    }

    /// The command of quotactl(2): an action and whose quota.
    fn quota_command(&mut self, cmd: u32) {
        if self.style.constants == super::Constants::Raw {
            return self.dec(u64::from(cmd));
        }
        self.text("QCMD(");
        self.name(&sets::QUOTA_CMD, u64::from(cmd >> 8));
        self.text(", ");
        self.name(&sets::QUOTA_TYPE, u64::from(cmd & 0xff));
        self.out.push(b')');
    }

    /// What follows the command and the file of quotactl(2): id and data.
    fn quota_data(&mut self, cmd: u32, id: u64, addr: u64) {
        const SYNC: u32 = 0x80_0001;
        const QUOTAON: u32 = 0x80_0002;
        const QUOTAOFF: u32 = 0x80_0003;
        const GETQUOTA: u32 = 0x80_0007;
        const SETQUOTA: u32 = 0x80_0008;
        const GETNEXTQUOTA: u32 = 0x80_0009;
        match cmd >> 8 {
            QUOTAOFF | SYNC | XQUOTASYNC => {}
            XQUOTAON | XQUOTAOFF | XQUOTARM => {
                let set = if cmd >> 8 == XQUOTARM { &sets::XFS_QUOTA } else { &sets::XFS_QUOTA_STATE };
                self.next_argument();
                self.boxed(addr, |cx, flags| cx.flags(set, u64::from(flags)));
            }
            XGETQSTAT | XGETQSTATV => {
                let layout = if cmd >> 8 == XGETQSTAT { &XFS_STATE } else { &XFS_STATE_V };
                self.next_argument();
                self.layout(layout, addr);
            }
            QUOTAON => {
                self.next_argument();
                self.name(&sets::QUOTA_FORMAT, id & 0xffff_ffff);
                self.next_argument();
                self.path(addr);
            }
            GETQUOTA | SETQUOTA | GETNEXTQUOTA | XGETQUOTA | XSETQLIM | XGETNEXTQUOTA => {
                let layout = match cmd >> 8 {
                    GETQUOTA | SETQUOTA => &DQBLK,
                    GETNEXTQUOTA => &NEXT_DQBLK,
                    _ => &XFS_DQUOT,
                };
                self.next_argument();
                self.id(id as u32);
                self.next_argument();
                self.layout(layout, addr);
            }
            _ => {
                self.next_argument();
                self.id(id as u32);
                self.next_argument();
                self.addr(addr);
            }
        }
    }
}

/// Whether a quota's data is what the call writes.
fn writes(cmd: u32) -> bool {
    matches!(
        cmd >> 8,
        0x80_0004 | 0x80_0005 | 0x80_0007 | 0x80_0009 | XGETQUOTA | XGETQSTAT | XGETQSTATV | XGETNEXTQUOTA
    )
}

/// quotactl(2).
pub(super) fn quotactl(cx: &mut Cx<'_>, entering: bool) {
    let [cmd, special, id, addr, ..] = cx.args;
    let cmd = cmd as u32;
    if entering {
        cx.quota_command(cmd);
        cx.next_argument();
        cx.path(special);
    }
    if entering != writes(cmd) {
        cx.quota_data(cmd, id, addr);
    }
}

/// quotactl_fd(2).
pub(super) fn quotactl_fd(cx: &mut Cx<'_>, entering: bool) {
    let [fd, cmd, id, addr, ..] = cx.args;
    let cmd = cmd as u32;
    if entering {
        cx.fd(fd as i32);
        cx.next_argument();
        cx.quota_command(cmd);
    }
    if entering != writes(cmd) {
        cx.quota_data(cmd, id, addr);
    }
}

/// syslog(2): an action shows its number too, and has arguments only if it uses them.
pub(super) fn syslog(cx: &mut Cx<'_>, entering: bool) {
    let [action, addr, len, ..] = cx.args;
    let reads = matches!(action as u32, 2..=4);
    if entering {
        let name = sets::SYSLOG.name_of(cx.arch, action & 0xffff_ffff).unwrap_or("SYSLOG_ACTION_???");
        cx.sdec(i64::from(action as i32));
        cx.text(" /* ");
        cx.text(name);
        cx.text(" */");
    }
    if entering == reads || matches!(action as u32, 0 | 1 | 5..=7 | 9 | 10) {
        return;
    }
    cx.next_argument();
    if !reads || cx.failed() {
        cx.addr(addr);
    } else {
        cx.bytes(addr, cx.value(), crate::trace::buf::Quote::Escape);
    }
    cx.next_argument();
    cx.sdec(i64::from(len as i32));
}

/// ioprio_set(2).
pub(super) fn ioprio_set(cx: &mut Cx<'_>, entering: bool) {
    if entering {
        let [which, who, ioprio, ..] = cx.args;
        cx.name(&sets::IOPRIO_WHO, which & 0xffff_ffff);
        cx.next_argument();
        cx.sdec(i64::from(who as i32));
        cx.next_argument();
        cx.ioprio(ioprio as u32);
    }
}

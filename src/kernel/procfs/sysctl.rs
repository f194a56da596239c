//! `/proc/sys`: the values of the machine's kernel that programs read (proc_sys(5)).
//!
//! What the machine decides stands here; what depends on the host's network and file systems is the host's.

use super::machine::{line, number, uuid};
use super::*;
use crate::kernel::sys::NR_OPEN;

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// It never changes.
    Fixed(&'static str),
    /// The host's file of this name, or else this default of Linux.
    Host(&'static str),
    /// Made when it is read.
    Made(fn(&mut Kernel) -> Vec<u8>),
}

use Value::{Fixed, Host, Made};

/// The highest process id there can be, and one more.
const PID_MAX: u32 = 4_194_304;

/// The values by path below `/proc`, in order.
pub(super) const VALUES: &[(&str, Value)] = &[
    ("sys/fs/aio-max-nr", Fixed("65536")),
    ("sys/fs/aio-nr", Fixed("0")),
    ("sys/fs/dentry-state", Fixed("0\t0\t45\t0\t0\t0")),
    ("sys/fs/dir-notify-enable", Fixed("0")),
    ("sys/fs/epoll/max_user_watches", Fixed("1048576")),
    ("sys/fs/file-max", Made(|_| number(i64::MAX))),
    ("sys/fs/file-nr", Made(|k| format!("{}\t0\t{}\n", k.open_files(), i64::MAX).into_bytes())),
    ("sys/fs/inode-nr", Made(|k| format!("{}\t0\n", k.open_files()).into_bytes())),
    ("sys/fs/inotify/max_queued_events", Fixed("16384")),
    ("sys/fs/inotify/max_user_instances", Fixed("128")),
    ("sys/fs/inotify/max_user_watches", Fixed("65536")),
    ("sys/fs/lease-break-time", Fixed("45")),
    ("sys/fs/leases-enable", Fixed("1")),
    ("sys/fs/mount-max", Fixed("100000")),
    ("sys/fs/mqueue/msg_default", Fixed("10")),
    ("sys/fs/mqueue/msg_max", Fixed("10")),
    ("sys/fs/mqueue/msgsize_default", Fixed("8192")),
    ("sys/fs/mqueue/msgsize_max", Fixed("8192")),
    ("sys/fs/mqueue/queues_max", Fixed("256")),
    ("sys/fs/nr_open", Made(|_| number(NR_OPEN))),
    ("sys/fs/overflowgid", Fixed("65534")),
    ("sys/fs/overflowuid", Fixed("65534")),
    ("sys/fs/pipe-max-size", Fixed("1048576")),
    ("sys/fs/pipe-user-pages-hard", Fixed("0")),
    ("sys/fs/pipe-user-pages-soft", Fixed("0")),
    ("sys/fs/protected_fifos", Host("1")),
    ("sys/fs/protected_hardlinks", Host("1")),
    ("sys/fs/protected_regular", Host("2")),
    ("sys/fs/protected_symlinks", Host("1")),
    ("sys/fs/suid_dumpable", Fixed("0")),
    ("sys/kernel/auto_msgmni", Fixed("0")),
    ("sys/kernel/cap_last_cap", Made(|_| number(task::CAP_LAST_CAP))),
    ("sys/kernel/core_pattern", Fixed("core")),
    ("sys/kernel/core_pipe_limit", Fixed("0")),
    ("sys/kernel/core_uses_pid", Fixed("0")),
    ("sys/kernel/dmesg_restrict", Fixed("1")),
    ("sys/kernel/domainname", Made(|k| line(&k.names().domain))),
    ("sys/kernel/hostname", Made(|k| line(&k.names().node))),
    ("sys/kernel/io_uring_disabled", Fixed("2")),
    ("sys/kernel/kptr_restrict", Fixed("2")),
    ("sys/kernel/msgmax", Fixed("8192")),
    ("sys/kernel/msgmnb", Fixed("16384")),
    ("sys/kernel/msgmni", Fixed("32000")),
    ("sys/kernel/ngroups_max", Fixed("65536")),
    ("sys/kernel/ns_last_pid", Made(|k| number(k.next_pid - 1))),
    ("sys/kernel/osrelease", Made(|k| line(&k.names().release))),
    ("sys/kernel/ostype", Fixed("Linux")),
    ("sys/kernel/overflowgid", Fixed("65534")),
    ("sys/kernel/overflowuid", Fixed("65534")),
    ("sys/kernel/panic", Fixed("0")),
    ("sys/kernel/panic_on_oops", Fixed("0")),
    ("sys/kernel/perf_event_paranoid", Fixed("4")),
    ("sys/kernel/pid_max", Made(|_| number(PID_MAX))),
    ("sys/kernel/print-fatal-signals", Fixed("0")),
    ("sys/kernel/printk", Fixed("4\t4\t1\t7")),
    ("sys/kernel/pty/max", Made(|_| number(tty::PTY_MAX))),
    ("sys/kernel/pty/nr", Made(|k| number(k.terminals.numbers().len()))),
    ("sys/kernel/pty/reserve", Fixed("0")),
    ("sys/kernel/random/boot_id", Made(|k| uuid(k.boot_id()))),
    ("sys/kernel/random/entropy_avail", Fixed("256")),
    ("sys/kernel/random/poolsize", Fixed("256")),
    ("sys/kernel/random/urandom_min_reseed_secs", Fixed("60")),
    ("sys/kernel/random/uuid", Made(random_uuid)),
    ("sys/kernel/random/write_wakeup_threshold", Fixed("256")),
    ("sys/kernel/randomize_va_space", Fixed("0")),
    ("sys/kernel/sched_autogroup_enabled", Fixed("0")),
    ("sys/kernel/sched_child_runs_first", Fixed("0")),
    ("sys/kernel/sched_rr_timeslice_ms", Fixed("100")),
    ("sys/kernel/sched_rt_period_us", Fixed("1000000")),
    ("sys/kernel/sched_rt_runtime_us", Fixed("950000")),
    ("sys/kernel/sem", Fixed("32000\t1024000000\t500\t32000")),
    ("sys/kernel/shm_rmid_forced", Fixed("0")),
    ("sys/kernel/shmall", Fixed("18446744073692774399")),
    ("sys/kernel/shmmax", Fixed("18446744073692774399")),
    ("sys/kernel/shmmni", Fixed("4096")),
    ("sys/kernel/sysctl_writes_strict", Fixed("1")),
    ("sys/kernel/tainted", Fixed("0")),
    ("sys/kernel/threads-max", Made(|_| number(PID_MAX))),
    ("sys/kernel/unprivileged_bpf_disabled", Fixed("2")),
    ("sys/kernel/version", Made(|k| line(&k.names().version))),
    ("sys/kernel/yama/ptrace_scope", Fixed("0")),
    ("sys/net/core/bpf_jit_enable", Host("1")),
    ("sys/net/core/netdev_max_backlog", Host("1000")),
    ("sys/net/core/optmem_max", Host("131072")),
    ("sys/net/core/rmem_default", Host("212992")),
    ("sys/net/core/rmem_max", Host("212992")),
    ("sys/net/core/somaxconn", Host("4096")),
    ("sys/net/core/wmem_default", Host("212992")),
    ("sys/net/core/wmem_max", Host("212992")),
    ("sys/net/ipv4/conf/all/forwarding", Host("0")),
    ("sys/net/ipv4/ip_default_ttl", Host("64")),
    ("sys/net/ipv4/ip_forward", Host("0")),
    ("sys/net/ipv4/ip_local_port_range", Host("32768\t60999")),
    ("sys/net/ipv4/ip_local_reserved_ports", Host("")),
    ("sys/net/ipv4/ip_unprivileged_port_start", Host("1024")),
    ("sys/net/ipv4/ping_group_range", Host("1\t0")),
    ("sys/net/ipv4/tcp_congestion_control", Host("cubic")),
    ("sys/net/ipv4/tcp_fastopen", Host("1")),
    ("sys/net/ipv4/tcp_fin_timeout", Host("60")),
    ("sys/net/ipv4/tcp_keepalive_intvl", Host("75")),
    ("sys/net/ipv4/tcp_keepalive_probes", Host("9")),
    ("sys/net/ipv4/tcp_keepalive_time", Host("7200")),
    ("sys/net/ipv4/tcp_max_syn_backlog", Host("512")),
    ("sys/net/ipv4/tcp_rmem", Host("4096\t131072\t6291456")),
    ("sys/net/ipv4/tcp_sack", Host("1")),
    ("sys/net/ipv4/tcp_syncookies", Host("1")),
    ("sys/net/ipv4/tcp_timestamps", Host("1")),
    ("sys/net/ipv4/tcp_tw_reuse", Host("2")),
    ("sys/net/ipv4/tcp_window_scaling", Host("1")),
    ("sys/net/ipv4/tcp_wmem", Host("4096\t16384\t4194304")),
    ("sys/net/ipv6/bindv6only", Host("0")),
    ("sys/net/ipv6/conf/all/disable_ipv6", Host("0")),
    ("sys/net/unix/max_dgram_qlen", Fixed("512")),
    ("sys/vm/admin_reserve_kbytes", Fixed("8192")),
    ("sys/vm/dirty_background_ratio", Fixed("10")),
    ("sys/vm/dirty_expire_centisecs", Fixed("3000")),
    ("sys/vm/dirty_ratio", Fixed("20")),
    ("sys/vm/dirty_writeback_centisecs", Fixed("500")),
    ("sys/vm/hugetlb_shm_group", Fixed("0")),
    ("sys/vm/legacy_va_layout", Fixed("0")),
    ("sys/vm/max_map_count", Made(|_| number(crate::mem::MAX_AREAS))),
    ("sys/vm/memfd_noexec", Fixed("0")),
    ("sys/vm/min_free_kbytes", Fixed("67584")),
    ("sys/vm/mmap_min_addr", Made(|_| number(crate::mem::MIN_ADDR))),
    ("sys/vm/nr_hugepages", Fixed("0")),
    ("sys/vm/nr_overcommit_hugepages", Fixed("0")),
    ("sys/vm/oom_dump_tasks", Fixed("1")),
    ("sys/vm/oom_kill_allocating_task", Fixed("0")),
    ("sys/vm/overcommit_kbytes", Fixed("0")),
    ("sys/vm/overcommit_memory", Fixed("0")),
    ("sys/vm/overcommit_ratio", Fixed("50")),
    ("sys/vm/page-cluster", Fixed("3")),
    ("sys/vm/panic_on_oom", Fixed("0")),
    ("sys/vm/swappiness", Fixed("60")),
    ("sys/vm/unprivileged_userfaultfd", Fixed("0")),
    ("sys/vm/user_reserve_kbytes", Fixed("131072")),
    ("sys/vm/vfs_cache_pressure", Fixed("100")),
    ("sys/vm/zone_reclaim_mode", Fixed("0")),
];

/// The content of the file at `path`.
pub(super) fn content(k: &mut Kernel, path: &str, value: Value) -> Vec<u8> {
    match value {
        Fixed(text) => line(text.as_bytes()),
        Host(default) => match k.host.proc_file(&format!("/proc/{path}")) {
            text if text.is_empty() => line(default.as_bytes()),
            text => text,
        },
        Made(make) => make(k),
    }
}

fn random_uuid(k: &mut Kernel) -> Vec<u8> {
    let mut bytes = [0; 16];
    k.random(&mut bytes);
    uuid(bytes)
}

impl Kernel {
    /// Open files of all processes, each counted once for every table that has it.
    fn open_files(&self) -> usize {
        let mut tables: Vec<&Rc<std::cell::RefCell<FdTable>>> = Vec::new();
        for t in self.threads.values() {
            if !tables.iter().any(|known| Rc::ptr_eq(known, &t.files)) {
                tables.push(&t.files);
            }
        }
        tables.iter().map(|t| t.borrow().iter().count()).sum()
    }
}

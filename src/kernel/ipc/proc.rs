//! /proc/sysvipc: what there is, for ipcs(1).

use super::*;
use std::fmt::Write;

/// `/proc/sysvipc/shm`.
pub fn sysvipc_shm(k: &mut Kernel) -> String {
    k.sweep_segments();
    let attached = k.attachments();
    let mut s = String::from(
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      \
         dtime      ctime                   rss                  swap\n",
    );
    for (id, g) in k.ipc.shm.objects.values() {
        let p = &g.perm;
        let nattch = attached.get(id).copied().unwrap_or(0);
        let _ = writeln!(
            s,
            "{:10} {id:10}  {:4o} {:21} {:5} {:5}  {nattch:5} {:5} {:5} {:5} {:5} {:10} {:10} {:10} {:21} {:21}",
            p.key as i32,
            p.mode,
            g.size,
            g.creator,
            g.last_pid,
            p.uid,
            p.gid,
            p.cuid,
            p.cgid,
            g.attached_s,
            g.detached_s,
            g.changed_s,
            0,
            0
        );
    }
    s
}

/// `/proc/sysvipc/sem`.
pub fn sysvipc_sem(k: &mut Kernel) -> String {
    let mut s = String::from("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    for (id, set) in k.ipc.sem.objects.values() {
        let p = &set.perm;
        let _ = writeln!(
            s,
            "{:10} {id:10}  {:4o} {:10} {:5} {:5} {:5} {:5} {:10} {:10}",
            p.key as i32,
            p.mode,
            set.len(),
            p.uid,
            p.gid,
            p.cuid,
            p.cgid,
            set.operated_s,
            set.changed_s
        );
    }
    s
}

/// `/proc/sysvipc/msg`.
pub fn sysvipc_msg(k: &mut Kernel) -> String {
    let mut s = String::from(
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      \
         ctime\n",
    );
    for (id, q) in k.ipc.msg.objects.values() {
        let p = &q.perm;
        let _ = writeln!(
            s,
            "{:10} {id:10}  {:4o}  {:10} {:10} {:5} {:5} {:5} {:5} {:5} {:5} {:10} {:10} {:10}",
            p.key as i32,
            p.mode,
            q.bytes,
            q.count(),
            q.last_sender,
            q.last_receiver,
            p.uid,
            p.gid,
            p.cuid,
            p.cgid,
            q.sent_s,
            q.received_s,
            q.changed_s
        );
    }
    s
}

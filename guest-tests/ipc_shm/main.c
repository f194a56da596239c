// shmget, shmat, shmdt, shmctl: keys, attachments over fork, removal, rights, errors.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static void stat_(const char *what, int id) {
    struct shmid_ds ds;
    int r = shmctl(id, IPC_STAT, &ds);
    if (r < 0) {
        printf("%s: %s\n", what, strerrorname_np(errno));
        return;
    }
    printf("%s: size %zu attached %lu mode %o creator %d last %d times %d %d %d key %d\n", what, ds.shm_segsz,
           (unsigned long)ds.shm_nattch, ds.shm_perm.mode, ds.shm_cpid == getpid(), ds.shm_lpid == getpid(),
           ds.shm_atime != 0, ds.shm_dtime != 0, ds.shm_ctime != 0, ds.shm_perm.__key != 0);
}

int main(void) {
    key_t key = 0x5e500000 | (getpid() & 0xfffff);
    SHOW(shmget(key, 100, 0));
    SHOW(shmget(key, 0, IPC_CREAT | 0600));
    int id = shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640);
    printf("made %d\n", id >= 0);
    SHOW(shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640));
    printf("same %d\n", shmget(key, 0, 0) == id && shmget(key, 5000, IPC_CREAT) == id);
    SHOW(shmget(key, 5001, 0));
    stat_("new", id);
    char *p = shmat(id, 0, 0);
    printf("attached %d zero %d\n", p != (void *)-1, p[0] == 0 && p[4999] == 0);
    strcpy(p, "parent");
    char *q = shmat(id, 0, SHM_RDONLY);
    printf("twice '%s'\n", q);
    SHOW(mprotect(q, 4096, PROT_READ | PROT_WRITE));
    stat_("attached", id);
    SHOW(shmat(id, (void *)1, 0) == (void *)-1 ? -1 : 0);
    SHOW(shmat(id, p, 0) == (void *)-1 ? -1 : 0);
    SHOW(shmat(id, 0, SHM_REMAP) == (void *)-1 ? -1 : 0);
    SHOW(shmat(-1, 0, 0) == (void *)-1 ? -1 : 0);
    SHOW(shmat(id + 12345, 0, 0) == (void *)-1 ? -1 : 0);
    char *over = shmat(id, q + 10, SHM_RND | SHM_REMAP);
    printf("over %d '%s'\n", over == q, over);
    over[0] = 'P';
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        stat_("child", id);
        printf("child sees '%s'\n", p);
        strcpy(p + 4900, "child");
        SHOW(shmdt(p));
        SHOW(shmdt(p));
        stat_("child, one detached", id);
        exit(0);
    }
    waitpid(child, 0, 0);
    printf("parent sees '%s'\n", p + 4900);
    stat_("after the child", id);
    SHOW(shmdt(p + 4096));
    SHOW(shmdt(p + 1));
    struct shmid_ds ds;
    shmctl(id, IPC_STAT, &ds);
    ds.shm_perm.mode = 0600;
    SHOW(shmctl(id, IPC_SET, &ds));
    SHOW(shmctl(id, IPC_SET, (void *)8));
    SHOW(shmctl(id, IPC_STAT, (void *)8));
    SHOW(shmctl(id, 77, &ds));
    SHOW(shmctl(-1, IPC_STAT, &ds));
    SHOW(shmctl(id, SHM_LOCK, 0));
    stat_("locked", id);
    SHOW(shmctl(id, SHM_UNLOCK, 0));
    SHOW(shmctl(id, IPC_RMID, 0));
    stat_("removed", id);
    SHOW(shmget(key, 100, 0));
    SHOW(munmap(p, 4096));
    stat_("half unmapped", id);
    SHOW(shmdt(p));
    SHOW(shmdt(q));
    stat_("gone", id);
    int own = shmget(IPC_PRIVATE, 100000, 0600), other = shmget(IPC_PRIVATE, 1, 0600);
    printf("private %d\n", own >= 0 && other >= 0 && own != other);
    struct shminfo info;
    printf("info %d\n", shmctl(0, IPC_INFO, (void *)&info) >= 0);
    printf("limits %lu %lu\n", info.shmmin, info.shmmni);
    struct shm_info used;
    int top = shmctl(0, SHM_INFO, (void *)&used);
    printf("used %d\n", used.used_ids >= 2 && used.shm_tot >= 26);
    int found = 0;
    for (int i = 0; i <= top; i++)
        if (shmctl(i, SHM_STAT, &ds) == own) found += ds.shm_segsz == 100000;
    printf("found by place %d\n", found);
    char line[300];
    FILE *f = fopen("/proc/sysvipc/shm", "r");
    for (found = 0; f && fgets(line, sizeof line, f);) {
        int key, n;
        unsigned mode;
        unsigned long size;
        if (sscanf(line, "%d %d %o %lu", &key, &n, &mode, &size) == 4 && n == own) found += size == 100000 && mode == 0600;
    }
    printf("in /proc %d\n", found);
    SHOW(shmctl(own, IPC_RMID, 0));
    SHOW(shmctl(other, IPC_RMID, 0));
    SHOW(shmctl(other, IPC_RMID, 0));
    return 0;
}

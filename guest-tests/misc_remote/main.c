// process_vm_readv, process_vm_writev, kcmp, process_madvise, process_mrelease, move_pages, migrate_pages, unshare.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static char shared_name[100] = "before";

static int kcmp(pid_t a, pid_t b, int type, unsigned long x, unsigned long y) {
    long r = syscall(SYS_kcmp, a, b, type, x, y);
    return r > 0 ? 1 : r;
}

int main(void) {
    int to[2], from[2], self = getpid();
    char c;
    pipe(to), pipe(from);
    char *page = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(page, 'p', 3 * 4096);
    munmap(page + 4096, 4096);
    int file = open("file", O_RDWR | O_CREAT, 0600);
    pid_t child = fork();
    if (child == 0) {
        strcpy(shared_name, "the child's");
        write(from[1], "r", 1);
        read(to[0], &c, 1);
        printf("child sees '%s'\n", shared_name);
        fflush(stdout);
        write(from[1], "r", 1);
        read(to[0], &c, 1);
        _exit(0);
    }
    read(from[0], &c, 1);
    char a[8] = "", b[100] = "";
    struct iovec local[2] = {{a, 4}, {b, 50}}, remote[2] = {{shared_name, 7}, {shared_name + 7, 20}};
    SHOW(process_vm_readv(child, local, 2, remote, 2, 0));
    printf("'%.4s' '%s'\n", a, b);
    printf("own still '%s'\n", shared_name);
    strcpy(b, "written by the parent");
    struct iovec out = {b, 22}, in = {shared_name, 22};
    SHOW(process_vm_writev(child, &out, 1, &in, 1, 0));
    write(to[1], "g", 1);
    read(from[0], &c, 1);
    char big[9000];
    struct iovec lb = {big, 9000}, hole = {page, 3 * 4096}, bad = {page + 4096, 10}, none = {big, 0}, un = {(void *)8, 4};
    SHOW(process_vm_readv(child, &lb, 1, &bad, 1, 0));
    SHOW(process_vm_readv(child, &lb, 1, &hole, 1, 0));
    SHOW(process_vm_readv(child, &none, 1, &bad, 1, 0));
    SHOW(process_vm_readv(child, &lb, 1, &in, 0, 0));
    SHOW(process_vm_readv(child, &un, 1, &in, 1, 0));
    SHOW(process_vm_readv(child, &lb, 1, &in, 1, 1));
    SHOW(process_vm_readv(child, (void *)8, 1, &in, 1, 0));
    SHOW(process_vm_readv(child, &lb, 1, (void *)8, 1, 0));
    SHOW(process_vm_readv(child, &lb, 2000, &in, 1, 0));
    SHOW(process_vm_readv(99999999, &lb, 1, &in, 1, 0));
    SHOW(process_vm_writev(self, &out, 1, &in, 1, 0));

    int d = dup(file), other = open("file", O_RDWR);
    SHOW(kcmp(self, self, 0, file, d));
    SHOW(kcmp(self, self, 0, file, other));
    SHOW(kcmp(self, child, 0, file, file));
    SHOW(kcmp(self, self, 0, file, 99));
    SHOW(kcmp(self, self, 1, 0, 0));
    SHOW(kcmp(self, child, 1, 0, 0));
    SHOW(kcmp(self, child, 2, 0, 0));
    SHOW(kcmp(self, child, 3, 0, 0));
    SHOW(kcmp(self, child, 4, 0, 0));
    SHOW(kcmp(self, self, 6, 0, 0));
    SHOW(kcmp(self, self, 9, 0, 0));
    SHOW(kcmp(self, 99999999, 1, 0, 0));
    long one = syscall(SYS_kcmp, self, self, 0, file, other), two = syscall(SYS_kcmp, self, self, 0, other, file);
    printf("one way or the other %d\n", one + two == 3);
    int ep = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN};
    epoll_ctl(ep, EPOLL_CTL_ADD, from[0], &ev);
    unsigned slot[3] = {ep, from[0], 0};
    SHOW(kcmp(self, self, 7, from[0], (unsigned long)slot));
    SHOW(kcmp(self, self, 7, to[0], (unsigned long)slot));
    slot[1] = 77;
    SHOW(kcmp(self, self, 7, from[0], (unsigned long)slot));

    int pidfd = syscall(SYS_pidfd_open, child, 0), mine = syscall(SYS_pidfd_open, self, 0);
    struct iovec r = {page, 4096}, un2 = {page + 1, 4096};
    SHOW(syscall(SYS_process_madvise, pidfd, &r, 1, MADV_COLD, 0));
    SHOW(syscall(SYS_process_madvise, mine, &r, 1, MADV_WILLNEED, 0));
    SHOW(syscall(SYS_process_madvise, pidfd, &r, 1, MADV_DONTNEED, 0));
    SHOW(syscall(SYS_process_madvise, pidfd, &un2, 1, MADV_COLD, 0));
    SHOW(syscall(SYS_process_madvise, pidfd, &r, 1, MADV_COLD, 1));
    SHOW(syscall(SYS_process_madvise, file, &r, 1, MADV_COLD, 0));
    SHOW(syscall(SYS_process_madvise, pidfd, (void *)8, 1, MADV_COLD, 0));
    SHOW(syscall(SYS_process_mrelease, pidfd, 0));
    SHOW(syscall(SYS_process_mrelease, pidfd, 1));
    SHOW(syscall(SYS_process_mrelease, file, 0));

    void *pages[3] = {page, page + 4096, page + 8192};
    int status[3] = {7, 7, 7}, nodes[3] = {0, 0, 0};
    SHOW(syscall(SYS_move_pages, 0, 3, pages, 0, status, 0));
    printf("%d %s %d\n", status[0], strerrorname_np(-status[1]), status[2]);
    SHOW(syscall(SYS_move_pages, 0, 1, pages, nodes, status, 2));
    SHOW(syscall(SYS_move_pages, 0, 3, pages, 0, status, 64));
    unsigned long node = 1;
    SHOW(syscall(SYS_migrate_pages, 0, 8, &node, &node));

    SHOW(unshare(0));
    SHOW(unshare(CLONE_FILES));
    SHOW(unshare(CLONE_FS));
    SHOW(unshare(CLONE_SYSVSEM));
    SHOW(unshare(1));
    SHOW(kcmp(self, child, 2, 0, 0));
    write(to[1], "g", 1);
    waitpid(child, 0, 0);
    return 0;
}

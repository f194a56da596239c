// unshare(2): descriptors and directories of one's own.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *err(long result) {
    return result < 0 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))

static pthread_barrier_t step;

static void *thread(void *arg) {
    SHOW(unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM));
    SHOW(unshare(CLONE_THREAD));
    SHOW(unshare(CLONE_VM));
    SHOW(unshare(CLONE_SIGHAND));
    umask(0123);
    SHOW(chdir("/"));
    SHOW(close(9));
    pthread_barrier_wait(&step);
    return arg;
}

int main(void) {
    SHOW(unshare(0));
    SHOW(unshare(0x40));
    SHOW(unshare(CLONE_PARENT));
    SHOW(unshare(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM));
    SHOW(unshare(CLONE_FILES));
    umask(022);
    dup2(1, 9);
    pthread_barrier_init(&step, NULL, 2);
    pthread_t t;
    pthread_create(&t, NULL, thread, NULL);
    pthread_barrier_wait(&step);
    pthread_join(t, NULL);
    printf("umask %o\n", umask(0));
    char name[4096];
    printf("still elsewhere: %d\n", strcmp(getcwd(name, sizeof name), "/") != 0);
    SHOW(fcntl(9, F_GETFD));
}

/* futex_waitv, futex_wait, futex_wake, futex_requeue; shared futexes between processes; WAKE_OP and bit sets. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#endif
#define U32 2
#define PRIV 128

struct waitv {
    uint64_t val, uaddr;
    uint32_t flags, reserved;
};

static long r(long v)
{
    return v < 0 ? -errno : v;
}

static void show(const char *what, long v)
{
    if (v < 0)
        printf("%s %s\n", what, strerrorname_np(-v));
    else
        printf("%s %ld\n", what, v);
}

static uint32_t words[4];
static int bits;

static struct waitv entry(int i, uint64_t val)
{
    struct waitv w = {val, (uintptr_t)&words[i], U32 | PRIV, 0};
    return w;
}

static void *vector(void *p)
{
    struct waitv v[3] = {entry(0, 0), entry(1, 0), entry(2, 0)};
    (void)p;
    return (void *)r(syscall(SYS_futex_waitv, v, 3, 0, NULL, 0));
}

static void *one(void *p)
{
    (void)p;
    return (void *)r(syscall(SYS_futex_wait, &words[3], 7UL, 2UL, U32 | PRIV, NULL, 1));
}

static void *bitset(void *p)
{
    long v = r(syscall(SYS_futex, &words[0], FUTEX_WAIT_BITSET | PRIV, 0, NULL, NULL, (long)p));
    __atomic_fetch_or(&bits, (long)p, __ATOMIC_SEQ_CST);
    return (void *)v;
}

static void errors(void)
{
    struct timespec past = {1, 0};
    struct waitv v[3] = {entry(0, 0), entry(1, 1), entry(2, 0)};
    show("no waiters", r(syscall(SYS_futex_waitv, v, 0, 0, NULL, 0)));
    show("too many", r(syscall(SYS_futex_waitv, v, 129, 0, NULL, 0)));
    show("flags", r(syscall(SYS_futex_waitv, v, 3, 1, NULL, 0)));
    show("null", r(syscall(SYS_futex_waitv, NULL, 3, 0, NULL, 0)));
    show("other value", r(syscall(SYS_futex_waitv, v, 3, 0, NULL, 0)));
    v[1].val = 0;
    show("timeout", r(syscall(SYS_futex_waitv, v, 3, 0, &past, 1)));
    show("timeout by wall clock", r(syscall(SYS_futex_waitv, v, 3, 0, &past, 0)));
    show("clock", r(syscall(SYS_futex_waitv, v, 3, 0, &past, 7)));
    v[2].reserved = 1;
    show("reserved", r(syscall(SYS_futex_waitv, v, 3, 0, NULL, 0)));
    v[2] = entry(2, 0);
    v[2].flags = PRIV;
    show("size", r(syscall(SYS_futex_waitv, v, 3, 0, NULL, 0)));
    show("wait other value", r(syscall(SYS_futex_wait, &words[0], 1UL, ~0u, U32 | PRIV, NULL, 1)));
    show("wait mask", r(syscall(SYS_futex_wait, &words[0], 0UL, 0UL, U32 | PRIV, NULL, 1)));
    show("wait wide mask", r(syscall(SYS_futex_wait, &words[0], 0UL, 1UL << 32, U32 | PRIV, NULL, 1)));
    show("wait wide value", r(syscall(SYS_futex_wait, &words[0], 1UL << 32, 1UL, U32 | PRIV, NULL, 1)));
    show("wait timeout", r(syscall(SYS_futex_wait, &words[0], 0UL, ~0u, U32 | PRIV, &past, 1)));
    show("wake flags", r(syscall(SYS_futex_wake, &words[0], ~0u, 1, 0x40)));
    show("wake mask", r(syscall(SYS_futex_wake, &words[0], 0UL, 1, U32 | PRIV)));
    show("wake unaligned", r(syscall(SYS_futex_wake, (char *)words + 2, ~0u, 1, U32 | PRIV)));
    show("requeue flags", r(syscall(SYS_futex_requeue, v, 1, 1, 1)));
    show("requeue null", r(syscall(SYS_futex_requeue, NULL, 0, 1, 1)));
}

static void vectors(void)
{
    pthread_t t, u;
    void *v;
    pthread_create(&t, NULL, vector, NULL);
    usleep(100000);
    show("wake second", r(syscall(SYS_futex_wake, &words[1], ~0u, 1, U32 | PRIV)));
    pthread_join(t, &v);
    show("vector woken at", (long)v);
    words[3] = 7;
    pthread_create(&u, NULL, one, NULL);
    usleep(100000);
    show("wake none", r(syscall(SYS_futex_wake, &words[3], 2UL, 0, U32 | PRIV)));
    show("wake other bits", r(syscall(SYS_futex_wake, &words[3], 1UL, 1, U32 | PRIV)));
    struct waitv q[2] = {entry(3, 7), entry(2, 0)};
    show("requeue", r(syscall(SYS_futex_requeue, q, 0, 0, 5)));
    show("wake where it was", r(syscall(SYS_futex_wake, &words[3], ~0u, 1, U32 | PRIV)));
    show("wake where it is", r(syscall(SYS_futex_wake, &words[2], ~0u, 1, U32 | PRIV)));
    pthread_join(u, &v);
    show("one", (long)v);
    q[0].val = 8;
    show("requeue other value", r(syscall(SYS_futex_requeue, q, 0, 0, 5)));
}

static void bitsets(void)
{
    pthread_t t[3];
    for (long i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, bitset, (void *)(1L << i));
    usleep(100000);
    show("wake 6", r(syscall(SYS_futex, &words[0], FUTEX_WAKE_BITSET | PRIV, 10, NULL, NULL, 6)));
    pthread_join(t[1], NULL);
    pthread_join(t[2], NULL);
    printf("woken %d\n", bits);
    /* words[1] becomes 3, and as it was 0 its waiters are woken too: none. */
    show("wake op", r(syscall(SYS_futex, &words[0], FUTEX_WAKE_OP | PRIV, 1, (void *)1, &words[1],
                              FUTEX_OP(FUTEX_OP_SET, 3, FUTEX_OP_CMP_EQ, 0))));
    pthread_join(t[0], NULL);
    printf("woken %d word %u\n", bits, words[1]);
    show("wake op 9", r(syscall(SYS_futex, &words[0], FUTEX_WAKE_OP | PRIV, 1, (void *)1, &words[1], 7u << 28)));
    words[1] = 0;
}

static void processes(void)
{
    uint32_t *anon = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int fd = open("shared", O_RDWR | O_CREAT, 0600);
    if (ftruncate(fd, 8192))
        perror("ftruncate");
    uint32_t *file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pid_t pid = fork();
    if (pid == 0) {
        /* The same memory at other addresses. */
        int fd2 = open("shared", O_RDWR);
        uint32_t *elsewhere = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd2, 4096);
        long a = r(syscall(SYS_futex, elsewhere, FUTEX_WAIT, 0, NULL, NULL, 0));
        long b = r(syscall(SYS_futex, anon, FUTEX_WAIT, 0, NULL, NULL, 0));
        _exit(a == 0 && b == 0 ? 42 : 1);
    }
    usleep(200000);
    show("private wake does not reach", r(syscall(SYS_futex, file + 1024, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0)));
    show("wake by file", r(syscall(SYS_futex, file + 1024, FUTEX_WAKE, 1, NULL, NULL, 0)));
    usleep(200000);
    show("wake by memory", r(syscall(SYS_futex, anon, FUTEX_WAKE, 1, NULL, NULL, 0)));
    int status;
    waitpid(pid, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    errors();
    vectors();
    bitsets();
    processes();
    return 0;
}

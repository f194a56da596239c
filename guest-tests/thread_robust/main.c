/* Robust locks: of threads and processes that end, by the C library's mutexes and by lists made by hand. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    pthread_mutex_t plain, pi;
    volatile int stage;
};

static struct shared *s;

static pthread_mutex_t make(int pshared, int protocol)
{
    pthread_mutex_t m;
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&a, pshared);
    pthread_mutexattr_setprotocol(&a, protocol);
    pthread_mutex_init(&m, &a);
    return m;
}

static pthread_mutex_t local;

static void *leaves(void *p)
{
    pthread_mutex_lock(&local);
    return p;
}

static const char *name(int e)
{
    return e ? strerrorname_np(e) : "ok";
}

static void of_threads(int protocol)
{
    pthread_t t;
    local = make(PTHREAD_PROCESS_PRIVATE, protocol);
    pthread_create(&t, NULL, leaves, NULL);
    pthread_join(t, NULL);
    printf("lock %s\n", name(pthread_mutex_lock(&local)));
    printf("consistent %s\n", name(pthread_mutex_consistent(&local)));
    printf("unlock %s\n", name(pthread_mutex_unlock(&local)));
    pthread_create(&t, NULL, leaves, NULL);
    pthread_join(t, NULL);
    printf("trylock %s\n", name(pthread_mutex_trylock(&local)));
    printf("unlock %s\n", name(pthread_mutex_unlock(&local)));
    printf("lock %s\n", name(pthread_mutex_lock(&local)));
}

static void of_processes(pthread_mutex_t *m)
{
    s->stage = 0;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(m);
        s->stage = 1;
        usleep(100000);
        kill(getpid(), SIGKILL);
    }
    while (s->stage == 0)
        usleep(1000);
    printf("waited %s\n", name(pthread_mutex_lock(m)));
    waitpid(pid, NULL, 0);
    pthread_mutex_consistent(m);
    pthread_mutex_unlock(m);
    printf("again %s\n", name(pthread_mutex_lock(m)));
    pthread_mutex_unlock(m);
    /* execve gives the locks up too. */
    pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(m);
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    printf("after exec %s\n", name(pthread_mutex_lock(m)));
    pthread_mutex_consistent(m);
    pthread_mutex_unlock(m);
}

/* Entries made by hand: the lock word stands behind its list entry. */
struct entry {
    void *next;
    uint32_t word, pad;
};

static struct entry entries[4];
static struct robust_list_head head;

static void *by_hand(void *p)
{
    uint32_t tid = syscall(SYS_gettid);
    head.list.next = (struct robust_list *)&entries[0];
    head.futex_offset = offsetof(struct entry, word);
    head.list_op_pending = (struct robust_list *)&entries[3];
    entries[0] = (struct entry){&entries[1], tid, 0};
    entries[1] = (struct entry){&entries[2], tid | FUTEX_WAITERS, 0};
    entries[2] = (struct entry){(void *)&head.list, 12345, 0};
    entries[3] = (struct entry){NULL, tid, 0};
    printf("set %ld\n", syscall(SYS_set_robust_list, &head, sizeof head));
    long r = syscall(SYS_set_robust_list, &head, sizeof head - 1);
    printf("size %ld %s\n", r, name(errno));
    return p;
}

static void *endless(void *p)
{
    uint32_t tid = syscall(SYS_gettid);
    head.list.next = (struct robust_list *)&entries[0];
    head.list_op_pending = NULL;
    entries[0] = (struct entry){&entries[1], tid, 0};
    entries[1] = (struct entry){&entries[0], tid, 0};
    syscall(SYS_set_robust_list, &head, sizeof head);
    return p;
}

int main(void)
{
    pthread_t t;
    setvbuf(stdout, NULL, _IONBF, 0);
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    s->plain = make(PTHREAD_PROCESS_SHARED, PTHREAD_PRIO_NONE);
    s->pi = make(PTHREAD_PROCESS_SHARED, PTHREAD_PRIO_INHERIT);
    of_threads(PTHREAD_PRIO_NONE);
    of_threads(PTHREAD_PRIO_INHERIT);
    of_processes(&s->plain);
    of_processes(&s->pi);
    pthread_create(&t, NULL, by_hand, NULL);
    pthread_join(t, NULL);
    for (int i = 0; i < 4; i++)
        printf("word %d %x\n", i, entries[i].word);
    pthread_create(&t, NULL, endless, NULL);
    pthread_join(t, NULL);
    printf("endless %x %x\n", entries[0].word, entries[1].word);
    struct robust_list_head *h = NULL;
    size_t len = 0;
    long r = syscall(SYS_get_robust_list, 0, &h, &len);
    printf("get %ld %zu %d\n", r, len, h != NULL);
    r = syscall(SYS_get_robust_list, 999999999, &h, &len);
    printf("get %ld %s\n", r, name(errno));
    return 0;
}

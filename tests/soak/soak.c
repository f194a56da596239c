// Much of everything. Each phase says what it did; then the program waits for a line, so that whoever runs it can look
// at the memory in use.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void mark(const char *phase) {
    char line[16];
    printf("mark %s\n", phase);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) exit(2);
}

static void forks(int count) {
    int good = 0;
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) _exit(i % 100);
        int status;
        if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == i % 100) good++;
    }
    printf("forks %d\n", good);
}

static pthread_barrier_t all_alive;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *thread(void *number) {
    pthread_barrier_wait(&all_alive);
    pthread_mutex_lock(&lock);
    sum += (long)number;
    pthread_mutex_unlock(&lock);
    return number;
}

static void threads(int count) {
    pthread_t *ids = calloc(count, sizeof *ids);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    pthread_barrier_init(&all_alive, NULL, count + 1);
    sum = 0;
    for (long i = 0; i < count; i++)
        if (pthread_create(&ids[i], &attributes, thread, (void *)i)) die("pthread_create");
    pthread_barrier_wait(&all_alive);
    int good = 0;
    for (long i = 0; i < count; i++) {
        void *result;
        good += pthread_join(ids[i], &result) == 0 && result == (void *)i;
    }
    free(ids);
    printf("threads %d sum %ld\n", good, sum);
}

static void descriptors(int count) {
    int good = 0;
    for (int i = 0; i < count; i++) {
        int fd = open("/dev/null", O_RDWR);
        good += fd == 3;
        close(fd);
    }
    printf("opened and closed %d\n", good);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rlimit raised = {limit.rlim_max, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &raised);
    // Few host descriptors are allowed to most users: pipes of the machine need none.
    int want = limit.rlim_max < (rlim_t)count + 10 ? (int)limit.rlim_max - 10 : count, fd = 3, p[2];
    for (; fd + 1 < want; fd += 2)
        if (pipe(p)) die("pipe");
    printf("open at once %d\n", want < 4000 || fd >= 4000);
    for (int i = 3; i < fd; i++) close(i);
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void chain(long bytes) {
    int in = -1;
    pid_t children[4];
    for (int stage = 0; stage < 4; stage++) {
        int p[2];
        if (pipe(p)) die("pipe");
        children[stage] = fork();
        if (children[stage] == 0) {
            close(p[0]);
            static char buffer[65536];
            if (stage == 0) {
                for (long at = 0; at < bytes;) {
                    for (size_t i = 0; i < sizeof buffer; i += 4096) buffer[i] = at >> 12;
                    long n = write(p[1], buffer, bytes - at < (long)sizeof buffer ? bytes - at : (long)sizeof buffer);
                    if (n <= 0) _exit(1);
                    at += n;
                }
                _exit(0);
            }
            for (long n; (n = read(in, buffer, sizeof buffer)) > 0;)
                for (long at = 0; at < n;) {
                    long w = write(p[1], buffer + at, n - at);
                    if (w <= 0) _exit(1);
                    at += w;
                }
            _exit(0);
        }
        close(p[1]);
        if (in >= 0) close(in);
        in = p[0];
    }
    static char buffer[65536];
    long total = 0;
    for (long n; (n = read(in, buffer, sizeof buffer)) > 0;) total += n;
    close(in);
    int failed = 0;
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(children[i], &status, 0);
        failed += status != 0;
    }
    printf("chain %ld failed %d\n", total, failed);
}

static void server(int listener, int count) {
    int epoll = epoll_create1(0), closed = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[64];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    while (closed < count) {
        int n = epoll_wait(epoll, events, 64, 20000);
        if (n <= 0) _exit(1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int c = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                event.events = EPOLLIN;
                event.data.fd = c;
                if (c >= 0) epoll_ctl(epoll, EPOLL_CTL_ADD, c, &event);
                continue;
            }
            char text[32];
            long got = read(fd, text, sizeof text);
            if (got > 0) {
                if (write(fd, text, got) != got) _exit(2);
            } else {
                close(fd);
                closed++;
            }
        }
    }
    _exit(0);
}

static void connections(int count) {
    struct rlimit limit, raised;
    getrlimit(RLIMIT_NOFILE, &limit);
    raised.rlim_cur = raised.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &raised);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    if (bind(listener, (void *)&at, length) || listen(listener, 4096) || getsockname(listener, (void *)&at, &length))
        die("listen");
    pid_t child = fork();
    if (child == 0) server(listener, count);
    close(listener);
    int *fds = calloc(count, sizeof *fds), good = 0;
    for (int i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (fds[i] < 0 || connect(fds[i], (void *)&at, length)) die("connect");
    }
    for (int i = 0; i < count; i++) {
        char text[32], back[32];
        int n = sprintf(text, "connection %d", i);
        if (write(fds[i], text, n) != n) die("write");
        good += read(fds[i], back, sizeof back) == n && !memcmp(text, back, n);
    }
    for (int i = 0; i < count; i++) close(fds[i]);
    free(fds);
    int status;
    waitpid(child, &status, 0);
    printf("connections %d server %d\n", good, status);
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void) {
    // Once of each first, so that what is kept for good is there before the first look.
    forks(20);
    threads(20);
    chain(1000000);
    mark("start");
    forks(2000);
    mark("forks");
    threads(500);
    mark("threads");
    descriptors(10000);
    mark("descriptors");
    chain(100000000);
    mark("chain");
    connections(1000);
    mark("connections");
    forks(20);
    mark("end");
    return 0;
}

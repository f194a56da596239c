// IOCB_CMD_POLL of io_submit(2): events when files become ready, while the program does something else.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static aio_context_t context;
static struct io_event done[8];

static void show(const char *what, long result) {
    if (result < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, result);
    fflush(stdout);
}

static struct iocb poll_of(int fd, int events, int data) {
    return (struct iocb){.aio_data = data, .aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = fd, .aio_buf = events};
}

static long submit(struct iocb *iocb) {
    return syscall(SYS_io_submit, context, 1L, &iocb);
}

// Waits for so many events, but not forever, and prints them.
static void events(const char *what, long least) {
    struct timespec time = {least ? 10 : 0, 0};
    long n = syscall(SYS_io_getevents, context, least, 8L, done, &time);
    printf("%s: %ld", what, n);
    // Other bits depend on who has woken whom.
    for (long i = 0; i < n; i++)
        printf(" [%lld: %lld]", (long long)done[i].data, (long long)done[i].res & (POLLIN | POLLOUT | POLLERR | POLLHUP));
    puts("");
    fflush(stdout);
}

static void *write_later(void *fd) {
    usleep(30000);
    if (write(*(int *)fd, "x", 1) != 1) perror("write");
    return NULL;
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    int a[2], b[2];
    char byte;
    pthread_t thread;
    show("setup", syscall(SYS_io_setup, 3L, &context));
    if (pipe(a) || pipe(b)) return 1;

    struct iocb first = poll_of(a[0], POLLIN, 1), second = poll_of(b[0], POLLIN, 2), out = poll_of(b[1], POLLOUT, 3);
    show("one waits", submit(&first));
    events("nothing yet", 0);
    if (write(a[1], "x", 1) != 1) return 1;
    events("written", 1);
    events("once", 0);
    show("ready at once", submit(&first));
    show("to write", submit(&out));
    events("both", 2);
    if (read(a[0], &byte, 1) != 1) return 1;

    pthread_create(&thread, NULL, write_later, &b[1]);
    show("one", submit(&first));
    show("another", submit(&second));
    events("the other", 1);
    pthread_join(thread, NULL);
    close(a[1]);
    events("hung up", 1);

    // What cannot be asked for.
    struct iocb bad = second;
    bad.aio_nbytes = 1;
    show("with bytes", submit(&bad));
    bad = second, bad.aio_offset = 1;
    show("with an offset", submit(&bad));
    bad = second, bad.aio_buf = 0x10000;
    show("events of no poll", submit(&bad));
    bad.aio_fildes = 99;
    show("no file", submit(&bad));
    int file = open("data", O_RDWR | O_CREAT, 0600);
    struct iocb plain = poll_of(file, POLLIN | POLLOUT, 4);
    show("regular file", submit(&plain));
    events("ready", 1);
    plain.aio_buf = POLLPRI;
    show("that never has these", submit(&plain));

    // An eventfd is told while nobody asks for events.
    if (read(b[0], &byte, 1) != 1) return 1;
    int counter = eventfd(0, 0);
    second.aio_flags = IOCB_FLAG_RESFD, second.aio_resfd = counter;
    show("with an eventfd", submit(&second));
    pthread_create(&thread, NULL, write_later, &b[1]);
    struct pollfd p = {.fd = counter, .events = POLLIN};
    int n = poll(&p, 1, 10000);
    printf("poll %d %d\n", n, p.revents);
    unsigned long long count = 0;
    if (read(counter, &count, 8) != 8) return 1;
    printf("counted %llu\n", count);
    pthread_join(thread, NULL);
    events("and the event", 1);

    // A socket, watched by an epoll through the eventfd.
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    bind(receiver, (struct sockaddr *)&address, len);
    getsockname(receiver, (struct sockaddr *)&address, &len);
    connect(sender, (struct sockaddr *)&address, len);
    struct iocb datagram = poll_of(receiver, POLLIN, 5);
    datagram.aio_flags = IOCB_FLAG_RESFD, datagram.aio_resfd = counter;
    int epoll = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &e);
    show("socket", submit(&datagram));
    show("epoll before", epoll_wait(epoll, &e, 1, 0));
    pthread_create(&thread, NULL, write_later, &sender);
    show("epoll", epoll_wait(epoll, &e, 1, 10000));
    pthread_join(thread, NULL);
    events("datagram", 1);

    // Taken back.
    struct io_event cancelled;
    second.aio_flags = 0;
    if (read(b[0], &byte, 1) != 1) return 1;
    show("to be cancelled", submit(&second));
    show("cancel", syscall(SYS_io_cancel, context, &second, &cancelled));
    events("its event", 1);
    show("cancel again", syscall(SYS_io_cancel, context, &second, &cancelled));

    // The context holds the file as long as the request is there.
    show("last", submit(&second));
    close(b[0]);
    show("write while it waits", write(b[1], "y", 1));
    events("readable", 1);
    show("write when nobody reads", write(b[1], "y", 1));
    if (pipe(a)) return 1;
    first = poll_of(a[0], POLLIN, 6);
    show("another context's end", submit(&first));
    close(a[0]);
    show("destroy", syscall(SYS_io_destroy, context));
    // The kernel lets the file go in its own time.
    for (n = 0; n < 200 && write(a[1], "y", 1) >= 0; n++) usleep(10000);
    printf("gone with it: %d\n", errno == EPIPE);
    unlink("data");
    return 0;
}

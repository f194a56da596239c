// mq_notify(3) by thread: through the C library, and as the kernel offers it, on a netlink socket.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static sem_t told;
static pthread_t main_thread;

static void tell(union sigval value) {
    printf("told %d in another thread: %d\n", value.sival_int, !pthread_equal(pthread_self(), main_thread));
    sem_post(&told);
}

static void show(const char *what, long result) {
    printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}

static long notify(mqd_t queue, int socket, const char *cookie) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = socket};
    event.sigev_value.sival_ptr = (void *)cookie;
    return syscall(SYS_mq_notify, queue, &event);
}

static void receive(const char *what, int socket, int flags) {
    char bytes[64] = "";
    struct sockaddr_nl from = {.nl_pid = 9};
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(socket, bytes, sizeof bytes, flags, (struct sockaddr *)&from, &len);
    if (n < 0)
        show(what, n);
    else
        printf("%s: %zd \"%s\" %d, from %d %u\n", what, n, bytes, bytes[31], from.nl_family, from.nl_pid);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    main_thread = pthread_self();
    sem_init(&told, 0, 0);
    char name[50], text[100];
    snprintf(name, sizeof name, "/sevm-thread-%d", getpid());
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 100};
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attr);
    if (queue < 0) return perror("mq_open"), 1;
    mq_unlink(name);

    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell};
    for (int i = 1; i <= 3; i++) {
        event.sigev_value.sival_int = i;
        show("notify", mq_notify(queue, &event));
        show("once more", mq_notify(queue, &event));
        mq_send(queue, "one", 4, 0);
        sem_wait(&told);
        // Not told of: nobody is registered any more.
        mq_send(queue, "two", 4, 0);
        while (mq_receive(queue, text, sizeof text, NULL) > 0) continue;
    }
    show("take back none", mq_notify(queue, NULL));

    // The call itself.
    char cookie[32] = "thirty-two bytes of my own";
    int plain = socket(AF_UNIX, SOCK_STREAM, 0);
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0);
    show("no descriptor", notify(queue, 77, cookie));
    show("no netlink socket", notify(queue, plain, cookie));
    show("bad cookie", notify(queue, netlink, (char *)8));
    show("no queue", notify(99, netlink, cookie));
    receive("nothing", netlink, 0);
    show("registered", notify(queue, netlink, cookie));
    receive("nothing yet", netlink, 0);
    int epoll = epoll_create1(0);
    struct epoll_event ready = {.events = EPOLLIN | EPOLLET, .data.fd = netlink};
    epoll_ctl(epoll, EPOLL_CTL_ADD, netlink, &ready);
    printf("epoll before: %d\n", epoll_wait(epoll, &ready, 1, 0));
    mq_send(queue, "x", 1, 0);
    struct pollfd p = {.fd = netlink, .events = POLLIN};
    printf("epoll after: %d\n", epoll_wait(epoll, &ready, 1, 1000));
    int polled = poll(&p, 1, 1000);
    printf("poll: %d %d\n", polled, p.revents);
    receive("peeked", netlink, MSG_PEEK);
    receive("received", netlink, 0);
    receive("once", netlink, 0);
    while (mq_receive(queue, text, sizeof text, NULL) > 0) continue;
    show("registered", notify(queue, netlink, cookie));
    show("taken back", mq_notify(queue, NULL));
    receive("of that", netlink, 0);
    show("registered", notify(queue, netlink, cookie));
    close(queue);
    receive("of the close", netlink, 0);
    return 0;
}

// The kernel's asynchronous I/O: io_setup(2), io_submit(2), io_getevents(2), io_pgetevents(2), io_cancel(2), io_destroy(2).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *err(long result) {
    return result < 0 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define NUMBER(expr) printf("%s: %ld\n", #expr, (long)(expr))

static aio_context_t context;

static long submit(struct iocb *a, struct iocb *b, long n) {
    struct iocb *list[] = {a, b};
    return syscall(SYS_io_submit, context, n, list);
}

static long events(long least, long most, struct io_event *to, struct timespec *timeout) {
    return syscall(SYS_io_getevents, context, least, most, to, timeout);
}

static void *later(void *iocb) {
    usleep(20000);
    submit(iocb, NULL, 1);
    return NULL;
}

int main(void) {
    struct io_event done[8];
    struct timespec soon = {0, 1000000}, now = {0, 0};
    aio_context_t wrong = 1;
    SHOW(syscall(SYS_io_setup, 4, &wrong));
    SHOW(syscall(SYS_io_setup, 0, &context));
    SHOW(syscall(SYS_io_setup, 4, &context));
    SHOW(syscall(SYS_io_setup, 4, &context));
    SHOW(syscall(SYS_io_destroy, 4096L));
    SHOW(events(2, 1, done, NULL));
    SHOW(events(-1, 1, done, NULL));
    NUMBER(events(1, 1, done, &soon));
    NUMBER(events(0, 1, done, NULL));

    int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int counter = eventfd(0, 0);
    char text[] = "asynchronous", back[32] = "";
    struct iocb write_it = {.aio_data = 1, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd,
                            .aio_buf = (unsigned long)text, .aio_nbytes = 12, .aio_offset = 3,
                            .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = counter};
    struct iocb read_it = {.aio_data = 2, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
                           .aio_buf = (unsigned long)back, .aio_nbytes = 20, .aio_offset = 4};
    NUMBER(submit(&write_it, NULL, 1));
    NUMBER(events(1, 4, done, NULL));
    NUMBER(done[0].data);
    NUMBER(done[0].res);
    NUMBER(done[0].obj == (unsigned long)&write_it);
    NUMBER(submit(&read_it, &read_it, 2));
    NUMBER(events(2, 4, done, NULL));
    NUMBER(done[1].data);
    NUMBER(done[1].res);
    printf("%s\n", back);
    eventfd_t count = 0;
    eventfd_read(counter, &count);
    NUMBER(count);

    struct iovec pieces[] = {{back, 4}, {back + 10, 4}};
    struct iocb vector = {.aio_lio_opcode = IOCB_CMD_PREADV, .aio_fildes = fd,
                          .aio_buf = (unsigned long)pieces, .aio_nbytes = 2, .aio_offset = 3};
    struct iocb sync = {.aio_lio_opcode = IOCB_CMD_PWRITEV, .aio_fildes = fd,
                        .aio_buf = (unsigned long)pieces, .aio_nbytes = 2, .aio_offset = 0};
    NUMBER(submit(&vector, &sync, 2));
    NUMBER(syscall(SYS_io_pgetevents, context, 2, 2, done, NULL, NULL));
    NUMBER(done[0].res);
    NUMBER(done[1].res);

    struct iocb closed = read_it, odd = read_it, readonly = write_it, padded = read_it;
    closed.aio_fildes = 99;
    odd.aio_lio_opcode = 77;
    readonly.aio_fildes = open("data", O_RDONLY);
    padded.aio_reserved2 = 1;
    SHOW(submit(&closed, NULL, 1));
    SHOW(submit(&odd, NULL, 1));
    SHOW(submit(&readonly, NULL, 1));
    SHOW(submit(&padded, NULL, 1));
    SHOW(submit((struct iocb *)8, NULL, 1));
    NUMBER(submit(&read_it, &closed, 2));
    NUMBER(events(0, 8, done, &now));
    SHOW(submit(&read_it, NULL, -1));
    NUMBER(submit(&read_it, NULL, 0));
    SHOW(syscall(SYS_io_submit, 4096L, 1, NULL));
    SHOW(syscall(SYS_io_cancel, context, &read_it, done));

    pthread_t t;
    pthread_create(&t, NULL, later, &read_it);
    NUMBER(events(1, 1, done, NULL));
    pthread_join(t, NULL);
    SHOW(syscall(SYS_io_destroy, context));
    SHOW(syscall(SYS_io_destroy, context));
    SHOW(events(0, 1, done, NULL));
}

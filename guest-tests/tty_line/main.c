// The line discipline of a pseudoterminal: editing, echo, signals' flushes, raw reads, output processing, flow.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int m, s;

static void show(const char *what, const char *bytes, ssize_t n) {
    printf("%s: ", what);
    if (n < 0) {
        printf("%s\n", strerror(errno));
        return;
    }
    printf("%zd \"", n);
    for (ssize_t i = 0; i < n; i++) {
        unsigned char c = bytes[i];
        if (c < 32 || c > 126) printf("\\x%02x", c);
        else putchar(c);
    }
    puts("\"");
}

static void say(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerror(errno) : "ok");
}

static void get(const char *what, int fd, size_t max) {
    char buf[9000];
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, 150) <= 0) {
        printf("%s: nothing\n", what);
        return;
    }
    // Let all of an answer arrive.
    usleep(20000);
    show(what, buf, read(fd, buf, max));
}

static void type(const char *keys) {
    if (write(m, keys, strlen(keys)) != (ssize_t)strlen(keys)) puts("short write");
    usleep(20000);
}

static void change(tcflag_t i_on, tcflag_t i_off, tcflag_t o_on, tcflag_t o_off, tcflag_t l_on, tcflag_t l_off) {
    struct termios t;
    tcgetattr(s, &t);
    t.c_iflag = (t.c_iflag | i_on) & ~i_off;
    t.c_oflag = (t.c_oflag | o_on) & ~o_off;
    t.c_lflag = (t.c_lflag | l_on) & ~l_off;
    if (tcsetattr(s, TCSANOW, &t)) perror("tcsetattr");
}

static void times(cc_t min, cc_t time) {
    struct termios t;
    tcgetattr(s, &t);
    t.c_cc[VMIN] = min;
    t.c_cc[VTIME] = time;
    tcsetattr(s, TCSANOW, &t);
}

static long ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(void) {
    m = posix_openpt(O_RDWR | O_NOCTTY);
    char *name = ptsname(m);
    say("locked", open(name, O_RDWR | O_NOCTTY));
    grantpt(m), unlockpt(m);
    s = open(name, O_RDWR | O_NOCTTY);
    printf("name %d ttyname %d isatty %d %d\n", !strncmp(name, "/dev/pts/", 9), !strcmp(ttyname(s), name), isatty(s),
           isatty(m));
    struct termios t;
    tcgetattr(s, &t);
    printf("%o %o %o %o speed %d\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, cfgetospeed(&t) == B38400);
    for (int i = 0; i < 17; i++) printf("%d ", t.c_cc[i]);
    puts("");

    // Editing.
    type("hello\n"), get("echo", m, 100), get("line", s, 100);
    type("abc\x7f\x7fX\n"), get("echo", m, 100), get("line", s, 100);
    type("one two\tthree\x17\x17\x17two\n"), get("echo", m, 100), get("line", s, 100);
    type("gone\x15kept\n"), get("echo", m, 100), get("line", s, 100);
    type("a\tb\x7f\x7f.\n"), get("echo", m, 100), get("line", s, 100);
    type("a\x01\x7f\x16\x03\x12!\n"), get("echo", m, 100), get("line", s, 100);
    type("long line\n"), get("part", s, 4), get("rest", s, 100), get("echo", m, 100);
    type("no newline\x04"), get("line", s, 100), get("more", s, 100), get("echo", m, 100);
    type("\x04"), get("end of file", s, 100);
    type("exact\x04"), get("line", s, 5), get("more", s, 5), get("echo", m, 100);
    type("two\nlines\n"), get("first", s, 100), get("second", s, 100), get("echo", m, 100);
    int n;
    type("12\n345\n67");
    ioctl(s, FIONREAD, &n), printf("FIONREAD %d\n", n);
    tcflush(s, TCIFLUSH);
    ioctl(s, FIONREAD, &n), printf("flushed %d\n", n);
    get("echo", m, 100);
    change(0, 0, 0, 0, 0, ECHOE), type("ab\x7f\n"), get("no ECHOE", m, 100), get("line", s, 100);
    change(0, 0, 0, 0, ECHOPRT, 0), type("abc\x7f\x7fx\n"), get("ECHOPRT", m, 100), get("line", s, 100);
    change(0, 0, 0, 0, ECHOE, ECHOPRT | ECHOKE), type("ab\x15" "c\n"), get("no ECHOKE", m, 100), get("line", s, 100);
    change(0, 0, 0, 0, ECHOKE, ECHOCTL), type("\x01\x7f\x02z\n"), get("no ECHOCTL", m, 100), get("line", s, 100);
    change(0, 0, 0, 0, ECHOCTL | ECHONL, ECHO), type("quiet\n"), get("ECHONL", m, 100), get("line", s, 100);
    change(IUTF8, 0, 0, 0, ECHO, ECHONL), type("\xc3\xa9\xe2\x82\xac\x7f\n"), get("IUTF8", m, 100), get("line", s, 100);

    // Keys that signal nobody still flush.
    type("lost\x03kept\n"), get("interrupt", m, 100), get("line", s, 100);
    change(0, 0, 0, 0, NOFLSH, 0), type("not lost\x1akept\n"), get("NOFLSH", m, 100), get("line", s, 100);
    change(0, 0, 0, 0, 0, ISIG | NOFLSH), type("\x03\n"), get("no ISIG", m, 100), get("line", s, 100);

    // Input mapping.
    change(0, 0, 0, 0, ISIG, 0);
    type("cr\r"), get("ICRNL", m, 100), get("line", s, 100);
    change(IGNCR, ICRNL, 0, 0, 0, 0), type("ig\rnored\n"), get("IGNCR", m, 100), get("line", s, 100);
    change(INLCR | ISTRIP | IUCLC, IGNCR | IUTF8, 0, 0, 0, 0), type("AB\xe3\n\x04"), get("mapped", m, 100), get("line", s, 100);
    change(ICRNL, INLCR | ISTRIP | IUCLC, 0, 0, 0, 0);
    tcflush(s, TCIOFLUSH);

    // Output processing.
    write(s, "a\nb\tc\r", 6), get("ONLCR", m, 100);
    change(0, 0, TAB3 | OLCUC, 0, 0, 0), write(s, "ab\tcd\n", 6), get("TAB3 OLCUC", m, 100);
    change(0, 0, OCRNL, TAB3 | OLCUC, 0, 0), write(s, "x\ry", 3), get("OCRNL", m, 100);
    change(0, 0, ONOCR, OCRNL, 0, 0), write(s, "\r\n\rz\r", 5), get("ONOCR", m, 100);
    change(0, 0, ONLRET, ONLCR | ONOCR, 0, 0), write(s, "p\nq", 3), get("ONLRET", m, 100);
    change(0, 0, 0, OPOST, 0, 0), write(s, "r\n\t", 3), get("raw out", m, 100);
    change(0, 0, OPOST | ONLCR, ONLRET, 0, 0);

    // Flow control.
    type("\x13"), write(s, "", 0);
    fcntl(s, F_SETFL, O_NONBLOCK);
    show("stopped write", "", write(s, "x", 1));
    get("stopped", m, 100), type("e"), get("no echo", m, 100);
    type("\x11"), get("started", m, 100);
    tcflow(s, TCOOFF), show("TCOOFF", "", write(s, "x", 1)), type("\x11"), show("still", "", write(s, "x", 1));
    tcflow(s, TCOON), show("TCOON", "y", write(s, "y", 1)), get("on", m, 100);
    tcflow(s, TCIOFF), get("TCIOFF", m, 100), tcflow(s, TCION), get("TCION", m, 100);
    type("\n"), get("line", s, 100), get("echo", m, 100);

    // Raw reads.
    show("no input", "", read(s, &n, 4));
    fcntl(s, F_SETFL, 0);
    type("typed before"), change(0, 0, 0, 0, 0, ICANON | ECHO), get("typed before", s, 100), get("echo", m, 100);
    char buf[100];
    times(0, 0), show("VMIN 0", buf, read(s, buf, 10));
    long from = ms();
    times(0, 2), show("VTIME", buf, read(s, buf, 10));
    printf("waited %d\n", ms() - from >= 180 && ms() - from < 5000);
    times(5, 2), type("abc"), from = ms(), show("between", buf, read(s, buf, 10));
    printf("waited %d\n", ms() - from >= 150 && ms() - from < 5000);
    times(3, 0), type("ab");
    struct pollfd p = {s, POLLIN, 0};
    printf("poll %d\n", poll(&p, 1, 50)), type("cd"), printf("poll %d\n", poll(&p, 1, 50)), get("three", s, 100);
    times(1, 0), type("left over"), change(0, 0, 0, 0, ICANON, 0), get("becomes a line", s, 100);

    // A line that is too long.
    char big[5000];
    memset(big, 'a', sizeof big);
    change(0, IMAXBEL, 0, 0, 0, 0), type(""), write(m, big, 5000), type("b\n");
    char *line = malloc(9000);
    printf("long line %zd\n", read(s, line, 9000));

    // Sizes and odd requests.
    struct winsize w = {25, 80, 1, 2}, v;
    ioctl(m, TIOCSWINSZ, &w), ioctl(s, TIOCGWINSZ, &v), printf("size %d %d %d %d\n", v.ws_row, v.ws_col, v.ws_xpixel, v.ws_ypixel);
    printf("outq %d", ioctl(s, TIOCOUTQ, &n)), printf(" %d\n", n);
    printf("drain %d break %d\n", tcdrain(s), tcsendbreak(s, 0));
    printf("getd %d", ioctl(s, TIOCGETD, &n)), printf(" %d\n", n);
    say("ptn on slave", ioctl(s, TIOCGPTN, &n));
    say("sid", tcgetsid(s));
    say("pgrp", tcgetpgrp(s));
    say("unknown", ioctl(s, 0x54ff, &n));
    say("seek", lseek(s, 0, SEEK_SET));

    // The end of a side.
    write(s, "last", 4), close(s), usleep(20000);
    p.fd = m;
    poll(&p, 1, 1000), printf("revents %x\n", p.revents);
    get("last", m, 100), show("closed", buf, read(m, buf, 10));
    s = open(name, O_RDWR | O_NOCTTY);
    p.fd = m, poll(&p, 1, 0), printf("open again %x\n", p.revents);
    close(m), usleep(20000);
    p.fd = s, poll(&p, 1, 1000), printf("hung up %x\n", p.revents);
    show("read", buf, read(s, buf, 10)), show("write", "", write(s, "x", 1));
    say("gone", open(name, O_RDWR | O_NOCTTY));
    return 0;
}

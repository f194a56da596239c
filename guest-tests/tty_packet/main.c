// Packet mode, exclusive use, the peer, modes and owner of a pseudoterminal.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

static int m, s;

static void get(const char *what) {
    unsigned char buf[100];
    struct pollfd p = {m, POLLIN | POLLPRI, 0};
    if (poll(&p, 1, 150) <= 0) {
        printf("%s: nothing\n", what);
        return;
    }
    ssize_t n = read(m, buf, sizeof buf);
    printf("%s: %x", what, p.revents);
    for (ssize_t i = 0; i < n; i++) printf(" %02x", buf[i]);
    puts("");
}

int main(void) {
    m = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    int n = -1, on = 1, off = 0;
    ioctl(m, TIOCGPTLCK, &n), printf("locked %d\n", n);
    printf("peer while locked %d\n", ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    ioctl(m, TIOCSPTLCK, &off), ioctl(m, TIOCGPTLCK, &n), printf("unlocked %d\n", n);
    s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY), printf("peer %d\n", s >= 0);
    char name[40];
    ioctl(m, TIOCGPTN, &n), sprintf(name, "/dev/pts/%d", n);

    // Its node.
    struct stat a, b;
    fstat(s, &a), stat(name, &b);
    printf("same %d %d mode %o major %u minor %d uid %d\n", a.st_ino == b.st_ino, a.st_rdev == b.st_rdev, a.st_mode & S_IFMT,
           major(a.st_rdev), (int)minor(a.st_rdev) == n, a.st_uid == geteuid());
    printf("fchmod %d", fchmod(s, 0600)), stat(name, &b), printf(" %o\n", b.st_mode);
    printf("chmod %d", chmod(name, 0640)), fstat(s, &b), printf(" %o\n", b.st_mode);
    printf("chown %d\n", chown(name, -1, getegid()));
    fstat(m, &a), printf("master %o %u:%u\n", a.st_mode, major(a.st_rdev), minor(a.st_rdev));
    stat("/dev/tty", &a), printf("tty %o %u:%u\n", a.st_mode & S_IFMT, major(a.st_rdev), minor(a.st_rdev));
    DIR *d = opendir("/dev/pts");
    int found = 0;
    for (struct dirent *e; (e = readdir(d));) found |= !strcmp(e->d_name, name + 9) | !strcmp(e->d_name, "ptmx") << 1;
    closedir(d), printf("listed %d\n", found);
    char link[100];
    sprintf(link, "/proc/self/fd/%d", s);
    ssize_t len = readlink(link, link, sizeof link);
    printf("link %d\n", len == (ssize_t)strlen(name) && !memcmp(link, name, len));

    // Packet mode.
    printf("on %d", ioctl(m, TIOCPKT, &on)), ioctl(m, TIOCGPKT, &n), printf(" %d\n", n);
    write(s, "data", 4), get("data");
    tcflush(s, TCIFLUSH), get("flush read");
    tcflush(s, TCOFLUSH), get("flush write");
    tcflow(s, TCOOFF), get("stop");
    tcflow(s, TCOON), get("start");
    struct termios t;
    tcgetattr(s, &t), t.c_iflag &= ~IXON, tcsetattr(s, TCSANOW, &t), get("no flow");
    t.c_iflag |= IXON, tcsetattr(s, TCSANOW, &t), get("flow");
    t.c_lflag |= EXTPROC, tcsetattr(s, TCSANOW, &t), get("external");
    t.c_lflag &= ~EXTPROC, tcsetattr(s, TCSANOW, &t), get("internal");
    write(m, "abc\x03", 4), get("flush by key"), get("echo");
    ioctl(m, TIOCPKT, &off), write(s, "plain", 5), get("plain");

    // Settings through the master are those of the slave.
    tcgetattr(m, &t), t.c_lflag &= ~ECHO, tcsetattr(m, TCSANOW, &t), tcgetattr(s, &t);
    printf("echo %d\n", !!(t.c_lflag & ECHO));
    ioctl(s, TIOCEXCL), ioctl(s, TIOCGEXCL, &n), printf("exclusive %d\n", n), ioctl(s, TIOCNXCL);
    int bad = ioctl(m, TIOCSIG, 15);
    printf("signal %d %s\n", bad, strerror(errno));
    printf("signal %d\n", ioctl(m, TIOCSIG, 2));
    struct termios g;
    cfsetspeed(&t, B9600), tcsetattr(s, TCSANOW, &t), tcgetattr(s, &g), printf("speed %d\n", cfgetospeed(&g) == B9600);
    t.c_cflag = (t.c_cflag & ~CSIZE) | CS7 | PARENB, tcsetattr(s, TCSADRAIN, &t), tcgetattr(s, &g);
    printf("size %o\n", g.c_cflag & (CSIZE | PARENB | CREAD));

    // Numbers are used again.
    close(s), close(m);
    m = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    int again;
    ioctl(m, TIOCGPTN, &again), printf("again %d\n", again == atoi(name + 9));
    return 0;
}

/* A pseudo-terminal: settings, sizes, requests. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int main(void) {
    struct termios t;
    struct winsize w = {24, 80, 0, 0};
    int n, m = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0;
    ioctl(m, TIOCSPTLCK, &unlock);
    int s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    ioctl(s, TCGETS, &t), ioctl(s, TIOCSWINSZ, &w), ioctl(s, TIOCGWINSZ, &w), ioctl(s, FIONREAD, &n);
    t.c_lflag &= ~(ICANON | ECHO), t.c_cflag |= CSTOPB, t.c_oflag = 0, ioctl(s, TCSETSW, &t), ioctl(s, TCGETS, &t);
    ioctl(s, TIOCOUTQ, &n), ioctl(s, TCFLSH, TCIOFLUSH), ioctl(s, 0x1234, 1), ioctl(s, _IOR('x', 9, int), &n);
    ioctl(1, TCGETS, &t), ioctl(1, TIOCGWINSZ, &w), ioctl(99, TCGETS, &t), ioctl(s, TCGETS, 1);
    return 0;
}

// Sessions and controlling terminals: who gets one, who loses it, background reads and writes, hangups.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int m;
static char name[64];
static volatile sig_atomic_t got[65];

static void note(int n) {
    got[n]++;
}

static void catch(int n, int flags) {
    struct sigaction a = {.sa_handler = note, .sa_flags = flags};
    sigaction(n, &a, NULL);
}

static void say(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
    fflush(stdout);
}

// Waits for a signal that is caught.
static void until(int n) {
    for (int i = 0; i < 20000 && !got[n]; i++) usleep(1000);
}

// Runs `body` in a child and tells how it ended.
static void in_child(const char *title, void (*body)(void)) {
    printf("-- %s\n", title);
    fflush(stdout);
    pid_t p = fork();
    if (p == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(p, &status, 0);
    if (WIFSIGNALED(status)) printf("died of %s\n", sigabbrev_np(WTERMSIG(status)));
    else printf("status %d\n", WEXITSTATUS(status));
    fflush(stdout);
}

static int open_tty(void) {
    int fd = open("/dev/tty", O_RDWR);
    say("/dev/tty", fd);
    return fd;
}

static int slave(int flags) {
    return open(name, O_RDWR | flags);
}

static void acquire(void) {
    say("setsid", setsid());
    open_tty();
    int s = slave(O_NOCTTY);
    open_tty();
    say("tcgetpgrp", tcgetpgrp(s));
    close(s);
    s = open(name, O_WRONLY);
    open_tty();
    close(s);
    s = slave(0);
    int t = open_tty();
    printf("%d %d %d\n", tcgetpgrp(s) == getpid(), tcgetsid(t) == getpid(), isatty(t));
    printf("ttyname %s\n", ttyname(t));
    say("TIOCSCTTY again", ioctl(s, TIOCSCTTY, 0));
    say("on master", tcgetpgrp(m) == getpid() ? 0 : -1);
    say("TIOCNOTTY of another", ioctl(m, TIOCNOTTY));
    catch(SIGHUP, 0), catch(SIGCONT, 0);
    say("TIOCNOTTY", ioctl(s, TIOCNOTTY));
    printf("hup %d cont %d\n", got[SIGHUP], got[SIGCONT]);
    open_tty();
    say("TIOCSCTTY", ioctl(s, TIOCSCTTY, 0));
    close(open_tty());
    close(t), close(s);
}

static void steal(void) {
    setsid();
    int s = slave(O_NOCTTY);
    int taken[2];
    pipe(taken);
    if (ioctl(s, TIOCSCTTY, 0)) puts("no terminal");
    pid_t p = fork();
    if (p == 0) {
        printf("leader only %s\n", ioctl(s, TIOCSCTTY, 0) ? strerrorname_np(errno) : "ok");
        setsid();
        open_tty();
        printf("owned %s\n", ioctl(s, TIOCSCTTY, 0) ? strerrorname_np(errno) : "ok");
        if (geteuid() == 0) say("steal", ioctl(s, TIOCSCTTY, 1));
        else puts("steal ok");
        fflush(stdout);
        _exit(0);
    }
    waitpid(p, NULL, 0);
}

static void foreground(void) {
    setsid();
    int s = slave(0);
    catch(SIGCHLD, SA_RESTART);
    int p[2];
    pipe(p);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        char c;
        // In the background: reading stops it.
        ssize_t n = read(s, &c, 1);
        printf("read %zd '%c'\n", n, c);
        fflush(stdout);
        _exit(3);
    }
    setpgid(child, child);
    int status;
    waitpid(child, &status, WUNTRACED);
    printf("stopped by %s\n", WIFSTOPPED(status) ? sigabbrev_np(WSTOPSIG(status)) : "-");
    say("unknown group", tcsetpgrp(s, 4000000));
    say("negative group", tcsetpgrp(s, -1));
    say("tcsetpgrp", tcsetpgrp(s, child));
    printf("set %d\n", tcgetpgrp(s) == child);
    write(m, "x\n", 2);
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    printf("status %d\n", WEXITSTATUS(status));
    // Now the caller is in the background, of a group that is gone.
    signal(SIGTTOU, SIG_IGN);
    say("back", tcsetpgrp(s, getpgrp()));
    signal(SIGTTOU, SIG_DFL);
    char c;
    read(s, &c, 1);
}

static void background(void) {
    setsid();
    int s = slave(0);
    struct termios t;
    tcgetattr(s, &t);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTIN, SIG_IGN);
        char c;
        say("ignored SIGTTIN", read(s, &c, 1));
        signal(SIGTTOU, SIG_IGN);
        say("ignored SIGTTOU", tcsetattr(s, TCSANOW, &t));
        catch(SIGTTOU, 0);
        say("caught SIGTTOU", tcsetattr(s, TCSANOW, &t));
        printf("times %d\n", got[SIGTTOU]);
        say("write", write(s, "a", 1));
        signal(SIGTTOU, SIG_IGN);
        t.c_lflag |= TOSTOP;
        tcsetattr(s, TCSANOW, &t);
        say("TOSTOP ignored", write(s, "a", 1));
        catch(SIGTTOU, 0);
        say("TOSTOP caught", write(s, "a", 1));
        printf("times %d\n", got[SIGTTOU]);
        signal(SIGTTOU, SIG_DFL);
        fflush(stdout);
        say("TOSTOP", write(s, "b", 1));
        fflush(stdout);
        _exit(4);
    }
    int status;
    waitpid(child, &status, WUNTRACED);
    printf("stopped by %s\n", WIFSTOPPED(status) ? sigabbrev_np(WSTOPSIG(status)) : "-");
    tcsetpgrp(s, child), kill(child, SIGCONT);
    waitpid(child, &status, 0);
    printf("status %d\n", WEXITSTATUS(status));
}

static void keys(void) {
    setsid();
    int s = slave(0);
    for (int n = 1; n < 32; n++)
        if (n != SIGKILL && n != SIGSTOP) catch(n, SA_RESTART);
    write(m, "\x03", 1), until(SIGINT);
    write(m, "\x1c", 1), until(SIGQUIT);
    write(m, "\x1a", 1), until(SIGTSTP);
    struct winsize w = {10, 20, 0, 0};
    ioctl(m, TIOCSWINSZ, &w), until(SIGWINCH);
    ioctl(m, TIOCSWINSZ, &w), usleep(20000);
    printf("int %d quit %d tstp %d winch %d\n", got[SIGINT], got[SIGQUIT], got[SIGTSTP], got[SIGWINCH]);
    char c;
    struct sigaction a = {.sa_handler = note};
    sigaction(SIGINT, &a, NULL);
    pid_t p = fork();
    if (p == 0) {
        // More than once: the first may come before the read.
        signal(SIGINT, SIG_IGN);
        for (;;) usleep(50000), write(m, "\x03", 1);
    }
    say("interrupted read", read(s, &c, 1));
    kill(p, SIGKILL);
    waitpid(p, NULL, 0);
}

static void die_by_key(void) {
    setsid();
    int s = slave(0);
    pid_t p = fork();
    if (p == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN), tcsetpgrp(s, getpid());
        write(m, "\x03", 1);
        pause();
    }
    int status;
    waitpid(p, &status, 0);
    printf("child died of %s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "-");
}

static void leader_dies(void) {
    int told[2];
    pipe(told);
    pid_t leader = fork();
    if (leader == 0) {
        setsid();
        int s = slave(0);
        pid_t p = fork();
        if (p == 0) {
            catch(SIGHUP, 0);
            write(told[1], "r", 1);
            until(SIGHUP);
            write(told[1], "h", 1);
            write(told[1], open("/dev/tty", O_RDWR) < 0 && errno == ENXIO ? "n" : "t", 1);
            // The terminal itself works on, for those who have it open.
            char c;
            write(told[1], tcgetpgrp(s) < 0 && errno == ENOTTY ? "p" : "-", 1);
            write(told[1], write(s, "w", 1) == 1 ? "w" : "-", 1);
            (void)c;
            _exit(0);
        }
        char c;
        read(told[0], &c, 1);
        _exit(0);
    }
    waitpid(leader, NULL, 0);
    close(told[1]);
    char buf[10];
    ssize_t n, all = 0;
    while ((n = read(told[0], buf + all, sizeof buf - all)) > 0) all += n;
    printf("told %.*s\n", (int)all, buf);
}

static void master_closes(void) {
    int own = posix_openpt(O_RDWR | O_NOCTTY);
    unlockpt(own);
    char *path = ptsname(own);
    int told[2];
    pipe(told);
    pid_t leader = fork();
    if (leader == 0) {
        setsid();
        int s = open(path, O_RDWR);
        close(own);
        for (int i = 1; i < 32; i++)
            if (i != SIGKILL && i != SIGSTOP) catch(i, SA_RESTART);
        write(told[1], "r", 1);
        while (!got[SIGHUP]) usleep(1000);
        usleep(1000);
        char c;
        printf("hup %d cont %d read %zd\n", got[SIGHUP], got[SIGCONT], read(s, &c, 1));
        say("write", write(s, "x", 1));
        say("tcgetpgrp", tcgetpgrp(s));
        say("tcsetpgrp", tcsetpgrp(s, getpid()));
        open_tty();
        _exit(0);
    }
    char c;
    read(told[0], &c, 1);
    close(own);
    waitpid(leader, NULL, 0);
}

static void hangs_itself_up(void) {
    setsid();
    int s = slave(0);
    for (int i = 1; i < 32; i++)
        if (i != SIGKILL && i != SIGSTOP) catch(i, SA_RESTART);
    if (geteuid() == 0) {
        say("vhangup", vhangup());
        printf("hup %d cont %d\n", got[SIGHUP], got[SIGCONT]);
        char c;
        printf("read %zd\n", read(s, &c, 1));
        open_tty();
        // It can be opened again, and taken.
        int again = slave(0);
        printf("again %d\n", tcgetpgrp(again) == getpid());
    } else {
        printf("vhangup %s\nhup 1 cont 1\nread 0\n/dev/tty ENXIO\nagain 1\n", vhangup() ? "ok" : "not refused");
    }
}

int main(void) {
    // A starter may have ignored them, as a shell does for a background job.
    signal(SIGINT, SIG_DFL), signal(SIGQUIT, SIG_DFL);
    m = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(m), unlockpt(m);
    strcpy(name, ptsname(m));
    in_child("acquire", acquire);
    in_child("steal", steal);
    in_child("foreground", foreground);
    tcflush(m, TCIOFLUSH);
    in_child("background", background);
    in_child("keys", keys);
    in_child("die by key", die_by_key);
    in_child("vhangup", hangs_itself_up);
    in_child("leader dies", leader_dies);
    in_child("master closes", master_closes);
    return 0;
}

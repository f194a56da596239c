// /proc/self/map_files: a link for each file that is mapped, by its addresses.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const char *what, void *at, size_t size) {
    char name[100], target[500] = "";
    snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (long)at, (long)at + (long)size);
    ssize_t n = readlink(name, target, sizeof target - 1);
    if (n < 0) {
        printf("%s: %s\n", what, strerrorname_np(errno));
        return;
    }
    const char *base = strrchr(target, '/');
    struct stat link;
    lstat(name, &link);
    printf("%s: %s, mode %o, size %ld\n", what, base ? base + 1 : target, link.st_mode, (long)link.st_size);
}

int main(void) {
    int fd = open("data", O_RDWR | O_CREAT, 0600);
    if (ftruncate(fd, 3 * 4096) || pwrite(fd, "first", 5, 4096) != 5) return 1;
    char *shared = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    int reader = open("data", O_RDONLY);
    char *private = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, reader, 0);
    char *anonymous = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *zero = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    close(fd);
    close(reader);
    show("shared", shared, 2 * 4096);
    show("private", private, 4096);
    show("anonymous", anonymous, 4096);
    show("shared anonymous", zero, 4096);
    show("a part", shared, 4096);
    munmap(private, 4096);
    show("private, gone", private, 4096);

    // What lies behind a link can be opened.
    char name[100], text[6] = "";
    snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (long)shared, (long)shared + 2 * 4096);
    fd = open(name, O_RDONLY);
    printf("%zd %s\n", pread(fd, text, 5, 4096), text);
    struct stat by_link, by_name;
    stat(name, &by_link);
    stat("data", &by_name);
    printf("same file: %d\n", by_link.st_ino == by_name.st_ino && by_link.st_dev == by_name.st_dev);
    snprintf(name, sizeof name, "/proc/self/map_files/0%lx-%lx", (long)shared, (long)shared + 2 * 4096);
    printf("leading zero: %d\n", access(name, F_OK));
    printf("no range: %d\n", access("/proc/self/map_files/x", F_OK));

    struct stat dir;
    stat("/proc/self/map_files", &dir);
    printf("mode %o\n", dir.st_mode);
    DIR *d = opendir("/proc/self/map_files");
    int found = 0, strange = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        char *end;
        unsigned long from = strtoul(e->d_name, &end, 16);
        strange += *end != '-' || e->d_type != DT_LNK;
        found += from == (unsigned long)shared || from == (unsigned long)zero;
    }
    closedir(d);
    printf("listed %d strange %d\n", found, strange);
    unlink("data");
    return 0;
}

// /proc/self/smaps of memory that fork(2) shares: dirty in both until one of them writes, as programs check that save
// their data in a child.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// Prints the counts of the area that holds an address.
static void show(const char *who, void *at) {
    FILE *f = fopen("/proc/self/smaps", "r");
    if (!f) exit(1);
    char line[500];
    int inside = 0;
    printf("%s:", who);
    while (fgets(line, sizeof line, f)) {
        unsigned long from, to;
        int kib;
        char name[100];
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) inside = from <= (unsigned long)at && (unsigned long)at < to;
        if (!inside || sscanf(line, "%99[^:]: %d kB", name, &kib) != 2) continue;
        for (char **n = (char *[]){"Rss", "Shared_Dirty", "Private_Dirty", "Anonymous", NULL}; *n; n++)
            if (!strcmp(name, *n)) printf(" %s=%d", name, kib);
    }
    fclose(f);
    puts("");
    fflush(stdout);
}

// Memory of so many pages with pages without rights around it, so that it is an area of its own.
static char *area(int pages) {
    char *all = mmap(NULL, (pages + 2) * 4096L, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(all, (pages + 2) * 4096L, MADV_NOHUGEPAGE);
    mprotect(all + 4096, pages * 4096L, PROT_READ | PROT_WRITE);
    return all + 4096;
}

int main(void) {
    enum { LARGE = 600 };
    char *small = area(3), *large = area(LARGE), *zeros = area(1);
    // Written, given back, and written again with what it already held.
    *(volatile char *)zeros = 0;
    madvise(zeros, 4096, MADV_FREE);
    *(volatile char *)zeros = 0;
    small[0] = small[4096] = 1;
    for (int i = 0; i < LARGE; i++) large[i * 4096] = i + 1;
    show("before, small", small);
    show("before, large", large);
    int go[2], done[2];
    char byte;
    if (pipe(go) || pipe(done)) return 1;
    pid_t pid = fork();
    if (pid == 0) {
        show("child, small", small);
        show("child, large", large);
        show("child, zeros", zeros);
        small[1] = 2;
        // All of them, since how much is copied at a time is the system's affair.
        for (int i = 0; i < LARGE; i++) large[i * 4096 + 1] = 2;
        show("child has written, small", small);
        show("child has written, large", large);
        if (write(done[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1) _exit(1);
        _exit(0);
    }
    if (read(done[0], &byte, 1) != 1) return 1;
    show("parent, small", small);
    show("parent, large", large);
    if (write(go[1], "x", 1) != 1) return 1;
    int status;
    waitpid(pid, &status, 0);
    show("alone, small", small);
    return status;
}

// /proc/self/numa_maps: one line an area, with the pages that are in use.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(void) {
    // Three pages between others that have no rights, so that they are an area of their own.
    char *all = mmap(NULL, 5 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *own = all + 4096;
    mprotect(own, 3 * 4096, PROT_READ | PROT_WRITE);
    own[0] = own[4096] = 1;
    int *shared = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared[0] = 1;
    FILE *f = fopen("/proc/self/numa_maps", "r");
    if (!f) return 1;
    char line[500];
    int heaps = 0, stacks = 0, lines = 0, strange = 0;
    unsigned long before = 0;
    while (fgets(line, sizeof line, f)) {
        char *end;
        unsigned long at = strtoul(line, &end, 16);
        strange += at <= before || strncmp(end, " default", 8);
        before = at, lines++;
        heaps += strstr(line, " heap") != NULL, stacks += strstr(line, " stack") != NULL;
        if (at != (unsigned long)own && at != (unsigned long)shared && at != (unsigned long)all) continue;
        printf("%s", at == (unsigned long)all ? "without rights:" : at == (unsigned long)own ? "own:" : "shared:");
        // Whether pages were used of late is the kernel's own affair.
        for (char *word = strtok(end, " \n"); word; word = strtok(NULL, " \n"))
            if (strncmp(word, "active=", 7)) printf(" %s", word);
        puts("");
    }
    printf("lines %d strange %d heap %d stack %d\n", lines > 5, strange, heaps, stacks);
    return 0;
}

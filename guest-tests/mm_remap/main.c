// mremap with all its flags, and its errors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define P 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MAY MREMAP_MAYMOVE
#define FIX (MREMAP_MAYMOVE | MREMAP_FIXED)
#define KEEP (MREMAP_MAYMOVE | MREMAP_DONTUNMAP)

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

static char *remap(void *old, size_t old_len, size_t new_len, unsigned long flags, void *new) {
    return (char *)syscall(SYS_mremap, old, old_len, new_len, flags, new);
}

static char *map(size_t pages, int flags) {
    return mmap(0, pages * P, RW, flags, -1, 0);
}

static int mapped(char *p) {
    unsigned char v;
    return mincore(p, P, &v) == 0;
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))

int main(void) {
    char *arena = mmap(0, 64 * P, PROT_NONE, ANON, -1, 0);
    munmap(arena, 64 * P);
    char *a = mmap(arena, 4 * P, RW, ANON | MAP_FIXED, -1, 0);
    for (int i = 0; i < 4; i++)
        a[i * P] = 'a' + i;

    SHOW(remap(a, 4 * P, 8 * P, 8, 0));
    SHOW(remap(a, 4 * P, 8 * P, MREMAP_FIXED, arena + 32 * P));
    SHOW(remap(a, 4 * P, 4 * P, MREMAP_DONTUNMAP, 0));
    SHOW(remap(a, 4 * P, 8 * P, KEEP, 0));
    SHOW(remap(a + 1, 4 * P, 8 * P, MAY, 0));
    SHOW(remap(a, 4 * P, 0, MAY, 0));
    SHOW(remap(a + 40 * P, P, 2 * P, MAY, 0));
    SHOW(remap(a, 5 * P, 8 * P, MAY, 0));
    SHOW(remap(a, 0, P, MAY, 0));
    SHOW(remap(a, 4 * P, 4 * P, FIX, a + P));
    SHOW(remap(a, 4 * P, 4 * P, FIX, a + 8 * P + 1));
    SHOW(remap(a, P, 1ul << 62, MAY, 0));
    SHOW(remap(a, P, 1ul << 62, FIX, arena + 32 * P));
    SHOW(remap(a, ~0ul, P, MAY, 0));

    // In place.
    printf("same: %d\n", remap(a, 4 * P, 4 * P, 0, 0) == a);
    printf("grow: %d\n", remap(a, 4 * P, 6 * P, 0, 0) == a);
    printf("bytes: %c%c %d\n", a[0], a[3 * P], a[5 * P]);
    printf("shrink: %d\n", remap(a, 6 * P, 4 * P, 0, 0) == a);
    printf("shrunk: %d %d\n", mapped(a + 3 * P), mapped(a + 4 * P));
    printf("middle: %s\n", err((long)remap(a, P, 2 * P, 0, 0)));

    // Moved.
    char *m = remap(a, 2 * P, 3 * P, MAY, 0);
    printf("moved: %d %c%c %d %d\n", m != a, m[0], m[P], m[2 * P], mapped(a));
    printf("left: %c%c\n", a[2 * P], a[3 * P]);
    char *f = remap(m, 3 * P, 3 * P, FIX, arena + 20 * P);
    printf("fixed: %d %c%c %d\n", f == arena + 20 * P, f[0], f[P], mapped(m));
    char *g = remap(f, 3 * P, P, FIX, a + 3 * P);
    printf("shrunk over: %d %c %d\n", g == a + 3 * P, g[0], mapped(f + P));

    // DONTUNMAP leaves empty pages.
    char *k = remap(g, P, P, KEEP, 0);
    printf("kept: %c %d\n", k[0], g[0]);
    char *h = remap(k, P, P, KEEP, arena + 40 * P);
    printf("hint: %d %c\n", h == arena + 40 * P, h[0]);
    char *x = remap(h, P, P, KEEP | MREMAP_FIXED, arena + 50 * P);
    printf("both: %d %c %d\n", x == arena + 50 * P, x[0], h[0]);

    // Protection moves along; two kinds of memory do not move together when they are resized.
    char *two = map(4, ANON);
    two[0] = '1';
    two[2 * P] = '2';
    mprotect(two + 2 * P, 2 * P, PROT_READ);
    SHOW(remap(two, 4 * P, 6 * P, MAY, 0));
    char *ro = remap(two + 2 * P, 2 * P, 4 * P, MAY, 0);
    printf("read-only: %c %s\n", ro[0], err(read(open("/dev/zero", O_RDONLY), ro, 1)));

    // Shared memory: old_len 0 makes a second mapping; growing does not grow the object.
    char *s = map(2, MAP_SHARED | MAP_ANONYMOUS);
    s[0] = 's';
    char *t = remap(s, 0, 2 * P, MAY, 0);
    t[P] = 't';
    printf("twice: %d %c %c\n", t != s, t[0], s[P]);
    char *u = remap(s, 2 * P, 3 * P, MAY, 0);
    int pipes[2];
    if (pipe(pipes))
        return 1;
    printf("grown: %c %s\n", u[P], err(write(pipes[1], u + 2 * P, 1)));

    // A private file mapping keeps its own bytes and its place in the file.
    char name[] = "mm_remap.XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    for (int i = 0; i < 8; i++) {
        char page[P];
        memset(page, '0' + i, P);
        if (write(fd, page, P) != (long)P)
            return 1;
    }
    char *file = mmap(0, 4 * P, RW, MAP_PRIVATE, fd, 2 * P);
    file[P] = 'X';
    char *wide = remap(file + P, 2 * P, 5 * P, MAY, 0);
    printf("file: %c%c%c%c%c %c%c\n", wide[0], wide[1], wide[P], wide[2 * P], wide[4 * P], file[0], file[3 * P]);
    char *again = remap(wide, P, P, KEEP, 0);
    printf("file kept: %c%c %c\n", again[0], again[1], wide[0]);
    return 0;
}

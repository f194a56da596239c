// madvise, msync, mincore and the lock family.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define P 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))

int main(void) {
    char *a = mmap(0, 6 * P, RW, ANON, -1, 0);
    memset(a, 'a', 6 * P);
    munmap(a + 4 * P, P);

    SHOW(madvise(a, P, 999));
    SHOW(madvise(a + 1, P, MADV_NORMAL));
    SHOW(madvise(a, 0, MADV_DONTNEED));
    SHOW(madvise(a, ~0ul, MADV_NORMAL));
    for (int advice = 0; advice <= 3; advice++)
        printf("hint %d: %s\n", advice, err(madvise(a, 2 * P, advice)));
    SHOW(madvise(a, P, MADV_DONTNEED));
    printf("dropped: %d %c\n", a[0], a[P]);
    SHOW(madvise(a + 3 * P, 3 * P, MADV_DONTNEED));
    printf("around the hole: %d %d\n", a[3 * P], a[5 * P]);
    SHOW(madvise(a + 4 * P, P, MADV_NORMAL));
    SHOW(madvise(a + P, P, MADV_FREE));
    SHOW(madvise(a, P, MADV_REMOVE));
    SHOW(madvise(a, P, MADV_WIPEONFORK));
    SHOW(madvise(a, P, MADV_KEEPONFORK));
    SHOW(madvise(a, P, MADV_DONTFORK));
    SHOW(madvise(a, P, MADV_DOFORK));
    SHOW(madvise(a, P, MADV_DONTDUMP));
    SHOW(madvise(a, P, MADV_DODUMP));
    SHOW(madvise(a, 4 * P, 22));
    SHOW(madvise(a, 4 * P, 23));
    SHOW(madvise(a, 6 * P, 23));
    mprotect(a + 2 * P, P, PROT_READ);
    SHOW(madvise(a, 4 * P, 23));
    SHOW(madvise(a + 2 * P, P, 22));

    char name[] = "mm_advise.XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    char page[P];
    memset(page, 'f', P);
    for (int i = 0; i < 3; i++)
        if (write(fd, page, P) != (long)P)
            return 1;
    char *s = mmap(0, 3 * P, RW, MAP_SHARED, fd, 0);
    char *p = mmap(0, 3 * P, RW, MAP_PRIVATE, fd, 0);
    p[0] = 'p';
    s[1] = 's';
    SHOW(madvise(p, P, MADV_DONTNEED));
    printf("file again: %c%c\n", p[0], p[1]);
    SHOW(madvise(s, P, MADV_DONTNEED));
    printf("shared stays: %c\n", s[1]);
    SHOW(madvise(s, P, MADV_FREE));
    SHOW(madvise(s, P, MADV_WIPEONFORK));
    SHOW(madvise(p, P, MADV_REMOVE));
    char *m = mmap(0, 2 * P, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    m[0] = m[P] = 'm';
    SHOW(madvise(m, P, MADV_REMOVE));
    printf("removed: %d %c\n", m[0], m[P]);

    SHOW(msync(s, 3 * P, MS_SYNC));
    SHOW(msync(s, 3 * P, MS_ASYNC | MS_INVALIDATE));
    SHOW(msync(s, P, MS_SYNC | MS_ASYNC));
    SHOW(msync(s, P, 8));
    SHOW(msync(s + 1, P, MS_SYNC));
    SHOW(msync(a, 6 * P, MS_ASYNC));
    SHOW(msync(a, 0, MS_SYNC));
    SHOW(msync(a + 4 * P, P, MS_SYNC));

    unsigned char vec[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    SHOW(mincore(a + 1, P, vec));
    SHOW(mincore(a, 2 * P + 1, vec));
    printf("vec: %d %d %d %d\n", vec[0] & 1, vec[1] & 1, vec[2] & 1, vec[3]);
    SHOW(mincore(a, 6 * P, vec));
    SHOW(mincore(a, P, (void *)8));
    SHOW(mincore(a, 0, (void *)8));
    SHOW(mincore(a, ~0ul, vec));
    char *untouched = mmap(0, P, RW, ANON, -1, 0);
    SHOW(mincore(untouched, P, vec));
    printf("untouched: %d\n", vec[0]);

    SHOW(mlock(a, 2 * P));
    SHOW(mlock(a + 5, 0));
    SHOW(madvise(a, P, MADV_DONTNEED));
    SHOW(madvise(a, P, 24));
    SHOW(msync(a, P, MS_INVALIDATE));
    SHOW(munlock(a + 1, P));
    SHOW(mlock(a, 6 * P));
    SHOW(munlock(a, 6 * P));
    SHOW(syscall(SYS_mlock2, a, P, 1));
    SHOW(syscall(SYS_mlock2, a, P, 2));
    char *none = mmap(0, P, PROT_NONE, ANON, -1, 0);
    SHOW(mlock(none, P));
    SHOW(munlock(none, P));
    SHOW(mlockall(0));
    SHOW(mlockall(8));
    SHOW(mlockall(4));
    SHOW(mlockall(MCL_FUTURE));
    char *later = mmap(0, P, RW, ANON, -1, 0);
    SHOW(mincore(later, P, vec));
    printf("locked at birth: %d\n", vec[0]);
    SHOW(munlockall());
    SHOW(mlock(a, ~0ul - 100000));
    return 0;
}

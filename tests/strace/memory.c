/* Memory calls: protections, flags, advice. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    char vec[8];
    int fd = open("n", O_RDWR);
    char *a = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mmap(a, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);
    mmap(0, 0, PROT_READ, MAP_PRIVATE, fd, 0), mmap(0, 4096, PROT_READ, MAP_PRIVATE, 99, 0);
    mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    mmap(0, 4096, PROT_READ, 0x45, -1, 0), mmap(0, 4096, PROT_READ | 0x100, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    mprotect(a, 4096, PROT_READ), mprotect(a, 4096, PROT_READ | PROT_WRITE), mprotect((void *)1, 4096, PROT_NONE);
    a[4096] = 1, mincore(a, 16384, (void *)vec), mincore(a + 1, 4096, (void *)vec);
    madvise(a, 4096, MADV_DONTNEED), madvise(a, 4096, MADV_FREE), madvise(a, 4096, 77), msync(a, 4096, MS_SYNC | MS_INVALIDATE);
    mlock(a, 4096), munlock(a, 4096);
    a = mremap(a, 16384, 32768, MREMAP_MAYMOVE), mremap(a, 32768, 8192, 0), mremap(a, 8192, 8192, MREMAP_FIXED, 1);
    munmap(a, 8192), munmap((void *)1, 4096), munmap(a, 0);
    syscall(SYS_memfd_create, "name", MFD_CLOEXEC), syscall(SYS_memfd_create, "name", 0x100), syscall(SYS_brk, 0);
    return 0;
}

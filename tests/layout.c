/* Prints what the compiler makes of the kernel's structs: the test puts its questions at the end. Only headers of the
 * kernel are used, since the C library's own structs differ from what calls take. */
#include <linux/types.h>
#include <linux/aio_abi.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/signalfd.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <linux/timex.h>
#include <linux/uio.h>
#include <linux/utsname.h>
#include <asm/fcntl.h>
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <asm/ucontext.h>

/* What the kernel keeps in headers of its own. */

/* include/linux/types.h */
struct ustat {
	int f_tfree;
	unsigned long f_tinode;
	char f_fname[6];
	char f_fpack[6];
};

/* include/linux/socket.h */
struct user_msghdr {
	void *msg_name;
	int msg_namelen;
	struct iovec *msg_iov;
	__kernel_size_t msg_iovlen;
	void *msg_control;
	__kernel_size_t msg_controllen;
	unsigned int msg_flags;
};
struct mmsghdr {
	struct user_msghdr msg_hdr;
	unsigned int msg_len;
};
struct cmsghdr {
	__kernel_size_t cmsg_len;
	int cmsg_level;
	int cmsg_type;
};
struct ucred {
	__u32 pid;
	__u32 uid;
	__u32 gid;
};

/* fs/aio.c */
struct __aio_sigset {
	const sigset_t *sigmask;
	__kernel_size_t sigsetsize;
};

/* fs/select.c */
struct sigset_argpack {
	sigset_t *p;
	__kernel_size_t size;
};

#ifdef __x86_64__
/* arch/x86/include/asm/sigframe.h */
struct rt_sigframe {
	char *pretcode;
	struct ucontext uc;
	struct siginfo info;
};
#else
/* arch/arm64/kernel/signal.c */
struct rt_sigframe {
	struct siginfo info;
	struct ucontext uc;
};
struct frame_record {
	__u64 fp;
	__u64 lr;
};
#endif

int printf(const char *, ...);

#define START(type, member) __builtin_offsetof(type, member)
#define END(type, member) (START(type, member) + sizeof(((type *)0)->member))
#define NUMBER(name, value) printf("%s = %llu\n", name, (unsigned long long)(value))
#define FIELD(name, start, end) printf("%s at %zu, %zu bytes\n", name, start, (end) - (start))

int main(void)
{

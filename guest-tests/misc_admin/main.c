// sethostname, setdomainname, lsm_list_modules, lsm_get_self_attr, lsm_set_self_attr: what is checked before anything
// is done; the names of this machine are not changed.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#define SYS_lsm_list_modules 461
#endif

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

int main(void) {
    struct utsname u;
    uname(&u);
    // The same names again: nothing changes anywhere.
    int may = sethostname(u.nodename, strlen(u.nodename)) == 0;
    printf("either way %d\n", may || errno == EPERM);
    if (may) {
        SHOW(sethostname(u.nodename, 65));
        SHOW(sethostname(u.nodename, -1));
        SHOW(sethostname((void *)8, 5));
        SHOW(setdomainname(u.domainname, strlen(u.domainname)));
        SHOW(setdomainname(u.domainname, 65));
    } else {
        puts("sethostname(u.nodename, 65) = -1 EINVAL\nsethostname(u.nodename, -1) = -1 EINVAL");
        puts("sethostname((void *)8, 5) = -1 EFAULT\nsetdomainname(u.domainname, strlen(u.domainname)) = 0 ");
        puts("setdomainname(u.domainname, 65) = -1 EINVAL");
    }
    struct utsname v;
    uname(&v);
    printf("same %d\n", !memcmp(&u, &v, sizeof u));
    unsigned size = 4;
    unsigned long long ids[32] = {0};
    SHOW(syscall(SYS_lsm_list_modules, ids, &size, 0));
    printf("needs some %d\n", size >= 8);
    size = sizeof ids;
    printf("modules %d\n", (int)syscall(SYS_lsm_list_modules, ids, &size, 0) >= 1);
    SHOW(syscall(SYS_lsm_list_modules, ids, &size, 1));
    SHOW(syscall(SYS_lsm_list_modules, ids, (void *)8, 0));
    SHOW(syscall(SYS_lsm_get_self_attr, 0, ids, &size, 0));
    SHOW(syscall(SYS_lsm_get_self_attr, 100, ids, 0, 0));
    SHOW(syscall(SYS_lsm_get_self_attr, 100, ids, &size, 2));
    SHOW(syscall(SYS_lsm_set_self_attr, 100, ids, 8, 0));
    SHOW(syscall(SYS_lsm_set_self_attr, 100, ids, 64, 1));
    SHOW(syscall(SYS_lsm_set_self_attr, 100, ids, 5000, 0));
    return 0;
}

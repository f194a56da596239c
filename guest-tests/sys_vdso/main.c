// The vDSO: found by the auxiliary vector, read by hash table, versions and section headers, and called.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>

static const char *image;
static const Elf64_Sym *symbols;
static const char *strings;
static const Elf32_Word *table;
static const Elf64_Half *versions;
static const Elf64_Verdef *definitions;

#ifdef __x86_64__
#define NAME(f) "__vdso_" f
#define VERSION "LINUX_2.6"
#else
#define NAME(f) "__kernel_" f
#define VERSION "LINUX_2.6.39"
#endif

static unsigned hash(const char *name) {
    unsigned h = 0;
    for (; *name; name++) {
        h = (h << 4) + (unsigned char)*name;
        unsigned g = h & 0xf0000000;
        h = (h ^ g >> 24) & ~g;
    }
    return h;
}

// Whether symbol `i` is of the version that programs ask for.
static int version_is_right(unsigned i) {
    for (const Elf64_Verdef *d = definitions;; d = (const void *)((const char *)d + d->vd_next)) {
        const Elf64_Verdaux *aux = (const void *)((const char *)d + d->vd_aux);
        if (!(d->vd_flags & VER_FLG_BASE) && d->vd_ndx == (versions[i] & 0x7fff))
            return d->vd_hash == hash(VERSION) && !strcmp(strings + aux->vda_name, VERSION);
        if (!d->vd_next) return 0;
    }
}

static void *by_hash(const char *name) {
    for (unsigned i = table[2 + hash(name) % table[0]]; i; i = table[2 + table[0] + i])
        if (!strcmp(strings + symbols[i].st_name, name) && version_is_right(i))
            return (void *)(image + symbols[i].st_value);
    return NULL;
}

static void *by_sections(const char *name) {
    const Elf64_Ehdr *e = (const void *)image;
    const Elf64_Shdr *s = (const void *)(image + e->e_shoff);
    for (int i = 0; i < e->e_shnum; i++) {
        if (s[i].sh_type != SHT_DYNSYM) continue;
        const Elf64_Sym *all = (const void *)(image + s[i].sh_offset);
        const char *text = image + s[s[i].sh_link].sh_offset;
        for (unsigned k = 1; k < s[i].sh_size / sizeof *all; k++)
            if (!strcmp(text + all[k].st_name, name)) return (void *)(image + all[k].st_value);
    }
    return NULL;
}

static void *find(const char *name) {
    void *f = by_hash(name);
    if (f != by_sections(name)) printf("%s is not the same by sections\n", name);
    return f;
}

static int is_now(long seconds) { return seconds >= time(NULL) - 2 && seconds <= time(NULL); }

int main(void) {
    image = (const char *)getauxval(AT_SYSINFO_EHDR);
    printf("there %d\n", image != NULL);
    if (!image) return 1;
    const Elf64_Ehdr *e = (const void *)image;
    printf("magic %d type %d\n", !memcmp(e->e_ident, ELFMAG, SELFMAG), e->e_type);
    const Elf64_Phdr *p = (const void *)(image + e->e_phoff);
    unsigned seen = 0, wanted = 0;
    for (int i = 0; i < e->e_phnum; i++) {
        if (p[i].p_type == PT_LOAD) seen |= 1, wanted |= p[i].p_vaddr == 0 && p[i].p_flags == (PF_R | PF_X);
        if (p[i].p_type != PT_DYNAMIC) continue;
        seen |= 2;
        for (const Elf64_Dyn *d = (const void *)(image + p[i].p_vaddr); d->d_tag; d++) {
            const void *at = image + d->d_un.d_ptr;
            switch (d->d_tag) {
            case DT_HASH: table = at; break;
            case DT_STRTAB: strings = at; break;
            case DT_SYMTAB: symbols = at; break;
            case DT_VERSYM: versions = at; break;
            case DT_VERDEF: definitions = at; break;
            }
        }
    }
    printf("headers %u loads %u\n", seen, wanted);
    if (!table || !strings || !symbols || !versions || !definitions) return 2;

    struct timespec t = {0}, r = {0};
    int (*clock_get)(clockid_t, struct timespec *) = find(NAME("clock_gettime"));
    int result = clock_get(CLOCK_REALTIME, &t);
    printf("clock_gettime %d now %d\n", result, is_now(t.tv_sec));
    printf("no such clock %d\n", clock_get(99, &t) == -EINVAL);
    int (*resolution)(clockid_t, struct timespec *) = find(NAME("clock_getres"));
    clock_getres(CLOCK_MONOTONIC, &t);
    result = resolution(CLOCK_MONOTONIC, &r);
    printf("clock_getres %d same %d\n", result, !memcmp(&t, &r, sizeof t));
    struct timeval v = {0};
    int (*day)(struct timeval *, void *) = find(NAME("gettimeofday"));
    result = day(&v, NULL);
    printf("gettimeofday %d now %d\n", result, is_now(v.tv_sec));
    int others = 1;
#ifdef __x86_64__
    time_t (*seconds)(time_t *) = find(NAME("time"));
    int (*cpu)(unsigned *, unsigned *, void *) = find(NAME("getcpu"));
    unsigned c = 12345, node = 12345;
    time_t kept = 0, given = seconds(&kept);
    others = is_now(given) && kept == given && cpu(&c, &node, NULL) == 0 && c < 12345 && node < 12345;
    others = others && find("clock_gettime") == (void *)clock_get;
#else
    others = find(NAME("rt_sigreturn")) != NULL;
#endif
    printf("others %d\n", others);
    printf("unknown %d\n", find("__vdso_nothing") == NULL);

    FILE *maps = fopen("/proc/self/maps", "r");
    char line[300], rights[5];
    unsigned long start, end;
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3)
            printf("[vdso] here %d rights %s\n", start == (unsigned long)image, rights);
    return 0;
}

// Strings, numbers in text, characters, wide characters, arguments, environment and time in the C locale.
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

extern char **environ;

static int by_name(const void *a, const void *b) {
    return strcmp(*(char **)a, *(char **)b);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        printf("argv[%d] '%s'\n", i, argv[i]);
    printf("end %d\n", argv[argc] == NULL);
    printf("GREETING %s EMPTY '%s' NONE %d\n", getenv("GREETING"), getenv("EMPTY"), getenv("NONE") == NULL);
    setenv("ADDED", "1", 1);
    setenv("GREETING", "changed", 1);
    unsetenv("EMPTY");
    int n = 0;
    while (environ[n])
        n++;
    char **sorted = malloc(n * sizeof *sorted);
    memcpy(sorted, environ, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_name);
    for (int i = 0; i < n; i++)
        if (strncmp(sorted[i], "PATH=", 5) && strncmp(sorted[i], "HOME=", 5))
            puts(sorted[i]);

    // Every length and alignment of the functions that have vector forms.
    static char a[300], b[300];
    unsigned long h = 0;
    for (int at = 0; at < 40; at++)
        for (int len = 0; len < 200; len += 7) {
            memset(a, 'x', sizeof a);
            for (int i = 0; i < len; i++)
                a[at + i] = 'a' + (i * 7 + at) % 26;
            a[at + len] = 0;
            memmove(b + 40 - at, a + at, len + 1);
            h = h * 31 + strlen(a + at) + (strcmp(a + at, b + 40 - at) == 0);
            char *found = strchr(a + at, 'q'), *last = strrchr(a + at, 'q');
            h = h * 31 + (found ? found - a : 999) + (last ? last - a : 999);
            h = h * 31 + (memchr(a, 'x', sizeof a) == a) + strspn(a + at, "abcdefghijklm");
            memmove(a + at + 1, a + at, len);
            h = h * 31 + strnlen(a + at, 50) + (unsigned char)a[at + len / 2] + (memcmp(a, b, 100) > 0);
        }
    printf("vectors %lx\n", h);
    printf("strstr %s %d\n", strstr("the needle in the hay", "need"), strstr("abc", "abcd") == NULL);
    char text[] = "a,b;;c d";
    for (char *save, *t = strtok_r(text, ",; ", &save); t; t = strtok_r(NULL, ",; ", &save))
        printf("[%s]", t);
    printf("\n%d %d %d\n", strcasecmp("HeLLo", "hEllO"), strncmp("abcd", "abcx", 3), strcoll("a", "b") < 0);

    const char *numbers[] = {"0x1fz", "-077", "99999999999999999999", "+12", "  42", "", "-9223372036854775809", "z"};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char *end;
        errno = 0;
        long l = strtol(numbers[i], &end, 0);
        int e = errno;
        errno = 0;
        unsigned long u = strtoul(numbers[i], NULL, 36);
        printf("%ld %d '%s' %lu %d\n", l, e == ERANGE, end, u, errno == ERANGE);
    }
    int x, y;
    char word[20];
    float f;
    int got = sscanf("12 0x1A apple 2.5rest", "%d %i %19s %f", &x, &y, word, &f);
    printf("sscanf %d: %d %d %s %g\n", got, x, y, word, f);
    printf("%5d|%-5d|%05d|%+d|% d|%x|%#X|%o|%c|%10.3s|%-6s|%%|%p|%hhd|%zu|%jd\n", 42, 42, 42, 42, 42, 255, 255, 8, 'z',
           "abcdef", "ab", (void *)0x1234, (signed char)300, sizeof(long), (intmax_t)-1);
    int counted;
    printf("%.*s%n %*d\n", 3, "abcdef", &counted, 8, 7);
    printf("counted %d snprintf %d\n", counted, snprintf(word, 5, "%s", "longer than five"));
    printf("class %d%d%d%d%d %c%c\n", !!isalpha('a'), !!isdigit('x'), !!isspace('\t'), !!ispunct('!'), !!isxdigit('G'),
           toupper('q'), tolower('Q'));

    printf("locale %s %s\n", setlocale(LC_ALL, NULL), localeconv()->decimal_point);
    wchar_t wide[20];
    int length = mbstowcs(wide, "plain", 20);
    printf("wide %d %d\n", length, wcscmp(wide, L"plain"));

    time_t when = 1709210096;
    struct tm *tm = gmtime(&when);
    char date[64];
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S %j %a %b %U %p %Z", tm);
    printf("%s %s", date, asctime(tm));
    tm->tm_mday += 400;
    printf("%ld\n", (long)timegm(tm));
    setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
    tzset();
    for (when = 1710000000; when < 1732000000; when += 5000000) {
        tm = localtime(&when);
        strftime(date, sizeof date, "%F %T %Z %z", tm);
        printf("%s %d %d\n", date, tm->tm_isdst, mktime(tm) == when);
    }
    printf("clock runs %d\n", time(NULL) > 1700000000);
    return 0;
}

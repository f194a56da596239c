/* Searching text: strlen, strchr, memchr, strstr of the C library, and a search of our own. */
#include "kernel.h"
#include <string.h>
static size_t own(const char *text, size_t len, const char *word, size_t word_len) {
    size_t skip[256], found = 0;
    for (int i = 0; i < 256; i++) skip[i] = word_len;
    for (size_t i = 0; i + 1 < word_len; i++) skip[(unsigned char)word[i]] = word_len - 1 - i;
    for (size_t at = 0; at + word_len <= len; at += skip[(unsigned char)text[at + word_len - 1]])
        found += memcmp(text + at, word, word_len) == 0;
    return found;
}
uint64_t work(long n) {
    static char text[32768];
    uint64_t sum = 0, random = 1;
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        text[i] = (random >> 60) < 3 ? ' ' : 'a' + (random >> 33) % 20;
    }
    for (long r = 0; r < n; r++) {
        sum += strlen(text);
        for (const char *p = text; (p = strchr(p, 'q')); p++) sum++;
        sum += memchr(text, 'z', sizeof text) != NULL;
        sum += strstr(text, "zebra") != NULL;
        sum += own(text, sizeof text - 1, "bad cab", 7);
    }
    return sum;
}

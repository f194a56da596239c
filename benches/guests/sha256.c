/* SHA-256 of a buffer, in plain C (FIPS 180-4). */
#include "kernel.h"
static uint32_t constants[64];
static uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }
/* The first 32 bits of the fractional part of the cube root of a prime, by integers. */
static void make_constants(void) {
    int found = 0;
    for (unsigned p = 2; found < 64; p++) {
        int prime = 1;
        for (unsigned d = 2; d * d <= p; d++) prime &= p % d != 0;
        if (!prime) continue;
        unsigned __int128 root = 0, wanted = (unsigned __int128)p << 96;
        for (int bit = 35; bit >= 0; bit--) {
            unsigned __int128 next = root | (unsigned __int128)1 << bit;
            if (next * next * next <= wanted) root = next;
        }
        constants[found++] = (uint32_t)root;
    }
}
static void block(uint32_t *state, const unsigned char *data) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)data[4 * i] << 24 | data[4 * i + 1] << 16 | data[4 * i + 2] << 8 | data[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        uint32_t e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25), f = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t t = s[7] + e + f + constants[i] + w[i];
        uint32_t a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        uint32_t m = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        for (int k = 7; k > 0; k--) s[k] = s[k - 1];
        s[4] += t, s[0] = t + a + m;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}
uint64_t work(long n) {
    static unsigned char data[65536];
    uint32_t state[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    make_constants();
    for (unsigned i = 0; i < sizeof data; i++) data[i] = i * 31 >> 3;
    for (long r = 0; r < n; r++)
        for (unsigned i = 0; i < sizeof data; i += 64) block(state, data + i);
    return (uint64_t)state[0] << 32 | state[7];
}

/* The cryptographic instructions: whole ciphers and hashes against the examples of their standards, and each instruction on
 * values of all kinds. */
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void hex(const char *name, const void *data, int n) {
    const unsigned char *p = data;
    printf("%s ", name);
    while (n--)
        printf("%02x", *p++);
    putchar('\n');
}

/* FIPS 197, appendix B: the key is expanded by AESE on a column repeated, which ShiftRows leaves alone. */
static uint32_t sub_word(uint32_t x) {
    uint8x16_t v = vaeseq_u8(vreinterpretq_u8_u32(vdupq_n_u32(x)), vdupq_n_u8(0));
    return vgetq_lane_u32(vreinterpretq_u32_u8(v), 0);
}

static void aes(void) {
    static const unsigned char key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    static const unsigned char plain[16] = {0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34};
    uint32_t w[44];
    unsigned rcon = 1;
    memcpy(w, key, 16);
    for (int i = 4; i < 44; i++) {
        uint32_t t = w[i - 1];
        if (i % 4 == 0) {
            t = sub_word(t >> 8 | t << 24) ^ rcon;
            rcon = rcon << 1 ^ (rcon & 0x80 ? 0x11b : 0);
        }
        w[i] = w[i - 4] ^ t;
    }
    uint8x16_t k[11], s = vld1q_u8(plain);
    for (int i = 0; i < 11; i++)
        k[i] = vreinterpretq_u8_u32(vld1q_u32(w + 4 * i));
    for (int i = 0; i < 9; i++)
        s = vaesmcq_u8(vaeseq_u8(s, k[i]));
    s = veorq_u8(vaeseq_u8(s, k[9]), k[10]);
    unsigned char out[16];
    vst1q_u8(out, s);
    hex("aes", out, 16);
    for (int i = 10; i > 1; i--)
        s = vaesimcq_u8(vaesdq_u8(s, i == 10 ? k[10] : vaesimcq_u8(k[i])));
    s = veorq_u8(vaesdq_u8(s, vaesimcq_u8(k[1])), k[0]);
    vst1q_u8(out, s);
    hex("aes back", out, 16);
    printf("equal %d\n", memcmp(out, plain, 16) == 0);
}

/* The message "abc" padded to one block. */
static const unsigned char abc[64] = {'a', 'b', 'c', 0x80, [63] = 24};

static uint32_t big(const unsigned char *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

static void sha1(void) {
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint32_t m[16];
    for (int i = 0; i < 16; i++)
        m[i] = big(abc + 4 * i);
    uint32x4_t w[4] = {vld1q_u32(m), vld1q_u32(m + 4), vld1q_u32(m + 8), vld1q_u32(m + 12)};
    uint32x4_t a = vld1q_u32(start);
    uint32_t e = start[4];
    for (int i = 0; i < 20; i++) {
        uint32x4_t wk = vaddq_u32(w[i & 3], vdupq_n_u32(k[i / 5]));
        uint32_t next = vsha1h_u32(vgetq_lane_u32(a, 0));
        a = i < 5 ? vsha1cq_u32(a, e, wk) : i >= 10 && i < 15 ? vsha1mq_u32(a, e, wk) : vsha1pq_u32(a, e, wk);
        e = next;
        w[i & 3] = vsha1su1q_u32(vsha1su0q_u32(w[i & 3], w[i + 1 & 3], w[i + 2 & 3]), w[i + 3 & 3]);
    }
    a = vaddq_u32(a, vld1q_u32(start));
    printf("sha1 %08x %08x %08x %08x %08x\n", vgetq_lane_u32(a, 0), vgetq_lane_u32(a, 1), vgetq_lane_u32(a, 2), vgetq_lane_u32(a, 3), e + start[4]);
}

/* The first `bits` bits of the fraction of the cube or square root of a prime, by search. */
static uint64_t root(unsigned prime, int cube) {
    unsigned __int128 low = 0, high = (unsigned __int128)1 << 68;
    while (high - low > 1) {
        unsigned __int128 mid = (low + high) / 2;
        /* mid / 2^64 against the root, in limbs of 32 bits. */
        uint32_t a[3] = {(uint32_t)mid, (uint32_t)(mid >> 32), (uint32_t)(mid >> 64)}, p[10] = {1};
        int n = 1;
        for (int times = 0; times < (cube ? 3 : 2); times++) {
            uint32_t r[10] = {0};
            for (int i = 0; i < n; i++) {
                uint64_t carry = 0;
                for (int j = 0; j < 3; j++) {
                    carry += (uint64_t)p[i] * a[j] + r[i + j];
                    r[i + j] = (uint32_t)carry;
                    carry >>= 32;
                }
                r[i + 3] += (uint32_t)carry;
            }
            memcpy(p, r, sizeof p);
            n += 3;
        }
        if (p[cube ? 6 : 4] >= prime)
            high = mid;
        else
            low = mid;
    }
    return (uint64_t)low;
}

static unsigned primes[80];

static void find_primes(void) {
    int n = 0;
    for (unsigned p = 2; n < 80; p++) {
        int prime = 1;
        for (int i = 0; i < n && prime; i++)
            prime = p % primes[i] != 0;
        if (prime)
            primes[n++] = p;
    }
}

static void sha256(void) {
    uint32_t m[16], k[64], h[8];
    for (int i = 0; i < 64; i++)
        k[i] = root(primes[i], 1) >> 32;
    for (int i = 0; i < 8; i++)
        h[i] = root(primes[i], 0) >> 32;
    for (int i = 0; i < 16; i++)
        m[i] = big(abc + 4 * i);
    uint32x4_t w[4] = {vld1q_u32(m), vld1q_u32(m + 4), vld1q_u32(m + 8), vld1q_u32(m + 12)};
    uint32x4_t x = vld1q_u32(h), y = vld1q_u32(h + 4);
    for (int i = 0; i < 16; i++) {
        uint32x4_t wk = vaddq_u32(w[i & 3], vld1q_u32(k + 4 * i)), old = x;
        x = vsha256hq_u32(x, y, wk);
        y = vsha256h2q_u32(y, old, wk);
        w[i & 3] = vsha256su1q_u32(vsha256su0q_u32(w[i & 3], w[i + 1 & 3]), w[i + 2 & 3], w[i + 3 & 3]);
    }
    x = vaddq_u32(x, vld1q_u32(h));
    y = vaddq_u32(y, vld1q_u32(h + 4));
    vst1q_u32(h, x);
    vst1q_u32(h + 4, y);
    printf("sha256");
    for (int i = 0; i < 8; i++)
        printf(" %08x", h[i]);
    putchar('\n');
}

static void sha512(void) {
    uint64_t k[80], h[8], m[16] = {(uint64_t)0x61626380 << 32, [15] = 24};
    for (int i = 0; i < 80; i++)
        k[i] = root(primes[i], 1);
    for (int i = 0; i < 8; i++)
        h[i] = root(primes[i], 0);
    uint64x2_t w[8], ab = vld1q_u64(h), cd = vld1q_u64(h + 2), ef = vld1q_u64(h + 4), gh = vld1q_u64(h + 6);
    for (int i = 0; i < 8; i++)
        w[i] = vld1q_u64(m + 2 * i);
    for (int i = 0; i < 40; i++) {
        uint64x2_t wk = vaddq_u64(w[i & 7], vld1q_u64(k + 2 * i));
        uint64x2_t sum = vaddq_u64(vextq_u64(wk, wk, 1), gh);
        uint64x2_t t = vsha512hq_u64(sum, vextq_u64(ef, gh, 1), vextq_u64(cd, ef, 1));
        gh = ef;
        ef = vaddq_u64(cd, t);
        uint64x2_t a = vsha512h2q_u64(t, cd, ab);
        cd = ab;
        ab = a;
        w[i & 7] = vsha512su1q_u64(vsha512su0q_u64(w[i & 7], w[i + 1 & 7]), w[i + 7 & 7], vextq_u64(w[i + 4 & 7], w[i + 5 & 7], 1));
    }
    uint64_t r[8];
    vst1q_u64(r, ab), vst1q_u64(r + 2, cd), vst1q_u64(r + 4, ef), vst1q_u64(r + 6, gh);
    printf("sha512");
    for (int i = 0; i < 8; i++)
        printf(" %016llx", (unsigned long long)(r[i] + h[i]));
    putchar('\n');
}

/* GB/T 32907, example 1: the message is the key. */
static void sm4(void) {
    static const uint32_t fk[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
    static const uint32_t key[4] = {0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210};
    uint32x4_t k = veorq_u32(vld1q_u32(key), vld1q_u32(fk)), s = vld1q_u32(key);
    for (int i = 0; i < 8; i++) {
        uint32_t ck[4];
        for (int j = 0; j < 4; j++) {
            unsigned b = 28 * (4 * i + j);
            ck[j] = (b & 255) << 24 | (b + 7 & 255) << 16 | (b + 14 & 255) << 8 | (b + 21 & 255);
        }
        k = vsm4ekeyq_u32(k, vld1q_u32(ck));
        s = vsm4eq_u32(s, k);
    }
    printf("sm4 %08x %08x %08x %08x\n", vgetq_lane_u32(s, 3), vgetq_lane_u32(s, 2), vgetq_lane_u32(s, 1), vgetq_lane_u32(s, 0));
}

static uint64_t seed = 88172645463325252u;
static uint64x2_t next(void) {
    uint64_t x[2];
    for (int i = 0; i < 2; i++)
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17, x[i] = seed;
    return vld1q_u64(x);
}

#define EACH(name, expression)                                                                                         \
    do {                                                                                                               \
        unsigned char sum[16] = {0};                                                                                   \
        for (int i = 0; i < 20; i++) {                                                                                 \
            uint64x2_t a = next(), b = next(), c = next();                                                             \
            uint32x4_t p = vreinterpretq_u32_u64(a), q = vreinterpretq_u32_u64(b), r = vreinterpretq_u32_u64(c);       \
            __typeof__(expression) v = expression;                                                                     \
            for (int j = 0; j < 16; j++)                                                                               \
                sum[j] = sum[j] * 3 + ((unsigned char *)&v)[j];                                                        \
        }                                                                                                              \
        hex(name, sum, 16);                                                                                            \
    } while (0)

static void others(void) {
    EACH("eor3", veor3q_u64(a, b, c));
    EACH("bcax", vbcaxq_u64(a, b, c));
    EACH("rax1", vrax1q_u64(a, b));
    EACH("xar 0", vxarq_u64(a, b, 0));
    EACH("xar 37", vxarq_u64(a, b, 37));
    EACH("sm3ss1", vsm3ss1q_u32(p, q, r));
    EACH("sm3tt1a", vsm3tt1aq_u32(p, q, r, 0));
    EACH("sm3tt1b", vsm3tt1bq_u32(p, q, r, 1));
    EACH("sm3tt2a", vsm3tt2aq_u32(p, q, r, 2));
    EACH("sm3tt2b", vsm3tt2bq_u32(p, q, r, 3));
    EACH("sm3partw1", vsm3partw1q_u32(p, q, r));
    EACH("sm3partw2", vsm3partw2q_u32(p, q, r));
    EACH("pmull", vmull_p64(vgetq_lane_u64(a, 0), vgetq_lane_u64(b, 1)));
    EACH("pmull2", vmull_high_p64(vreinterpretq_p64_u64(a), vreinterpretq_p64_u64(b)));
}

int main(void) {
    find_primes();
    aes();
    sha1();
    sha256();
    sha512();
    sm4();
    others();
    return 0;
}

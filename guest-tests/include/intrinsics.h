// Applies intrinsics of x86 to values of all kinds and prints a hash of what comes out, a line for each.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef __m128i m128i;
typedef __m128 m128;
typedef __m128d m128d;
typedef __m256i m256i;
typedef __m256 m256;
typedef __m256d m256d;
typedef unsigned uint;
typedef unsigned short ushort;
typedef unsigned char uchar;
typedef long long llong;
typedef unsigned long long ullong;

enum { INPUTS = 12 };
// The wide inputs begin at each of these, so that neighbours differ.
static uint64_t integers[INPUTS + 4] = {0, ~0ull, 0x8000000000000000, 0x7fffffffffffffff, 0x0123456789abcdef, 0x8080808080808080,
                                        0x7f7f7f7f01010101, 0x00ff00ff00ff00ff, 0xffff0000ffff8000, 0x5555aaaa3333cccc, 1, 63,
                                        0xdeadbeefcafebabe, 0x00000000ffffffff, 0x1122334455667788, 0xfedcba9876543210};
static float floats[2 * (INPUTS + 4)] = {0, -0.0f, 1, -1, 1.5f, -2.5f, 0.1f, 3e38f, -3e38f, 1e-38f, 1e-45f, INFINITY, -INFINITY, NAN, 65504,
                                         65520, 6e-5f, 6e-8f, 2147483648.f, -2147483904.f, 255.5f, -0.5f, 2.5f, 16777217.f, 1e10f, 3.5f,
                                         -3.5f, 1e20f, 0.333333f, 7, 1023.25f, -1e-20f};
static double doubles[INPUTS + 4] = {0,      -1,   1.5,           -2.5,          0.1,         1e308,  -1e308, 5e-324, 2.2250738585072014e-308,
                                     INFINITY, NAN, 2147483647.5, -2147483649.0, 4503599627370497.5, 1e-40,  3e38};

static uint64_t hash = 0xcbf29ce484222325;

static inline __attribute__((always_inline)) void mix(const void *data, int n) {
    unsigned char bytes[64];
    memcpy(bytes, data, n);
    for (int i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
}

static void done(const char *name) {
    printf("%s %016llx\n", name, (ullong)hash);
    hash = 0xcbf29ce484222325;
}

#define INPUT(type, array, each)                                   \
    static type in_##type(int i) {                                 \
        type value;                                                \
        memcpy(&value, (char *)array + i % INPUTS * each, sizeof value); \
        return value;                                              \
    }
INPUT(m128i, integers, 8)
INPUT(m128, floats, 8)
INPUT(m128d, doubles, 8)
#ifdef __AVX__
INPUT(m256i, integers, 8)
INPUT(m256, floats, 8)
INPUT(m256d, doubles, 8)
#endif
INPUT(int, integers, 8)
INPUT(uint, integers, 8)
INPUT(ushort, integers, 8)
INPUT(uchar, integers, 8)
INPUT(short, integers, 8)
INPUT(char, integers, 8)
INPUT(llong, integers, 8)
INPUT(ullong, integers, 8)
INPUT(float, floats, 4)
INPUT(double, doubles, 8)

#define MIX(R, value)          \
    do {                       \
        R result = value;      \
        mix(&result, sizeof result); \
    } while (0)

// One, two, three operands.
#define A1(f, R, A)                       \
    for (int i = 0; i < INPUTS; i++)      \
        MIX(R, f(in_##A(i)));             \
    done(#f);
#define A2(f, R, A, B)                    \
    for (int i = 0; i < INPUTS; i++)      \
        for (int j = 0; j < INPUTS; j++)  \
            MIX(R, f(in_##A(i), in_##B(j))); \
    done(#f);
#define A3(f, R, A, B, C)                 \
    for (int i = 0; i < INPUTS; i++)      \
        for (int j = 0; j < INPUTS; j++)  \
            MIX(R, f(in_##A(i), in_##B(j), in_##C(i + j))); \
    done(#f);
// Immediates of 1, 2, 3, 4, 5 or 8 bits: the statement M for each of some of them.
#define EACH1(M) M(0) M(1)
#define EACH2(M) EACH1(M) M(2) M(3)
#define EACH3(M) EACH2(M) M(4) M(5) M(6) M(7)
#define EACH4(M) EACH3(M) M(8) M(9) M(11) M(14) M(15)
#define EACH5(M) EACH4(M) M(16) M(19) M(24) M(29) M(31)
#define EACH8(M) EACH5(M) M(0x1b) M(0x4e) M(0x93) M(0xe4) M(0x80) M(0xff)

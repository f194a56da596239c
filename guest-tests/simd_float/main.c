/* The families of intrinsics of arm_neon.h that simd_integer (integers, permutations, tables, dot products) and simd_crypto
 * (ciphers, hashes, polynomials) leave: floating point in half, single and double precision, BF16, matrix products, and loads
 * and stores of structures. A line with a hash for each. */
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t hash;

static void mix(const void *data, unsigned long n) {
    const unsigned char *p = data;
    while (n--)
        hash = (hash ^ *p++) * 0x100000001b3u;
}

#define ROUNDS 32
static unsigned char input[ROUNDS + 8][64] __attribute__((aligned(16)));

/* Elements of `bits` bits each: ordinary numbers mostly, some of each special kind. */
static void make_input(int bits, int fraction) {
    static uint64_t x = 88172645463325252u;
    uint64_t exponent = ((1ull << (bits - 1 - fraction)) - 1) << fraction, one = exponent >> 1 & exponent, sign = 1ull << (bits - 1);
    for (int i = 0; i < ROUNDS + 8; i++)
        for (int j = 0; j < 512 / bits; j++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            uint64_t v = (x >> 8 & (sign - 1) & ~exponent) | (one + ((x >> 60) - 8) * (1ull << fraction)), s = x & 1 ? sign : 0;
            switch (x >> 4 & 15) {
            case 0: v = 0; break;
            case 1: v = exponent; break;
            case 2: v = exponent | 1ull << (fraction - 1) | x >> 20 & 15; break;
            case 3: v = exponent | 1 | x >> 20 & 15; break;
            case 4: v = x >> 20 & ((1ull << fraction) - 1); break;
            case 5: v = x >> 3 & (sign - 1); break;
            case 6: v = one + ((x >> 58) << fraction & exponent >> 2); break;
            }
            v |= s;
            memcpy(input[i] + j * bits / 8, &v, bits / 8);
        }
}

static void set_fpsr(uint64_t v) { __asm__ volatile("msr fpsr, %0" ::"r"(v)); }
static uint64_t fpsr(void) {
    uint64_t v;
    __asm__ volatile("mrs %0, fpsr" : "=r"(v));
    return v;
}
static uint64_t set_fpcr(uint64_t v) {
    __asm__ volatile("msr fpcr, %0" ::"r"(v));
    return v;
}

typedef float16x4_t D_f16; typedef float32x2_t D_f32; typedef float64x1_t D_f64;
typedef float16x8_t Q_f16; typedef float32x4_t Q_f32; typedef float64x2_t Q_f64;
typedef int16x4_t D_s16; typedef int32x2_t D_s32; typedef int64x1_t D_s64; typedef uint16x4_t D_u16; typedef uint32x2_t D_u32; typedef uint64x1_t D_u64;
typedef int8x16_t Q_s8; typedef uint8x16_t Q_u8; typedef int8x8_t D_s8; typedef uint8x8_t D_u8;
typedef int16x8_t Q_s16; typedef int32x4_t Q_s32; typedef int64x2_t Q_s64; typedef uint16x8_t Q_u16; typedef uint32x4_t Q_u32; typedef uint64x2_t Q_u64;
typedef bfloat16x4_t D_bf16; typedef bfloat16x8_t Q_bf16;
typedef float16_t E_f16; typedef float E_f32; typedef double E_f64;

#define RUN(label, expression)                                                                                         \
    do {                                                                                                               \
        hash = 0xcbf29ce484222325u;                                                                                    \
        for (int i = 0; i < ROUNDS; i++) {                                                                             \
            set_fpsr(0);                                                                                               \
            __typeof__(expression) r = expression;                                                                     \
            __asm__ volatile("" : "+m"(r));                                                                            \
            uint64_t flags = fpsr();                                                                                   \
            mix(&r, sizeof r), mix(&flags, 4);                                                                         \
        }                                                                                                              \
        printf("%s %016llx\n", label, (unsigned long long)hash);                                                       \
    } while (0)

#define GET(T, k) ({ T v_; memcpy(&v_, input[i + (k)], sizeof v_); __asm__ volatile("" : "+w"(v_)); v_; })
#define E(t, k) ({ E_##t v_; memcpy(&v_, input[i + (k)], sizeof v_); __asm__ volatile("" : "+w"(v_)); v_; })

#define UN(f, t) RUN(#f "_" #t, f##_##t(GET(D_##t, 0))); RUN(#f "q_" #t, f##q_##t(GET(Q_##t, 0)));
#define BIN(f, t) RUN(#f "_" #t, f##_##t(GET(D_##t, 0), GET(D_##t, 1))); RUN(#f "q_" #t, f##q_##t(GET(Q_##t, 0), GET(Q_##t, 1)));
#define TRI(f, t) RUN(#f "_" #t, f##_##t(GET(D_##t, 0), GET(D_##t, 1), GET(D_##t, 2))); RUN(#f "q_" #t, f##q_##t(GET(Q_##t, 0), GET(Q_##t, 1), GET(Q_##t, 2)));
#define BINQ(f, t) RUN(#f "q_" #t, f##q_##t(GET(Q_##t, 0), GET(Q_##t, 1)));
#define ACROSS(f, t) RUN(#f "q_" #t, f##q_##t(GET(Q_##t, 0)));

/* What single and double precision, and half where it says so, have in common. */
#define COMMON(t)                                                                                                      \
    BIN(vadd, t) BIN(vsub, t) BIN(vmul, t) BIN(vdiv, t) TRI(vfma, t) TRI(vfms, t) BIN(vabd, t) BIN(vmulx, t)           \
    BIN(vmax, t) BIN(vmin, t) BIN(vmaxnm, t) BIN(vminnm, t) BINQ(vpadd, t) BINQ(vpmax, t) BINQ(vpmin, t)               \
    BINQ(vpmaxnm, t) BINQ(vpminnm, t) UN(vabs, t) UN(vneg, t) UN(vsqrt, t) UN(vrecpe, t) UN(vrsqrte, t)                \
    BIN(vrecps, t) BIN(vrsqrts, t) BIN(vceq, t) BIN(vcge, t) BIN(vcgt, t) BIN(vcle, t) BIN(vclt, t) BIN(vcage, t)      \
    BIN(vcagt, t) BIN(vcale, t) BIN(vcalt, t) UN(vceqz, t) UN(vcgez, t) UN(vcgtz, t) UN(vclez, t) UN(vcltz, t)         \
    UN(vrnd, t) UN(vrnda, t) UN(vrndi, t) UN(vrndm, t) UN(vrndn, t) UN(vrndp, t) UN(vrndx, t)                          \
    ACROSS(vmaxv, t) ACROSS(vminv, t) ACROSS(vmaxnmv, t) ACROSS(vminnmv, t)                                            \
    RUN("vmul_lane_" #t, vmulq_laneq_##t(GET(Q_##t, 0), GET(Q_##t, 1), 1));                                            \
    RUN("vfma_lane_" #t, vfmaq_laneq_##t(GET(Q_##t, 0), GET(Q_##t, 1), GET(Q_##t, 2), 1));                             \
    RUN("vfms_lane_" #t, vfmsq_laneq_##t(GET(Q_##t, 0), GET(Q_##t, 1), GET(Q_##t, 2), 0));                             \
    RUN("vmulx_lane_" #t, vmulxq_laneq_##t(GET(Q_##t, 0), GET(Q_##t, 1), 1));                                          \
    RUN("vmul_n_" #t, vmulq_n_##t(GET(Q_##t, 0), E(t, 1)));

#define CONVERT(t, n)                                                                                                  \
    RUN("vcvt_s" #n, vcvtq_s##n##_##t(GET(Q_##t, 0))); RUN("vcvt_u" #n, vcvtq_u##n##_##t(GET(Q_##t, 0)));              \
    RUN("vcvta_s" #n, vcvtaq_s##n##_##t(GET(Q_##t, 0))); RUN("vcvta_u" #n, vcvtaq_u##n##_##t(GET(Q_##t, 0)));          \
    RUN("vcvtm_s" #n, vcvtmq_s##n##_##t(GET(Q_##t, 0))); RUN("vcvtm_u" #n, vcvtmq_u##n##_##t(GET(Q_##t, 0)));          \
    RUN("vcvtn_s" #n, vcvtnq_s##n##_##t(GET(Q_##t, 0))); RUN("vcvtn_u" #n, vcvtnq_u##n##_##t(GET(Q_##t, 0)));          \
    RUN("vcvtp_s" #n, vcvtpq_s##n##_##t(GET(Q_##t, 0))); RUN("vcvtp_u" #n, vcvtpq_u##n##_##t(GET(Q_##t, 0)));          \
    RUN("vcvt_n_s" #n, vcvtq_n_s##n##_##t(GET(Q_##t, 0), 5)); RUN("vcvt_n_u" #n, vcvtq_n_u##n##_##t(GET(Q_##t, 0), n)); \
    RUN("vcvt_f_s" #n, vcvtq_##t##_s##n(GET(Q_s##n, 0))); RUN("vcvt_f_u" #n, vcvtq_##t##_u##n(GET(Q_u##n, 0)));        \
    RUN("vcvt_n_f_s" #n, vcvtq_n_##t##_s##n(GET(Q_s##n, 0), 3)); RUN("vcvt_n_f_u" #n, vcvtq_n_##t##_u##n(GET(Q_u##n, 0), n));

static void half(void) {
    make_input(16, 10);
    COMMON(f16) CONVERT(f16, 16)
    RUN("vcadd90", vcaddq_rot90_f16(GET(Q_f16, 0), GET(Q_f16, 1))); RUN("vcadd270", vcaddq_rot270_f16(GET(Q_f16, 0), GET(Q_f16, 1)));
    RUN("vcmla", vcmlaq_f16(GET(Q_f16, 0), GET(Q_f16, 1), GET(Q_f16, 2))); RUN("vcmla90", vcmlaq_rot90_f16(GET(Q_f16, 0), GET(Q_f16, 1), GET(Q_f16, 2)));
    RUN("vcmla180 lane", vcmlaq_rot180_laneq_f16(GET(Q_f16, 0), GET(Q_f16, 1), GET(Q_f16, 2), 2));
    RUN("vcvt_f32_f16", vcvt_f32_f16(GET(D_f16, 0))); RUN("vcvt_high_f32_f16", vcvt_high_f32_f16(GET(Q_f16, 0)));
    RUN("vfmlal_low", vfmlalq_low_f16(vdupq_n_f32(1.5f), GET(Q_f16, 0), GET(Q_f16, 1))); RUN("vfmlsl_high", vfmlslq_high_f16(vdupq_n_f32(1.5f), GET(Q_f16, 0), GET(Q_f16, 1)));
    RUN("vfmlal_high lane", vfmlalq_laneq_high_f16(vdupq_n_f32(1.5f), GET(Q_f16, 0), GET(Q_f16, 1), 5));
}

static void single(void) {
    make_input(32, 23);
    COMMON(f32) CONVERT(f32, 32) TRI(vmla, f32) TRI(vmls, f32)
    UN(vrnd32x, f32) UN(vrnd32z, f32) UN(vrnd64x, f32) UN(vrnd64z, f32)
    ACROSS(vaddv, f32) RUN("vpadd", vpadd_f32(GET(D_f32, 0), GET(D_f32, 1))); RUN("vpadds", vpadds_f32(GET(D_f32, 0)));
    RUN("vcadd90", vcaddq_rot90_f32(GET(Q_f32, 0), GET(Q_f32, 1))); RUN("vcadd270", vcaddq_rot270_f32(GET(Q_f32, 0), GET(Q_f32, 1)));
    RUN("vcmla", vcmlaq_f32(GET(Q_f32, 0), GET(Q_f32, 1), GET(Q_f32, 2))); RUN("vcmla270", vcmlaq_rot270_f32(GET(Q_f32, 0), GET(Q_f32, 1), GET(Q_f32, 2)));
    RUN("vcvt_f16_f32", vcvt_f16_f32(GET(Q_f32, 0))); RUN("vcvt_high_f16_f32", vcvt_high_f16_f32(GET(D_f16, 1), GET(Q_f32, 0)));
    RUN("vcvt_f64_f32", vcvt_f64_f32(GET(D_f32, 0))); RUN("vcvt_high_f64_f32", vcvt_high_f64_f32(GET(Q_f32, 0)));
    RUN("vcvt_bf16", vcvtq_low_bf16_f32(GET(Q_f32, 0))); RUN("vcvth_bf16", vcvth_bf16_f32(E(f32, 0)));
    RUN("vrecpxs", vrecpxs_f32(E(f32, 0))); RUN("vabds", vabds_f32(E(f32, 0), E(f32, 1))); RUN("vmulxs", vmulxs_f32(E(f32, 0), E(f32, 1)));
    RUN("vcvts_s32", vcvts_s32_f32(E(f32, 0))); RUN("vcvtas_u32", vcvtas_u32_f32(E(f32, 0))); RUN("vcvts_n", vcvts_n_s32_f32(E(f32, 0), 7));
    RUN("vceqs", vceqs_f32(E(f32, 0), E(f32, 1))); RUN("vcagts", vcagts_f32(E(f32, 0), E(f32, 1))); RUN("vfmas_lane", vfmas_laneq_f32(E(f32, 0), E(f32, 1), GET(Q_f32, 2), 3));
}

static void twice(void) {
    make_input(64, 52);
    COMMON(f64) CONVERT(f64, 64) UN(vrnd32x, f64) UN(vrnd64z, f64)
    RUN("vcvt_f32_f64", vcvt_f32_f64(GET(Q_f64, 0))); RUN("vcvtx_f32_f64", vcvtx_f32_f64(GET(Q_f64, 0))); RUN("vcvtx_high", vcvtx_high_f32_f64(GET(D_f32, 1), GET(Q_f64, 0)));
    RUN("vcmla", vcmlaq_f64(GET(Q_f64, 0), GET(Q_f64, 1), GET(Q_f64, 2))); RUN("vcadd90", vcaddq_rot90_f64(GET(Q_f64, 0), GET(Q_f64, 1)));
    RUN("vpaddd", vpaddd_f64(GET(Q_f64, 0))); RUN("vrecpxd", vrecpxd_f64(E(f64, 0))); RUN("vrecpsd", vrecpsd_f64(E(f64, 0), E(f64, 1)));
    RUN("vcvtd_s64", vcvtd_s64_f64(E(f64, 0))); RUN("vcvtmd_u64", vcvtmd_u64_f64(E(f64, 0))); RUN("vcvtxd", vcvtxd_f32_f64(E(f64, 0)));
}

static void brain(void) {
    make_input(16, 7);
    RUN("vbfdot", vbfdotq_f32(vdupq_n_f32(0.5f), GET(Q_bf16, 0), GET(Q_bf16, 1))); RUN("vbfdot lane", vbfdotq_laneq_f32(vdupq_n_f32(0.5f), GET(Q_bf16, 0), GET(Q_bf16, 1), 2));
    RUN("vbfmmla", vbfmmlaq_f32(vdupq_n_f32(0.5f), GET(Q_bf16, 0), GET(Q_bf16, 1)));
    RUN("vbfmlalb", vbfmlalbq_f32(vdupq_n_f32(0.5f), GET(Q_bf16, 0), GET(Q_bf16, 1))); RUN("vbfmlalt lane", vbfmlaltq_laneq_f32(vdupq_n_f32(0.5f), GET(Q_bf16, 0), GET(Q_bf16, 1), 3));
    RUN("vcvt_f32_bf16", vcvtq_low_f32_bf16(GET(Q_bf16, 0)));
}

static void matrices(void) {
    RUN("vmmla_s32", vmmlaq_s32(GET(Q_s32, 0), GET(Q_s8, 1), GET(Q_s8, 2))); RUN("vmmla_u32", vmmlaq_u32(GET(Q_u32, 0), GET(Q_u8, 1), GET(Q_u8, 2)));
    RUN("vusmmla", vusmmlaq_s32(GET(Q_s32, 0), GET(Q_u8, 1), GET(Q_s8, 2))); RUN("vusdot", vusdotq_s32(GET(Q_s32, 0), GET(Q_u8, 1), GET(Q_s8, 2)));
    RUN("vusdot lane", vusdotq_laneq_s32(GET(Q_s32, 0), GET(Q_u8, 1), GET(Q_s8, 2), 1)); RUN("vsudot lane", vsudotq_laneq_s32(GET(Q_s32, 0), GET(Q_s8, 1), GET(Q_u8, 2), 3));
}

static unsigned char out[80];

/* Stores what a load of the same form gave, and one element of it. */
#define STRUCTURES(n, t, lane)                                                                                         \
    do {                                                                                                               \
        hash = 0xcbf29ce484222325u;                                                                                    \
        for (int i = 0; i < 4; i++) {                                                                                  \
            __typeof__(vld##n##q_##t((void *)0)) r = vld##n##q_##t((void *)input[i]), d = vld##n##q_dup_##t((void *)(input[i] + 3)); \
            vst##n##q_##t((void *)(out + 5), d), mix(out, sizeof out), mix(&r, sizeof r);                               \
            r = vld##n##q_lane_##t((void *)input[i + 1], r, lane), mix(&r, sizeof r);                                   \
            memset(out, 0, sizeof out), vst##n##q_lane_##t((void *)(out + 1), r, lane), mix(out, sizeof out);           \
            __typeof__(vld##n##_##t((void *)0)) h = vld##n##_##t((void *)(input[i] + 1));                               \
            vst##n##_##t((void *)out, h), mix(out, sizeof out), mix(&h, sizeof h);                                      \
        }                                                                                                              \
        printf("vld%d_%s %016llx\n", n, #t, (unsigned long long)hash);                                                 \
    } while (0)

#define SEVERAL(n, t)                                                                                                  \
    do {                                                                                                               \
        __typeof__(vld1q_##t##_x##n((void *)0)) r = vld1q_##t##_x##n((void *)input[2]);                                 \
        hash = 0xcbf29ce484222325u, vst1q_##t##_x##n((void *)out, r), mix(out, sizeof out);                             \
        printf("vld1_x%d_%s %016llx\n", n, #t, (unsigned long long)hash);                                              \
    } while (0)

static void memory(void) {
    STRUCTURES(1, u8, 13); STRUCTURES(1, s16, 6); STRUCTURES(1, u32, 3); STRUCTURES(1, f64, 1);
    STRUCTURES(2, u8, 9); STRUCTURES(2, s16, 5); STRUCTURES(2, f32, 1); STRUCTURES(2, u64, 0);
    STRUCTURES(3, s8, 15); STRUCTURES(3, f16, 7); STRUCTURES(3, u32, 2); STRUCTURES(3, s64, 1);
    STRUCTURES(4, u8, 0); STRUCTURES(4, u16, 3); STRUCTURES(4, s32, 3); STRUCTURES(4, f64, 0);
    SEVERAL(2, u8); SEVERAL(3, u16); SEVERAL(4, f32);
}

int main(void) {
    /* Rounding modes, flushing, default NaN. */
    static const uint64_t controls[] = {0, 1 << 22, 3 << 22, 1 << 24 | 1 << 19, 1 << 25};
    for (unsigned c = 0; c < sizeof controls / sizeof *controls; c++) {
        printf("FPCR %llx\n", (unsigned long long)set_fpcr(controls[c]));
        half();
        single();
        twice();
        brain();
    }
    set_fpcr(0);
    matrices();
    memory();
    return 0;
}

/* Every family of integer intrinsics of arm_neon.h on values with all kinds of edges: a line with a hash for each. */
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

#define ROUNDS 24
static unsigned char input[ROUNDS + 8][16];

static void make_input(void) {
    static const unsigned char edges[] = {0, 1, 0x7f, 0x80, 0x81, 0xff, 0xfe, 0x40};
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < ROUNDS + 8; i++)
        for (int j = 0; j < 16; j++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            int kind = i % 4;
            /* Random bytes, edge bytes, edges of halfwords and of words, small shift counts. */
            input[i][j] = kind == 0 ? x : kind == 1 ? edges[x % 8] : kind == 2 ? (x >> 8 & 1 ? -(x % 70) : x % 70)
                        : (j & 3) == 3 ? edges[x % 8] : (x >> 9 & 1 ? 0xff : 0);
        }
}

/* FPSR.QC is part of the result. */
static void clear_qc(void) { __asm__ volatile("msr fpsr, %0" ::"r"(0L)); }
static unsigned long qc(void) {
    unsigned long v;
    __asm__ volatile("mrs %0, fpsr" : "=r"(v));
    return v >> 27 & 1;
}

typedef int8x8_t D_s8; typedef int16x4_t D_s16; typedef int32x2_t D_s32; typedef int64x1_t D_s64;
typedef uint8x8_t D_u8; typedef uint16x4_t D_u16; typedef uint32x2_t D_u32; typedef uint64x1_t D_u64;
typedef int8x16_t Q_s8; typedef int16x8_t Q_s16; typedef int32x4_t Q_s32; typedef int64x2_t Q_s64;
typedef uint8x16_t Q_u8; typedef uint16x8_t Q_u16; typedef uint32x4_t Q_u32; typedef uint64x2_t Q_u64;
typedef poly8x8_t D_p8; typedef poly8x16_t Q_p8;
typedef int8_t E_s8; typedef int16_t E_s16; typedef int32_t E_s32; typedef int64_t E_s64;
typedef uint8_t E_u8; typedef uint16_t E_u16; typedef uint32_t E_u32; typedef uint64_t E_u64;

#define RUN(label, expression)                                                                                         \
    do {                                                                                                               \
        hash = 0xcbf29ce484222325u;                                                                                    \
        for (int i = 0; i < ROUNDS; i++) {                                                                             \
            clear_qc();                                                                                                \
            __typeof__(expression) r = expression;                                                                     \
            __asm__ volatile("" : "+m"(r));                                                                            \
            unsigned long q = qc();                                                                                    \
            mix(&r, sizeof r), mix(&q, 1);                                                                             \
        }                                                                                                              \
        printf("%s %016llx\n", label, (unsigned long long)hash);                                                       \
    } while (0)

#define GET(T, k) ({ T v_; memcpy(&v_, input[i + (k)], sizeof v_); __asm__ volatile("" : "+w"(v_)); v_; })

#define UN1(f, W, t) RUN(#f "_" #t, f##_##t(GET(W##_##t, 0)));
#define BIN1(f, W, t) RUN(#f "_" #t, f##_##t(GET(W##_##t, 0), GET(W##_##t, 1)));
#define TRI1(f, W, t) RUN(#f "_" #t, f##_##t(GET(W##_##t, 0), GET(W##_##t, 1), GET(W##_##t, 2)));

#define UN1Q(f, t) UN1(f##q, Q, t)
#define UN(f, t) UN1(f, D, t) UN1(f##q, Q, t)
#define BIN(f, t) BIN1(f, D, t) BIN1(f##q, Q, t)
#define TRI(f, t) TRI1(f, D, t) TRI1(f##q, Q, t)

#define SMALL(M, f) M(f, s8) M(f, s16) M(f, s32) M(f, u8) M(f, u16) M(f, u32)
#define ALL(M, f) SMALL(M, f) M(f, s64) M(f, u64)
#define SIGNED(M, f) M(f, s8) M(f, s16) M(f, s32)
#define BYTES(M, f) M(f, s8) M(f, u8)

/* Shifts by a register take signed counts. */
#define SHIFT(f, t, s) RUN(#f "_" #t, f##_##t(GET(D_##t, 0), GET(D_##s, 2))); RUN(#f "q_" #t, f##q_##t(GET(Q_##t, 0), GET(Q_##s, 2)));
#define SHIFTS(f) SHIFT(f, s8, s8) SHIFT(f, s16, s16) SHIFT(f, s32, s32) SHIFT(f, s64, s64) SHIFT(f, u8, s8) SHIFT(f, u16, s16) SHIFT(f, u32, s32) SHIFT(f, u64, s64)

#define IMM1(f, t, k) RUN(#f "_n_" #t, f##_n_##t(GET(D_##t, 0), k)); RUN(#f "q_n_" #t, f##q_n_##t(GET(Q_##t, 0), k));
#define IMM2(f, t, k) RUN(#f "_n_" #t, f##_n_##t(GET(D_##t, 0), GET(D_##t, 1), k)); RUN(#f "q_n_" #t, f##q_n_##t(GET(Q_##t, 0), GET(Q_##t, 1), k));
#define IMMS(M, f, k8, k16, k32, k64) M(f, s8, k8) M(f, s16, k16) M(f, s32, k32) M(f, s64, k64) M(f, u8, k8) M(f, u16, k16) M(f, u32, k32) M(f, u64, k64)

#define WIDE(f, t) RUN(#f "_" #t, f##_##t(GET(D_##t, 0), GET(D_##t, 1))); RUN(#f "_high_" #t, f##_high_##t(GET(Q_##t, 0), GET(Q_##t, 1)));
#define WIDE3(f, t, w) RUN(#f "_" #t, f##_##t(GET(Q_##w, 2), GET(D_##t, 0), GET(D_##t, 1))); RUN(#f "_high_" #t, f##_high_##t(GET(Q_##w, 2), GET(Q_##t, 0), GET(Q_##t, 1)));
#define WIDES(f) SMALL(WIDE, f)
#define WIDE3S(f) WIDE3(f, s8, s16) WIDE3(f, s16, s32) WIDE3(f, s32, s64) WIDE3(f, u8, u16) WIDE3(f, u16, u32) WIDE3(f, u32, u64)
#define WADD(f, t, w) RUN(#f "_" #t, f##_##t(GET(Q_##w, 2), GET(D_##t, 0))); RUN(#f "_high_" #t, f##_high_##t(GET(Q_##w, 2), GET(Q_##t, 0)));
#define WADDS(f) WADD(f, s8, s16) WADD(f, s16, s32) WADD(f, s32, s64) WADD(f, u8, u16) WADD(f, u16, u32) WADD(f, u32, u64)

#define NARROW2(f, t, n) RUN(#f "_" #t, f##_##t(GET(Q_##t, 0), GET(Q_##t, 1))); RUN(#f "_high_" #t, f##_high_##t(GET(D_##n, 2), GET(Q_##t, 0), GET(Q_##t, 1)));
#define NARROW2S(f) NARROW2(f, s16, s8) NARROW2(f, s32, s16) NARROW2(f, s64, s32) NARROW2(f, u16, u8) NARROW2(f, u32, u16) NARROW2(f, u64, u32)
#define NARROW(f, t, n) RUN(#f "_" #t, f##_##t(GET(Q_##t, 0))); RUN(#f "_high_" #t, f##_high_##t(GET(D_##n, 2), GET(Q_##t, 0)));
#define NARROWS(f) NARROW(f, s16, s8) NARROW(f, s32, s16) NARROW(f, s64, s32) NARROW(f, u16, u8) NARROW(f, u32, u16) NARROW(f, u64, u32)
#define NARROWI(f, t, n, k) RUN(#f "_n_" #t, f##_n_##t(GET(Q_##t, 0), k)); RUN(#f "_high_n_" #t, f##_high_n_##t(GET(D_##n, 2), GET(Q_##t, 0), k));
#define NARROWIS(f) NARROWI(f, s16, s8, 3) NARROWI(f, s32, s16, 9) NARROWI(f, s64, s32, 32) NARROWI(f, u16, u8, 4) NARROWI(f, u32, u16, 16) NARROWI(f, u64, u32, 17)

#define EXTRACT(f, t) RUN(#f "_" #t, f##_##t(GET(D_##t, 0), GET(D_##t, 1), sizeof(D_##t) / sizeof(E_##t) - 1)); RUN(#f "q_" #t, f##q_##t(GET(Q_##t, 0), GET(Q_##t, 1), 1));
#define LANES(t, k) RUN("vget_lane_" #t, vgetq_lane_##t(GET(Q_##t, 0), k)); RUN("vset_lane_" #t, vsetq_lane_##t((E_##t)(i * 0x123456789abcdefull), GET(Q_##t, 0), k)); \
    RUN("vdup_lane_" #t, vdupq_laneq_##t(GET(Q_##t, 0), k)); RUN("vdup_n_" #t, vdupq_n_##t((E_##t)(i * 0x123456789abcdefull))); RUN("vcopy_" #t, vcopyq_laneq_##t(GET(Q_##t, 0), k, GET(Q_##t, 1), 0)); \
    RUN("vdup_scalar_" #t, vdup_laneq_##t(GET(Q_##t, 0), k));
#define PERM(t) ALL2(vzip, t) ALL2(vuzp, t) ALL2(vtrn, t)
#define ALL2(f, t) BIN1(f##1q, Q, t) BIN1(f##2q, Q, t)
#define ALL2D(f, t) BIN1(f##1, D, t) BIN1(f##2, D, t)
#define PERMD(t) ALL2D(vzip, t) ALL2D(vuzp, t) ALL2D(vtrn, t)

#define BYLANE(f, t) RUN(#f "_lane_" #t, f##q_laneq_##t(GET(Q_##t, 0), GET(Q_##t, 1), 3));
#define BYLANE3(f, t) RUN(#f "_lane_" #t, f##q_laneq_##t(GET(Q_##t, 2), GET(Q_##t, 0), GET(Q_##t, 1), 2));
#define BYLANEW(f, t) RUN(#f "_lane_" #t, f##_laneq_##t(GET(D_##t, 0), GET(Q_##t, 1), 1)); RUN(#f "_high_lane_" #t, f##_high_laneq_##t(GET(Q_##t, 0), GET(Q_##t, 1), 2));
#define BYLANEW3(f, t, w) RUN(#f "_lane_" #t, f##_laneq_##t(GET(Q_##w, 2), GET(D_##t, 0), GET(Q_##t, 1), 1)); RUN(#f "_high_lane_" #t, f##_high_laneq_##t(GET(Q_##w, 2), GET(Q_##t, 0), GET(Q_##t, 1), 2));

/* Scalars: b0, h0, s0, d0 by intrinsics with suffixes b, h, s, d. */
#define E(t, k) ({ E_##t v_; memcpy(&v_, input[i + (k)], sizeof v_); v_; })
#define SC(f, x, t) RUN(#f #x "_" #t, f##x##_##t(E(t, 0), E(t, 1)));
#define SC1(f, x, t) RUN(#f #x "_" #t, f##x##_##t(E(t, 0)));
#define SCALARS(f) SC(f, b, s8) SC(f, h, s16) SC(f, s, s32) SC(f, d, s64) SC(f, b, u8) SC(f, h, u16) SC(f, s, u32) SC(f, d, u64)

static void arithmetic(void) {
    ALL(BIN, vadd) ALL(BIN, vsub) SMALL(BIN, vmul) SMALL(TRI, vmla) SMALL(TRI, vmls)
    ALL(BIN, vqadd) ALL(BIN, vqsub) SMALL(BIN, vhadd) SMALL(BIN, vrhadd) SMALL(BIN, vhsub)
    SMALL(BIN, vmax) SMALL(BIN, vmin) SMALL(BIN, vabd) SMALL(TRI, vaba)
    SMALL(BIN, vpmax) SMALL(BIN, vpmin) SMALL(BIN, vpadd) BIN1(vpaddq, Q, s64) BIN1(vpaddq, Q, u64)
    BIN(vqdmulh, s16) BIN(vqdmulh, s32) BIN(vqrdmulh, s16) BIN(vqrdmulh, s32)
    TRI(vqrdmlah, s16) TRI(vqrdmlah, s32) TRI(vqrdmlsh, s16) TRI(vqrdmlsh, s32)
    SIGNED(UN, vabs) SIGNED(UN, vneg) SIGNED(UN, vqabs) SIGNED(UN, vqneg) UN(vabs, s64) UN(vneg, s64) UN(vqabs, s64) UN(vqneg, s64)
    BIN(vmul, p8) RUN("vmull_p8", vmull_p8(GET(D_p8, 0), GET(D_p8, 1))); RUN("vmull_high_p8", vmull_high_p8(GET(Q_p8, 0), GET(Q_p8, 1)));
    SHIFT(vuqadd, s8, u8) SHIFT(vuqadd, s16, u16) SHIFT(vuqadd, s32, u32) SHIFT(vuqadd, s64, u64)
    SHIFT(vsqadd, u8, s8) SHIFT(vsqadd, u16, s16) SHIFT(vsqadd, u32, s32) SHIFT(vsqadd, u64, s64)
    SCALARS(vqadd) SCALARS(vqsub) SC(vqdmulh, h, s16) SC(vqdmulh, s, s32) SC(vqrdmulh, h, s16) SC(vqdmull, h, s16) SC(vqdmull, s, s32)
    SC1(vqabs, b, s8) SC1(vqneg, h, s16) SC1(vqmovn, h, s16) SC1(vqmovn, d, s64) SC1(vqmovun, s, s32) SC1(vqmovn, s, u32)
}

static void compares_and_logic(void) {
    ALL(BIN, vceq) ALL(BIN, vcge) ALL(BIN, vcgt) ALL(BIN, vcle) ALL(BIN, vclt) ALL(BIN, vtst)
    SIGNED(UN, vceqz) SIGNED(UN, vcgez) SIGNED(UN, vcgtz) SIGNED(UN, vclez) SIGNED(UN, vcltz) UN(vcgtz, s64) UN(vclez, s64)
    ALL(BIN, vand) ALL(BIN, vorr) ALL(BIN, veor) ALL(BIN, vbic) ALL(BIN, vorn) SMALL(UN, vmvn)
    TRI(vbsl, u8) TRI(vbsl, u16) TRI(vbsl, u32) TRI(vbsl, u64)
    SMALL(UN, vclz) SIGNED(UN, vcls) BYTES(UN, vcnt) BYTES(UN, vrbit)
    SMALL(UN, vrev64) UN(vrev32, u8) UN(vrev32, u16) UN(vrev16, u8) UN(vrecpe, u32) UN(vrsqrte, u32)
}

static void shifts(void) {
    SHIFTS(vshl) SHIFTS(vqshl) SHIFTS(vrshl) SHIFTS(vqrshl)
    IMMS(IMM1, vshl, 3, 9, 17, 40) IMMS(IMM1, vshr, 8, 5, 31, 64) IMMS(IMM1, vrshr, 1, 16, 7, 33) IMMS(IMM1, vqshl, 2, 3, 9, 30)
    IMMS(IMM2, vsra, 4, 15, 32, 63) IMMS(IMM2, vrsra, 7, 1, 13, 64) IMMS(IMM2, vsri, 3, 16, 9, 5) IMMS(IMM2, vsli, 0, 7, 31, 33)
    IMM1(vqshlu, s8, 3) IMM1(vqshlu, s16, 1) IMM1(vqshlu, s32, 31) IMM1(vqshlu, s64, 2)
    NARROWIS(vshrn) NARROWIS(vrshrn) NARROWIS(vqshrn) NARROWIS(vqrshrn)
    NARROWI(vqshrun, s16, u8, 5) NARROWI(vqshrun, s32, u16, 2) NARROWI(vqshrun, s64, u32, 20)
    NARROWI(vqrshrun, s16, u8, 5) NARROWI(vqrshrun, s32, u16, 2) NARROWI(vqrshrun, s64, u32, 20)
    RUN("vshll_n_s8", vshll_n_s8(GET(D_s8, 0), 8)); RUN("vshll_n_u16", vshll_n_u16(GET(D_u16, 0), 5)); RUN("vshll_high_n_s32", vshll_high_n_s32(GET(Q_s32, 0), 31));
    RUN("vmovl_s8", vmovl_s8(GET(D_s8, 0))); RUN("vmovl_high_u32", vmovl_high_u32(GET(Q_u32, 0)));
    SC(vqshl, b, s8) SC(vqrshl, h, s16) SC(vshl, d, s64) SC(vrshl, d, s64)
}

static void widening(void) {
    WIDES(vaddl) WIDES(vsubl) WIDES(vabdl) WIDES(vmull) WADDS(vaddw) WADDS(vsubw)
    WIDE3S(vmlal) WIDE3S(vmlsl) WIDE3S(vabal)
    WIDE(vqdmull, s16) WIDE(vqdmull, s32) WIDE3(vqdmlal, s16, s32) WIDE3(vqdmlal, s32, s64) WIDE3(vqdmlsl, s16, s32) WIDE3(vqdmlsl, s32, s64)
    NARROW2S(vaddhn) NARROW2S(vraddhn) NARROW2S(vsubhn) NARROW2S(vrsubhn)
    NARROWS(vmovn) NARROWS(vqmovn) NARROW(vqmovun, s16, u8) NARROW(vqmovun, s32, u16) NARROW(vqmovun, s64, u32)
    SMALL(UN, vpaddl) RUN("vpadal_s8", vpadalq_s8(GET(Q_s16, 0), GET(Q_s8, 1))); RUN("vpadal_u16", vpadalq_u16(GET(Q_u32, 0), GET(Q_u16, 1))); RUN("vpadal_s32", vpadalq_s32(GET(Q_s64, 0), GET(Q_s32, 1)));
    BYLANE(vmul, s16) BYLANE(vmul, u32) BYLANE(vqdmulh, s16) BYLANE(vqdmulh, s32) BYLANE(vqrdmulh, s16) BYLANE(vqrdmulh, s32)
    BYLANE3(vmla, s16) BYLANE3(vmla, u32) BYLANE3(vmls, u16) BYLANE3(vqrdmlah, s16) BYLANE3(vqrdmlsh, s32)
    BYLANEW(vmull, s16) BYLANEW(vmull, u32) BYLANEW(vqdmull, s16) BYLANEW(vqdmull, s32)
    BYLANEW3(vmlal, s16, s32) BYLANEW3(vmlsl, u32, u64) BYLANEW3(vqdmlal, s16, s32) BYLANEW3(vqdmlsl, s32, s64)
    RUN("vdotq_s32", vdotq_s32(GET(Q_s32, 0), GET(Q_s8, 1), GET(Q_s8, 2))); RUN("vdot_u32", vdot_u32(GET(D_u32, 0), GET(D_u8, 1), GET(D_u8, 2)));
    RUN("vdotq_lane_u32", vdotq_laneq_u32(GET(Q_u32, 0), GET(Q_u8, 1), GET(Q_u8, 2), 3));
}

static void moves(void) {
    ALL(EXTRACT, vext) LANES(s8, 11) LANES(u8, 15) LANES(s16, 5) LANES(u16, 7) LANES(s32, 2) LANES(u32, 3) LANES(s64, 1) LANES(u64, 1)
    PERM(s8) PERM(u16) PERM(s32) PERM(u64) PERMD(u8) PERMD(s16) PERMD(u32)
    BYTES(UN1Q, vaddv) UN1Q(vaddv, s16) UN1Q(vaddv, u32) SMALL(UN1Q, vmaxv) SMALL(UN1Q, vminv) SMALL(UN1Q, vaddlv)
    RUN("vmaxv_u8", vmaxv_u8(GET(D_u8, 0))); RUN("vminv_s16", vminv_s16(GET(D_s16, 0))); RUN("vaddlv_s8", vaddlv_s8(GET(D_s8, 0))); RUN("vaddv_u8", vaddv_u8(GET(D_u8, 0)));
    RUN("vpaddd_s64", vpaddd_s64(GET(Q_s64, 0)));
    for (int k = 0; k < 2; k++) {
        /* Indices within and beyond the tables. */
        RUN("vqtbl1", vqtbl1q_u8(GET(Q_u8, 0), vandq_u8(GET(Q_u8, 1), vdupq_n_u8(k ? 0xff : 0x1f))));
        RUN("vqtbl2", vqtbl2q_u8(((uint8x16x2_t){{GET(Q_u8, 0), GET(Q_u8, 1)}}), vandq_u8(GET(Q_u8, 2), vdupq_n_u8(k ? 0xff : 0x3f))));
        RUN("vqtbl3", vqtbl3q_u8(((uint8x16x3_t){{GET(Q_u8, 0), GET(Q_u8, 1), GET(Q_u8, 2)}}), vandq_u8(GET(Q_u8, 4), vdupq_n_u8(k ? 0xff : 0x3f))));
        RUN("vqtbl4", vqtbl4_u8(((uint8x16x4_t){{GET(Q_u8, 0), GET(Q_u8, 1), GET(Q_u8, 2), GET(Q_u8, 3)}}), vand_u8(GET(D_u8, 4), vdup_n_u8(k ? 0xff : 0x4f))));
        RUN("vqtbx1", vqtbx1q_u8(GET(Q_u8, 3), GET(Q_u8, 0), vandq_u8(GET(Q_u8, 1), vdupq_n_u8(k ? 0xff : 0x1f))));
        RUN("vqtbx4", vqtbx4q_u8(GET(Q_u8, 5), ((uint8x16x4_t){{GET(Q_u8, 0), GET(Q_u8, 1), GET(Q_u8, 2), GET(Q_u8, 3)}}), vandq_u8(GET(Q_u8, 4), vdupq_n_u8(k ? 0xff : 0x5f))));
    }
    RUN("movi", vdupq_n_u32(0x00ab0000)); RUN("mvni", vdupq_n_u32(0xffff54ff)); RUN("movi bytes", vdupq_n_u8(0x5a)); RUN("movi mask", vdupq_n_u64(0xff00ff00ffff0000));
    RUN("orr immediate", vorrq_u16(GET(Q_u16, 0), vdupq_n_u16(0x4200))); RUN("bic immediate", vbicq_u32(GET(Q_u32, 0), vdupq_n_u32(0xff)));
}


int main(void) {
    make_input();
    arithmetic();
    compares_and_logic();
    shifts();
    widening();
    moves();
    return 0;
}

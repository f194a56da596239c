// The intrinsics of SSE3, SSSE3, SSE4.1 and SSE4.2, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A2(_mm_addsub_ps, m128, m128, m128)
    A2(_mm_hadd_ps, m128, m128, m128)
    A2(_mm_hsub_ps, m128, m128, m128)
    A1(_mm_movehdup_ps, m128, m128)
    A1(_mm_moveldup_ps, m128, m128)
    A2(_mm_addsub_pd, m128d, m128d, m128d)
    A2(_mm_hadd_pd, m128d, m128d, m128d)
    A2(_mm_hsub_pd, m128d, m128d, m128d)
    A1(_mm_movedup_pd, m128d, m128d)
    A2(_mm_hadd_epi16, m128i, m128i, m128i)
    A2(_mm_hadd_epi32, m128i, m128i, m128i)
    A2(_mm_hadds_epi16, m128i, m128i, m128i)
    A2(_mm_hsub_epi16, m128i, m128i, m128i)
    A2(_mm_hsub_epi32, m128i, m128i, m128i)
    A2(_mm_hsubs_epi16, m128i, m128i, m128i)
    A2(_mm_maddubs_epi16, m128i, m128i, m128i)
    A2(_mm_mulhrs_epi16, m128i, m128i, m128i)
    A2(_mm_shuffle_epi8, m128i, m128i, m128i)
    A2(_mm_sign_epi8, m128i, m128i, m128i)
    A2(_mm_sign_epi16, m128i, m128i, m128i)
    A2(_mm_sign_epi32, m128i, m128i, m128i)
#define M(k) MIX(m128i, _mm_alignr_epi8(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_alignr_epi8");
#undef M
    A1(_mm_abs_epi8, m128i, m128i)
    A1(_mm_abs_epi16, m128i, m128i)
    A1(_mm_abs_epi32, m128i, m128i)
    A2(_mm_testz_si128, int, m128i, m128i)
    A2(_mm_testc_si128, int, m128i, m128i)
    A2(_mm_testnzc_si128, int, m128i, m128i)
#define M(k) MIX(m128i, _mm_blend_epi16(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_blend_epi16");
#undef M
    A3(_mm_blendv_epi8, m128i, m128i, m128i, m128i)
#define M(k) MIX(m128, _mm_blend_ps(in_m128(i), in_m128(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH4(M) }
    done("_mm_blend_ps");
#undef M
    A3(_mm_blendv_ps, m128, m128, m128, m128)
#define M(k) MIX(m128d, _mm_blend_pd(in_m128d(i), in_m128d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH2(M) }
    done("_mm_blend_pd");
#undef M
    A3(_mm_blendv_pd, m128d, m128d, m128d, m128d)
#define M(k) MIX(m128, _mm_dp_ps(in_m128(i), in_m128(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_dp_ps");
#undef M
#define M(k) MIX(m128d, _mm_dp_pd(in_m128d(i), in_m128d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_dp_pd");
#undef M
    A2(_mm_cmpeq_epi64, m128i, m128i, m128i)
    A2(_mm_min_epi8, m128i, m128i, m128i)
    A2(_mm_max_epi8, m128i, m128i, m128i)
    A2(_mm_min_epu16, m128i, m128i, m128i)
    A2(_mm_max_epu16, m128i, m128i, m128i)
    A2(_mm_min_epi32, m128i, m128i, m128i)
    A2(_mm_max_epi32, m128i, m128i, m128i)
    A2(_mm_min_epu32, m128i, m128i, m128i)
    A2(_mm_max_epu32, m128i, m128i, m128i)
    A2(_mm_mullo_epi32, m128i, m128i, m128i)
    A2(_mm_mul_epi32, m128i, m128i, m128i)
#define M(k) MIX(m128, _mm_insert_ps(in_m128(i), in_m128(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm_insert_ps");
#undef M
#define M(k) MIX(int, _mm_extract_ps(in_m128(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm_extract_ps");
#undef M
#define M(k) MIX(m128i, _mm_insert_epi8(in_m128i(i), in_int(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm_insert_epi8");
#undef M
#define M(k) MIX(m128i, _mm_insert_epi32(in_m128i(i), in_int(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm_insert_epi32");
#undef M
#define M(k) MIX(m128i, _mm_insert_epi64(in_m128i(i), in_llong(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm_insert_epi64");
#undef M
#define M(k) MIX(int, _mm_extract_epi8(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm_extract_epi8");
#undef M
#define M(k) MIX(int, _mm_extract_epi32(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm_extract_epi32");
#undef M
#define M(k) MIX(llong, _mm_extract_epi64(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm_extract_epi64");
#undef M
    A1(_mm_minpos_epu16, m128i, m128i)
    A1(_mm_cvtepi8_epi32, m128i, m128i)
    A1(_mm_cvtepi16_epi32, m128i, m128i)
    A1(_mm_cvtepi8_epi64, m128i, m128i)
    A1(_mm_cvtepi32_epi64, m128i, m128i)
    A1(_mm_cvtepi16_epi64, m128i, m128i)
    A1(_mm_cvtepi8_epi16, m128i, m128i)
    A1(_mm_cvtepu8_epi32, m128i, m128i)
    A1(_mm_cvtepu16_epi32, m128i, m128i)
    A1(_mm_cvtepu8_epi64, m128i, m128i)
    A1(_mm_cvtepu32_epi64, m128i, m128i)
    A1(_mm_cvtepu16_epi64, m128i, m128i)
    A1(_mm_cvtepu8_epi16, m128i, m128i)
    A2(_mm_packus_epi32, m128i, m128i, m128i)
#define M(k) MIX(m128i, _mm_mpsadbw_epu8(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_mpsadbw_epu8");
#undef M
#define M(k) MIX(m128i, _mm_cmpistrm(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_cmpistrm");
#undef M
#define M(k) MIX(int, _mm_cmpistri(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_cmpistri");
#undef M
#define M(k) MIX(int, _mm_cmpistra(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_cmpistra");
#undef M
#define M(k) MIX(int, _mm_cmpistrc(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_cmpistrc");
#undef M
#define M(k) MIX(int, _mm_cmpistro(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_cmpistro");
#undef M
#define M(k) MIX(int, _mm_cmpistrs(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_cmpistrs");
#undef M
#define M(k) MIX(int, _mm_cmpistrz(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_cmpistrz");
#undef M
    A2(_mm_cmpgt_epi64, m128i, m128i, m128i)
    A2(_mm_crc32_u8, uint, uint, uchar)
    A2(_mm_crc32_u16, uint, uint, ushort)
    A2(_mm_crc32_u32, uint, uint, uint)
    A2(_mm_crc32_u64, ullong, ullong, ullong)
#define ROUND(k) A1R(_mm_round_ps, m128, m128, k) A1R(_mm_round_pd, m128d, m128d, k)
#define A1R(f, R, A, k) for (int i = 0; i < INPUTS; i++) MIX(R, f(in_##A(i), k));
    EACH4(ROUND)
    done("round");
#define STRING(k)                                                                                                 \
    for (int i = 0; i < INPUTS; i++) {                                                                            \
        MIX(int, _mm_cmpistri(in_m128i(i), in_m128i(i + 4), k));                                                  \
        MIX(m128i, _mm_cmpistrm(in_m128i(i), in_m128i(i + 4), k));                                                \
        MIX(int, _mm_cmpestri(in_m128i(i), i, in_m128i(i + 5), 17 - i, k));                                       \
        MIX(m128i, _mm_cmpestrm(in_m128i(i), -i, in_m128i(i + 5), i + 4, k));                                     \
        MIX(int, _mm_cmpistrc(in_m128i(i), in_m128i(i + 4), k) | _mm_cmpistro(in_m128i(i), in_m128i(i + 4), k) << 1 | \
                     _mm_cmpistrs(in_m128i(i), in_m128i(i + 4), k) << 2 | _mm_cmpistrz(in_m128i(i), in_m128i(i + 4), k) << 3); \
    }
    EACH5(STRING)
    STRING(0x40) STRING(0x4c) STRING(0x58) STRING(0x65) STRING(0x7a)
    done("string comparisons");
    A2(_mm_crc32_u8, uint, uint, uchar)
    A2(_mm_crc32_u16, uint, uint, ushort)
    A2(_mm_crc32_u32, uint, uint, uint)
    A2(_mm_crc32_u64, ullong, ullong, ullong)
    return 0;
}

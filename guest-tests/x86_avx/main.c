// The intrinsics of AVX, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A2(_mm256_add_pd, m256d, m256d, m256d)
    A2(_mm256_add_ps, m256, m256, m256)
    A2(_mm256_addsub_pd, m256d, m256d, m256d)
    A2(_mm256_addsub_ps, m256, m256, m256)
    A2(_mm256_and_pd, m256d, m256d, m256d)
    A2(_mm256_and_ps, m256, m256, m256)
    A2(_mm256_andnot_pd, m256d, m256d, m256d)
    A2(_mm256_andnot_ps, m256, m256, m256)
#define M(k) MIX(m256d, _mm256_blend_pd(in_m256d(i), in_m256d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH4(M) }
    done("_mm256_blend_pd");
#undef M
#define M(k) MIX(m256, _mm256_blend_ps(in_m256(i), in_m256(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_blend_ps");
#undef M
    A3(_mm256_blendv_pd, m256d, m256d, m256d, m256d)
    A3(_mm256_blendv_ps, m256, m256, m256, m256)
    A2(_mm256_div_pd, m256d, m256d, m256d)
    A2(_mm256_div_ps, m256, m256, m256)
#define M(k) MIX(m256, _mm256_dp_ps(in_m256(i), in_m256(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_dp_ps");
#undef M
    A2(_mm256_hadd_pd, m256d, m256d, m256d)
    A2(_mm256_hadd_ps, m256, m256, m256)
    A2(_mm256_hsub_pd, m256d, m256d, m256d)
    A2(_mm256_hsub_ps, m256, m256, m256)
    A2(_mm256_max_pd, m256d, m256d, m256d)
    A2(_mm256_max_ps, m256, m256, m256)
    A2(_mm256_min_pd, m256d, m256d, m256d)
    A2(_mm256_min_ps, m256, m256, m256)
    A2(_mm256_mul_pd, m256d, m256d, m256d)
    A2(_mm256_mul_ps, m256, m256, m256)
    A2(_mm256_or_pd, m256d, m256d, m256d)
    A2(_mm256_or_ps, m256, m256, m256)
#define M(k) MIX(m256d, _mm256_shuffle_pd(in_m256d(i), in_m256d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_shuffle_pd");
#undef M
#define M(k) MIX(m256, _mm256_shuffle_ps(in_m256(i), in_m256(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_shuffle_ps");
#undef M
    A2(_mm256_sub_pd, m256d, m256d, m256d)
    A2(_mm256_sub_ps, m256, m256, m256)
    A2(_mm256_xor_pd, m256d, m256d, m256d)
    A2(_mm256_xor_ps, m256, m256, m256)
#define M(k) MIX(m128d, _mm_cmp_pd(in_m128d(i), in_m128d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH5(M) }
    done("_mm_cmp_pd");
#undef M
#define M(k) MIX(m128, _mm_cmp_ps(in_m128(i), in_m128(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH5(M) }
    done("_mm_cmp_ps");
#undef M
#define M(k) MIX(m256d, _mm256_cmp_pd(in_m256d(i), in_m256d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH5(M) }
    done("_mm256_cmp_pd");
#undef M
#define M(k) MIX(m256, _mm256_cmp_ps(in_m256(i), in_m256(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH5(M) }
    done("_mm256_cmp_ps");
#undef M
#define M(k) MIX(m128d, _mm_cmp_sd(in_m128d(i), in_m128d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH5(M) }
    done("_mm_cmp_sd");
#undef M
#define M(k) MIX(m128, _mm_cmp_ss(in_m128(i), in_m128(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH5(M) }
    done("_mm_cmp_ss");
#undef M
    A1(_mm256_cvtsi256_si32, int, m256i)
    A1(_mm256_cvtepi32_pd, m256d, m128i)
    A1(_mm256_cvtepi32_ps, m256, m256i)
    A1(_mm256_cvtpd_ps, m128, m256d)
    A1(_mm256_cvtps_epi32, m256i, m256)
    A1(_mm256_cvtps_pd, m256d, m128)
    A1(_mm256_cvttpd_epi32, m128i, m256d)
    A1(_mm256_cvtpd_epi32, m128i, m256d)
    A1(_mm256_cvttps_epi32, m256i, m256)
    A1(_mm256_cvtsd_f64, double, m256d)
    A1(_mm256_cvtss_f32, float, m256)
#define M(k) MIX(m128d, _mm256_extractf128_pd(in_m256d(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm256_extractf128_pd");
#undef M
#define M(k) MIX(m128, _mm256_extractf128_ps(in_m256(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm256_extractf128_ps");
#undef M
#define M(k) MIX(m128i, _mm256_extractf128_si256(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm256_extractf128_si256");
#undef M
#define M(k) MIX(llong, _mm256_extract_epi64(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm256_extract_epi64");
#undef M
    A2(_mm_permutevar_pd, m128d, m128d, m128i)
    A2(_mm256_permutevar_pd, m256d, m256d, m256i)
    A2(_mm_permutevar_ps, m128, m128, m128i)
    A2(_mm256_permutevar_ps, m256, m256, m256i)
#define M(k) MIX(m128d, _mm_permute_pd(in_m128d(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_permute_pd");
#undef M
#define M(k) MIX(m256d, _mm256_permute_pd(in_m256d(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_permute_pd");
#undef M
#define M(k) MIX(m128, _mm_permute_ps(in_m128(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_permute_ps");
#undef M
#define M(k) MIX(m256, _mm256_permute_ps(in_m256(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_permute_ps");
#undef M
#define M(k) MIX(m256d, _mm256_permute2f128_pd(in_m256d(i), in_m256d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_permute2f128_pd");
#undef M
#define M(k) MIX(m256, _mm256_permute2f128_ps(in_m256(i), in_m256(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_permute2f128_ps");
#undef M
#define M(k) MIX(m256i, _mm256_permute2f128_si256(in_m256i(i), in_m256i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_permute2f128_si256");
#undef M
#define M(k) MIX(m256d, _mm256_insertf128_pd(in_m256d(i), in_m128d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm256_insertf128_pd");
#undef M
#define M(k) MIX(m256, _mm256_insertf128_ps(in_m256(i), in_m128(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm256_insertf128_ps");
#undef M
#define M(k) MIX(m256i, _mm256_insertf128_si256(in_m256i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm256_insertf128_si256");
#undef M
    A1(_mm256_movehdup_ps, m256, m256)
    A1(_mm256_moveldup_ps, m256, m256)
    A1(_mm256_movedup_pd, m256d, m256d)
    A1(_mm256_sqrt_pd, m256d, m256d)
    A1(_mm256_sqrt_ps, m256, m256)
    A2(_mm256_unpackhi_pd, m256d, m256d, m256d)
    A2(_mm256_unpacklo_pd, m256d, m256d, m256d)
    A2(_mm256_unpackhi_ps, m256, m256, m256)
    A2(_mm256_unpacklo_ps, m256, m256, m256)
    A2(_mm_testz_pd, int, m128d, m128d)
    A2(_mm_testc_pd, int, m128d, m128d)
    A2(_mm_testnzc_pd, int, m128d, m128d)
    A2(_mm_testz_ps, int, m128, m128)
    A2(_mm_testc_ps, int, m128, m128)
    A2(_mm_testnzc_ps, int, m128, m128)
    A2(_mm256_testz_pd, int, m256d, m256d)
    A2(_mm256_testc_pd, int, m256d, m256d)
    A2(_mm256_testnzc_pd, int, m256d, m256d)
    A2(_mm256_testz_ps, int, m256, m256)
    A2(_mm256_testc_ps, int, m256, m256)
    A2(_mm256_testnzc_ps, int, m256, m256)
    A2(_mm256_testz_si256, int, m256i, m256i)
    A2(_mm256_testc_si256, int, m256i, m256i)
    A2(_mm256_testnzc_si256, int, m256i, m256i)
    A1(_mm256_zextpd128_pd256, m256d, m128d)
    A1(_mm256_zextps128_ps256, m256, m128)
    A1(_mm256_zextsi128_si256, m256i, m128i)
#define ROUND(k) for (int i = 0; i < INPUTS; i++) { MIX(m256, _mm256_round_ps(in_m256(i), k)); MIX(m256d, _mm256_round_pd(in_m256d(i), k)); }
    EACH4(ROUND)
    done("round");
    static float memory[16];
    for (int i = 0; i < INPUTS; i++) {
        _mm256_maskstore_ps(memory + i % 3, in_m256i(i), in_m256(i));
        _mm_maskstore_pd((double *)memory + 5, in_m128i(i), in_m128d(i));
        MIX(m256d, _mm256_maskload_pd((double *)memory, in_m256i(i + 1)));
        MIX(m256, _mm256_broadcast_ss(memory + i));
        MIX(m256d, _mm256_broadcast_pd((m128d *)(memory + i % 4)));
        mix(memory, sizeof memory);
    }
    done("masked memory");
    m256d kept = in_m256d(3);
    __asm__("" : "+x"(kept));
    _mm256_zeroupper();
    __asm__("" : "+x"(kept));
    MIX(m128d, _mm256_castpd256_pd128(kept));
    done("zeroupper");
    return 0;
}

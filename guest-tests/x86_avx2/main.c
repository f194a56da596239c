// The intrinsics of AVX2, as gcc names them.
#include "intrinsics.h"

int main(void) {
#define M(k) MIX(m256i, _mm256_mpsadbw_epu8(in_m256i(i), in_m256i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_mpsadbw_epu8");
#undef M
    A1(_mm256_abs_epi8, m256i, m256i)
    A1(_mm256_abs_epi16, m256i, m256i)
    A1(_mm256_abs_epi32, m256i, m256i)
    A2(_mm256_packs_epi32, m256i, m256i, m256i)
    A2(_mm256_packs_epi16, m256i, m256i, m256i)
    A2(_mm256_packus_epi32, m256i, m256i, m256i)
    A2(_mm256_packus_epi16, m256i, m256i, m256i)
    A2(_mm256_add_epi8, m256i, m256i, m256i)
    A2(_mm256_add_epi16, m256i, m256i, m256i)
    A2(_mm256_add_epi32, m256i, m256i, m256i)
    A2(_mm256_add_epi64, m256i, m256i, m256i)
    A2(_mm256_adds_epi8, m256i, m256i, m256i)
    A2(_mm256_adds_epi16, m256i, m256i, m256i)
    A2(_mm256_adds_epu8, m256i, m256i, m256i)
    A2(_mm256_adds_epu16, m256i, m256i, m256i)
#define M(k) MIX(m256i, _mm256_alignr_epi8(in_m256i(i), in_m256i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_alignr_epi8");
#undef M
    A2(_mm256_and_si256, m256i, m256i, m256i)
    A2(_mm256_andnot_si256, m256i, m256i, m256i)
    A2(_mm256_avg_epu8, m256i, m256i, m256i)
    A2(_mm256_avg_epu16, m256i, m256i, m256i)
    A3(_mm256_blendv_epi8, m256i, m256i, m256i, m256i)
#define M(k) MIX(m256i, _mm256_blend_epi16(in_m256i(i), in_m256i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_blend_epi16");
#undef M
    A2(_mm256_cmpeq_epi8, m256i, m256i, m256i)
    A2(_mm256_cmpeq_epi16, m256i, m256i, m256i)
    A2(_mm256_cmpeq_epi32, m256i, m256i, m256i)
    A2(_mm256_cmpeq_epi64, m256i, m256i, m256i)
    A2(_mm256_cmpgt_epi8, m256i, m256i, m256i)
    A2(_mm256_cmpgt_epi16, m256i, m256i, m256i)
    A2(_mm256_cmpgt_epi32, m256i, m256i, m256i)
    A2(_mm256_cmpgt_epi64, m256i, m256i, m256i)
    A2(_mm256_hadd_epi16, m256i, m256i, m256i)
    A2(_mm256_hadd_epi32, m256i, m256i, m256i)
    A2(_mm256_hadds_epi16, m256i, m256i, m256i)
    A2(_mm256_hsub_epi16, m256i, m256i, m256i)
    A2(_mm256_hsub_epi32, m256i, m256i, m256i)
    A2(_mm256_hsubs_epi16, m256i, m256i, m256i)
    A2(_mm256_maddubs_epi16, m256i, m256i, m256i)
    A2(_mm256_madd_epi16, m256i, m256i, m256i)
    A2(_mm256_max_epi8, m256i, m256i, m256i)
    A2(_mm256_max_epi16, m256i, m256i, m256i)
    A2(_mm256_max_epi32, m256i, m256i, m256i)
    A2(_mm256_max_epu8, m256i, m256i, m256i)
    A2(_mm256_max_epu16, m256i, m256i, m256i)
    A2(_mm256_max_epu32, m256i, m256i, m256i)
    A2(_mm256_min_epi8, m256i, m256i, m256i)
    A2(_mm256_min_epi16, m256i, m256i, m256i)
    A2(_mm256_min_epi32, m256i, m256i, m256i)
    A2(_mm256_min_epu8, m256i, m256i, m256i)
    A2(_mm256_min_epu16, m256i, m256i, m256i)
    A2(_mm256_min_epu32, m256i, m256i, m256i)
    A1(_mm256_cvtepi8_epi16, m256i, m128i)
    A1(_mm256_cvtepi8_epi32, m256i, m128i)
    A1(_mm256_cvtepi8_epi64, m256i, m128i)
    A1(_mm256_cvtepi16_epi32, m256i, m128i)
    A1(_mm256_cvtepi16_epi64, m256i, m128i)
    A1(_mm256_cvtepi32_epi64, m256i, m128i)
    A1(_mm256_cvtepu8_epi16, m256i, m128i)
    A1(_mm256_cvtepu8_epi32, m256i, m128i)
    A1(_mm256_cvtepu8_epi64, m256i, m128i)
    A1(_mm256_cvtepu16_epi32, m256i, m128i)
    A1(_mm256_cvtepu16_epi64, m256i, m128i)
    A1(_mm256_cvtepu32_epi64, m256i, m128i)
    A2(_mm256_mul_epi32, m256i, m256i, m256i)
    A2(_mm256_mulhrs_epi16, m256i, m256i, m256i)
    A2(_mm256_mulhi_epu16, m256i, m256i, m256i)
    A2(_mm256_mulhi_epi16, m256i, m256i, m256i)
    A2(_mm256_mullo_epi16, m256i, m256i, m256i)
    A2(_mm256_mullo_epi32, m256i, m256i, m256i)
    A2(_mm256_mul_epu32, m256i, m256i, m256i)
    A2(_mm256_or_si256, m256i, m256i, m256i)
    A2(_mm256_sad_epu8, m256i, m256i, m256i)
    A2(_mm256_shuffle_epi8, m256i, m256i, m256i)
#define M(k) MIX(m256i, _mm256_shuffle_epi32(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_shuffle_epi32");
#undef M
#define M(k) MIX(m256i, _mm256_shufflehi_epi16(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_shufflehi_epi16");
#undef M
#define M(k) MIX(m256i, _mm256_shufflelo_epi16(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_shufflelo_epi16");
#undef M
    A2(_mm256_sign_epi8, m256i, m256i, m256i)
    A2(_mm256_sign_epi16, m256i, m256i, m256i)
    A2(_mm256_sign_epi32, m256i, m256i, m256i)
#define M(k) MIX(m256i, _mm256_bslli_epi128(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_bslli_epi128");
#undef M
#define M(k) MIX(m256i, _mm256_slli_si256(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_slli_si256");
#undef M
    A2(_mm256_slli_epi16, m256i, m256i, int)
    A2(_mm256_sll_epi16, m256i, m256i, m128i)
    A2(_mm256_slli_epi32, m256i, m256i, int)
    A2(_mm256_sll_epi32, m256i, m256i, m128i)
    A2(_mm256_slli_epi64, m256i, m256i, int)
    A2(_mm256_sll_epi64, m256i, m256i, m128i)
    A2(_mm256_srai_epi16, m256i, m256i, int)
    A2(_mm256_sra_epi16, m256i, m256i, m128i)
    A2(_mm256_srai_epi32, m256i, m256i, int)
    A2(_mm256_sra_epi32, m256i, m256i, m128i)
#define M(k) MIX(m256i, _mm256_bsrli_epi128(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_bsrli_epi128");
#undef M
#define M(k) MIX(m256i, _mm256_srli_si256(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_srli_si256");
#undef M
    A2(_mm256_srli_epi16, m256i, m256i, int)
    A2(_mm256_srl_epi16, m256i, m256i, m128i)
    A2(_mm256_srli_epi32, m256i, m256i, int)
    A2(_mm256_srl_epi32, m256i, m256i, m128i)
    A2(_mm256_srli_epi64, m256i, m256i, int)
    A2(_mm256_srl_epi64, m256i, m256i, m128i)
    A2(_mm256_sub_epi8, m256i, m256i, m256i)
    A2(_mm256_sub_epi16, m256i, m256i, m256i)
    A2(_mm256_sub_epi32, m256i, m256i, m256i)
    A2(_mm256_sub_epi64, m256i, m256i, m256i)
    A2(_mm256_subs_epi8, m256i, m256i, m256i)
    A2(_mm256_subs_epi16, m256i, m256i, m256i)
    A2(_mm256_subs_epu8, m256i, m256i, m256i)
    A2(_mm256_subs_epu16, m256i, m256i, m256i)
    A2(_mm256_unpackhi_epi8, m256i, m256i, m256i)
    A2(_mm256_unpackhi_epi16, m256i, m256i, m256i)
    A2(_mm256_unpackhi_epi32, m256i, m256i, m256i)
    A2(_mm256_unpackhi_epi64, m256i, m256i, m256i)
    A2(_mm256_unpacklo_epi8, m256i, m256i, m256i)
    A2(_mm256_unpacklo_epi16, m256i, m256i, m256i)
    A2(_mm256_unpacklo_epi32, m256i, m256i, m256i)
    A2(_mm256_unpacklo_epi64, m256i, m256i, m256i)
    A2(_mm256_xor_si256, m256i, m256i, m256i)
    A1(_mm_broadcastss_ps, m128, m128)
    A1(_mm256_broadcastss_ps, m256, m128)
    A1(_mm256_broadcastsd_pd, m256d, m128d)
    A1(_mm256_broadcastsi128_si256, m256i, m128i)
#define M(k) MIX(m128i, _mm_blend_epi32(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_blend_epi32");
#undef M
#define M(k) MIX(m256i, _mm256_blend_epi32(in_m256i(i), in_m256i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_blend_epi32");
#undef M
    A1(_mm256_broadcastb_epi8, m256i, m128i)
    A1(_mm256_broadcastw_epi16, m256i, m128i)
    A1(_mm256_broadcastd_epi32, m256i, m128i)
    A1(_mm256_broadcastq_epi64, m256i, m128i)
    A1(_mm_broadcastb_epi8, m128i, m128i)
    A1(_mm_broadcastw_epi16, m128i, m128i)
    A1(_mm_broadcastd_epi32, m128i, m128i)
    A1(_mm_broadcastq_epi64, m128i, m128i)
    A2(_mm256_permutevar8x32_epi32, m256i, m256i, m256i)
#define M(k) MIX(m256d, _mm256_permute4x64_pd(in_m256d(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_permute4x64_pd");
#undef M
    A2(_mm256_permutevar8x32_ps, m256, m256, m256i)
#define M(k) MIX(m256i, _mm256_permute4x64_epi64(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_permute4x64_epi64");
#undef M
#define M(k) MIX(m256i, _mm256_permute2x128_si256(in_m256i(i), in_m256i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm256_permute2x128_si256");
#undef M
#define M(k) MIX(m128i, _mm256_extracti128_si256(in_m256i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH1(M) }
    done("_mm256_extracti128_si256");
#undef M
#define M(k) MIX(m256i, _mm256_inserti128_si256(in_m256i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH1(M) }
    done("_mm256_inserti128_si256");
#undef M
    A2(_mm256_sllv_epi32, m256i, m256i, m256i)
    A2(_mm_sllv_epi32, m128i, m128i, m128i)
    A2(_mm256_sllv_epi64, m256i, m256i, m256i)
    A2(_mm_sllv_epi64, m128i, m128i, m128i)
    A2(_mm256_srav_epi32, m256i, m256i, m256i)
    A2(_mm_srav_epi32, m128i, m128i, m128i)
    A2(_mm256_srlv_epi32, m256i, m256i, m256i)
    A2(_mm_srlv_epi32, m128i, m128i, m128i)
    A2(_mm256_srlv_epi64, m256i, m256i, m256i)
    A2(_mm_srlv_epi64, m128i, m128i, m128i)
    static const int index[8] = {3, 0, 7, 7, 12, 1, 9, 4};
    m256i where = _mm256_loadu_si256((m256i *)index);
    m128i low = _mm256_castsi256_si128(where);
    for (int i = 0; i < INPUTS; i++) {
        MIX(m256i, _mm256_i32gather_epi32((int *)integers, where, 4));
        MIX(m256i, _mm256_i32gather_epi64((llong *)integers, low, 8));
        MIX(m256i, _mm256_mask_i32gather_epi32(in_m256i(i), (int *)integers, where, in_m256i(i + 2), 8));
        MIX(m256d, _mm256_mask_i32gather_pd(in_m256d(i), doubles, low, in_m256d(i + 1), 8));
        MIX(m256, _mm256_mask_i32gather_ps(in_m256(i), floats, where, in_m256(i + 1), 2));
        MIX(m128i, _mm256_i64gather_epi32((int *)integers, _mm256_cvtepi32_epi64(low), 4));
    }
    done("gathers");
    static int memory[16];
    for (int i = 0; i < INPUTS; i++) {
        _mm256_maskstore_epi32(memory + i % 5, in_m256i(i), in_m256i(i + 1));
        MIX(m256i, _mm256_maskload_epi64((llong *)memory, in_m256i(i)));
        mix(memory, sizeof memory);
    }
    done("masked memory");
    return 0;
}

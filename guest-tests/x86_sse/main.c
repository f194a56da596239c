// The intrinsics of SSE and SSE2, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A2(_mm_unpacklo_ps, m128, m128, m128)
    A2(_mm_unpackhi_ps, m128, m128, m128)
    A2(_mm_movelh_ps, m128, m128, m128)
    A2(_mm_movehl_ps, m128, m128, m128)
    A2(_mm_add_ss, m128, m128, m128)
    A2(_mm_sub_ss, m128, m128, m128)
    A2(_mm_mul_ss, m128, m128, m128)
    A2(_mm_div_ss, m128, m128, m128)
    A1(_mm_sqrt_ss, m128, m128)
    A2(_mm_min_ss, m128, m128, m128)
    A2(_mm_max_ss, m128, m128, m128)
    A2(_mm_add_ps, m128, m128, m128)
    A2(_mm_sub_ps, m128, m128, m128)
    A2(_mm_mul_ps, m128, m128, m128)
    A2(_mm_div_ps, m128, m128, m128)
    A1(_mm_sqrt_ps, m128, m128)
    A2(_mm_min_ps, m128, m128, m128)
    A2(_mm_max_ps, m128, m128, m128)
    A2(_mm_and_ps, m128, m128, m128)
    A2(_mm_andnot_ps, m128, m128, m128)
    A2(_mm_or_ps, m128, m128, m128)
    A2(_mm_xor_ps, m128, m128, m128)
    A2(_mm_cmpeq_ss, m128, m128, m128)
    A2(_mm_cmplt_ss, m128, m128, m128)
    A2(_mm_cmple_ss, m128, m128, m128)
    A2(_mm_cmpgt_ss, m128, m128, m128)
    A2(_mm_cmpge_ss, m128, m128, m128)
    A2(_mm_cmpneq_ss, m128, m128, m128)
    A2(_mm_cmpnlt_ss, m128, m128, m128)
    A2(_mm_cmpnle_ss, m128, m128, m128)
    A2(_mm_cmpngt_ss, m128, m128, m128)
    A2(_mm_cmpnge_ss, m128, m128, m128)
    A2(_mm_cmpord_ss, m128, m128, m128)
    A2(_mm_cmpunord_ss, m128, m128, m128)
    A2(_mm_cmpeq_ps, m128, m128, m128)
    A2(_mm_cmplt_ps, m128, m128, m128)
    A2(_mm_cmple_ps, m128, m128, m128)
    A2(_mm_cmpgt_ps, m128, m128, m128)
    A2(_mm_cmpge_ps, m128, m128, m128)
    A2(_mm_cmpneq_ps, m128, m128, m128)
    A2(_mm_cmpnlt_ps, m128, m128, m128)
    A2(_mm_cmpnle_ps, m128, m128, m128)
    A2(_mm_cmpngt_ps, m128, m128, m128)
    A2(_mm_cmpnge_ps, m128, m128, m128)
    A2(_mm_cmpord_ps, m128, m128, m128)
    A2(_mm_cmpunord_ps, m128, m128, m128)
    A2(_mm_comieq_ss, int, m128, m128)
    A2(_mm_comilt_ss, int, m128, m128)
    A2(_mm_comile_ss, int, m128, m128)
    A2(_mm_comigt_ss, int, m128, m128)
    A2(_mm_comige_ss, int, m128, m128)
    A2(_mm_comineq_ss, int, m128, m128)
    A2(_mm_ucomieq_ss, int, m128, m128)
    A2(_mm_ucomilt_ss, int, m128, m128)
    A2(_mm_ucomile_ss, int, m128, m128)
    A2(_mm_ucomigt_ss, int, m128, m128)
    A2(_mm_ucomige_ss, int, m128, m128)
    A2(_mm_ucomineq_ss, int, m128, m128)
    A1(_mm_cvtss_si32, int, m128)
    A1(_mm_cvt_ss2si, int, m128)
    A1(_mm_cvtss_si64x, llong, m128)
    A1(_mm_cvttss_si32, int, m128)
    A1(_mm_cvtt_ss2si, int, m128)
    A1(_mm_cvttss_si64x, llong, m128)
    A2(_mm_cvtsi32_ss, m128, m128, int)
    A2(_mm_cvt_si2ss, m128, m128, int)
    A2(_mm_cvtsi64_ss, m128, m128, llong)
    A2(_mm_cvtsi64x_ss, m128, m128, llong)
    A1(_mm_cvtss_f32, float, m128)
    A2(_mm_move_ss, m128, m128, m128)
    A2(_mm_move_sd, m128d, m128d, m128d)
    A1(_mm_cvtsd_f64, double, m128d)
    A1(_mm_cvtsi128_si32, int, m128i)
    A1(_mm_cvtsi128_si64x, llong, m128i)
    A2(_mm_add_pd, m128d, m128d, m128d)
    A2(_mm_add_sd, m128d, m128d, m128d)
    A2(_mm_sub_pd, m128d, m128d, m128d)
    A2(_mm_sub_sd, m128d, m128d, m128d)
    A2(_mm_mul_pd, m128d, m128d, m128d)
    A2(_mm_mul_sd, m128d, m128d, m128d)
    A2(_mm_div_pd, m128d, m128d, m128d)
    A2(_mm_div_sd, m128d, m128d, m128d)
    A1(_mm_sqrt_pd, m128d, m128d)
    A2(_mm_sqrt_sd, m128d, m128d, m128d)
    A2(_mm_min_pd, m128d, m128d, m128d)
    A2(_mm_min_sd, m128d, m128d, m128d)
    A2(_mm_max_pd, m128d, m128d, m128d)
    A2(_mm_max_sd, m128d, m128d, m128d)
    A2(_mm_and_pd, m128d, m128d, m128d)
    A2(_mm_andnot_pd, m128d, m128d, m128d)
    A2(_mm_or_pd, m128d, m128d, m128d)
    A2(_mm_xor_pd, m128d, m128d, m128d)
    A2(_mm_cmpeq_pd, m128d, m128d, m128d)
    A2(_mm_cmplt_pd, m128d, m128d, m128d)
    A2(_mm_cmple_pd, m128d, m128d, m128d)
    A2(_mm_cmpgt_pd, m128d, m128d, m128d)
    A2(_mm_cmpge_pd, m128d, m128d, m128d)
    A2(_mm_cmpneq_pd, m128d, m128d, m128d)
    A2(_mm_cmpnlt_pd, m128d, m128d, m128d)
    A2(_mm_cmpnle_pd, m128d, m128d, m128d)
    A2(_mm_cmpngt_pd, m128d, m128d, m128d)
    A2(_mm_cmpnge_pd, m128d, m128d, m128d)
    A2(_mm_cmpord_pd, m128d, m128d, m128d)
    A2(_mm_cmpunord_pd, m128d, m128d, m128d)
    A2(_mm_cmpeq_sd, m128d, m128d, m128d)
    A2(_mm_cmplt_sd, m128d, m128d, m128d)
    A2(_mm_cmple_sd, m128d, m128d, m128d)
    A2(_mm_cmpgt_sd, m128d, m128d, m128d)
    A2(_mm_cmpge_sd, m128d, m128d, m128d)
    A2(_mm_cmpneq_sd, m128d, m128d, m128d)
    A2(_mm_cmpnlt_sd, m128d, m128d, m128d)
    A2(_mm_cmpnle_sd, m128d, m128d, m128d)
    A2(_mm_cmpngt_sd, m128d, m128d, m128d)
    A2(_mm_cmpnge_sd, m128d, m128d, m128d)
    A2(_mm_cmpord_sd, m128d, m128d, m128d)
    A2(_mm_cmpunord_sd, m128d, m128d, m128d)
    A2(_mm_comieq_sd, int, m128d, m128d)
    A2(_mm_comilt_sd, int, m128d, m128d)
    A2(_mm_comile_sd, int, m128d, m128d)
    A2(_mm_comigt_sd, int, m128d, m128d)
    A2(_mm_comige_sd, int, m128d, m128d)
    A2(_mm_comineq_sd, int, m128d, m128d)
    A2(_mm_ucomieq_sd, int, m128d, m128d)
    A2(_mm_ucomilt_sd, int, m128d, m128d)
    A2(_mm_ucomile_sd, int, m128d, m128d)
    A2(_mm_ucomigt_sd, int, m128d, m128d)
    A2(_mm_ucomige_sd, int, m128d, m128d)
    A2(_mm_ucomineq_sd, int, m128d, m128d)
    A1(_mm_move_epi64, m128i, m128i)
    A1(_mm_cvtepi32_pd, m128d, m128i)
    A1(_mm_cvtepi32_ps, m128, m128i)
    A1(_mm_cvtpd_epi32, m128i, m128d)
    A1(_mm_cvtpd_ps, m128, m128d)
    A1(_mm_cvttpd_epi32, m128i, m128d)
    A1(_mm_cvtps_epi32, m128i, m128)
    A1(_mm_cvttps_epi32, m128i, m128)
    A1(_mm_cvtps_pd, m128d, m128)
    A1(_mm_cvtsd_si32, int, m128d)
    A1(_mm_cvtsd_si64x, llong, m128d)
    A1(_mm_cvttsd_si32, int, m128d)
    A1(_mm_cvttsd_si64x, llong, m128d)
    A2(_mm_cvtsd_ss, m128, m128, m128d)
    A2(_mm_cvtsi32_sd, m128d, m128d, int)
    A2(_mm_cvtsi64_sd, m128d, m128d, llong)
    A2(_mm_cvtsi64x_sd, m128d, m128d, llong)
    A2(_mm_cvtss_sd, m128d, m128d, m128)
#define M(k) MIX(m128d, _mm_shuffle_pd(in_m128d(i), in_m128d(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_shuffle_pd");
#undef M
    A2(_mm_unpackhi_pd, m128d, m128d, m128d)
    A2(_mm_unpacklo_pd, m128d, m128d, m128d)
    A2(_mm_packs_epi16, m128i, m128i, m128i)
    A2(_mm_packs_epi32, m128i, m128i, m128i)
    A2(_mm_packus_epi16, m128i, m128i, m128i)
    A2(_mm_unpackhi_epi8, m128i, m128i, m128i)
    A2(_mm_unpackhi_epi16, m128i, m128i, m128i)
    A2(_mm_unpackhi_epi32, m128i, m128i, m128i)
    A2(_mm_unpackhi_epi64, m128i, m128i, m128i)
    A2(_mm_unpacklo_epi8, m128i, m128i, m128i)
    A2(_mm_unpacklo_epi16, m128i, m128i, m128i)
    A2(_mm_unpacklo_epi32, m128i, m128i, m128i)
    A2(_mm_unpacklo_epi64, m128i, m128i, m128i)
    A2(_mm_add_epi8, m128i, m128i, m128i)
    A2(_mm_add_epi16, m128i, m128i, m128i)
    A2(_mm_add_epi32, m128i, m128i, m128i)
    A2(_mm_add_epi64, m128i, m128i, m128i)
    A2(_mm_adds_epi8, m128i, m128i, m128i)
    A2(_mm_adds_epi16, m128i, m128i, m128i)
    A2(_mm_adds_epu8, m128i, m128i, m128i)
    A2(_mm_adds_epu16, m128i, m128i, m128i)
    A2(_mm_sub_epi8, m128i, m128i, m128i)
    A2(_mm_sub_epi16, m128i, m128i, m128i)
    A2(_mm_sub_epi32, m128i, m128i, m128i)
    A2(_mm_sub_epi64, m128i, m128i, m128i)
    A2(_mm_subs_epi8, m128i, m128i, m128i)
    A2(_mm_subs_epi16, m128i, m128i, m128i)
    A2(_mm_subs_epu8, m128i, m128i, m128i)
    A2(_mm_subs_epu16, m128i, m128i, m128i)
    A2(_mm_madd_epi16, m128i, m128i, m128i)
    A2(_mm_mulhi_epi16, m128i, m128i, m128i)
    A2(_mm_mullo_epi16, m128i, m128i, m128i)
    A2(_mm_mul_epu32, m128i, m128i, m128i)
    A2(_mm_slli_epi16, m128i, m128i, int)
    A2(_mm_slli_epi32, m128i, m128i, int)
    A2(_mm_slli_epi64, m128i, m128i, int)
    A2(_mm_srai_epi16, m128i, m128i, int)
    A2(_mm_srai_epi32, m128i, m128i, int)
#define M(k) MIX(m128i, _mm_bsrli_si128(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_bsrli_si128");
#undef M
#define M(k) MIX(m128i, _mm_bslli_si128(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_bslli_si128");
#undef M
#define M(k) MIX(m128i, _mm_srli_si128(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_srli_si128");
#undef M
#define M(k) MIX(m128i, _mm_slli_si128(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_slli_si128");
#undef M
    A2(_mm_srli_epi16, m128i, m128i, int)
    A2(_mm_srli_epi32, m128i, m128i, int)
    A2(_mm_srli_epi64, m128i, m128i, int)
    A2(_mm_sll_epi16, m128i, m128i, m128i)
    A2(_mm_sll_epi32, m128i, m128i, m128i)
    A2(_mm_sll_epi64, m128i, m128i, m128i)
    A2(_mm_sra_epi16, m128i, m128i, m128i)
    A2(_mm_sra_epi32, m128i, m128i, m128i)
    A2(_mm_srl_epi16, m128i, m128i, m128i)
    A2(_mm_srl_epi32, m128i, m128i, m128i)
    A2(_mm_srl_epi64, m128i, m128i, m128i)
    A2(_mm_and_si128, m128i, m128i, m128i)
    A2(_mm_andnot_si128, m128i, m128i, m128i)
    A2(_mm_or_si128, m128i, m128i, m128i)
    A2(_mm_xor_si128, m128i, m128i, m128i)
    A2(_mm_cmpeq_epi8, m128i, m128i, m128i)
    A2(_mm_cmpeq_epi16, m128i, m128i, m128i)
    A2(_mm_cmpeq_epi32, m128i, m128i, m128i)
    A2(_mm_cmplt_epi8, m128i, m128i, m128i)
    A2(_mm_cmplt_epi16, m128i, m128i, m128i)
    A2(_mm_cmplt_epi32, m128i, m128i, m128i)
    A2(_mm_cmpgt_epi8, m128i, m128i, m128i)
    A2(_mm_cmpgt_epi16, m128i, m128i, m128i)
    A2(_mm_cmpgt_epi32, m128i, m128i, m128i)
    A2(_mm_max_epi16, m128i, m128i, m128i)
    A2(_mm_max_epu8, m128i, m128i, m128i)
    A2(_mm_min_epi16, m128i, m128i, m128i)
    A2(_mm_min_epu8, m128i, m128i, m128i)
    A2(_mm_mulhi_epu16, m128i, m128i, m128i)
#define M(k) MIX(m128i, _mm_shufflehi_epi16(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_shufflehi_epi16");
#undef M
#define M(k) MIX(m128i, _mm_shufflelo_epi16(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_shufflelo_epi16");
#undef M
#define M(k) MIX(m128i, _mm_shuffle_epi32(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_shuffle_epi32");
#undef M
    A2(_mm_avg_epu8, m128i, m128i, m128i)
    A2(_mm_avg_epu16, m128i, m128i, m128i)
    A2(_mm_sad_epu8, m128i, m128i, m128i)
    A1(_mm_cvtsi32_si128, m128i, int)
    A1(_mm_cvtsi64_si128, m128i, llong)
    A1(_mm_cvtsi64x_si128, m128i, llong)
    // Rounding by mxcsr, and its flags.
    for (unsigned mode = 0; mode < 4; mode++) {
        _mm_setcsr(0x1f80 | mode << 13);
        A1(_mm_cvtps_epi32, m128i, m128)
        A2(_mm_div_pd, m128d, m128d, m128d)
        A1(_mm_cvtpd_ps, m128, m128d)
        printf("mode %u\n", mode);
    }
    _mm_setcsr(0x1f80 | 0x8040);
    A2(_mm_mul_ps, m128, m128, m128)
    _mm_setcsr(0x1f80);
    // Stores past the caches, and under a mask.
    static uint64_t memory[8] __attribute__((aligned(64)));
    for (int i = 0; i < INPUTS; i++) {
        _mm_stream_si128((m128i *)memory, in_m128i(i));
        _mm_stream_pd((double *)memory + 2, in_m128d(i));
        _mm_stream_si64((llong *)memory + 4, in_llong(i));
        _mm_maskmoveu_si128(in_m128i(i), in_m128i(i + 3), (char *)memory + 35);
        _mm_sfence();
        mix(memory, 64);
    }
    done("stores");
    return 0;
}

// The intrinsics of FMA and F16C, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A3(_mm_fmadd_pd, m128d, m128d, m128d, m128d)
    A3(_mm256_fmadd_pd, m256d, m256d, m256d, m256d)
    A3(_mm_fmadd_ps, m128, m128, m128, m128)
    A3(_mm256_fmadd_ps, m256, m256, m256, m256)
    A3(_mm_fmadd_sd, m128d, m128d, m128d, m128d)
    A3(_mm_fmadd_ss, m128, m128, m128, m128)
    A3(_mm_fmsub_pd, m128d, m128d, m128d, m128d)
    A3(_mm256_fmsub_pd, m256d, m256d, m256d, m256d)
    A3(_mm_fmsub_ps, m128, m128, m128, m128)
    A3(_mm256_fmsub_ps, m256, m256, m256, m256)
    A3(_mm_fmsub_sd, m128d, m128d, m128d, m128d)
    A3(_mm_fmsub_ss, m128, m128, m128, m128)
    A3(_mm_fnmadd_pd, m128d, m128d, m128d, m128d)
    A3(_mm256_fnmadd_pd, m256d, m256d, m256d, m256d)
    A3(_mm_fnmadd_ps, m128, m128, m128, m128)
    A3(_mm256_fnmadd_ps, m256, m256, m256, m256)
    A3(_mm_fnmadd_sd, m128d, m128d, m128d, m128d)
    A3(_mm_fnmadd_ss, m128, m128, m128, m128)
    A3(_mm_fnmsub_pd, m128d, m128d, m128d, m128d)
    A3(_mm256_fnmsub_pd, m256d, m256d, m256d, m256d)
    A3(_mm_fnmsub_ps, m128, m128, m128, m128)
    A3(_mm256_fnmsub_ps, m256, m256, m256, m256)
    A3(_mm_fnmsub_sd, m128d, m128d, m128d, m128d)
    A3(_mm_fnmsub_ss, m128, m128, m128, m128)
    A3(_mm_fmaddsub_pd, m128d, m128d, m128d, m128d)
    A3(_mm256_fmaddsub_pd, m256d, m256d, m256d, m256d)
    A3(_mm_fmaddsub_ps, m128, m128, m128, m128)
    A3(_mm256_fmaddsub_ps, m256, m256, m256, m256)
    A3(_mm_fmsubadd_pd, m128d, m128d, m128d, m128d)
    A3(_mm256_fmsubadd_pd, m256d, m256d, m256d, m256d)
    A3(_mm_fmsubadd_ps, m128, m128, m128, m128)
    A3(_mm256_fmsubadd_ps, m256, m256, m256, m256)
    A1(_cvtsh_ss, float, ushort)
    A1(_mm_cvtph_ps, m128, m128i)
    A1(_mm256_cvtph_ps, m256, m128i)
#define M(k) MIX(ushort, _cvtss_sh(in_float(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_cvtss_sh");
#undef M
#define M(k) MIX(m128i, _mm_cvtps_ph(in_m128(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_cvtps_ph");
#undef M
#define M(k) MIX(m128i, _mm256_cvtps_ph(in_m256(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm256_cvtps_ph");
#undef M
    return 0;
}

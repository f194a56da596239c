// The intrinsics of AES and PCLMULQDQ, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A2(_mm_aesdec_si128, m128i, m128i, m128i)
    A2(_mm_aesdeclast_si128, m128i, m128i, m128i)
    A2(_mm_aesenc_si128, m128i, m128i, m128i)
    A2(_mm_aesenclast_si128, m128i, m128i, m128i)
    A1(_mm_aesimc_si128, m128i, m128i)
#define M(k) MIX(m128i, _mm_aeskeygenassist_si128(in_m128i(i), k));
    for (int i = 0; i < INPUTS; i++) { EACH8(M) }
    done("_mm_aeskeygenassist_si128");
#undef M
#define M(k) MIX(m128i, _mm_clmulepi64_si128(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm_clmulepi64_si128");
#undef M
    return 0;
}

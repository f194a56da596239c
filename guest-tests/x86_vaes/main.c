// The intrinsics of VAES and VPCLMULQDQ, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A2(_mm256_aesdec_epi128, m256i, m256i, m256i)
    A2(_mm256_aesdeclast_epi128, m256i, m256i, m256i)
    A2(_mm256_aesenc_epi128, m256i, m256i, m256i)
    A2(_mm256_aesenclast_epi128, m256i, m256i, m256i)
#define M(k) MIX(m256i, _mm256_clmulepi64_epi128(in_m256i(i), in_m256i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH8(M) }
    done("_mm256_clmulepi64_epi128");
#undef M
    return 0;
}

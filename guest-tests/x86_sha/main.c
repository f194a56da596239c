// The intrinsics of SHA, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A2(_mm_sha1msg1_epu32, m128i, m128i, m128i)
    A2(_mm_sha1msg2_epu32, m128i, m128i, m128i)
    A2(_mm_sha1nexte_epu32, m128i, m128i, m128i)
#define M(k) MIX(m128i, _mm_sha1rnds4_epu32(in_m128i(i), in_m128i(j), k));
    for (int i = 0; i < INPUTS; i++) for (int j = 0; j < INPUTS; j++) { EACH2(M) }
    done("_mm_sha1rnds4_epu32");
#undef M
    A2(_mm_sha256msg1_epu32, m128i, m128i, m128i)
    A2(_mm_sha256msg2_epu32, m128i, m128i, m128i)
    A3(_mm_sha256rnds2_epu32, m128i, m128i, m128i, m128i)
    return 0;
}

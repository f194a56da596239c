/* y = a * x + y on vectors of four singles: NEON, or SSE. */
#include "kernel.h"
typedef float four __attribute__((vector_size(16)));
#define SIZE 4096
static four x[SIZE], y[SIZE];
uint64_t work(long n) {
    for (int i = 0; i < SIZE; i++) x[i] = (four){i, i + 1, i + 2, i + 3} / 1000, y[i] = (four){1, 2, 3, 4};
    for (long r = 0; r < n; r++) {
        four a = {0.5f, 0.25f, -0.5f, -0.25f};
        for (int i = 0; i < SIZE; i++) y[i] = a * x[i] + y[i];
    }
    double sum = 0;
    for (int i = 0; i < SIZE; i++) sum += y[i][0] + y[i][1] + y[i][2] + y[i][3];
    return (uint64_t)(int64_t)sum;
}

/* Double-precision multiply and add. */
#include "kernel.h"
#include <string.h>
#define N 96
static double a[N][N], b[N][N], c[N][N];
uint64_t work(long n) {
    uint64_t bits = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = i + j * 0.5, b[i][j] = i * 0.25 - j;
    for (long r = 0; r < n; r++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double s = c[i][j] * 0.5;
                for (int k = 0; k < N; k++) s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
        memcpy(&bits, &c[r % N][(r * 7) % N], sizeof bits);
    }
    return bits;
}

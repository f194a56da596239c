/* A product of matrices in single precision. */
#include "kernel.h"
#define SIZE 96
static float a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];
uint64_t work(long n) {
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) a[i][j] = (i * 7 + j) % 13, b[i][j] = (i + j * 5) % 11;
    for (long r = 0; r < n; r++)
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++) {
                float sum = 0;
                for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
                c[i][j] = sum + r;
            }
    double sum = 0;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) sum += c[i][j];
    return (uint64_t)sum;
}

/* Transcendental functions by series and Newton's method, without a library. */
#include "kernel.h"
static double sine(double x) {
    double term = x, sum = x;
    for (int i = 1; i < 12; i++) term *= -x * x / (2 * i * (2 * i + 1)), sum += term;
    return sum;
}
static double power_of_e(double x) {
    int whole = (int)(x * 1.4426950408889634);
    double rest = x - whole * 0.6931471805599453, term = 1, sum = 1;
    for (int i = 1; i < 14; i++) term *= rest / i, sum += term;
    for (; whole > 0; whole--) sum *= 2;
    for (; whole < 0; whole++) sum /= 2;
    return sum;
}
static double logarithm(double x) {
    double y = 0;
    for (int i = 0; i < 4; i++) {
        double e = power_of_e(y);
        y += 2 * (x - e) / (x + e);
    }
    return y;
}
static double root(double x) {
    double y = x > 1 ? x : 1;
    for (int i = 0; i < 6; i++) y = (y + x / y) / 2;
    return y;
}
uint64_t work(long n) {
    double sum = 0;
    for (long i = 0; i < n * 2000; i++) {
        double x = (double)(i % 1000) / 500 + 0.01;
        sum += sine(x) + power_of_e(x) + logarithm(x) + root(x);
    }
    return (uint64_t)(sum * 1000);
}

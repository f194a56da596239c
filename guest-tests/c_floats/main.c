// Floating point: printing and reading of doubles and long doubles, rounding, and what the hardware computes.
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void bits(const char *what, double d) {
    unsigned long long u;
    memcpy(&u, &d, sizeof u);
    printf("%s %016llx %.17g %a\n", what, u, d, d);
}

int main(void) {
    volatile double zero = 0, one = 1, three = 3;
    double values[] = {0.1,     1e23,    123456789.125, -0.0,     DBL_MAX, DBL_MIN, 5e-324, 1.5e300, 2.5,
                       1.0 / 3, 1e-5,    9007199254740993., 0.5, 1e15, 1e16, 1e17};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
        printf("%g %e %.0f %.3f %25.20f|%-15.4e|%+g %#g %a\n", values[i], values[i], values[i] > 1e20 ? 0 : values[i],
               values[i] > 1e20 ? 0 : values[i], values[i] > 1e20 ? 0 : values[i], values[i], values[i], values[i],
               values[i]);
    const char *texts[] = {"1e400", "-1e-400", "0x1.8p3", "inf", "nan", "  12.5abc", "2.3e-308",
                           "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880"};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *end;
        double d = strtod(texts[i], &end);
        if (d != d)
            printf("nan, rest %s\n", end);
        else
            bits("strtod", d);
    }
    bits("inf", one / zero);
    printf("nan %d %d\n", zero / zero != zero / zero, isnan(zero / zero) != 0);
    bits("third", one / three);
    bits("sqrt", sqrt(three));
    bits("fma", fma(one / three, three, -one));
    bits("sin", sin(1e6));
    bits("cos", cos(three));
    bits("exp", exp(three));
    bits("log", log(three));
    bits("pow", pow(three, one / three));
    bits("atan2", atan2(one, -three));
    bits("cbrt", cbrt(three));
    bits("tgamma", tgamma(5.5));
    bits("fmod", fmod(1e20, three));
    bits("remainder", remainder(7.5, three));
    bits("nextafter", nextafter(one, 2));
    bits("ldexp", ldexp(three, -1060));
    int exponent;
    bits("frexp", frexp(1e100, &exponent));
    printf("exponent %d\n", exponent);
    int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    for (int i = 0; i < 4; i++) {
        fesetround(modes[i]);
        volatile double r = one / three, h = 2.5, m = -2.5;
        printf("mode %d: %.20f %g %g %ld %ld\n", i, r, rint(h), rint(m), lrint(h), lrint(m));
    }
    fesetround(FE_TONEAREST);
    volatile float f = 16777216.0f, g = 1.1f;
    printf("float %.9g %.9g %d %d\n", f + 1, g * g, (int)g, (int)-1.9f);
    volatile double big = 3e9, negative = -1e18;
    printf("convert %u %ld %llu %lld\n", (unsigned)big, (long)negative, (unsigned long long)1.8e19, (long long)big);
    volatile long long i64 = 0x7fffffffffffffff;
    volatile unsigned long long u64 = 0xfffffffffffffc01;
    bits("from i64", i64);
    bits("from u64", u64);
    // Of a long double, only what 80 and 128 bits have in common.
    volatile long double l = 1.0L / 4, huge = 1e300L;
    printf("long double %Lg %.10Lf %d %Le\n", l, sqrtl(2.0L), huge * huge > DBL_MAX, huge * huge);
    l = strtold("1e4000", NULL);
    printf("%.15Lg %Lg\n", l, l / 1e3999L);
    l = 9007199254740993.0L;
    printf("%.1Lf %.1f %lld\n", l, (double)l, (long long)l);
    printf("%.12Lg %.12Lg %.12Lg\n", sinl(1), expl(1), powl(2, 0.5L));
    return 0;
}

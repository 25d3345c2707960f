// Double-precision arithmetic and the math library, one function per kernel.
//
// Launch: one-dimensional; the thread with index i computes out[i] from x[i] and y[i], for i < n.
#include <hip/hip_runtime.h>

#define FUNCTION(NAME, EXPRESSION)                                                               \
    extern "C" __global__ void f64_##NAME(const double *x, const double *y, double *out, int n) { \
        int i = blockIdx.x * blockDim.x + threadIdx.x;                                           \
        if (i < n) {                                                                             \
            double a = x[i], b = y[i];                                                           \
            (void)b;                                                                             \
            out[i] = EXPRESSION;                                                                 \
        }                                                                                        \
    }

FUNCTION(sin, sin(a))
FUNCTION(cos, cos(a))
FUNCTION(tan, tan(a))
FUNCTION(asin, asin(a))
FUNCTION(atan2, atan2(a, b))
FUNCTION(tanh, tanh(a))

FUNCTION(exp, exp(a))
FUNCTION(log, log(a))
FUNCTION(log2, log2(a))
FUNCTION(pow, pow(a, b))
FUNCTION(sqrt, sqrt(a))
FUNCTION(rsqrt, rsqrt(a))
FUNCTION(cbrt, cbrt(a))

FUNCTION(erf, erf(a))
FUNCTION(tgamma, tgamma(a))

FUNCTION(div, a / b)
FUNCTION(fmod, fmod(a, b))
FUNCTION(fma, fma(a, b, a))

FUNCTION(floor, floor(a))
FUNCTION(ceil, ceil(a))
FUNCTION(trunc, trunc(a))
FUNCTION(round, round(a))
FUNCTION(rint, rint(a))

FUNCTION(minmax, fmin(a, b) * fmax(a, 2.0))
FUNCTION(ldexp, ldexp(a, (int)b))
// To narrower types and back; a is not negative, and all values fit.
FUNCTION(convert, (double)(float)a + (double)(int)b + (double)(unsigned)a + (double)(long long)b +
                      (double)(unsigned long long)a)

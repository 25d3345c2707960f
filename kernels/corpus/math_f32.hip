// Single-precision arithmetic and the math library, one function per kernel.
//
// Launch: one-dimensional; the thread with index i computes out[i] from x[i] and y[i], for i < n.
#include <hip/hip_runtime.h>

#define FUNCTION(NAME, EXPRESSION)                                                               \
    extern "C" __global__ void f32_##NAME(const float *x, const float *y, float *out, int n) {   \
        int i = blockIdx.x * blockDim.x + threadIdx.x;                                           \
        if (i < n) {                                                                             \
            float a = x[i], b = y[i];                                                            \
            (void)b;                                                                             \
            out[i] = EXPRESSION;                                                                 \
        }                                                                                        \
    }

// Trigonometry.
FUNCTION(sin, sinf(a))
FUNCTION(cos, cosf(a))
FUNCTION(tan, tanf(a))
FUNCTION(asin, asinf(a))
FUNCTION(acos, acosf(a))
FUNCTION(atan, atanf(a))
FUNCTION(atan2, atan2f(a, b))
FUNCTION(sinh, sinhf(a))
FUNCTION(cosh, coshf(a))
FUNCTION(tanh, tanhf(a))

__device__ float sincos_product(float a, float b) {
    float sine, cosine;
    sincosf(a, &sine, &cosine);
    return sine * cosine + b;
}
FUNCTION(sincos, sincos_product(a, b))

// Exponentials, logarithms, powers, roots.
FUNCTION(exp, expf(a))
FUNCTION(exp2, exp2f(a))
FUNCTION(exp10, exp10f(a))
FUNCTION(expm1, expm1f(a))
FUNCTION(log, logf(a))
FUNCTION(log2, log2f(a))
FUNCTION(log10, log10f(a))
FUNCTION(log1p, log1pf(a))
FUNCTION(pow, powf(a, b))
FUNCTION(sqrt, sqrtf(a))
FUNCTION(rsqrt, rsqrtf(a))
FUNCTION(cbrt, cbrtf(a))
FUNCTION(hypot, hypotf(a, b))

// Special functions.
FUNCTION(erf, erff(a))
FUNCTION(erfc, erfcf(a))
FUNCTION(tgamma, tgammaf(a))
FUNCTION(lgamma, lgammaf(a))
FUNCTION(j0, j0f(a))
FUNCTION(normcdf, normcdff(a))

// The hardware's own approximations: each is so coarse that the sum has an absolute error.
FUNCTION(native, __sinf(a) + __cosf(b) + __expf(a) + __logf(b) + __powf(a, b) + __fdividef(a, b))

// Division, remainders, fused multiply-add: exact.
FUNCTION(div, a / b)
FUNCTION(fmod, fmodf(a, b))
FUNCTION(remainder, remainderf(a, b))
FUNCTION(fma, fmaf(a, b, a))

// Rounding to integers.
FUNCTION(floor, floorf(a))
FUNCTION(ceil, ceilf(a))
FUNCTION(trunc, truncf(a))
FUNCTION(round, roundf(a))
FUNCTION(rint, rintf(a))
FUNCTION(lround, (float)lroundf(a) + (float)llrintf(b))
FUNCTION(fract, __builtin_amdgcn_fractf(a))

// Parts of a number.
FUNCTION(ldexp, ldexpf(a, (int)b))
FUNCTION(copysign, copysignf(a, b))
FUNCTION(nextafter, nextafterf(a, b))
FUNCTION(logb, logbf(a))
FUNCTION(classify, isnan(a) ? 1.f : isinf(a) ? 2.f : 0.f)

__device__ float mantissa_and_exponent(float a) {
    int exponent;
    float mantissa = frexpf(a, &exponent);
    return mantissa + exponent;
}
FUNCTION(frexp, mantissa_and_exponent(a))

__device__ float fraction_and_whole(float a) {
    float whole;
    float fraction = modff(a, &whole);
    return fraction * 2 + whole;
}
FUNCTION(modf, fraction_and_whole(a))

// Minima and maxima.
FUNCTION(fmin, fminf(a, b))
FUNCTION(fmax, fmaxf(a, b))
FUNCTION(median, __builtin_amdgcn_fmed3f(a, b, 1.0f))
FUNCTION(saturate, __saturatef(a *b))

// Conversions between types, and C++'s vector types in memory.
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

// Every conversion of the hardware, from and to: floats and doubles to integers, bytes to floats, integers to halves.
// Launch: one workgroup with a thread per element. All values fit into the types that they are converted to.
extern "C" __global__ void conversions(const float *f, const double *d, const unsigned *words, int *i32, unsigned *u32,
                                       long long *i64, unsigned long long *u64, unsigned char *u8, _Float16 *f16,
                                       short2 *i16x2, float *sums) {
    int t = threadIdx.x;
    int whole = (int)f[t] + (int)d[t];
    i32[t] = whole;
    u32[t] = (unsigned)fabsf(f[t]) + (unsigned)fabs(d[t]);
    long long wide = (long long)(f[t] * 0x1p20f) - (long long)(d[t] * 0x1p30);
    i64[t] = wide;
    unsigned long long wide_unsigned = (unsigned long long)fabsf(f[t]) + (unsigned long long)fabs(d[t] * 0x1p30);
    u64[t] = wide_unsigned;
    unsigned char byte = (unsigned char)(fabsf(f[t]) * 0.001f);
    u8[t] = byte;
    _Float16 half = (_Float16)f[t] + (_Float16)d[t] + (_Float16)whole + (_Float16)(unsigned short)words[t];
    f16[t] = half;
    i16x2[t] = make_short2((short)half, (short)f[t]);
    unsigned word = words[t];
    sums[t] = (float)byte + (float)(word >> 24) + (float)((word >> 16) & 255) + (float)((word >> 8) & 255) +
              (float)(word & 255) + (float)wide + (float)wide_unsigned + (float)half +
              __half2float(*(const __half *)&half) + (float)whole + (float)word;
}

// Structs of one to 16 bytes, loaded and stored whole and in parts. Launch: one workgroup with a thread per element.
extern "C" __global__ void vector_members(const ulonglong2 *a, const short4 *b, const uchar4 *c, double2 *d, char3 *e) {
    int t = threadIdx.x;
    ulonglong2 x = a[t];
    short4 y = b[t];
    uchar4 z = c[t];
    d[t] = make_double2((double)x.x + y.x * z.x, (double)x.y - y.w * z.w);
    e[t] = make_char3(y.y, z.z, y.z);
}

// c = a + b on four floats at once. Launch: one-dimensional; thread i computes element i, for i < n.
extern "C" __global__ void add_float4(const float4 *a, const float4 *b, float4 *c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float4 x = a[i], y = b[i];
        c[i] = make_float4(x.x + y.x, x.y + y.y, x.z + y.z, x.w + y.w);
    }
}

// Packed half-precision arithmetic and functions; `less` is a comparison with the sum of them all. (Not among them:
// h2rcp, for which clang 15 leaves a symbol undefined, and h2sin, which is NaN for finite numbers in ROCm 5.2's library.) Launch: one-dimensional; thread i computes element i, for i < n.
extern "C" __global__ void half2_functions(const __half2 *a, const __half2 *b, __half2 *sum, __half2 *less, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        __half2 x = a[i], y = b[i];
        __half2 r = __hfma2(x, y, sum[i]);
        r = __hadd2(r, __hmul2(x, x));
        r = __hsub2(r, h2exp(y));
        r = __hadd2(r, h2sqrt(x));
        r = __hadd2(r, h2rsqrt(y));
        r = __hadd2(r, h2log(y));
        r = __hadd2(r, h2cos(x));
        r = __h2div(r, y);
        sum[i] = r;
        less[i] = __hlt2(r, x);
    }
}

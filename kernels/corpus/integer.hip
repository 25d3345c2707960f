// Integer arithmetic, one operation per kernel: what hipcc makes of it (64-bit division, 16-bit instructions, three-operand
// instructions, carries) is compared with the host, bit for bit.
//
// Launch: one-dimensional; the thread with index i computes out[i] from x[i] and y[i], for i < n.
#include <hip/hip_runtime.h>

typedef long long i64;
typedef unsigned long long u64;
typedef unsigned u32;
typedef unsigned short u16;
typedef unsigned __int128 u128;

#define BINARY(NAME, T, EXPRESSION)                                                              \
    extern "C" __global__ void NAME(const T *x, const T *y, T *out, int n) {                     \
        int i = blockIdx.x * blockDim.x + threadIdx.x;                                           \
        if (i < n) {                                                                             \
            T a = x[i], b = y[i];                                                                \
            (void)b;                                                                             \
            out[i] = EXPRESSION;                                                                 \
        }                                                                                        \
    }

// Division: sequences around reciprocals; y is never 0.
BINARY(div_i64, i64, a / b)
BINARY(rem_i64, i64, a % b)
BINARY(div_u64, u64, a / b)
BINARY(rem_u64, u64, a % b)
BINARY(div_i32, int, a / b)
BINARY(rem_i32, int, a % b)
BINARY(div_u32, u32, a / b)
BINARY(rem_u32, u32, a % b)
BINARY(div_u16, u16, (u16)(a / (b | 1)))
// Division by constants: multiplication by their inverses.
BINARY(div_constants_u32, u32, a / 7 + a % 13)
BINARY(div_constants_i32, int, a / 7 + a % 13)
BINARY(div_constant_u64, u64, a / 1000000007ull)

// Wide products and sums.
BINARY(mul_i64, i64, (i64)((u64)a * (u64)b))
BINARY(mul_high_u64, u64, __umul64hi(a, b))
BINARY(mul_high_i64, i64, __mul64hi(a, b))
BINARY(add_u128, u128, a + b)
BINARY(mul_u128, u128, a * b)

// Shifts; the amount is taken modulo the width.
BINARY(shl_i64, i64, (i64)((u64)a << (b & 63)))
BINARY(shr_i64, i64, a >> (b & 63))
BINARY(shr_u64, u64, a >> (b & 63))
BINARY(shl_u16, u16, (u16)(a << (b & 15)))
BINARY(rotate_u32, u32, (a << (b & 31)) | (a >> (-b & 31)))

// Bits.
BINARY(bit_mix_u32, u32, (a & ~b) | ((a ^ b) >> 3) | ((a << 5) + b) | (a | b) * 3u)
BINARY(bit_select_u32, u32, (a & 0xff00ffu) | (b & ~0xff00ffu))
BINARY(bit_counts_u32, u32, __ffs(a) + __clz(b) + __popc(a ^ b))
BINARY(swap_bytes_u32, u32, __builtin_bswap32(a))
BINARY(swap_bytes_u64, u64, __builtin_bswap64(a))

// Minima, maxima, differences.
BINARY(clamp_i32, int, max(min(a, b), min(max(a, b), 7)))
BINARY(clamp_u32, u32, max(min(a, b), min(max(a, b), 7u)))
BINARY(min_i64, i64, a < b ? a : b)
BINARY(distance_u64, u64, a > b ? a - b : b - a)
BINARY(distance_i32, int, abs((int)((u32)a - (u32)b)))
BINARY(min_i16, short, a < b ? a : b)

// Two operations that the instruction set has one instruction for.
BINARY(xor_add_u32, u32, (a ^ b) + a)
BINARY(shl_or_u32, u32, (a << 4) | b)
BINARY(add_shl_u32, u32, (a + b) << 3)
BINARY(or3_u32, u32, a | b | n)
BINARY(add3_u32, u32, a + b + n)
BINARY(and_or_u32, u32, (a & b) | n)
BINARY(mad24_u32, u32, (a & 0xffffff) * (b & 0xffffff) + n)

// Narrow types: computed in 32 bits, or by the 16-bit and SDWA forms.
BINARY(mad_i16, short, (short)(a * b + a))
BINARY(mul_i8, signed char, (signed char)((signed char)(a >> 1) * b))

// CRC-32 (reflected 0xedb88320) of n bytes per thread, bit by bit. Launch: one-dimensional, exactly one thread per message.
extern "C" __global__ void crc32(const unsigned char *messages, u32 *out, int n) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    u32 crc = ~0u;
    for (int i = 0; i < n; i++) {
        crc ^= messages[t * n + i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
    }
    out[t] = ~crc;
}

// n numbers in [0, 1) per thread from a 64-bit xorshift generator, whose state is kept. Launch: exactly one thread per state.
extern "C" __global__ void xorshift(u64 *states, float *out, int n) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    u64 x = states[t];
    for (int i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[t * n + i] = (float)(x >> 40) * 0x1p-24f;
    }
    states[t] = x;
}

// n rounds of the kind that SHA-2 makes: rotations, majority, choice. Launch: exactly one thread per word.
extern "C" __global__ void hash_rounds(const u32 *in, u32 *out, int n) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    u32 a = in[t], b = 0x6a09e667, c = 0xbb67ae85, d = 0x3c6ef372;
    for (int i = 0; i < n; i++) {
        u32 sum = ((a >> 2) | (a << 30)) ^ ((a >> 13) | (a << 19)) ^ ((a >> 22) | (a << 10));
        u32 majority = (a & b) ^ (a & c) ^ (b & c);
        u32 choice = (a & b) ^ (~a & d);
        u32 next = sum + majority + choice + i;
        d = c;
        c = b;
        b = a;
        a = next;
    }
    out[t] = a ^ b ^ c ^ d;
}

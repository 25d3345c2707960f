// The lanes of a wave among each other.
#include <hip/hip_runtime.h>

// Votes, and what each lane makes of them. Launch: one workgroup of 64 threads.
extern "C" __global__ void votes(const int *in, unsigned long long *ballots, int *out) {
    int t = threadIdx.x;
    int positive = in[t] > 0;
    unsigned long long ballot = __ballot(positive);
    ballots[t] = ballot;
    out[t] = __popcll(ballot & ((1ull << t) - 1)) + __any(positive) + __all(positive) * 2 + __shfl(positive, t ^ 5) +
             __ffsll(ballot) + __clzll(ballot) + __brev(t) + __clz(t) + __popc(t) + __ffs(t) + (int)__lane_id();
}

// Data-parallel primitives, swizzles, permutations, and instructions without an operator in C++. `out` has a row of 64 per
// operation, in the order of the host's table; `clocks` has two rows. Launch: one workgroup of 64 threads.
extern "C" __global__ void intrinsics(const int *x, const int *y, int *out, unsigned long long *clocks) {
    int t = threadIdx.x, a = x[t], b = y[t], row = 0;
    unsigned long long before = __builtin_amdgcn_s_memtime();
    auto keep = [&](int value) { out[64 * row++ + t] = value; };
    keep(__builtin_amdgcn_update_dpp(0, a, 0x111, 0xf, 0xf, false));
    keep(__builtin_amdgcn_update_dpp(0, a, 0x112, 0xf, 0xf, false));
    keep(__builtin_amdgcn_update_dpp(0, a, 0x142, 0xa, 0xf, false));
    keep(__builtin_amdgcn_update_dpp(0, a, 0x143, 0xc, 0xf, false));
    keep(__builtin_amdgcn_mov_dpp(a, 0xb1, 0xf, 0xf, true));
    keep(__builtin_amdgcn_ds_swizzle(a, 0x401f));
    keep(__builtin_amdgcn_ds_bpermute(t * 4 ^ 8, a));
    keep(__builtin_amdgcn_ds_permute(t * 4 ^ 4, a));
    keep(__builtin_amdgcn_readfirstlane(a));
    keep(__builtin_amdgcn_readlane(a, 7));
    keep(__builtin_amdgcn_perm(a, b, 0x06010c04));
    keep(__builtin_amdgcn_alignbit(a, b, 5));
    keep(__builtin_amdgcn_alignbyte(a, b, 3));
    keep(__builtin_amdgcn_ubfe(a, 3, 5));
    keep(__builtin_amdgcn_sbfe(a, 3, 5));
    keep(__builtin_amdgcn_lerp(a, b, 0x01000001));
    keep(__builtin_amdgcn_sad_u8(a, b, 3));
    keep(__builtin_amdgcn_msad_u8(a, b, 3));
    keep(__builtin_amdgcn_sad_u16(a, b, 3));
    keep(__builtin_amdgcn_cvt_pk_u8_f32((float)(a >> 22), 1, b));
    keep(__builtin_amdgcn_mbcnt_hi(a, b));
    keep(__builtin_amdgcn_mbcnt_lo(a, b));
    keep(__usad(a, b, 1));
    keep(__mul24(a, b));
    keep(__umul24(a, b));
    keep(__mulhi(a, b));
    keep(__umulhi(a, b));
    keep(__uhadd(a & 0xffffff, b & 0xffffff));
    keep(__urhadd(a & 0xffffff, b & 0xffffff));
    keep(__byte_perm(a, b, 0x6410));
    // The register MODE: rounding, denormals, clamping.
    keep(__builtin_amdgcn_s_getreg(0xf801));
    clocks[t] = before;
    clocks[64 + t] = __builtin_amdgcn_s_memtime();
}

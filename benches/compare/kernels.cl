// The kernels of kernels/saxpy.hip and kernels/gemm.hip as OpenCL C: the same work per work-item, in the same order.

__kernel void saxpy(float a, __global const float* restrict x, __global float* restrict y, int n) {
    int i = get_global_id(0);
    if (i < n) y[i] = a * x[i] + y[i];
}

__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void
gemm_tile16(__global const float* restrict a, __global const float* restrict b, __global float* restrict c, int m,
            int n, int k) {
    __local float tile_a[16][16];
    __local float tile_b[16][16];
    const int tx = get_local_id(0), ty = get_local_id(1);
    const int row = get_group_id(1) * 16 + ty, col = get_group_id(0) * 16 + tx;
    float sum = 0.0f;
    for (int base = 0; base < k; base += 16) {
        tile_a[ty][tx] = row < m && base + tx < k ? a[(size_t)row * k + base + tx] : 0.0f;
        tile_b[ty][tx] = base + ty < k && col < n ? b[(size_t)(base + ty) * n + col] : 0.0f;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = 0; i < 16; i++) sum += tile_a[ty][i] * tile_b[i][tx];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (row < m && col < n) c[(size_t)row * n + col] = sum;
}

__kernel __attribute__((reqd_work_group_size(256, 1, 1))) void
gemm_block64(__global const float* restrict a, __global const float* restrict b, __global float* restrict c, int m,
             int n, int k) {
    __local float strip_a[16][64];
    __local float4 strip_b[16][16];
    const int t = get_local_id(0), tx = t & 15, ty = t >> 4;
    const int row0 = get_group_id(1) * 64, col0 = get_group_id(0) * 64;
    if (row0 >= m || col0 >= n) return;
    float4 sum0 = 0.0f, sum1 = 0.0f, sum2 = 0.0f, sum3 = 0.0f;
    for (int base = 0; base < k; base += 16) {
        const int row = t >> 2, first = (t & 3) * 4;
        const float4 part = *(__global const float4*)&a[(size_t)(row0 + row) * k + base + first];
        strip_a[first + 0][row] = part.x;
        strip_a[first + 1][row] = part.y;
        strip_a[first + 2][row] = part.z;
        strip_a[first + 3][row] = part.w;
        strip_b[ty][tx] = *(__global const float4*)&b[(size_t)(base + ty) * n + col0 + tx * 4];
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = 0; i < 16; i++) {
            const float4 x = *(__local const float4*)&strip_a[i][ty * 4];
            const float4 y = strip_b[i][tx];
            sum0 += x.x * y;
            sum1 += x.y * y;
            sum2 += x.z * y;
            sum3 += x.w * y;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    __global float* out = &c[(size_t)(row0 + ty * 4) * n + col0 + tx * 4];
    *(__global float4*)out = sum0;
    *(__global float4*)(out + n) = sum1;
    *(__global float4*)(out + 2 * n) = sum2;
    *(__global float4*)(out + 3 * n) = sum3;
}

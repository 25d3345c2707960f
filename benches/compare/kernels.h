// The kernels that are measured, once for both languages: HIP C++ and OpenCL C. ELEMENT is the type of the elements, SUM the
// one in which products are summed.

#ifdef __OPENCL_VERSION__
#ifdef cl_khr_fp16
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#endif
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
#define KERNEL(x, y) __kernel __attribute__((reqd_work_group_size(x, y, 1)))
#define GLOBAL __global
#define LOCAL __local
#define SHARED __local
#define RESTRICT restrict
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#define ITEM_X ((int)get_local_id(0))
#define ITEM_Y ((int)get_local_id(1))
#define GROUP_X ((int)get_group_id(0))
#define GROUP_Y ((int)get_group_id(1))
#define GROUPS_X ((int)get_num_groups(0))
#define GLOBAL_X(size) ((int)get_global_id(0))
#define GLOBAL_Y(size) ((int)get_global_id(1))
#define INCREMENT(p) atomic_inc(p)
#define ADD(p, n) atomic_add(p, n)
#define FMA(a, b, c) fma(a, b, c)
#define RSQRT(x) rsqrt(x)
#else
typedef unsigned int uint;
#define KERNEL(x, y) extern "C" __global__ __launch_bounds__((x) * (y))
#define GLOBAL
#define LOCAL
#define SHARED __shared__
#define RESTRICT __restrict__
#define BARRIER() __syncthreads()
#define ITEM_X ((int)threadIdx.x)
#define ITEM_Y ((int)threadIdx.y)
#define GROUP_X ((int)blockIdx.x)
#define GROUP_Y ((int)blockIdx.y)
#define GROUPS_X ((int)gridDim.x)
#define GLOBAL_X(size) ((int)(blockIdx.x * (size) + threadIdx.x))
#define GLOBAL_Y(size) ((int)(blockIdx.y * (size) + threadIdx.y))
#define INCREMENT(p) atomicAdd(p, 1u)
#define ADD(p, n) atomicAdd(p, n)
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define RSQRT(x) rsqrtf(x)
#endif

typedef ELEMENT ELEMENT4 __attribute__((ext_vector_type(4)));
typedef SUM SUM4 __attribute__((ext_vector_type(4)));
typedef float F2 __attribute__((ext_vector_type(2)));
typedef float F4 __attribute__((ext_vector_type(4)));

KERNEL(64, 1) void empty(void) {}

KERNEL(256, 1) void saxpy(float a, GLOBAL const float* RESTRICT x, GLOBAL float* RESTRICT y, int n) {
    const int i = GLOBAL_X(256);
    if (i < n) y[i] = a * x[i] + y[i];
}

// One element per work-item, tiles of 16 x 16 in LDS.
KERNEL(16, 16) void gemm_tile16(GLOBAL const ELEMENT* RESTRICT a, GLOBAL const ELEMENT* RESTRICT b, GLOBAL ELEMENT* RESTRICT c, int n) {
    SHARED ELEMENT tile_a[16][16];
    SHARED ELEMENT tile_b[16][16];
    const int tx = ITEM_X, ty = ITEM_Y;
    const int row = GROUP_Y * 16 + ty, col = GROUP_X * 16 + tx;
    SUM sum = 0;
    for (int base = 0; base < n; base += 16) {
        tile_a[ty][tx] = row < n && base + tx < n ? a[(size_t)row * n + base + tx] : (ELEMENT)0;
        tile_b[ty][tx] = base + ty < n && col < n ? b[(size_t)(base + ty) * n + col] : (ELEMENT)0;
        BARRIER();
        for (int i = 0; i < 16; i++) sum += (SUM)tile_a[ty][i] * (SUM)tile_b[i][tx];
        BARRIER();
    }
    if (row < n && col < n) c[(size_t)row * n + col] = (ELEMENT)sum;
}

// 4 x 4 elements per work-item in registers, strips of 64 x 16 in LDS.
KERNEL(256, 1) void gemm_block64(GLOBAL const ELEMENT* RESTRICT a, GLOBAL const ELEMENT* RESTRICT b, GLOBAL ELEMENT* RESTRICT c, int n) {
    SHARED ELEMENT strip_a[16][64];
    SHARED ELEMENT4 strip_b[16][16];
    const int t = ITEM_X, tx = t & 15, ty = t >> 4;
    const int row0 = GROUP_Y * 64, col0 = GROUP_X * 64;
    SUM4 sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (int base = 0; base < n; base += 16) {
        const int row = t >> 2, first = (t & 3) * 4;
        const ELEMENT4 part = *(GLOBAL const ELEMENT4*)&a[(size_t)(row0 + row) * n + base + first];
        strip_a[first + 0][row] = part.x;
        strip_a[first + 1][row] = part.y;
        strip_a[first + 2][row] = part.z;
        strip_a[first + 3][row] = part.w;
        strip_b[ty][tx] = *(GLOBAL const ELEMENT4*)&b[(size_t)(base + ty) * n + col0 + tx * 4];
        BARRIER();
        for (int i = 0; i < 16; i++) {
            const SUM4 x = __builtin_convertvector(*(LOCAL const ELEMENT4*)&strip_a[i][ty * 4], SUM4);
            const SUM4 y = __builtin_convertvector(strip_b[i][tx], SUM4);
            sum0 += x.x * y;
            sum1 += x.y * y;
            sum2 += x.z * y;
            sum3 += x.w * y;
        }
        BARRIER();
    }
    GLOBAL ELEMENT* out = &c[(size_t)(row0 + ty * 4) * n + col0 + tx * 4];
    *(GLOBAL ELEMENT4*)out = __builtin_convertvector(sum0, ELEMENT4);
    *(GLOBAL ELEMENT4*)(out + n) = __builtin_convertvector(sum1, ELEMENT4);
    *(GLOBAL ELEMENT4*)(out + 2 * n) = __builtin_convertvector(sum2, ELEMENT4);
    *(GLOBAL ELEMENT4*)(out + 3 * n) = __builtin_convertvector(sum3, ELEMENT4);
}

// A sum per workgroup; n is a multiple of 4096.
KERNEL(256, 1) void reduce(GLOBAL const float* RESTRICT x, GLOBAL float* RESTRICT sums) {
    SHARED float part[256];
    const int t = ITEM_X;
    GLOBAL const float* from = x + (size_t)GROUP_X * 4096 + t;
    float sum = 0;
    for (int i = 0; i < 4096; i += 256) sum += from[i];
    part[t] = sum;
    BARRIER();
    for (int reach = 128; reach > 0; reach >>= 1) {
        if (t < reach) part[t] += part[t + reach];
        BARRIER();
    }
    if (t == 0) sums[GROUP_X] = part[0];
}

// Inclusive sums of each workgroup's 256 elements, and the workgroup's sum.
KERNEL(256, 1) void scan(GLOBAL const uint* RESTRICT x, GLOBAL uint* RESTRICT y, GLOBAL uint* RESTRICT sums, int n) {
    SHARED uint part[2][256];
    const int t = ITEM_X, i = GLOBAL_X(256);
    int from = 0;
    part[0][t] = i < n ? x[i] : 0u;
    BARRIER();
    for (int step = 1; step < 256; step <<= 1) {
        part[1 - from][t] = part[from][t] + (t >= step ? part[from][t - step] : 0u);
        from = 1 - from;
        BARRIER();
    }
    if (i < n) y[i] = part[from][t];
    if (t == 255) sums[GROUP_X] = part[from][t];
}

// Adds to each workgroup's elements the sums of those before it.
KERNEL(256, 1) void scan_add(GLOBAL uint* RESTRICT y, GLOBAL const uint* RESTRICT sums, int n) {
    const int i = GLOBAL_X(256);
    if (GROUP_X > 0 && i < n) y[i] += sums[GROUP_X - 1];
}

// Counts bytes; 4096 words per workgroup.
KERNEL(256, 1) void histogram(GLOBAL const uint* RESTRICT x, GLOBAL uint* counts) {
    SHARED uint bins[256];
    const int t = ITEM_X;
    bins[t] = 0;
    BARRIER();
    GLOBAL const uint* from = x + (size_t)GROUP_X * 4096 + t;
    for (int i = 0; i < 4096; i += 256) {
        const uint word = from[i];
        INCREMENT(&bins[word & 255]);
        INCREMENT(&bins[word >> 8 & 255]);
        INCREMENT(&bins[word >> 16 & 255]);
        INCREMENT(&bins[word >> 24]);
    }
    BARRIER();
    ADD(&counts[t], bins[t]);
}

KERNEL(16, 16) void transpose(GLOBAL const float* RESTRICT x, GLOBAL float* RESTRICT y, int n) {
    SHARED float tile[16][17];
    const int tx = ITEM_X, ty = ITEM_Y;
    tile[ty][tx] = x[(size_t)(GROUP_Y * 16 + ty) * n + GROUP_X * 16 + tx];
    BARRIER();
    y[(size_t)(GROUP_X * 16 + ty) * n + GROUP_Y * 16 + tx] = tile[tx][ty];
}

// Every operation is rounded once, so that all machines count the same.
KERNEL(16, 16) void mandelbrot(GLOBAL uint* RESTRICT counts, int n, int limit) {
    const int col = GLOBAL_X(16), row = GLOBAL_Y(16);
    const float cx = FMA((float)col, 3.0f / n, -2.25f), cy = FMA((float)row, 3.0f / n, -1.5f);
    float x = 0, y = 0;
    int count = 0;
    while (count < limit && FMA(x, x, y * y) <= 4.0f) {
        const float next = FMA(x, x, FMA(-y, y, cx));
        y = FMA(2 * x, y, cy);
        x = next;
        count++;
    }
    counts[(size_t)row * n + col] = count;
}

// The acceleration of each body (x, y, z, mass) by all others; n is a multiple of 256.
KERNEL(256, 1) void nbody(GLOBAL const F4* RESTRICT bodies, GLOBAL F4* RESTRICT result, int n) {
    SHARED F4 tile[256];
    const int t = ITEM_X, i = GLOBAL_X(256);
    const F4 body = bodies[i];
    float ax = 0, ay = 0, az = 0;
    for (int base = 0; base < n; base += 256) {
        tile[t] = bodies[base + t];
        BARRIER();
        for (int j = 0; j < 256; j++) {
            const F4 other = tile[j];
            const float dx = other.x - body.x, dy = other.y - body.y, dz = other.z - body.z;
            const float near = RSQRT(dx * dx + dy * dy + dz * dz + 0.01f);
            const float pull = other.w * near * near * near;
            ax += dx * pull;
            ay += dy * pull;
            az += dz * pull;
        }
        BARRIER();
    }
    F4 sum;
    sum.x = ax;
    sum.y = ay;
    sum.z = az;
    sum.w = 0;
    result[i] = sum;
}

// A transform of 1024 complex numbers per workgroup, radix 2, in LDS; roots has e^(-2 pi i k / 1024), k < 512.
KERNEL(256, 1) void fft(GLOBAL const F2* RESTRICT x, GLOBAL F2* RESTRICT y, GLOBAL const F2* RESTRICT roots) {
    SHARED F2 part[2][1024];
    const int t = ITEM_X;
    const size_t first = (size_t)GROUP_X * 1024;
    for (int i = t; i < 1024; i += 256) part[0][i] = x[first + i];
    BARRIER();
    int from = 0;
    for (int stride = 1; stride < 1024; stride <<= 1) {
        for (int i = t; i < 512; i += 256) {
            const int k = i & (stride - 1);
            const F2 u = part[from][i], v = part[from][i + 512], w = roots[k * (512 / stride)];
            F2 turned;
            turned.x = v.x * w.x - v.y * w.y;
            turned.y = v.x * w.y + v.y * w.x;
            const int to = 2 * i - k;
            part[1 - from][to] = u + turned;
            part[1 - from][to + stride] = u - turned;
        }
        from = 1 - from;
        BARRIER();
    }
    for (int i = t; i < 1024; i += 256) y[first + i] = part[from][i];
}

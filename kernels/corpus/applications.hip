// Small programs of the kinds that GPUs are used for.
#include <hip/hip_runtime.h>

// y = a x + y. Launch: one-dimensional; thread i computes element i, for i < n.
extern "C" __global__ void saxpy(float a, const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}

// The same with 64-bit indices and a stride of the whole grid. Launch: any one-dimensional.
extern "C" __global__ void saxpy_strided(float a, const float *x, float *y, size_t n) {
    size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < n; i += stride) y[i] = a * x[i] + y[i];
}

// Two oblique gradients of a w x h image of bytes and their length; the border is left alone.
// Launch: two-dimensional, a thread per pixel.
extern "C" __global__ void edges(const unsigned char *in, unsigned char *out, int w, int h) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < 1 || y < 1 || x >= w - 1 || y >= h - 1) return;
    auto pixel = [=](int dx, int dy) { return (int)in[(y + dy) * w + x + dx]; };
    int gx = -pixel(-1, -1) - 2 * pixel(-1, 0) - pixel(-1, 1) + pixel(1, -1) + 2 * pixel(1, 0) + pixel(1, 1);
    int gy = -pixel(-1, -1) - 2 * pixel(0, -1) - pixel(1, -1) + pixel(-1, 1) + 2 * pixel(0, 1) + pixel(1, 1);
    float length = sqrtf((float)(gx * gx + gy * gy));
    out[y * w + x] = length > 255.f ? 255 : (unsigned char)length;
}

// One step of n bodies (x, y, z, mass) under gravity softened by `epsilon`: all pairs, 256 bodies of LDS at a time.
// Launch: n / 256 workgroups of 256 threads.
extern "C" __global__ void gravity(const float4 *positions, float4 *velocities, float dt, float epsilon, int n) {
    __shared__ float4 tile[256];
    int i = blockIdx.x * 256 + threadIdx.x;
    float4 own = positions[i];
    float ax = 0, ay = 0, az = 0;
    for (int first = 0; first < n; first += 256) {
        tile[threadIdx.x] = positions[first + threadIdx.x];
        __syncthreads();
#pragma unroll 8
        for (int j = 0; j < 256; j++) {
            float dx = tile[j].x - own.x, dy = tile[j].y - own.y, dz = tile[j].z - own.z;
            float inverse = rsqrtf(dx * dx + dy * dy + dz * dz + epsilon);
            float pull = tile[j].w * inverse * inverse * inverse;
            ax += dx * pull;
            ay += dy * pull;
            az += dz * pull;
        }
        __syncthreads();
    }
    velocities[i].x += ax * dt;
    velocities[i].y += ay * dt;
    velocities[i].z += az * dt;
}

// How many steps z = z^2 + c stays below 2, up to `most`, for c on a grid. Launch: two-dimensional, a thread per pixel.
extern "C" __global__ void mandelbrot(unsigned *out, int w, int h, float x0, float y0, float dx, float dy, int most) {
    int px = blockIdx.x * blockDim.x + threadIdx.x, py = blockIdx.y * blockDim.y + threadIdx.y;
    if (px >= w || py >= h) return;
    float cx = x0 + px * dx, cy = y0 + py * dy, zx = 0, zy = 0;
    int steps = 0;
    while (steps < most && zx * zx + zy * zy < 4.f) {
        float t = zx * zx - zy * zy + cx;
        zy = 2 * zx * zy + cy;
        zx = t;
        steps++;
    }
    out[py * w + px] = steps;
}

// The weighted mean of each inner point and its six neighbours. Launch: three-dimensional, a thread per point.
extern "C" __global__ void stencil_3d(const float *in, float *out, int nx, int ny, int nz) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    int z = blockIdx.z * blockDim.z + threadIdx.z;
    if (x > 0 && y > 0 && z > 0 && x < nx - 1 && y < ny - 1 && z < nz - 1) {
        int i = (z * ny + y) * nx + x;
        float neighbours = in[i - 1] + in[i + 1] + in[i - nx] + in[i + nx] + in[i - nx * ny] + in[i + nx * ny];
        out[i] = 0.4f * in[i] + 0.1f * neighbours;
    }
}

// 3 x 3 convolutions of `channels` images with zeros around them, then max(sum, 0): one output image per blockIdx.z.
// Launch: (ceil(w / block), ceil(h / block), outputs).
extern "C" __global__ void convolution(const float *in, const float *weights, float *out, int channels, int h, int w) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y, k = blockIdx.z;
    if (x >= w || y >= h) return;
    float sum = 0;
    for (int c = 0; c < channels; c++)
        for (int r = -1; r <= 1; r++)
            for (int q = -1; q <= 1; q++) {
                int yy = y + r, xx = x + q;
                float v = yy >= 0 && yy < h && xx >= 0 && xx < w ? in[(c * h + yy) * w + xx] : 0.f;
                sum += v * weights[((k * channels + c) * 3 + r + 1) * 3 + q + 1];
            }
    out[(k * h + y) * w + x] = fmaxf(sum, 0.f);
}

// Prices of European options by the Black-Scholes formula. Launch: one-dimensional; thread i prices option i, for i < n.
extern "C" __global__ void option_prices(const float *spots, const float *strikes, const float *years, float *calls,
                                         float *puts, float rate, float volatility, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float s = spots[i], x = strikes[i], t = years[i];
        float q = volatility * sqrtf(t);
        float d1 = (logf(s / x) + (rate + .5f * volatility * volatility) * t) / q, d2 = d1 - q;
        float a = normcdff(d1), b = normcdff(d2), discount = expf(-rate * t);
        calls[i] = s * a - x * discount * b;
        puts[i] = x * discount * (1 - b) - s * (1 - a);
    }
}

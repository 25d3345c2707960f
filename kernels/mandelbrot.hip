// The Mandelbrot set.

#include <hip/hip_runtime.h>

/// Iterates z = z^2 + c for the point c of each pixel of a `width` x `height` image whose corner is (`left`, `top`) and
/// whose pixels are `scale` apart, and writes to `out` how many of `limit` iterations |z| stays within 2.
///
/// Products and sums are rounded one by one, so that a host gets the same numbers.
///
/// Launch: two dimensions, one work-item per pixel.
extern "C" __global__ void mandelbrot(unsigned* __restrict__ out, int width, int height, float left, float top,
                                      float scale, unsigned limit) {
#pragma clang fp contract(off)
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    float a = left + x * scale, b = top + y * scale, re = 0.0f, im = 0.0f;
    unsigned n = 0;
    while (n < limit && re * re + im * im <= 4.0f) {
        float next = re * re - im * im + a;
        im = 2.0f * re * im + b;
        re = next;
        ++n;
    }
    out[y * width + x] = n;
}

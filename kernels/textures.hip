// Reads and writes through the texture units.

#include <hip/hip_runtime.h>

/// Samples `image` at the centre of each of `width` x `height` squares that cover it, in normalised coordinates.
///
/// Launch: two dimensions, one work-item per element of `out`.
extern "C" __global__ void sample(hipTextureObject_t image, float* __restrict__ out, int width, int height) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < width && y < height)
        out[y * width + x] = tex2D<float>(image, (x + 0.5f) / width, (y + 0.5f) / height);
}

/// Reads elements of `image` where they are: element (x, y) at the centre (x + 0.5, y + 0.5).
///
/// Launch: two dimensions, one work-item per element of `out`.
extern "C" __global__ void fetch(hipTextureObject_t image, float* __restrict__ out, int width, int height) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < width && y < height) out[y * width + x] = tex2D<float>(image, x + 0.5f, y + 0.5f);
}

/// Adds 1 to every element of a surface of `float`s.
///
/// Launch: two dimensions, one work-item per element.
extern "C" __global__ void increment(hipSurfaceObject_t image, int width, int height) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    float value;
    surf2Dread(&value, image, x * sizeof(float), y);
    surf2Dwrite(value + 1.0f, image, x * sizeof(float), y);
}

// Textures and surfaces.
#include <hip/hip_runtime.h>

// One fetch of each kind. `out` has a row of blockDim.x x gridDim.x results for each, in the order of the host's table.
// Launch: a workgroup per row, a thread per column.
extern "C" __global__ void texture_fetches(hipTextureObject_t line, hipTextureObject_t linear, hipTextureObject_t plane,
                                           hipTextureObject_t colours, hipTextureObject_t volume, float *out) {
    int x = threadIdx.x, y = blockIdx.x, size = blockDim.x * gridDim.x;
    float *own = out + y * blockDim.x + x;
    own[0 * size] = tex2D<float>(plane, x + .5f, y + .5f);
    own[1 * size] = tex1D<float>(line, x + .25f);
    own[2 * size] = tex1Dfetch<float>(linear, x);
    own[3 * size] = tex2D<float4>(colours, x, y).w;
    own[4 * size] = tex3D<float>(volume, x + .5f, y + .5f, 1.5f);
    own[5 * size] = tex2DLod<float>(plane, x, y, 0.f);
}

// Adds 1 to each element of a surface of floats. Launch: a workgroup per row, a thread per column.
extern "C" __global__ void surface_increment(hipSurfaceObject_t surface) {
    float v;
    surf2Dread(&v, surface, threadIdx.x * 4, blockIdx.x);
    surf2Dwrite(v + 1, surface, threadIdx.x * 4, blockIdx.x);
}

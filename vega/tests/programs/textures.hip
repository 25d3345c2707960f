// Images of every shape and several formats: copied in and out by the runtime's kernels, written as surfaces, and fetched
// with every filter and addressing mode. Each value is computed on the host, too.
#include "check.h"
#include <cmath>
#include <cstring>
#include <vector>

static hipTextureObject_t bound(hipArray_t array, hipTextureFilterMode filter, hipTextureAddressMode address,
                                bool normalized, hipTextureReadMode read = hipReadModeElementType) {
    hipResourceDesc resource = {};
    resource.resType = hipResourceTypeArray;
    resource.res.array.array = array;
    hipTextureDesc how = {};
    for (auto& mode : how.addressMode) mode = address;
    how.filterMode = filter;
    how.readMode = read;
    how.normalizedCoords = normalized;
    hipTextureObject_t object;
    HIP(hipCreateTextureObject(&object, &resource, &how, nullptr));
    return object;
}

// The texel that an address outside the image stands for; -1 is the border.
static int resolve(int at, int size, hipTextureAddressMode mode) {
    if (mode == hipAddressModeWrap) return ((at % size) + size) % size;
    if (mode == hipAddressModeMirror) {
        int period = ((at % (2 * size)) + 2 * size) % (2 * size);
        return period < size ? period : 2 * size - 1 - period;
    }
    if (mode == hipAddressModeClamp) return at < 0 ? 0 : at >= size ? size - 1 : at;
    return at < 0 || at >= size ? -1 : at;
}

__global__ void fetch_plane(hipTextureObject_t texture, const float2* at, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = tex2D<float>(texture, at[i].x, at[i].y);
}

static void planes() {
    const int sizes[][2] = {{64, 64}, {37, 19}, {300, 5}, {257, 130}};
    for (auto& size : sizes) {
        const int width = size[0], height = size[1];
        std::vector<float> texels(width * height);
        for (size_t i = 0; i < texels.size(); i++) texels[i] = (float)((i * 37) % 1009);
        hipChannelFormatDesc format = hipCreateChannelDesc<float>();
        hipArray_t array;
        HIP(hipMallocArray(&array, &format, width, height, hipArrayDefault));
        HIP(hipMemcpy2DToArray(array, 0, 0, texels.data(), 4 * width, 4 * width, height, hipMemcpyHostToDevice));
        std::vector<float> back(texels.size());
        HIP(hipMemcpy2DFromArray(back.data(), 4 * width, array, 0, 0, 4 * width, height, hipMemcpyDeviceToHost));
        CHECK(back == texels);
        const int n = 2000;
        std::vector<float2> at(n);
        // Eighths of a texel: exact in the eight bits that filters have. Outside of the image, too.
        for (int i = 0; i < n; i++) {
            at[i] = {((i * 29) % (16 * width)) / 8.f - width / 2, ((i * 53) % (16 * height)) / 8.f - height / 2};
        }
        float2* points;
        float* out;
        HIP(hipMalloc(&points, n * sizeof(float2)));
        HIP(hipMalloc(&out, n * sizeof(float)));
        std::vector<float> found(n);
        for (auto filter : {hipFilterModePoint, hipFilterModeLinear}) {
            for (auto mode : {hipAddressModeClamp, hipAddressModeBorder, hipAddressModeWrap, hipAddressModeMirror}) {
                // Only normalised coordinates repeat. Sizes that are no powers of two are not exact then.
                bool normalized = mode == hipAddressModeWrap || mode == hipAddressModeMirror;
                if (normalized && (width & (width - 1) || height & (height - 1))) continue;
                std::vector<float2> given = at;
                if (normalized) {
                    for (auto& point : given) point = {point.x / width, point.y / height};
                }
                HIP(hipMemcpy(points, given.data(), n * sizeof(float2), hipMemcpyHostToDevice));
                hipTextureObject_t object = bound(array, filter, mode, normalized);
                fetch_plane<<<(n + 63) / 64, 64>>>(object, points, out, n);
                HIP(hipGetLastError());
                HIP(hipMemcpy(found.data(), out, n * sizeof(float), hipMemcpyDeviceToHost));
                HIP(hipDestroyTextureObject(object));
                auto texel = [&](int x, int y) {
                    x = resolve(x, width, mode);
                    y = resolve(y, height, mode);
                    return x < 0 || y < 0 ? 0.f : texels[y * width + x];
                };
                for (int i = 0; i < n; i++) {
                    float x = at[i].x, y = at[i].y, expected;
                    if (filter == hipFilterModePoint) {
                        expected = texel((int)std::floor(x), (int)std::floor(y));
                    } else {
                        x -= .5f, y -= .5f;
                        int left = (int)std::floor(x), top = (int)std::floor(y);
                        float a = x - left, b = y - top;
                        expected = (1 - a) * (1 - b) * texel(left, top) + a * (1 - b) * texel(left + 1, top) +
                                   (1 - a) * b * texel(left, top + 1) + a * b * texel(left + 1, top + 1);
                    }
                    if (std::fabs(found[i] - expected) > 0.001f) {
                        std::fprintf(stderr, "%d x %d, filter %d, mode %d at %g, %g: %g, not %g\n", width, height, filter,
                                     mode, at[i].x, at[i].y, found[i], expected);
                        std::exit(1);
                    }
                }
            }
        }
        HIP(hipFree(points));
        HIP(hipFree(out));
        HIP(hipFreeArray(array));
    }
}

template <typename T> __global__ void turn(hipSurfaceObject_t from, hipSurfaceObject_t to, int width, int height) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= width) return;
    T value;
    surf2Dread(&value, from, x * (int)sizeof(T), y);
    surf2Dwrite(value, to, (width - 1 - x) * (int)sizeof(T), height - 1 - y);
}

static hipSurfaceObject_t surface(hipArray_t array) {
    hipResourceDesc resource = {};
    resource.resType = hipResourceTypeArray;
    resource.res.array.array = array;
    hipSurfaceObject_t object;
    HIP(hipCreateSurfaceObject(&object, &resource));
    return object;
}

// An image turned around, in elements of one size.
template <typename T> static void turned(int width, int height) {
    std::vector<T> texels(width * height), found(width * height);
    auto* bytes = (unsigned char*)texels.data();
    for (size_t i = 0; i < texels.size() * sizeof(T); i++) bytes[i] = (unsigned char)(i * 151 + i / 256);
    hipChannelFormatDesc format = hipCreateChannelDesc<T>();
    hipArray_t from, to;
    HIP(hipMallocArray(&from, &format, width, height, hipArrayDefault));
    HIP(hipMallocArray(&to, &format, width, height, hipArrayDefault));
    size_t pitch = width * sizeof(T);
    HIP(hipMemcpy2DToArray(from, 0, 0, texels.data(), pitch, pitch, height, hipMemcpyHostToDevice));
    hipSurfaceObject_t source = surface(from), target = surface(to);
    turn<T><<<dim3((width + 63) / 64, height), 64>>>(source, target, width, height);
    HIP(hipGetLastError());
    HIP(hipMemcpy2DFromArray(found.data(), pitch, to, 0, 0, pitch, height, hipMemcpyDeviceToHost));
    for (size_t i = 0; i < texels.size(); i++) {
        if (std::memcmp(&found[i], &texels[texels.size() - 1 - i], sizeof(T)) != 0) {
            std::fprintf(stderr, "%zu bytes, %d x %d: texel %zu is wrong\n", sizeof(T), width, height, i);
            std::exit(1);
        }
    }
    HIP(hipDestroySurfaceObject(source));
    HIP(hipDestroySurfaceObject(target));
    HIP(hipFreeArray(from));
    HIP(hipFreeArray(to));
}

__global__ void fetch_volume(hipTextureObject_t texture, float* out, int width, int height) {
    int x = threadIdx.x, y = blockIdx.x, z = blockIdx.y;
    out[(z * height + y) * width + x] = tex3D<float>(texture, x + .75f, y + .5f, z + .5f);
}

static void volumes() {
    const int width = 40, height = 21, depth = 13;
    std::vector<float> texels(width * height * depth), found(texels.size());
    for (size_t i = 0; i < texels.size(); i++) texels[i] = (float)(i % 4096);
    hipChannelFormatDesc format = hipCreateChannelDesc<float>();
    hipArray_t array;
    HIP(hipMalloc3DArray(&array, &format, make_hipExtent(width, height, depth), hipArrayDefault));
    hipMemcpy3DParms copy = {};
    copy.srcPtr = make_hipPitchedPtr(texels.data(), 4 * width, width, height);
    copy.dstArray = array;
    copy.extent = make_hipExtent(width, height, depth);
    copy.kind = hipMemcpyHostToDevice;
    HIP(hipMemcpy3D(&copy));
    float* out;
    HIP(hipMalloc(&out, 4 * found.size()));
    hipTextureObject_t object = bound(array, hipFilterModeLinear, hipAddressModeClamp, false);
    fetch_volume<<<dim3(height, depth), width>>>(object, out, width, height);
    HIP(hipGetLastError());
    HIP(hipMemcpy(found.data(), out, 4 * found.size(), hipMemcpyDeviceToHost));
    for (size_t i = 0; i < texels.size(); i++) {
        float next = (int)(i % width) + 1 < width ? texels[i + 1] : texels[i];
        CHECK(std::fabs(found[i] - (.75f * texels[i] + .25f * next)) < 0.01f);
    }
    HIP(hipDestroyTextureObject(object));
    hipMemcpy3DParms back = {};
    back.srcArray = array;
    back.dstPtr = make_hipPitchedPtr(found.data(), 4 * width, width, height);
    back.extent = copy.extent;
    back.kind = hipMemcpyDeviceToHost;
    HIP(hipMemcpy3D(&back));
    CHECK(found == texels);
    HIP(hipFree(out));
    HIP(hipFreeArray(array));
}

__global__ void fetch_normalized(hipTextureObject_t texture, float4* out, int width) {
    int x = threadIdx.x, y = blockIdx.x;
    out[y * width + x] = tex2D<float4>(texture, x + .5f, y + .5f);
}

static void normalized_bytes() {
    const int width = 50, height = 20;
    std::vector<uchar4> texels(width * height);
    for (size_t i = 0; i < texels.size(); i++) texels[i] = {(unsigned char)i, (unsigned char)(3 * i), 255, (unsigned char)(i / 7)};
    // hipCreateChannelDesc<uchar4>() of HIP 5.2 says signed.
    hipChannelFormatDesc format = hipCreateChannelDesc(8, 8, 8, 8, hipChannelFormatKindUnsigned);
    hipArray_t array;
    HIP(hipMallocArray(&array, &format, width, height, hipArrayDefault));
    HIP(hipMemcpy2DToArray(array, 0, 0, texels.data(), 4 * width, 4 * width, height, hipMemcpyHostToDevice));
    hipTextureObject_t object =
        bound(array, hipFilterModePoint, hipAddressModeClamp, false, hipReadModeNormalizedFloat);
    float4* out;
    HIP(hipMalloc(&out, sizeof(float4) * texels.size()));
    fetch_normalized<<<height, width>>>(object, out, width);
    HIP(hipGetLastError());
    std::vector<float4> found(texels.size());
    HIP(hipMemcpy(found.data(), out, sizeof(float4) * found.size(), hipMemcpyDeviceToHost));
    for (size_t i = 0; i < texels.size(); i++) {
        CHECK(std::fabs(found[i].x - texels[i].x / 255.f) < 1e-6f && std::fabs(found[i].y - texels[i].y / 255.f) < 1e-6f);
        CHECK(found[i].z == 1.f && std::fabs(found[i].w - texels[i].w / 255.f) < 1e-6f);
    }
    HIP(hipDestroyTextureObject(object));
    HIP(hipFree(out));
    HIP(hipFreeArray(array));
}

__global__ void fetch_layers(hipTextureObject_t texture, float* out, int width, int height) {
    int x = threadIdx.x, y = blockIdx.x, layer = blockIdx.y;
    out[(layer * height + y) * width + x] = tex2DLayered<float>(texture, x + .5f, y + .5f, layer);
}

static void layers() {
    const int width = 33, height = 18, count = 5;
    std::vector<float> texels(width * height * count), found(texels.size());
    for (size_t i = 0; i < texels.size(); i++) texels[i] = (float)(i * 3 + 1);
    hipChannelFormatDesc format = hipCreateChannelDesc<float>();
    hipArray_t array;
    HIP(hipMalloc3DArray(&array, &format, make_hipExtent(width, height, count), hipArrayLayered));
    hipMemcpy3DParms copy = {};
    copy.srcPtr = make_hipPitchedPtr(texels.data(), 4 * width, width, height);
    copy.dstArray = array;
    copy.extent = make_hipExtent(width, height, count);
    copy.kind = hipMemcpyHostToDevice;
    HIP(hipMemcpy3D(&copy));
    hipTextureObject_t object = bound(array, hipFilterModePoint, hipAddressModeClamp, false);
    float* out;
    HIP(hipMalloc(&out, 4 * found.size()));
    fetch_layers<<<dim3(height, count), width>>>(object, out, width, height);
    HIP(hipGetLastError());
    HIP(hipMemcpy(found.data(), out, 4 * found.size(), hipMemcpyDeviceToHost));
    CHECK(found == texels);
    HIP(hipDestroyTextureObject(object));
    HIP(hipFree(out));
    HIP(hipFreeArray(array));
}

__global__ void fetch_line(hipTextureObject_t texture, float* out, int n) {
    int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x < n) out[x] = tex1D<float>(texture, x + .75f);
}

static void lines() {
    const int n = 1000;
    std::vector<float> texels(n), found(n);
    for (int i = 0; i < n; i++) texels[i] = (float)((i * 7) % 101);
    hipChannelFormatDesc format = hipCreateChannelDesc<float>();
    hipArray_t array;
    HIP(hipMallocArray(&array, &format, n, 0, hipArrayDefault));
    HIP(hipMemcpyToArray(array, 0, 0, texels.data(), 4 * n, hipMemcpyHostToDevice));
    hipTextureObject_t object = bound(array, hipFilterModeLinear, hipAddressModeClamp, false);
    float* out;
    HIP(hipMalloc(&out, 4 * n));
    fetch_line<<<(n + 63) / 64, 64>>>(object, out, n);
    HIP(hipGetLastError());
    HIP(hipMemcpy(found.data(), out, 4 * n, hipMemcpyDeviceToHost));
    for (int i = 0; i < n; i++) {
        float next = texels[i + 1 < n ? i + 1 : i];
        CHECK(std::fabs(found[i] - (.75f * texels[i] + .25f * next)) < 0.001f);
    }
    HIP(hipDestroyTextureObject(object));
    HIP(hipFree(out));
    HIP(hipFreeArray(array));
}

int main() {
    require_card();
    planes();
    // HIP 5.2 converts surface elements as if they were floats, so that integers do not come through on any card.
    turned<float>(128, 128);
    turned<float2>(70, 9);
    turned<float4>(33, 40);
    volumes();
    layers();
    lines();
    normalized_bytes();
    std::puts("textures and surfaces: right");
}

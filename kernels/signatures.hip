// Every kind of signature that a typed launch function is generated for.
//
// Each kernel writes what it was given to memory, so that a test can see that every argument arrived where the kernel
// looks for it. Launch: one work-item each, unless said otherwise.

#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>
#include <stdint.h>

/// A struct passed by value, with padding after `tag` and inside of it a struct and an array.
struct Settings {
    struct Point {
        int32_t x, y;
    };
    double scale;
    int8_t tag;
    Point origin;
    float weights[3];
    uint16_t last;
};

/// Writes the fields of `s`, widened to double: scale, tag, origin.x, origin.y, the weights, last.
extern "C" __global__ void take_struct(double* out, Settings s) {
    const double fields[] = {s.scale,      (double)s.tag, (double)s.origin.x, (double)s.origin.y,
                             s.weights[0], s.weights[1],  s.weights[2],       (double)s.last};
    for (int i = 0; i < 8; i++) out[i] = fields[i];
}

/// Writes every scalar, widened to 64 bits, in the order of the parameters.
extern "C" __global__ void take_scalars(int64_t* out, bool flag, char c, signed char i8, uint8_t u8, int16_t i16,
                                        uint16_t u16, int i32, unsigned u32, long i64, unsigned long long u64) {
    const int64_t all[] = {flag, c, i8, u8, i16, u16, i32, u32, i64, (int64_t)u64};
    for (int i = 0; i < 10; i++) out[i] = all[i];
}

/// Writes every floating-point value, widened to double, in the order of the parameters.
extern "C" __global__ void take_floats(double* out, _Float16 h, __half hip_half, float f, double d) {
    out[0] = (double)h;
    out[1] = (double)__half2float(hip_half);
    out[2] = f;
    out[3] = d;
}

/// What the values of `take_enum` mean.
enum class Mode : uint8_t { Off = 0, On = 1, Auto = 7 };

/// Writes the enumerator's value.
extern "C" __global__ void take_enum(unsigned* out, Mode mode) { *out = (unsigned)mode; }

/// A name of its own behind the pointers below.
typedef uint32_t word;

/// Writes `x[i] + y[i]`, the sum of the 4-vector `v[i]`, and the byte `raw[i]`, added up, to `out[i]`; n work-items.
extern "C" __global__ void take_pointers(word* out, const word* x, const word* const y, const float4* v, const void* raw) {
    const int i = threadIdx.x;
    out[i] = x[i] + y[i] + (word)(v[i].x + v[i].y + v[i].z + v[i].w) + ((const uint8_t*)raw)[i];
}

/// Reads and writes structs in memory: swaps the coordinates of `points[i]`; n work-items.
extern "C" __global__ void take_records(Settings::Point* points) {
    Settings::Point& p = points[threadIdx.x];
    const int x = p.x;
    p.x = p.y;
    p.y = x;
}

/// Multiplies `x[i]` by `factor`, `Times` times over; a template with a type and a number; n work-items.
template <class T, int Times>
__global__ void scale(T* x, T factor) {
    for (int i = 0; i < Times; i++) x[threadIdx.x] *= factor;
}
template __global__ void scale<float, 1>(float*, float);
template __global__ void scale<double, 3>(double*, double);
template __global__ void scale<_Float16, 1>(_Float16*, _Float16);

namespace outer {
namespace inner {
/// In a namespace, and overloaded: adds 1 to an integer.
__global__ void bump(int* x) { *x += 1; }
/// The overload: adds 1 to a float.
__global__ void bump(float* x) { *x += 1.0f; }
}  // namespace inner
}  // namespace outer

/// A variable that the host can find by name.
__device__ unsigned long long launches;
/// A constant table that the host can fill.
__constant__ float table[8];

/// Counts its launches in `launches` and sums `table` into `*out`.
extern "C" __global__ void use_globals(float* out) {
    launches += 1;
    float sum = 0.0f;
    for (int i = 0; i < 8; i++) sum += table[i];
    *out = sum;
}

/// Uses dynamic shared memory: reverses `x[0..n]` within one workgroup of n work-items; n floats of shared memory.
extern "C" __global__ void reverse(float* x) {
    extern __shared__ float shared[];
    const int i = threadIdx.x;
    shared[i] = x[i];
    __syncthreads();
    x[i] = shared[blockDim.x - 1 - i];
}

/// Allows workgroups of 64 work-items at most: the code object says so, and a launch is checked against it.
extern "C" __global__ void __launch_bounds__(64) small_block(unsigned* out) { out[threadIdx.x] = threadIdx.x; }

/// A struct with everything that has no direct counterpart in Rust.
struct Odd {
    /// Bits 0..3 and 3..8 of one byte.
    uint8_t low : 3, high : 5;
    /// Either of the two, 4 bytes.
    union {
        float as_float;
        uint32_t as_bits;
    };
    /// Without a name of its own.
    struct {
        int16_t a, b;
    } pair;
    bool flag;
    const float* address;
    Mode mode;
};

/// A base without members and one with.
struct Empty {};
struct Base {
    int32_t id;
};
struct Derived : Empty, Base {
    int64_t value;
};

/// Members follow each other without gaps.
struct __attribute__((packed)) Packed {
    uint8_t tag;
    double value;
};

/// Writes what it finds in the structs: both bit fields, the union's bits, the pair, the flag, whether the address is not
/// null, the mode; the derived struct's members; the packed struct's members.
extern "C" __global__ void take_odd(double* out, Odd odd, Derived derived, uint8_t between, Packed packed) {
    const double all[] = {(double)odd.low,    (double)odd.high, (double)odd.as_bits,         (double)odd.pair.a,
                          (double)odd.pair.b, (double)odd.flag, (double)(odd.address != nullptr), (double)odd.mode,
                          (double)derived.id, (double)derived.value, (double)between, (double)packed.tag, packed.value};
    for (int i = 0; i < 13; i++) out[i] = all[i];
}

/// A node of a list: behind a pointer, its own pointer is an address.
struct Node {
    int32_t value;
    const Node* next;
};

/// Parameters whose names mean something in Rust, or that have none; a reference; pointers to arrays and to pointers.
/// Writes `type + self + fn + matrix[0][3] + addresses[0] is not null + node->value` to `out`.
extern "C" __global__ void take_names(int& out, int type, const int* self, const int& fn, const int (*matrix)[4],
                                      const int* const* addresses, const Node* node, int) {
    out = type + *self + fn + matrix[0][3] + (addresses[0] != nullptr) + node->value;
}

/// A short vector, which Rust would align, where it stands without alignment.
struct __attribute__((packed)) PackedVector {
    uint8_t tag;
    float4 vector;
};

/// A parameter with a name beyond ASCII: writes the tag and the sum of the vector, times naïve, to `out`.
extern "C" __global__ void take_packed_vector(double* out, PackedVector packed, float naïve) {
    out[0] = packed.tag;
    out[1] = naïve * (packed.vector.x + packed.vector.y + packed.vector.z + packed.vector.w);
}

// rocBLAS: a product of small integers, exact in binary32.
#include "check.h"
#include <rocblas/rocblas.h>

#include <vector>

#define BLAS(call) require((call) == rocblas_status_success, #call, __LINE__)

int main() {
    const int n = 96;
    std::vector<float> a(n * n), b(n * n), c(n * n, 0.0f);
    for (int i = 0; i < n * n; ++i) a[i] = float(i % 7) - 3, b[i] = float(i % 5) - 2;
    float *da, *db, *dc;
    size_t bytes = a.size() * sizeof(float);
    CHECK(hipMalloc(&da, bytes));
    CHECK(hipMalloc(&db, bytes));
    CHECK(hipMalloc(&dc, bytes));
    CHECK(hipMemcpy(da, a.data(), bytes, hipMemcpyHostToDevice));
    CHECK(hipMemcpy(db, b.data(), bytes, hipMemcpyHostToDevice));
    rocblas_handle handle;
    BLAS(rocblas_create_handle(&handle));
    float one = 1.0f, zero = 0.0f;
    BLAS(rocblas_sgemm(handle, rocblas_operation_none, rocblas_operation_none, n, n, n, &one, da, n, db, n, &zero, dc, n));
    CHECK(hipMemcpy(c.data(), dc, bytes, hipMemcpyDeviceToHost));
    for (int column = 0; column < n; ++column)
        for (int row = 0; row < n; ++row) {
            float sum = 0;
            for (int k = 0; k < n; ++k) sum += a[k * n + row] * b[column * n + k];
            REQUIRE(c[column * n + row] == sum);
        }
    BLAS(rocblas_destroy_handle(handle));
    std::printf("sgemm of %d x %d: exact\n", n, n);
    return 0;
}

// rocSPARSE: a sparse matrix times a vector of small integers, exact in binary64.
#include "check.h"
#include <rocsparse/rocsparse.h>

#include <vector>

#define SPARSE(call) require((call) == rocsparse_status_success, #call, __LINE__)

template <class T> static T* to_device(const std::vector<T>& from) {
    T* to = nullptr;
    CHECK(hipMalloc(&to, from.size() * sizeof(T)));
    CHECK(hipMemcpy(to, from.data(), from.size() * sizeof(T), hipMemcpyHostToDevice));
    return to;
}

int main() {
    const int n = 500;
    std::vector<int> rows(1, 0), columns;
    std::vector<double> values, x(n), expected(n, 0.0), y(n, 0.0);
    for (int i = 0; i < n; ++i) x[i] = i % 11 - 5;
    for (int row = 0; row < n; ++row) {
        for (int column = row % 3; column < n; column += 7 + row % 5) {
            columns.push_back(column);
            values.push_back((row + column) % 9 - 4);
            expected[row] += values.back() * x[column];
        }
        rows.push_back(int(columns.size()));
    }
    int *drows = to_device(rows), *dcolumns = to_device(columns);
    double *dvalues = to_device(values), *dx = to_device(x), *dy = to_device(y);
    rocsparse_handle handle;
    rocsparse_mat_descr description;
    SPARSE(rocsparse_create_handle(&handle));
    SPARSE(rocsparse_create_mat_descr(&description));
    double one = 1.0, zero = 0.0;
    SPARSE(rocsparse_dcsrmv(handle, rocsparse_operation_none, n, n, int(values.size()), &one, description, dvalues, drows,
                            dcolumns, nullptr, dx, &zero, dy));
    CHECK(hipMemcpy(y.data(), dy, n * sizeof(double), hipMemcpyDeviceToHost));
    REQUIRE(y == expected);
    std::printf("csrmv with %zu values: exact\n", values.size());
    return 0;
}

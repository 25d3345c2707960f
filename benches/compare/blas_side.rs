//! OpenBLAS's matrix products, for the rows of both GEMM kernels.
//!
//! # Safety
//! The symbols have the types that `cblas.h` gives them, and the matrices as many elements as the call says.

use libloading::Library;

use crate::{Failure, Plan};

/// `CblasRowMajor` and `CblasNoTrans`.
const ROW_MAJOR: i32 = 101;
const NO_TRANS: i32 = 111;

/// `cblas_sgemm`, `cblas_dgemm`.
type Gemm<T> =
    unsafe extern "C" fn(i32, i32, i32, i32, i32, i32, T, *const T, i32, *const T, i32, T, *mut T, i32);

fn multiply<T: Copy + From<f32>>(
    library: &Library,
    symbol: &[u8],
    n: usize,
) -> Result<impl FnMut() + use<T>, Failure> {
    // SAFETY: see the file's head.
    let gemm: Gemm<T> = unsafe { *library.get(symbol)? };
    let a: Vec<T> = hip_benches::numbers(n * n).into_iter().map(T::from).collect();
    let (mut c, size) = (a.clone(), i32::try_from(n)?);
    let (one, zero) = (T::from(1.0), T::from(0.0));
    // SAFETY: all matrices have n * n elements.
    Ok(move || unsafe {
        let (a, c) = (a.as_ptr(), c.as_mut_ptr());
        gemm(ROW_MAJOR, NO_TRANS, NO_TRANS, size, size, size, one, a, size, a, size, zero, c, size);
    })
}

/// Measures the products.
pub fn run(plan: &Plan) -> Result<(), Failure> {
    // SAFETY: OpenBLAS starts threads when it is loaded, and nothing else.
    let library = unsafe { Library::new("libopenblas.so.0") }?;
    for row in plan.rows.iter().filter(|row| row.name.starts_with("gemm")) {
        let mut product: Box<dyn FnMut()> = match row.element.name() {
            "f32" => Box::new(multiply::<f32>(&library, b"cblas_sgemm\0", row.size)?),
            "f64" => Box::new(multiply::<f64>(&library, b"cblas_dgemm\0", row.size)?),
            _ => continue,
        };
        product();
        plan.measure(row, || {
            product();
            Ok(())
        })?;
    }
    Ok(())
}

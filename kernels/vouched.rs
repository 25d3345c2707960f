//! The promises that make launching these kernels safe: what each of them needs to stay within its arguments.
//!
//! # Safety
//! Every `unsafe impl` below was checked against the kernel's source, next to this file. An index is computed in 32 bits,
//! so each check also bounds the grid: no index may wrap around to a number that passes the kernel's own test.

use hip::{LaunchConfig, Shapes, Vouched, require};

use crate::{empty, gemm, mandelbrot, reduce, saxpy, signatures, textures, vector};

/// Whether the launch has at most 2^31 threads along x, so that their numbers are all non-negative as an `int`.
fn countable(config: &LaunchConfig) -> Result<(), &'static str> {
    let threads = u64::from(config.grid.x) * u64::from(config.block.x);
    require(threads <= 1 << 31, "more than 2^31 threads along x")
}

/// Whether vectors of this length have the elements `0..n`.
fn holds(n: i32, len: usize) -> Result<(), &'static str> {
    require(usize::try_from(n).is_ok_and(|n| n <= len), "n is negative or larger than a vector")
}

// SAFETY: touches x[i] and y[i] for 0 <= i < n only.
unsafe impl Vouched for saxpy::Saxpy {
    fn check(config: &LaunchConfig, &(_, x, y, n): &Shapes<Self>) -> Result<(), &'static str> {
        countable(config)?;
        holds(n, x.min(y))
    }
}

/// What both matrix products need of their matrices: A is m x k, B is k x n, C is m x n.
fn matrices(&(a, b, c, m, n, k): &(usize, usize, usize, i32, i32, i32)) -> Result<(), &'static str> {
    let positive = |extent: i32| u128::try_from(extent).map_err(|_| "a negative extent");
    let (m, n, k) = (positive(m)?, positive(n)?, positive(k)?);
    require(k <= (1 << 31) - 32, "k is too large")?;
    let fits = m * k <= a as u128 && k * n <= b as u128 && m * n <= c as u128;
    require(fits, "a matrix is smaller than m, n and k say")
}

/// Whether tiles of `side` elements, one per workgroup, have rows and columns below 2^31.
fn tiled(config: &LaunchConfig, side: u64) -> Result<(), &'static str> {
    let end = u64::from(config.grid.x.max(config.grid.y)) * side;
    require(end <= 1 << 31, "more than 2^31 rows or columns")
}

// SAFETY: loads and stores are guarded by row < m, column < n and their counterparts of k; shared memory has one element
// per thread of a 16 x 16 workgroup.
unsafe impl Vouched for gemm::GemmTile16 {
    fn check(config: &LaunchConfig, shapes: &Shapes<Self>) -> Result<(), &'static str> {
        require(config.block == (16, 16).into(), "the workgroup is not 16 x 16")?;
        tiled(config, 16)?;
        matrices(shapes)
    }
}

// SAFETY: a workgroup whose block begins outside of C returns; the others are whole, as m and n are multiples of 64 and k
// is one of 16. The index arithmetic is for 256 threads.
unsafe impl Vouched for gemm::GemmBlock64 {
    fn check(config: &LaunchConfig, shapes: &Shapes<Self>) -> Result<(), &'static str> {
        let &(.., m, n, k) = shapes;
        require(config.block == 256.into(), "the workgroup is not 256 x 1")?;
        tiled(config, 64)?;
        require(m % 64 == 0 && n % 64 == 0 && k % 16 == 0, "m and n are not multiples of 64, or k of 16")?;
        matrices(shapes)
    }
}

// SAFETY: reads x[i] for 0 <= i < n, writes parts[g] for each workgroup; the shared memory is for 16 whole wavefronts.
unsafe impl Vouched for reduce::ReduceSum {
    fn check(config: &LaunchConfig, &(x, parts, n): &Shapes<Self>) -> Result<(), &'static str> {
        let block = config.block;
        let whole = block.x.is_multiple_of(64) && block.x <= 1024 && (block.y, block.z) == (1, 1);
        require(whole, "the workgroup is not a multiple of 64 threads up to 1,024")?;
        require(config.grid.x as usize <= parts, "there are more workgroups than parts")?;
        countable(config)?;
        holds(n, x)
    }
}

/// Whether an image of this extent has its pixels in `len` elements, and the launch at most 2^31 threads along x and y.
fn pixels(config: &LaunchConfig, width: i32, height: i32, len: usize) -> Result<(), &'static str> {
    let threads = |groups: u32, block: u32| u64::from(groups) * u64::from(block);
    let most = threads(config.grid.x, config.block.x).max(threads(config.grid.y, config.block.y));
    require(most <= 1 << 31, "more than 2^31 threads along x or y")?;
    let (width, height) = (u64::from(width.max(0).unsigned_abs()), u64::from(height.max(0).unsigned_abs()));
    // The index is computed as an `int`.
    require(width * height <= 1 << 31, "more than 2^31 pixels")?;
    require(width * height <= len as u64, "the image has more pixels than elements")
}

// SAFETY: writes out[y * width + x] for 0 <= x < width, 0 <= y < height.
unsafe impl Vouched for mandelbrot::Mandelbrot {
    fn check(config: &LaunchConfig, &(out, width, height, ..): &Shapes<Self>) -> Result<(), &'static str> {
        pixels(config, width, height, out)
    }
}

/// Both read through the texture units, which stay within the texture.
macro_rules! vouch_texture {
    ($($marker:ident),*) => {$(
        // SAFETY: writes out[y * width + x] for 0 <= x < width, 0 <= y < height.
        unsafe impl Vouched for textures::$marker {
            fn check(config: &LaunchConfig, &(_, out, width, height): &Shapes<Self>) -> Result<(), &'static str> {
                pixels(config, width, height, out)
            }
        }
    )*};
}

vouch_texture!(Sample, Fetch);

// SAFETY: reads and writes through the texture units, which stay within the surface.
unsafe impl Vouched for textures::Increment {
    fn check(config: &LaunchConfig, &(surface, width, height): &Shapes<Self>) -> Result<(), &'static str> {
        pixels(config, width, height, surface.width * surface.height)
    }
}

// SAFETY: touches nothing.
unsafe impl Vouched for empty::Empty {
    fn check(_: &LaunchConfig, _: &Shapes<Self>) -> Result<(), &'static str> {
        Ok(())
    }
}

// SAFETY: writes out[i] for 0 <= i < n.
unsafe impl Vouched for vector::Fill {
    fn check(config: &LaunchConfig, &(out, _, n): &Shapes<Self>) -> Result<(), &'static str> {
        countable(config)?;
        holds(n, out)
    }
}

// SAFETY: writes out[i] for 0 <= i < n.
unsafe impl Vouched for vector::Iota {
    fn check(config: &LaunchConfig, &(out, _, n): &Shapes<Self>) -> Result<(), &'static str> {
        countable(config)?;
        holds(n, out)
    }
}

// SAFETY: reads x[i] and y[i] and writes out[i] for 0 <= i < n.
unsafe impl Vouched for vector::VectorAdd {
    fn check(config: &LaunchConfig, &(x, y, out, n): &Shapes<Self>) -> Result<(), &'static str> {
        countable(config)?;
        holds(n, x.min(y).min(out))
    }
}

// SAFETY: touches the first element.
unsafe impl Vouched for vector::Count {
    fn check(_: &LaunchConfig, &(counter,): &Shapes<Self>) -> Result<(), &'static str> {
        require(counter >= 1, "there is no counter")
    }
}

// SAFETY: writes out[0..8], whichever thread it is.
unsafe impl Vouched for signatures::TakeStruct {
    fn check(_: &LaunchConfig, &(out, _): &Shapes<Self>) -> Result<(), &'static str> {
        require(out >= 8, "out has fewer than 8 elements")
    }
}

// SAFETY: writes out[0..10], whichever thread it is.
unsafe impl Vouched for signatures::TakeScalars {
    fn check(_: &LaunchConfig, &(out, ..): &Shapes<Self>) -> Result<(), &'static str> {
        require(out >= 10, "out has fewer than 10 elements")
    }
}

// SAFETY: writes out[0..4], whichever thread it is.
unsafe impl Vouched for signatures::TakeFloats {
    fn check(_: &LaunchConfig, &(out, ..): &Shapes<Self>) -> Result<(), &'static str> {
        require(out >= 4, "out has fewer than 4 elements")
    }
}

// SAFETY: writes the first element.
unsafe impl Vouched for signatures::TakeEnum {
    fn check(_: &LaunchConfig, &(out, _): &Shapes<Self>) -> Result<(), &'static str> {
        require(out >= 1, "out is empty")
    }
}

// SAFETY: touches the element of the thread's number within its workgroup in each of the vectors.
unsafe impl Vouched for signatures::TakePointers {
    fn check(config: &LaunchConfig, &(out, x, y, v, raw): &Shapes<Self>) -> Result<(), &'static str> {
        let least = out.min(x).min(y).min(v).min(raw);
        require(config.block.x as usize <= least, "the workgroup is larger than a vector")
    }
}

// SAFETY: touches the element of the thread's number within its workgroup.
unsafe impl Vouched for signatures::TakeRecords {
    fn check(config: &LaunchConfig, &(points,): &Shapes<Self>) -> Result<(), &'static str> {
        require(config.block.x as usize <= points, "the workgroup is larger than the vector")
    }
}

// SAFETY: as `take_records`; shared memory has the same elements.
unsafe impl Vouched for signatures::Reverse {
    fn check(config: &LaunchConfig, &(x,): &Shapes<Self>) -> Result<(), &'static str> {
        require(config.block.x as usize <= x, "the workgroup is larger than the vector")?;
        require(u64::from(config.shared_bytes) >= 4 * u64::from(config.block.x), "too little shared memory")
    }
}

/// The instances of a template make the same promise.
macro_rules! vouch_per_thread {
    ($($marker:ident),*) => {$(
        // SAFETY: touches the element of the thread's number within its workgroup.
        unsafe impl Vouched for signatures::$marker {
            fn check(config: &LaunchConfig, &(x, _): &Shapes<Self>) -> Result<(), &'static str> {
                require(config.block.x as usize <= x, "the workgroup is larger than the vector")
            }
        }
    )*};
}

vouch_per_thread!(ScaleFloat1, ScaleDouble3, ScaleFloat161);

/// Both overloads make the same promise.
macro_rules! vouch_first {
    ($($marker:ident),*) => {$(
        // SAFETY: touches the first element; beyond it, only a variable of the code object itself.
        unsafe impl Vouched for signatures::$marker {
            fn check(_: &LaunchConfig, &(x,): &Shapes<Self>) -> Result<(), &'static str> {
                require(x >= 1, "the vector is empty")
            }
        }
    )*};
}

vouch_first!(OuterInnerBump, OuterInnerBump2, UseGlobals);

// SAFETY: writes the element of the thread's number within its workgroup.
unsafe impl Vouched for signatures::SmallBlock {
    fn check(config: &LaunchConfig, &(out,): &Shapes<Self>) -> Result<(), &'static str> {
        require(config.block.x as usize <= out, "the workgroup is larger than the vector")
    }
}

// SAFETY: writes out[0..13], whichever thread it is; the address in `odd` is compared with null only.
unsafe impl Vouched for signatures::TakeOdd {
    fn check(_: &LaunchConfig, &(out, ..): &Shapes<Self>) -> Result<(), &'static str> {
        require(out >= 13, "out has fewer than 13 elements")
    }
}

// SAFETY: writes out[0] and out[1], whichever thread it is.
unsafe impl Vouched for signatures::TakePackedVector {
    fn check(_: &LaunchConfig, &(out, ..): &Shapes<Self>) -> Result<(), &'static str> {
        require(out >= 2, "out has fewer than two elements")
    }
}

// SAFETY: touches the first element of each vector, and the fourth of the matrix; follows no address in memory.
unsafe impl Vouched for signatures::TakeNames {
    fn check(_: &LaunchConfig, shapes: &Shapes<Self>) -> Result<(), &'static str> {
        let &(out, _, this, function, matrix, addresses, node, _) = shapes;
        let least = out.min(this).min(function).min(addresses).min(node);
        require(least >= 1 && matrix >= 4, "a vector is too short")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_hold_what_the_count_says() {
        let config = LaunchConfig::for_len(100);
        let check = |x, y, n| saxpy::Saxpy::check(&config, &(1.0, x, y, n)).is_ok();
        assert!(check(100, 100, 100) && check(100, 200, 0));
        assert!(!check(99, 100, 100) && !check(100, 99, 100) && !check(100, 100, -1));
        // Thread 2^31 would be number -2^31, which passes `i < n`.
        let wide = |groups| saxpy::Saxpy::check(&LaunchConfig::new(groups, 1024), &(1.0, 1, 1, 1)).is_ok();
        assert!(wide(1 << 21) && !wide((1 << 21) + 1));
    }

    #[test]
    fn matrices_hold_their_extents_without_overflow() {
        let tile = |a, b, c, m, n, k| {
            gemm::GemmTile16::check(&LaunchConfig::new((4, 4), (16, 16)), &(a, b, c, m, n, k)).is_ok()
        };
        assert!(tile(6, 12, 8, 2, 4, 3));
        assert!(!tile(5, 12, 8, 2, 4, 3) && !tile(6, 11, 8, 2, 4, 3) && !tile(6, 12, 7, 2, 4, 3));
        assert!(!tile(6, 12, 8, -2, 4, 3) && !tile(6, 12, 8, -2, -4, -3));
        assert!(!tile(1 << 40, 1 << 40, 1 << 40, i32::MAX, i32::MAX, i32::MAX - 64));
        let block = |config, m, n, k| {
            gemm::GemmBlock64::check(&config, &(1 << 20, 1 << 20, 1 << 20, m, n, k)).is_ok()
        };
        let config = LaunchConfig::new((1, 2), 256);
        assert!(block(config, 128, 64, 16));
        assert!(!block(config, 100, 64, 16) && !block(config, 128, 64, 8));
        assert!(!block(LaunchConfig::new((1, 2), (16, 16)), 128, 64, 16));
        assert!(!block(LaunchConfig::new((1, 1 << 26), 256), 128, 64, 16));
    }

    #[test]
    fn a_sum_needs_whole_wavefronts_and_a_part_per_workgroup() {
        let check = |groups, block, parts| {
            reduce::ReduceSum::check(&LaunchConfig::new(groups, block), &(1000, parts, 1000)).is_ok()
        };
        assert!(check(4, 1024, 4) && check(4, 64, 9));
        assert!(!check(4, 1024, 3) && !check(4, 63, 4) && !check(4, 2048, 4));
    }
}

//! The shape of a launch: how many workgroups of how many threads.

/// The extent of a grid or of a workgroup along x, y and z.
///
/// ```
/// use hip::Dim3;
/// assert_eq!(Dim3::from((16, 8)), Dim3::new(16, 8, 1));
/// assert_eq!(Dim3::from(64).count(), 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dim3 {
    /// Along x, the dimension in which neighbouring threads share a wavefront.
    pub x: u32,
    /// Along y.
    pub y: u32,
    /// Along z.
    pub z: u32,
}

impl Dim3 {
    /// The extent `(x, y, z)`.
    pub const fn new(x: u32, y: u32, z: u32) -> Self {
        Self { x, y, z }
    }

    /// `x * y * z`, which may exceed 32 bits.
    pub const fn count(self) -> u128 {
        self.x as u128 * self.y as u128 * self.z as u128
    }
}

impl From<u32> for Dim3 {
    fn from(x: u32) -> Self {
        Self::new(x, 1, 1)
    }
}

impl From<(u32, u32)> for Dim3 {
    fn from((x, y): (u32, u32)) -> Self {
        Self::new(x, y, 1)
    }
}

impl From<(u32, u32, u32)> for Dim3 {
    fn from((x, y, z): (u32, u32, u32)) -> Self {
        Self::new(x, y, z)
    }
}

impl From<[u32; 3]> for Dim3 {
    fn from([x, y, z]: [u32; 3]) -> Self {
        Self::new(x, y, z)
    }
}

impl std::fmt::Display for Dim3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {}, {})", self.x, self.y, self.z)
    }
}

/// How a kernel is launched: the grid in workgroups, the workgroup in threads, and its dynamic shared memory.
///
/// ```
/// use hip::LaunchConfig;
/// let config = LaunchConfig::for_len(1000);
/// assert_eq!((config.grid.x, config.block.x), (4, 256));
/// let tiles = LaunchConfig::new((8, 8), (16, 16)).shared_bytes(2048);
/// assert_eq!(tiles.block.count(), 256);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LaunchConfig {
    /// The number of workgroups ("blocks") along each dimension. A grid without workgroups launches nothing.
    pub grid: Dim3,
    /// The number of threads in a workgroup along each dimension.
    pub block: Dim3,
    /// Bytes of dynamic shared memory (LDS) per workgroup, on top of what the kernel declares.
    pub shared_bytes: u32,
}

impl LaunchConfig {
    /// The workgroup size that [`for_len`](Self::for_len) chooses.
    pub const DEFAULT_BLOCK: u32 = 256;

    /// `grid` workgroups of `block` threads, without dynamic shared memory.
    pub fn new(grid: impl Into<Dim3>, block: impl Into<Dim3>) -> Self {
        Self { grid: grid.into(), block: block.into(), shared_bytes: 0 }
    }

    /// One thread per element, in workgroups of 256 threads; the last workgroup may reach beyond `len`.
    ///
    /// A `len` that no launch can cover gives a grid that the launch refuses, never one that wrapped around.
    pub fn for_len(len: usize) -> Self {
        let groups = len.div_ceil(Self::DEFAULT_BLOCK as usize);
        Self::new(u32::try_from(groups).unwrap_or(u32::MAX), Self::DEFAULT_BLOCK)
    }

    /// The threads along x, y and z: those of all workgroups together.
    pub fn threads(&self) -> [u64; 3] {
        let along = |groups: u32, threads: u32| u64::from(groups) * u64::from(threads);
        [along(self.grid.x, self.block.x), along(self.grid.y, self.block.y), along(self.grid.z, self.block.z)]
    }

    /// The same launch with `bytes` of dynamic shared memory per workgroup.
    pub const fn shared_bytes(self, bytes: u32) -> Self {
        Self { shared_bytes: bytes, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_len_rounds_up_and_saturates() {
        assert_eq!(LaunchConfig::for_len(0).grid.x, 0);
        assert_eq!(LaunchConfig::for_len(256).grid.x, 1);
        assert_eq!(LaunchConfig::for_len(257).grid.x, 2);
        assert_eq!(LaunchConfig::for_len(usize::MAX).grid.x, u32::MAX);
    }

    #[test]
    fn threads_do_not_wrap() {
        let config = LaunchConfig::new((u32::MAX, 2, 1), (u32::MAX, 16, 1));
        assert_eq!(config.threads(), [u64::from(u32::MAX).pow(2), 32, 1]);
    }

    #[test]
    fn count_does_not_wrap() {
        assert_eq!(Dim3::new(u32::MAX, u32::MAX, u32::MAX).count(), (u32::MAX as u128).pow(3));
    }
}

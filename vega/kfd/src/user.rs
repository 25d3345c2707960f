//! Memory of the program that an ioctl's argument names.
//!
//! # Safety
//! The kernel copies such memory and answers `EFAULT` where there is none. Inside the same process a plain
//! copy does the same work; where there is no memory, the program gets a SIGSEGV in its own call, which is
//! what passing such an address to any function of libc does. Null is answered with `EFAULT`. The
//! addresses are only used during the call, through unaligned copies, so no reference to the program's
//! memory ever exists.

use bytemuck::{Pod, Zeroable, bytes_of, bytes_of_mut};

use crate::errno::Errno;

/// Copies a value out of the program's memory.
pub fn read<T: Pod>(address: u64) -> Result<T, Errno> {
    let mut value = T::zeroed();
    copy_in(address, bytes_of_mut(&mut value))?;
    Ok(value)
}

/// Copies a value into the program's memory.
pub fn write<T: Pod>(address: u64, value: &T) -> Result<(), Errno> {
    copy_out(address, bytes_of(value))
}

/// The address of element `index` of an array of `T`.
pub fn element<T>(base: u64, index: u32) -> u64 {
    base.wrapping_add(u64::from(index) * size_of::<T>() as u64)
}

/// Runs an ioctl on a copy of its argument, as the kernel does: `size` bytes are copied in when `copies_in`,
/// the rest of the struct is zero; `size` bytes of it are copied back when `copies_out`, even on failure.
pub fn with_argument<T: Pod + Zeroable>(
    address: u64,
    size: usize,
    copies_in: bool,
    copies_out: bool,
    run: impl FnOnce(&mut T) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let mut args = T::zeroed();
    let size = size.min(size_of::<T>());
    if let (true, Some(bytes)) = (copies_in, bytes_of_mut(&mut args).get_mut(..size)) {
        copy_in(address, bytes)?;
    }
    let result = run(&mut args);
    if let (true, Some(bytes)) = (copies_out, bytes_of(&args).get(..size)) {
        copy_out(address, bytes)?;
    }
    result
}

fn copy_in(address: u64, into: &mut [u8]) -> Result<(), Errno> {
    if address == 0 && !into.is_empty() {
        return Err(Errno::EFAULT);
    }
    // SAFETY: see the module's documentation; `into` is a separate Rust allocation.
    unsafe { std::ptr::copy(address as *const u8, into.as_mut_ptr(), into.len()) };
    Ok(())
}

fn copy_out(address: u64, from: &[u8]) -> Result<(), Errno> {
    if address == 0 && !from.is_empty() {
        return Err(Errno::EFAULT);
    }
    // SAFETY: see the module's documentation; `from` is a separate Rust allocation.
    unsafe { std::ptr::copy(from.as_ptr(), address as *mut u8, from.len()) };
    Ok(())
}

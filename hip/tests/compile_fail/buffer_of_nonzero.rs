//! A device can write any bytes, zero too.
fn main() {
    let device = hip::Device::first().unwrap();
    let _ = hip::DeviceBuffer::<std::num::NonZeroU32>::uninit(device, 10);
}

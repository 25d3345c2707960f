//! Elements of device memory are plain bytes.
fn main() {
    let device = hip::Device::first().unwrap();
    let _ = hip::DeviceBuffer::<String>::uninit(device, 10);
}

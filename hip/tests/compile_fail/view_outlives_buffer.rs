//! A view borrows its buffer.
fn main() {
    let stream = hip::Device::first().unwrap().default_stream();
    let view = {
        let buffer = hip::DeviceBuffer::<u32>::zeroed(&stream, 10).unwrap();
        buffer.view()
    };
    let _ = view.to_vec(&stream);
}

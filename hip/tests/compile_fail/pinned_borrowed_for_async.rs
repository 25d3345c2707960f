//! An asynchronous copy owns its host memory: a borrow could end before the copy does.
fn upload(stream: &hip::Stream, host: &mut [f32], buffer: &mut hip::DeviceBuffer<f32>) {
    let _ = stream.upload_async(host, buffer);
}

fn main() {}

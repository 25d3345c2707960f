//! Memory that is lent in a scope outlives the scope.
fn upload(stream: &hip::Stream, buffer: &mut hip::DeviceBuffer<f32>) -> hip::Result<()> {
    hip::scope(|scope| {
        let host = vec![1.0f32; 10];
        scope.upload(stream, &host, buffer)
    })
}

fn main() {}

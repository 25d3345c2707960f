//! No work that writes can be enqueued while the host reads.
fn fill(stream: &hip::Stream, mut numbers: hip::ManagedBuffer<f32>) -> hip::Result<f32> {
    let host = numbers.read()?;
    stream.fill(&mut numbers, 1.0)?;
    Ok(host[0])
}

fn main() {}

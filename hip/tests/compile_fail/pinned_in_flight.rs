//! Memory that the device is using is out of the host's reach.
fn upload(stream: &hip::Stream, host: hip::PinnedBuffer<f32>, mut buffer: hip::DeviceBuffer<f32>) -> hip::Result<()> {
    let _pending = stream.upload_async(host, &mut buffer)?;
    println!("{}", host[0]);
    Ok(())
}

fn main() {}

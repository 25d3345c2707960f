//! Memory that is lent in a scope is out of reach until the scope ends.
fn download(stream: &hip::Stream, buffer: &hip::DeviceBuffer<f32>, host: &mut [f32]) -> hip::Result<()> {
    hip::scope(|scope| {
        scope.download(stream, buffer, host)?;
        println!("{}", host[0]);
        Ok(())
    })
}

fn main() {}

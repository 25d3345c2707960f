//! Registered memory does not leave its scope.
fn register(device: hip::Device, host: &mut [f32]) -> hip::Result<()> {
    let mut outside = None;
    hip::scope(|scope| {
        outside = Some(scope.register(device, host)?);
        Ok(())
    })
}

fn main() {}

//! Managed memory may be in use: the host asks for it, and waits.
fn first(numbers: &hip::ManagedBuffer<f32>) -> f32 {
    numbers[0]
}

fn main() {}

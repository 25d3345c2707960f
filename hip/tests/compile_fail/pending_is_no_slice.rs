//! A `Pending` gives nothing away before it is waited for.
fn peek(pending: &hip::Pending<hip::PinnedBuffer<f32>>) -> f32 {
    pending[0]
}

fn main() {}

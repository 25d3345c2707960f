//! A struct passed by value is Pod, or declared ByValue by hand.
#[derive(Clone, Copy)]
#[repr(C)]
struct Padded {
    tag: u8,
    value: u32,
}

fn main() {
    let _: Option<hip::Kernel<(Padded,)>> = None;
}

//! What is kept until the device is done may be dropped by any thread.
fn keep(pending: hip::Pending<std::rc::Rc<u32>>) {
    drop(pending);
}

fn main() {}

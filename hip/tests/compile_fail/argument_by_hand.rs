//! Which types can be passed for which parameters is not for others to extend.
#[derive(Clone, Copy)]
#[repr(C)]
struct Mine(u32);
unsafe impl hip::ByValue for Mine {}

impl hip::Arg<hip::In<f32>> for Mine {
    type Stored = u8;
    fn shape(&self) -> usize {
        usize::MAX
    }
    fn stored(&self) -> u8 {
        1
    }
    fn memory(&self) -> Option<()> {
        None
    }
}

fn main() {}

//! The texture units know numbers only, in ones, twos and fours.
fn array(stream: &hip::Stream) -> hip::Result<()> {
    hip::texture::Array::<[f32; 3]>::uninit(stream.device(), 10).map(drop)
}

fn main() {}

//! Bundles, plain and compressed, fat binaries and bare code objects: `cargo +nightly fuzz run image tests/fixtures`.
#![no_main]

use code_object::{CodeObject, Image};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(image) = Image::parse(data) else { return };
    for entry in image.entries() {
        let _ = CodeObject::parse(&entry.bytes);
    }
});

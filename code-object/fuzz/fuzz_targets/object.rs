//! One AMDGPU ELF file and everything that can be asked of it: `cargo +nightly fuzz run object`.
#![no_main]

use code_object::CodeObject;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(object) = CodeObject::parse(data) else { return };
    for kernel in object.kernels() {
        assert_eq!(object.code(kernel).len() as u64, kernel.code_size);
        assert!(kernel.explicit_kernarg_size() <= kernel.kernarg_segment_size);
    }
    for symbol in object.symbols() {
        let _ = object.read(symbol.address, symbol.size);
    }
});

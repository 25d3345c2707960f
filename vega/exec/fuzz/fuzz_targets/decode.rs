//! Any words: the decoder does not panic, and what it decodes has a text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|words: Vec<u32>| {
    if let Ok(inst) = vega_isa::decode(&words) {
        assert!(!inst.to_string().is_empty());
    }
});

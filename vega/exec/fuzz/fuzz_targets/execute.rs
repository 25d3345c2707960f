//! Any words as code, on any registers: nothing outside the mappings is touched.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

use std::sync::OnceLock;

use common::Random;
use common::target::Target;
use libfuzzer_sys::fuzz_target;
use vega_exec::EngineKind;

fuzz_target!(|input: (u64, Vec<u32>)| {
    static TARGET: OnceLock<Target> = OnceLock::new();
    let (seed, code) = input;
    if code.len() <= 0x1000 {
        TARGET.get_or_init(|| Target::new(EngineKind::best())).run(&code, &mut Random(seed));
    }
});

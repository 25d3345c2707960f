//! Target ids: what parses prints as something that parses to the same.
#![no_main]

use code_object::TargetId;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(target) = text.parse::<TargetId>() {
        assert_eq!(target.to_string().parse::<TargetId>().as_ref(), Ok(&target));
    }
});

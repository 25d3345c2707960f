//! Is every opcode that a compute kernel can execute tested? Each is known to the model, or named here with the test that
//! has it.

use std::collections::BTreeMap;

use vega_isa::{Class, Encoding, Row, Table};

use crate::common::Random;
use crate::generate::is_plain;
use crate::rows::{DEFAULT_MODE, case};

/// Opcodes that the model does not know: how their names begin, the file of the tests, and a word that stands there.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("s_branch", "tests/semantics/flow.rs", "s_branch"),
    ("s_cbranch_scc", "tests/semantics/flow.rs", "s_cbranch_scc0"),
    ("s_cbranch_vcc", "tests/semantics/flow.rs", "s_cbranch_vccz"),
    ("s_cbranch_exec", "tests/semantics/flow.rs", "s_cbranch_execnz"),
    ("s_call_b64", "tests/semantics/flow.rs", "s_call_b64"),
    ("s_getpc_b64", "tests/semantics/flow.rs", "s_getpc_b64"),
    ("s_setpc_b64", "tests/semantics/flow.rs", "s_setpc_b64"),
    ("s_swappc_b64", "tests/semantics/flow.rs", "s_swappc_b64"),
    ("s_set_gpr_idx", "tests/semantics/flow.rs", "s_set_gpr_idx_mode"),
    ("s_setreg", "tests/semantics/flow.rs", "s_setreg_imm32_b32"),
    ("s_mem", "tests/semantics/flow.rs", "s_memrealtime"),
    ("s_sendmsg", "tests/semantics/flow.rs", "s_sendmsg"),
    ("s_sethalt", "tests/semantics/flow.rs", "s_sethalt"),
    ("s_setkill", "tests/semantics/flow.rs", "s_setkill"),
    ("s_endpgm", "tests/common/registers.rs", "s_endpgm"),
    ("s_trap", "tests/faults.rs", "TRAP"),
    ("s_sendmsghalt", "tests/instructions/waves.rs", "s_sendmsghalt"),
    ("s_rfe", "tests/instructions/waves.rs", "s_rfe"),
    ("s_setvskip", "tests/instructions/words.rs", "s_setvskip"),
    ("s_cbranch_g_fork", "tests/instructions/words.rs", "s_cbranch_g_fork"),
    ("s_cbranch_i_fork", "tests/instructions/words.rs", "s_cbranch_i_fork"),
    ("s_cbranch_join", "tests/instructions/words.rs", "s_cbranch_join"),
    ("s_atc_probe", "tests/instructions/words.rs", "s_atc_probe"),
    ("s_scratch", "tests/instructions/scalar_memory.rs", "s_scratch"),
    ("ds_ordered_count", "tests/instructions/shares.rs", "ordered_count"),
    ("buffer_load_format", "tests/instructions/buffers.rs", "buffer_load_format"),
    ("buffer_store_format", "tests/instructions/buffers.rs", "buffer_store_format"),
    ("buffer_store_lds_dword", "tests/instructions/buffers.rs", "lds_dword"),
    ("tbuffer", "tests/instructions/buffers.rs", "tbuffer"),
    ("image_load", "tests/instructions/images.rs", "image_load"),
    ("image_store", "tests/instructions/images.rs", "image_store"),
    ("image_sample", "tests/instructions/samples.rs", "image_sample"),
    ("image_gather", "tests/instructions/samples.rs", "image_gather"),
    ("image_atomic", "tests/instructions/images.rs", "image_atomic"),
    ("image_get", "tests/instructions/samples.rs", "image_get"),
    ("ds_gws", "../tests/programs/cooperative.hip", "grid"),
];

/// The file with the tests of an opcode that the model does not know.
pub fn elsewhere(row: &Row) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(name, ..)| row.mnemonic.starts_with(name)).map(|(_, file, _)| *file)
}

/// Graphics alone: these raise the illegal-instruction fault (`faults.rs`).
fn is_graphics(row: &Row) -> bool {
    row.class == Class::Graphics
        || row.mnemonic.starts_with("v_screen_partition")
        || row.mnemonic == "s_endpgm_ordered_ps_done"
}

#[test]
fn every_compute_opcode_has_a_test() {
    let mut random = Random(11);
    let mut missing = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in Table::gfx900().rows().iter().filter(|row| !is_graphics(row)) {
        let known =
            is_plain(row) && row.forms.iter().all(|form| case(row, form, DEFAULT_MODE, &mut random).is_ok());
        match (known, elsewhere(row)) {
            (true, _) => *counts.entry("the model").or_default() += 1,
            (false, Some(file)) => *counts.entry(file).or_default() += 1,
            (false, None) => missing.push(row.mnemonic),
        }
    }
    eprintln!("{counts:?}");
    assert!(missing.is_empty(), "{} opcodes without a test of their meaning: {missing:?}", missing.len());
}

#[test]
fn listed_tests_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, file, word) in ELSEWHERE {
        assert!(
            Table::gfx900().rows().iter().any(|row| row.mnemonic.starts_with(name)),
            "no opcode begins with {name}"
        );
        let path = root.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(text.contains(word), "{file} says nothing of {word}");
    }
}

/// Encodings whose opcodes the model knows.
#[test]
fn the_model_knows_all_arithmetic() {
    let mut random = Random(12);
    for row in Table::gfx900().rows().iter().filter(|row| is_plain(row)) {
        let arithmetic = matches!(
            row.encoding,
            Encoding::Sop1
                | Encoding::Sop2
                | Encoding::Sopk
                | Encoding::Sopc
                | Encoding::Vop1
                | Encoding::Vop2
                | Encoding::Vop3
                | Encoding::Vop3p
                | Encoding::Vopc
        );
        if arithmetic {
            for form in row.forms.iter() {
                assert!(case(row, form, DEFAULT_MODE, &mut random).is_ok(), "{} {form:?}", row.mnemonic);
            }
        }
    }
}

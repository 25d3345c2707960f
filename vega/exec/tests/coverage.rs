//! Every row of the opcode table, in every form, with every class of operand and every modifier: the engine executes it, or
//! there is a reason why no card would in a compute kernel.

#[path = "../../isa/tests/oracle/generator.rs"]
mod generator;
#[path = "../../isa/tests/oracle/rng.rs"]
mod rng;
#[path = "../../isa/tests/oracle/variants.rs"]
mod variants;

use std::collections::{BTreeMap, BTreeSet};

use vega_isa::{DppCtrl, Encoding, Form, Inst, Micro, Operand, Special, Table, decode};

const GRAPHICS: &str = "graphics only";
const ENCODING: &str = "no gfx900 instruction is encoded so";
const REGISTER: &str = "register out of range";
const PRIVILEGED: &str = "only a trap handler may execute it";

/// Why a card does not execute an instruction in a compute kernel, told from the table alone.
fn reason(inst: &Inst) -> Option<&'static str> {
    const PIXEL_SHADING: [&str; 2] = ["v_screen_partition_4se_b32", "s_endpgm_ordered_ps_done"];
    let graphics = matches!(inst.row.micro, Micro::Interp(_) | Micro::Export)
        || PIXEL_SHADING.contains(&inst.row.mnemonic)
        || inst.operands().contains(&Operand::Special(Special::PopsExitingWaveId));
    if graphics {
        return Some(GRAPHICS);
    }
    if inst.row.mnemonic.starts_with("s_rfe_") {
        return Some(PRIVILEGED);
    }
    // A group of scalar registers ends at s127.
    let outside = (0..inst.row.operands.len()).any(|i| match inst.operands()[i] {
        Operand::Sgpr(first) => u16::from(first) + u16::from(inst.dwords(i).max(1)) > 128,
        _ => false,
    });
    if outside {
        return Some(REGISTER);
    }
    let reserved = inst.form == Form::Dpp && matches!(inst.modifiers.dpp.ctrl, DppCtrl::Reserved(_));
    reserved.then_some(ENCODING)
}

#[test]
fn every_instruction_of_a_compute_kernel_is_executed() {
    let (mut wrong, mut seen) = (BTreeMap::<String, (usize, String)>::new(), BTreeSet::new());
    let mut count = BTreeMap::<Option<&str>, usize>::new();
    for case in generator::cases(Table::gfx900(), 20, 7) {
        let inst = decode(&case.words).expect("the generator's words decode");
        assert_eq!(inst.row.mnemonic, case.inst.row.mnemonic);
        seen.insert((inst.row.mnemonic, inst.form as u8));
        let (found, expected) = (vega_exec::refusal(&inst), reason(&inst));
        *count.entry(found).or_default() += 1;
        if found != expected {
            let key = format!("{} in {:?}: {found:?}, not {expected:?}", inst.row.mnemonic, inst.form);
            wrong.entry(key).or_insert((0, inst.to_string())).0 += 1;
        }
    }
    let list: Vec<_> = wrong.iter().map(|(key, (n, first))| format!("{key} ({n}, first {first})")).collect();
    assert!(wrong.is_empty(), "{} kinds:\n{}", wrong.len(), list.join("\n"));
    let forms: usize = Table::gfx900().rows().iter().map(|row| row.forms.iter().count()).sum();
    assert_eq!(seen.len(), forms - same_names(), "every row in every form");
    let reasons = [None, Some(GRAPHICS), Some(ENCODING), Some(PRIVILEGED)];
    assert!(reasons.iter().all(|reason| count.contains_key(reason)), "each reason occurs: {count:?}");
}

#[test]
fn groups_of_scalar_registers_end_at_127() {
    let table = Table::gfx900();
    let row = table.rows().iter().find(|row| row.mnemonic == "s_load_dwordx16").expect("a row");
    let load = |first| {
        let slots = [Operand::Sgpr(first), Operand::Sgpr(2), Operand::None, Operand::None, Operand::None];
        Inst { row, form: Form::Native, size_bytes: 8, slots, modifiers: Default::default() }
    };
    assert_eq!((reason(&load(112)), vega_exec::refusal(&load(112))), (None, None));
    assert_eq!((reason(&load(116)), vega_exec::refusal(&load(116))), (Some(REGISTER), Some(REGISTER)));
}

/// Rows that have the name of another one: `buffer_wbinvl1` has two numbers.
fn same_names() -> usize {
    let mut names = BTreeSet::new();
    Table::gfx900()
        .rows()
        .iter()
        .filter(|row| row.encoding == Encoding::Mubuf && !names.insert(row.mnemonic))
        .count()
}

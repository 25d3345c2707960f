//! Random words: our decoder and LLVM agree, or the difference has one of the reasons listed here.

use std::collections::BTreeMap;

use vega_isa::{Table, encode};

use crate::llvm::{self, Answer};
use crate::rng::Rng;

const WORDS: usize = 100_000;
const SEED: u64 = 0x0f0f_0900;

/// First words over all encodings, with a preference for those that have many opcodes or many forms.
fn words(rng: &mut Rng) -> [u32; 2] {
    let mut low = rng.next() as u32;
    let high = rng.next() as u32;
    match rng.below(6) {
        0 => low = low & 0x03ff_ffff | 0xd000_0000,
        1 => low = low & 0x1fff_ffff | 0xc000_0000,
        2 => low = low & 0x7fff_fe00 | 0xf9,
        3 => low = low & 0x7fff_fe00 | 0xfa,
        _ => {}
    }
    [low, high]
}

/// How many of the two words the instruction takes, by ours if we decode them, else as LLVM sees them.
fn trim(table: &Table, words: [u32; 2]) -> Vec<u32> {
    let len = table.decode(&words).map_or(2, |inst| usize::from(inst.size_bytes) / 4);
    words[..len].to_vec()
}

#[test]
fn random_words_agree() {
    if !llvm::available() {
        return;
    }
    let table = Table::gfx900();
    let mut rng = Rng(SEED);
    let items: Vec<Vec<u32>> = std::iter::repeat_with(|| words(&mut rng))
        .filter(|w| !reserved_sdwa(w))
        .take(WORDS)
        .map(|w| trim(table, w))
        .collect();
    // Fields that an instruction does not use: hardware ignores them, LLVM wants zeroes. The same instruction with
    // zeroes there must be the same for both.
    let canonical: Vec<Vec<u32>> = items
        .iter()
        .map(|w| match table.decode(w).ok().and_then(|inst| encode(&inst)) {
            Some(c) => c.as_slice().to_vec(),
            None => w.clone(),
        })
        .collect();
    let answers = llvm::ask(&items);
    let of_canonical = llvm::ask(&canonical);
    let mut problems = Vec::new();
    let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
    for (((words, answer), canonical), of_canonical) in
        items.iter().zip(&answers).zip(&canonical).zip(&of_canonical)
    {
        let ours = table.decode(words).ok().map(|inst| inst.to_string());
        let reason = match (answer, &ours) {
            (Answer::Text(theirs), Some(ours)) if theirs == ours => Reason::SameText,
            (Answer::Rejected, None) => Reason::RejectedByBoth,
            (Answer::Rejected, Some(ours))
                if words != canonical && matches!(of_canonical, Answer::Text(t) if t == ours) =>
            {
                Reason::UnusedFields
            }
            (Answer::Text(theirs), Some(_)) if words != canonical && theirs.contains("sext(") => {
                Reason::NegatedInteger
            }
            (Answer::Text(_), Some(ours)) if ours.starts_with("flat_") && words[0] >> 12 & 1 != 0 => {
                Reason::FlatOffset
            }
            (Answer::Text(theirs), None) if theirs.contains("/*") => Reason::LlvmComplains,
            (Answer::Text(_), None) if vgpr_as_mask(words) => Reason::VgprAsMask,
            (Answer::Rejected, Some(_)) if image_at_the_end(words) => Reason::ImageAtTheEnd,
            _ => {
                problems.push(format!(
                    "{words:08x?} (canonical {canonical:08x?})\n  LLVM {answer:?}\n  ours {ours:?}"
                ));
                continue;
            }
        };
        *counts.entry(reason).or_default() += 1;
    }
    eprintln!("{WORDS} random words: {counts:?}");
    let sample: Vec<_> = problems.iter().take(40).cloned().collect();
    assert!(problems.is_empty(), "{} without explanation:\n{}", problems.len(), sample.join("\n"));
    assert!(counts[&Reason::SameText] > WORDS / 6, "too few texts were compared");
}

/// Why LLVM and our decoder may say different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    SameText,
    RejectedByBoth,
    /// LLVM wants zeroes in unused fields, hardware ignores them; with zeroes both agree.
    UnusedFields,
    /// LLVM prints the negation bit of an integer source as `sext`, though only SDWA extends signs.
    NegatedInteger,
    /// LLVM prints 13 bits of a FLAT offset; the manual says that the highest is ignored.
    FlatOffset,
    /// LLVM prints that a constant cannot stand there, we reject.
    LlvmComplains,
    /// LLVM takes a pair of VGPRs for a lane mask in src2; the manual has SGPRs there.
    VgprAsMask,
    /// LLVM wants room for an image opcode's largest transfer even if this one is smaller.
    ImageAtTheEnd,
}

/// SDWA selection numbers that mean nothing: LLVM crashes on them, so it is not asked.
fn reserved_sdwa(words: &[u32]) -> bool {
    let field = |shift: u32| words[1] >> shift & 7;
    words[0] & 0x8000_01ff == 0xf9
        && (field(8) == 7 || field(16) == 7 || field(24) == 7 || field(11) & 3 == 3)
}

/// `v_cndmask`, `v_addc_co`, `v_subb_co`, `v_subbrev_co` in VOP3.
fn vgpr_as_mask(words: &[u32]) -> bool {
    words[0] >> 26 == 0x34
        && matches!(words[0] >> 16 & 0x3ff, 0x100 | 0x11c..=0x11e)
        && words[1] >> 26 & 1 != 0
}

fn image_at_the_end(words: &[u32]) -> bool {
    words[0] >> 26 == 0x3c && words[1] >> 8 & 0xff > 251
}

#[test]
fn words_that_crash_llvm_are_rejected() {
    // Bytes f9 b2 a4 15 35 f9 b7 f6: dst_sel is 1, dst_unused 3.
    let words = [0x15a4_b2f9, 0xf6b7_f935];
    assert!(reserved_sdwa(&words));
    assert_eq!(Table::gfx900().decode(&words), Err(vega_isa::DecodeError::Illegal(words[0])));
}

#[test]
fn no_words_make_the_decoder_panic() {
    let table = Table::gfx900();
    let mut rng = Rng(0x00c0_ffee);
    let mut decoded = 0usize;
    for _ in 0..2_000_000 {
        let words = words(&mut rng);
        for len in 0..=2 {
            if let Ok(inst) = table.decode(&words[..len]) {
                assert!(usize::from(inst.size_bytes) <= len * 4, "{words:x?}");
                decoded += 1;
                if decoded.is_multiple_of(64) {
                    assert!(!inst.to_string().is_empty());
                }
            }
        }
    }
    assert!(decoded > 1_000_000, "{decoded}");
}

//! The instructions around a fault.

use std::fmt::Write as _;

use vega_exec::AddressSpace;

/// Instructions shown in front of the one at fault, and after it.
const BEFORE: usize = 4;
const AFTER: usize = 3;
/// Code in front of the fault that is decoded to find where instructions begin.
const MAX_CODE: u64 = 1 << 20;
/// Dwords of the longest instruction.
const LONGEST: u64 = 5;

/// The instructions around the one at `at`, whose words are `here`. Instructions have no fixed length, so the code
/// is decoded from `start` on, where the function or the kernel begins; where that does not meet `at` (data in
/// between), only what follows is shown.
pub(crate) fn window(space: &AddressSpace, at: u64, here: &[u32], start: u64) -> String {
    let mut before = Vec::new();
    let mut pc = start;
    let reachable = at.checked_sub(start).is_some_and(|n| n <= MAX_CODE);
    while reachable && pc < at {
        let Some((text, bytes)) = instruction(space, pc) else { break };
        before.push((pc, text));
        pc += bytes;
    }
    if pc != at {
        before.clear();
    }
    let mut out = String::new();
    for (pc, text) in before.iter().skip(before.len().saturating_sub(BEFORE)) {
        let _ = writeln!(out, "       {pc:#x}: {text}");
    }
    let here = decode(here).map_or_else(|| words(here), |(text, _)| text);
    let _ = writeln!(out, "    => {at:#x}: {here}");
    let mut pc = at;
    for _ in 0..=AFTER {
        let Some((text, bytes)) = instruction(space, pc) else { break };
        if pc != at {
            let _ = writeln!(out, "       {pc:#x}: {text}");
        }
        // Padding follows.
        if text == "s_endpgm" {
            break;
        }
        pc += bytes;
    }
    out
}

fn words(words: &[u32]) -> String {
    if words.is_empty() {
        return "(the code cannot be read)".to_owned();
    }
    let hex: Vec<String> = words.iter().take(2).map(|w| format!("{w:08x}")).collect();
    format!("{} (no instruction)", hex.join(" "))
}

/// The words at an address, enough for an instruction.
pub(crate) fn code(space: &AddressSpace, pc: u64) -> Vec<u32> {
    (0..LONGEST).map_while(|i| space.read::<u32>(pc.wrapping_add(i * 4)).ok()).collect()
}

/// The instruction at an address as text, and its length in bytes.
fn instruction(space: &AddressSpace, pc: u64) -> Option<(String, u64)> {
    decode(&code(space, pc))
}

/// The first instruction of some words.
fn decode(words: &[u32]) -> Option<(String, u64)> {
    let inst = vega_isa::decode(words).ok()?;
    let bytes = u64::from(inst.size_bytes.max(4));
    Some((inst.to_string().trim().to_owned(), bytes))
}

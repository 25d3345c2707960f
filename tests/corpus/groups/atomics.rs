//! `kernels/corpus/atomics.hip`.
//!
//! The order of the operations is the device's affair, so the reference asks whether there is one: what each operation
//! found, and what it therefore left, is an edge between two values of the cell. The operations happened one after the other
//! exactly if one path from the first value to the last takes every edge once (Euler).

use crate::case::{Case, shape};
use std::collections::BTreeMap;

/// An operation: the value that thread `t` leaves in place of `old`.
type Operation = fn(old: u64, t: u64) -> u64;

fn signed(old: u64) -> i32 {
    old as i32
}

fn word(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

/// One bit of a word, and of a double word.
fn bit(t: u64, width: u64) -> u64 {
    1 << (t % width)
}

/// The operations on words: their names, the first value of the cell, what they do.
#[rustfmt::skip]
const WORDS: [(&str, u32, Operation); 13] = [
    ("add", 5, |old, t| (old + t) & 0xffff_ffff),
    ("sub", 5, |old, t| word(signed(old).wrapping_sub(t as i32))),
    ("max", !0, |old, t| word(signed(old).max(t as i32))),
    ("min", 9, |old, t| word(signed(old).min(-(t as i32)))),
    ("and", !0, |old, t| old & !bit(t, 32)),
    ("or", 0, |old, t| old | bit(t, 32)),
    ("xor", 0x100, |old, t| old ^ t),
    ("exchange", !0, |_, t| t),
    ("compare and swap", 0, |old, t| if old == t { t + 1 } else { old }),
    ("increment", 3, |old, _| if old >= 17 { 0 } else { old + 1 }),
    ("decrement", 30, |old, _| if old == 0 || old > 9 { 9 } else { old - 1 }),
    ("unsigned max", 7, |old, t| old.max(0x8000_0000 + t)),
    ("unsigned min", !0, |old, t| old.min(0xffff_ff00 - t)),
];

/// What a thread brings to the double words.
fn big(t: u64) -> u64 {
    0x1_0000_0001 * t
}

/// The operations on double words.
#[rustfmt::skip]
const DOUBLE_WORDS: [(&str, u64, Operation); 8] = [
    ("add", 0xffff_fff0, |old, t| old.wrapping_add(big(t))),
    ("max", 1, |old, t| old.max(big(t))),
    ("min", !0, |old, t| old.min(!big(t))),
    ("compare and swap", 0, |old, t| if old == big(t) { big(t + 1) } else { old }),
    ("exchange", !0, |_, t| big(t)),
    ("and", !0, |old, t| old & !bit(t, 64)),
    ("or", 0, |old, t| old | bit(t, 64)),
    ("xor", 1 << 40, |old, t| old ^ big(t)),
];

/// Whether one path from `first` to `last` takes every edge once.
fn is_one_path(first: u64, last: u64, edges: &[(u64, u64)]) -> Result<(), String> {
    // How many more edges leave a value than reach it, as if one more edge led back from the last value to the first.
    let mut balance: BTreeMap<u64, i64> = BTreeMap::new();
    let mut leaving: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for &(from, to) in edges.iter().chain(&[(last, first)]) {
        *balance.entry(from).or_default() += 1;
        *balance.entry(to).or_default() -= 1;
        leaving.entry(from).or_default().push(to);
    }
    if let Some((value, balance)) = balance.iter().find(|(_, balance)| **balance != 0) {
        return Err(format!("{value:#x} is found {balance} times more often than it is left"));
    }
    let mut reached = vec![first];
    while let Some(value) = reached.pop() {
        reached.extend(leaving.remove(&value).unwrap_or_default());
    }
    leaving.keys().next().map_or(Ok(()), |value| Err(format!("{value:#x} is found, but nothing leads to it")))
}

/// Checks the cells of one width: the values after all operations, and what each operation found.
fn check(operations: &[(&str, u64, Operation)], after: &[u64], old: &[u64]) -> Result<(), String> {
    let threads = old.len() / operations.len();
    for (((name, first, operation), last), old) in operations.iter().zip(after).zip(old.chunks(threads)) {
        let edges: Vec<_> = old.iter().zip(0..).map(|(&old, t)| (old, operation(old, t))).collect();
        is_one_path(*first, *last, &edges).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// The checks of both kernels: cells, double words, then what was found begins at output `old`.
fn checked(case: Case, old: usize) -> Case {
    case.check(move |outputs| {
        let words = |index| outputs.get::<u32>(index).into_iter().map(u64::from).collect::<Vec<u64>>();
        let operations = WORDS.map(|(name, first, operation)| (name, u64::from(first), operation));
        check(&operations, &words(0), &words(old))?;
        check(&DOUBLE_WORDS, &outputs.get(1), &outputs.get(old + 1))
            .map_err(|error| format!("double words: {error}"))
    })
}

fn cells(kernel: &'static str, grid: u32, block: u32) -> Case {
    Case::new(kernel, shape(grid, block))
        .output(&WORDS.map(|(_, first, _)| first))
        .output(&DOUBLE_WORDS.map(|(_, first, _)| first))
}

pub fn cases() -> Vec<Case> {
    let global = cells("global_atomics", 3, 128)
        .output(&[0.25f32])
        .output(&[0.25f64])
        .output(&vec![0u32; WORDS.len() * 384])
        .output(&vec![0u64; DOUBLE_WORDS.len() * 384])
        .expect(2, vec![1.5f32 * 384.0 + 0.25])
        .expect(3, vec![2.5f64 * 384.0 + 0.25]);
    let sums: [f32; 16] = std::array::from_fn(|at| at as f32);
    let lds = cells("lds_atomics", 1, 256)
        .output(&sums)
        .output(&vec![0u32; WORDS.len() * 256])
        .output(&vec![0u64; DOUBLE_WORDS.len() * 256])
        .expect(2, sums.map(|sum| sum + 1.5 * 16.0).to_vec());
    vec![checked(global, 4), checked(lds, 3)]
}

//! What the examples share: their command line, reproducible numbers, and times that say what they are.
#![allow(dead_code, reason = "each example uses a part of it")]

use std::time::Duration;

/// What an example fails with.
pub type Failure = Box<dyn std::error::Error>;

/// The value after `--name` on the command line, or `default`.
pub fn option(name: &str, default: usize) -> Result<usize, Failure> {
    let flag = format!("--{name}");
    let mut arguments = std::env::args().skip_while(|argument| *argument != flag).skip(1);
    match arguments.next() {
        Some(value) => value.parse().map_err(|error| format!("{flag} {value}: {error}").into()),
        None if std::env::args().any(|argument| argument == flag) => {
            Err(format!("{flag} needs a number").into())
        }
        None => Ok(default),
    }
}

/// `len` numbers from 0 to 1, always the same for one seed: multiples of 2^-10, so that products and short sums of them
/// are exact.
pub fn numbers(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_769) | 1;
    let mut next = || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from((state >> 16) as u16 >> 6) / 1024.0
    };
    (0..len).map(|_| next()).collect()
}

/// Seconds per launch, and a note where they are not a card's.
pub fn seconds(device: hip::Device, time: Duration, launches: usize) -> Result<(f64, &'static str), Failure> {
    let seconds = time.as_secs_f64() / launches.max(1) as f64;
    let note = if device.name()?.ends_with("(virtual)") { " (virtual: not a card's time)" } else { "" };
    Ok((seconds, note))
}

/// The device's line, which each example begins with.
pub fn announce(device: hip::Device) -> Result<(), Failure> {
    println!("device {}: {}, {}", device.ordinal(), device.name()?, device.arch()?);
    Ok(())
}

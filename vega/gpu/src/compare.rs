//! The comparison of polling packets (POLL_REGMEM of SDMA, WAIT_REG_MEM of PM4): three bits, the same in
//! both (soc15d.h, vega10_sdma_pkt_open.h).

/// Whether `value` compares with `reference` as function `function` asks; 7 is reserved and never holds.
pub(crate) fn holds(function: u64, value: u32, reference: u32) -> bool {
    match function {
        0 => true,
        1 => value < reference,
        2 => value <= reference,
        3 => value == reference,
        4 => value != reference,
        5 => value >= reference,
        6 => value > reference,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn functions_compare_unsigned() {
        let table = |a, b| (0..8).map(|f| holds(f, a, b)).collect::<Vec<_>>();
        assert_eq!(table(1, 2), [true, true, true, false, true, false, false, false]);
        assert_eq!(table(2, 2), [true, false, true, true, false, true, false, false]);
        assert_eq!(table(u32::MAX, 2), [true, false, false, false, true, true, true, false]);
    }
}

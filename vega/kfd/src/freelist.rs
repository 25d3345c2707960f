//! Which parts of a range of offsets are free.

use std::collections::BTreeMap;

/// Free ranges of `[0, size)`, first fit, neighbours merged.
#[derive(Debug)]
pub struct FreeList {
    /// Offset to length; no two touch.
    free: BTreeMap<u64, u64>,
}

impl FreeList {
    /// Everything in `[start, end)` is free.
    pub fn new(start: u64, end: u64) -> Self {
        let mut free = BTreeMap::new();
        if start < end {
            free.insert(start, end - start);
        }
        FreeList { free }
    }

    /// Takes `len` bytes at a multiple of `align`, the lowest there are.
    pub fn take(&mut self, len: u64, align: u64) -> Option<u64> {
        if len == 0 || align == 0 {
            return None;
        }
        let (start, room, at) = self.free.iter().find_map(|(&start, &room)| {
            let at = start.checked_next_multiple_of(align)?;
            (at - start <= room && room - (at - start) >= len).then_some((start, room, at))
        })?;
        self.free.remove(&start);
        if at > start {
            self.free.insert(start, at - start);
        }
        let end = start + room;
        if end > at + len {
            self.free.insert(at + len, end - at - len);
        }
        Some(at)
    }

    /// Gives a range back that [`take`](Self::take) returned.
    pub fn give(&mut self, start: u64, len: u64) {
        let mut start = start;
        let mut end = start + len;
        if let Some((&before, &room)) = self.free.range(..start).next_back()
            && before + room == start
        {
            self.free.remove(&before);
            start = before;
        }
        if let Some(room) = self.free.remove(&end) {
            end += room;
        }
        self.free.insert(start, end - start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_disjoint_aligned_and_comes_back() {
        let mut list = FreeList::new(0x1000, 0x100_0000);
        let mut taken: Vec<(u64, u64)> = Vec::new();
        let mut seed = 12345u64;
        for round in 0..2000 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let len = (seed >> 33) % 0x2_0000 + 1;
            let align = 1 << ((seed >> 20) % 17);
            if round % 3 == 2 && !taken.is_empty() {
                let (start, len) = taken.swap_remove((seed >> 40) as usize % taken.len());
                list.give(start, len);
            } else if let Some(start) = list.take(len, align) {
                assert_eq!(start % align, 0);
                assert!(start >= 0x1000 && start + len <= 0x100_0000);
                assert!(taken.iter().all(|&(s, l)| s + l <= start || start + len <= s));
                taken.push((start, len));
            }
        }
        for (start, len) in taken {
            list.give(start, len);
        }
        assert_eq!(list.free, BTreeMap::from([(0x1000, 0x100_0000 - 0x1000)]));
    }

    #[test]
    fn full_is_full() {
        let mut list = FreeList::new(0, 0x3000);
        assert_eq!(list.take(0x4000, 0x1000), None);
        assert_eq!(list.take(0x3000, 0x1000), Some(0));
        assert_eq!(list.take(1, 1), None);
        assert_eq!(list.take(0, 1), None);
    }
}

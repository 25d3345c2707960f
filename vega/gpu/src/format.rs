//! Packet formats as data: how a packet is recognised, how long it is, and where its fields lie.
//!
//! AQL, PM4 and SDMA packets are all sequences of dwords whose first one says what they are, so one
//! decoder reads the three tables ([`aql::packet`](crate::aql), [`pm4`](crate::pm4),
//! [`sdma::packet`](crate::sdma)). `K` names the fields of a family, `A` what to do with a packet.

/// A field of up to 64 bits; it may span dwords.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<K> {
    pub key: K,
    /// First bit, counted from bit 0 of the packet's first dword.
    pub bit: u32,
    /// Width, 1 to 64.
    pub bits: u32,
}

/// A field of `bits` bits at `shift` of dword `dword`.
pub(crate) const fn at<K>(key: K, dword: u32, shift: u32, bits: u32) -> Field<K> {
    Field { key, bit: dword * 32 + shift, bits }
}

/// A 64-bit value, low dword first, from dword `dword` on.
pub(crate) const fn wide<K>(key: K, dword: u32) -> Field<K> {
    at(key, dword, 0, 64)
}

/// How many dwords a packet has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// Always the same.
    Fixed(u32),
    /// `base` and the value of a field of the packet.
    Counted { base: u32, dword: u32, shift: u32, bits: u32 },
}

/// One row of a packet table.
#[derive(Debug)]
pub(crate) struct Format<K: 'static, A> {
    /// The name in the vendor's headers.
    pub name: &'static str,
    /// Bits of the first dword that tell the format.
    pub mask: u32,
    /// Their value.
    pub value: u32,
    pub length: Length,
    pub action: A,
    pub fields: &'static [Field<K>],
}

impl<K: Copy + PartialEq, A> Format<K, A> {
    /// The row that describes a packet beginning with `first`; of several, the first in the table.
    pub fn of(table: &'static [Self], first: u32) -> Option<&'static Self> {
        table.iter().find(|f| first & f.mask == f.value)
    }

    /// The packet's length in dwords. `words` holds its beginning.
    pub fn dwords(&self, words: &[u32]) -> u32 {
        match self.length {
            Length::Fixed(n) => n,
            Length::Counted { base, dword, shift, bits } => {
                base + extract(words, dword * 32 + shift, bits) as u32
            }
        }
    }

    /// The dwords that must be at hand before [`dwords`](Self::dwords) and the fields can be read.
    pub fn head(&self) -> u32 {
        let of_length = match self.length {
            Length::Fixed(n) => n,
            Length::Counted { dword, .. } => dword + 1,
        };
        let of_fields = self.fields.iter().map(|f| (f.bit + f.bits).div_ceil(32)).max().unwrap_or(1);
        of_length.max(of_fields)
    }

    /// The value of a field; 0 if the format has none of that name.
    pub fn get(&self, words: &[u32], key: K) -> u64 {
        self.fields.iter().find(|f| f.key == key).map_or(0, |f| extract(words, f.bit, f.bits))
    }
}

/// `bits` bits from bit `bit` on; dwords that are not there read as 0.
pub(crate) fn extract(words: &[u32], bit: u32, bits: u32) -> u64 {
    let first = (bit / 32) as usize;
    let window =
        (0..3).fold(0u128, |all, i| all | u128::from(words.get(first + i).copied().unwrap_or(0)) << (32 * i));
    let mask = u64::MAX >> (64 - bits.clamp(1, 64));
    (window >> (bit % 32)) as u64 & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_span_dwords() {
        let words = [0x1234_5678, 0x9abc_def0, 0x0fed_cba9];
        assert_eq!(extract(&words, 0, 32), 0x1234_5678);
        assert_eq!(extract(&words, 4, 8), 0x67);
        assert_eq!(extract(&words, 0, 64), 0x9abc_def0_1234_5678);
        assert_eq!(extract(&words, 16, 32), 0xdef0_1234);
        assert_eq!(extract(&words, 40, 64), 0x000f_edcb_a99a_bcde);
        assert_eq!(extract(&words, 64, 64), 0x0fed_cba9, "missing dwords are 0");
        assert_eq!(extract(&words, 960, 1), 0);
    }

    #[test]
    fn the_first_matching_row_wins_and_lengths_follow_the_packet() {
        #[derive(Clone, Copy, PartialEq, Debug)]
        enum Key {
            Count,
        }
        static TABLE: [Format<Key, u8>; 2] = [
            Format {
                name: "SPECIAL",
                mask: 0xffff,
                value: 0x0107,
                length: Length::Fixed(2),
                action: 1,
                fields: &[at(Key::Count, 1, 0, 8)],
            },
            Format {
                name: "ANY",
                mask: 0xff,
                value: 0x07,
                length: Length::Counted { base: 1, dword: 0, shift: 16, bits: 14 },
                action: 2,
                fields: &[],
            },
        ];
        let special = Format::of(&TABLE, 0x107).unwrap();
        assert_eq!((special.action, special.dwords(&[0x107]), special.head()), (1, 2, 2));
        assert_eq!(special.get(&[0x107, 0x1ff], Key::Count), 0xff);
        let any = Format::of(&TABLE, 0x0003_0007).unwrap();
        assert_eq!((any.action, any.dwords(&[0x0003_0007]), any.head()), (2, 4, 1));
        assert_eq!(any.get(&[7], Key::Count), 0, "a field that the format lacks");
        assert!(Format::of(&TABLE, 0x08).is_none());
    }
}

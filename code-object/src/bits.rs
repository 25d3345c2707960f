//! Bit fields as a table: one macro makes the type, its accessors and the list that printers walk.

/// Declares a newtype over a register word with one accessor per bit field.
///
/// Every row is `name: high..low, "what it means";` in the notation of the ISA manuals.
macro_rules! bit_fields {
    ($(#[$meta:meta])* $name:ident($word:ty) { $($field:ident: $high:literal .. $low:literal, $doc:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(pub $word);

        impl $name {
            /// All fields, in the order of the table.
            pub const FIELDS: &'static [$crate::Field] = &[
                $($crate::Field { name: stringify!($field), high: $high, low: $low, doc: $doc },)*
            ];
            $(
                #[doc = concat!("Bits ", stringify!($high), ":", stringify!($low), ": ", $doc)]
                pub fn $field(self) -> u32 {
                    (u32::from(self.0) >> $low) & (u32::MAX >> (31 - ($high - $low)))
                }
            )*
        }

        impl std::fmt::Debug for $name {
            /// The word in hexadecimal and the fields that are not zero.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x}"), self.0)?;
                for field in Self::FIELDS {
                    let value = field.of(u32::from(self.0));
                    if value != 0 {
                        write!(f, " {}={value}", field.name)?;
                    }
                }
                f.write_str(")")
            }
        }
    };
}
pub(crate) use bit_fields;

//! The registers that an instruction names.

use std::fmt::{self, Display, Formatter};

use crate::inst::Inst;
use crate::operand::{Kind, Operand, Role, Slot};
use crate::text;

/// Registers side by side, as one operand names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Registers {
    /// VGPRs, else SGPRs by hardware number.
    pub vector: bool,
    /// The first one.
    pub first: u8,
    /// How many.
    pub count: u8,
}

impl Display for Registers {
    /// As the assembly text names them: `v5`, `s[2:3]`, `vcc`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { vector, first, count } = *self;
        match (vector, count) {
            (false, _) => text::write_sgpr(f, first, count),
            (true, 1) => write!(f, "v{first}"),
            (true, _) => write!(f, "v[{first}:{}]", u16::from(first) + u16::from(count) - 1),
        }
    }
}

impl Inst {
    /// The registers of each operand that is one, with its slot. What an instruction touches without naming it is in
    /// [`Row::reads`](crate::Row::reads) and [`Row::writes`](crate::Row::writes).
    pub fn registers(&self) -> impl Iterator<Item = (&'static Slot, Registers)> + '_ {
        self.iter().enumerate().filter_map(|(i, (slot, operand))| {
            let (vector, first) = match operand {
                Operand::Vgpr(first) => (true, first),
                Operand::Sgpr(first) => (false, first),
                _ => return None,
            };
            let count = if slot.kind == Kind::LaneMask { 2 } else { self.dwords(i) };
            (count != 0).then_some((slot, Registers { vector, first, count }))
        })
    }

    /// Whether the instruction writes the operand in a slot.
    pub fn writes(&self, slot: &Slot) -> bool {
        match slot.role {
            Role::Dst | Role::Both => true,
            Role::Src => false,
            Role::DstIfGlc | Role::BothIfGlc => self.modifiers.flags.has(crate::Flags::GLC),
        }
    }

    /// Whether the instruction reads the operand in a slot.
    pub fn reads(&self, slot: &Slot) -> bool {
        matches!(slot.role, Role::Src | Role::Both | Role::BothIfGlc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of what is read, then of what is written.
    fn named(words: &[u32]) -> (Vec<String>, Vec<String>) {
        let inst = crate::decode(words).unwrap();
        let names = |wanted: &dyn Fn(&Slot) -> bool| {
            inst.registers().filter(|(slot, _)| wanted(slot)).map(|(_, r)| r.to_string()).collect()
        };
        (names(&|slot| inst.reads(slot)), names(&|slot| inst.writes(slot)))
    }

    #[test]
    fn operands_are_named_as_in_the_text() {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        // global_store_dword v[1:2], v0, off offset:16
        assert_eq!(named(&[0xdc70_8010, 0x007f_0001]), (list(&["v[1:2]", "v0"]), list(&[])));
        // s_load_dwordx2 s[4:5], s[0:1], 0x0
        assert_eq!(named(&[0xc006_0100, 0]), (list(&["s[0:1]"]), list(&["s[4:5]"])));
        // s_and_saveexec_b64 s[4:5], vcc
        assert_eq!(named(&[0xbe84_206a]), (list(&["vcc"]), list(&["s[4:5]"])));
        // v_mac_f32_e32 v1, v2, v3
        assert_eq!(named(&[0x2c02_0702]), (list(&["v1", "v2", "v3"]), list(&["v1"])));
    }
}

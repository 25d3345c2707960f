//! The opcode table: one row for each gfx900 opcode.
//!
//! Decoder, disassembler, liveness, generators and engines read this table only. Families of opcodes (comparisons,
//! atomic operations, samples, the three address segments) come from small macros, everything else is one line a row.

use std::sync::LazyLock;

use crate::row::{Encoding, Form, Row};

mod buffer;
mod build;
mod derive;
mod ds;
mod flat;
mod image;
mod scalar;
mod slots;
mod smem;
mod vop1;
mod vop2;
mod vop3;
mod vop3p;
mod vopc;

/// VOP3 has ten opcode bits, the most of all encodings.
const OPCODES: usize = 1024;
const ENCODINGS: usize = Encoding::Exp as usize + 1;

/// Rows, found by encoding and opcode.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<&'static Row>,
    native: Vec<[Option<&'static Row>; 256]>,
    vop3: Vec<Option<&'static Row>>,
}

static GFX900: LazyLock<Table> = LazyLock::new(|| {
    let single = [
        scalar::SOP2,
        scalar::SOPK,
        scalar::SOP1,
        scalar::SOPC,
        scalar::SOPP,
        vop2::VOP2,
        vop1::VOP1,
        vop3::VOP3,
        vop3p::VOP3P,
    ];
    let families = [smem::SMEM, vopc::VOPC, ds::DS, flat::FLAT, buffer::BUFFER, image::IMAGES];
    Table::new(single.into_iter().chain(families.into_iter().flatten().copied()).flatten())
});

impl Table {
    /// The gfx900 opcodes.
    pub fn gfx900() -> &'static Self {
        &GFX900
    }

    /// A table of any rows, for tools and tests that change some. Of two rows with the same number the later one
    /// is found.
    pub fn new(rows: impl IntoIterator<Item = &'static Row>) -> Self {
        let mut table =
            Self { rows: Vec::new(), native: vec![[None; 256]; ENCODINGS], vop3: vec![None; OPCODES] };
        for row in rows {
            table.rows.push(row);
            if row.encoding == Encoding::Vop3 {
                table.put_vop3(row.opcode, row);
            } else if let Some(place) =
                table.native.get_mut(row.encoding as usize).and_then(|t| t.get_mut(usize::from(row.opcode)))
            {
                *place = Some(row);
            }
            if let (Some(op), true) = (row.vop3, row.forms.has(Form::E64)) {
                table.put_vop3(op, row);
            }
        }
        table
    }

    fn put_vop3(&mut self, op: u16, row: &'static Row) {
        if let Some(place) = self.vop3.get_mut(usize::from(op)) {
            *place = Some(row);
        }
    }

    /// All rows, by encoding.
    pub fn rows(&self) -> &[&'static Row] {
        &self.rows
    }

    /// The row of an opcode in its own encoding (for [`Encoding::Vop3`]: any opcode's VOP3 number).
    pub fn row(&self, encoding: Encoding, opcode: u32) -> Option<&'static Row> {
        if encoding == Encoding::Vop3 {
            return self.vop3.get(opcode as usize).copied().flatten();
        }
        self.native.get(encoding as usize)?.get(opcode as usize).copied().flatten()
    }
}

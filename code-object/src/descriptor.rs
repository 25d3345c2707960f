//! The kernel descriptor: 64 bytes that tell the command processor how to launch a kernel.
//!
//! Source of every field: LLVM AMDGPUUsage, "Kernel Descriptor" (tables "Code Object V3 Kernel Descriptor",
//! "compute_pgm_rsrc1", "compute_pgm_rsrc2", "compute_pgm_rsrc3"); the registers themselves are COMPUTE_PGM_RSRC1..3
//! of AMD's register references.

use crate::bits::bit_fields;
use crate::bytes::Bytes;

/// One row of a register's table of bit fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The field's name, as the accessor's.
    pub name: &'static str,
    /// Its highest bit.
    pub high: u32,
    /// Its lowest bit.
    pub low: u32,
    /// What it means.
    pub doc: &'static str,
}

impl Field {
    /// The field's value in `word`.
    pub fn of(&self, word: u32) -> u32 {
        (word >> self.low) & (u32::MAX >> (31 - (self.high - self.low)))
    }
}

bit_fields! {
    /// COMPUTE_PGM_RSRC1: registers, floating-point modes.
    Rsrc1(u32) {
        granulated_workitem_vgpr_count: 5..0, "VGPRs per lane in blocks, less one; the block is 4 on GFX6-9, 8 on GFX90A and in wave32";
        granulated_wavefront_sgpr_count: 9..6, "SGPRs per wavefront in blocks of 8, less one; on GFX9 always odd (blocks of 16); 0 since GFX10";
        priority: 11..10, "wavefront priority; must be 0, the command processor sets it";
        float_round_mode_32: 13..12, "f32 rounding: 0 nearest even, 1 up, 2 down, 3 to zero";
        float_round_mode_16_64: 15..14, "f16 and f64 rounding, same codes";
        float_denorm_mode_32: 17..16, "f32 denormals: 0 flush in and out, 1 flush out, 2 flush in, 3 keep";
        float_denorm_mode_16_64: 19..18, "f16 and f64 denormals, same codes";
        priv_: 20..20, "privileged mode; must be 0";
        enable_dx10_clamp: 21..21, "GFX6-11: clamp turns a NaN into 0 (GFX12: round-robin wave scheduling)";
        debug_mode: 22..22, "single-step debugging; must be 0";
        enable_ieee_mode: 23..23, "GFX6-11: IEEE 754-2008 treatment of signalling NaNs in min and max";
        bulky: 24..24, "one workgroup per compute unit; must be 0";
        cdbg_user: 25..25, "user debug bit; must be 0";
        fp16_ovfl: 26..26, "GFX9 and later: an f16 overflow gives the largest finite value";
        wgp_mode: 29..29, "GFX10 and later: a workgroup spans a work-group processor";
        mem_ordered: 30..30, "GFX10 and later: loads and stores return in order";
        fwd_progress: 31..31, "GFX10 and later: oldest wavefront first";
    }
}

impl Rsrc1 {
    /// VGPRs allocated per lane, for a block of `granule` registers (4 on gfx900).
    pub fn vgprs(self, granule: u32) -> u32 {
        (self.granulated_workitem_vgpr_count() + 1).saturating_mul(granule)
    }
    /// SGPRs allocated per wavefront on GFX6-9, VCC and FLAT_SCRATCH included.
    pub fn sgprs(self) -> u32 {
        (self.granulated_wavefront_sgpr_count() + 1) * 8
    }
}

bit_fields! {
    /// COMPUTE_PGM_RSRC2: initial registers, LDS, exceptions.
    Rsrc2(u32) {
        enable_private_segment: 0..0, "scratch is set up: the private segment wave offset follows the user SGPRs";
        user_sgpr_count: 5..1, "SGPRs loaded by the command processor before the workgroup ids";
        enable_trap_handler: 6..6, "trap handler; must be 0, the command processor sets it";
        enable_sgpr_workgroup_id_x: 7..7, "an SGPR holds the workgroup id in x";
        enable_sgpr_workgroup_id_y: 8..8, "an SGPR holds the workgroup id in y";
        enable_sgpr_workgroup_id_z: 9..9, "an SGPR holds the workgroup id in z";
        enable_sgpr_workgroup_info: 10..10, "an SGPR holds the workgroup information";
        enable_vgpr_workitem_id: 12..11, "work-item ids in VGPRs: 0 x; 1 x and y; 2 x, y and z";
        enable_exception_address_watch: 13..13, "address watch exceptions; must be 0";
        enable_exception_memory: 14..14, "memory violation exceptions; must be 0";
        granulated_lds_size: 23..15, "LDS size; must be 0, the command processor takes it from the dispatch packet";
        enable_exception_ieee_754_fp_invalid_operation: 24..24, "floating-point exception: invalid operation";
        enable_exception_fp_denormal_source: 25..25, "floating-point exception: denormal source";
        enable_exception_ieee_754_fp_division_by_zero: 26..26, "floating-point exception: division by zero";
        enable_exception_ieee_754_fp_overflow: 27..27, "floating-point exception: overflow";
        enable_exception_ieee_754_fp_underflow: 28..28, "floating-point exception: underflow";
        enable_exception_ieee_754_fp_inexact: 29..29, "floating-point exception: inexact";
        enable_exception_int_divide_by_zero: 30..30, "integer division by zero";
    }
}

bit_fields! {
    /// COMPUTE_PGM_RSRC3: reserved (0) up to GFX9; the two layouts that exist overlap.
    Rsrc3(u32) {
        accum_offset: 5..0, "GFX90A, GFX940: first accumulation VGPR in blocks of 4, less one";
        tg_split: 16..16, "GFX90A, GFX940: wavefronts of a workgroup may run on different compute units";
        shared_vgpr_count: 3..0, "GFX10, GFX11: shared VGPRs in blocks of 8 (wave64)";
        inst_pref_size: 9..4, "GFX11: instruction bytes to prefetch, in blocks of 128";
        trap_on_start: 10..10, "GFX11: trap when a wavefront starts; must be 0";
        trap_on_end: 11..11, "GFX11: trap when a wavefront ends; must be 0";
        image_op: 31..31, "GFX11: the kernel executes image instructions";
    }
}

bit_fields! {
    /// `kernel_code_properties`: which user SGPRs the kernel wants, in this order, and its wave size.
    CodeProperties(u16) {
        enable_sgpr_private_segment_buffer: 0..0, "4 SGPRs: the scratch buffer's resource descriptor";
        enable_sgpr_dispatch_ptr: 1..1, "2 SGPRs: the AQL dispatch packet's address";
        enable_sgpr_queue_ptr: 2..2, "2 SGPRs: the address of amd_queue_t";
        enable_sgpr_kernarg_segment_ptr: 3..3, "2 SGPRs: the kernarg segment's address";
        enable_sgpr_dispatch_id: 4..4, "2 SGPRs: the dispatch id";
        enable_sgpr_flat_scratch_init: 5..5, "2 SGPRs: the flat scratch base and size";
        enable_sgpr_private_segment_size: 6..6, "1 SGPR: the private segment's size of a lane";
        enable_wavefront_size32: 10..10, "GFX10 and later: wavefronts of 32 lanes";
        uses_dynamic_stack: 11..11, "the private segment's size is a lower bound";
    }
}

impl CodeProperties {
    /// The number of user SGPRs that the enabled fields occupy.
    pub fn user_sgprs(self) -> u32 {
        const DWORDS: [u32; 7] = [4, 2, 2, 2, 2, 2, 1];
        DWORDS.iter().enumerate().map(|(bit, dwords)| (u32::from(self.0) >> bit & 1) * dwords).sum()
    }
}

bit_fields! {
    /// `kernarg_preload`: kernel arguments that the command processor loads into SGPRs (GFX90A, GFX940).
    KernargPreload(u16) {
        length: 6..0, "dwords to load";
        offset: 15..7, "first dword to load";
    }
}

/// The 64-byte kernel descriptor of code objects V3 and later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KernelDescriptor {
    /// Static LDS of a workgroup, in bytes.
    pub group_segment_fixed_size: u32,
    /// Static scratch of a lane, in bytes.
    pub private_segment_fixed_size: u32,
    /// Kernarg segment, in bytes.
    pub kernarg_size: u32,
    /// From the descriptor's own address to the kernel's first instruction, which is 256-byte aligned.
    pub kernel_code_entry_byte_offset: i64,
    /// COMPUTE_PGM_RSRC3.
    pub rsrc3: Rsrc3,
    /// COMPUTE_PGM_RSRC1.
    pub rsrc1: Rsrc1,
    /// COMPUTE_PGM_RSRC2.
    pub rsrc2: Rsrc2,
    /// User SGPRs and wave size.
    pub properties: CodeProperties,
    /// Arguments loaded into SGPRs.
    pub kernarg_preload: KernargPreload,
    /// Whether all reserved bytes are zero, as they must be.
    pub reserved_is_zero: bool,
}

impl KernelDescriptor {
    /// The size of a descriptor in bytes; its address is 64-byte aligned.
    pub const SIZE: usize = 64;

    /// Reads a descriptor. Every bit pattern is one; it is the caller who judges it.
    pub fn parse(bytes: &[u8; Self::SIZE]) -> Self {
        let word = |at: usize| -> u32 {
            // The offsets below are constants inside the array: the error case cannot happen.
            Bytes(bytes).u32(at as u64, "kernel descriptor").unwrap_or_default()
        };
        let tail = word(56);
        Self {
            group_segment_fixed_size: word(0),
            private_segment_fixed_size: word(4),
            kernarg_size: word(8),
            kernel_code_entry_byte_offset: (u64::from(word(16)) | u64::from(word(20)) << 32).cast_signed(),
            rsrc3: Rsrc3(word(44)),
            rsrc1: Rsrc1(word(48)),
            rsrc2: Rsrc2(word(52)),
            properties: CodeProperties((tail & 0xffff) as u16),
            kernarg_preload: KernargPreload((tail >> 16) as u16),
            reserved_is_zero: word(12) == 0 && (24..44).step_by(4).all(|at| word(at) == 0) && word(60) == 0,
        }
    }

    /// The address of the kernel's first instruction, for a descriptor at `address` (wrapping, as the hardware adds).
    pub fn entry(&self, address: u64) -> u64 {
        address.wrapping_add_signed(self.kernel_code_entry_byte_offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_sit_at_their_offsets() {
        let mut bytes = [0u8; 64];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = i as u8;
        }
        let kd = KernelDescriptor::parse(&bytes);
        assert_eq!(kd.group_segment_fixed_size, 0x0302_0100);
        assert_eq!(kd.private_segment_fixed_size, 0x0706_0504);
        assert_eq!(kd.kernarg_size, 0x0b0a_0908);
        assert_eq!(kd.kernel_code_entry_byte_offset, 0x1716_1514_1312_1110);
        assert_eq!(kd.rsrc3.0, 0x2f2e_2d2c);
        assert_eq!(kd.rsrc1.0, 0x3332_3130);
        assert_eq!(kd.rsrc2.0, 0x3736_3534);
        assert_eq!(kd.properties.0, 0x3938);
        assert_eq!(kd.kernarg_preload.0, 0x3b3a);
        assert!(!kd.reserved_is_zero);
        assert!(KernelDescriptor::parse(&[0; 64]).reserved_is_zero);
    }

    #[test]
    fn fields_do_not_overlap_and_cover_their_masks() {
        let tables: [(&str, &[Field], u32); 4] = [
            ("rsrc1", Rsrc1::FIELDS, 0xe7ff_ffff),
            ("rsrc2", Rsrc2::FIELDS, 0x7fff_ffff),
            ("properties", CodeProperties::FIELDS, 0x0c7f),
            ("preload", KernargPreload::FIELDS, 0xffff),
        ];
        for (name, fields, mask) in tables {
            let mut seen = 0u32;
            for field in fields {
                let bits = (u32::MAX >> (31 - (field.high - field.low))) << field.low;
                assert_eq!(seen & bits, 0, "{name}.{} overlaps", field.name);
                seen |= bits;
            }
            assert_eq!(seen, mask, "{name}");
        }
    }

    #[test]
    fn entry_is_relative_to_the_descriptor() {
        let mut bytes = [0u8; 64];
        bytes[16..24].copy_from_slice(&(-0x100i64).to_le_bytes());
        assert_eq!(KernelDescriptor::parse(&bytes).entry(0x1740), 0x1640);
    }

    #[test]
    fn user_sgprs_follow_the_enabled_fields() {
        assert_eq!(CodeProperties(0x7f).user_sgprs(), 15);
        assert_eq!(CodeProperties(0b1000).user_sgprs(), 2);
    }
}

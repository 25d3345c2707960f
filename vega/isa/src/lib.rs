//! The gfx900 instruction set: opcode table, decoder, disassembler.

//! Executes gfx900 machine code: waves, workgroups, guest memory.

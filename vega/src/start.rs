//! What makes a shared object a program, too: the interpreter's name and the entry point.
//!
//! # Safety
//! The entry point does what `crt1.o` does: it takes `argc` and `argv` from the stack as the kernel left
//! them, aligns the stack, and calls glibc's `__libc_start_main` (the version of glibc 2.34, which runs the
//! constructors itself) with Rust's `main`.

/// The dynamic linker, in the section that becomes `PT_INTERP`.
#[used]
#[unsafe(link_section = ".interp")]
static INTERPRETER: [u8; INTERPRETER_PATH.len()] = *INTERPRETER_PATH;

#[cfg(target_arch = "x86_64")]
const INTERPRETER_PATH: &[u8; 28] = b"/lib64/ld-linux-x86-64.so.2\0";
#[cfg(target_arch = "aarch64")]
const INTERPRETER_PATH: &[u8; 27] = b"/lib/ld-linux-aarch64.so.1\0";

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".globl vega_start",
    ".type vega_start, @function",
    "vega_start:",
    ".cfi_startproc",
    ".cfi_undefined rip",
    "xor ebp, ebp",
    "mov r9, rdx",        // what to run at exit, from the dynamic linker
    "mov rsi, [rsp]",     // argc
    "lea rdx, [rsp + 8]", // argv
    "mov rax, rsp",
    "and rsp, -16",
    "push rax",
    "push rax", // the end of the stack
    "lea rdi, [rip + main]",
    "xor ecx, ecx",
    "xor r8d, r8d",
    "call __libc_start_main@PLT",
    "hlt",
    ".cfi_endproc",
    ".size vega_start, . - vega_start",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".globl vega_start",
    ".type vega_start, @function",
    "vega_start:",
    "mov x29, #0",
    "mov x30, #0",
    "mov x5, x0",     // what to run at exit, from the dynamic linker
    "ldr x1, [sp]",   // argc
    "add x2, sp, #8", // argv
    "mov x6, sp",     // the end of the stack
    "adrp x0, main",
    "add x0, x0, :lo12:main",
    "mov x3, #0",
    "mov x4, #0",
    "bl __libc_start_main",
    "brk #0",
    ".size vega_start, . - vega_start",
);

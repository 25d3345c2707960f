//! Symbols of a code object.

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SymbolKind {
    /// Machine code: a kernel's entry or a device function.
    Function,
    /// A kernel descriptor (`NAME.kd`).
    KernelDescriptor,
    /// A variable: `__device__`, `__constant__`, a managed variable's pointer.
    Variable,
    /// Anything else: sections, files, absolute values.
    Other,
}

/// A symbol of the dynamic symbol table, or of the static one where there is no dynamic one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it names.
    pub kind: SymbolKind,
    /// Its address in the code object.
    pub address: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it is defined here; an undefined one makes the load fail unless the runtime provides it.
    pub defined: bool,
    /// Whether other code objects and the host can see it (global or weak binding).
    pub exported: bool,
}

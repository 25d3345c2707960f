//! Raw bindings to AMD's HIP runtime, loaded at run time.

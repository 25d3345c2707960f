//! A safe wrapper of AMD's HIP runtime.

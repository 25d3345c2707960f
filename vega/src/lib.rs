//! The command vega: runs programs on a virtual AMD Vega.

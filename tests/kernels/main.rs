//! Every kernel of `kernels/`, through its generated launch function: each argument arrives where the kernel looks for it.

#[path = "../support/mod.rs"]
mod support;

mod compute;
mod signatures;

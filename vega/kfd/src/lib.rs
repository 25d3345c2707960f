//! A stand-in for the amdgpu kernel driver: what `/dev/kfd`, the render nodes and the KFD's part of sysfs
//! answer to an unmodified ROCm user space.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | the `VEGA_*` environment variables |
//! | [`settings`] | what the environment asks to be observed: schedule, traces, statistics |
//! | [`spec`] | what each card calls itself: ids, sizes, names |
//! | [`topology`] | the sysfs tree, as tables |
//! | [`tree`] | which path is whose: files, directories, device nodes |
//! | [`abi`] | the structs of `linux/kfd_ioctl.h` |
//! | [`ioctl`] | the table of ioctls |
//! | [`driver`] | the process-wide state behind them |
//! | [`files`] | memfds that stand for the device nodes |
//! | [`memory`] | buffer objects: VRAM, GTT, the program's own memory |
//! | [`dmabuf`] | buffers in files of their own, for other processes |
//! | [`ipc`] | the handles by which other processes find them |
//! | [`events`] | what `WAIT_EVENTS` waits for |
//! | [`smi`] | what a monitor hears of a card |
//! | [`queues`] | queues and their doorbells |
//! | [`doorbell`] | how a written doorbell is noticed without using the CPU |
//! | [`signals`] | SIGSEGV and SIGBUS, shared with the program |
//!
//! Nothing here is hooked into libc: the command `vega` does that, with functions that ask
//! [`tree::resolve`], [`driver::open`] and [`ioctl::ioctl`] first.
//!
//! What a program leaves behind when it is killed: nothing. There are no files on disk; everything lives in
//! memfds and mappings of the process.

pub mod abi;
mod backing;
mod clock;
mod code_objects;
pub mod config;
pub mod dmabuf;
pub mod doorbell;
pub mod driver;
mod errno;
pub mod events;
pub mod files;
mod freelist;
pub mod ioctl;
pub mod ipc;
pub mod memory;
mod notify;
pub mod queues;
pub mod settings;
pub mod signals;
pub mod smi;
pub mod spec;
pub mod topology;
pub mod tree;
mod user;

pub use errno::Errno;

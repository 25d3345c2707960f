//! Every function for memory and objects that fails, or is not there, is an error that names it.

use crate::errors::Group;
use crate::fake::Config;
use hip::fault::MEMORY_NAMES;
use hip::memory::PeerAttribute;
use hip::{Advice, DeviceBuffer, ManagedBuffer, MemoryPlace, Runtime};

/// Calls every function of this file, in order, stopping at the first error.
fn everything(runtime: Runtime) -> hip::Result<()> {
    let (device, peer) = (runtime.device(0)?, runtime.device(1)?);
    let (stream, far) = (device.stream()?, peer.stream()?);
    let mut managed = ManagedBuffer::<u32>::zeroed(device, 16)?;
    managed.advise(Advice::ReadMostly(true))?;
    managed.prefetch(&stream, MemoryPlace::Host)?;
    managed.preferred_location()?;
    let mut memory = vec![0u32; 16];
    hip::scope(|scope| {
        let mut registered = scope.register(device, &mut memory)?;
        stream.fill(&mut registered, 7)
    })?;
    assert_eq!(memory, [7; 16]);
    device.can_access_peer(peer)?;
    device.enable_peer_access(peer)?;
    // SAFETY: nothing runs that uses the peer's memory.
    unsafe { device.disable_peer_access(peer) }?;
    device.peer_attribute(peer, PeerAttribute::PerformanceRank)?;
    device.peer_link(peer)?;
    let source = DeviceBuffer::from_slice(&far, &[1u32; 16])?;
    stream.copy_peer(&source, &mut managed)?;
    assert_eq!(managed.read()?, [1; 16]);
    let call = stream.call(|| 7)?;
    stream.synchronize()?;
    assert_eq!(call.wait()?, 7);
    Ok(())
}

const GROUP: Group = Group {
    names: MEMORY_NAMES,
    // What it leaves registered may be in the way of the next try.
    quiet: &["hipHostUnregister"],
    everything,
    config: || Config { devices: 2, ..Config::default() },
};

#[test]
fn everything_works_when_nothing_fails() {
    GROUP.works_when_nothing_fails();
}

#[test]
fn every_failing_call_is_named_and_forgotten() {
    GROUP.names_failures_and_forgets_them();
}

#[test]
fn every_missing_function_is_named() {
    GROUP.names_missing_functions();
}

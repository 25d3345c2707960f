//! Functions of the host that a stream calls: HIP is out of reach in them, and what is dropped in them is given back later.

use crate::fake::{Config, Fake, INVALID_VALUE, reports};
use crate::{SAXPY, Saxpy};
use hip::memory::{MemoryPool, ReservedBuffer, Signal, WaitFor};
use hip::texture::{Array, Surface, Texture, TextureOptions};
use hip::{
    Advice, Device, DeviceBuffer, ErrorKind, Event, Graph, GraphExec, Kernel, LaunchConfig, ManagedBuffer,
    MappedBuffer, MemoryPlace, Module, PinnedBuffer, Runtime, Stream,
};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

fn stream(fake: &Fake) -> Stream {
    fake.runtime().device(0).unwrap().stream().unwrap()
}

#[test]
fn a_stream_calls_the_host() {
    for missing in
        [vec!["hipGetDevicePropertiesR0600"], vec!["hipGetDevicePropertiesR0600", "hipLaunchHostFunc"]]
    {
        let fake = Fake::new(Config { missing, ..Config::default() });
        let stream = stream(&fake);
        let call = stream.call(|| 42).unwrap();
        let call = call.try_wait().unwrap_err();
        stream.synchronize().unwrap();
        assert_eq!(call.wait().unwrap(), 42);
    }
}

#[test]
fn a_function_of_the_host_does_not_wait_for_the_next_one() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let (send, receive) = std::sync::mpsc::channel::<hip::HostCall<u32>>();
    let first = stream.call(|| 1).unwrap();
    let call = stream.call(move || (first.wait().unwrap(), receive.recv().unwrap().wait())).unwrap();
    send.send(stream.call(|| 2).unwrap()).unwrap();
    stream.synchronize().unwrap();
    let (first, next) = call.wait().unwrap();
    assert_eq!((first, next.unwrap_err().kind()), (1, &ErrorKind::InCallback));
}

#[test]
fn a_panic_of_the_host_comes_back_from_wait() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let call = stream.call(|| panic!("the function panics")).unwrap();
    drop(stream.call(|| panic!("nobody waits for this one")).unwrap());
    stream.synchronize().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| call.wait())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the function panics"));
}

/// The value of a panic that panics again.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_panic_whose_value_panics_stays_on_this_side() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    // Nobody takes the value.
    drop(stream.call(|| resume_unwind(Box::new(Bomb))).unwrap());
    let mut graph = Graph::new(stream.device()).unwrap();
    graph.host(|| resume_unwind(Box::new(Bomb)), &[]).unwrap();
    let exec = graph.instantiate().unwrap();
    // The second value finds the first.
    exec.launch(&stream).unwrap();
    exec.launch(&stream).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| exec.wait())).unwrap_err();
    assert!(panic.is::<Bomb>());
    std::mem::forget(panic);
    exec.wait().unwrap();
    fake.assert_clean();
}

#[test]
fn a_function_that_cannot_be_enqueued_is_dropped() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let alive = Arc::new(());
    let captured = alive.clone();
    fake.fail("hipLaunchHostFunc", 0, INVALID_VALUE);
    assert!(stream.call(move || drop(captured)).is_err());
    assert_eq!(Arc::strong_count(&alive), 1);
    // It was enqueued, and reported as failed: the number finds nothing.
    let captured = alive.clone();
    fake.fail_late("hipLaunchHostFunc", INVALID_VALUE);
    assert!(stream.call(move || drop(captured)).is_err());
    assert_eq!(Arc::strong_count(&alive), 1);
    stream.synchronize().unwrap();
}

/// One of everything.
struct Things {
    runtime: Runtime,
    device: Device,
    peer: Device,
    stream: Stream,
    events: [Event; 2],
    buffer: Mutex<DeviceBuffer<f32>>,
    /// Used by the stream that calls, so that other streams would have to wait for it.
    busy: Mutex<DeviceBuffer<f32>>,
    managed: Mutex<ManagedBuffer<f32>>,
    pinned: PinnedBuffer<f32>,
    pool: MemoryPool,
    signal: Signal,
    array: Array<f32>,
    module: Module,
    saxpy: Kernel<Saxpy>,
    graph: Mutex<Graph>,
    exec: Mutex<GraphExec>,
}

impl Things {
    fn new(caller: &Stream) -> hip::Result<Self> {
        let device = caller.device();
        let runtime = device.runtime();
        let module = Module::from_static(device, SAXPY)?;
        let mut buffer = DeviceBuffer::zeroed(caller, 16)?;
        let mut graph = Graph::new(device)?;
        graph.fill(&mut buffer, 1.0, &[])?;
        let exec = graph.instantiate()?;
        exec.launch(caller)?;
        Ok(Self {
            runtime,
            device,
            peer: runtime.device(1)?,
            stream: device.stream()?,
            events: [Event::new(device)?, Event::new(device)?],
            busy: Mutex::new(DeviceBuffer::zeroed(caller, 16)?),
            buffer: Mutex::new(buffer),
            managed: Mutex::new(ManagedBuffer::zeroed(device, 16)?),
            pinned: PinnedBuffer::zeroed(device, 16)?,
            pool: MemoryPool::new(device)?,
            signal: Signal::new(caller)?,
            array: Array::uninit(device, (4, 4))?,
            saxpy: module.kernel()?,
            module,
            graph: Mutex::new(graph),
            exec: Mutex::new(exec),
        })
    }
}

type Operation = (&'static str, fn(&Things) -> hip::Result<()>);

/// Whatever asks HIP for something.
const OPERATIONS: &[Operation] = &[
    ("driver version", |it| it.runtime.driver_version().map(drop)),
    ("profiler", |it| it.runtime.start_profiler()),
    ("profiler's end", |it| it.runtime.stop_profiler()),
    ("device by bus", |it| it.runtime.device_by_pci_bus_id("0000:03:00.0").map(drop)),
    ("pointer", |it| it.runtime.pointer_attributes(it.pinned.as_ptr()).map(drop)),
    ("total memory", |it| it.device.total_memory().map(drop)),
    ("free memory", |it| it.device.memory_info().map(drop)),
    ("attribute", |it| it.device.attribute(hip::sys::hipDeviceAttributeWarpSize).map(drop)),
    ("bus", |it| it.device.pci_bus_id().map(drop)),
    ("uuid", |it| it.device.uuid().map(drop)),
    ("priorities", |it| it.device.stream_priorities().map(drop)),
    ("limit", |it| it.device.limit(hip::Limit::StackSize).map(drop)),
    ("schedule", |it| it.device.schedule().map(drop)),
    ("trim", |it| it.device.trim(0).and(it.device.synchronize()).map(drop)),
    ("peer", |it| it.device.can_access_peer(it.peer).map(drop)),
    ("peer access", |it| it.device.enable_peer_access(it.peer)),
    ("peer attribute", |it| {
        it.device.peer_attribute(it.peer, hip::memory::PeerAttribute::AccessSupported).map(drop)
    }),
    ("new stream", |it| it.device.stream().map(drop)),
    ("wait for stream", |it| it.stream.synchronize()),
    ("stream is idle", |it| it.stream.is_idle().map(drop)),
    ("priority", |it| it.stream.priority().map(drop)),
    ("callback", |it| it.stream.call(|| ()).map(drop)),
    ("wait", |it| it.stream.wait(&it.events[0])),
    ("new event", |it| Event::new(it.device).map(drop)),
    ("record", |it| it.events[0].record(&it.stream)),
    ("reached", |it| it.events[0].is_reached().map(drop)),
    ("elapsed", |it| it.events[0].elapsed_until(&it.events[1]).map(drop)),
    ("allocation", |it| DeviceBuffer::<f32>::uninit(it.device, 1000).map(drop)),
    ("pinned", |it| PinnedBuffer::<f32>::zeroed(it.device, 1000).map(drop)),
    ("mapped", |it| MappedBuffer::<f32>::zeroed(it.device, 1000).map(drop)),
    ("managed", |it| ManagedBuffer::<f32>::zeroed(it.device, 1000).map(drop)),
    ("advice", |it| it.managed.lock().unwrap().advise(Advice::ReadMostly(true))),
    ("range", |it| it.managed.lock().unwrap().last_prefetch().map(drop)),
    ("prefetch", |it| it.managed.lock().unwrap().prefetch(&it.stream, MemoryPlace::Host)),
    ("upload", |it| it.stream.upload(&[0.0; 16], &mut *it.buffer.lock().unwrap())),
    ("download", |it| it.buffer.lock().unwrap().to_vec(&it.stream).map(drop)),
    ("fill", |it| it.stream.fill(&mut *it.busy.lock().unwrap(), 1.0)),
    ("copy", |it| it.stream.copy(&*it.busy.lock().unwrap(), &mut *it.buffer.lock().unwrap())),
    ("upload of a vector", |it| {
        it.stream.upload_async(vec![0.0; 16], &mut *it.buffer.lock().unwrap()).map(drop)
    }),
    ("region", |it| it.array.to_vec(&it.stream).map(drop)),
    ("scope", |_| hip::scope(|_| Ok(()))),
    ("address", |it| it.device.address_range(it.buffer.lock().unwrap().view().address()).map(drop)),
    ("export", |it| it.buffer.lock().unwrap().ipc_handle().map(drop)),
    ("reserved", |it| ReservedBuffer::<f32>::with_capacity(it.device, 16).map(drop)),
    ("pool", |it| MemoryPool::of_device(it.device).and(it.pool.statistics()).map(drop)),
    ("pool's memory", |it| it.pool.alloc::<f32>(&it.stream, 16).map(drop)),
    ("pool's threshold", |it| it.pool.set_release_threshold(0)),
    ("pool's trim", |it| it.pool.trim(0)),
    ("signal", |it| it.stream.wait_value(&it.signal, WaitFor::AtLeast(0))),
    ("array", |it| Array::<f32>::uninit(it.device, 16).map(drop)),
    ("texture", |it| Texture::new(&it.array, TextureOptions::new()).map(drop)),
    ("surface", |it| Surface::new(&it.array).map(drop)),
    ("module", |it| Module::from_static(it.device, SAXPY).map(drop)),
    ("function", |it| it.module.function("saxpy").map(drop)),
    ("global", |it| it.module.global::<u32>("table").map(drop)),
    ("occupancy", |it| it.saxpy.occupancy(64, 0).map(drop)),
    ("launch", |it| {
        let (x, mut y) = (it.busy.lock().unwrap(), it.buffer.lock().unwrap());
        it.saxpy.launch(&it.stream, LaunchConfig::for_len(16), (1.0, &*x, &mut *y, 16))
    }),
    ("run-time compilation", |it| hip::rtc::version(it.runtime).map(drop)),
    ("compiling", |it| hip::rtc::Program::new("a.hip", "").compile(it.device).map(drop)),
    ("new graph", |it| Graph::new(it.device).map(drop)),
    ("capture", |it| Graph::capture(it.device, |_| Ok(())).map(drop)),
    ("node", |it| it.graph.lock().unwrap().empty(&[]).map(drop)),
    ("clone", |it| it.graph.lock().unwrap().try_clone().map(drop)),
    ("instantiation", |it| it.graph.lock().unwrap().instantiate().map(drop)),
    ("launch of a graph", |it| it.exec.lock().unwrap().launch(&it.stream)),
    ("upload of a graph", |it| it.exec.lock().unwrap().upload(&it.stream)),
    ("wait for a graph", |it| it.exec.lock().unwrap().wait()),
    ("update of a graph", |it| it.exec.lock().unwrap().update(&it.graph.lock().unwrap())),
];

#[test]
fn no_operation_reaches_hip_inside_a_function_of_the_host() {
    let fake = Fake::new(Config { pools: true, devices: 2, ..Config::default() });
    let caller = stream(&fake);
    let reports = reports(caller.runtime());
    let things = Arc::new(Things::new(&caller).unwrap());
    let inner = things.clone();
    let call = caller
        .call(move || {
            let outcome = |run: fn(&Things) -> hip::Result<()>| run(&inner).map_err(|it| it.kind().clone());
            OPERATIONS.iter().map(|&(name, run)| (name, outcome(run))).collect::<Vec<_>>()
        })
        .unwrap();
    caller.synchronize().unwrap();
    for (name, outcome) in call.wait().unwrap() {
        assert_eq!(outcome, Err(ErrorKind::InCallback), "{name}");
    }
    assert!(reports.lock().unwrap().is_empty(), "{reports:?}");
    fake.assert_clean();
}

/// What HIP calls while a thread waits must find no lock that the thread holds.
#[test]
fn whoever_waits_for_a_stream_holds_nothing_that_its_functions_want() {
    let fake = Fake::new(Config { pools: true, devices: 2, ..Config::default() });
    let waits: [fn(&Things, Stream); 4] = [
        |things, _| things.exec.lock().unwrap().wait().unwrap(),
        |_, caller| drop(caller),
        |_, caller| caller.device().synchronize().unwrap(),
        |_, caller| {
            // Freed memory that is still in use.
            drop(DeviceBuffer::<u8>::zeroed(&caller, 5000).unwrap());
            caller.device().trim(0).unwrap();
        },
    ];
    for wait in waits {
        let caller = stream(&fake);
        let reports = reports(caller.runtime());
        let things = Things::new(&caller).unwrap();
        let exec = things.graph.lock().unwrap().instantiate().unwrap();
        exec.launch(&caller).unwrap();
        let busy = DeviceBuffer::<f32>::zeroed(&caller, 16).unwrap();
        let other = caller.device().stream().unwrap();
        let call = caller
            .call(move || {
                let refused = [
                    exec.launch(&other).map_err(|it| it.kind().clone()),
                    exec.wait().map_err(|it| it.kind().clone()),
                    busy.to_vec(&other).map(drop).map_err(|it| it.kind().clone()),
                ];
                drop((exec, busy, other));
                refused
            })
            .unwrap();
        wait(&things, caller);
        assert_eq!(call.wait().unwrap(), [const { Err(ErrorKind::InCallback) }; 3]);
        things.device.synchronize().unwrap();
        assert!(reports.lock().unwrap().is_empty(), "{reports:?}");
        fake.assert_clean();
    }
}

type Owned = (&'static str, &'static str, fn(&Stream) -> Box<dyn Send>);

/// Values, and the function that gives each back.
const OWNED: &[Owned] = &[
    ("stream", "hipStreamDestroy", |it| Box::new(it.device().stream().unwrap())),
    ("branch of a capture", "hipStreamDestroy", |it| {
        let mut branch = None;
        Graph::capture(it.device(), |capture| {
            branch = Some(capture.fork()?);
            Ok(())
        })
        .unwrap();
        Box::new(branch)
    }),
    ("event", "hipEventDestroy", |it| Box::new(Event::new(it.device()).unwrap())),
    ("pinned memory", "hipHostFree", |it| Box::new(PinnedBuffer::<u8>::zeroed(it.device(), 8).unwrap())),
    ("mapped memory", "hipHostFree", |it| {
        let mut buffer = MappedBuffer::<u8>::zeroed(it.device(), 8).unwrap();
        it.fill(&mut buffer, 1).unwrap();
        Box::new(buffer)
    }),
    ("managed memory", "hipFree", |it| {
        let mut buffer = ManagedBuffer::<u8>::zeroed(it.device(), 8).unwrap();
        it.fill(&mut buffer, 1).unwrap();
        Box::new(buffer)
    }),
    ("reserved memory", "hipMemAddressFree", |it| {
        let mut buffer = ReservedBuffer::<u8>::with_capacity(it.device(), 8).unwrap();
        buffer.grow(8).unwrap();
        it.fill(&mut buffer, 1).unwrap();
        Box::new(buffer)
    }),
    ("signal", "hipFree", |it| Box::new(Signal::new(it).unwrap())),
    ("pool", "hipMemPoolDestroy", |it| Box::new(MemoryPool::new(it.device()).unwrap())),
    ("pool's memory", "hipFreeAsync", |it| {
        Box::new(MemoryPool::new(it.device()).unwrap().alloc::<u8>(it, 8).unwrap())
    }),
    ("array", "hipFreeArray", |it| Box::new(Array::<f32>::uninit(it.device(), (4, 4)).unwrap())),
    ("texture", "hipDestroyTextureObject", |it| {
        let array = Array::<f32>::from_slice(it, (2, 2), &[0.0; 4]).unwrap();
        Box::new(Texture::new(&array, TextureOptions::new()).unwrap())
    }),
    ("texture of a buffer", "hipDestroyTextureObject", |it| {
        let buffer = DeviceBuffer::<f32>::zeroed(it, 100).unwrap();
        Box::new(Texture::from_buffer(buffer, TextureOptions::new()).unwrap())
    }),
    ("surface", "hipDestroySurfaceObject", |it| {
        let array = Array::<f32>::from_slice(it, (2, 2), &[0.0; 4]).unwrap();
        Box::new(Surface::new(&array).unwrap())
    }),
    ("kernel", "hipModuleUnload", |it| {
        Box::new(Module::from_static(it.device(), SAXPY).unwrap().kernel::<Saxpy>().unwrap())
    }),
    ("global", "hipModuleUnload", |it| {
        let mut table = Module::from_static(it.device(), SAXPY).unwrap().global::<u32>("table").unwrap();
        it.fill(&mut table, 1).unwrap();
        Box::new(table)
    }),
    ("graph", "hipGraphDestroy", |it| Box::new(Graph::new(it.device()).unwrap())),
    ("launched graph", "hipGraphExecDestroy", |it| {
        let mut buffer = DeviceBuffer::<u8>::uninit(it.device(), 8).unwrap();
        let mut graph = Graph::new(it.device()).unwrap();
        graph.fill(&mut buffer, 1, &[]).unwrap();
        let exec = graph.instantiate().unwrap();
        exec.launch(it).unwrap();
        Box::new(exec)
    }),
    ("host memory of a graph", "hipHostFree", |it| {
        let buffer = DeviceBuffer::<u8>::zeroed(it, 8).unwrap();
        let mut graph = Graph::new(it.device()).unwrap();
        let pinned = PinnedBuffer::zeroed(it.device(), 8).unwrap();
        let (slot, _) = graph.download(&buffer, pinned, &[]).unwrap();
        graph.instantiate().unwrap().launch(it).unwrap();
        Box::new(slot)
    }),
    ("pending copy", "hipHostFree", |it| {
        let buffer = DeviceBuffer::<u8>::zeroed(it, 8).unwrap();
        Box::new(it.download_async(&buffer, PinnedBuffer::zeroed(it.device(), 8).unwrap()).unwrap())
    }),
];

#[test]
fn what_is_dropped_inside_a_function_of_the_host_is_given_back_later() {
    for (name, destroy, make) in OWNED {
        let fake = Fake::new(Config { pools: true, ..Config::default() });
        let stream = stream(&fake);
        let reports = reports(stream.runtime());
        let value = make(&stream);
        let before = fake.count(destroy);
        drop(stream.call(move || drop(value)).unwrap());
        // What one sweep drops may leave something for the next one.
        (0..3).for_each(|_| stream.synchronize().unwrap());
        assert_eq!((fake.count(destroy), &*reports.lock().unwrap()), (before + 1, &vec![]), "{name}");
        // The simulation keeps the variables of modules.
        assert_eq!(fake.state().live(true), usize::from(*name == "global"), "{name}");
        fake.assert_clean();
    }
}

#[test]
fn the_last_owner_of_a_stream_may_go_inside_its_own_function() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let stream = Arc::new(device.stream().unwrap());
    // The block is in use by the stream, which is waited for under its lock.
    drop(DeviceBuffer::<u8>::zeroed(&stream, 5000).unwrap());
    let inner = stream.clone();
    drop(stream.call(move || drop(inner)).unwrap());
    drop(stream);
    assert!(device.trim(0).unwrap() > 0);
    device.synchronize().unwrap();
    assert_eq!(fake.count("hipStreamDestroy"), 1);
    fake.assert_clean();
}

#[test]
fn the_hook_of_errors_in_drop_may_use_hip() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let other = stream.device().stream().unwrap();
    let buffer = DeviceBuffer::<u8>::zeroed(&stream, 8).unwrap();
    let called = Arc::new(Mutex::new(0));
    let calls = called.clone();
    stream.runtime().on_drop_error(move |_| {
        // It waits for the stream whose end is being reported.
        drop(buffer.to_vec(&other));
        *calls.lock().unwrap() += 1;
        // Neither this panic nor that of its value goes any further.
        resume_unwind(Box::new(Bomb));
    });
    fake.fail("hipStreamSynchronize", 0, INVALID_VALUE);
    drop(stream);
    assert_eq!(*called.lock().unwrap(), 1);
    fake.heal("hipStreamSynchronize");
}

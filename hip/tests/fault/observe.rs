//! Launch-blocking mode and timelines.

use crate::fake::{Config, Fake, ILLEGAL_ADDRESS};
use crate::{SAXPY, Saxpy};
use hip::{DeviceBuffer, ErrorKind, Kernel, LaunchConfig, Module, Stream, Timeline};

fn setup(fake: &Fake) -> (Stream, Kernel<Saxpy>, DeviceBuffer<f32>, DeviceBuffer<f32>) {
    let device = fake.runtime().device(0).unwrap();
    let stream = device.stream().unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel().unwrap();
    let x = DeviceBuffer::from_slice(&stream, &[1.0; 8]).unwrap();
    let y = DeviceBuffer::from_slice(&stream, &[2.0; 8]).unwrap();
    (stream, saxpy, x, y)
}

#[test]
fn launch_blocking_names_the_guilty_kernel() {
    let fake = Fake::new(Config::default());
    let (stream, saxpy, x, mut y) = setup(&fake);
    let launch = |y: &mut _| saxpy.launch(&stream, LaunchConfig::new(2, 64), (1.0, &x, y, 8));
    // Without it, the error surfaces at a call that has nothing to do with it.
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    launch(&mut y).unwrap();
    let error = stream.synchronize().unwrap_err();
    assert!(error.may_be_asynchronous() && error.cause().is_none(), "{error}");
    assert!(error.to_string().contains("HIP_RS_LAUNCH_BLOCKING=1"), "{error}");

    stream.runtime().set_launch_blocking(true);
    let error = launch(&mut y).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::DeviceFailure);
    assert_eq!(error.cause(), Some("the kernel `saxpy` with grid (2, 1, 1), block (64, 1, 1)"));
    assert!(!error.may_be_asynchronous());
    assert!(
        error
            .to_string()
            .ends_with("(it is the kernel `saxpy` with grid (2, 1, 1), block (64, 1, 1) that failed)")
    );
    let error = stream.fill(&mut y, 0.5).unwrap_err();
    assert_eq!(error.cause(), Some("the fill `D32(1056964608)` with bytes 32"));

    fake.heal("hipStreamSynchronize");
    launch(&mut y).unwrap();
    let waits = fake.count("hipStreamSynchronize");
    stream.runtime().set_launch_blocking(false);
    launch(&mut y).unwrap();
    assert_eq!(fake.count("hipStreamSynchronize"), waits);
}

#[test]
fn a_timeline_has_both_sides_of_each_operation() {
    let fake = Fake::new(Config::default());
    let (stream, saxpy, x, mut y) = setup(&fake);
    let timeline = Timeline::start(stream.runtime()).unwrap();
    let busy = Timeline::start(stream.runtime()).unwrap_err();
    assert_eq!(busy.kind(), &ErrorKind::Busy);
    {
        let _span = timeline.span("a \"quoted\" span\n");
        saxpy.launch(&stream, LaunchConfig::for_len(8), (1.0, &x, &mut y, 8)).unwrap();
    }
    assert_eq!(y.to_vec(&stream).unwrap(), [3.0; 8]);
    let trace = timeline.finish().unwrap();
    assert_eq!(trace.lost(), 0);
    let names: Vec<_> = trace.spans().iter().map(|it| (it.process, it.kind, it.name.as_str())).collect();
    let expected = [
        (0, "span", "a \"quoted\" span\n"),
        (0, "kernel", "saxpy"),
        (1, "kernel", "saxpy"),
        (0, "copy", "device to host"),
        (1, "copy", "device to host"),
    ];
    assert_eq!(names, expected);

    let json: serde_json::Value = serde_json::from_str(&trace.to_json()).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    assert_eq!(events[1]["args"]["name"], "device 0: Simulated Vega (virtual), gfx900");
    let kernel = events.iter().find(|event| event["name"] == "saxpy" && event["pid"] == 1).unwrap();
    assert_eq!((&kernel["ph"], &kernel["dur"]), (&"X".into(), &1500.0.into()));
    assert_eq!(kernel["args"]["grid"], "(1, 1, 1)");

    // Nothing is recorded any more, and another timeline can be.
    let events = fake.count("hipEventRecord");
    stream.fill(&mut y, 0.0).unwrap();
    assert_eq!(fake.count("hipEventRecord"), events);
    drop(Timeline::start(stream.runtime()).unwrap());
    let empty = Timeline::start(stream.runtime()).unwrap().finish().unwrap();
    assert!(empty.spans().is_empty());
    serde_json::from_str::<serde_json::Value>(&empty.to_json()).unwrap();
}

#[test]
fn a_timeline_that_cannot_be_recorded_disturbs_nothing() {
    let fake = Fake::new(Config::default());
    let (stream, saxpy, x, mut y) = setup(&fake);
    let timeline = Timeline::start(stream.runtime()).unwrap();
    fake.fail("hipEventCreateWithFlags", 0, 2);
    saxpy.launch(&stream, LaunchConfig::for_len(8), (1.0, &x, &mut y, 8)).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [3.0; 8]);
    let trace = timeline.finish().unwrap();
    assert_eq!((trace.spans().len(), trace.lost()), (0, 2));
}

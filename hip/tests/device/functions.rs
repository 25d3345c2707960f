//! What the runtime tells of kernels, and launches that are not plain ones.

use crate::setup;
use hip::{DeviceBuffer, ErrorKind, Event, LaunchConfig, Timeline};
use std::time::Duration;

#[test]
fn attributes_and_occupancy_fit_the_code_object() {
    let Some((_, saxpy)) = setup() else { return };
    let attribute = |which| saxpy.attribute(which).unwrap();
    let metadata = saxpy.metadata();
    assert_eq!(attribute(hip::sys::HIP_FUNC_ATTRIBUTE_NUM_REGS), metadata.vgpr_count as i32);
    assert_eq!(
        attribute(hip::sys::HIP_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES),
        metadata.group_segment_fixed_size as i32
    );
    assert!(attribute(hip::sys::HIP_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK) >= 256);
    // A compute unit of GCN holds 40 wavefronts: 10 workgroups of 256 threads. Some releases count 32.
    let blocks = saxpy.occupancy(256, 0).unwrap();
    assert!((8..=10).contains(&blocks), "{blocks}");
    // One with all of the LDS leaves no room for a second.
    assert_eq!(saxpy.occupancy(256, 64 << 10).unwrap(), 1);
    let config = saxpy.best_config(0, 256).unwrap();
    assert!(config.block.x <= 256 && config.block.x.is_multiple_of(64) && config.grid.x > 0, "{config:?}");
}

#[test]
fn events_of_a_launch_enclose_the_kernel_alone() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 1000]).unwrap();
    let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 1000]).unwrap();
    let (start, stop) = (Event::new(device).unwrap(), Event::new(device).unwrap());
    let launch = saxpy.prepare(&stream, LaunchConfig::for_len(1000)).events(&start, &stop);
    launch.launch((3.0, &x, &mut y, 1000)).unwrap();
    stop.synchronize().unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [5.0; 1000]);
    let time = start.elapsed_until(&stop).unwrap();
    assert!(time < Duration::from_secs(10), "{time:?}");
}

#[test]
fn cooperative_launches_run_where_the_runtime_has_them() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 1000]).unwrap();
    let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 1000]).unwrap();
    let launch = saxpy.prepare(&stream, LaunchConfig::for_len(1000)).cooperative();
    let outcome = launch.launch((3.0, &x, &mut y, 1000));
    if stream.runtime().supports("hipModuleLaunchCooperativeKernel") {
        outcome.unwrap();
        assert_eq!(y.to_vec(&stream).unwrap(), [5.0; 1000]);
    } else {
        let error = outcome.unwrap_err();
        let symbol = "hipModuleLaunchCooperativeKernel";
        assert_eq!(error.kind(), &ErrorKind::Unsupported { symbol, runtime: stream.runtime().version() });
        // A plain launch does the same work there.
        saxpy.launch(&stream, LaunchConfig::for_len(1000), (3.0, &x, &mut y, 1000)).unwrap();
        assert_eq!(y.to_vec(&stream).unwrap(), [5.0; 1000]);
    }
}

#[test]
fn a_timeline_of_the_device_is_in_order() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 1000]).unwrap();
    let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 1000]).unwrap();
    let timeline = Timeline::start(stream.runtime()).unwrap();
    for _ in 0..3 {
        saxpy.launch(&stream, LaunchConfig::for_len(1000), (1.0, &x, &mut y, 1000)).unwrap();
    }
    assert_eq!(y.to_vec(&stream).unwrap(), [5.0; 1000]);
    let trace = timeline.finish().unwrap();
    // Tests run side by side on one runtime: only this stream's own spans are looked at.
    let track = |span: &&hip::TraceSpan| span.process == 1 && span.name == "saxpy";
    let mut tracks: Vec<u64> = trace.spans().iter().filter(track).map(|span| span.track).collect();
    tracks.sort_unstable();
    let of_track = |wanted: u64| {
        trace.spans().iter().filter(track).filter(move |span| span.track == wanted).collect::<Vec<_>>()
    };
    let ours = tracks.iter().map(|&it| of_track(it)).find(|spans| spans.len() == 3).expect("three launches");
    assert!(
        ours.windows(2)
            .all(|pair| pair[0].begin + pair[0].duration <= pair[1].begin + Duration::from_micros(50))
    );
    let json: serde_json::Value = serde_json::from_str(&trace.to_json()).unwrap();
    assert!(json["traceEvents"].as_array().unwrap().len() >= 8);
}

#[test]
fn one_launch_on_several_devices() {
    let Some((stream, saxpy)) = setup() else { return };
    let runtime = stream.runtime();
    // On one device, where that is all there is: the launch is the same.
    let streams: Vec<_> = runtime.devices().unwrap().take(2).map(|device| device.stream().unwrap()).collect();
    let kernels: Vec<hip::Kernel<crate::Saxpy>> = streams
        .iter()
        .map(|stream| hip::Module::from_static(stream.device(), crate::SAXPY).unwrap().kernel().unwrap())
        .collect();
    let buffers = |value: f32| -> Vec<_> {
        streams.iter().map(|stream| DeviceBuffer::from_slice(stream, &[value; 1000]).unwrap()).collect()
    };
    let (x, mut y) = (buffers(1.0), buffers(2.0));
    let config = LaunchConfig::for_len(1000);
    let mut all = hip::MultiLaunch::new();
    for (((kernel, stream), x), y) in kernels.iter().zip(&streams).zip(&x).zip(&mut y) {
        all.add(kernel.prepare(stream, config), (3.0, x, y, 1000)).unwrap();
    }
    let symbol = "hipModuleLaunchCooperativeKernelMultiDevice";
    if runtime.supports(symbol) {
        all.launch().unwrap();
    } else {
        let error = all.launch().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Unsupported { symbol, runtime: runtime.version() });
        for (((kernel, stream), x), y) in kernels.iter().zip(&streams).zip(&x).zip(&mut y) {
            kernel.launch(stream, config, (3.0, x, y, 1000)).unwrap();
        }
    }
    for (stream, y) in streams.iter().zip(&y) {
        assert_eq!(y.to_vec(stream).unwrap(), [5.0; 1000]);
    }
    drop(saxpy);
}

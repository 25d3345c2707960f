//! Memory that the host sees, functions of the host, peers.

use crate::textures::Fetch;
use crate::{SAXPY, SIGNATURES, Saxpy, TEXTURES, device, setup};
use hip::texture::{Array, Texture, TextureOptions};
use hip::{
    Advice, DeviceBuffer, ErrorKind, LaunchConfig, ManagedBuffer, MappedBuffer, MemoryPlace, Module,
    PinnedBuffer,
};

const LEN: usize = 10_000;

#[test]
fn a_scope_lends_borrowed_memory() {
    let Some((a, saxpy)) = setup() else { return };
    let b = a.device().stream().unwrap();
    let x: Vec<f32> = (0..LEN).map(|i| i as f32).collect();
    let y = PinnedBuffer::from_slice(a.device(), &[1.0f32; LEN]).unwrap();
    let (mut first, mut second) = (vec![0.0; LEN], PinnedBuffer::<f32>::zeroed(a.device(), LEN).unwrap());
    for round in 1..10 {
        let mut on_device = DeviceBuffer::<f32>::uninit(a.device(), LEN).unwrap();
        let mut sum = DeviceBuffer::<f32>::uninit(a.device(), LEN).unwrap();
        hip::scope(|scope| {
            scope.upload(&a, &x, &mut on_device)?;
            scope.upload(&b, &y, &mut sum)?;
            let arguments = (round as f32, &on_device, &mut sum, LEN as i32);
            saxpy.launch(&a, LaunchConfig::for_len(LEN), arguments)?;
            scope.download(&b, &sum, &mut first)?;
            scope.download(&a, &sum, &mut second)
        })
        .unwrap();
        let expected = |i: usize| (round * i) as f32 + 1.0;
        assert!((0..LEN).all(|i| first[i] == expected(i) && second[i] == expected(i)), "{round}");
    }
}

#[test]
fn registered_memory_is_used_in_place() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&stream, &[2.0f32; LEN]).unwrap();
    // Not at the start of a page.
    let mut memory = vec![1.0f32; LEN + 3];
    for round in 1..4 {
        hip::scope(|scope| {
            let mut y = scope.register(stream.device(), &mut memory[3..])?;
            saxpy.launch(&stream, LaunchConfig::for_len(LEN), (1.0, &x, y.view_mut(), LEN as i32))
        })
        .unwrap();
        assert!(memory[3..].iter().all(|&value| value == 1.0 + 2.0 * round as f32), "{round}");
        assert_eq!(memory[..3], [1.0; 3]);
    }
    hip::scope(|scope| {
        let mut y = scope.register(stream.device(), &mut memory)?;
        stream.copy(x.slice(..100)?, y.view_mut().slice(..100)?)
    })
    .unwrap();
    assert!(memory[..100].iter().all(|&value| value == 2.0) && memory[100] == 7.0);
}

#[test]
fn managed_memory_moves_between_host_and_kernels() {
    let Some((stream, saxpy)) = setup() else { return };
    let mut x = ManagedBuffer::<f32>::zeroed(stream.device(), LEN).unwrap();
    let mut y = ManagedBuffer::<f32>::zeroed(stream.device(), LEN).unwrap();
    x.advise(Advice::ReadMostly(true)).unwrap();
    for round in 1..10 {
        x.write().unwrap().fill(round as f32);
        x.prefetch(&stream, MemoryPlace::Device(stream.device())).unwrap();
        saxpy.launch(&stream, LaunchConfig::for_len(LEN), (1.0, x.view(), y.view_mut(), LEN as i32)).unwrap();
        let expected = (1..=round).sum::<i32>() as f32;
        assert!(y.read().unwrap().iter().all(|&value| value == expected), "{round}");
    }
    assert_eq!(y.view().to_vec(&stream).unwrap(), y.read().unwrap());
}

#[test]
fn mapped_memory_is_written_across_the_bus() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&stream, &[2.0f32; LEN]).unwrap();
    let mut y = MappedBuffer::<f32>::zeroed(stream.device(), LEN).unwrap();
    y.write().unwrap()[LEN - 1] = 5.0;
    saxpy.launch(&stream, LaunchConfig::for_len(LEN), (3.0, &x, y.view_mut(), LEN as i32)).unwrap();
    let y = y.read().unwrap();
    assert!(y[..LEN - 1].iter().all(|&value| value == 6.0) && y[LEN - 1] == 11.0);
}

#[test]
fn a_stream_calls_the_host_in_order() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; LEN]).unwrap();
    let mut y = MappedBuffer::<f32>::zeroed(stream.device(), LEN).unwrap();
    saxpy.launch(&stream, LaunchConfig::for_len(LEN), (1.0, &x, y.view_mut(), LEN as i32)).unwrap();
    let device = stream.device();
    let call = stream.call(move || hip::Event::new(device).unwrap_err().kind().clone()).unwrap();
    assert_eq!(call.wait().unwrap(), ErrorKind::InCallback);
    let call = stream.call(|| panic!("as it should")).unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.wait())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as it should"));
    assert!(y.read().unwrap().iter().all(|&value| value == 1.0));
}

/// Needs two devices, as `vega run --gpus 2` has.
#[test]
fn peers_copy_and_reach_each_other() {
    let Some(near) = device() else { return };
    let Ok(far) = near.runtime().device(1) else { return };
    let (here, there) = (near.stream().unwrap(), far.stream().unwrap());
    let source = DeviceBuffer::from_slice(&there, &[3.0f32; LEN]).unwrap();
    let mut target = DeviceBuffer::<f32>::zeroed(&here, LEN).unwrap();
    here.copy_peer(&source, &mut target).unwrap();
    assert!(target.to_vec(&here).unwrap().iter().all(|&value| value == 3.0));
    if !near.can_access_peer(far).unwrap() {
        return;
    }
    near.enable_peer_access(far).unwrap();
    near.enable_peer_access(far).unwrap();
    let saxpy = Module::from_static(near, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    saxpy.launch(&here, LaunchConfig::for_len(LEN), (2.0, &source, &mut target, LEN as i32)).unwrap();
    assert!(target.to_vec(&here).unwrap().iter().all(|&value| value == 9.0));
    // Access or not: a kernel or a copy of the other device would end the process.
    let mut table = Module::from_static(far, SIGNATURES).unwrap().global::<f32>("table").unwrap();
    let mut eight = DeviceBuffer::<f32>::zeroed(&here, 8).unwrap();
    let wrong = |outcome: hip::Result<()>| {
        assert!(matches!(outcome.unwrap_err().kind(), ErrorKind::WrongDevice { .. }));
    };
    wrong(here.fill(&mut table, 1.0));
    wrong(here.copy_peer(table.view(), &mut eight));
    wrong(there.copy_peer(&eight, &mut table));
    let array = Array::from_slice(&there, (8, 8), &[1.0f32; 64]).unwrap();
    wrong(array.to_vec(&here).map(drop));
    let texture = Texture::new(&array, TextureOptions::new()).unwrap();
    let fetch = Module::from_static(near, TEXTURES).unwrap().kernel::<Fetch>().unwrap();
    wrong(fetch.launch(&here, LaunchConfig::new(1, 8), (&texture, &mut eight, 8, 1)));
    assert_eq!(array.to_vec(&there).unwrap(), [1.0; 64]);
}

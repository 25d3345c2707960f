//! The feature `tracing`: spans around operations.

use hip::{DeviceBuffer, ManagedBuffer, PinnedBuffer};
use hip_feature_tests::stream;
use std::fmt;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the fields of every span of target `hip`; panics when one ends, if it is told to.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>, bool);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if ["kind", "name", "details", "device"].contains(&field.name()) {
            self.0 += &format!("{field}={value:?};");
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "hip"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(String::new());
        span.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {
        if self.1 {
            panic!("the subscriber cannot write its log");
        }
    }
}

#[test]
fn each_operation_is_a_span() {
    let (_simulation, stream) = stream();
    let listener = Listener::default();
    let work = || {
        let buffer = DeviceBuffer::<u32>::zeroed(&stream, 3).unwrap();
        assert_eq!(buffer.to_vec(&stream).unwrap(), [0; 3]);
    };
    work();
    tracing::subscriber::with_default(listener.clone(), work);
    let spans = listener.0.lock().unwrap();
    let expected = [
        "kind=\"fill\";name=\"D8(0)\";details=\"bytes=12\";device=0;",
        "kind=\"copy\";name=\"device to host\";details=\"bytes=12\";device=0;",
    ];
    assert_eq!(*spans, expected);
}

#[test]
fn a_subscriber_that_panics_does_not_end_what_is_in_flight() {
    let (simulation, stream) = stream();
    let device = stream.device();
    let listener = Listener(Arc::default(), true);
    let buffer = DeviceBuffer::<u32>::from_slice(&stream, &[7; 1000]).unwrap();
    let pinned = PinnedBuffer::<u32>::zeroed(device, 1000).unwrap();
    let mut managed = ManagedBuffer::<u32>::zeroed(device, 1000).unwrap();
    let pending = tracing::subscriber::with_default(listener, || {
        stream.fill(&mut managed, 5).unwrap();
        // Had the panic gone through, the memory would be freed here, and the copy would write to it later.
        stream.download_async(&buffer, pinned).unwrap()
    });
    assert_eq!(managed.read().unwrap(), [5; 1000], "the fill was not entered as a use of the memory");
    assert_eq!(*pending.wait().unwrap(), [7; 1000]);
    simulation.assert_clean();
}

//! The feature `serde`.

use hip::memory::{IpcEventHandle, IpcMemoryHandle};
use hip::{ErrorCode, Extent, LaunchConfig, Properties, Timeline, Version};
use hip_feature_tests::stream;
use serde::{Serialize, de::DeserializeOwned};

fn both_ways<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    text
}

#[test]
fn descriptions_are_written_and_read() {
    let (_simulation, stream) = stream();
    let device = stream.device();
    let properties: &Properties = device.properties().unwrap();
    assert!(both_ways(properties).contains("\"target_id\":\"gfx900:xnack-\""));
    assert_eq!(
        both_ways(&Version { major: 5, minor: 2, patch: 21153 }),
        r#"{"major":5,"minor":2,"patch":21153}"#
    );
    both_ways(&LaunchConfig::new((2, 3), 64).shared_bytes(16));
    both_ways(&Extent::from((3, 4, 5)));
    both_ways(&device.memory_info().unwrap());
    both_ways(&device.memory_statistics());
    both_ways(&device.stream_priorities().unwrap());
    assert_eq!(both_ways(&ErrorCode::ILLEGAL_ADDRESS), "700");
}

#[test]
fn handles_are_64_numbers() {
    both_ways(&IpcMemoryHandle::from_bytes(std::array::from_fn(|i| i as u8)));
    both_ways(&IpcEventHandle::from_bytes([200; 64]));
    assert!(serde_json::from_str::<IpcMemoryHandle>("[1, 2, 3]").is_err());
}

#[test]
fn traces_are_written() {
    let (_simulation, stream) = stream();
    let timeline = Timeline::start(stream.runtime()).unwrap();
    drop(timeline.span("a span"));
    let trace = serde_json::to_value(timeline.finish().unwrap()).unwrap();
    assert_eq!(trace["spans"][0]["name"], "a span");
}

//! Both layouts of `hipDeviceProp_t`, and what devices tell otherwise.

use crate::fake::{Config, Fake};
use hip::sys::{hipDeviceAttribute_t, hipDeviceAttributeWarpSize};
use hip::{ErrorKind, Version};

fn check(config: Config, called: &str) {
    let fake = Fake::new(config);
    let device = fake.runtime().device(0).unwrap();
    let properties = device.properties().unwrap();
    assert_eq!(properties.name, "Simulated Vega (virtual)");
    assert_eq!(properties.target_id, "gfx900:xnack-");
    assert_eq!(properties.total_global_mem, 8 << 30);
    assert_eq!((properties.shared_mem_per_block, properties.max_threads_per_block), (65536, 1024));
    assert_eq!((properties.warp_size, properties.multi_processor_count), (64, 56));
    assert_eq!(properties.max_threads_dim, [1024; 3]);
    assert_eq!((properties.clock_rate, properties.pci_bus_id), (1_590_000, 3));
    assert!(properties.concurrent_kernels && properties.can_map_host_memory && !properties.integrated);
    assert_eq!((device.name().unwrap(), device.arch().unwrap()), ("Simulated Vega (virtual)", "gfx900"));
    // Asked once.
    assert_eq!(fake.count(called), 1);
}

#[test]
fn the_old_layout_is_decoded() {
    check(Config { version: 50_221_153, ..Config::default() }, "hipGetDeviceProperties");
}

#[test]
fn the_layout_of_6_0_is_decoded() {
    check(
        Config { version: 60_443_484, missing: Vec::new(), ..Config::default() },
        "hipGetDevicePropertiesR0600",
    );
}

#[test]
fn a_runtime_6_without_the_old_symbol_is_enough() {
    let missing = vec!["hipGetDeviceProperties"];
    check(Config { version: 60_443_484, missing, ..Config::default() }, "hipGetDevicePropertiesR0600");
}

#[test]
fn neither_symbol_is_unsupported() {
    let missing = vec!["hipGetDeviceProperties", "hipGetDevicePropertiesR0600"];
    let fake = Fake::new(Config { missing, ..Config::default() });
    let error = fake.runtime().device(0).unwrap().properties().unwrap_err();
    let runtime = Version::from_raw(50_221_153);
    assert_eq!(error.kind(), &ErrorKind::Unsupported { symbol: "hipGetDeviceProperties", runtime });
}

#[test]
fn numbers_and_texts_of_a_device() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    assert_eq!(device.attribute(hipDeviceAttributeWarpSize).unwrap(), 64);
    assert_eq!(device.pci_bus_id().unwrap(), "0000:03:00.0");
    assert_eq!(device.total_memory().unwrap(), 1 << 20);
    let error = device.attribute(hipDeviceAttribute_t(99_999)).unwrap_err();
    assert_eq!(error.code(), Some(hip::ErrorCode::INVALID_VALUE));
    assert!(error.to_string().contains("99999"), "{error}");
}

//! Which devices are there, and what can they do?
//!
//! `Runtime::load` finds libamdhip64 at run time: nothing was linked, and a machine without it gets an error that lists
//! where was looked.

mod support;

use hip::Runtime;
use support::Failure;

fn main() -> Result<(), Failure> {
    let runtime = Runtime::load()?;
    println!("HIP {}, {} device(s)", runtime.version(), runtime.device_count()?);
    for device in runtime.devices()? {
        support::announce(device)?;
        let properties = device.properties()?;
        let memory = device.memory_info()?;
        println!("  target id       {}", device.target_id()?);
        println!("  memory          {} MiB, {} MiB free", memory.total >> 20, memory.free >> 20);
        println!(
            "  compute units   {} at {} MHz",
            properties.multi_processor_count,
            properties.clock_rate / 1000
        );
        println!("  wavefront       {} lanes", properties.warp_size);
        println!("  workgroup       up to {} threads", properties.max_threads_per_block);
        println!("  LDS             {} KiB per workgroup", properties.shared_mem_per_block >> 10);
    }
    Ok(())
}

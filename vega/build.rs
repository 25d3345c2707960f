//! Links the command as a shared object that also has an interpreter and an entry point, so that one file
//! is both the command and the library for `LD_PRELOAD`. (The dynamic linker refuses to preload a
//! position-independent executable: `DF_1_PIE`.)

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    println!("cargo::rerun-if-changed=exports.map");
    if linux {
        println!("cargo::rustc-link-arg-bin=vega=-shared");
        println!("cargo::rustc-link-arg-bin=vega=-Wl,-e,vega_start");
        println!("cargo::rustc-link-arg-bin=vega=-Wl,--version-script={directory}/exports.map");
    }
}

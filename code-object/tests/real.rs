//! What compilers really write: files checked in, and what hipcc writes where it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use code_object::{
    Access, ArgKind, Bundle, CodeObject, ErrorKind, Feature, HiddenArg, Image, OffloadKind, SymbolKind,
    TargetId,
};

const SAXPY: &[u8] = include_bytes!("fixtures/saxpy.hsaco");
const MULTI: &[u8] = include_bytes!("fixtures/empty-multi.hsaco");

fn id(text: &str) -> TargetId {
    text.parse().unwrap()
}

#[test]
fn saxpy_is_described_completely() {
    let bundle = Bundle::parse(SAXPY).unwrap();
    let kinds: Vec<_> = bundle.entries().iter().map(|entry| entry.id.kind()).collect();
    assert_eq!(kinds, [OffloadKind::Host, OffloadKind::Hip]);
    assert_eq!(bundle.extent(), SAXPY.len());

    let image = Image::parse(SAXPY).unwrap();
    assert_eq!(image.targets(), [&id("gfx900")]);
    let entry = image.select(&id("gfx900:xnack-")).unwrap();
    let object = CodeObject::parse(&entry.bytes).unwrap();
    assert_eq!((object.target(), object.flags()), (&id("gfx900"), 0x12c));
    assert_eq!(object.abi_version().code_object_version(), 4);
    assert_eq!(object.kernels().len(), 1);

    let saxpy = object.kernel("saxpy").unwrap();
    let args: Vec<_> = saxpy.explicit_args().map(|arg| (arg.offset, arg.size, arg.kind.name())).collect();
    assert_eq!(
        args,
        [(0, 4, "by_value"), (8, 8, "global_buffer"), (16, 8, "global_buffer"), (24, 4, "by_value")]
    );
    assert_eq!(saxpy.args[1].access, Some(Access::ReadOnly));
    assert_eq!(saxpy.args[1].address_space.as_deref(), Some("global"));
    assert_eq!((saxpy.explicit_kernarg_size(), saxpy.kernarg_segment_size), (28, 28));
    assert_eq!(
        (saxpy.kernarg_segment_align, saxpy.max_flat_workgroup_size, saxpy.wavefront_size),
        (8, 1024, 64)
    );
    assert_eq!((saxpy.group_segment_fixed_size, saxpy.private_segment_fixed_size), (0, 0));

    let kd = saxpy.descriptor;
    assert!(kd.reserved_is_zero);
    assert_eq!(kd.kernarg_size, saxpy.kernarg_segment_size);
    assert_eq!(kd.rsrc1.vgprs(4), saxpy.vgpr_count.next_multiple_of(4));
    assert!(kd.rsrc1.sgprs() >= saxpy.sgpr_count);
    assert_eq!((kd.rsrc1.enable_ieee_mode(), kd.rsrc1.enable_dx10_clamp()), (1, 1));
    assert_eq!((kd.rsrc1.float_denorm_mode_32(), kd.rsrc1.float_denorm_mode_16_64()), (3, 3));
    assert_eq!(kd.properties.enable_sgpr_kernarg_segment_ptr(), 1);
    assert_eq!(kd.properties.user_sgprs(), kd.rsrc2.user_sgpr_count());
    assert_eq!(kd.entry(saxpy.descriptor_address), saxpy.entry_address);

    let code = object.code(saxpy);
    assert_eq!(&code[code.len() - 4..], 0xbf81_0000u32.to_le_bytes(), "the last instruction is s_endpgm");
    let start = usize::try_from(saxpy.entry_offset).unwrap();
    assert_eq!(&object.bytes()[start..start + code.len()], code);
    assert_eq!(object.symbol("saxpy").unwrap().kind, SymbolKind::Function);
    assert_eq!(object.symbol("saxpy.kd").unwrap().kind, SymbolKind::KernelDescriptor);
}

#[test]
fn the_most_precise_code_object_is_selected() {
    let image = Image::parse(MULTI).unwrap();
    assert_eq!(image.targets(), [&id("gfx900:xnack+"), &id("gfx900:xnack-"), &id("gfx906")]);
    for (device, code) in [
        ("gfx900:xnack-", Some("gfx900:xnack-")),
        ("gfx900:xnack+", Some("gfx900:xnack+")),
        ("gfx906:sramecc-:xnack-", Some("gfx906")),
        ("gfx900", None),
        ("gfx1030", None),
    ] {
        let entry = image.select(&id(device));
        assert_eq!(entry.map(|entry| entry.id.target().unwrap().to_string()).as_deref(), code, "{device}");
        if let Some(entry) = entry {
            assert_eq!(CodeObject::parse(&entry.bytes).unwrap().target(), entry.id.target().unwrap());
        }
    }
}

#[test]
fn a_bare_code_object_and_a_row_of_bundles_are_images_too() {
    let image = Image::parse(SAXPY).unwrap();
    let bare = image.entries()[0].bytes.to_vec();
    let from_bare = Image::parse(&bare).unwrap();
    assert_eq!(from_bare.entries()[0].id.as_str(), "hipv4-amdgcn-amd-amdhsa--gfx900");
    assert_eq!(from_bare.entries()[0].bytes, bare);

    let mut row = SAXPY.to_vec();
    row.resize(row.len().next_multiple_of(4096), 0);
    let second = row.len();
    row.extend(MULTI);
    let extent = row.len();
    row.extend([0; 4096]);
    let image = Image::parse(&row).unwrap();
    assert_eq!((image.entries().len(), image.extent()), (4, extent));
    // An error in the second bundle counts from the start of the whole.
    row.truncate(second + 40);
    assert!(Image::parse(&row).unwrap_err().offset() >= second as u64);
}

#[test]
fn every_prefix_is_refused() {
    let bare = Image::parse(SAXPY).unwrap().entries()[0].bytes.to_vec();
    assert_eq!(CodeObject::parse(&bare).unwrap().bytes().len(), bare.len());
    for len in 0..bare.len() {
        assert!(CodeObject::parse(&bare[..len]).is_err(), "ELF cut to {len} bytes");
    }
    for len in 0..SAXPY.len() {
        assert!(Image::parse(&SAXPY[..len]).is_err(), "bundle cut to {len} bytes");
    }
}

#[test]
fn what_is_not_a_code_object_is_said_to_be_none() {
    for bytes in [&b""[..], b"MZ", b"#!/bin/sh\n", &[0; 64]] {
        assert_eq!(Image::parse(bytes).unwrap_err().kind(), ErrorKind::NotCodeObject);
    }
    let mut relocatable = Image::parse(SAXPY).unwrap().entries()[0].bytes.to_vec();
    relocatable[16] = 1;
    let error = CodeObject::parse(&relocatable).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Unsupported, 16));
    relocatable[18] = 62;
    assert_eq!(CodeObject::parse(&relocatable).unwrap_err().kind(), ErrorKind::NotCodeObject);
}

#[cfg(feature = "compressed")]
#[test]
fn compressed_bundles_of_all_versions_are_read() {
    let frame = zstd::stream::encode_all(SAXPY, 3).unwrap();
    let plain = SAXPY.len();
    for version in 1..=3u16 {
        let mut file = b"CCOB".to_vec();
        file.extend(version.to_le_bytes());
        file.extend(1u16.to_le_bytes());
        let header = [20, 24, 32][usize::from(version) - 1];
        match version {
            1 => file.extend((plain as u32).to_le_bytes()),
            2 => {
                file.extend(((header + frame.len()) as u32).to_le_bytes());
                file.extend((plain as u32).to_le_bytes());
            }
            _ => {
                file.extend(((header + frame.len()) as u64).to_le_bytes());
                file.extend((plain as u64).to_le_bytes());
            }
        }
        file.extend([0; 8]);
        assert_eq!(file.len(), header);
        file.extend(&frame);
        let image = Image::parse(&file).unwrap();
        let object = CodeObject::parse(&image.entries()[0].bytes).unwrap();
        assert!(object.kernel("saxpy").is_some(), "version {version}");
        assert_eq!(image.extent(), file.len());
        for len in 0..file.len() {
            assert!(Image::parse(&file[..len]).is_err(), "version {version} cut to {len} bytes");
        }
        // A false size, smaller or larger than the truth, is not believed.
        let size = [8, 12, 16][usize::from(version) - 1];
        for wrong in [plain as u32 - 1, plain as u32 + 1, u32::MAX] {
            let mut file = file.clone();
            file[size..size + 4].copy_from_slice(&wrong.to_le_bytes());
            assert!(Image::parse(&file).is_err(), "version {version} with size {wrong}");
        }
    }
}

#[cfg(not(feature = "compressed"))]
#[test]
fn a_compressed_bundle_is_refused_with_the_name_of_the_feature() {
    let mut file = b"CCOB\x02\x00\x01\x00".to_vec();
    file.extend([24, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let error = Image::parse(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`compressed`"), "{error}");
}

/// Compiles a kernel of this repository with the installed hipcc, or says that there is none.
fn hipcc(args: &[&str], source: &str, out: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(out);
    let mut command = Command::new("hipcc");
    command
        .args(args)
        .arg("--offload-arch=gfx900")
        .arg(root.join("kernels").join(source))
        .arg("-o")
        .arg(&out);
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(out)
        }
        Err(error) => {
            eprintln!("skipped: hipcc cannot be run: {error}");
            None
        }
    }
}

#[test]
fn every_kernel_of_the_repository_is_read() {
    let kernels: [(&str, &[&str]); 5] = [
        ("saxpy.hip", &["saxpy"]),
        ("gemm.hip", &["gemm_tile16", "gemm_block64"]),
        ("reduce.hip", &["reduce_sum"]),
        ("empty.hip", &["empty"]),
        ("vector.hip", &["fill", "iota", "vector_add", "count"]),
    ];
    for (source, names) in kernels {
        let Some(path) = hipcc(&["--genco", "-O3"], source, &format!("{source}.co")) else { return };
        let file = std::fs::read(path).unwrap();
        let image = Image::parse(&file).unwrap();
        let object = CodeObject::parse(&image.entries()[0].bytes).unwrap();
        let found: Vec<_> = object.kernels().iter().map(|kernel| kernel.name.as_str()).collect();
        assert_eq!(found, names);
        assert!(object.kernels().iter().all(|kernel| kernel.descriptor.reserved_is_zero));
    }
}

#[test]
fn signatures_and_globals_are_read_from_a_fresh_compile() {
    let Some(path) = hipcc(&["--genco", "-O3"], "signatures.hip", "signatures.co") else { return };
    let file = std::fs::read(path).unwrap();
    let image = Image::parse(&file).unwrap();
    let object = CodeObject::parse(&image.entries()[0].bytes).unwrap();
    let layout = |name: &str| -> Vec<_> {
        object.kernel(name).unwrap().explicit_args().map(|arg| (arg.offset, arg.size)).collect()
    };
    assert_eq!(layout("take_struct"), [(0, 8), (8, 40)]);
    assert_eq!(
        layout("take_scalars"),
        [(0, 8), (8, 1), (9, 1), (10, 1), (11, 1), (12, 2), (14, 2), (16, 4), (20, 4), (24, 8), (32, 8)]
    );
    assert_eq!(layout("take_floats"), [(0, 8), (8, 2), (10, 2), (12, 4), (16, 8)]);
    assert_eq!(layout("_Z5scaleIfLi1EEvPT_S0_"), [(0, 8), (8, 4)]);
    assert_eq!(object.kernel("small_block").unwrap().max_flat_workgroup_size, 64);
    let mut globals: Vec<_> =
        object.globals().filter(|s| !s.name.starts_with("_Z")).map(|s| (s.name, s.size)).collect();
    globals.sort_unstable();
    assert_eq!(globals, [("launches", 8), ("table", 32)]);
    assert_eq!(object.target().xnack, Feature::Any);
}

#[test]
fn code_object_v5_and_its_hidden_arguments_are_read() {
    let args = ["--genco", "-O3", "-mcode-object-version=5"];
    let Some(path) = hipcc(&args, "saxpy.hip", "saxpy5.co") else { return };
    let file = std::fs::read(path).unwrap();
    let image = Image::parse(&file).unwrap();
    let object = CodeObject::parse(&image.entries()[0].bytes).unwrap();
    assert_eq!(object.abi_version().code_object_version(), 5);
    let saxpy = object.kernel("saxpy").unwrap();
    let hidden =
        |kind: HiddenArg| saxpy.args.iter().find(|arg| arg.kind == ArgKind::Hidden(kind)).map(|arg| arg.size);
    assert_eq!((hidden(HiddenArg::BlockCountX), hidden(HiddenArg::GroupSizeX)), (Some(4), Some(2)));
    assert_eq!((saxpy.explicit_args().count(), saxpy.explicit_kernarg_size()), (4, 28));
    assert!(saxpy.kernarg_segment_size > 28);
}

#[test]
fn the_code_inside_of_a_host_object_file_is_found() {
    let Some(path) = hipcc(&["-c", "-O3"], "empty.hip", "empty.o") else { return };
    let file = std::fs::read(path).unwrap();
    let image = Image::parse(&file).unwrap();
    let object = CodeObject::parse(&image.select(&id("gfx900")).unwrap().bytes).unwrap();
    assert!(object.kernel("empty").is_some());
}

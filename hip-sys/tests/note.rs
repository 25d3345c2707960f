//! The note about libraries that are opened at run time is in every program that uses the crate.
#![cfg(target_os = "linux")]

use object::{Object, ObjectSection};

#[test]
fn programs_say_what_they_open() {
    // Whether it loads does not matter: the note is there because it may be asked to.
    let _ = hip_sys::Api::load();
    let own = std::fs::read(std::env::current_exe().expect("a path")).expect("readable");
    let file = object::File::parse(&*own).expect("an ELF file");
    let section = file.section_by_name(".note.dlopen").expect("the note");
    assert_eq!(section.kind(), object::SectionKind::Note);
    let object::SectionFlags::Elf { sh_flags } = section.flags() else { panic!("an ELF section") };
    let (alloc, write) = (u64::from(object::elf::SHF_ALLOC), u64::from(object::elf::SHF_WRITE));
    assert_eq!(sh_flags & (alloc | write), alloc, "read-only, and in memory: strip keeps it");
    assert_eq!(section.align(), 4);
    let bytes = section.data().expect("its bytes");
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((word(0), word(8), &bytes[12..16]), (4, 0x407c_0c0a, &b"FDO\0"[..]));
    let size = word(4) as usize;
    assert_eq!(bytes.len(), 16 + size.next_multiple_of(4), "one note, padded to whole words");
    let text = std::ffi::CStr::from_bytes_with_nul(&bytes[16..16 + size]).expect("one zero byte, at the end");
    let entries: serde_json::Value = serde_json::from_str(text.to_str().expect("UTF-8")).expect("JSON");
    let entries = entries.as_array().expect("an array");
    let mut sonames = Vec::new();
    for entry in entries {
        let entry = entry.as_object().expect("an object");
        // The specification: `soname` is required, the others are optional; a reader must find nothing else odd.
        for (key, value) in entry {
            match key.as_str() {
                "soname" => {
                    sonames.extend(value.as_array().expect("an array").iter().filter_map(|s| s.as_str()))
                }
                "feature" | "description" => assert!(value.is_string(), "{entry:?}"),
                "priority" => {
                    let word = value.as_str().expect("a word");
                    assert!(["required", "recommended", "suggested"].contains(&word), "{word}");
                }
                _ => panic!("the specification has no {key}"),
            }
        }
        assert!(entry.contains_key("soname"));
    }
    for major in 5..=7 {
        for library in ["libamdhip64", "libhiprtc"] {
            assert!(sonames.contains(&format!("{library}.so.{major}").as_str()), "{sonames:?}");
        }
    }
}

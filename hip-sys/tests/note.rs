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
    let bytes = section.data().expect("its bytes");
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((word(0), word(8), &bytes[12..16]), (4, 0x407c_0c0a, &b"FDO\0"[..]));
    let text = std::str::from_utf8(&bytes[16..16 + word(4) as usize]).expect("text");
    for soname in ["libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libhiprtc.so.6"] {
        assert!(text.contains(soname), "{text}");
    }
}

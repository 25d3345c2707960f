//! An ELF note that tells packagers what this crate opens at run time: a program that links nothing of ROCm still says
//! that it wants it. Dependency generators (rpm's, dpkg's) and `systemd-analyze dlopen-metadata` read it.
//!
//! The format is the UAPI group's "ELF dlopen metadata": name `FDO`, type `0x407c0c0a`, a JSON list.

/// What the note says. Both libraries are recommended: a program gets an error when they are missing, and may go on.
const TEXT: &[u8] = br#"[{"feature":"hip","description":"AMD's HIP runtime","priority":"recommended","soname":["libamdhip64.so.7","libamdhip64.so.6","libamdhip64.so.5"]},{"feature":"hiprtc","description":"kernels compiled at run time","priority":"suggested","soname":["libhiprtc.so.7","libhiprtc.so.6","libhiprtc.so.5"]}]"#;

/// The text's size with the zero byte that ends it: readers written in C take it for a string.
const TERMINATED: usize = TEXT.len() + 1;

/// Padded to whole words, as notes are.
const SIZE: usize = TERMINATED.next_multiple_of(4);

/// An ELF note with room for the text.
#[repr(C, align(4))]
struct Note {
    name_size: u32,
    text_size: u32,
    kind: u32,
    name: [u8; 4],
    text: [u8; SIZE],
}

const fn padded() -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let mut at = 0;
    while at < TEXT.len() {
        bytes[at] = TEXT[at];
        at += 1;
    }
    bytes
}

#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".note.dlopen"))]
static NOTE: Note =
    Note { name_size: 4, text_size: TERMINATED as u32, kind: 0x407c_0c0a, name: *b"FDO\0", text: padded() };

/// Makes sure that the note is linked wherever something is opened: linkers leave out object files that nobody needs.
pub(crate) fn keep() {
    std::hint::black_box(&NOTE);
}

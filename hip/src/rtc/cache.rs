//! Compiled programs on disk.
//!
//! A file holds the whole key and a checksum beside the result, so neither a hash collision nor a torn file is ever taken
//! for a hit. It is written under a name of its own and then renamed, so that writers of one entry do not meet.

use super::Compiled;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a file begins with. Changes with the format.
const MAGIC: &[u8] = b"hip-rs rtc cache 1\n";

/// A folder of compiled programs, which any number of processes share.
///
/// Files that cannot be read, or that somebody damaged, are as good as missing, and a result that cannot be written is not
/// kept: a cache never makes a compilation fail.
///
/// ```
/// use hip::rtc::{Cache, Program};
/// let program = Program::new("k.hip", "__global__ void k() {}").cache(Cache::in_folder("target/kernels"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// A cache in that folder, which is made when the first result is kept.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A cache in the user's own folder for such things: `hip-rs` in `$XDG_CACHE_HOME`, in `~/.cache`, or in
    /// `%LOCALAPPDATA%` on Windows. `None` where the environment names none.
    pub fn of_user() -> Option<Self> {
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = folder("XDG_CACHE_HOME").or_else(|| folder("LOCALAPPDATA"));
        let base = base.or_else(|| Some(folder("HOME")?.join(".cache")))?;
        Some(Self::in_folder(base.join("hip-rs")))
    }

    /// Where the cache is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, key: &[u8]) -> PathBuf {
        self.folder.join(format!("{:016x}{:016x}.rtc", hash(key, 0), hash(key, 1)))
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<Compiled> {
        decode(&std::fs::read(self.file(key)).ok()?, key)
    }

    pub(super) fn keep(&self, key: &[u8], compiled: &Compiled) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let file = self.file(key);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let unfinished = file.with_extension(format!("{}-{number}", std::process::id()));
        let write = || {
            std::fs::create_dir_all(&self.folder)?;
            std::fs::write(&unfinished, encode(key, compiled))?;
            std::fs::rename(&unfinished, &file)
        };
        if write().is_err() {
            let _ = std::fs::remove_file(&unfinished);
        }
    }
}

/// FNV-1a of 64 bits; `seed` makes it another function.
fn hash(bytes: &[u8], seed: u8) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    [seed].iter().chain(bytes).fold(0xcbf2_9ce4_8422_2325, step)
}

fn put(to: &mut Vec<u8>, part: &[u8]) {
    to.extend((part.len() as u64).to_le_bytes());
    to.extend(part);
}

/// Appends a list, so that no two sequences of lists are the same bytes.
pub(super) fn put_all<'a>(to: &mut Vec<u8>, list: impl Iterator<Item = &'a String>) {
    let list: Vec<_> = list.collect();
    to.extend((list.len() as u64).to_le_bytes());
    list.into_iter().for_each(|text| put(to, text.as_bytes()));
}

fn take<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = from.split_first_chunk::<8>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    *from = rest;
    Some(part)
}

fn encode(key: &[u8], compiled: &Compiled) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    put(&mut bytes, key);
    put(&mut bytes, &compiled.code);
    put(&mut bytes, compiled.log.as_bytes());
    for (expression, name) in &compiled.names {
        put(&mut bytes, expression.as_bytes());
        put(&mut bytes, name.as_bytes());
    }
    let sum = hash(&bytes, 0);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// None for bytes that are not the whole entry of this key.
fn decode(bytes: &[u8], key: &[u8]) -> Option<Compiled> {
    let (body, sum) = bytes.split_last_chunk::<8>()?;
    if hash(body, 0) != u64::from_le_bytes(*sum) {
        return None;
    }
    let mut rest = body.strip_prefix(MAGIC)?;
    if take(&mut rest)? != key {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let mut compiled =
        Compiled { code: take(&mut rest)?.to_vec(), log: text(take(&mut rest)?)?, names: Default::default() };
    while !rest.is_empty() {
        compiled.names.insert(text(take(&mut rest)?)?, text(take(&mut rest)?)?);
    }
    Some(compiled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled() -> Compiled {
        let names = [("f<int>".to_owned(), "_Z1fIiE".to_owned())].into();
        Compiled { code: vec![1, 2, 3], log: "a warning".to_owned(), names }
    }

    #[test]
    fn what_is_kept_is_found_and_nothing_else() {
        let bytes = encode(b"key", &compiled());
        assert_eq!(decode(&bytes, b"key"), Some(compiled()));
        assert_eq!(decode(&bytes, b"other"), None);
        for len in 0..bytes.len() {
            assert_eq!(decode(&bytes[..len], b"key"), None, "torn after {len} bytes");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(decode(&damaged, b"key"), None, "damaged at {at}");
        }
        assert_eq!(decode(&[&bytes[..], b"more"].concat(), b"key"), None);
    }

    #[test]
    fn lists_are_told_apart() {
        let key = |lists: &[&[&str]]| {
            let mut key = Vec::new();
            for list in lists {
                let list: Vec<String> = list.iter().map(ToString::to_string).collect();
                put_all(&mut key, list.iter());
            }
            key
        };
        let keys = [
            key(&[&["a", "b"], &[]]),
            key(&[&["a"], &["b"]]),
            key(&[&["ab"], &[]]),
            key(&[&[], &["a", "b"]]),
        ];
        for (index, one) in keys.iter().enumerate() {
            assert!(keys.iter().skip(index + 1).all(|other| one != other));
        }
    }

    #[test]
    fn writers_of_one_entry_do_not_meet() {
        let folder = std::env::temp_dir().join(format!("hip-rtc-cache-{}", std::process::id()));
        let cache = Cache::in_folder(&folder);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        cache.keep(b"key", &compiled());
                        assert_eq!(cache.find(b"key"), Some(compiled()));
                    }
                });
            }
        });
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        std::fs::write(cache.file(b"key"), b"hip-rs rtc cache 1\n").unwrap();
        assert_eq!(cache.find(b"key"), None);
        std::fs::remove_dir_all(&folder).unwrap();
        // A folder that cannot be made is no failure.
        let nowhere = Cache::in_folder("/dev/null/cache");
        nowhere.keep(b"key", &compiled());
        assert_eq!(nowhere.find(b"key"), None);
    }
}

//! SMI_EVENTS: a descriptor from which a monitor reads what happens to a card.
//!
//! As in the kernel, the program writes a mask of events (64 bits) to the descriptor, polls it, and reads lines of
//! text; a read without a line answers `EAGAIN`. It is one end of a pair of sockets. The events are those of this
//! process's virtual cards alone: another process has other cards. Of what the kernel knows only VM faults happen
//! here; nothing throttles, resets or migrates.
//!
//! # Safety
//! System calls on the other ends' numbers. The program may have closed one and reused its number, so each use is
//! preceded by a look at what is behind it.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use crate::abi::SmiEvents;
use crate::driver::Driver;
use crate::errno::Errno;
use crate::files::{self, Identity};

/// `KFD_SMI_EVENT_VMFAULT`.
const VM_FAULT: u32 = 1;

/// Someone who listens.
struct Client {
    gpu_id: u32,
    fd: RawFd,
    identity: Identity,
    mask: u64,
}

/// Everyone who listens to this process's cards.
#[derive(Default)]
pub struct Clients {
    list: Mutex<Vec<Client>>,
}

impl Client {
    /// Takes in the masks that the program has written since.
    fn read_masks(&mut self) {
        let mut mask = [0; 8];
        // SAFETY: `mask` has room for what is asked for; the descriptor is still the client's.
        while unsafe { libc::recv(self.fd, mask.as_mut_ptr().cast(), mask.len(), libc::MSG_DONTWAIT) } == 8 {
            self.mask = u64::from_ne_bytes(mask);
        }
    }

    /// Tells the client, if it wants to know; says whether it still listens.
    fn tell(&mut self, event: u32, message: &str) -> bool {
        if files::identity(self.fd) != Some(self.identity) {
            return false;
        }
        self.read_masks();
        if self.mask >> (event - 1) & 1 == 0 {
            return true;
        }
        let line = format!("{event:x} {message}\n");
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: reads `line`, at most its length; the descriptor is still the client's.
        let sent = unsafe { libc::send(self.fd, line.as_ptr().cast(), line.len(), flags) };
        // A line that finds no room is lost, as in the kernel.
        if sent >= 0 || Errno::last() != Errno(libc::EPIPE) {
            return true;
        }
        // SAFETY: the driver's own end, as was checked above; nobody has the other one.
        unsafe { libc::close(self.fd) };
        false
    }
}

impl Clients {
    fn tell(&self, gpu_id: u32, event: u32, message: &str) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain_mut(|client| client.gpu_id != gpu_id || client.tell(event, message));
    }

    /// A kernel of this process accessed memory that it may not access.
    pub fn vm_fault(&self, gpu_id: u32) {
        let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
        self.tell(gpu_id, VM_FAULT, &format!("{:x}:{}", std::process::id(), name.trim_end()));
    }

    fn add(&self, gpu_id: u32) -> io::Result<OwnedFd> {
        let mut ends = [-1; 2];
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: `ends` has room for the two.
        if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let [theirs, ours] = ends;
        // SAFETY: a new descriptor that nothing else owns.
        let theirs = unsafe { OwnedFd::from_raw_fd(theirs) };
        let identity = files::identity(ours).ok_or_else(io::Error::last_os_error)?;
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(Client { gpu_id, fd: ours, identity, mask: 0 });
        Ok(theirs)
    }
}

/// SMI_EVENTS.
pub fn events(driver: &Driver, args: &mut SmiEvents) -> Result<(), Errno> {
    use std::os::fd::IntoRawFd;
    driver.device(args.gpu_id)?;
    args.anon_fd = driver.smi.add(args.gpu_id).map_err(Errno::of)?.into_raw_fd() as u32;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    fn line(end: &mut UnixStream) -> Option<String> {
        let mut bytes = [0; 96];
        let count = end.read(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(bytes.get(..count)?).into_owned())
    }

    #[test]
    fn a_client_hears_what_it_asked_for_of_its_card_until_it_leaves() {
        let clients = Clients::default();
        let mut end = UnixStream::from(clients.add(7).unwrap());
        clients.vm_fault(7);
        assert_eq!(line(&mut end), None, "nothing was asked for");
        end.write_all(&2u64.to_ne_bytes()).unwrap();
        end.write_all(&1u64.to_ne_bytes()).unwrap();
        clients.vm_fault(8);
        assert_eq!(line(&mut end), None, "another card");
        clients.vm_fault(7);
        let heard = line(&mut end).unwrap();
        assert!(
            heard.starts_with(&format!("1 {:x}:", std::process::id())) && heard.ends_with('\n'),
            "{heard}"
        );
        end.write_all(&0u64.to_ne_bytes()).unwrap();
        clients.vm_fault(7);
        assert_eq!(line(&mut end), None);
        end.write_all(&1u64.to_ne_bytes()).unwrap();
        drop(end);
        clients.vm_fault(7);
        assert!(clients.list.lock().unwrap().is_empty());
    }
}

//! Random programs on several streams, against the same program done at once on the host.

use crate::fake::{Config, Fake};
use crate::{SAXPY, Saxpy};
use hip::{Device, DeviceBuffer, Kernel, LaunchConfig, Module, Pending, PinnedBuffer, Stream};

const LEN: usize = 64;
const BUFFERS: usize = 4;
const STREAMS: usize = 3;

/// Numbers that are the same in every run (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// Buffers on the device, and what must be in them.
struct Program {
    random: Random,
    device: Device,
    saxpy: Kernel<Saxpy>,
    streams: Vec<Stream>,
    buffers: Vec<(DeviceBuffer<f32>, Vec<f32>)>,
    pending: Vec<(Pending<PinnedBuffer<f32>>, Vec<f32>)>,
}

impl Program {
    fn new(fake: &Fake, seed: u64) -> Self {
        let device = fake.runtime().device(0).unwrap();
        let saxpy = Module::from_static(device, SAXPY).unwrap().kernel().unwrap();
        let mut streams = vec![device.default_stream()];
        streams.extend((1..STREAMS).map(|_| device.stream().unwrap()));
        let buffers =
            (0..BUFFERS).map(|i| (DeviceBuffer::zeroed(&streams[i % STREAMS], LEN).unwrap(), vec![0.0; LEN]));
        let buffers = buffers.collect();
        Self { random: Random(seed), device, saxpy, streams, buffers, pending: Vec::new() }
    }

    /// Two different buffers, the second to be written.
    fn pair(&mut self) -> ((DeviceBuffer<f32>, Vec<f32>), usize) {
        let from = self.random.below(self.buffers.len());
        let taken = self.buffers.swap_remove(from);
        let to = self.random.below(self.buffers.len());
        (taken, to)
    }

    fn step(&mut self) {
        let at = self.random.below(self.streams.len());
        let value = self.random.below(100) as f32;
        match self.random.below(11) {
            0 => {
                let (buffer, host) = &mut self.buffers[value as usize % BUFFERS];
                self.streams[at].fill(buffer, value).unwrap();
                host.fill(value);
            }
            1..=3 => {
                let (from, to) = self.pair();
                let config = LaunchConfig::for_len(LEN);
                let (buffer, host) = &mut self.buffers[to];
                self.saxpy.launch(&self.streams[at], config, (0.5, &from.0, buffer, LEN as i32)).unwrap();
                host.iter_mut().zip(&from.1).for_each(|(y, x)| *y = 0.5f32.mul_add(*x, *y));
                self.buffers.push(from);
            }
            4 => {
                let (from, to) = self.pair();
                let (buffer, host) = &mut self.buffers[to];
                self.streams[at].copy(&from.0, &mut *buffer).unwrap();
                host.copy_from_slice(&from.1);
                self.buffers.push(from);
            }
            5 => {
                // Halves, on two streams.
                let half = LEN / 2;
                let other = self.random.below(self.streams.len());
                let (buffer, host) = &mut self.buffers[value as usize % BUFFERS];
                let (left, right) = buffer.view_mut().split_at(half).unwrap();
                self.streams[at].fill(left, value).unwrap();
                self.streams[other].fill(right, value + 1.0).unwrap();
                host[..half].fill(value);
                host[half..].fill(value + 1.0);
            }
            6 => {
                // Dropped, whatever still uses it; the next one probably gets its memory.
                drop(self.buffers.swap_remove(value as usize % BUFFERS));
                let mut buffer = DeviceBuffer::uninit(self.device, LEN).unwrap();
                self.streams[at].fill(&mut buffer, value).unwrap();
                self.buffers.push((buffer, vec![value; LEN]));
            }
            7 if at != 0 => self.streams[at] = self.device.stream().unwrap(),
            7 => drop(self.device.trim(0).unwrap()),
            8 => {
                let host = PinnedBuffer::from_slice(self.device, &[value; LEN]).unwrap();
                let (buffer, expected) = &mut self.buffers[value as usize % BUFFERS];
                drop(self.streams[at].upload_async(host, buffer).unwrap());
                expected.fill(value);
            }
            9 => {
                let (buffer, expected) = &self.buffers[value as usize % BUFFERS];
                let host = PinnedBuffer::zeroed(self.device, LEN).unwrap();
                let pending = self.streams[at].download_async(buffer, host).unwrap();
                self.pending.push((pending, expected.clone()));
            }
            _ => {
                let (buffer, host) = &self.buffers[value as usize % BUFFERS];
                assert_eq!(&buffer.to_vec(&self.streams[at]).unwrap(), host);
            }
        }
    }
}

#[test]
fn random_programs_compute_what_the_host_computes() {
    for seed in 0..if cfg!(miri) { 5 } else { 400 } {
        let fake = Fake::new(Config::default());
        let mut program = Program::new(&fake, seed);
        for _ in 0..60 {
            program.step();
        }
        for (pending, expected) in program.pending.drain(..) {
            assert_eq!(*pending.wait().unwrap(), expected, "seed {seed}");
        }
        for (buffer, host) in &program.buffers {
            assert_eq!(&buffer.to_vec(&program.streams[0]).unwrap(), host, "seed {seed}");
        }
        let device = program.device;
        drop(program);
        device.trim(0).unwrap();
        fake.run_all();
        fake.assert_clean();
        assert_eq!(fake.state().live(false), 0);
    }
}

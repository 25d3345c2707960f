//! Random graphs against the host: each node does what it would do in a list.

use crate::setup;
use hip::{DeviceBuffer, Event, Graph, GraphExec, HostSlot, Kernel, LaunchConfig, Node, Stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const LEN: usize = 64;
const BUFFERS: usize = 3;

/// A generator of numbers, the same ones for a seed (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// What a node does.
#[derive(Clone, Debug)]
enum Step {
    Fill(usize, f32),
    /// Nothing at all: a node all the same.
    Empty,
    Copy(usize, usize),
    Saxpy(f32, usize, usize),
    Upload(f32, usize),
    Host,
    Record,
    Child(Vec<Step>),
}

impl Step {
    fn random(numbers: &mut Numbers, depth: usize) -> Self {
        let [from, to] = [numbers.below(BUFFERS), numbers.below(BUFFERS - 1)];
        let to = if to == from { BUFFERS - 1 } else { to };
        let value = numbers.below(8) as f32;
        match numbers.below(if depth == 0 { 7 } else { 9 }) {
            0 => Self::Fill(to, value),
            1 => Self::Empty,
            2 => Self::Copy(from, to),
            3 => Self::Saxpy(value, from, to),
            4 => Self::Upload(value, to),
            5 => Self::Host,
            6 => Self::Record,
            _ => Self::Child((0..numbers.below(4)).map(|_| Self::random(numbers, depth - 1)).collect()),
        }
    }

    /// Another step of the same kind.
    fn changed(&self, numbers: &mut Numbers) -> Self {
        let value = numbers.below(8) as f32;
        match self {
            &Self::Fill(to, _) => Self::Fill(to, value),
            &Self::Saxpy(_, from, to) => Self::Saxpy(value, from, to),
            &Self::Copy(from, to) => Self::Copy(to, from),
            Self::Child(steps) => Self::Child(steps.iter().map(|step| step.changed(numbers)).collect()),
            other => other.clone(),
        }
    }

    fn model(&self, memory: &mut [f32; BUFFERS], calls: &mut u32) {
        match *self {
            Self::Fill(to, value) | Self::Upload(value, to) => memory[to] = value,
            Self::Copy(from, to) => memory[to] = memory[from],
            Self::Saxpy(a, from, to) => memory[to] = a.mul_add(memory[from], memory[to]),
            Self::Host => *calls += 1,
            Self::Empty | Self::Record => {}
            Self::Child(ref steps) => steps.iter().for_each(|step| step.model(memory, calls)),
        }
    }
}

struct Setup {
    stream: Stream,
    saxpy: Kernel<crate::Saxpy>,
    buffers: Vec<DeviceBuffer<f32>>,
    calls: Arc<AtomicU32>,
    slots: Vec<HostSlot<Vec<f32>>>,
}

impl Setup {
    fn two(&mut self, from: usize, to: usize) -> (&DeviceBuffer<f32>, &mut DeviceBuffer<f32>) {
        let [from, to] = self.buffers.get_disjoint_mut([from, to]).unwrap();
        (from, to)
    }

    /// A graph whose nodes come one after the other, with some edges more than that takes.
    fn graph(&mut self, steps: &[Step], numbers: &mut Numbers) -> hip::Result<(Graph, Vec<Node>)> {
        let device = self.stream.device();
        let config = LaunchConfig::for_len(LEN);
        let mut graph = Graph::new(device)?;
        let mut nodes: Vec<Node> = Vec::new();
        for step in steps {
            let mut after: Vec<Node> = nodes.last().copied().into_iter().collect();
            if numbers.below(3) == 0 {
                after.extend(nodes.get(numbers.below(nodes.len().max(1))));
            }
            let node = match *step {
                Step::Fill(to, value) => graph.fill(&mut self.buffers[to], value, &after)?,
                Step::Empty if numbers.below(2) == 0 => graph.empty(&after)?,
                Step::Empty => graph.fill(self.buffers[0].slice_mut(..0)?, 1.0, &after)?,
                Step::Copy(from, to) => {
                    let (from, to) = self.two(from, to);
                    graph.copy(from, to, &after)?
                }
                Step::Saxpy(a, from, to) => {
                    let saxpy = self.saxpy.clone();
                    let (from, to) = self.two(from, to);
                    graph.kernel(&saxpy, config, (a, from, to, LEN as i32), &after)?
                }
                Step::Upload(value, to) => {
                    let (slot, node) = graph.upload(vec![value; LEN], &mut self.buffers[to], &after)?;
                    self.slots.push(slot);
                    node
                }
                Step::Host => {
                    let calls = self.calls.clone();
                    let count = move || {
                        calls.fetch_add(1, Ordering::Relaxed);
                    };
                    graph.host(count, &after)?
                }
                Step::Record => graph.record(&Arc::new(Event::new(device)?), &after)?,
                Step::Child(ref steps) => {
                    let (child, _) = self.graph(steps, numbers)?;
                    graph.child(&child, &after)?
                }
            };
            nodes.push(node);
        }
        Ok((graph, nodes))
    }

    /// Launches and compares.
    fn launch(&mut self, exec: &GraphExec, steps: &[Step], memory: &mut [f32; BUFFERS]) {
        let mut calls = self.calls.load(Ordering::Relaxed);
        steps.iter().for_each(|step| step.model(memory, &mut calls));
        exec.launch(&self.stream).unwrap();
        exec.wait().unwrap();
        for (buffer, expected) in self.buffers.iter().zip(memory) {
            assert_eq!(buffer.to_vec(&self.stream).unwrap(), [*expected; LEN], "{steps:?}");
        }
        assert_eq!(self.calls.load(Ordering::Relaxed), calls, "{steps:?}");
    }
}

#[test]
fn random_graphs_do_what_the_host_does() {
    for seed in 1..=40 {
        let Some((stream, saxpy)) = setup() else { return };
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15 ^ seed);
        let buffers = (0..BUFFERS).map(|_| DeviceBuffer::zeroed(&stream, LEN).unwrap()).collect();
        let mut setup = Setup { stream, saxpy, buffers, calls: Arc::default(), slots: Vec::new() };
        let mut memory = [0.0; BUFFERS];
        let steps: Vec<Step> = (0..numbers.below(10)).map(|_| Step::random(&mut numbers, 2)).collect();
        let (graph, nodes) = setup.graph(&steps, &mut numbers).unwrap();
        let mut exec = graph.instantiate().unwrap();
        setup.launch(&exec, &steps, &mut memory);
        let copy = graph.try_clone().unwrap().instantiate().unwrap();
        setup.launch(&copy, &steps, &mut memory);
        // Node by node, as far as nodes can be changed so.
        let mut changed = steps.clone();
        for (step, &node) in changed.iter_mut().zip(&nodes) {
            let new = step.changed(&mut numbers);
            let outcome = match new {
                Step::Fill(to, value) => exec.set_fill(node, &mut setup.buffers[to], value),
                Step::Copy(from, to) => {
                    let (from, to) = setup.two(from, to);
                    exec.set_copy(node, from, to)
                }
                Step::Saxpy(a, from, to) => {
                    let saxpy = setup.saxpy.clone();
                    let (from, to) = setup.two(from, to);
                    exec.set_kernel(node, &saxpy, LaunchConfig::for_len(LEN), (a, from, to, LEN as i32))
                }
                _ => continue,
            };
            outcome.unwrap();
            *step = new;
        }
        setup.launch(&exec, &changed, &mut memory);
        drop((graph, copy));
        setup.launch(&exec, &changed, &mut memory);
    }
}

//! Timelines: what the host asked for and when the device did it, in a file that Perfetto opens.

use super::{Operation, RECORDING};
use crate::{Device, Error, ErrorKind, Event, Result, Runtime, Stream, StreamFlags};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// More operations than these are counted, but not kept: each holds two events of the runtime.
const LIMIT: usize = 1 << 15;

/// What is being recorded.
pub(super) struct Recorder {
    begin: Instant,
    /// Per device: an event, and when it was reached.
    anchors: BTreeMap<usize, (Event, Duration)>,
    operations: Vec<Recorded>,
    spans: Vec<TraceSpan>,
    lost: usize,
}

struct Recorded {
    operation: Operation,
    device: Device,
    stream: u64,
    thread: u64,
    asked: Duration,
    answered: Duration,
    start: Event,
    stop: Event,
}

/// The beginning of an operation.
pub(super) struct Started {
    asked: Duration,
    start: Event,
}

impl Recorder {
    /// Marks the beginning of an operation on the stream. None when there is no room, or no event.
    pub(super) fn before(&mut self, stream: &Stream) -> Option<Started> {
        let start = Event::new(stream.device()).and_then(|start| start.record(stream).map(|()| start));
        match start {
            Ok(start) if self.operations.len() < LIMIT => {
                Some(Started { asked: self.begin.elapsed(), start })
            }
            _ => {
                self.lost += 1;
                None
            }
        }
    }

    pub(super) fn after(&mut self, stream: &Stream, operation: Operation, started: Started) {
        let answered = self.begin.elapsed();
        let stop = Event::new(stream.device()).and_then(|stop| stop.record(stream).map(|()| stop));
        let (Ok(stop), Started { asked, start }) = (stop, started) else {
            self.lost += 1;
            return;
        };
        let (device, thread) = (stream.device(), thread());
        let stream = stream.shared().id();
        self.operations.push(Recorded { operation, device, stream, thread, asked, answered, start, stop });
    }
}

/// A small number for this thread.
fn thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! { static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed); }
    NUMBER.with(|number| *number)
}

/// A recording of everything that a runtime is asked to do: kernels, copies, fills and graphs, as the host and as the
/// device sees them. The device's times come from events around each operation, so recording keeps neighbouring operations
/// of a stream from running into each other.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let timeline = hip::Timeline::start(device.runtime())?;
/// let buffer = {
///     let _span = timeline.span("set-up");
///     hip::DeviceBuffer::<f32>::zeroed(&stream, 1 << 20)?
/// };
/// timeline.finish()?.save("trace.json")?;
/// # Ok::<(), hip::Error>(())
/// ```
///
/// The file is in Chrome's trace format, which <https://ui.perfetto.dev> opens: a process for the host with its threads, and
/// one for each device with its streams.
#[derive(Debug)]
#[must_use = "it records until it is finished or dropped"]
pub struct Timeline {
    runtime: Runtime,
    finished: bool,
}

impl Timeline {
    /// Starts recording. A runtime records one timeline at a time.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] while another one is recorded, or the failure of a call.
    pub fn start(runtime: Runtime) -> Result<Self> {
        let observers = &runtime.shared().observers;
        let begin = Instant::now();
        let mut anchors = BTreeMap::new();
        for device in runtime.devices()? {
            let stream = Stream::with_flags(device, StreamFlags::new().non_blocking(true))?;
            let anchor = Event::new(device)?;
            anchor.record(&stream)?;
            anchor.synchronize()?;
            anchors.insert(device.ordinal(), (anchor, begin.elapsed()));
        }
        let mut recorder = observers.lock();
        if recorder.is_some() {
            return Err(Error::new(ErrorKind::Busy, "a timeline of this runtime is being recorded already"));
        }
        *recorder = Some(Recorder { begin, anchors, operations: Vec::new(), spans: Vec::new(), lost: 0 });
        observers.active.fetch_or(RECORDING, Ordering::Relaxed);
        Ok(Self { runtime, finished: false })
    }

    /// A span of the host's own, from now until the guard is dropped.
    pub fn span(&self, name: impl Into<String>) -> Span<'_> {
        Span { timeline: self, name: name.into(), begin: Instant::now() }
    }

    /// Stops recording, and waits for the operations that are still on their way.
    ///
    /// # Errors
    /// The failure of a call, or of the work.
    pub fn finish(mut self) -> Result<Trace> {
        let Some(recorder) = self.stop() else { return Ok(Trace::default()) };
        let mut trace = Trace { spans: recorder.spans, processes: Vec::new(), lost: recorder.lost };
        trace.processes.push((0, "host".to_owned()));
        for device in self.runtime.devices()? {
            let name = format!("device {}: {}, {}", device.ordinal(), device.name()?, device.arch()?);
            trace.processes.push((device.ordinal() + 1, name));
        }
        for recorded in recorder.operations {
            let Recorded { operation, device, stream, thread, asked, answered, start, stop } = recorded;
            stop.synchronize()?;
            let Some((anchor, zero)) = recorder.anchors.get(&device.ordinal()) else { continue };
            let begin = *zero + anchor.elapsed_until(&start)?;
            let duration = start.elapsed_until(&stop)?;
            let span = |process, track, begin, duration| TraceSpan {
                name: operation.name.clone(),
                kind: operation.kind,
                process,
                track,
                begin,
                duration,
                details: operation.details.clone(),
            };
            trace.spans.push(span(0, thread, asked, answered.saturating_sub(asked)));
            trace.spans.push(span(device.ordinal() + 1, stream, begin, duration));
        }
        Ok(trace)
    }

    fn stop(&mut self) -> Option<Recorder> {
        if std::mem::replace(&mut self.finished, true) {
            return None;
        }
        let observers = &self.runtime.shared().observers;
        observers.active.fetch_and(!RECORDING, Ordering::Relaxed);
        observers.lock().take()
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

/// A span of the host's: see [`Timeline::span`].
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let timeline = hip::Timeline::start(device.runtime())?;
/// {
///     let _span: hip::Span<'_> = timeline.span("reading the input");
///     // …
/// }
/// timeline.finish()?.save("trace.json")?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Debug)]
pub struct Span<'a> {
    timeline: &'a Timeline,
    name: String,
    begin: Instant,
}

impl Drop for Span<'_> {
    fn drop(&mut self) {
        let observers = &self.timeline.runtime.shared().observers;
        let mut recorder = observers.lock();
        let Some(recorder) = recorder.as_mut() else { return };
        if recorder.spans.len() >= LIMIT {
            recorder.lost += 1;
            return;
        }
        recorder.spans.push(TraceSpan {
            name: std::mem::take(&mut self.name),
            kind: "span",
            process: 0,
            track: thread(),
            begin: self.begin.saturating_duration_since(recorder.begin),
            duration: self.begin.elapsed(),
            details: Vec::new(),
        });
    }
}

/// A finished recording.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let timeline = hip::Timeline::start(device.runtime())?;
/// // …
/// let trace: hip::Trace = timeline.finish()?;
/// println!("{} spans, {} operations too many", trace.spans().len(), trace.lost());
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Trace {
    spans: Vec<TraceSpan>,
    processes: Vec<(usize, String)>,
    lost: usize,
}

/// One bar of a timeline.
///
/// ```
/// # let trace = hip::Trace::default();
/// for span in trace.spans().iter().filter(|span| span.kind == "kernel" && span.process != 0) {
///     println!("{} took {:?} on device {}", span.name, span.duration, span.process - 1);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TraceSpan {
    /// A kernel's name, the direction of a copy, or what [`Timeline::span`] was given.
    pub name: String,
    /// `kernel`, `copy`, `fill`, `graph`, or `span` for the host's own.
    pub kind: &'static str,
    /// 0 for the host, 1 and up for the devices.
    pub process: usize,
    /// The host's thread, or the device's stream.
    pub track: u64,
    /// From the start of the recording.
    pub begin: Duration,
    /// How long it took.
    pub duration: Duration,
    /// Extents and sizes.
    pub details: Vec<(&'static str, String)>,
}

impl Trace {
    /// Every span. An operation has two: one of the host's, which gives it to the device, and one of the device's.
    pub fn spans(&self) -> &[TraceSpan] {
        &self.spans
    }

    /// Operations that were not recorded, as there were too many.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// The trace in Chrome's format (JSON).
    pub fn to_json(&self) -> String {
        let mut json = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
        for (process, name) in &self.processes {
            let _ = writeln!(
                json,
                "{{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{process},\"args\":{{\"name\":{}}}}},",
                Quoted(name)
            );
        }
        for span in &self.spans {
            let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
            let _ = write!(
                json,
                "{{\"ph\":\"X\",\"name\":{},\"cat\":\"{}\",\"pid\":{},\"tid\":{},\"ts\":{:.3},\"dur\":{:.3},\"args\":{{",
                Quoted(&span.name),
                span.kind,
                span.process,
                span.track,
                micros(span.begin),
                micros(span.duration)
            );
            for (index, (name, value)) in span.details.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let _ = write!(json, "{comma}{}:{}", Quoted(name), Quoted(value));
            }
            json.push_str("}},\n");
        }
        // The format allows no comma at the end.
        json.truncate(json.trim_end_matches(",\n").len());
        json.push_str("]}\n");
        json
    }

    /// Writes the trace in Chrome's format.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, mut to: impl io::Write) -> io::Result<()> {
        to.write_all(self.to_json().as_bytes())
    }

    /// Writes the trace to a file, for <https://ui.perfetto.dev>.
    ///
    /// # Errors
    /// [`ErrorKind::File`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_json())
            .map_err(|error| Error::new(ErrorKind::File, format!("cannot write {}: {error}", path.display())))
    }
}

/// A string as JSON writes it.
struct Quoted<'a>(&'a str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

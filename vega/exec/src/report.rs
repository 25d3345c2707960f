//! How a dispatch ended.

use std::fmt;

use std::time::Duration;

use vega_isa::Registers;

use crate::memory::GuestFault;
use crate::observe::Schedule;

/// How a dispatch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every wave reached `s_endpgm`.
    Done,
    /// The [`CancelToken`](crate::CancelToken) was set. Some workgroups may have run.
    Canceled,
    /// A wave faulted; the others were stopped at their next yield. Memory holds whatever was written.
    Fault(Box<FaultReport>),
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An access (a fetch too) that the page table does not allow.
    Memory(GuestFault),
    /// The words at the PC are no instruction of gfx900, or one that no compute kernel may use.
    IllegalInstruction {
        /// Why, in a few words.
        reason: &'static str,
    },
    /// `s_trap` with this number. 2 is what `abort()` and device asserts use (LLVM AMDGPUUsage, "Trap
    /// Handler ABI").
    Trap(u8),
    /// An access beyond the workgroup's LDS, where [`Observe::check_lds`](crate::observe::Observe::check_lds) asks for
    /// such faults; the card lets it pass.
    BeyondLds {
        /// The element's offset in LDS.
        offset: u64,
        /// Bytes of LDS that the workgroup has.
        bytes: u32,
    },
    /// The dispatch ran for longer than [`EngineConfig::watchdog`](crate::EngineConfig::watchdog) allows.
    Watchdog {
        /// How long a dispatch may run.
        limit: Duration,
    },
    /// The dispatch asks for what the card or the queue does not have.
    Resources {
        /// Which one, in a few words.
        reason: &'static str,
    },
}

/// Registers that the faulting instruction names, and what was in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterValues {
    /// Which ones.
    pub registers: Registers,
    /// The values: a scalar register's, or a vector register's in the lane of the report.
    pub values: Vec<u32>,
}

/// Waves that are at the same instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// GPU address of the instruction that comes next.
    pub pc: u64,
    /// How they wait there.
    pub state: WaveState,
    /// How many.
    pub waves: u32,
}

/// What a wave that has not ended does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaveState {
    /// It runs.
    Running,
    /// It sleeps for a while (`s_sleep`).
    Sleeping,
    /// It waits at a barrier for the other waves of its workgroup.
    AtBarrier,
}

impl fmt::Display for WaveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Sleeping => "sleeping",
            Self::AtBarrier => "at a barrier",
        })
    }
}

/// Where and how a wave faulted, in terms that need no knowledge of the kernel's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// What went wrong.
    pub kind: FaultKind,
    /// GPU address of the instruction.
    pub pc: u64,
    /// The instruction words at `pc`, as many as could be read (at most 5).
    pub words: Vec<u32>,
    /// Workgroup id in x, y and z.
    pub workgroup: [u32; 3],
    /// The wave's number in its workgroup.
    pub wave: u32,
    /// The lane, where one is to blame.
    pub lane: Option<u32>,
    /// The EXEC mask at the instruction.
    pub exec: u64,
    /// What the instruction reads: its address registers first of all. Vector registers in `lane`, or in the
    /// first active lane where none is to blame. Where there is no code: `s[30:31]`, the return address.
    pub registers: Vec<RegisterValues>,
    /// Where the waves are that the reporting thread has under way, the most frequent first; only for
    /// [`FaultKind::Watchdog`].
    pub positions: Vec<Position>,
    /// The schedule that repeats it.
    pub schedule: Option<Schedule>,
}

impl FaultReport {
    /// The faulting address, if the fault was an access to memory.
    pub fn address(&self) -> Option<u64> {
        match self.kind {
            FaultKind::Memory(fault) => Some(fault.va),
            _ => None,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(fault) => write!(f, "memory fault: {fault}"),
            Self::IllegalInstruction { reason } => write!(f, "illegal instruction: {reason}"),
            Self::Trap(n) => write!(f, "trap {n}"),
            Self::BeyondLds { offset, bytes } => {
                write!(f, "access to byte {offset:#x} of LDS, beyond its {bytes:#x} bytes")
            }
            Self::Watchdog { limit } => write!(f, "the kernel has run for more than {limit:?}"),
            Self::Resources { reason } => write!(f, "resources: {reason}"),
        }
    }
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.workgroup;
        write!(f, "{} in workgroup ({x}, {y}, {z}), wave {}", self.kind, self.wave)?;
        if let Some(lane) = self.lane {
            write!(f, ", lane {lane}")?;
        }
        write!(f, ", at pc {:#x}", self.pc)?;
        if !self.words.is_empty() {
            write!(f, ":")?;
        }
        for word in self.words.iter().take(2) {
            write!(f, " {word:08x}")?;
        }
        write!(f, " (exec {:#018x})", self.exec)
    }
}

//! What went wrong: which call, with which arguments, on which device.

use crate::Version;
use hip_sys::hipError_t;
use std::fmt;

/// The result of everything in this crate.
///
/// ```
/// fn devices() -> hip::Result<usize> {
///     hip::Runtime::load()?.device_count()
/// }
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A status code of the HIP runtime (`hipError_t`). Codes that this crate has no name for are kept as they are.
///
/// ```
/// use hip::ErrorCode;
/// assert_eq!(ErrorCode(2), ErrorCode::OUT_OF_MEMORY);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ErrorCode(pub u32);

/// The codes that mean something to this crate, and whether such an error may stem from earlier asynchronous work.
macro_rules! codes {
    ($($constant:ident = $value:literal $name:literal $asynchronous:literal;)+) => {
        impl ErrorCode {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Self = Self($value);)+

            /// The enumerator's name in hip_runtime_api.h, for the codes that this crate tells apart. An [`Error`]'s text has
            /// what the runtime says of any code.
            #[doc(alias = "hipGetErrorName")]
            #[doc(alias = "hipGetErrorString")]
            #[doc(alias = "hipDrvGetErrorName")]
            #[doc(alias = "hipDrvGetErrorString")]
            pub fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some($name),)+ _ => None }
            }

            /// Whether the code can report a failure of work that was enqueued before the call that returned it.
            pub fn may_be_asynchronous(self) -> bool {
                match self.0 { $($value => $asynchronous,)+ _ => false }
            }
        }
    };
}

codes! {
    SUCCESS = 0 "hipSuccess" false;
    INVALID_VALUE = 1 "hipErrorInvalidValue" false;
    OUT_OF_MEMORY = 2 "hipErrorOutOfMemory" false;
    NOT_INITIALIZED = 3 "hipErrorNotInitialized" false;
    DEINITIALIZED = 4 "hipErrorDeinitialized" false;
    INVALID_CONFIGURATION = 9 "hipErrorInvalidConfiguration" false;
    INVALID_DEVICE_POINTER = 17 "hipErrorInvalidDevicePointer" false;
    INVALID_MEMCPY_DIRECTION = 21 "hipErrorInvalidMemcpyDirection" false;
    INVALID_DEVICE_FUNCTION = 98 "hipErrorInvalidDeviceFunction" false;
    NO_DEVICE = 100 "hipErrorNoDevice" false;
    INVALID_DEVICE = 101 "hipErrorInvalidDevice" false;
    INVALID_IMAGE = 200 "hipErrorInvalidImage" false;
    INVALID_CONTEXT = 201 "hipErrorInvalidContext" false;
    NO_BINARY_FOR_GPU = 209 "hipErrorNoBinaryForGpu" false;
    ECC_NOT_CORRECTABLE = 214 "hipErrorECCNotCorrectable" true;
    SHARED_OBJECT_INIT_FAILED = 303 "hipErrorSharedObjectInitFailed" false;
    INVALID_HANDLE = 400 "hipErrorInvalidHandle" false;
    NOT_FOUND = 500 "hipErrorNotFound" false;
    NOT_READY = 600 "hipErrorNotReady" false;
    ILLEGAL_ADDRESS = 700 "hipErrorIllegalAddress" true;
    LAUNCH_OUT_OF_RESOURCES = 701 "hipErrorLaunchOutOfResources" false;
    LAUNCH_TIME_OUT = 702 "hipErrorLaunchTimeOut" true;
    PEER_ACCESS_ALREADY_ENABLED = 704 "hipErrorPeerAccessAlreadyEnabled" false;
    PEER_ACCESS_NOT_ENABLED = 705 "hipErrorPeerAccessNotEnabled" false;
    ASSERT = 710 "hipErrorAssert" true;
    LAUNCH_FAILURE = 719 "hipErrorLaunchFailure" true;
    NOT_SUPPORTED = 801 "hipErrorNotSupported" false;
    UNKNOWN = 999 "hipErrorUnknown" true;
    RUNTIME_MEMORY = 1052 "hipErrorRuntimeMemory" false;
    RUNTIME_OTHER = 1053 "hipErrorRuntimeOther" true;
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "hipError_t({})", self.0),
        }
    }
}

impl From<hipError_t> for ErrorCode {
    fn from(raw: hipError_t) -> Self {
        Self(raw.0)
    }
}

/// What kind of failure an [`Error`] is: what a program can tell apart and act on.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::ErrorKind;
/// match hip::DeviceBuffer::<f32>::uninit(device, 1 << 40) {
///     Err(error) if matches!(error.kind(), ErrorKind::OutOfMemory { .. }) => println!("in smaller pieces, then"),
///     other => drop(other?),
/// }
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No HIP runtime could be loaded. The message lists what was tried.
    RuntimeNotFound,
    /// The loaded runtime does not export a function.
    Unsupported {
        /// The function's C name.
        symbol: &'static str,
        /// The runtime's version.
        runtime: Version,
    },
    /// There is no device that HIP can use.
    NoDevice,
    /// There is no device of that number.
    InvalidDevice {
        /// The number that was asked for.
        ordinal: usize,
        /// How many devices there are.
        count: usize,
    },
    /// The device, or the host for pinned memory, has not that much memory left.
    OutOfMemory {
        /// Bytes that were asked for.
        requested: usize,
    },
    /// A length or size does not fit into the address space.
    Overflow,
    /// Two lengths that must agree do not, or a range reaches beyond a buffer.
    Length {
        /// Elements that were needed.
        expected: usize,
        /// Elements that there are.
        actual: usize,
    },
    /// An object of one device was used with a stream of another.
    WrongDevice {
        /// The device of the stream.
        expected: usize,
        /// The device of the object.
        actual: usize,
    },
    /// The bytes are no code object, or a damaged one.
    InvalidCodeObject,
    /// The code objects are for other devices.
    NoCodeObject {
        /// The device's target id.
        device: String,
        /// The target ids that there is code for.
        available: Vec<String>,
    },
    /// The module has no kernel of that name.
    UnknownKernel {
        /// The name.
        name: String,
        /// The names that the module does have.
        available: Vec<String>,
    },
    /// The module has no variable of that name.
    UnknownGlobal {
        /// The name.
        name: String,
    },
    /// The memory cannot be shared with other processes.
    Unshareable,
    /// A kernel's parameters are not those of its signature.
    Signature,
    /// The launch exceeds a limit of the kernel or of the device.
    InvalidLaunch,
    /// [`Vouched::check`](crate::Vouched::check) refused the launch.
    Refused {
        /// The reason it gave.
        reason: &'static str,
    },
    /// An event has not been reached yet, so there is no time to tell.
    NotReady,
    /// Work on the device failed; the device or the process may not be usable any more.
    DeviceFailure,
    /// A source does not compile ([`rtc`](crate::rtc)).
    Compilation {
        /// What the compiler said.
        log: String,
    },
    /// The stream is captured into a graph, in which the operation cannot be.
    Capturing,
    /// A node was used with a graph that it is not of.
    ForeignNode,
    /// A node does something else than what its parameters are for.
    WrongNode,
    /// A node of a graph would come after itself.
    Cycle,
    /// A graph cannot own the memory, as the host may touch it at any time.
    NotOwnable,
    /// A graph cannot be updated by one of another shape.
    GraphChanged,
    /// Something is in use that can be used once at a time.
    Busy,
    /// A texture cannot be read that way: the message says why.
    Texture,
    /// The thread is inside a function that a stream called ([`Stream::call`](crate::Stream::call)), where HIP cannot be
    /// used.
    InCallback,
    /// A file could not be read or written.
    File,
    /// Any other status of a HIP call: see [`Error::code`].
    Hip,
}

/// A failed call: its arguments and its device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    name: &'static str,
    arguments: Vec<(&'static str, String)>,
    device: Option<i32>,
}

impl Call {
    #[cold]
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    pub(crate) fn arg(mut self, name: &'static str, value: impl fmt::Debug) -> Self {
        self.arguments.push((name, format!("{value:?}")));
        self
    }

    pub(crate) fn on(mut self, device: i32) -> Self {
        self.device = Some(device);
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (index, (name, value)) in self.arguments.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {value}")?;
        }
        f.write_str(")")?;
        match self.device {
            Some(device) => write!(f, " on device {device}"),
            None => Ok(()),
        }
    }
}

/// Why something failed.
///
/// One pointer wide, so that a `Result<()>` costs a register; its text is made when the failure happens.
///
/// ```
/// # use hip::{Error, ErrorKind};
/// # fn handle(error: Error) {
/// match error.kind() {
///     ErrorKind::OutOfMemory { requested } => eprintln!("{requested} bytes are too many"),
///     _ => eprintln!("{error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Details>);

// A Result<()> of a launch is one register.
const _: () = assert!(size_of::<Error>() == size_of::<usize>());

#[derive(Clone, Debug)]
struct Details {
    kind: ErrorKind,
    code: Option<ErrorCode>,
    call: Option<Call>,
    message: String,
    /// The operation that failed, where launch-blocking mode found it.
    cause: Option<String>,
}

impl Error {
    /// A failure that this crate found itself, before any HIP call.
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Details { kind, code: None, call: None, message: message.into(), cause: None }))
    }

    /// A failed HIP call, with the runtime's own name and text for the code.
    #[cold]
    pub(crate) fn hip(kind: ErrorKind, code: ErrorCode, call: Call, message: String) -> Self {
        Self(Box::new(Details { kind, code: Some(code), call: Some(call), message, cause: None }))
    }

    /// A failed call that has no `hipError_t` to tell.
    #[cold]
    pub(crate) fn failed(kind: ErrorKind, call: Call, message: String) -> Self {
        Self(Box::new(Details { kind, code: None, call: Some(call), message, cause: None }))
    }

    /// The same failure, with what the runtime logged.
    #[cold]
    pub(crate) fn with_log(mut self, log: &str) -> Self {
        if !log.trim().is_empty() {
            self.0.message = format!("{}: {}", self.0.message, log.trim());
        }
        self
    }

    /// The same failure, of an operation that was waited for alone.
    #[cold]
    pub(crate) fn blamed(mut self, operation: &crate::observe::Operation) -> Self {
        self.0.cause = Some(operation.to_string());
        self
    }

    /// A HIP call that the runtime does not have.
    #[cold]
    pub(crate) fn unsupported(call: Call, runtime: Version) -> Self {
        let symbol = call.name();
        let message = format!("the loaded HIP runtime ({runtime}) has no {symbol}");
        let kind = ErrorKind::Unsupported { symbol, runtime };
        Self(Box::new(Details { kind, code: None, call: Some(call), message, cause: None }))
    }

    #[cold]
    pub(crate) fn length(what: &str, expected: usize, actual: usize) -> Self {
        let message = format!("{what}: {expected} elements are needed, there are {actual}");
        Self::new(ErrorKind::Length { expected, actual }, message)
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The status that HIP returned, if a HIP call failed.
    pub fn code(&self) -> Option<ErrorCode> {
        self.0.code
    }

    /// The C name of the HIP function that failed, if one did.
    pub fn call(&self) -> Option<&'static str> {
        self.0.call.as_ref().map(|call| call.name)
    }

    /// The number of the device that the failed call concerned, if it concerned one.
    pub fn device(&self) -> Option<usize> {
        let ordinal = self.0.call.as_ref().and_then(|call| call.device)?;
        usize::try_from(ordinal).ok()
    }

    /// Whether the cause may be earlier asynchronous work (a kernel that faulted, say) rather than the call named here.
    pub fn may_be_asynchronous(&self) -> bool {
        self.0.cause.is_none() && self.0.code.is_some_and(ErrorCode::may_be_asynchronous)
    }

    /// The operation that failed, with a kernel's name, its grid and its workgroup, where launch-blocking mode found it: see
    /// [`Runtime::set_launch_blocking`](crate::Runtime::set_launch_blocking).
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { call, message, .. } = &*self.0;
        match call {
            Some(call) => write!(f, "{call} failed: {message}")?,
            None => f.write_str(message)?,
        }
        if let Some(cause) = self.cause() {
            write!(f, " (it is {cause} that failed)")?;
        } else if self.may_be_asynchronous() {
            f.write_str(
                " (the cause may be work that was enqueued earlier: HIP_RS_LAUNCH_BLOCKING=1 names it)",
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// The message, and the kind: what `fn main() -> hip::Result<()>` prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.0.kind)
    }
}

impl std::error::Error for Error {}

/// The kind that a status code stands for, when the call does not say anything more precise.
pub(crate) fn kind_of(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::NO_DEVICE => ErrorKind::NoDevice,
        ErrorCode::NOT_READY => ErrorKind::NotReady,
        ErrorCode::INVALID_CONFIGURATION => ErrorKind::InvalidLaunch,
        code if code.may_be_asynchronous() => ErrorKind::DeviceFailure,
        _ => ErrorKind::Hip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_call_arguments_and_device() {
        let call = Call::new("hipMalloc").arg("size", 64).on(1);
        let error = Error::hip(ErrorKind::Hip, ErrorCode(1), call, "hipErrorInvalidValue (1)".to_owned());
        assert_eq!(error.to_string(), "hipMalloc(size: 64) on device 1 failed: hipErrorInvalidValue (1)");
        assert_eq!((error.call(), error.device()), (Some("hipMalloc"), Some(1)));
    }

    #[test]
    fn asynchronous_causes_are_flagged() {
        let error = Error::hip(kind_of(ErrorCode(700)), ErrorCode(700), Call::new("hipFree"), String::new());
        assert!(error.to_string().contains("earlier"));
        assert_eq!(error.kind(), &ErrorKind::DeviceFailure);
    }

    #[test]
    fn unknown_codes_are_kept() {
        assert_eq!(format!("{:?}", ErrorCode(4242)), "hipError_t(4242)");
        assert_eq!(kind_of(ErrorCode(4242)), ErrorKind::Hip);
    }
}

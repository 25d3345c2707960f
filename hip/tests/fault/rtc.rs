//! The run-time compiler: every call that fails, and every function that is not there.

use crate::SAXPY;
use crate::fake::{Config, Fake, reports};
use hip::ErrorKind;
use hip::fault::RTC_NAMES;
use hip::rtc::{Compiled, Program};

fn fake(config: Config) -> Fake {
    let fake = Fake::new(config);
    fake.compiler(|source| match source {
        "good" => Ok(SAXPY.to_vec()),
        other => Err(format!("error: unknown type name '{other}'")),
    });
    fake
}

fn compile(fake: &Fake, source: &str) -> hip::Result<Compiled> {
    let runtime = fake.runtime();
    let reports = reports(runtime);
    let device = runtime.device(0)?;
    let compiled = Program::new("saxpy.hip", source).name_expression("saxpy").compile(device)?;
    assert!(reports.lock().unwrap().iter().all(|it| it.starts_with("hiprtcDestroyProgram(")), "{reports:?}");
    hip::rtc::version(device.runtime())?;
    compiled.load(device)?.function(compiled.lowered_name("saxpy")?)?;
    Ok(compiled)
}

#[test]
fn the_log_is_in_the_error() {
    let fake = fake(Config::default());
    assert_eq!(compile(&fake, "good").unwrap().code(), SAXPY);
    let error = compile(&fake, "bad").unwrap_err();
    let log = "error: unknown type name 'bad'".to_owned();
    assert_eq!(error.kind(), &ErrorKind::Compilation { log });
    assert!(
        error.to_string().contains("saxpy.hip does not compile:\nerror: unknown type name 'bad'"),
        "{error}"
    );
    assert_eq!(fake.count("hiprtcCreateProgram"), fake.count("hiprtcDestroyProgram"));
}

#[test]
fn every_failing_call_is_named_and_every_program_destroyed() {
    let of_rtc = RTC_NAMES.iter();
    for name in of_rtc.clone().filter(|&&name| name != "hiprtcDestroyProgram") {
        let fake = fake(Config::default());
        fake.fail(name, 0, 11);
        // The log is asked for its size first, and there is one only when the source is bad.
        let source = if *name == "hiprtcGetProgramLog" { "bad" } else { "good" };
        let error = compile(&fake, source).expect_err(name);
        assert_eq!((error.call(), error.code()), (Some(*name), None));
        assert!(error.to_string().contains("(11)"), "{error}");
        let made = fake.count("hiprtcCreateProgram") - usize::from(*name == "hiprtcCreateProgram");
        assert_eq!(made, fake.count("hiprtcDestroyProgram"), "{name}");
        fake.heal(name);
        compile(&fake, "good").unwrap();
    }
    for name in of_rtc {
        let missing = vec![*name, "hipGetDevicePropertiesR0600"];
        let fake = fake(Config { missing, ..Config::default() });
        let source = if *name == "hiprtcGetProgramLog" { "bad" } else { "good" };
        match compile(&fake, source) {
            Ok(_) => assert_eq!(*name, "hiprtcDestroyProgram"),
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::Unsupported { symbol, .. } if symbol == name),
                    "{error}"
                );
            }
        }
    }
}

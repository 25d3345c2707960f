//! Programs that the wrapper makes impossible, and what the compiler says to them.

#[test]
fn unsound_programs_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

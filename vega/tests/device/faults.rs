//! What goes wrong on the card, what the reports say of it, and how to find out more: `faulty.hip`.

use std::os::unix::process::ExitStatusExt;

use crate::harness::{Run, on_card, source};
use crate::{HIDDEN, SKIPPED};

/// The line of `faulty.hip` with this mark, counted from 1.
fn marked(mark: &str) -> usize {
    let text = std::fs::read_to_string(source("faulty")).expect("the source");
    let found: Vec<usize> =
        text.lines().enumerate().filter(|(_, line)| line.ends_with(mark)).map(|(at, _)| at + 1).collect();
    assert_eq!(found.len(), 1, "one line has the mark {mark}");
    found[0]
}

fn faulty(what: &str, variables: &[(&str, &str)]) -> Run {
    on_card("faulty", &[what], variables)
}

#[track_caller]
fn says(run: &Run, texts: &[&str]) {
    for text in texts {
        assert!(run.stderr.contains(text), "{text:?} is not in\n{}", run.stderr);
    }
}

/// Runs what must abort after a report; and that it does nothing of the kind where nothing is executed.
#[track_caller]
fn aborts(what: &str, variables: &[(&str, &str)], texts: &[&str]) -> Run {
    faulty(what, &[HIDDEN]).fails();
    let skipped = faulty(what, &[variables, &[SKIPPED]].concat());
    assert!(!skipped.stderr.contains("in a kernel") && !skipped.status.success(), "{}", skipped.stderr);
    let run = faulty(what, variables);
    assert_eq!(run.status.signal(), Some(libc::SIGABRT), "{}\n{}", run.status, run.stderr);
    says(&run, texts);
    run
}

/// The line of the report that is marked as the instruction at fault.
#[track_caller]
fn instruction(run: &Run, mnemonic: &str) {
    let line = run.stderr.lines().find(|line| line.contains("=> 0x")).expect("a marked instruction");
    assert!(line.contains(mnemonic), "{mnemonic} is not in {line}");
}

#[test]
fn a_wild_store_is_told_with_its_lane_its_registers_and_its_source_line() {
    let (line, caller) = (marked("// at fault: store"), marked("// calls: store"));
    let run = aborts(
        "store",
        &[],
        &[
            "memory fault in a kernel",
            "kernel      void store<double>(double*, unsigned long)",
            "grid (512, 3, 1), workgroups of (128, 1, 1)",
            "workgroup   (2, 1, 0)",
            "wave        1, exec 0xffffffffffffffff",
            "lane        5, work-item (69, 0, 0)",
            "write: nothing is mapped there",
            &format!("faulty.hip:{line}:12 in void put<double>(double*, double)"),
            "*where = value;",
            &format!("faulty.hip:{caller}:5 in void store<double>(double*, unsigned long)"),
            "s_endpgm",
        ],
    );
    instruction(&run, "global_store_dwordx2 v[");
    // The address registers hold the address.
    let value = |start: &str| {
        let at = run.stderr.find(start).expect("it is there") + start.len();
        run.stderr[at..].split(['\n', ',']).next().expect("a text").to_owned()
    };
    let registers = value("registers   ");
    let address = value("address     ");
    assert!(
        registers.starts_with("v[") && registers.ends_with(&format!("= {address}")),
        "{registers}, {address}"
    );
    let report = run.stderr.find("vega: memory fault").expect("it is there");
    assert!(report < run.stderr.find("Memory access fault by GPU").expect("the runtime's own"));
}

#[test]
fn compressed_debug_information_is_read() {
    let run = on_card("faulty-compressed", &["store"], &[]);
    let line = marked("// at fault: store");
    says(&run, &[&format!("faulty.hip:{line}:12 in void put<double>(double*, double)"), "*where = value;"]);
    assert!(!on_card("faulty-compressed", &["store"], &[SKIPPED]).stderr.contains("in a kernel"));
}

#[test]
fn a_misaligned_atomic_is_a_queue_error() {
    let line = marked("// at fault: misaligned");
    let run = aborts(
        "misaligned",
        &[],
        &[
            "misaligned access in a kernel",
            "kernel      misaligned(unsigned int*)",
            "atomic: not a multiple of the operation's size",
            &format!("faulty.hip:{line}"),
            "HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION",
        ],
    );
    instruction(&run, "_atomic_add");
}

#[test]
fn lds_out_of_range_reads_zero_and_is_a_fault_if_asked_for() {
    faulty("lds", &[]).ok();
    faulty("lds", &[SKIPPED]).fails();
    let line = marked("// at fault: lds");
    let run = aborts(
        "lds",
        &[("VEGA_CHECK", "lds")],
        &[
            "access beyond LDS in a kernel",
            "kernel      neighbours(float*, int)",
            "lane        56, work-item (56, 0, 0)",
            "lds         byte 0x100; the workgroup has 0x100 bytes",
            &format!("faulty.hip:{line}"),
        ],
    );
    instruction(&run, "ds_read_b32");
}

#[test]
fn an_illegal_instruction_is_shown_as_it_is() {
    let line = marked("// at fault: illegal");
    let run = aborts(
        "illegal",
        &[],
        &[
            "illegal instruction in a kernel: no gfx900 instruction is encoded so",
            "kernel      illegal()",
            "workgroup   (0, 0, 0)",
            &format!("faulty.hip:{line}"),
            "HSA_STATUS_ERROR_ILLEGAL_INSTRUCTION",
        ],
    );
    instruction(&run, "bfff0000");
}

#[test]
fn a_stack_that_is_full_is_told_with_its_size() {
    let run = aborts(
        "bottomless",
        &[],
        &[
            "stack overflow in a kernel",
            "kernel      bottomless(int volatile*)",
            "beyond the wave's part of scratch memory",
            "bytes for each lane",
            "in deeper(int volatile*, int)",
        ],
    );
    instruction(&run, "buffer_store_dword");
}

#[test]
fn a_call_through_a_null_pointer_is_told_with_its_caller() {
    let line = marked("// at fault: call");
    let run = aborts(
        "call",
        &[],
        &[
            "memory fault in a kernel",
            "kernel      call(int*, int)",
            "address     0x0, instruction fetch: null pointer",
            "caller      0x",
            &format!("faulty.hip:{line}"),
        ],
    );
    instruction(&run, "s_swappc_b64 s[30:31]");
}

#[test]
fn the_watchdog_tells_where_a_kernel_is_that_does_not_end() {
    aborts(
        "forever",
        &[("VEGA_WATCHDOG", "0.3")],
        &[
            "in a kernel that has run for more than 0.3 s: the watchdog ends it",
            "kernel      forever(int volatile*)",
            "workgroups of (256, 1, 1)",
            "in forever(int volatile*)",
            "    => 0x",
            "waves       ",
        ],
    );
    // Whatever ends in time is left alone.
    faulty("", &[("VEGA_WATCHDOG", "60")]).ok();
}

/// The value behind a text, up to the end of the line.
#[track_caller]
fn value<'a>(text: &'a str, start: &str) -> &'a str {
    let at = text.find(start).unwrap_or_else(|| panic!("{start:?} is not in\n{text}"));
    text[at + start.len()..].lines().next().unwrap_or_default()
}

#[test]
fn a_random_schedule_shows_a_race_and_repeats_it() {
    faulty("race", &[HIDDEN]).fails();
    faulty("race", &[SKIPPED]).fails();
    let run = |schedule: &str| {
        let run = faulty("race", &[("VEGA_SCHEDULE", schedule), ("VEGA_STATS", "1")]).ok();
        let sum: u32 = value(&run.stdout, "sum ").parse().expect("a number");
        let hash = value(&run.stderr, "trace hash ").to_owned();
        let names_itself = run.stderr.contains(&format!("VEGA_SCHEDULE={schedule} repeats it"));
        assert_eq!(names_itself, schedule.starts_with("random"), "{}", run.stderr);
        (sum, hash)
    };
    let all = 8 * 100;
    let (first, second) = (run("random:1"), run("random:2"));
    assert_eq!(first, run("random:1"));
    assert_ne!(first.1, second.1);
    assert!(first.0 < all && second.0 < all, "updates are lost: {first:?} {second:?}");
    // An orderly run hides it.
    assert_eq!(run("fixed").0, all);
    assert_eq!(run("fixed"), run("fixed"));
}

#[test]
fn a_fault_in_a_schedule_names_the_seed() {
    let run = faulty("store", &[("VEGA_SCHEDULE", "random:5")]);
    says(&run, &["schedule    random:5: VEGA_SCHEDULE=random:5 repeats it", "lane        5,"]);
}

#[test]
fn programs_compute_in_every_schedule() {
    for schedule in ["fixed", "random:1", "random:2"] {
        for program in ["saxpy", "streams"] {
            on_card(program, &[], &[("VEGA_SCHEDULE", schedule)]).ok();
            on_card(program, &[], &[("VEGA_SCHEDULE", schedule), SKIPPED]).fails();
        }
    }
}

#[test]
fn threads_and_queues_do_not_change_what_a_seed_gives() {
    // Nine streams, eight of them in threads of their own: which queue each gets is the host's affair.
    let hash = |seed: u32| {
        let schedule = format!("random:{seed}");
        let run = on_card("streams", &[], &[("VEGA_SCHEDULE", &schedule), ("VEGA_STATS", "1")]).ok();
        value(&run.stderr, "trace hash ").to_owned()
    };
    let first = hash(1);
    assert_eq!(first, hash(1));
    assert_ne!(first, hash(2));
}

#[test]
fn statistics_come_out_however_a_program_ends() {
    for (end, signal) in [("return", None), ("_exit", None), ("abort", Some(6)), ("assert", Some(6))] {
        faulty(end, &[HIDDEN, ("VEGA_STATS", "1")]).fails();
        let run = faulty(end, &[("VEGA_STATS", "1")]);
        assert_eq!(run.status.signal(), signal, "{end}: {}", run.stderr);
        let kernel = &run.stderr[run.stderr.find("triple(unsigned int*)\n").expect(end)..];
        let counts = value(kernel, "1 dispatch, 1 workgroup, 1 wave, ");
        let instructions: u64 = counts.strip_suffix(" instructions").expect(end).parse().expect("a number");
        assert!((5..20).contains(&instructions), "{counts}");
        assert!(value(kernel, "  opcodes ").contains("s_endpgm"), "{kernel}");
        assert!(value(kernel, "  classes ").contains("memory"), "{kernel}");
        assert_eq!(run.stderr.matches("by kernel").count(), 1, "{}", run.stderr);
        assert!(!faulty(end, &[]).stderr.contains("by kernel"), "only when asked for");
    }
}

#[test]
fn a_trace_holds_what_the_chosen_wave_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trace");
    let path = file.to_str().expect("a plain name");
    let chosen = [
        ("VEGA_TRACE", path),
        ("VEGA_TRACE_KERNEL", "store<double>"),
        ("VEGA_TRACE_WORKGROUPS", "6"),
        ("VEGA_TRACE_WAVES", "1"),
        ("VEGA_TRACE_LANES", "4,5"),
    ];
    faulty("store", &[&chosen[..], &[SKIPPED]].concat());
    assert!(!file.exists() || std::fs::read(&file).expect("a trace").is_empty(), "nothing was executed");
    faulty("store", &chosen);
    let trace = std::fs::read_to_string(&file).expect("a trace");
    let lines: Vec<&str> = trace.lines().collect();
    assert!(
        lines[0].starts_with("# q")
            && lines[0].contains(": void store<double>(double*, unsigned long) at 0x")
    );
    assert!(lines[1..].iter().all(|line| line.contains(" (2,1,0) w1 +0x")), "{trace}");
    let last = lines.last().expect("a line");
    assert!(last.contains("global_store_dwordx2") && last.ends_with("  fault"), "{last}");
    // The guilty lane's index differs from its neighbour's: both are shown.
    assert!(lines.iter().any(|line| line.contains("[4]=0x") && line.contains("[5]=0x")), "{trace}");
}

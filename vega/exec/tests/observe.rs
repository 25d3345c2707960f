//! Schedules, statistics, traces and checks.

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{CODE, Card, DATA, KERNARG, engine, on_each_engine, programs, watchdog};
use vega_exec::observe::{Observe, Schedule, Stats, Totals, Trace, TraceOptions};
use vega_exec::{Dispatch, Engine, EngineConfig, FaultKind, Outcome};
use vega_isa::Class;

const LIMIT: Duration = Duration::from_secs(200);

fn args(va: u64) -> [u32; 2] {
    [va as u32, (va >> 32) as u32]
}

fn observed(observe: Observe) -> Card {
    let mut card = Card::new(1);
    let config = EngineConfig { kind: engine(), threads: 2, observe, ..EngineConfig::default() };
    card.engine = Engine::new(config).expect("threads start");
    card
}

fn scheduled(schedule: Schedule) -> (Card, Arc<Stats>) {
    let stats = Stats::new();
    let observe = Observe { schedule: Some(schedule), stats: Some(Arc::clone(&stats)), ..Observe::default() };
    (observed(observe), stats)
}

/// Runs the race of 8 workgroups of 4 waves, and returns what became of the sum and of the hash.
fn race(schedule: Schedule) -> (u32, u64) {
    let (card, stats) = scheduled(schedule);
    card.run_code(programs::RACE, &args(DATA), [256 * 8, 1, 1], [256, 1, 1]);
    (card.read(DATA, 1)[0], stats.totals().trace_hash.expect("a hash"))
}

/// Without a race: each wave adds 100 in turn.
const SUM: u32 = 8 * 4 * 100;

#[test]
fn the_same_seed_gives_the_same_run_and_others_show_races() {
    on_each_engine(|| {
        watchdog(LIMIT);
        let runs: Vec<(u32, u64)> = (0..8).map(|seed| race(Schedule::Random(seed))).collect();
        for (seed, run) in runs.iter().enumerate() {
            assert_eq!(*run, race(Schedule::Random(seed as u64)), "seed {seed}");
            assert!(run.0 < SUM, "seed {seed} hides the race");
        }
        let mut hashes: Vec<u64> = runs.iter().map(|run| run.1).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), runs.len(), "different seeds, different orders");
        assert_eq!(race(Schedule::Fixed), race(Schedule::Fixed));
        assert_eq!(race(Schedule::Fixed).0, SUM, "a slice is longer than the loop");
    });
}

#[test]
fn the_hash_depends_on_what_is_executed() {
    on_each_engine(|| {
        let hash = |grid| {
            let (card, stats) = scheduled(Schedule::Fixed);
            card.run_code(programs::SET_FLAG, &args(DATA), grid, [64, 1, 1]);
            stats.totals().trace_hash
        };
        assert_eq!(hash([64, 1, 1]), hash([64, 1, 1]));
        assert_ne!(hash([64, 1, 1]), hash([128, 1, 1]));
    });
}

#[test]
fn clocks_count_instructions_in_a_schedule() {
    on_each_engine(|| {
        let (card, _) = scheduled(Schedule::Fixed);
        for _ in 0..2 {
            card.run_code(programs::CLOCKS, &args(DATA), [64, 1, 1], [64, 1, 1]);
            assert_eq!(card.read(DATA, 2), [2, 1]);
        }
    });
}

#[test]
fn waves_that_wait_for_each_other_end_in_every_order() {
    on_each_engine(|| {
        watchdog(LIMIT);
        for schedule in (0..6).map(Schedule::Random).chain([Schedule::Fixed]) {
            let (card, _) = scheduled(schedule);
            for items in [64u32, 200, 1024] {
                let args = [args(DATA), [items, 0]].concat();
                card.run_code(programs::REVERSE, &args, [items * 5, 1, 1], [items as u16, 1, 1]);
                for group in 0..5 {
                    let found = card.read(DATA + u64::from(4 * group * items), items as usize);
                    assert_eq!(found, (0..items).rev().collect::<Vec<_>>(), "{schedule}");
                }
            }
        }
    });
}

#[test]
fn dispatches_that_wait_for_each_other_end_in_every_order() {
    on_each_engine(|| {
        watchdog(LIMIT);
        for schedule in [Schedule::Fixed, Schedule::Random(1)] {
            let (card, _) = scheduled(schedule);
            let setter = CODE + 0x1000;
            card.write(CODE, programs::WAIT_FOR_FLAG);
            card.write(setter, programs::SET_FLAG);
            card.write(KERNARG, &args(DATA));
            let waits = card.dispatch([256, 1, 1], [64, 1, 1]);
            let sets = Dispatch { entry_va: setter, queue: 1, ..card.dispatch([64, 1, 1], [64, 1, 1]) };
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| card.run(&waits));
                std::thread::sleep(Duration::from_millis(20));
                assert_eq!(card.run(&sets), Outcome::Done);
                assert_eq!(waiting.join().expect("no panic"), Outcome::Done);
            });
        }
    });
}

#[test]
fn statistics_count_every_instruction_of_every_wave() {
    on_each_engine(|| {
        for threads in [1, 2] {
            let stats = Stats::new();
            let observe = Observe { stats: Some(Arc::clone(&stats)), ..Observe::default() };
            let mut card = Card::new(1);
            let config =
                EngineConfig { kind: engine(), eager: true, threads, observe, ..EngineConfig::default() };
            card.engine = Engine::new(config).expect("threads start");
            card.write(CODE, programs::RACE);
            card.write(KERNARG, &args(DATA));
            let dispatch =
                Dispatch { kernel: Some("race".into()), ..card.dispatch([64 * 99, 3, 1], [100, 2, 1]) };
            for _ in 0..3 {
                assert_eq!(card.run(&dispatch), Outcome::Done);
            }
            let Totals { kernels, trace_hash } = stats.totals();
            assert_eq!(trace_hash, None, "without a schedule the order is the host's");
            let (name, race) = kernels.iter().next().expect("a kernel");
            // 64 x 2 workgroups; 200 items in the full ones, 36 in the last of each row, half of that in the last row.
            let waves = 63 * 4 + 2 + 63 * 2 + 1;
            assert_eq!((&**name, kernels.len()), ("race", 1));
            assert_eq!((race.dispatches, race.workgroups, race.waves), (3, 3 * 128, 3 * waves));
            assert_eq!(race.classes.total(), 3 * waves * 705);
            assert_eq!(race.classes.get(Class::Memory), 3 * waves * 201);
            assert_eq!(race.classes.get(Class::Scalar), 3 * waves * 201);
            assert_eq!(race.opcodes["global_load_dword"], 3 * waves * 100);
            assert_eq!(race.opcodes["s_endpgm"], 3 * waves);
            let text = stats.totals().to_string();
            assert!(text.contains("memory 28.5 %") && text.contains("global_store_dword 14.2 %"), "{text}");
            assert!(text.starts_with("race\n  3 dispatches, 384 workgroups, "), "{text}");
        }
    });
}

/// What a trace wrote.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).expect("text");
        text.lines().map(str::to_owned).collect()
    }
}

fn traced(options: TraceOptions) -> (Card, Memory) {
    let memory = Memory::default();
    let trace = Trace::new(options, Box::new(memory.clone()));
    (observed(Observe { trace: Some(trace), ..Observe::default() }), memory)
}

#[test]
fn a_trace_tells_what_chosen_waves_did() {
    on_each_engine(|| {
        let options = TraceOptions {
            kernel: Some("flag".into()),
            workgroups: Some("1".parse().expect("a selection")),
            waves: Some("0".parse().expect("a selection")),
            lanes: "0,63".parse().expect("a selection"),
            ..TraceOptions::default()
        };
        let (card, memory) = traced(options);
        card.write(CODE, programs::SET_FLAG);
        card.write(KERNARG, &args(DATA));
        let mut dispatch = card.dispatch([128 * 3, 1, 1], [128, 1, 1]);
        (dispatch.queue, dispatch.dispatch_id) = (7, 5);
        dispatch.kernel = Some("another".into());
        assert_eq!(card.run(&dispatch), Outcome::Done);
        assert_eq!(memory.lines(), [""; 0], "no such kernel was chosen");
        dispatch.kernel = Some("set_flag()".into());
        assert_eq!(card.run(&dispatch), Outcome::Done);
        let line = |pc: &str, text: &str, wrote: &str| {
            format!("q7 d5 (1,0,0) w0 {pc}  {text:48} exec=ffffffffffffffff{wrote}")
        };
        assert_eq!(
            memory.lines(),
            [
                "# q7 d5: set_flag() at 0x100000, grid (384, 1, 1), workgroups of (128, 1, 1)".to_owned(),
                line("+0x0000", "s_load_dwordx2 s[6:7], s[0:1], 0x0", "  s[6:7]=0x0000000000200000"),
                line("+0x0008", "v_mov_b32_e32 v1, 0", "  v1[0]=0x00000000  v1[63]=0x00000000"),
                line("+0x000c", "v_mov_b32_e32 v2, 7", "  v2[0]=0x00000007  v2[63]=0x00000007"),
                line("+0x0010", "s_waitcnt lgkmcnt(0)", ""),
                line("+0x0014", "global_store_dword v1, v2, s[6:7]", ""),
                line("+0x001c", "s_endpgm", ""),
            ]
        );
    });
}

#[test]
fn a_trace_ends_with_the_fault_and_at_its_greatest_size() {
    on_each_engine(|| {
        let (card, memory) = traced(TraceOptions::default());
        let report = card.fault(programs::SET_FLAG, &args(0xdead_0000), [64, 1, 1], [64, 1, 1]);
        let last = memory.lines().pop().expect("a line");
        assert!(last.contains("global_store_dword") && last.ends_with("  fault"), "{last}");
        assert_eq!(report.pc, CODE + 0x14);

        let (card, memory) = traced(TraceOptions { bytes: 10_000, ..TraceOptions::default() });
        card.run_code(programs::RACE, &args(DATA), [64 * 100, 1, 1], [64, 1, 1]);
        let lines = memory.lines();
        assert_eq!(lines.last().map(String::as_str), Some("# the trace ends here: it has its greatest size"));
        assert!(memory.0.lock().unwrap().len() < 10_100);
        assert!(lines.iter().rev().skip(1).all(|line| line.starts_with("# q") || line.contains(" exec=")));
    });
}

#[test]
fn accesses_beyond_lds_are_faults_where_that_is_asked_for() {
    on_each_engine(|| {
        let lenient = Card::new(1);
        let strict = observed(Observe { check_lds: true, ..Observe::default() });
        // The last lane's element, and the second element of lane 48.
        for (code, lane, offset) in [(programs::LDS_NEXT, 63, 256), (programs::LDS_PAIR, 48, 256)] {
            for (card, faults) in [(&lenient, false), (&strict, true)] {
                card.write(CODE, code);
                let mut dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
                dispatch.lds_bytes = 256;
                match card.run(&dispatch) {
                    Outcome::Fault(report) if faults => {
                        assert_eq!(report.kind, FaultKind::BeyondLds { offset, bytes: 256 });
                        assert_eq!((report.lane, report.pc), (Some(lane), CODE + 4));
                    }
                    outcome => assert_eq!((outcome, faults), (Outcome::Done, false)),
                }
                // One more element, and nothing is wrong.
                dispatch.lds_bytes = 320;
                assert_eq!(card.run(&dispatch), Outcome::Done);
            }
        }
    });
}

#[test]
fn a_report_names_the_schedule() {
    on_each_engine(|| {
        let (card, _) = scheduled(Schedule::Random(77));
        let report = card.fault(programs::TRAP, &[], [64, 1, 1], [64, 1, 1]);
        assert_eq!(report.schedule, Some(Schedule::Random(77)));
    });
}

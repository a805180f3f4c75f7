//! The benchmarks of Nodewright: `cargo xtask bench` runs them. `README.md` says how to add one.

mod a_catch_up;
mod a_fetch;
mod alloc;
mod b_extract;
mod c_scan_core;
mod d_memory;
mod e_chainlock;
mod f_x11;
mod g_certificates;
mod h_era_stamp;
mod http;
mod i_digests;
mod litecoin;
mod measure;
mod report;
mod synthetic;

use std::env;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::measure::Scale;
use crate::report::Row;

fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::FAILURE;
        }
    };
    let mut rows = Vec::new();
    let mut broken = false;
    for benchmark in BENCHMARKS.iter().filter(|benchmark| options.wants(benchmark.id)) {
        match (benchmark.run)(options.scale) {
            Ok(measured) => {
                for row in &measured {
                    println!("{}", row.line());
                }
                rows.extend(measured);
            }
            Err(reason) => {
                println!("{}: broken: {reason}", benchmark.id);
                broken = true;
            }
        }
    }
    println!("\n{}", report::table(&rows));
    if let Some(path) = &options.report {
        match report::write(path, &rows) {
            Ok(()) => println!("wrote {}", path.display()),
            Err(error) => {
                eprintln!("error: cannot write {}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    // A tiny size measures nothing, so that bars are not asked of it.
    let missed = options.scale == Scale::Full && rows.iter().any(|row| !row.ok());
    if missed || broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A benchmark: it measures one thing, in one row or several.
struct Benchmark {
    /// What the command line names it by; the ids of its rows start with it.
    id: &'static str,
    run: fn(Scale) -> Result<Vec<Row>, String>,
}

/// Every benchmark; a new one is a module of its own and a line here.
const BENCHMARKS: &[Benchmark] = &[
    Benchmark { id: "harness", run: harness },
    Benchmark { id: "a_catch_up", run: a_catch_up::run },
    Benchmark { id: "a_fetch", run: a_fetch::run },
    Benchmark { id: "b_extract", run: b_extract::run },
    Benchmark { id: "c_scan_core", run: c_scan_core::run },
    Benchmark { id: "d_memory", run: d_memory::run },
    Benchmark { id: "e_chainlock", run: e_chainlock::run },
    Benchmark { id: "f_x11", run: f_x11::run },
    Benchmark { id: "g_certificates", run: g_certificates::run },
    Benchmark { id: "h_era_stamp", run: h_era_stamp::run },
    Benchmark { id: "i_digests", run: i_digests::run },
];

/// The harness itself: that it counts rightly, and how fast allocations are while it does not count them.
fn harness(scale: Scale) -> Result<Vec<Row>, String> {
    let allocate = || {
        black_box(Vec::<u8>::with_capacity(black_box(100)));
    };
    let counted = alloc::count(allocate);
    if (counted.allocations, counted.bytes, counted.peak) != (1, 100, 100) {
        return Err(format!("one allocation of 100 bytes was counted as {counted:?}"));
    }
    let rate = measure::rate(scale, 1_000, || (0..1_000).for_each(|_| allocate()));
    Ok(vec![Row::alone("harness-alloc", "allocations/s", rate)])
}

#[derive(Debug)]
struct Options {
    scale: Scale,
    report: Option<PathBuf>,
    ids: Vec<String>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { scale: Scale::Full, report: None, ids: Vec::new() };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--smoke" => options.scale = Scale::Smoke,
                "--report" => options.report = Some(args.next().ok_or("--report needs a path")?.into()),
                id if BENCHMARKS.iter().any(|benchmark| benchmark.id == id) => options.ids.push(arg),
                other => {
                    let known: Vec<_> = BENCHMARKS.iter().map(|benchmark| benchmark.id).collect();
                    return Err(format!("no benchmark is called {other}; there are: {}", known.join(" ")));
                }
            }
        }
        Ok(options)
    }

    fn wants(&self, id: &str) -> bool {
        self.ids.is_empty() || self.ids.iter().any(|wanted| wanted == id)
    }
}

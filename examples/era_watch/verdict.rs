//! The closing table: what the network knows beside what each build was told.

use serde_json::json;

use crate::acts::Due;
use crate::print::Printer;
use crate::told::Told;

/// Prints a row for each thing that was due to one of `builds`; returns how many things are wrong.
pub(crate) fn compare(printer: Printer, builds: [&str; 2], truth: &[Due], told: &[Vec<Told>; 2]) -> usize {
    let mut wrong = 0;
    let width = truth.iter().map(|due| due.told.to_string().len()).max().unwrap_or_default();
    printer.text(&format!("  {:<width$}  {:<12}  {}", "", builds[0], builds[1]));
    let late = [0, 1].map(|build| late(truth, build, &told[build]));
    for (place, due) in truth.iter().enumerate() {
        let verdicts = [0, 1].map(|build| {
            let times = told[build].iter().filter(|it| **it == due.told).count();
            match (due.to[build], times) {
                (false, _) => "-",
                (true, 0) => "MISSED",
                (true, 1) if late[build].contains(&place) => "OUT OF ORDER",
                (true, 1) => "ok",
                (true, _) => "DOUBLED",
            }
        });
        wrong += verdicts.iter().filter(|verdict| !matches!(**verdict, "ok" | "-")).count();
        let fields = json!({ "event": "check", "expected": due.told.kind(), "text": due.told.to_string(),
            "verdict": { builds[0]: verdicts[0], builds[1]: verdicts[1] } });
        printer.data(&fields, &format!("  {:<width$}  {:<12}  {}", due.told.to_string(), verdicts[0], verdicts[1]));
    }
    for build in [0, 1] {
        let is_due = |told: &Told| truth.iter().any(|due| due.to[build] && due.told == *told);
        for stray in told[build].iter().filter(|told| !is_due(told)) {
            wrong += 1;
            problem(printer, &format!("the {} build was told: {stray}, which is not so", builds[build]));
        }
    }
    wrong
}

/// Prints something that is wrong.
pub(crate) fn problem(printer: Printer, text: &str) {
    printer.data(&json!({ "event": "problem", "text": text }), &format!("  WRONG: {text}"));
}

/// Returns the places in `truth` of what was told to a build after something that comes later.
fn late(truth: &[Due], build: usize, told: &[Told]) -> Vec<usize> {
    let mut reached = 0;
    let mut late = Vec::new();
    for it in told {
        let Some(place) = truth.iter().position(|due| due.to[build] && due.told == *it) else { continue };
        if place < reached {
            late.push(place);
        }
        reached = reached.max(place);
    }
    late
}

//! The example `observe` on its embedded network.

mod support;

use support::run;

#[test]
fn the_embedded_play_is_observed_rightly_whatever_its_seed() {
    for seed in ["1", "2", "3"] {
        let output = run(&["--seed", seed]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "seed {seed}: {text}");
        assert!(text.contains("nothing missed, nothing doubled, nothing out of order"), "seed {seed}: {text}");
        assert!(!text.contains("WRONG"), "seed {seed}: {text}");
    }
}

#[test]
fn an_observer_that_is_broken_on_purpose_is_found_out() {
    for fault in ["drop", "double", "reorder"] {
        let output = run(&["--fault", fault]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "fault {fault}: {text}");
        assert!(text.contains("WRONG"), "fault {fault}: {text}");
    }
}

#[test]
fn json_output_is_one_object_a_line() {
    let output = run(&["--json"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
    assert!(lines.iter().any(|line| line["event"] == "reorganisation"), "{text}");
    assert_eq!(lines.last().map(|line| &line["right"]), Some(&serde_json::Value::Bool(true)));
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused_with_a_reason() {
    let cases = [
        (&["--chain", "dash"][..], "--url"),
        (&["--chain", "dash", "--url", "http://127.0.0.1:1"], "--watch"),
        (&["--chain", "dash", "--url", "http://127.0.0.1:1", "--watch", "x", "--rescan", "9..3"], "FROM..TO"),
        (&["--chain", "dash", "--url", "http://127.0.0.1:1", "--watch", "x", "--policy", "depth:0"], "depth:N"),
        (&["--chain", "doge", "--url", "http://127.0.0.1:1", "--watch", "x"], "doge"),
    ];
    for (arguments, reason) in cases {
        let output = run(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(reason), "{arguments:?}: {text}");
    }
}

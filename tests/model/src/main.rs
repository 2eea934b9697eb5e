//! Visits every state of every configuration, and prints how many there are, and what can go wrong.

use authsafe_model::check::WINDOW;
use authsafe_model::configurations::{Size, all};
use authsafe_model::run::{Report, run, window};
use authsafe_model::server::Rotation;
use authsafe_model::world::{Bounds, Fault, Faults};
use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut failed = false;
    println!(
        "{:<36} {:<7} {:>10} {:>6} {:>8} {:>8}",
        "configuration", "rotates", "states", "depth", "machine", "seconds"
    );
    for configuration in all(Size::Large) {
        if !wanted.is_empty() && !wanted.iter().any(|part| configuration.name.contains(part.as_str())) {
            continue;
        }
        let rotation = configuration.bounds.rotation;
        let report = run(configuration.bounds);
        let seconds = report.took.as_secs_f64();
        println!(
            "{:<36} {:<7} {:>10} {:>6} {:>8} {seconds:>8.1}",
            configuration.name,
            rotation.as_str(),
            report.states,
            report.depth,
            report.minds
        );
        failed |= !report.failures.is_empty();
        print_failures(&report);
    }
    if wanted.is_empty() {
        print_losses();
        print_window();
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn print_failures(report: &Report) {
    for (property, way) in &report.failures {
        println!("\nFAILED: {property}");
        for line in way {
            println!("  {line}");
        }
        println!();
    }
}

/// Which single fault ends a session, at which server.
fn print_losses() {
    println!("\nOne fault, two tabs: does strict reuse detection end the session?\n");
    println!("{:<44} {:<6} {:<6} {:<6}", "fault", "never", "grace", "strict");
    for fault in Fault::ALL {
        let lost = [Rotation::Never, Rotation::Grace, Rotation::Strict].map(|rotation| {
            let possible = Faults::only(fault);
            let report = run(Bounds { faults: 1, possible, starts: 1, split: false, ..Bounds::new(2, rotation) });
            if report.examples.iter().any(|(name, _)| *name == WINDOW) { "yes" } else { "no" }
        });
        println!("{:<44} {:<6} {:<6} {:<6}", fault.as_str(), lost[0], lost[1], lost[2]);
    }
}

/// The window: what a crash does after each step of a renewal.
fn print_window() {
    println!(
        "\nA renewal in one tab at a server with strict reuse detection. A crash after the step loses the session:\n"
    );
    for (line, lost) in window(Bounds::new(1, Rotation::Strict)) {
        println!("{} {line}", if lost { "LOST" } else { "    " });
    }
}

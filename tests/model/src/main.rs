//! quick trial
use authsafe_model::server::Rotation;
use authsafe_model::world::{Bounds, Medium, Wishes, World};
use stateright::{Checker, Model};
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let num = |i: usize, d: u8| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(d);
    let rotation = match args.first().map(String::as_str) { Some("never") => Rotation::Never, Some("grace") => Rotation::Grace, _ => Rotation::Strict };
    let flags = args.get(4).cloned().unwrap_or_default();
    let bounds = Bounds {
        tabs: num(1, 2), medium: if flags.contains('u') { Medium::Tab } else if flags.contains('m') { Medium::Memory } else if flags.contains('l') { Medium::Stale } else { Medium::Shared }, locks: !flags.contains('n'), split: flags.contains('s'), rotation, age: if flags.contains('x') { 700_000 } else { 0 },
        horizon: if flags.contains('x') { 1_000_000 } else { 600_000 } , faults: num(2, 1), starts: num(3, 0),
        wishes: Wishes { logout: u8::from(flags.contains('o')), login: u8::from(flags.contains('i')), renew: u8::from(flags.contains('r')), token: u8::from(flags.contains('t')) },
        bug: if flags.contains('N') { Some(authsafe_model::Bug::NoLock) } else if flags.contains('C') { Some(authsafe_model::Bug::CommitAfterRelease) } else { None },
    };
    let t = Instant::now();
    let checker = World::new(bounds).checker().threads(if flags.contains('1') { 1 } else { 2 }).spawn_bfs().join();
    println!("{} states, {} unique, depth {}, {} minds, {:.1?}", checker.state_count(), checker.unique_state_count(), checker.max_depth(), checker.model().brain.minds(), t.elapsed());
    for (name, path) in checker.discoveries() {
        let p = checker.model().property(name);
        println!("== {:?} {name}", p.expectation);
        if (p.expectation.discovery_is_failure() && !flags.contains('q')) || flags.contains('v') {
            let path = path.into_vec(); for line in authsafe_model::story::tell(checker.model(), &path) { println!("{line}"); }
        }
    }
}

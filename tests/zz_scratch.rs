#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::all, unused)]
mod support;
use Move::*;
use authsafe::client::*;
use support::grants::Rotation;
use support::play::*;
fn go(most: usize, moves: &[Move]) {
    let mut game = Game::new("localStorage", Rotation::Strict, most);
    game.make(&Open);
    let mut say = |game: &Game, what: String| {
        println!("== {what}   t={}", game.world.running() - support::START.0);
        for p in &game.pages {
            println!("   tab {} {}", p.tab.id, p.status());
        }
        println!(
            "   store {:?}",
            game.world.shared.borrow().values().map(|t| t.chars().take(70).collect::<String>()).collect::<Vec<_>>()
        );
    };
    for m in moves {
        game.make(m);
        say(&game, format!("{m:?}"));
    }
    let broken = game.finish();
    say(&game, "end".into());
    for p in &game.pages {
        println!("tab {}", p.tab.id);
        for r in p.reports.borrow().iter() {
            println!("    {}", format!("{r:?}").chars().take(170).collect::<String>());
        }
    }
    for e in game.world.log.borrow().iter() {
        println!(
            "{} {}..{} {} {} -> {:?} {} {}",
            e.tab,
            e.at - support::START.0,
            e.until - support::START.0,
            e.url,
            e.body,
            e.status,
            e.delivered,
            e.answer.chars().take(200).collect::<String>()
        );
    }
    for s in game.world.said.borrow().iter() {
        println!("{s:?}");
    }
    println!("{broken:#?}");
}
#[test]
fn c() {
    go(2, &[Login(0, false), Advance(414796), Open, Medium(Ailment::Full), Advance(119523)]);
}
#[test]
fn d() {
    go(
        2,
        &[
            Login(0, false),
            Advance(112094),
            Server(Trouble::Down),
            Open,
            Advance(488006),
            Reload(62),
            Open,
            Login(12, false),
            Renew(0),
        ],
    );
}

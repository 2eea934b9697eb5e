//! Whole browsers: bytes as what happens to them.

use crate::support::grants::Rotation;
use crate::support::play::{Ailment, Hearing, Move, Setting, Trouble, play};
use crate::support::{APP, Page, Provider, invariants, token_options, world_of};
use authsafe::client::PageNews;
use authsafe::machine::Ending;

/// The rest of the bytes.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    /// So that short sequences reach far: small numbers are milliseconds, large ones minutes.
    fn millis(&mut self) -> Option<u32> {
        let byte = u32::from(self.next()?);
        Some(match byte {
            0..=99 => byte * 3,
            100..=199 => (byte - 99) * 150,
            200..=255 => (byte - 199) * 12_000,
            _ => 0,
        })
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from(self.next()?) * 12)
    }

    fn step(&mut self) -> Option<Move> {
        let what = self.next()?;
        let tab = what >> 6;
        Some(match what & 31 {
            0 | 1 => Move::Open,
            2 => Move::Close(tab),
            3 => Move::Crash(tab),
            4 | 5 => Move::Reload(tab),
            6 => Move::Freeze(tab),
            7 => Move::Thaw,
            8 | 9 => Move::Login(tab, what & 32 != 0),
            10 => {
                let endings = [Ending::Local, Ending::Revoke, Ending::Provider];
                Move::Logout(tab, endings[usize::from(self.next()?) % 3])
            }
            11..=13 => Move::Renew(tab),
            14..=16 => Move::Call(tab),
            17 => Move::Refuse,
            18..=22 => Move::Advance(self.millis()?),
            23 => {
                let by = i32::try_from(self.millis()?).unwrap_or_default() * 100;
                Move::Jump(if what & 32 == 0 { by } else { -by })
            }
            24..=26 => Move::Server(match self.next()? % 8 {
                0 => Trouble::Reset,
                1 => Trouble::Lost,
                2 => Trouble::Status([429, 500, 502, 503][usize::from(tab)]),
                3 => Trouble::Html,
                4 => Trouble::Garbage,
                5 => Trouble::Slow(self.short()? * 4),
                6 => Trouble::Down,
                _ => Trouble::Up,
            }),
            // What a failing medium and tabs that do not hear each other do together, is for the property tests to name.
            27 => Move::Medium(Ailment::Slow(self.short()?)),
            28 => Move::Words(match self.next()? % 4 {
                0 => Hearing::Never,
                1 => Hearing::Late(self.short()?),
                _ => Hearing::Well,
            }),
            29 => Move::Hostile(tab, self.next()?),
            30 => Move::Agreement(what & 32 != 0),
            _ => {
                let news = [PageNews::Visible, PageNews::Hidden, PageNews::Online, PageNews::Restored, PageNews::Left];
                Move::News(tab, news[usize::from(self.next()?) % 5])
            }
        })
    }
}

/// Z14: the first byte is the setting, the others are what happens.
pub fn tabs(bytes: &[u8]) {
    let [first, rest @ ..] = bytes else { return };
    let setting = Setting {
        storage: ["localStorage", "localStorage", "sessionStorage", "memory"][usize::from(first & 3)],
        rotation: [Rotation::Strict, Rotation::Strict, Rotation::Grace(30), Rotation::Never]
            [usize::from(first >> 2 & 3)],
        most: usize::from(first >> 4 & 3) + 1,
        locks: first & 64 == 0,
    };
    let mut bytes = Bytes(rest.iter());
    let moves: Vec<Move> = std::iter::from_fn(|| bytes.step()).take(MOST).collect();
    let broken = play(&setting, &moves);
    assert!(broken.is_empty(), "{}\n{setting:?}\n{moves:#?}", broken.join("\n"));
}

/// More happens in longer sequences, and is found sooner in shorter ones.
const MOST: usize = 60;

/// A client whose medium holds this text starts, and loses nothing but it.
pub(crate) fn start_with(text: &str) {
    let provider = Provider::new();
    let world = world_of(&provider);
    let options =
        token_options("localStorage").replace(r#""storage""#, r#""restore":"refresh-token","id":"app","storage""#);
    world.shared.borrow_mut().insert("authsafe.app.session".to_owned(), text.to_owned());
    world.shared.borrow_mut().insert("authsafe.other.session".to_owned(), "kept".to_owned());
    world.agreed.borrow_mut().insert("authsafe.app.turn".to_owned(), text.to_owned());
    let page = Page::open(&world, APP, &options);
    let started = page.run(|client| async move { client.start().await.is_ok() });
    assert!(started);
    assert_eq!(world.shared.borrow().get("authsafe.other.session").map(String::as_str), Some("kept"));
    assert!(matches!(page.status(), "authenticated" | "unauthenticated"));
    let shown = format!("{:?}", page.client.snapshot());
    assert!(shown.len() < 100_000);
    invariants::forget(&world);
    page.client.dispose();
}

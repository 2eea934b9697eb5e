//! What a medium does to a record: F24 to F33 of docs/faults.md, as far as they need no browser.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::error::ErrorCode;
use authsafe::machine::SignedOutReason;
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::World;
use authsafe::types::Lifetime;
use std::rc::Rc;
use support::session::reason;
use support::*;

const KEY: &str = "authsafe.app.session";

fn story() -> (Rc<Provider>, Rc<World>, Page) {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options());
    assert!(world.shared.borrow().contains_key(KEY), "{:?}", world.shared.borrow().keys());
    (provider, world, page)
}

/// A start that finds nothing stays where it is, so that these stories are about the medium.
fn options() -> String {
    token_options("localStorage").replace(r#""storage""#, r#""restore":"refresh-token","id":"app","storage""#)
}

fn load(page: &Page) -> Page {
    page.client.dispose();
    page.tab.world.mute(page.tab.id);
    let page = Page::in_tab(page.tab.clone(), &options());
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error, None);
    page
}

fn renew(page: &Page) -> Result<(), ErrorCode> {
    page.run(|client| async move { client.renew().await.map_err(|error| error.code) })
}

fn stored(world: &World) -> Option<String> {
    world.shared.borrow().get(KEY).cloned()
}

#[test]
fn f24_whatever_stands_in_the_place_of_a_record_costs_that_session_and_nothing_else() {
    let (_, world, page) = story();
    let record = stored(&world).unwrap();
    let damaged: Vec<String> = [
        String::new(),
        "null".to_owned(),
        "[object Object]".to_owned(),
        "\u{0}\u{fffd}\u{7f}".repeat(50),
        record.chars().take(record.len() - 1).collect(),
        record.replace("\"lineage\"", "\"linage\""),
        record.replace("\"access\":\"access-1\"", "\"access\":7"),
        record.replace("\"generation\":1", "\"generation\":1e99"),
        record.replace("\"generation\":1", "\"generation\":-1"),
        [&record, "x"].concat(),
        [record.as_str(), record.as_str()].concat(),
    ]
    .into();
    world.shared.borrow_mut().insert("authsafe.other.session".to_owned(), "{\"v\":1}".to_owned());
    let mut page = page;
    for text in damaged {
        world.shared.borrow_mut().insert(KEY.to_owned(), text.clone());
        page = load(&page);
        assert_eq!(reason(&page), Some(SignedOutReason::StorageLost), "{text}");
        assert_eq!(stored(&world), None, "{text}");
        assert_eq!(world.shared.borrow().get("authsafe.other.session").map(String::as_str), Some("{\"v\":1}"));
        invariants::hold(&world);
    }
}

#[test]
fn f26_a_record_of_the_first_version_is_read_by_this_one() {
    let (_, world, page) = story();
    let now = world.running();
    let text = format!(
        r#"{{"v":1,"lineage":"00c0ffee","generation":7,"user":{{"sub":"alice"}},"sub":"alice","issued_at":{now},"expires_at":{},"amr":["pwd"],"skew":0,"tokens":{{"access":"access-old","refresh":"refresh-old","source":"oidc"}}}}"#,
        now + 600_000
    );
    world.agreed.borrow_mut().clear();
    world.shared.borrow_mut().insert(KEY.to_owned(), text);
    let page = load(&page);
    assert_eq!(page.status(), "authenticated");
    let token = page.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().0 });
    assert_eq!(token.expose(), "access-old");
    invariants::hold(&world);
}

#[test]
fn f27_a_record_of_a_newer_version_is_left_for_it() {
    let (_, world, page) = story();
    let newer = stored(&world).unwrap().replace("{\"v\":1,", "{\"v\":2,\"what\":{},");
    world.shared.borrow_mut().insert(KEY.to_owned(), newer.clone());
    let page = load(&page);
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    page.client.page_changed(PageNews::Visible);
    world.advance(secs(3600));
    assert_eq!(renew(&page), Err(ErrorCode::LoginRequired));
    assert_eq!(stored(&world), Some(newer));
    invariants::hold(&world);
}

#[test]
fn f28_a_token_that_was_rotated_and_cannot_be_stored_is_kept_in_memory_and_stored_as_soon_as_that_works() {
    let (provider, world, page) = story();
    world.writes_fail.set(Some(StoreFailure::Full));
    assert_eq!(renew(&page), Ok(()));
    assert!(page.events().contains(&"StorageDegraded".to_owned()), "{:?}", page.events());
    assert_eq!(renew(&page), Ok(()), "with the token that is in memory alone");
    assert_eq!(page.events().iter().filter(|name| *name == "StorageDegraded").count(), 1);
    invariants::hold(&world);
    world.writes_fail.set(None);
    page.client.page_changed(PageNews::Visible);
    world.advance(secs(1));
    assert!(stored(&world).unwrap().contains("\"refresh-3\""));
    let page = load(&page);
    assert_eq!(renew(&page), Ok(()));
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn f28_a_tab_that_cannot_get_at_the_newest_token_ends_no_session_but_its_own() {
    let (provider, world, page) = story();
    let other = another_with(&world, &options());
    world.writes_fail.set(Some(StoreFailure::Full));
    assert_eq!(renew(&page), Ok(()));
    world.advance(secs(300));
    world.writes_fail.set(None);
    // The access token of the other tab ends, and there is nothing that it could renew it with.
    world.advance(secs(700));
    page.client.page_changed(PageNews::Visible);
    world.advance(secs(5));
    assert_eq!(page.status(), "authenticated");
    assert_eq!(other.status(), "authenticated", "it has what the first tab renewed and could store again");
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

fn another_with(world: &Rc<World>, options: &str) -> Page {
    let page = Page::open(world, APP, options);
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

#[test]
fn f29_where_a_medium_refuses_everything_a_session_lives_in_memory() {
    let provider = Provider::new();
    let world = world_of(&provider);
    world.store_failure.set(Some(StoreFailure::Blocked));
    let page = Page::open(&world, APP, &both_options("localStorage"));
    let server = Rc::clone(&provider);
    world.serve(move |request, now| match request.url.path() {
        "/login" => authsafe::ports::fake::Reply::json(
            200,
            r#"{"access_token":"access-b","token_type":"Bearer","expires_in":600,"user":{"sub":"bob"}}"#,
        ),
        _ => server.answer(request, now),
    });
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(session::password("wonderland")).await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert_eq!(page.events().iter().filter(|name| *name == "StorageDegraded").count(), 1);
    page.run(|client| async move { client.logout(authsafe::machine::Ending::Local).await.unwrap() });
    assert_eq!(page.status(), "unauthenticated");
    invariants::hold(&world);
}

#[test]
fn f31_a_tab_that_dies_while_it_writes_leaves_the_old_record_or_the_new_one() {
    for at in [0, 30, 60, 100, 150, 700, 1500, 2500] {
        let grants = grants::Grants::new(grants::Rotation::Grace(60));
        let mut game = play::Game::of(&grants, "localStorage", 2);
        for each in [play::Move::Open, play::Move::Login(0, false), play::Move::Advance(2000)] {
            game.make(&each);
        }
        game.make(&play::Move::Open);
        game.world.write_takes.set(1000);
        for each in [play::Move::Renew(0), play::Move::Advance(at), play::Move::Crash(0)] {
            game.make(&each);
        }
        game.world.write_takes.set(0);
        let records = |token: &str| game.world.shared.borrow().values().filter(|text| text.contains(token)).count();
        assert_eq!(records("\"refresh-"), 1, "after {at} ms");
        assert_eq!(game.finish(), Vec::<String>::new(), "after {at} ms");
        assert_eq!(game.pages[0].status(), "authenticated", "after {at} ms");
    }
}

#[test]
fn f33_each_of_fifty_tabs_has_the_token_within_seconds_of_the_one_answer() {
    let grants = grants::Grants::new(grants::Rotation::Strict);
    let mut game = play::Game::of(&grants, "localStorage", 50);
    game.make(&play::Move::Open);
    game.make(&play::Move::Login(0, false));
    game.make(&play::Move::Advance(2000));
    for _ in 1..50 {
        game.make(&play::Move::Open);
    }
    for _ in 0..3 {
        game.grants.revoke_access();
        let before = game.world.log.borrow().iter().filter(|each| each.body.contains("refresh_token=")).count();
        for tab in 0..50 {
            game.make(&play::Move::Call(tab));
        }
        game.make(&play::Move::Advance(2000));
        let log = game.world.log.borrow();
        assert_eq!(log.iter().filter(|each| each.body.contains("refresh_token=")).count() - before, 1);
        let since = log.iter().rposition(|each| each.body.contains("refresh_token=")).unwrap();
        let good = log.iter().skip(since).filter(|each| each.url.contains("api.example") && each.status == Some(200));
        assert_eq!(good.count(), 50);
        drop(log);
        game.make(&play::Move::Advance(61_000));
    }
    assert_eq!(game.finish(), Vec::<String>::new());
}

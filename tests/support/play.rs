//! Anything that can happen to a browser with some tabs, in any order: what the property tests and the fuzzer play, and what
//! they look at afterwards.

use super::grants::{Fault, Grants, Rotation};
use super::{APP, Page, invariants, secs, token_options};
use authsafe::client::{Client, PageNews};
use authsafe::error::{Error, ErrorCode};
use authsafe::machine::{Ending, Login};
use authsafe::ports::fake::{Reply, Tab, World};
use authsafe::ports::{Http, Spawn, StoreFailure};
use authsafe::protocol::http::{HttpFailure, HttpRequest};
use authsafe::types::{Lifetime, WebUrl};
use std::rc::Rc;

/// Something that happens. A number names a tab among those that are open, counted around.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Move {
    Open,
    /// The user closes it: it may say its last words.
    Close(u8),
    /// It is gone without a word.
    Crash(u8),
    Reload(u8),
    Freeze(u8),
    Thaw,
    /// The first user signs in, or the second.
    Login(u8, bool),
    Logout(u8, Ending),
    Renew(u8),
    /// The application makes a request.
    Call(u8),
    /// The APIs refuse what they took before.
    Refuse,
    /// So many milliseconds pass.
    Advance(u32),
    /// The clock of the device is set by so many milliseconds.
    Jump(i32),
    Server(Trouble),
    Medium(Ailment),
    Words(Hearing),
    /// The place where tabs agree works, or not.
    Agreement(bool),
    /// Somebody else says this on the channel.
    Hostile(u8, u8),
    News(u8, PageNews),
}

/// What happens to the next token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Reset,
    Lost,
    Status(u16),
    Html,
    Garbage,
    Slow(u16),
    /// From now on nothing is reachable, or all is again.
    Down,
    Up,
}

/// How the medium is from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ailment {
    None,
    Full,
    Blocked,
    Slow(u16),
    /// The user clears it.
    Cleared,
    /// What is in it is damaged.
    Damaged,
}

/// How tabs hear each other from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    Well,
    Late(u16),
    Never,
}

/// What does not change while a sequence is played.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) storage: &'static str,
    pub(crate) rotation: Rotation,
    /// So many tabs.
    pub(crate) most: usize,
    /// The browser has locks.
    pub(crate) locks: bool,
}

/// A browser, its tabs, and the server.
pub(crate) struct Game {
    pub(crate) grants: Rc<Grants>,
    pub(crate) world: Rc<World>,
    pub(crate) pages: Vec<Page>,
    options: String,
    storage: &'static str,
    most: usize,
    /// The medium was out of reach at some time, so that a sign-out left a record behind, or the record was taken away:
    /// tabs may show different things until the next renewal.
    apart: bool,
    /// The clock was set: a client cannot tell that from a sleep, and may take a token that lives for one that has ended.
    jumped: bool,
    /// Tabs whose page lies in the back-forward cache.
    left: Vec<u64>,
}

/// A browser with one tab, which plays these moves and is then left in peace. What was broken.
pub(crate) fn play(setting: &Setting, moves: &[Move]) -> Vec<String> {
    let mut game = Game::of(&Grants::new(setting.rotation), setting.storage, setting.most);
    game.world.has_locks.set(setting.locks);
    game.make(&Move::Open);
    for each in moves {
        game.make(each);
    }
    game.finish()
}

impl Game {
    /// A browser on the network of this server.
    pub(crate) fn of(grants: &Rc<Grants>, storage: &'static str, most: usize) -> Self {
        let (grants, world) = (Rc::clone(grants), grants.world());
        Self {
            grants,
            world,
            pages: Vec::new(),
            options: token_options(storage),
            storage,
            most,
            apart: false,
            jumped: false,
            left: Vec::new(),
        }
    }

    fn start(&self, tab: Tab) -> Page {
        let page = Page::in_tab(tab, &self.options);
        let client = page.client.clone();
        page.tab.spawn(Box::pin(async move { drop(client.start().await) }));
        self.world.run();
        page
    }

    fn new_tab(&self) -> Tab {
        self.world.tab(APP, self.storage == "localStorage")
    }

    /// The page of this tab is left, and another is loaded in it: only what is stored stays.
    fn load(&mut self, place: usize, href: Option<String>) {
        let Some(old) = self.pages.get(place) else { return };
        self.world.crash(old.tab.id);
        let fresh = self.new_tab();
        let tab = Tab {
            id: fresh.id,
            href: Rc::clone(&old.tab.href),
            store: old.tab.store.clone(),
            transactions: old.tab.transactions.clone(),
            traces: old.tab.traces.clone(),
            ..fresh
        };
        if let Some(href) = href {
            *tab.href.borrow_mut() = href;
        }
        let page = self.start(tab);
        if let Some(slot) = self.pages.get_mut(place) {
            *slot = page;
        }
    }

    fn place(&self, tab: u8) -> Option<usize> {
        usize::from(tab).checked_rem(self.pages.len())
    }

    fn with(&self, tab: u8, act: impl FnOnce(&Page)) {
        let page = self.place(tab).and_then(|place| self.pages.get(place));
        if let Some(page) = page.filter(|page| !self.world.is_frozen(page.tab.id)) {
            act(page);
        }
    }

    pub(crate) fn make(&mut self, what: &Move) {
        let world = Rc::clone(&self.world);
        match *what {
            Move::Open => {
                if self.pages.len() < self.most {
                    self.pages.push(self.start(self.new_tab()));
                }
            }
            Move::Close(tab) => {
                if let Some(place) = self.place(tab).filter(|_| self.pages.len() > 1) {
                    let page = self.pages.remove(place);
                    page.client.dispose();
                    world.crash(page.tab.id);
                }
            }
            Move::Crash(tab) => {
                if let Some(place) = self.place(tab).filter(|_| self.pages.len() > 1) {
                    world.crash(self.pages.remove(place).tab.id);
                }
            }
            Move::Reload(tab) => {
                if let Some(place) = self.place(tab) {
                    self.load(place, None);
                }
            }
            Move::Freeze(tab) => self.with(tab, |page| world.freeze(page.tab.id)),
            Move::Thaw => self.thaw(),
            Move::Agreement(works) => {
                let failure = (!works).then_some(StoreFailure::Failed);
                world.register_fails.set(failure);
            }
            Move::News(tab, PageNews::Left) => {
                let mut left = Vec::new();
                self.with(tab, |page| {
                    page.client.page_changed(PageNews::Left);
                    world.freeze(page.tab.id);
                    left.push(page.tab.id);
                });
                self.left.append(&mut left);
            }
            Move::Login(tab, second) => self.login(tab, if second { "bob" } else { "alice" }),
            Move::Logout(tab, ending) => self.with(tab, |page| {
                let client = page.client.clone();
                page.tab.spawn(Box::pin(async move { drop(client.logout(ending).await) }));
            }),
            Move::Renew(tab) => self.with(tab, |page| {
                let client = page.client.clone();
                page.tab.spawn(Box::pin(async move { drop(client.renew().await) }));
            }),
            Move::Call(tab) => self.with(tab, |page| {
                let (client, tab) = (page.client.clone(), page.tab.clone());
                page.tab.spawn(Box::pin(async move { drop(call(&client, &tab).await) }));
            }),
            Move::Refuse => self.grants.revoke_access(),
            Move::Advance(millis) => world.advance(Lifetime::from_millis(millis.into())),
            // Without locks, a turn that another tab has taken is not respected once the clock was set back.
            Move::Jump(millis) if millis < 0 && !world.has_locks.get() => {}
            Move::Jump(millis) => {
                self.jumped = true;
                world.jump(millis.into());
            }
            Move::Server(trouble) => self.trouble(trouble),
            Move::Medium(ailment) => self.ail(ailment),
            Move::Words(hearing) => {
                world.deaf.set(hearing == Hearing::Never);
                world.words_take.set(if let Hearing::Late(millis) = hearing { millis.into() } else { 0 });
            }
            Move::Hostile(tab, which) => {
                self.with(tab, |page| page.client.hear(HOSTILE[usize::from(which) % HOSTILE.len()]))
            }
            Move::News(tab, news) => self.with(tab, |page| page.client.page_changed(news)),
        }
        world.run();
    }

    fn thaw(&mut self) {
        let left = std::mem::take(&mut self.left);
        for page in &self.pages {
            if left.contains(&page.tab.id) {
                page.client.page_changed(PageNews::Restored);
            }
            self.world.thaw(page.tab.id);
            // A page that goes on is one that became visible.
            page.client.page_changed(PageNews::Visible);
        }
    }

    fn trouble(&self, trouble: Trouble) {
        let fault = match trouble {
            Trouble::Down => return self.grants.down.set(true),
            Trouble::Up => return self.grants.down.set(false),
            Trouble::Reset => Fault::Instead(Reply::failure(HttpFailure::NetworkOrCors)),
            Trouble::Lost => Fault::Lost(HttpFailure::NetworkOrCors),
            Trouble::Status(status) => Fault::Instead(Reply::json(status, r#"{"error":"server_error"}"#)),
            Trouble::Html => Fault::Instead(Reply::with(200, "text/html", "<html>Sign in to the network</html>")),
            Trouble::Garbage => Fault::Instead(Reply::json(200, r#"{"access_token":"acc"#)),
            Trouble::Slow(millis) => Fault::Slow(Lifetime::from_millis(millis.into())),
        };
        self.grants.faults.borrow_mut().push_back(fault);
    }

    fn ail(&mut self, ailment: Ailment) {
        // Access that the browser denies, it denies for good.
        if self.world.store_failure.get().is_some() {
            return;
        }
        self.apart |= matches!(ailment, Ailment::Blocked | Ailment::Cleared | Ailment::Damaged);
        let world = &self.world;
        world.store_failure.set(None);
        world.writes_fail.set(None);
        world.write_takes.set(0);
        match ailment {
            Ailment::None => {}
            Ailment::Full => world.writes_fail.set(Some(StoreFailure::Full)),
            Ailment::Blocked => world.store_failure.set(Some(StoreFailure::Blocked)),
            Ailment::Slow(millis) => world.write_takes.set(millis.into()),
            Ailment::Cleared => world.shared.borrow_mut().clear(),
            Ailment::Damaged => {
                for text in world.shared.borrow_mut().values_mut() {
                    text.truncate(text.len() / 2);
                }
            }
        }
    }

    /// By leaving for the provider, and coming back half a second later.
    fn login(&mut self, tab: u8, user: &str) {
        let Some(place) = self.place(tab) else { return };
        let Some(page) = self.pages.get(place).filter(|page| !self.world.is_frozen(page.tab.id)) else { return };
        let (client, before) = (page.client.clone(), page.tab.navigations.borrow().len());
        let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
        page.tab.spawn(Box::pin(async move { drop(client.login(login).await) }));
        self.world.advance(Lifetime::from_millis(500));
        let left = page.tab.navigations.borrow().get(before).cloned();
        if let Some(url) = left {
            let callback = self.grants.authorize(&url, user);
            self.load(place, Some(callback));
        }
    }

    /// Everything works again, and the user looks at every tab. What is broken then.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        self.grants.faults.borrow_mut().clear();
        self.make(&Move::Server(Trouble::Up));
        self.make(&Move::Medium(Ailment::None));
        self.make(&Move::Agreement(true));
        self.make(&Move::Words(Hearing::Well));
        self.make(&Move::Thaw);
        self.world.advance(secs(130));
        self.thaw();
        self.world.advance(secs(5));
        let mut broken = invariants::violations(&self.world);
        // Every tab is used once more. Where tabs cannot share what one of them renewed, the others cannot renew.
        let shared = self.world.store_failure.get().is_none();
        for page in &self.pages {
            let (client, tab) = (page.client.clone(), page.tab.clone());
            let answer = self.world.block_on(async move { call(&client, &tab).await });
            if shared && page.status() == "authenticated" && !matches!(answer, Ok(200)) && !is_ambiguous(page) {
                broken.push(format!("I8: tab {} is signed in, and a call got {answer:?}", page.tab.id));
            }
        }
        self.world.advance(secs(30));
        broken.extend(invariants::violations(&self.world));
        broken.retain(|line| !self.jumped || !line.starts_with("I8") || !line.contains("which lives"));
        broken.retain(|line| !self.apart || !line.starts_with("I4: tabs that share a medium"));
        broken
    }
}

/// What became of the refresh token is not known, and will not be: only another sign-in helps, and the application knows.
fn is_ambiguous(page: &Page) -> bool {
    page.run(|client| async move { client.renew().await }).is_err_and(|error| error.code == ErrorCode::RefreshAmbiguous)
}

/// A request of the application's, as `auth.fetch` makes it: sent again once, if a new token may help.
pub(crate) async fn call(client: &Client<Tab>, tab: &Tab) -> Result<u16, Error> {
    const URL: &str = "https://api.example/items";
    let mut status = 0;
    for first in [true, false] {
        let Some(given) = client.authorize(URL, "GET").await? else { return Ok(0) };
        let Some(url) = WebUrl::parse(URL) else { return Ok(0) };
        let mut request = HttpRequest::new("GET", url);
        request.headers.extend(given.headers);
        let Ok(answer) = tab.send(&request).await else { return Ok(0) };
        status = answer.status;
        if !first || !client.answered(given.credential, status, answer.header("www-authenticate")).await {
            break;
        }
    }
    Ok(status)
}

/// What no tab of ours says, or says at that time.
const HOSTILE: [&str; 12] = [
    "",
    "c",
    "c  18446744073709551615",
    "c ffffffffffffffff 18446744073709551615",
    "c ffffffffffffffff 1",
    "c \u{0} 1",
    "o logged_out ffffffffffffffff 1",
    "o expired  0",
    "o user_changed ffffffffffffffff 18446744073709551615",
    "o error x 99999999999999999999999999",
    "{\"type\":\"SIGNED_OUT\"}",
    "[object Object]",
];

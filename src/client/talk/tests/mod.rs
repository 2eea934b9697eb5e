//! Conversations, move by move, with canned answers.
#![allow(clippy::type_complexity, reason = "a table of cases shows its columns")]

use super::*;
use crate::client::options::Config;
use crate::machine::Login;
use crate::protocol::answer;
use crate::protocol::http::HttpFailure;
use crate::protocol::testing::{answer as reply, randomness, url};
use crate::types::{Lifetime, Password, UnixMillis};

mod session_server;
mod token_mode;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

/// What a server says; the text is JSON.
enum Says {
    Status(u16, &'static str),
    /// Of an ID token.
    Refused(ErrorCode),
    Nothing,
}
use Says::{Nothing, Refused, Status};

/// Plays a conversation to its end: what was sent, and what came of it. `cookies` is what the page holds at each answer.
fn play(begun: Step<'_>, memory: &mut Memory, says: &[Says], cookies: &[&str]) -> (Vec<String>, String) {
    let (mut sent, mut says, mut cookies) = (Vec::new(), says.iter(), cookies.iter());
    let mut step = begun;
    let mut at = NOW;
    loop {
        step = match step {
            Ok(Next::Send(request, phase, then)) => {
                sent.push(line(&request));
                at = at.plus(Lifetime::from_seconds(1));
                let cookie = cookies.next().map(|cookie| (*cookie).to_owned()).filter(|cookie| !cookie.is_empty());
                let answer = match says.next() {
                    Some(Status(status, body)) => Ok(reply(*status, "application/json", body)),
                    Some(Nothing) => Err(answer::failure(HttpFailure::NetworkOrCors, phase)),
                    Some(Refused(_)) => panic!("nobody judges anything now"),
                    None => panic!("nobody answers {sent:?}"),
                };
                then.next(answer, Moment { asked: reading(at), now: reading(at), cookie }, memory)
            }
            Ok(Next::Judge(judging)) => {
                sent.push("judge".to_owned());
                let judged = match says.next() {
                    Some(Status(_, claims)) => Ok(Json::parse(claims).unwrap()),
                    Some(Refused(code)) => Err((*code).into()),
                    Some(Nothing) => Err(ErrorCode::Timeout.into()),
                    None => panic!("nobody judges {sent:?}"),
                };
                judging.judged(judged, memory)
            }
            Ok(Next::Draw(leaving)) => leaving.leave((&randomness(1), None), at),
            Ok(Next::Keep(transaction, url)) => {
                assert!(url.query().contains(transaction.state.as_str()));
                let draft = transaction.app_state.as_ref().and_then(Json::text);
                return (sent, format!("keep {draft:?}, leave for {}", url.path()));
            }
            Ok(Next::Done(answer)) => return (sent, told(&answer)),
            Ok(Next::Unjudged(error, answer)) => {
                return (sent, format!("{}, though {}", told(&answer), error.code.as_str()));
            }
            Err(error) => return (sent, format!("{} during {:?}", error.code.as_str(), error.phase)),
        }
    }
}

fn reading(at: UnixMillis) -> Reading {
    Reading { wall: at, ran: NOW.until(at) }
}

/// Method, path, proof and body of a request.
fn line(request: &HttpRequest) -> String {
    let proof = request.headers.iter().find(|(name, _)| name == "x-csrf").map(|(_, value)| value.as_str());
    let body = request.body.as_ref().map(|(_, body)| body.as_str());
    [Some(request.method.as_str()), Some(request.url.path()), proof, body]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Such lines; `T` stands for what the user typed.
fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| line.replace(" T", &[" ", TYPED].concat())).collect()
}

fn told(answer: &Answer) -> String {
    let who = |session: &Session| {
        let issued = session.facts.issued_at.map(|at| at.0 - NOW.0);
        format!("{:?} at {issued:?}", session.user.get("sub").and_then(Json::text))
    };
    match answer {
        Answer::SignedIn(arrived) => format!("signed in {}", who(&arrived.session)),
        Answer::Renewed(session) => format!("renewed {}", who(session)),
        Answer::Checked(session) => format!("checked {:?}", session.as_ref().map(who)),
        Answer::Leave(url) => format!("leave for {}", url.path()),
        Answer::Reached => "reached".to_owned(),
        Answer::Ended => "ended".to_owned(),
    }
}

fn config(options: &str) -> Mode {
    Config::parse(&Json::parse(options).unwrap(), &url("https://app.example/")).unwrap().mode
}

fn redirect() -> Call {
    let app_state = Some(Json::from("draft"));
    Call::Login(Box::new(Login::Redirect { params: Vec::new(), return_to: None, app_state }))
}

fn password() -> Call {
    let password = Password::new("pw".to_owned()).unwrap();
    let (username, extra, return_to, app_state) = ("al".to_owned(), None, None, None);
    Call::Login(Box::new(Login::Password { username, password, extra, return_to, app_state }))
}

const TYPED: &str = r#"{"username":"al","password":"pw"}"#;

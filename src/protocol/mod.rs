//! Wire messages: build a request, judge an answer. A pair per file, each citing its section. Sends nothing.

pub mod http;

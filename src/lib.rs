#![doc = include_str!("../README.md")]
pub mod error;
pub mod ports;
pub mod protocol;
pub mod types;

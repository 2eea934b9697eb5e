#![doc = include_str!("../README.md")]
// The map of the crate. Arrows point one way: `types` <- `protocol`, `jose`, `policy` <- `machine` <- `client` <- `js`;
// `browser` implements `ports` and is named in `js` only. `tests/layers.rs` holds the map to it.

#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod client;
pub mod error;
pub mod jose;
#[cfg(target_arch = "wasm32")]
pub mod js;
pub mod machine;
pub mod policy;
pub mod ports;
pub mod protocol;
pub mod types;

pub use client::options::Config;
pub use client::{Client, Report};
pub use error::{Error, ErrorCode};

/// Allocates for the WebAssembly module.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

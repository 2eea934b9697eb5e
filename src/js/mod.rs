//! The wasm-bindgen skin: options in, promises out. It converts and calls; it decides nothing.
//!
//! The TypeScript layer of the npm package is its only caller. There are two WebAssembly modules, and a skin for each: `core`,
//! and with the feature `jwt-skin`, `jwt`.

#[cfg(not(feature = "jwt-skin"))]
mod core;
#[cfg(feature = "jwt-skin")]
mod jwt;
#[cfg(not(feature = "jwt-skin"))]
mod plain;

#[cfg(not(feature = "jwt-skin"))]
pub use core::Core;
#[cfg(feature = "jwt-skin")]
pub use jwt::Jwt;

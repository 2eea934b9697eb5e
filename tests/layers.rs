//! The map of the crate is a rule: a layer uses only what stands below it.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "sources that cannot be read fail the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer, and what it may use of the crate. `error` and `types` are everybody's vocabulary; `error` is written in it.
const MAY_USE: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("protocol", &["types"]),
    ("jose", &["types"]),
    ("policy", &["types"]),
    ("machine", &["types", "protocol", "jose", "policy"]),
    ("ports", &["types", "protocol", "jose"]),
    ("client", &["types", "protocol", "jose", "policy", "machine", "ports"]),
    ("browser", &["types", "protocol", "jose", "ports"]),
    ("js", &["types", "protocol", "jose", "policy", "machine", "ports", "client", "browser"]),
];

/// Crates that only work in a browser, and the only layers that may name them.
const WEB_CRATES: &[&str] = &["wasm_bindgen", "web_sys", "js_sys", "gloo_storage", "wasm_bindgen_futures"];
const WEB_LAYERS: &[&str] = &["browser", "js"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code without comments, and without the tests at its end: they may look at anything.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    body.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn layers() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&root)
        .into_iter()
        .filter(|path| !path.ends_with("lib.rs"))
        .map(|path| {
            let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
            (first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned(), path)
        })
        .collect()
}

/// Layers of the crate that `code` names by path.
fn used(code: &str) -> Vec<String> {
    let flat: String = code.split_whitespace().collect();
    let mut found = Vec::new();
    for part in flat.split("crate::").skip(1) {
        let names = part.strip_prefix('{').map_or(part, |group| group.split('}').next().unwrap());
        let in_group = part.starts_with('{');
        for name in names.split(',') {
            let word: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(word);
            if !in_group {
                break;
            }
        }
    }
    found
}

#[test]
fn a_layer_uses_only_the_layers_below_it() {
    let mut broken = Vec::new();
    for (layer, path) in layers() {
        if layer == "error" {
            continue;
        }
        let (_, allowed) =
            MAY_USE.iter().find(|(name, _)| *name == layer).unwrap_or_else(|| panic!("{layer} is not on the map"));
        for name in used(&code(&path)) {
            let known = MAY_USE.iter().any(|(each, _)| *each == name);
            if known && name != layer && !allowed.contains(&name.as_str()) {
                broken.push(format!("{} uses crate::{name}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn only_the_browser_side_names_browser_crates() {
    for (layer, path) in layers() {
        if WEB_LAYERS.contains(&layer.as_str()) {
            continue;
        }
        let code = code(&path);
        for name in WEB_CRATES {
            assert!(!code.contains(name), "{} names {name}", path.display());
        }
    }
}

#[test]
fn serde_wasm_bindgen_is_named_in_the_skin_only() {
    for (layer, path) in layers() {
        assert!(layer == "js" || !code(&path).contains("serde_wasm_bindgen"), "{}", path.display());
    }
}

#[test]
fn jsonwebtoken_is_named_in_one_file_only() {
    let users: Vec<_> = layers().into_iter().filter(|(_, path)| code(path).contains("jsonwebtoken")).collect();
    assert_eq!(users.len(), 1, "{users:?}");
    assert!(users.iter().all(|(_, path)| path.ends_with("jose/provider.rs")), "{users:?}");
}

#[test]
fn no_layer_is_an_empty_shell() {
    for (layer, _) in MAY_USE {
        let lines: usize =
            layers().iter().filter(|(name, _)| name == layer).map(|(_, path)| code(path).lines().count()).sum();
        assert!(lines > 40, "{layer} has {lines} lines");
    }
}

#[test]
fn the_reader_of_this_test_sees_every_spelling_of_a_use() {
    assert_eq!(
        used("use crate::client::X; use crate::{error::E, js}; crate :: policy::y()"),
        ["client", "error", "js", "policy"]
    );
}

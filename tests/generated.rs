//! What TypeScript knows of the tables in Rust is generated from them: the codes of errors, and what each storage medium
//! gives and risks. The generated files are committed; these tests fail when one no longer says what its table says.
//! `AUTHSAFE_BLESS=1 cargo test --test generated` writes them anew.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot write its file has failed")]

use authsafe::error::{ErrorCode, ErrorPhase, ErrorRecovery};
use authsafe::jose::algs::{Algorithm, Allowed, ED25519};
use authsafe::policy::storage::{Medium, describe};
use std::path::Path;

/// The errors that TypeScript must be able to raise before the core is there, or when it is gone.
const OWN: &[ErrorCode] = &[
    ErrorCode::Aborted,
    ErrorCode::ConfigInvalid,
    ErrorCode::CoreLost,
    ErrorCode::Disposed,
    ErrorCode::InsecureContext,
    ErrorCode::IsolationUnavailable,
    ErrorCode::RequestRefused,
    ErrorCode::WasmBlockedByCsp,
    ErrorCode::WasmLoadFailed,
    ErrorCode::WasmTrapped,
];

/// The errors that `authsafe/jwt` gets from its module, by their number.
const JWT: &[ErrorCode] = &[
    ErrorCode::ConfigInvalid,
    ErrorCode::IdTokenAlgorithmRefused,
    ErrorCode::IdTokenInvalid,
    ErrorCode::IdTokenMalformed,
    ErrorCode::IdTokenSignatureInvalid,
    ErrorCode::IdTokenUnverifiable,
    ErrorCode::JwksInvalid,
    ErrorCode::JwksKeyAmbiguous,
    ErrorCode::JwksKeyMissing,
    ErrorCode::JwksUnavailable,
];

/// What is true or false of a storage medium, in the words of TypeScript.
const FACTS: [&str; 4] = ["survivesReload", "sharedAcrossTabs", "readableByScript", "sentAutomatically"];

#[test]
fn the_error_codes_of_typescript_are_those_of_the_table() {
    let mut out = head("src/error.rs");
    out.push_str(
        "/** What happened. Codes are stable: one is never reused for something else. */\nexport type AuthErrorCode =",
    );
    for code in ErrorCode::ALL {
        out.push_str(&format!("\n  /** {} {} */\n  | {}", code.description(), code.hint(), quoted(code.as_str())));
    }
    out.push_str(";\n");
    union(&mut out, "During what an error occurred.", "ErrorPhase", ErrorPhase::ALL.iter().map(|phase| phase.as_str()));
    union(&mut out, "What helps.", "ErrorRecovery", ErrorRecovery::ALL.iter().map(|recovery| recovery.as_str()));
    out.push_str("\ntype Facts = readonly [phase: ErrorPhase, recovery: ErrorRecovery, what: string, hint: string];\n");
    out.push_str(
        "\n/**\n * The errors that are raised without the core.\n *\n * @internal\n */\nexport const OWN_ERRORS = {\n",
    );
    for code in OWN {
        let texts = [code.phase().as_str(), code.recovery().as_str(), code.description(), code.hint()];
        out.push_str(&array(&format!("  {}: ", code.as_str()), &texts, ","));
    }
    out.push_str("} satisfies { [code in AuthErrorCode]?: Facts };\n");
    compare("errors.ts", &out);
}

#[test]
fn the_jwt_module_s_errors_and_algorithms_are_known_by_their_numbers() {
    let mut out = head("src/error.rs and src/jose/algs.rs");
    out.push_str("/**\n * What the module says in a number.\n *\n * @internal\n */\nexport const JWT_ERRORS = {\n");
    for code in JWT {
        let texts = [code.as_str(), code.phase().as_str(), code.recovery().as_str(), code.description(), code.hint()];
        out.push_str(&array(&format!("  {}: ", *code as u8), &texts, ","));
    }
    out.push_str("} as const;\n\n/**\n * One bit for each.\n *\n * @internal\n */\nexport const ALGORITHMS = {\n");
    for name in Algorithm::ALL.iter().map(|each| each.as_str()).chain([ED25519]) {
        let bits = Allowed::only(&[Algorithm::parse(name).unwrap()]).unwrap().bits();
        out.push_str(&format!("  {name}: {bits},\n"));
    }
    out.push_str("} as const;\n");
    compare("jwt.ts", &out);
}

#[test]
fn an_error_that_typescript_raises_by_itself_needs_no_more_than_its_phase_and_recovery() {
    for code in OWN {
        assert_eq!(code.retryable(), code.recovery() == ErrorRecovery::Retry, "{code:?}");
    }
}

#[test]
fn what_typescript_tells_of_a_storage_medium_is_what_the_table_tells() {
    let mut out = head("src/policy/storage.rs");
    // One row serves both forms: the notes begin with two of the form's own, which are the same for all media.
    let mut forms: Option<[&[&str]; 2]> = None;
    let mut rows = String::new();
    for medium in Medium::ALL {
        let (sealed, plain) = (describe(*medium, false), describe(*medium, true));
        let gives =
            [plain.survives_reload, plain.shared_across_tabs, plain.readable_by_script, plain.sent_automatically];
        assert_eq!(
            gives,
            [sealed.survives_reload, sealed.shared_across_tabs, sealed.readable_by_script, sealed.sent_automatically]
        );
        let own = if *medium == Medium::Memory { 0 } else { 2 };
        assert_eq!(sealed.notes[own..], plain.notes[own..], "{medium:?}");
        if own > 0 {
            let form = [&sealed.notes[..own], &plain.notes[..own]];
            assert_eq!(*forms.get_or_insert(form), form, "{medium:?}");
        }
        rows.push_str(&format!("  {}: {{\n", medium.as_str()));
        for (name, fact) in FACTS.iter().zip(gives) {
            rows.push_str(&format!("    {name}: {fact},\n"));
        }
        rows.push_str(&array("    notes: ", &plain.notes[own..], ","));
        rows.push_str("  },\n");
    }
    out.push_str("import type { StorageDescription } from \"../types.js\";\n\n");
    out.push_str("/**\n * What is said first of a medium that is written to.\n *\n * @internal\n */\n");
    let [sealed, plain] = forms.unwrap();
    out.push_str(&array("export const SEALED = ", sealed, ";"));
    out.push_str("\n/**\n * The same, where the application chose plain text.\n *\n * @internal\n */\n");
    out.push_str(&array("export const PLAIN = ", plain, ";"));
    out.push_str("\n/**\n * What each medium gives and risks in either form.\n *\n * @internal\n */\n");
    out.push_str("export const STORAGE = {\n");
    out.push_str(&rows);
    out.push_str("} satisfies { [kind: string]: StorageDescription };\n");
    compare("storage.ts", &out);
}

fn head(table: &str) -> String {
    format!(
        "// Generated from {table} by tests/generated.rs. Change the table, then: AUTHSAFE_BLESS=1 cargo test --test generated\n\n"
    )
}

fn union<'a>(out: &mut String, doc: &str, name: &str, words: impl Iterator<Item = &'a str>) {
    out.push_str(&format!("\n/** {doc} */\nexport type {name} ="));
    let words: Vec<_> = words.map(quoted).collect();
    let line = words.join(" | ");
    if line.len() + name.len() + 16 <= 120 {
        out.push_str(&format!(" {line};\n"));
    } else if line.len() + 3 <= 120 {
        out.push_str(&format!("\n  {line};\n"));
    } else {
        out.push_str(&format!("\n  | {};\n", words.join("\n  | ")));
    }
}

/// An array after `before`: on one line where it fits, else one text a line.
fn array(before: &str, texts: &[&str], after: &str) -> String {
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    let line = format!("{before}[{}]{after}\n", texts.join(", "));
    if line.chars().count() <= 121 {
        return line;
    }
    let indent = " ".repeat(before.len() - before.trim_start().len());
    let lines: String = texts.iter().map(|text| format!("{indent}  {text},\n")).collect();
    format!("{before}[\n{lines}{indent}]{after}\n")
}

/// A TypeScript string: in the quotes that need fewer escapes, as the house style has it.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\");
    if text.matches('"').count() > text.matches('\'').count() {
        format!("'{}'", text.replace('\'', "\\'"))
    } else {
        format!("\"{}\"", text.replace('"', "\\\""))
    }
}

fn compare(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pkg/ts/generated").join(file);
    if std::env::var_os("AUTHSAFE_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "pkg/ts/generated/{file} is not what its table says; write it anew with AUTHSAFE_BLESS=1 cargo test --test generated"
    );
}

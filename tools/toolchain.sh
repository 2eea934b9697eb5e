# Finds or makes a compiler that can build for the browser. Sourced by tools/setup, whose functions it uses, after lib.sh.
#
# Two ways. An ordinary machine has rustup, which fetches the standard library for wasm32-unknown-unknown. Where the network
# refuses rustup, Debian's own compiler comes with the source of its standard library, which is then built once into the
# cache: a folder of links to that compiler's files plus the one folder it lacks, handed over as --sysroot.

# The results: which way, the compiler and its cargo, a folder to put first on PATH, and two standard libraries (empty: the
# compiler's own).
KIND='' RUSTC_REAL='' CARGO_REAL='' WASM_BIN='' SYSROOT_PLAIN='' SYSROOT_SMALL=''

on_debian() { [ -f /etc/debian_version ] && has apt-get && has apt-cache; }

# The compiler on PATH already has the standard library for the browser.
has_target() {
  local sysroot
  has rustc && has cargo || return 1
  sysroot=$(rustc --print sysroot)
  compgen -G "$sysroot/lib/rustlib/$TARGET/lib/libstd-*.rlib" >/dev/null
}

rustup_home() { printf '%s' "${RUSTUP_HOME:-$HOME/.rustup}"; }

# Has rustup fetch something, bounded. $1: what for; the rest is the command.
rustup_fetch() {
  local why=$1 log=$LOGS/rustup.log
  shift
  say "$why: $*"
  if bounded 600 20 "$(rustup_home)" "$log" env RUST_BACKTRACE=0 "$@"; then return 0; fi
  say "that did not work: $(tail -n 1 "$log")"
  return 1
}

# Debian's names for a compiler, its cargo and the source of its standard library, newest first.
debian_packages() {
  local compiler names llvm
  for compiler in web ''; do
    if [ -n "$compiler" ]; then names="rustc-web cargo-web rust-web-src rust-web-llvm"; else names="rustc cargo rust-src rust-llvm"; fi
    # shellcheck disable=SC2086
    if apt-cache show ${names%% *} >/dev/null 2>&1; then
      # The linker must be of the compiler's LLVM.
      llvm=$(apt-cache depends "${names##* }" 2>/dev/null | sed -n 's/.*Depends: llvm-\([0-9]*\).*/\1/p' | head -n 1)
      names="$names lld${llvm:+-$llvm}"
      if [ "$1" = lint ]; then
        names="$names rust-${compiler:+web-}clippy"
        # Where there is rustup, its cargo is the one that formats; see lint_tools.
        has rustup || names="$names rustfmt${compiler:+-web}"
      fi
      printf '%s' "$names"
      return 0
    fi
  done
  return 1
}

# Those of the named packages that are not installed.
not_installed() {
  local name installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    case "
$installed
" in *"
installed $name
"*) ;; *) printf '%s ' "$name" ;; esac
  done
}

# choose_toolchain lint|build: sets KIND, and DEBIAN_MISSING to the packages that way still needs.
choose_toolchain() {
  local wanted=${AUTHSAFE_TOOLCHAIN:-auto} kept=$CACHE/debian-packages-$1 names
  DEBIAN_MISSING=''
  case $wanted in auto | rustup | debian) ;; *) fail "AUTHSAFE_TOOLCHAIN is '$wanted'; it can be auto, rustup or debian" ;; esac
  if [ "$wanted" != debian ]; then
    if has_target; then KIND=rustup; return; fi
    # Once Debian's way was taken here, rustup is not asked again each time.
    if has rustup && { [ "$wanted" = rustup ] || [ ! -f "$CACHE/debian-chosen" ]; }; then
      if rustup_fetch "fetching the standard library for the browser" rustup target add "$TARGET" && has_target; then
        KIND=rustup
        return
      fi
    fi
    [ "$wanted" = auto ] || fail "rustup has no $TARGET and could not fetch it"
  fi
  on_debian || fail "no compiler for $TARGET here. Run: rustup target add $TARGET"
  # The names are kept beside the compiler that they led to: asking apt takes seconds.
  if [ -f "$kept" ] && [ ! /usr/bin/rustc -nt "$kept" ]; then
    names=$(cat "$kept")
  else
    names=$(debian_packages "$1") || { apt_update && names=$(debian_packages "$1"); } ||
      fail "no compiler for $TARGET here, and Debian's packages are out of reach. Run: rustup target add $TARGET"
  fi
  KIND=debian
  # shellcheck disable=SC2086
  DEBIAN_MISSING=$(not_installed $names)
  if [ -z "$DEBIAN_MISSING" ]; then
    printf '%s' "$names" >"$kept.$$"
    mv -f "$kept.$$" "$kept"
  fi
}

# Once everything is installed: the paths, and the standard libraries. $1: `plain` where tests and lints need the ordinary one.
make_toolchain() {
  if [ "$KIND" = rustup ]; then
    RUSTC_REAL=$(rustc --print sysroot)/bin/rustc
    CARGO_REAL=$(command -v cargo)
    if fetch_rust_src; then std small; fi
  else
    RUSTC_REAL=/usr/bin/rustc
    CARGO_REAL=/usr/bin/cargo
    touch "$CACHE/debian-chosen"
    WASM_BIN=$CACHE/debian-bin
    mkdir -p "$WASM_BIN"
    for tool in cargo cargo-clippy; do
      [ ! -x "/usr/bin/$tool" ] || [ -x "$WASM_BIN/$tool" ] || ln -sf "/usr/bin/$tool" "$WASM_BIN/$tool"
    done
    # wasm-pack asks the rustc on PATH where its libraries are.
    if ! cmp -s "$ROOT/tools/rustc" "$WASM_BIN/rustc"; then
      cp "$ROOT/tools/rustc" "$WASM_BIN/rustc.$$"
      mv -f "$WASM_BIN/rustc.$$" "$WASM_BIN/rustc"
    fi
    std small
    # Only tests and lints need the ordinary one, and a build where the small one cannot be made.
    if [ "$1" = plain ] || [ -z "$SYSROOT_SMALL" ]; then
      std plain
      [ -n "$SYSROOT_PLAIN" ] || fail "the standard library for the browser could not be built"
    fi
  fi
}

# What formats and lints, for the cargo on PATH: a rustup profile may be without it.
lint_tools() {
  local missing=''
  cargo clippy --version >/dev/null 2>&1 || missing=clippy
  cargo fmt --version >/dev/null 2>&1 || missing="$missing rustfmt"
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086
  if has rustup && rustup_fetch "fetching what formats and lints the Rust code" rustup component add $missing &&
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then
    return 0
  fi
  has rustup || fail "the checks need clippy and rustfmt, and the cargo on PATH is without them"
  fail "the checks need clippy and rustfmt. Run this, then try again:
  rustup component add clippy rustfmt"
}

# The source of the standard library, for the small build; without it the build works and is larger.
fetch_rust_src() {
  local refused=$CACHE/rust-src-refused
  [ ! -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || return 0
  has rustup || return 1
  # A refusal is believed for a day.
  [ -z "$(find "$refused" -mtime -1 2>/dev/null)" ] || return 1
  rustup_fetch "fetching the source of the standard library, for a smaller build" rustup component add rust-src && return 0
  touch "$refused"
  return 1
}

# std plain|small: builds that standard library unless the cache has it, and sets SYSROOT_PLAIN or SYSROOT_SMALL.
std() {
  local kind=$1 version place own log=$LOGS/std-$1.log features='' crates flags='-Cembed-bitcode=yes'
  version=$("$RUSTC_REAL" -vV | sed -n -e 's/^commit-hash: \(.\{9\}\).*/\1/p' -e 's/^release: //p' | sort -r | paste -sd- -)
  place=$CACHE/std/$version-$KIND-$kind
  if [ ! -f "$place/complete" ]; then
    say "building the $kind standard library for the browser with $("$RUSTC_REAL" --version | cut -d' ' -f1,2); once, 1 to 4 minutes"
    begin_work
    mkdir "$WORK/src"
    : >"$WORK/src/lib.rs"
    printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\npanic = "abort"\n' >"$WORK/Cargo.toml"
    if [ "$kind" = small ]; then
      printf 'opt-level = "z"\ncodegen-units = 1\n' >>"$WORK/Cargo.toml"
      crates=std,panic_abort features=optimize_for_size flags="$flags $SMALL_FLAGS"
    else
      crates=std,panic_abort,panic_unwind,test,proc_macro
    fi
    own=$("$RUSTC_REAL" --print sysroot)
    # Paths of this machine have no place in what is published.
    flags="$flags --remap-path-prefix=$own=/rust --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$WORK=/std"
    if ! bounded 1800 600 "$WORK" "$log" within "$WORK" env RUSTC_BOOTSTRAP=1 RUSTC="$RUSTC_REAL" RUSTFLAGS="$flags" \
      CARGO_TARGET_DIR="$WORK/target" "$CARGO_REAL" build --release --target "$TARGET" \
      "-Zbuild-std=$crates" ${features:+"-Zbuild-std-features=$features"}; then
      end_work
      say "that did not work; the log is $log; its end:"
      tail -n 5 "$log"
      return 0
    fi
    assemble_sysroot "$own" "$WORK/target/$TARGET/release/deps" "$WORK/made"
    keep_work "$WORK/made" "$place" complete
  fi
  if [ "$kind" = small ]; then SYSROOT_SMALL=$place; else SYSROOT_PLAIN=$place; fi
}

# A sysroot is the compiler's own, by links, with the freshly built libraries in the place of the target's.
assemble_sysroot() {
  local own=$1 built=$2 place=$3 entry
  mkdir -p "$place/lib/rustlib/$TARGET/lib"
  for entry in "$own"/lib/rustlib/*; do
    [ "${entry##*/}" = "$TARGET" ] || ln -s "$entry" "$place/lib/rustlib/${entry##*/}"
  done
  for entry in "$built"/*.rlib; do
    case ${entry##*/} in libnothing*) ;; *) cp "$entry" "$place/lib/rustlib/$TARGET/lib/" ;; esac
  done
  touch "$place/complete"
}

# What the shell tools share. Sourced, not run. Plain enough for the bash 3.2 of macOS.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${AUTHSAFE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/authsafe}
TARGET=wasm32-unknown-unknown
# What setup's commands print. In the clone: in the cache, another clone's setup would write to the same files.
LOGS=$ROOT/target/setup-logs
# What setup found on this machine; the other tools read it.
FOUND=$ROOT/target/authsafe-env.sh
# How the small standard library and everything on top of it is compiled: a panic traps at once and carries no text.
SMALL_FLAGS='-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none'

# Progress goes to stderr: what a tool was asked to print stands alone on stdout.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Prepares what the calling tool needs (see tools/setup) and takes over the paths that setup found. A tool that calls others
# prepares for all of them: they inherit what was found.
prepare() {
  [ -z "${AUTHSAFE_PREPARED:-}" ] || return 0
  "$ROOT/tools/setup" "$1"
  # shellcheck disable=SC1090
  source "$FOUND"
  export AUTHSAFE_PREPARED=$1
}

# A digest of the given files and folders, by name and content. Node is there anyway; sha256sum is not everywhere.
digest() { node "$ROOT/tools/digest.mjs" "$@"; }

# within FOLDER COMMAND...: for `bounded`, which must not be in a subshell: an interrupt would end that alone.
within() { sh -c 'cd "$1" && shift && exec "$@"' sh "$@"; }

# bounded TOTAL STALL FOLDER LOG COMMAND...
# Runs COMMAND with its output in LOG, and ends it after TOTAL seconds, or after STALL seconds in which neither LOG nor
# FOLDER (`-`: none) grew: a download that a firewall swallows would otherwise wait for ever.
bounded() {
  local total=$1 stall=$2 folder=$3 log=$4
  shift 4
  local waited=0 quiet=0 before='' now pid
  : >"$log"
  # A group of its own, so that the command's children end with it.
  set -m
  "$@" </dev/null >>"$log" 2>&1 &
  pid=$!
  set +m
  # shellcheck disable=SC2064
  trap "kill -- -$pid 2>/dev/null; exit 130" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    now=$(du -sk "$log" "$folder" 2>/dev/null || true; wc -c <"$log")
    if [ "$now" = "$before" ]; then quiet=$((quiet + 1)); else quiet=0; fi
    before=$now
    if [ "$waited" -ge "$total" ] || [ "$quiet" -ge "$stall" ]; then
      kill -- "-$pid" 2>/dev/null || true
      wait "$pid" 2>/dev/null || true
      trap - INT TERM
      printf 'ended after %s s, %s s without progress\n' "$waited" "$quiet" >>"$log"
      return 124
    fi
    sleep 1
    waited=$((waited + 1))
  done
  trap - INT TERM
  wait "$pid"
}

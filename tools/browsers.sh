# Finds the browsers and their drivers for the tests. Sourced by tools/setup; lib.sh comes first.
#
# The results: CHROME, CHROMEDRIVER, FIREFOX, GECKODRIVER, each a path; what is already set is kept.

MAC_CHROME='/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
MAC_FIREFOX=/Applications/Firefox.app/Contents/MacOS/firefox

# first_of NAME...: the path of the first that exists.
first_of() {
  local name
  for name in "$@"; do
    if has "$name"; then
      command -v "$name"
      return 0
    fi
  done
  return 0
}

look_for_browsers() {
  CHROME=${CHROME:-$(first_of chromium google-chrome google-chrome-stable chromium-browser "$MAC_CHROME")}
  CHROMEDRIVER=${CHROMEDRIVER:-$(first_of chromedriver)}
  FIREFOX=${FIREFOX:-$(first_of firefox firefox-esr "$MAC_FIREFOX")}
}

# missing_browser_packages test|bench: Debian's names for what is not there; nothing on other systems.
missing_browser_packages() {
  on_debian || return 0
  look_for_browsers
  # The driver must be of the browser's version, so the two come from one place.
  [ -n "$CHROME" ] || printf 'chromium '
  [ "$1" != bench ] || return 0
  [ -n "$CHROMEDRIVER" ] || printf 'chromium-driver '
  [ -n "$FIREFOX" ] || printf 'firefox-esr '
}

find_chrome() {
  look_for_browsers
  if [ -z "$CHROME" ]; then
    say "installing Playwright's own Chromium, as no browser of the system was found"
    bounded 900 120 - "$LOGS/playwright.log" within "$ROOT" npx --no-install playwright install chromium ||
      fail "no Chromium here, and Playwright's could not be fetched: $(tail -n 1 "$LOGS/playwright.log")"
    CHROME=$(cd "$ROOT" && node --input-type=module -e 'import { chromium } from "@playwright/test"; console.log(chromium.executablePath())')
  fi
}

find_browsers() {
  find_chrome
  [ -n "$CHROMEDRIVER" ] || fail "chromedriver is needed, of the same version as $CHROME. Run: npx @puppeteer/browsers install chromedriver@stable"
  [ -n "$FIREFOX" ] || fail "Firefox is needed: https://www.mozilla.org/firefox"
  cargo_tool geckodriver "$GECKODRIVER_VERSION" geckodriver "which drives Firefox in the tests"
  GECKODRIVER=${GECKODRIVER:-$(PATH=$TOOLS$PATH command -v geckodriver)}
}

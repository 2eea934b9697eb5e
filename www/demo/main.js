/**
 * The demo page's entry: loads the application and says in plain words what is missing where that fails.
 *
 * Hooks for tests (`data-testid`); texts may change, these do not:
 *
 * Choice. `mode` and in it the radios `mode-session`, `mode-token`; `login`: `login-oidc`, `login-password`,
 *   `login-password-cookie`; `storage`: `storage-memory`, `storage-sessionStorage`, `storage-localStorage`,
 *   `storage-cookie`; the check box `plaintext`; the select `csrf`: `double-submit`, `synchronizer`, `static-header`;
 *   `renew`: `renew-ahead`, `renew-on-use`. `client-id` is the `id` of the client that the choice made.
 *   The same by address: `/?mode=token&login=oidc&storage=localStorage&plaintext=yes&renew=on-use`, `/?mode=session&csrf=synchronizer`.
 * State. `status` is `state.status`, or `none` while there is no client; `reason`, `freshness`, `user-name`: hidden and
 *   empty where the state has none. `expires-in` shows the seconds left and has them in `data-seconds` (empty: unknown).
 * Sign-in. `sign-in` (by redirect); `username`, `password`, `submit` (by password).
 * Signed in. `refresh`, `second-tab`, `sign-out-local`, `sign-out`.
 * Calls. `call-api`, `call-api-post`, `call-api-50`, `call-expired`. When a run is over, `api-result` has
 *   `data-calls`, `data-ok`, `data-refreshes` (renewals by this tab since the button was pressed) and `data-status` (HTTP
 *   statuses that came, comma-separated); while it lasts, `data-busy`. `api-body` is the last answer.
 * Laboratory. `lab-attack` is a select (`storage`, `listen`, `second`, `send`, `use`), `lab-run` starts the attack; when it is
 *   over, `lab-result` has `data-got`, the kinds of token that the thief has (comma-separated, empty for none).
 * ID token. `token-panel`, there only in token mode with somebody signed in; in it `token-claims`, with one row for each claim
 *   (`data-claim`), and the buttons `token-as-signed`, `token-claim`, `token-signature`, `token-none`. When a verification is
 *   over, `token-result` has `data-code`: the error's code, empty where the token was accepted; `token-verdict` is the rest.
 * Log. `timeline`: one `li` per entry, newest first, `data-kind` is an event's name, `state`, `call` or `choice`;
 *   `refresh-count` counts `refreshed` events since the page was loaded.
 * Errors. `error` is the card, there only while there is an error; in it `error-code`, `error-hint`, `error-recovery`,
 *   `error-retryable` (`yes` or `no`), `error-dismiss`.
 */
const boot = document.getElementById("boot");

try {
  const { startApp } = await import("./app.js");
  await startApp();
  boot.remove();
} catch (error) {
  boot.classList.add("failed");
  boot.setAttribute("role", "alert");
  boot.textContent = `The demo could not start (${error.message}). Is the package built, and are the servers running? “make demo” does both.`;
  console.error(error);
}

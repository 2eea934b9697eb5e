/** The application: holds the choice, the client made from it and the client's state, and tells the views of each change. */
import { apiAddress, clientId, clientOptions, openClient } from "./client.js";
import { addressOf, loadServers, readChoice, rememberChoice, showInAddress } from "./config.js";
import { announce } from "./dom.js";
import { createTimeline, wordsForEvent, wordsForState } from "./timeline.js";
import { createCallsView } from "./view-calls.js";
import { createChoiceView, summary } from "./view-choice.js";
import { createCodeView } from "./view-code.js";
import { createDoorView } from "./view-door.js";
import { clearError, showError } from "./view-error.js";
import { createLabView } from "./view-lab.js";
import { createMeaningView } from "./view-meaning.js";
import { createStateView } from "./view-state.js";
import { createTokenView } from "./view-token.js";

/** Loads what the servers say of themselves, then runs the page until it is left. */
export async function startApp() {
  const servers = await loadServers();
  const timeline = createTimeline();
  let choice = readChoice();
  /** The client in force, or `null` where its options were refused. */
  let client = null;
  let ownRefreshes = 0;
  let lastWords;

  const views = {
    choice: createChoiceView(choose),
    state: createStateView(),
    door: createDoorView({ signInByPassword, signInByRedirect, refresh, signOut }, servers.users ?? []),
    calls: createCallsView(() => ({ auth: client?.auth, choice, address: apiAddress(choice, servers) }), {
      onError: showError,
      log: (title, detail) => timeline.add("call", title, detail),
      refreshes: () => ownRefreshes,
    }),
    lab: createLabView(
      () => ({ auth: client?.auth, options: clientOptions(choice, servers), address: apiAddress(choice, servers) }),
      servers.labUrl,
      (title, detail) => timeline.add("call", title, detail),
    ),
    token: createTokenView(
      () => client?.auth,
      servers.shownToken,
      (title, detail) => timeline.add("call", title, detail),
    ),
    code: createCodeView(),
    meaning: createMeaningView(),
  };
  await open();

  function choose(next) {
    choice = next;
    timeline.add("choice", "Another choice", summary(choice));
    showInAddress(choice);
    void open();
  }

  /** Makes the client of the current choice, in place of the one before. What that one stored stays where it is. */
  async function open() {
    client?.close();
    client = null;
    clearError();
    rememberChoice(choice);
    const options = clientOptions(choice, servers);
    views.choice.show(choice, options.id);
    views.code.show(options, choice, apiAddress(choice, servers));
    views.meaning.show(choice);
    views.calls.reset();
    views.lab.reset();
    views.token.reset();
    lastWords = undefined;
    try {
      client = openClient(options, { onState, onEvent });
    } catch (error) {
      return refuse(error);
    }
    const { auth } = client;
    onState(auth.getState());
    try {
      const result = await auth.init();
      // The choice may have changed while the core was loading.
      if (client?.auth !== auth) return;
      if (result.error) fail(result.error);
      leaveCallback(result.callback);
    } catch (error) {
      if (client?.auth !== auth) return;
      refuse(error);
      leaveCallback();
    }
    render();
  }

  /** There is no client to be had with these options, so nothing may look as if there were one. */
  function refuse(error) {
    client?.close();
    client = null;
    fail(error);
    render();
    showInAddress(choice);
  }

  /** A callback that was taken leads to where the sign-in began; the choice goes back into the address. */
  function leaveCallback(callback) {
    if (callback?.returnTo) history.replaceState(history.state, "", callback.returnTo);
    showInAddress(choice);
  }

  function onState(state) {
    const words = wordsForState(state);
    if (words.join() !== lastWords) timeline.add("state", ...words);
    lastWords = words.join();
    if (state.error) showError(state.error);
    render();
  }

  function onEvent(name, detail) {
    if (name === "refreshed" && detail.by === "this-tab") ownRefreshes += 1;
    const [title, text, spoken] = wordsForEvent(name, detail);
    timeline.add(name, title, text);
    if (spoken) announce(spoken);
    if (name === "signedIn" && detail.origin === "this-tab") {
      clearError();
      views.choice.fold();
    }
    if (name === "refreshFailed" && detail.fatal) showError(detail.error);
  }

  function render() {
    const state = client?.auth.getState() ?? null;
    const about = {
      choice,
      id: clientId(choice),
      isolation: client?.auth.isolation ?? "pending",
      lifetimes: servers.lifetimes,
    };
    views.state.show(state, about);
    views.door.show(state, choice);
    views.lab.show(state);
    views.token.show(state, choice);
    views.calls.show(state, { choice, address: apiAddress(choice, servers) });
  }

  function fail(error) {
    timeline.add("error", error.code ?? error.name, error.message);
    showError(error);
  }

  /** Runs one of the person's own acts: an earlier error is forgotten, a new one is shown. */
  async function act(work) {
    const { auth } = client ?? {};
    if (!auth) return;
    clearError();
    try {
      await work(auth);
    } catch (error) {
      if (client?.auth === auth) fail(error);
    }
  }

  function signInByPassword({ username, password }) {
    return act((auth) => auth.login({ via: "password", username, password }));
  }

  function signInByRedirect() {
    return act((auth) => auth.login({ via: "redirect", returnTo: addressOf(choice) }));
  }

  function refresh() {
    return act((auth) => auth.refresh());
  }

  function signOut(scope) {
    return act((auth) => auth.logout({ scope }));
  }
}

/** Saving: the outbox joined to the API, to the browser's storage and to the line that says whether all is saved. */

import { api } from "../api.js";
import { element, icon } from "../dom.js";
import { toast } from "../toast.js";
import { newId } from "./ids.js";
import { artworksWithKeptEdits, keptEdits } from "./kept.js";
import { createOutbox } from "./outbox.js";
import { createStore } from "./store.js";

/** A pause that a returning network or a click ends early. */
function createPause() {
  let wake = () => {};
  window.addEventListener("online", () => wake());
  return {
    wake: () => wake(),
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}

function outboxOf({ store, document, username, dataset, artwork, pause, onStatus, onConflict, onRefused }) {
  const base = `/api/datasets/${dataset}/artworks/${artwork}`;
  return createOutbox({
    store, document, username, pause, onStatus, onConflict, onRefused, newId,
    send: ({ id, revision, edits }) => api("POST", `${base}/edits/`, { json: { id, revision, edits } }),
    reload: () => api("GET", `${base}/boxes/`),
    keep: keptEdits(username, dataset, artwork),
  });
}

/**
 * Save what happens in the store.
 *
 * @param status element that shows the state, with `data-state` saved | saving | retrying | offline | gone
 * @returns the outbox, with `whenSaved(milliseconds)`: resolves when all is saved or the time is over
 */
export function startSaving({ store, document: boxes, username, dataset, artwork, status }) {
  const { pause, wake } = createPause();
  let told = "";
  const show = (shown) => {
    showStatus(status, shown, wake);
    // Why it is not saved is said once, not at every attempt.
    if (shown.message && shown.message !== told) toast(shown.message, { kind: "error" });
    told = shown.state === "saved" ? "" : shown.message || told;
  };
  const outbox = outboxOf({
    store, document: boxes, username, dataset, artwork, pause,
    onStatus: show,
    onConflict: (edits) => toast(conflictText(edits.length), { kind: "error", seconds: 15 }),
    onRefused: (message) => toast(`${gettext("This change was not saved and has been taken back.")} ${message}`, { kind: "error", seconds: 15 }),
  });
  outbox.resume(keptEdits(username, dataset, artwork).all(), boxes);
  window.addEventListener("offline", () => show(outbox.status()));
  window.addEventListener("beforeunload", (event) => {
    if (outbox.unsent()) event.preventDefault();
  });
  resendOthers(username, artwork);
  outbox.whenSaved = (milliseconds) =>
    Promise.race([outbox.settled(), new Promise((resolve) => setTimeout(resolve, milliseconds))]);
  return outbox;
}

function conflictText(count) {
  const text = ngettext(
    "Somebody else changed a box at the same time as you. Their change was kept; look at it again.",
    "Somebody else changed %(count)s boxes at the same time as you. Their changes were kept; look at them again.",
    count,
  );
  return interpolate(text, { count }, true);
}

function showStatus(place, { state, unsent, message }, retry) {
  const shown = state === "retrying" && !navigator.onLine ? "offline" : state;
  const texts = {
    saved: gettext("Saved"),
    saving: gettext("Saving…"),
    retrying: gettext("Not saved – trying again"),
    offline: gettext("Offline – kept in this browser"),
    gone: gettext("Not saved: this artwork is not there any more"),
  };
  place.dataset.state = shown;
  place.title = shown === "saved" ? "" : `${message} (${interpolate(ngettext("%s change waits", "%s changes wait", unsent), [unsent])})`;
  place.replaceChildren(icon(shown === "saved" ? "check" : shown === "saving" ? "retry" : "alert"), element("span", {}, texts[shown]));
  if (shown === "retrying") {
    place.append(element("button", { type: "button", class: "link", onclick: retry }, gettext("Try now")));
  }
}

/** Send what earlier visits to other artworks could not, quietly and once; what fails stays kept for its next visit. */
async function resendOthers(username, except) {
  for (const { dataset, artwork } of artworksWithKeptEdits(username, except)) {
    try {
      const document = await api("GET", `/api/datasets/${dataset}/artworks/${artwork}/boxes/`);
      const store = createStore(document, username);
      const nothing = () => {};
      const outbox = outboxOf({
        store, document, username, dataset, artwork, onStatus: nothing,
        onConflict: (edits) => toast(conflictText(edits.length), { kind: "error", seconds: 15 }),
        onRefused: (message) => toast(message, { kind: "error" }),
        // A failure ends here: the pause never does, and the edits stay kept.
        pause: () => new Promise(nothing),
      });
      outbox.resume(keptEdits(username, dataset, artwork).all(), document);
    } catch (error) {
      console.info("Unsent edits stay kept in this browser:", error.message);
    }
  }
}

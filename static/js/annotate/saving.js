/** Saving: the outbox joined to the API, to the browser's storage and to the line that says whether all is saved. */

import { api } from "../api.js";
import { element, icon } from "../dom.js";
import { toast } from "../toast.js";
import { newId } from "./ids.js";
import { artworksWithKeptEdits, keptEdits } from "./kept.js";
import { Outbox, isDisputed } from "./outbox.js";
import { Store } from "./store.js";

const ICONS = { saved: "check", saving: "retry" };
const LONG = { kind: "error", seconds: 15 };

/** A pause that a returning network or `wake` ends early. */
class Pause {
  #end = () => {};

  constructor() {
    window.addEventListener("online", () => this.wake());
  }

  wait(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake() {
    this.#end();
  }
}

/** What an outbox needs to reach one artwork: `where` is {username, dataset, artwork}. */
function meansFor({ username, dataset, artwork }) {
  const base = `/api/datasets/${dataset}/artworks/${artwork}`;
  return {
    username,
    newId,
    send: (json) => api("POST", `${base}/edits/`, { json }),
    reload: () => api("GET", `${base}/boxes/`),
    keep: keptEdits(username, dataset, artwork),
    onConflict: (edits) => toast(conflictText(edits.length), LONG),
    onRefused: (message) => toast(`${gettext("This change was not saved and has been taken back.")} ${message}`, LONG),
  };
}

function conflictText(count) {
  const text = ngettext(
    "Somebody else changed a box at the same time as you. Their change was kept; look at it again.",
    "Somebody else changed %(count)s boxes at the same time as you. Their changes were kept; look at them again.",
    count,
  );
  return interpolate(text, { count }, true);
}

/**
 * Save what happens in the store.
 *
 * @param store Store, made from `boxes`
 * @param boxes document of the API
 * @param where {username, dataset, artwork}
 * @param told.onDisputes ([dispute]) called with the boxes that somebody else changed at the same time
 * @param told.onRefused called when the server did not take something
 * @param place element that shows the state, with `data-state` saved | saving | retrying | offline | gone
 * @returns {Outbox}
 */
export function startSaving(store, boxes, where, place, { onDisputes, onRefused }) {
  const pause = new Pause();
  let told = "";
  const onStatus = (status) => {
    showStatus(place, status, () => pause.wake());
    // Why it is not saved is said once, not at every attempt.
    if (status.message && status.message !== told) toast(status.message, { kind: "error" });
    told = status.state === "saved" ? "" : status.message || told;
  };
  const means = meansFor(where);
  const onConflict = (edits, found) => (found.length ? onDisputes(found) : means.onConflict(edits));
  const refused = (message) => {
    means.onRefused(message);
    onRefused();
  };
  const outbox = new Outbox(store, boxes, { ...means, onRefused: refused, pause: (time) => pause.wait(time), onStatus, onConflict });
  outbox.resume(keptEdits(where.username, where.dataset, where.artwork).all(), boxes);
  window.addEventListener("offline", () => outbox.unsent && onStatus(outbox.status));
  window.addEventListener("beforeunload", (event) => outbox.unsent && event.preventDefault());
  resendOthers(where);
  return outbox;
}

function showStatus(place, { state, unsent, message }, retry) {
  const shown = state === "retrying" && !navigator.onLine ? "offline" : state;
  const waiting = interpolate(ngettext("%s change waits", "%s changes wait", unsent), [unsent]);
  place.dataset.state = shown;
  place.title = shown === "saved" ? "" : [message, waiting].filter(Boolean).join(" ");
  place.replaceChildren(icon(ICONS[shown] ?? "alert"), element("span", {}, stateText(shown)));
  if (!["retrying", "gone"].includes(shown)) return;
  place.append(element("button", { type: "button", class: "link", onclick: retry }, gettext("Try now")));
}

function stateText(state) {
  const texts = {
    saved: gettext("Saved"),
    saving: gettext("Saving…"),
    retrying: gettext("Not saved – trying again"),
    offline: gettext("Offline – kept in this browser"),
    gone: gettext("Not saved: this artwork is not there any more"),
  };
  return texts[state];
}

/** Send what earlier visits to other artworks could not, quietly and once; what fails or is disputed stays kept for the next visit. */
async function resendOthers({ username, artwork: here }) {
  for (const { dataset, artwork } of artworksWithKeptEdits(username, here)) {
    try {
      const boxes = await api("GET", `/api/datasets/${dataset}/artworks/${artwork}/boxes/`);
      const kept = keptEdits(username, dataset, artwork).all();
      // What to do about it can only be decided where the boxes are in sight.
      if (isDisputed(kept, boxes, username)) continue;
      // A failure ends here: the pause never does.
      const once = { pause: () => new Promise(() => {}), onStatus: () => {} };
      const outbox = new Outbox(new Store(boxes, username), boxes, { ...meansFor({ username, dataset, artwork }), ...once });
      outbox.resume(kept, boxes);
    } catch (error) {
      console.info("Unsent edits stay kept in this browser:", error.message);
    }
  }
}

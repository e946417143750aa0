/** An earlier state of the artwork on the picture: to be looked at, compared with now, and brought back. */

import { api } from "../api.js";
import { moment } from "../dom.js";
import { toast } from "../toast.js";
import { differenceOf, differenceText } from "./changes.js";
import { newId } from "./ids.js";
import { Store } from "./store.js";

/** Whoever brings a state back waits this long, in milliseconds, for what is just being saved. */
const PATIENCE = 3000;
/** What would change the present, and so rests meanwhile. */
const RESTING = ".side, #conflicts, .tools :is([data-do=select], [data-do=box], [data-do=undo], [data-do=redo])";

export class Past {
  /** The document that is shown, or null while it is the present. */
  shown = null;
  /** A request that is sent again after a lost answer keeps its id. */
  #ids = new Map();

  /**
   * @param banner element that says that the past is shown, with the buttons [data-earlier], [data-later], [data-restore]
   *   and [data-now], and places for text [data-title] and [data-difference]
   * @param context {desk, store, data, actions, outbox, history, element, picture, bounds, canDraw}
   * @param told.onStep (-1 earlier, 1 later) another state is wanted
   * @param told.onLost () the state before a bringing back cannot simply be taken again
   */
  constructor(banner, { desk, store, data, actions, outbox, history, element, picture, bounds, canDraw }, { onStep, onLost }) {
    Object.assign(this, { banner, desk, store, actions, outbox, history, element, picture, bounds, onLost });
    this.url = `${data.urls.api}history/`;
    this.find("restore").hidden = !canDraw;
    this.find("restore").addEventListener("click", () => this.#bringBack(this.shown.revision));
    this.find("now").addEventListener("click", () => this.leave());
    this.find("earlier").addEventListener("click", () => onStep(-1));
    this.find("later").addEventListener("click", () => onStep(1));
    store.subscribe(() => this.shown && this.#compare());
    document.addEventListener("keydown", (event) => this.#escape(event), { capture: true });
  }

  find(name) {
    return this.banner.querySelector(`[data-${name}]`);
  }

  /** Read and show the state at a revision. */
  async look(revision) {
    try {
      this.#show(await api("GET", `${this.url}${revision}/`));
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }

  /** Show the present again. */
  leave() {
    if (!this.shown) return;
    this.#set(null);
    this.element.focus({ preventScroll: true });
  }

  /** Say which of the two steps there are. */
  limit({ earlier, later }) {
    this.find("earlier").disabled = !earlier;
    this.find("later").disabled = !later;
    this.focus();
  }

  /** Keep the focus on the banner while it is shown: the list that it came from is closed, or its button is off now. */
  focus() {
    if (this.shown && !this.banner.contains(document.activeElement)) this.find("now").focus();
  }

  #show(past) {
    this.actions.commit();
    this.#set(past);
    this.find("title").textContent = titleOf(past);
    this.#compare();
  }

  #set(past) {
    if ((past === null) !== this.banner.hidden) this.#stayWhole();
    this.shown = past;
    const gone = new Map((past?.gone_labels ?? []).map((label) => [label.id, { ...label, name: label.name || "?" }]));
    this.desk.set({ past: past && Object.assign(new Store(past, ""), { gone }), selected: null, draft: null, pointer: null });
    this.banner.hidden = past === null;
    this.element.classList.toggle("is-past", past !== null);
    document.querySelectorAll(RESTING).forEach((part) => (part.inert = past !== null));
  }

  /** Where all of the artwork is in view it shall be so when the banner has taken its room, or given it back. */
  #stayWhole() {
    const { x, y, width, height } = this.picture.visible();
    const isWhole = x <= 0 && y <= 0 && x + width >= this.bounds.width && y + height >= this.bounds.height;
    // The viewer keeps its scale after it has told of its new size, so it is fitted in the next frame.
    if (isWhole) this.picture.viewer.addOnceHandler("resize", () => requestAnimationFrame(() => this.picture.fit()));
  }

  #compare() {
    this.find("difference").textContent = differenceText(differenceOf(this.store.state, this.shown));
  }

  #escape(event) {
    if (event.key !== "Escape" || !this.shown || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.leave();
  }

  async #bringBack(target) {
    await Promise.race([this.outbox.settled(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    if (this.outbox.unsent) {
      toast(gettext("Not everything is saved yet. Wait until it is, then bring this state back."), { kind: "error" });
      return;
    }
    const base = this.outbox.revision;
    const json = { id: this.#idOf(target, base), revision: base };
    try {
      this.#take(await api("POST", `${this.url}${target}/restore/`, { json }), base);
    } catch (error) {
      if (error.data?.current) this.outbox.receive(error.data.current);
      toast(error.message, { kind: "error" });
    }
  }

  #idOf(target, base) {
    const key = `${target}:${base}`;
    if (!this.#ids.has(key)) this.#ids.set(key, newId());
    return this.#ids.get(key);
  }

  #take(restored, base) {
    this.outbox.receive(restored);
    this.leave();
    if (restored.revision === base) return toast(gettext("Just as it is now."));
    // Steps from before would be taken back on boxes that they never met.
    this.history.forget();
    const isLast = () => this.outbox.revision === restored.revision && !this.outbox.unsent;
    const undo = () => (isLast() ? this.#bringBack(base) : this.onLost());
    return toast(restoredText(restored.left_out), { kind: "ok", undo });
  }
}

function titleOf({ revision, time }) {
  if (time) return interpolate(gettext("This is how it was on %s."), [moment(time)]);
  return revision ? gettext("This is how it was before the recorded changes.") : gettext("This is how it was before the first change.");
}

function restoredText(leftOut) {
  const done = gettext("Brought back. The history shows it as a new change.");
  const lost = leftOut.reduce((total, { boxes }) => total + boxes, 0);
  const text = ngettext("%s box was left out: its concept has been deleted.", "%s boxes were left out: their concepts have been deleted.", lost);
  return lost ? `${done} ${interpolate(text, [lost])}` : done;
}

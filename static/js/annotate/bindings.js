/**
 * Which key does what, as its person wants it: keys of one character, kept in the browser. Pure but for the storage that it is
 * given.
 */

/** What each deed is bound to at first. */
export const DEFAULTS = {
  select: "v", box: "b", duplicate: "d", toNext: "t", nothing: "x", find: "f", palette: "/", lock: "o", conceal: "i",
  hide: "h", showAll: "u", turn: "r", lens: "m", closer: "+", farther: "-", fit: "0",
  next: "n", previous: "p", finish: "g", history: "y", forward: "j", back: "k", help: "?",
};
const STORED = "webnet-keys";

export class Bindings {
  #keys;
  #listeners = new Set();

  /** @param storage what has getItem and setItem, as localStorage */
  constructor(storage) {
    this.storage = storage;
    this.#keys = { ...DEFAULTS, ...kept(storage) };
  }

  /** The key of a deed. */
  keyOf(deed) {
    return this.#keys[deed];
  }

  /** The deed of a key, or undefined. "=" is "+" without Shift. */
  deedOf(key) {
    const wanted = key === "=" ? "+" : key.toLowerCase();
    return Object.keys(this.#keys).find((deed) => this.#keys[deed] === wanted);
  }

  /** Give a deed another key. Returns the deed that has this key already, and changes nothing then. */
  change(deed, key) {
    const other = this.deedOf(key);
    if (other && other !== deed) return other;
    this.#keys = { ...this.#keys, [deed]: key.toLowerCase() };
    this.#save();
    return null;
  }

  /** Forget every change. */
  reset() {
    this.#keys = { ...DEFAULTS };
    this.#save();
  }

  /** Call `listener` after each change. */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  #save() {
    const changed = Object.entries(this.#keys).filter(([deed, key]) => DEFAULTS[deed] !== key);
    this.storage.setItem(STORED, JSON.stringify(Object.fromEntries(changed)));
    this.#listeners.forEach((listener) => listener());
  }
}

/** What was changed in an earlier visit; what does not fit (any more) is left out. */
function kept(storage) {
  try {
    const found = Object.entries(JSON.parse(storage.getItem(STORED)) ?? {});
    return Object.fromEntries(found.filter(([deed, key]) => deed in DEFAULTS && typeof key === "string" && [...key].length === 1));
  } catch {
    return {};
  }
}

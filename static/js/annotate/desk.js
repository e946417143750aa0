/**
 * What the person at the page is doing just now: tool, chosen concept, selected box, threshold, the box being drawn.
 * None of it is saved. Parts of the page read it and are told when it changes. Pure: no DOM.
 */

export class Desk {
  /** "select" or "box". */
  tool = "select";
  /** Id of the concept of what is drawn next, or null. */
  label = null;
  /** Id of the selected box, or null. */
  selected = null;
  /** Suggestions below this score, from 0 to 1, are not shown. */
  threshold = 0;
  /** Whether the boxes are hidden. */
  hidden = false;
  /** A rectangle that is being drawn or changed: {id: of the box or null for a new one, label, rect}, or null. */
  draft = null;
  /** Where the pointer is, in artwork pixels, or null. */
  pointer = null;
  #listeners = new Set();

  constructor(initial) {
    Object.assign(this, initial);
  }

  /** Change some of the above; listeners get the names of those that differ. */
  set(patch) {
    const changed = Object.keys(patch).filter((key) => this[key] !== patch[key]);
    Object.assign(this, patch);
    if (changed.length) this.#listeners.forEach((listener) => listener(changed));
  }

  /** Call `listener` when one of `names` changes (without names: when anything does). */
  subscribe(listener, ...names) {
    this.#listeners.add((changed) => {
      if (!names.length || names.some((name) => changed.includes(name))) listener(changed);
    });
  }
}

/** The suggestions that reach the threshold; one without a score always does. */
export function suggestionsAbove(store, threshold) {
  return store.suggestions().filter(({ score }) => score === null || score >= threshold);
}

/** What is painted and can be clicked. */
export function visibleBoxes(store, desk) {
  if (desk.hidden) return [];
  return [...suggestionsAbove(store, desk.threshold), ...store.confirmed()];
}

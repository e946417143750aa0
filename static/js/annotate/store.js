/**
 * The boxes of the artwork on the page, with one change event that says where a change came from. Pure: no DOM.
 *
 * `local` changes are what the person here did: undo and autosave listen to these alone. `remote` changes come from the
 * server: they are never undone and never sent back.
 */

import { applyEdit, sameState, stateOf } from "./document.js";

export class Store {
  #state;
  #username;
  #listeners = new Set();

  /**
   * @param document boxes document of the API
   * @param username who edits here: the author of what is drawn
   */
  constructor(document, username) {
    this.#state = stateOf(document);
    this.#username = username;
  }

  /** {nothing, boxes: Map of id → box}; replaced by every change, never changed itself. */
  get state() {
    return this.#state;
  }

  box(id) {
    return this.#state.boxes.get(id);
  }

  boxes() {
    return [...this.#state.boxes.values()];
  }

  confirmed() {
    return this.boxes().filter((box) => box.state === "confirmed");
  }

  suggestions() {
    return this.boxes().filter((box) => box.state === "suggested");
  }

  /** Do the edits of one gesture; listeners get {origin: "local", edits, before: [state before each edit]}. */
  apply(edits) {
    const before = [];
    for (const edit of edits) {
      before.push(this.#state);
      this.#state = applyEdit(this.#state, edit, this.#username);
    }
    if (edits.length) this.#emit({ origin: "local", edits, before });
  }

  /** Take over the server's document, with the edits that it does not know yet done on top of it. */
  receive(document, unsent = []) {
    const next = unsent.reduce((state, edit) => applyEdit(state, edit, this.#username), stateOf(document));
    const changed = !sameState(this.#state, next);
    this.#state = next;
    if (changed) this.#emit({ origin: "remote" });
  }

  subscribe(listener) {
    this.#listeners.add(listener);
  }

  #emit(change) {
    this.#listeners.forEach((listener) => listener(change));
  }
}

/**
 * The boxes of the artwork on the page, with one change event that says where a change came from. Pure: no DOM.
 *
 * `local` changes are what the person here did: undo and autosave listen to these alone. `remote` changes come from the
 * server: they are never undone and never sent back.
 */

import { applyEdit, sameState, stateOf } from "./document.js";

/**
 * @param document boxes document of the API
 * @param username who edits here: the author of what is drawn
 * @returns {{state, box, boxes, confirmed, suggestions, apply, receive, subscribe}}
 */
export function createStore(document, username) {
  let state = stateOf(document);
  const listeners = new Set();
  const emit = (change) => listeners.forEach((listener) => listener(change));

  /** Do the edits of one gesture; listeners get {origin: "local", edits, before: [state before each edit]}. */
  function apply(edits) {
    const before = [];
    for (const edit of edits) {
      before.push(state);
      state = applyEdit(state, edit, username);
    }
    if (edits.length) emit({ origin: "local", edits, before });
  }

  /** Take over the server's document, with the edits that it does not know yet done on top of it. */
  function receive(newer, unsent = []) {
    const next = unsent.reduce((built, edit) => applyEdit(built, edit, username), stateOf(newer));
    const changed = !sameState(state, next);
    state = next;
    if (changed) emit({ origin: "remote" });
  }

  return {
    state: () => state,
    box: (id) => state.boxes.get(id),
    boxes: () => [...state.boxes.values()],
    confirmed: () => [...state.boxes.values()].filter((box) => box.state === "confirmed"),
    suggestions: () => [...state.boxes.values()].filter((box) => box.state === "suggested"),
    apply,
    receive,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

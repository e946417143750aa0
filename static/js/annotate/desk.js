/**
 * What the person at the page is doing just now: tool, chosen concept, selected box, threshold, the box being drawn.
 * None of it is saved. Parts of the page read it and are told when it changes. Pure: no DOM.
 */

/**
 * @param initial {tool: "select"|"box", label: id|null, selected: id|null, threshold: 0..1, hidden: boolean,
 *   draft: {id: box id or null for a new one, label, rect}|null, pointer: {x, y}|null in artwork pixels}
 * @returns the state's fields as getters, `set(patch)` and `subscribe(listener)`; listeners get the names that changed
 */
export function createDesk(initial) {
  const state = {
    tool: "select", label: null, selected: null, threshold: 0, hidden: false, draft: null, pointer: null, ...initial,
  };
  const listeners = new Set();
  const desk = {
    set(patch) {
      const changed = Object.keys(patch).filter((key) => state[key] !== patch[key]);
      Object.assign(state, patch);
      if (changed.length) listeners.forEach((listener) => listener(changed));
    },
    subscribe: (listener) => listeners.add(listener),
  };
  for (const key of Object.keys(state)) Object.defineProperty(desk, key, { get: () => state[key] });
  return desk;
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

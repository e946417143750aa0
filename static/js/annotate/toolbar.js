/** The buttons around the picture, and what they show. */

import { singleKeys } from "./keyboard.js";

const all = (name) => document.querySelectorAll(`[data-do="${name}"]`);
const press = (name, on) => all(name).forEach((button) => button.setAttribute("aria-pressed", String(on)));

function disable(name, off) {
  for (const button of all(name)) button.disabled = off;
}

/** What each button does, as {name in data-do: action}. */
function deeds({ desk, store, actions, picture, page }) {
  return {
    palette: () => page.palette(),
    history: () => page.history(),
    select: () => desk.set({ tool: "select", pointer: null }),
    box: () => desk.set({ tool: "box" }),
    "zoom-in": () => picture.closer(),
    "zoom-out": () => picture.farther(),
    fit: () => picture.fit(),
    hide: () => desk.set({ hidden: !desk.hidden }),
    undo: () => page.undo(),
    redo: () => page.redo(),
    find: () => page.find(),
    help: () => page.help(),
    nothing: () => actions.markNothing(!store.state.nothing),
  };
}

function show({ desk, store, history, canDraw }) {
  press("select", desk.tool === "select");
  press("box", desk.tool === "box");
  press("hide", desk.hidden);
  press("nothing", store.state.nothing);
  disable("box", !canDraw);
  disable("undo", !canDraw || !history.canUndo);
  disable("redo", !canDraw || !history.canRedo);
  disable("nothing", !canDraw || (!store.state.nothing && store.confirmed().length > 0));
}

/** Going on waits for the last edits to be saved, unless the link is to open elsewhere. */
function wireNeighbour(which, page) {
  for (const link of all(which)) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      page.go(which);
    });
  }
}

/** @param context {desk, store, actions, picture, history, canDraw, page: {go, undo, redo, find, help}} */
export function connectToolbar(context) {
  const { desk, store, history, page } = context;
  for (const [name, deed] of Object.entries(deeds(context))) all(name).forEach((button) => button.addEventListener("click", deed));
  ["previous", "next"].forEach((which) => wireNeighbour(which, page));
  const keys = document.querySelector("#single-keys");
  keys.checked = singleKeys.get();
  keys.addEventListener("change", () => singleKeys.set(keys.checked));
  store.subscribe(() => show(context));
  history.subscribe(() => show(context));
  desk.subscribe(() => show(context), "tool", "hidden");
  show(context);
}

/** The buttons around the picture, and what they show. */

import { singleKeys } from "./keyboard.js";

/** @param page {go, undo, redo, find, help} */
export function connectToolbar({ desk, store, actions, picture, history, page, canDraw }) {
  const all = (name) => document.querySelectorAll(`[data-do="${name}"]`);
  const doing = {
    select: () => desk.set({ tool: "select", pointer: null }),
    box: () => desk.set({ tool: "box" }),
    "zoom-in": () => picture.zoomBy(1.4),
    "zoom-out": () => picture.zoomBy(1 / 1.4),
    fit: picture.fit,
    hide: () => desk.set({ hidden: !desk.hidden }),
    undo: page.undo,
    redo: page.redo,
    find: page.find,
    help: page.help,
    nothing: () => actions.markNothing(!store.state().nothing),
  };
  for (const [name, action] of Object.entries(doing)) all(name).forEach((button) => button.addEventListener("click", action));
  for (const which of ["previous", "next"]) {
    all(which).forEach((link) =>
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        page.go(which);
      }),
    );
  }

  const press = (name, on) => all(name).forEach((button) => button.setAttribute("aria-pressed", String(on)));
  const disable = (name, off) =>
    all(name).forEach((button) => {
      button.disabled = off;
    });

  function render() {
    press("select", desk.tool === "select");
    press("box", desk.tool === "box");
    press("hide", desk.hidden);
    press("nothing", store.state().nothing);
    disable("box", !canDraw);
    disable("undo", !canDraw || !history.canUndo());
    disable("redo", !canDraw || !history.canRedo());
    disable("nothing", !canDraw || (!store.state().nothing && store.confirmed().length > 0));
  }

  const keys = document.querySelector("#single-keys");
  keys.checked = singleKeys.get();
  keys.addEventListener("change", () => singleKeys.set(keys.checked));
  store.subscribe(render);
  desk.subscribe((changed) => (changed.includes("tool") || changed.includes("hidden")) && render());
  history.subscribe(render);
  render();
}

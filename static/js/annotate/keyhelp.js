/** The dialog of the keys: shows each deed with its key, and lets a person change the keys of one character. */

import { element } from "../dom.js";

export class KeyHelp {
  /**
   * @param dialog the dialog of the template; `[data-key="deed"]` are the places of keys
   * @param bindings Bindings
   */
  constructor(dialog, bindings) {
    Object.assign(this, { dialog, bindings });
    this.waiting = null;
    for (const place of dialog.querySelectorAll("[data-key]")) this.#wire(place);
    dialog.querySelector("[data-reset-keys]").addEventListener("click", () => bindings.reset());
    dialog.addEventListener("keydown", (event) => this.waiting && this.#take(event), { capture: true });
    dialog.addEventListener("close", () => this.#wait(null));
    bindings.subscribe(() => this.render());
    this.render();
  }

  show() {
    this.dialog.showModal();
  }

  render() {
    for (const place of this.dialog.querySelectorAll("button[data-key]")) {
      const waiting = this.waiting === place;
      place.setAttribute("aria-pressed", String(waiting));
      place.replaceChildren(element("kbd", {}, waiting ? gettext("Press a key…") : this.bindings.keyOf(place.dataset.key).toUpperCase()));
    }
  }

  #wire(place) {
    place.title = gettext("Change this key");
    place.addEventListener("click", () => this.#wait(this.waiting === place ? null : place));
  }

  #wait(place) {
    this.waiting = place;
    this.#say("");
    this.render();
  }

  #take(event) {
    const { key } = event;
    if (key === "Tab" || key === "Shift") return;
    event.preventDefault();
    event.stopPropagation();
    if (key === "Escape") return this.#wait(null);
    if ([...key].length !== 1 || key === " " || event.ctrlKey || event.metaKey || event.altKey) {
      return this.#say(gettext("Only a single letter, digit or sign can be a key here."));
    }
    const taken = this.bindings.change(this.waiting.dataset.key, key);
    if (!taken) return this.#wait(null);
    const name = this.dialog.querySelector(`[data-key="${taken}"]`)?.closest("div").querySelector("dd").textContent ?? taken;
    return this.#say(interpolate(gettext("This key is taken already: “%s”. Change that one first."), [name]));
  }

  #say(text) {
    this.dialog.querySelector("[data-key-problem]").textContent = text;
  }
}

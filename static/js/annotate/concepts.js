/** The concepts of the dataset: choose one for what is drawn next, or give it to the selected box. */

import { element, number } from "../dom.js";
import { addLabel } from "../finder.js";
import { toast } from "../toast.js";

export class Concepts {
  /**
   * @param place element to fill
   * @param context {labels: Map of id → label json, store, desk, actions, data, canDraw}
   * @param onLabels called after a concept was added to `labels`
   */
  constructor(place, { labels, store, desk, actions, data, canDraw }, onLabels) {
    Object.assign(this, { place, labels, desk, store, actions, data, canDraw, onLabels });
    if (data.can.curate && canDraw) place.append(creationForm((event) => this.#create(event)));
    this.render();
    store.subscribe(() => this.render());
    desk.subscribe(() => this.render(), "label");
  }

  render() {
    const counts = new Map();
    this.store.confirmed().forEach(({ label }) => counts.set(label, (counts.get(label) ?? 0) + 1));
    const rows = [...this.labels.values()].map((label) => this.#row(label, counts.get(label.id) ?? 0));
    const buttons = () => [...this.place.querySelectorAll("button.concept")];
    const focused = buttons().indexOf(document.activeElement);
    this.place.querySelector(".concepts, .empty-note")?.remove();
    this.place.prepend(rows.length ? element("ul", { class: "concepts" }, ...rows) : this.#empty());
    buttons()[focused]?.focus();
  }

  #row(label, count) {
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.backgroundColor = label.colour;
    const button = element(
      "button",
      { type: "button", class: "concept", "aria-pressed": String(this.desk.label === label.id), disabled: !this.canDraw },
      swatch,
      element("span", { class: "concept-name" }, label.name),
      element("span", { class: "concept-count", title: gettext("Boxes on this artwork") }, number(count)),
      label.shortcut ? element("kbd", {}, label.shortcut) : element("span", { class: "no-key" }),
    );
    button.addEventListener("click", () => this.actions.chooseLabel(label.id));
    return element("li", {}, button);
  }

  #empty() {
    const text = this.data.can.curate
      ? gettext("A concept is what you look for in the artworks: “Ship”, “Halo”, “Saint Sebastian”. Create the first one to begin drawing.")
      : gettext("This dataset has no concepts yet. Ask one of its curators to create them.");
    return element("p", { class: "empty-note" }, text);
  }

  async #create(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const name = form.elements.name.value.trim();
    if (!name) return;
    try {
      const label = await addLabel(this.data.dataset, this.labels, name);
      // What was typed since, the next name, stays.
      if (form.elements.name.value.trim() === name) form.reset();
      this.onLabels();
      // The new concept is for what is drawn next; the selected box keeps its own.
      this.actions.select(null);
      this.desk.set({ label: label.id, tool: "box" });
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }
}

function creationForm(onsubmit) {
  const name = { name: "name", maxlength: "100", required: true, autocomplete: "off" };
  return element(
    "form",
    { class: "new-concept", onsubmit },
    element("input", { ...name, placeholder: gettext("New concept"), "aria-label": gettext("Name of a new concept") }),
    element("button", { class: "button button-small" }, gettext("Add")),
  );
}

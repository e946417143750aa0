/** The concepts of the dataset: choose one for what is drawn next, or give it to the selected box. */

import { api } from "../api.js";
import { element, number } from "../dom.js";
import { toast } from "../toast.js";

/**
 * @param place element to fill
 * @param labels Map of id → label json, kept up to date here
 * @param onLabels called after a concept was added
 */
export function showConcepts({ place, labels, store, desk, actions, data, canDraw, onLabels }) {
  const swatch = (colour) => {
    const made = element("span", { class: "swatch", "aria-hidden": "true" });
    made.style.backgroundColor = colour;
    return made;
  };

  function row(label, counts) {
    const button = element(
      "button",
      { type: "button", class: "concept", "aria-pressed": String(desk.label === label.id), disabled: !canDraw, onclick: () => actions.chooseLabel(label.id) },
      swatch(label.colour),
      element("span", { class: "concept-name" }, label.name),
      element("span", { class: "concept-count", title: gettext("Boxes on this artwork") }, number(counts.get(label.id) ?? 0)),
      label.shortcut ? element("kbd", {}, label.shortcut) : element("span", { class: "no-key" }),
    );
    return element("li", {}, button);
  }

  function empty() {
    const text = data.can.curate
      ? gettext("A concept is what you look for in the artworks: “Ship”, “Halo”, “Saint Sebastian”. Create the first one to begin drawing.")
      : gettext("This dataset has no concepts yet. Ask one of its curators to create them.");
    return element("p", { class: "empty-note" }, text);
  }

  function render() {
    const counts = new Map();
    store.confirmed().forEach(({ label }) => counts.set(label, (counts.get(label) ?? 0) + 1));
    const list = element("ul", { class: "concepts" }, ...[...labels.values()].map((label) => row(label, counts)));
    const focused = [...place.querySelectorAll("button.concept")].indexOf(document.activeElement);
    place.querySelector(".concepts, .empty-note")?.remove();
    place.prepend(labels.size ? list : empty());
    if (focused >= 0) place.querySelectorAll("button.concept")[focused]?.focus();
  }

  async function create(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const name = form.elements.name.value.trim();
    if (!name) return;
    try {
      const label = await addLabel(data, labels, name);
      form.reset();
      onLabels();
      actions.chooseLabel(label.id);
      if (desk.tool === "select" && labels.size === 1) desk.set({ tool: "box" });
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }

  if (data.can.curate && canDraw) place.append(creationForm(create));
  render();
  store.subscribe(render);
  desk.subscribe((changed) => changed.includes("label") && render());
  return { render };
}

function creationForm(onsubmit) {
  return element(
    "form",
    { class: "new-concept", onsubmit },
    element("input", { name: "name", maxlength: "100", required: true, placeholder: gettext("New concept"), "aria-label": gettext("Name of a new concept"), autocomplete: "off" }),
    element("button", { class: "button button-small" }, gettext("Add")),
  );
}

/** Create a concept in the dataset; the server chooses its colour and key. */
export async function addLabel(data, labels, name) {
  const label = await api("POST", `/api/datasets/${data.dataset.id}/labels/`, { json: { name } });
  labels.set(label.id, label);
  return label;
}

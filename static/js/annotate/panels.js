/** The lists beside the picture: suggestions with their threshold, boxes, and the selected box in numbers. */

import { counted, element, moment, number } from "../dom.js";
import { iconButton, keepList, scoreText } from "./boxlist.js";
import { suggestionsAbove } from "./desk.js";
import { inReadingOrder } from "./geometry.js";

/** Suggestions to review: a threshold that filters at once, one by one or all that reach it. */
export function showSuggestions({ section, labels, store, desk, actions, picture, bounds, canDraw }) {
  const slider = section.querySelector("input[type=range]");
  const value = section.querySelector("output");
  const all = section.querySelector("[data-accept-all]");
  const none = section.querySelector("[data-reject-all]");
  const buttons = (box) =>
    canDraw
      ? [
          iconButton("check", gettext("Accept"), () => actions.accept(box.id), { "data-accept": true }),
          iconButton("close", gettext("Reject"), () => actions.remove(box.id), { "data-reject": true }),
        ]
      : [];
  const list = keepList({ list: section.querySelector("ul"), labels, desk, actions, picture, buttons });

  function render() {
    const total = store.suggestions().length;
    const shown = suggestionsAbove(store, desk.threshold);
    section.hidden = total === 0;
    section.querySelector(".count").textContent = shown.length === total ? number(total) : `${number(shown.length)} / ${number(total)}`;
    value.textContent = scoreText(desk.threshold);
    all.textContent = counted("Accept %(n)s", "Accept all %(n)s", shown.length);
    none.textContent = counted("Reject %(n)s", "Reject all %(n)s", shown.length);
    for (const button of [all, none]) button.disabled = !canDraw || shown.length === 0;
    list.show(inReadingOrder(shown, bounds));
  }

  slider.value = desk.threshold;
  slider.addEventListener("input", () => desk.set({ threshold: Number(slider.value) }));
  all.addEventListener("click", actions.acceptAll);
  none.addEventListener("click", actions.rejectAll);
  store.subscribe(render);
  desk.subscribe((changed) => changed.includes("threshold") && render());
  render();
  return { render };
}

/** The confirmed boxes. */
export function showBoxes({ section, labels, store, desk, actions, picture, bounds, canDraw }) {
  const buttons = (box) =>
    canDraw ? [iconButton("trash", gettext("Delete"), () => actions.remove(box.id), { "data-delete": true })] : [];
  const list = keepList({ list: section.querySelector("ul"), labels, desk, actions, picture, buttons });
  const empty = section.querySelector(".empty-note");

  function render() {
    const boxes = store.confirmed();
    section.querySelector(".count").textContent = number(boxes.length);
    empty.hidden = boxes.length > 0 || store.state().nothing;
    list.show(inReadingOrder(boxes, bounds));
  }

  store.subscribe(render);
  render();
  return { render };
}

/** Where a box comes from, as a sentence. */
function originText(box) {
  const parts = [];
  if (box.source === "detector") {
    parts.push(interpolate(gettext("Found by %s"), [box.detector_name || gettext("a detector")]));
    if (box.score !== null) parts.push(interpolate(gettext("score %s"), [scoreText(box.score)]));
  } else parts.push(box.source === "import" ? gettext("Imported") : gettext("Drawn by hand"));
  if (box.author) parts.push(interpolate(gettext("last changed by %s"), [box.author]));
  if (box.updated_at) parts.push(moment(box.updated_at));
  return parts.join(" · ");
}

/** The selected box: its concept, its place in numbers, where it comes from. */
export function showSelected({ section, labels, store, desk, actions, bounds, canDraw }) {
  const form = section.querySelector("form");
  const concept = form.elements.label;
  const fields = ["x", "y", "width", "height"];

  function options() {
    concept.replaceChildren(...[...labels.values()].map(({ id, name }) => element("option", { value: id }, name)));
  }

  function render() {
    const box = desk.selected ? store.box(desk.selected) : undefined;
    section.hidden = !box;
    if (!box) return;
    const rect = desk.draft?.id === box.id ? desk.draft.rect : box;
    concept.value = box.label;
    for (const name of fields) {
      if (form.elements[name] !== document.activeElement) form.elements[name].value = Math.round(rect[name] * 10) / 10;
    }
    section.querySelector(".origin").textContent = originText(box);
    section.querySelector("[data-accept]").hidden = box.state !== "suggested";
  }

  function change() {
    const rect = Object.fromEntries(fields.map((name) => [name, form.elements[name].valueAsNumber]));
    const inside = rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= bounds.width + 0.5 && rect.y + rect.height <= bounds.height + 0.5;
    const complaint = inside && rect.width > 0 && rect.height > 0 ? "" : gettext("The box must lie inside the artwork and have a size.");
    form.elements.width.setCustomValidity(complaint);
    if (!complaint) actions.setRect(desk.selected, rect);
    else form.reportValidity();
  }

  options();
  for (const control of form.elements) control.disabled = !canDraw;
  concept.addEventListener("change", () => actions.chooseLabel(Number(concept.value)));
  fields.forEach((name) => form.elements[name].addEventListener("change", change));
  form.addEventListener("submit", (event) => event.preventDefault());
  section.querySelector("[data-accept]").addEventListener("click", () => actions.accept());
  section.querySelector("[data-duplicate]").addEventListener("click", actions.duplicate);
  section.querySelector("[data-delete]").addEventListener("click", () => actions.remove());
  store.subscribe(render);
  desk.subscribe((changed) => {
    if (!changed.includes("selected") && !changed.includes("draft")) return;
    render();
    const inList = document.activeElement?.closest(".box-list");
    if (changed.includes("selected") && !section.hidden && !inList) section.scrollIntoView({ block: "nearest" });
  });
  render();
  return { options, render };
}

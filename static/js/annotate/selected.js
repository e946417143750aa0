/** The selected box: its concept, its place in numbers, where it comes from. */

import { element, moment } from "../dom.js";
import { placeText, scoreText } from "./looks.js";

const PLACE = ["x", "y", "width", "height"];

export class SelectedPanel {
  /**
   * @param section the panel's element, with a form
   * @param announcer a live region that tells screen readers what was selected in the picture
   * @param context {labels, store, desk, actions, bounds, canDraw, page}
   */
  constructor(section, announcer, { labels, store, desk, actions, bounds, canDraw, page }) {
    Object.assign(this, { section, announcer, labels, store, desk, actions, bounds, page, canDraw });
    this.form = section.querySelector("form");
    this.#wire();
    store.subscribe(() => this.render());
    desk.subscribe(() => this.render(), "draft", "locked", "concealed");
    desk.subscribe(() => this.#select(), "selected");
    this.render();
  }

  #wire() {
    const { label } = this.form.elements;
    // Only those who may draw have the buttons.
    const onClick = (name, action) => this.section.querySelector(`[data-${name}]`)?.addEventListener("click", action);
    label.addEventListener("change", () => this.actions.chooseLabel(Number(label.value)));
    PLACE.forEach((name) => this.form.elements[name].addEventListener("change", () => this.#move()));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    onClick("accept", () => this.actions.accept());
    onClick("duplicate", () => this.actions.duplicate());
    onClick("to-next", () => this.page.toNext());
    onClick("lock", () => this.desk.toggle("locked"));
    onClick("conceal", () => this.desk.toggle("concealed"));
    onClick("delete", () => this.actions.remove());
  }

  get #box() {
    return this.desk.selected ? this.store.box(this.desk.selected) : undefined;
  }

  render() {
    const box = this.#box;
    this.section.hidden = !box;
    if (!box) return;
    const { elements } = this.form;
    const locked = this.desk.locked.has(box.id);
    for (const control of elements) control.disabled = !this.canDraw || (locked && !("lock" in control.dataset || "conceal" in control.dataset));
    this.#press("lock", locked);
    this.#press("conceal", this.desk.concealed.has(box.id));
    const rect = this.desk.draft?.id === box.id ? this.desk.draft.rect : box;
    const options = [...this.labels.values()].map(({ id, name }) => element("option", { value: id }, name));
    elements.label.replaceChildren(...options);
    elements.label.value = box.label;
    for (const name of PLACE) {
      if (elements[name] !== document.activeElement) elements[name].value = Math.round(rect[name] * 10) / 10;
    }
    this.section.querySelector(".origin").textContent = originText(box);
    this.section.querySelector("[data-accept]")?.toggleAttribute("hidden", box.state !== "suggested");
  }

  #press(name, on) {
    this.section.querySelector(`[data-${name}]`)?.setAttribute("aria-pressed", String(on));
  }

  #select() {
    this.render();
    const box = this.#box;
    if (!box) return;
    const state = box.state === "suggested" ? gettext("suggestion") : gettext("box");
    this.announcer.textContent = `${this.labels.get(box.label)?.name ?? "?"}, ${state}, ${placeText(box)}`;
    if (!document.activeElement?.closest(".box-list")) this.section.scrollIntoView({ block: "nearest" });
  }

  #move() {
    const { elements } = this.form;
    const rect = Object.fromEntries(PLACE.map((name) => [name, elements[name].valueAsNumber]));
    const { width, height } = this.bounds;
    // Half a pixel more: the numbers are shown rounded.
    const inside = rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= width + 0.5 && rect.y + rect.height <= height + 0.5;
    const sound = inside && rect.width > 0 && rect.height > 0;
    elements.width.setCustomValidity(sound ? "" : gettext("The box must lie inside the artwork and have a size."));
    if (sound) this.actions.setRect(this.desk.selected, rect);
    else this.form.reportValidity();
  }
}

/** Where a box comes from, as a line. */
function originText({ source, detector_name: detector, score, author, updated_at: changed }) {
  const parts = [];
  if (source === "detector") parts.push(interpolate(gettext("Found by %s"), [detector || gettext("a detector")]));
  else parts.push(source === "import" ? gettext("Imported") : gettext("Drawn by hand"));
  if (score !== null) parts.push(interpolate(gettext("score %s"), [scoreText(score)]));
  if (author) parts.push(interpolate(gettext("last changed by %s"), [author]));
  if (changed) parts.push(moment(changed));
  return parts.join(" · ");
}

/**
 * The boxes as a list: what the picture shows, for those who do not see it or do not use a pointer.
 *
 * Entries are kept and only those that changed are built again, so that thousands of boxes stay quick.
 */

import { element, icon } from "../dom.js";
import { placeText } from "./looks.js";

export class BoxList {
  /** Id of box → {node, signature}. */
  #entries = new Map();

  /**
   * @param list the <ul> to keep
   * @param context {labels, desk, actions, picture}
   * @param buttons (box) → the elements after an entry's name
   */
  constructor(list, { labels, desk, actions, picture }, buttons) {
    Object.assign(this, { list, labels, desk, actions, picture, buttons });
    desk.subscribe(() => this.#mark(), "selected");
  }

  /** Show these boxes in this order. */
  show(boxes) {
    const wanted = new Set(boxes.map(({ id }) => id));
    const focus = this.#focus();
    for (const [id, { node }] of this.#entries) {
      if (wanted.has(id)) continue;
      node.remove();
      this.#entries.delete(id);
    }
    boxes.forEach((box, index) => {
      const node = this.#nodeOf(box);
      if (this.list.children[index] !== node) this.list.insertBefore(node, this.list.children[index] ?? null);
    });
    if (focus && !this.list.contains(document.activeElement)) this.#restore(focus);
    this.#mark();
  }

  /** Which button of which entry somebody has reached with the keyboard; null where none. */
  #focus() {
    const { activeElement: active } = document;
    const entry = active?.closest("li");
    // Whoever has clicked works with the pointer, and the keys are the picture's.
    if (!entry || entry.parentElement !== this.list || !active.matches(":focus-visible")) return null;
    const [place, button] = [[...this.list.children].indexOf(entry), [...entry.querySelectorAll("button")].indexOf(active)];
    return { id: entry.dataset.box, place, button };
  }

  /**
   * What had the focus was built again, or is gone: who goes through the list goes on with the same button, or with the name of
   * the entry that took its place, which no key deletes.
   */
  #restore({ id, place, button }) {
    const same = this.#entries.get(id)?.node;
    const node = same ?? this.list.children[Math.min(place, this.list.children.length - 1)];
    node?.querySelectorAll("button")[same ? button : 0]?.focus();
  }

  #nodeOf(box) {
    const signature = JSON.stringify([box, this.labels.get(box.label)]);
    const known = this.#entries.get(box.id);
    if (known?.signature === signature) return known.node;
    const node = this.#build(box);
    known?.node.replaceWith(node);
    this.#entries.set(box.id, { node, signature });
    return node;
  }

  #build(box) {
    const label = this.labels.get(box.label) ?? { name: "?", colour: "#888888" };
    const kind = box.state === "suggested" ? "swatch swatch-suggested" : "swatch";
    const swatch = element("span", { class: kind, "aria-hidden": "true" });
    swatch.style.setProperty("--swatch", label.colour);
    const choose = element(
      "button",
      { type: "button", class: "box-name", onclick: () => this.#choose(box) },
      swatch,
      element("span", {}, label.name),
      element("span", { class: "box-place" }, placeText(box)),
    );
    return element("li", { "data-box": box.id }, choose, ...this.buttons(box));
  }

  #choose(box) {
    this.actions.select(box.id);
    this.picture.show(box);
  }

  #mark() {
    for (const [id, { node }] of this.#entries) {
      const selected = id === this.desk.selected;
      if (node.classList.contains("is-selected") === selected) continue;
      node.classList.toggle("is-selected", selected);
      node.firstChild.setAttribute("aria-current", String(selected));
      // Who goes through the list sees it follow; who works in the picture keeps what they look at.
      if (selected && this.list.contains(document.activeElement)) node.scrollIntoView({ block: "nearest" });
    }
  }
}

/** A small button with an icon and a name for screen readers. */
export function iconButton(name, text, onclick, more = {}) {
  const attributes = { type: "button", class: "icon-button icon-button-small", "aria-label": text, title: text };
  return element("button", { ...attributes, ...more, onclick }, icon(name));
}

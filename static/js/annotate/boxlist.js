/**
 * The boxes as lists: what the picture shows, for those who do not see it or do not use a pointer.
 *
 * Entries are kept and only those that changed are built again, so that thousands of boxes stay quick.
 */

import { element, icon } from "../dom.js";

/**
 * @param list the <ul> to keep
 * @param buttons (box) → the elements after an entry's name
 * @returns {{show(boxes)}} shows the boxes in the order given
 */
export function keepList({ list, labels, desk, actions, picture, buttons }) {
  const entries = new Map();

  function build(box) {
    const label = labels.get(box.label) ?? { name: "?", colour: "#888888" };
    const swatch = element("span", { class: `swatch${box.state === "suggested" ? " swatch-suggested" : ""}`, "aria-hidden": "true" });
    swatch.style.setProperty("--swatch", label.colour);
    const choose = element(
      "button",
      { type: "button", class: "box-name", onclick: () => choosing(box) },
      swatch,
      element("span", {}, label.name),
      element("span", { class: "box-place" }, placeText(box)),
    );
    return element("li", { "data-box": box.id }, choose, ...buttons(box));
  }

  function choosing(box) {
    actions.select(box.id);
    picture.show(box);
  }

  function show(boxes) {
    const wanted = new Set(boxes.map(({ id }) => id));
    for (const [id, { node }] of entries) {
      if (wanted.has(id)) continue;
      node.remove();
      entries.delete(id);
    }
    boxes.forEach((box, index) => {
      const signature = JSON.stringify([box, labels.get(box.label)]);
      const known = entries.get(box.id);
      if (known?.signature !== signature) {
        const node = build(box);
        known?.node.replaceWith(node);
        entries.set(box.id, { node, signature });
      }
      const { node } = entries.get(box.id);
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
    mark();
  }

  function mark() {
    for (const [id, { node }] of entries) {
      const selected = id === desk.selected;
      if (node.classList.contains("is-selected") === selected) continue;
      node.classList.toggle("is-selected", selected);
      node.firstChild.setAttribute("aria-current", selected ? "true" : "false");
      // Who goes through the list sees it follow; who works in the picture keeps what they look at.
      if (selected && list.contains(document.activeElement)) node.scrollIntoView({ block: "nearest" });
    }
  }

  desk.subscribe((changed) => changed.includes("selected") && mark());
  return { show };
}

/** Where a box is, in words that need no translation: "x 10, y 20 · 30 × 40". */
export function placeText({ x, y, width, height, state, score }) {
  const place = `x ${Math.round(x)}, y ${Math.round(y)} · ${Math.round(width)} × ${Math.round(height)}`;
  return state === "suggested" && score !== null ? `${scoreText(score)} · ${place}` : place;
}

/** A score from 0 to 1 as people read it. */
export function scoreText(score) {
  return `${Math.round(score * 100)}%`;
}

/** A small button with an icon and a name for screen readers. */
export function iconButton(name, text, onclick, more = {}) {
  return element("button", { type: "button", class: "icon-button icon-button-small", "aria-label": text, title: text, onclick, ...more }, icon(name));
}

/** The palette: type a part of a concept's name, press Enter. For datasets with more concepts than keys. */

import { showDialog } from "../dialogs.js";
import { element } from "../dom.js";
import { matching } from "./search.js";

/** Let the person choose a concept; `choose(id)` is called with it. */
export function openPalette({ labels, choose }) {
  const list = element("ul", { id: "palette-list", class: "palette-list", role: "listbox", "aria-label": gettext("Concepts") });
  const input = element("input", {
    type: "text", class: "palette-input", autocomplete: "off", spellcheck: "false", role: "combobox", "aria-expanded": "true",
    "aria-controls": list.id, "aria-autocomplete": "list", "aria-label": gettext("Concept"), placeholder: gettext("Type a part of its name…"),
  });
  const dialog = showDialog({ title: gettext("Choose a concept"), content: [input, list], kind: "small" });
  let [rows, at] = [[], 0];
  const pick = (label) => {
    dialog.close();
    choose(label.id);
  };
  const mark = () => {
    [...list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    input.setAttribute("aria-activedescendant", rows.length ? `palette-${rows[at].id}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const fill = () => {
    [rows, at] = [matching(labels.values(), input.value), 0];
    list.replaceChildren(...rows.map((label) => row(label, pick)));
    if (!rows.length) list.append(element("li", { class: "soft", role: "presentation" }, gettext("No concept has this in its name.")));
    mark();
  };
  input.addEventListener("input", fill);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && rows.length) at = (at + step + rows.length) % rows.length;
    else if (event.key === "Enter" && rows.length) pick(rows[at]);
    else return;
    event.preventDefault();
    mark();
  });
  fill();
  input.focus();
}

function row(label, pick) {
  const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.backgroundColor = label.colour;
  const key = label.shortcut ? element("kbd", {}, label.shortcut) : null;
  return element("li", { id: `palette-${label.id}`, role: "option", onclick: () => pick(label) }, swatch, element("span", {}, label.name), key);
}

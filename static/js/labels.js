/** The concepts of a dataset: each line saves itself. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { counted, element, icon, pageData } from "./dom.js";
import { submitForm } from "./forms.js";
import { toast } from "./toast.js";

const { dataset, may, labels, palette } = pageData();
const address = `/api/datasets/${dataset.id}/labels/`;
const list = document.getElementById("labels");

function suggest(input, value) {
  input.value = input.defaultValue = value;
}

/** Show what the server will choose for the next concept unless somebody chooses for it. */
function suggestNext() {
  const form = document.getElementById("label-new");
  if (!form) return;
  const uses = (colour) => labels.filter((label) => label.colour.toLowerCase() === colour).length;
  suggest(form.elements.colour, palette.reduce((best, colour) => (uses(colour) < uses(best) ? colour : best)));
  suggest(form.elements.shortcut, [..."123456789"].find((digit) => labels.every(({ shortcut }) => shortcut !== digit)) ?? "");
}

/** The name, and of the rest what somebody has chosen: the server knows best which colour and which key are free. */
function chosen({ name, ...suggested }) {
  const { elements } = document.getElementById("label-new");
  const changed = ([field]) => elements[field].value !== elements[field].defaultValue;
  return { name, ...Object.fromEntries(Object.entries(suggested).filter(changed)) };
}

function facts(label) {
  if (label.artworks == null) return counted(ngettext("%(n)s box", "%(n)s boxes", label.boxes), label.boxes);
  const boxes = counted(ngettext("%(n)s box", "%(n)s boxes", label.boxes), label.boxes);
  return `${boxes} · ${counted(ngettext("%(n)s artwork", "%(n)s artworks", label.artworks), label.artworks)}`;
}

function link(label) {
  return element("a", { href: `/datasets/${dataset.id}/?label=${label.id}`, class: "label-facts" }, facts(label));
}

function readOnlyRow(label) {
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = label.colour;
  const key = label.shortcut ? element("kbd", {}, label.shortcut) : element("span");
  return element("li", { class: "label-row label-row-fixed" }, swatch, element("strong", {}, label.name), key, link(label));
}

/** Save one field; what was refused goes back to what it was. */
async function save(label, input) {
  const { name } = input;
  if (input.value === label[name]) return;
  try {
    Object.assign(label, await api("PATCH", `${address}${label.id}/`, { json: { [name]: input.value.trim() } }));
    toast(gettext("Saved."), { kind: "ok", seconds: 2 });
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
  input.value = label[name];
}

function editableRow(label) {
  const input = (name, title, more) => {
    const made = element("input", { name, "aria-label": `${title}: ${label.name}`, autocomplete: "off", ...more, value: label[name] });
    made.addEventListener("change", () => save(label, made));
    return made;
  };
  const remove = element("button", { type: "button", class: "icon-button", "aria-label": interpolate(gettext("Delete %s"), [label.name]), title: gettext("Delete") }, icon("trash"));
  const row = element(
    "li",
    { class: "label-row" },
    input("colour", gettext("Colour"), { type: "color" }),
    input("name", gettext("Name"), { type: "text", maxlength: 100, class: "label-name" }),
    input("shortcut", gettext("Key"), { type: "text", maxlength: 1, class: "label-key" }),
    link(label),
    remove,
  );
  remove.addEventListener("click", () => removeLabel(label));
  return row;
}

function lossText(label) {
  if (!label.boxes) return gettext("No confirmed box uses it. Suggestions for it disappear.");
  return counted(ngettext("Its %(n)s box disappears with it. This cannot be undone.", "Its %(n)s boxes disappear with it. This cannot be undone.", label.boxes), label.boxes);
}

/** Delete a concept and the boxes that are known to use it; false where more have come meanwhile, which are known then. */
async function isRemoved(label) {
  const place = `${address}${label.id}/`;
  try {
    await api("DELETE", place);
  } catch (error) {
    if (error.code !== "in_use") throw error;
    const { confirmed, confirmed_artworks: artworks } = error.data.current;
    if (confirmed > label.boxes) {
      Object.assign(label, { boxes: confirmed, artworks });
      show();
      return false;
    }
    await api("DELETE", `${place}?force=1`);
  }
  return true;
}

async function removeLabel(label) {
  const title = interpolate(gettext("Delete the concept “%s”?"), [label.name]);
  try {
    do {
      if (!(await confirmLoss({ title, text: lossText(label), action: gettext("Delete") }))) return;
    } while (!(await isRemoved(label)));
    labels.splice(labels.indexOf(label), 1);
    show();
    toast(gettext("Deleted."), { kind: "ok" });
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

function show() {
  labels.sort((a, b) => a.name.localeCompare(b.name));
  list.replaceChildren(...labels.map(may.curate ? editableRow : readOnlyRow));
  document.getElementById("no-labels").hidden = labels.length > 0;
  suggestNext();
}

const form = document.getElementById("label-new");
if (form) {
  submitForm(form, async (values) => {
    labels.push({ artworks: 0, ...(await api("POST", address, { json: chosen(values) })) });
    // What was typed since, the next name, stays.
    if (form.elements.name.value.trim() === values.name) form.reset();
    show();
    form.elements.name.focus();
  });
}
show();

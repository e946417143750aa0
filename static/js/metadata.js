/** The side dialog in which an artwork is described. */

import { api } from "./api.js";
import { mayForget } from "./confirm.js";
import { oneAtATime, showDialog } from "./dialogs.js";
import { element } from "./dom.js";
import { changesOf, submitForm } from "./forms.js";
import { toast } from "./toast.js";

/** Fields by their Dublin Core names, in the order of a museum label. */
function fields() {
  return [
    ["title", gettext("Title"), { maxlength: 500 }],
    ["creator", gettext("Creator"), { maxlength: 500 }],
    ["date", gettext("Date"), { maxlength: 200 }],
    ["medium", gettext("Medium"), { maxlength: 500 }],
    ["extent", gettext("Dimensions"), { maxlength: 500 }],
    ["identifier", gettext("Inventory number"), { maxlength: 200 }],
    ["publisher", gettext("Institution"), { maxlength: 500 }],
    ["rights", gettext("Rights"), { maxlength: 500 }],
    ["source", gettext("Source URL"), { maxlength: 1000, type: "url", inputmode: "url", placeholder: "https://" }],
    ["description", gettext("Description"), { rows: 5 }],
  ];
}

function field([name, label, attributes], value) {
  const id = `metadata-${name}`;
  const tag = name === "description" ? "textarea" : "input";
  const input = element(tag, { id, name, autocomplete: "off", ...(tag === "input" ? { type: "text" } : {}), ...attributes });
  input.value = value ?? "";
  return element("p", { class: "field" }, element("label", { for: id }, label), input);
}

/**
 * Somebody else saved first: keep what was typed here (`mine`), show theirs in the other fields, and say at each field that
 * both wrote in what it holds by now.
 */
function showOthers(form, current, mine) {
  form.querySelectorAll(".field-other").forEach((found) => found.remove());
  for (const [name] of fields()) {
    const input = form.elements[name];
    if (!(name in mine)) input.value = current[name] ?? "";
    if ((current[name] ?? "") === input.value.trim()) continue;
    const text = interpolate(gettext("Now in the dataset: %s"), [current[name] || "—"]);
    input.closest(".field").append(element("span", { class: "field-other small" }, text));
  }
}

function save(address, form, artwork, onSaved) {
  let known = artwork;
  return async (values) => {
    const mine = changesOf(values, known);
    try {
      const saved = await api("PATCH", address, { json: { ...mine, metadata_revision: known.metadata_revision } });
      form.closest("dialog").close();
      toast(gettext("Saved."), { kind: "ok" });
      onSaved(saved);
    } catch (error) {
      if (error.code === "stale") {
        known = error.data.current;
        showOthers(form, known, mine);
      }
      throw error;
    }
  };
}

function metadataForm(address, artwork, onSaved) {
  const form = element("form", { novalidate: true, class: "metadata", id: "metadata-form" });
  form.append(...fields().map((description) => field(description, artwork[description[0]])));
  submitForm(form, save(address, form, artwork, onSaved));
  return form;
}

/**
 * Open the dialog for the artwork at an API address.
 *
 * @param {string} address
 * @param {(artwork: object) => void} onSaved gets the artwork as it was saved
 */
export const describeArtwork = oneAtATime(async (address, onSaved) => {
  let artwork;
  try {
    artwork = await api("GET", address);
  } catch (error) {
    toast(error.message, { kind: "error" });
    return;
  }
  const form = metadataForm(address, artwork, onSaved);
  const picture = element("img", { src: artwork.urls.thumbnail, alt: "", class: "metadata-picture" });
  const cancel = element("button", { type: "button", class: "button" }, gettext("Cancel"));
  const submit = element("button", { class: "button button-strong", form: form.id }, gettext("Save"));
  const dialog = showDialog({
    title: gettext("Describe the artwork"),
    content: [picture, form],
    actions: [cancel, submit],
    kind: "side",
    mayLose: mayForget,
  });
  cancel.addEventListener("click", () => dialog.close());
  form.elements.title.focus();
});

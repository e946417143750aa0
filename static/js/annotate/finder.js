/** "Find boxes": let a detector draw suggestions on this artwork or on the whole dataset. */

import { api } from "../api.js";
import { showDialog } from "../dialogs.js";
import { element, percent } from "../dom.js";
import { toast } from "../toast.js";
import { addLabel } from "./concepts.js";

const CREATE = "create";
const memory = (dataset) => `webnet-finder:${dataset}`;

function remembered(dataset) {
  return JSON.parse(localStorage.getItem(memory(dataset)) ?? "{}");
}

/** The label that a detector's label is likely to mean: the one chosen last time, or the one of the same name. */
function likely(detector, label, labels, last) {
  const before = last.mappings?.[detector.id]?.[label.id];
  if (before === null || labels.has(before)) return before;
  const same = [...labels.values()].find(({ name }) => name.toLowerCase() === label.name.toLowerCase());
  return same?.id ?? null;
}

function field(text, control) {
  return element("label", { class: "field" }, element("span", {}, text), control);
}

/**
 * Open the dialog.
 *
 * @param data page data; @param labels Map of id → label; @param detector id of the one to offer first, or null
 * @param onLabels called after concepts were created
 * @param onRun (run json) called when a run was started
 */
export async function openFinder({ data, labels, detector, onLabels, onRun }) {
  let detectors;
  try {
    detectors = (await api("GET", `/api/datasets/${data.dataset.id}/detectors/?page_size=200`)).results;
  } catch (error) {
    toast(error.message, { kind: "error" });
    return;
  }
  if (!detectors.length) {
    toast(gettext("There is no detector yet. Train one, or ask the person who runs this server to install the pretrained one."), { kind: "error" });
    return;
  }
  const last = remembered(data.dataset.id);
  build({ data, labels, onLabels, onRun, detectors, last, first: detector ?? last.detector });
}

function build(context) {
  const { detectors, last, first } = context;
  const choice = element("select", { name: "detector" }, ...detectors.map((detector) => element("option", { value: detector.id }, title(detector))));
  if (detectors.some(({ id }) => id === first)) choice.value = first;
  const threshold = element("input", { type: "range", name: "threshold", min: "0.05", max: "0.95", step: "0.05", value: last.threshold ?? 0.4 });
  const shown = element("output", {}, percent(Number(threshold.value)));
  threshold.addEventListener("input", () => shown.replaceChildren(percent(Number(threshold.value))));
  const mapping = element("div", { class: "mapping" });
  const form = element(
    "form",
    { class: "finder", id: "finder-form" },
    field(gettext("Detector"), choice),
    element("label", { class: "field" }, element("span", {}, gettext("Keep boxes from a score of"), " ", shown), threshold),
    mapping,
    scopeChoice(),
  );
  const submit = element("button", { class: "button button-strong", form: "finder-form" }, gettext("Find boxes"));
  const cancel = element("button", { type: "button", class: "button", "data-close": true }, gettext("Cancel"));
  const dialog = showDialog({ title: gettext("Find boxes"), content: [form], actions: [cancel, submit], keep: true });
  const current = () => detectors.find(({ id }) => id === Number(choice.value));
  const fill = () => mapping.replaceChildren(...mappingRows(current(), context));
  choice.addEventListener("change", fill);
  fill();
  form.addEventListener("submit", (event) => start(event, { ...context, form, dialog, submit, detector: current() }));
}

function title({ name, metrics }) {
  return metrics?.AP50 ? `${name} · AP50 ${percent(metrics.AP50)}` : name;
}

function scopeChoice() {
  const radio = (value, text, checked) =>
    element("label", { class: "choice" }, element("input", { type: "radio", name: "scope", value, checked }), element("span", {}, text));
  return element(
    "fieldset",
    {},
    element("legend", {}, gettext("Where")),
    radio("artwork", gettext("On this artwork"), true),
    radio("dataset", gettext("On all artworks of the dataset"), false),
  );
}

/** One row per label of the detector: which concept its boxes become. Many labels get a filter. */
function mappingRows(detector, { labels, data, last }) {
  const rows = detector.labels.map((label) => {
    const select = element(
      "select",
      { name: "mapping", "data-label": label.id, "data-name": label.name },
      element("option", { value: "" }, gettext("– leave out –")),
      ...[...labels.values()].map(({ id, name }) => element("option", { value: id }, name)),
      data.can.curate ? element("option", { value: CREATE }, interpolate(gettext("Create the concept “%s”"), [label.name])) : null,
    );
    select.value = likely(detector, label, labels, last) ?? "";
    return element("label", { class: "mapping-row", "data-search": label.name.toLowerCase() }, element("span", {}, label.name), select);
  });
  rows.sort((a, b) => Boolean(b.querySelector("select").value) - Boolean(a.querySelector("select").value));
  const list = element("div", { class: "mapping-rows" }, ...rows);
  const note = element("p", { class: "note" }, gettext("What the detector knows, and the concept that its boxes become:"));
  if (rows.length < 12) return [note, list];
  const search = element("input", { type: "search", placeholder: gettext("Filter what it knows…"), "aria-label": gettext("Filter what it knows…") });
  search.addEventListener("input", () => {
    for (const row of rows) row.hidden = !row.dataset.search.includes(search.value.trim().toLowerCase());
  });
  return [note, search, list];
}

/** The chosen mapping as the API takes it; concepts that are to be created are created first. */
async function mappingOf(form, data, labels) {
  const mapping = {};
  for (const select of form.querySelectorAll("select[name=mapping]")) {
    const { label, name } = select.dataset;
    if (select.value === CREATE) {
      const made = (await addLabel(data, labels, name)).id;
      // A second press of the button after a failure must not create it again.
      select.append(element("option", { value: made }, name));
      select.value = made;
    }
    mapping[label] = select.value ? Number(select.value) : null;
  }
  return mapping;
}

async function start(event, { form, dialog, submit, detector, data, labels, onLabels, onRun, last }) {
  event.preventDefault();
  const chosen = [...form.querySelectorAll("select[name=mapping]")].some(({ value }) => value);
  if (!chosen) return toast(gettext("Choose at least one concept that the boxes should become."), { kind: "error" });
  submit.disabled = true;
  try {
    const before = labels.size;
    const mapping = await mappingOf(form, data, labels);
    if (labels.size !== before) onLabels();
    const artwork = form.elements.scope.value === "artwork" ? data.artwork.id : null;
    const threshold = form.elements.threshold.valueAsNumber;
    const run = await api("POST", `/api/datasets/${data.dataset.id}/inference-runs/`, { json: { detector: detector.id, artwork, threshold, mapping } });
    const mappings = { ...last.mappings, [detector.id]: mapping };
    localStorage.setItem(memory(data.dataset.id), JSON.stringify({ detector: detector.id, threshold, mappings }));
    dialog.close();
    onRun(run);
  } catch (error) {
    toast(error.message, { kind: "error" });
    submit.disabled = false;
  }
  return undefined;
}

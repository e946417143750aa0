/** "Find boxes": the dialog that lets a detector draw suggestions on one artwork or on the whole dataset. */

import { api } from "./api.js";
import { mayForget } from "./confirm.js";
import { showDialog } from "./dialogs.js";
import { counted, element, percent } from "./dom.js";
import { showErrors } from "./forms.js";
import { simulatedMeaning, simulatedWord } from "./simulated.js";
import { toast } from "./toast.js";

const CREATE = "create";
/** For a detector whose files name no score to begin with. */
const THRESHOLD = 0.4;
/** A detector that knows this many classes gets a field to filter them. */
const MANY = 12;
const memory = (dataset) => `webnet-finder:${dataset}`;

function remembered(dataset) {
  try {
    return JSON.parse(localStorage.getItem(memory(dataset))) ?? {};
  } catch {
    return {};
  }
}

/**
 * The label that a detector's label is likely to mean: the one chosen last time, the one that it was trained on in this
 * dataset, whatever it is called now, or the one of the same name.
 */
function likely(detector, label, { labels, last, dataset }) {
  const before = last.mappings?.[detector.id]?.[label.id];
  if (before === null || labels.has(before)) return before;
  if (detector.kind === "trained" && detector.dataset === dataset.id && labels.has(label.id)) return label.id;
  const same = [...labels.values()].find(({ name }) => name.trim().toLowerCase() === label.name.trim().toLowerCase());
  return same?.id ?? null;
}

function field(text, ...controls) {
  return element("label", { class: "field" }, element("span", {}, text), ...controls);
}

/**
 * Open the dialog.
 *
 * @param {object} choice
 *   `dataset`: {id, artworks?}, `detectors`: those that can be chosen (json of the API), `first`: id of the one to offer first,
 *   `labels`: Map of id → label, which grows where concepts are created, `mayCreate`: whether they may be,
 *   `artwork`: id of the artwork that is open, or null where only the whole dataset can be meant,
 *   `onRun(run)`: called when a run was started, `onLabels()`: after concepts were created
 */
export function openFinder(choice) {
  const last = remembered(choice.dataset.id);
  const context = { artwork: null, onLabels: () => {}, ...choice, last };
  const { detectors } = context;
  if (!detectors.length) {
    toast(gettext("There is no detector yet. Train one, or ask the person who runs this server to install the pretrained one."), { kind: "error" });
    return;
  }
  const chosen = element("select", { name: "detector", autofocus: true }, ...detectors.map((detector) => element("option", { value: detector.id }, title(detector))));
  const first = choice.first ?? last.detector;
  if (detectors.some(({ id }) => id === first)) chosen.value = first;
  const mapping = element("div", { class: "mapping" });
  const score = thresholdField();
  const own = ownScoresField();
  const simulated = element("span", { class: "soft small" });
  const form = element("form", { class: "finder", id: "finder-form" }, field(gettext("Detector"), chosen, simulated), own, score, closelyField(), mapping, scope(context));
  const submit = element("button", { class: "button button-strong", form: form.id }, gettext("Find boxes"));
  const cancel = element("button", { type: "button", class: "button", "data-close": true }, gettext("Cancel"));
  const dialog = showDialog({ title: gettext("Find boxes"), content: [form], actions: [cancel, submit], mayLose: mayForget });
  const current = () => detectors.find(({ id }) => id === Number(chosen.value));
  const fill = () => {
    mapping.replaceChildren(...mappingRows(current(), context));
    showSimulated(simulated, current());
    setThreshold(form.elements.threshold, last.thresholds?.[current().id] ?? current().threshold ?? THRESHOLD);
    own.hidden = !knowsOwnScores(current());
    form.elements.own_scores.checked = !own.hidden && (last.ownScores?.[current().id] ?? true);
    showScores();
  };
  /** Either one score for all concepts, or beside each concept its own. */
  const showScores = () => {
    score.hidden = form.elements.own_scores.checked;
    mapping.classList.toggle("with-scores", form.elements.own_scores.checked);
  };
  own.addEventListener("change", showScores);
  chosen.addEventListener("change", fill);
  fill();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start({ ...context, form, dialog, submit, detector: current() });
  });
}

function title({ name, metrics, labels }) {
  if (!metrics?.AP50) return name;
  const mark = simulatedWord(metrics.simulated_concepts, labels.length);
  return `${name} · AP50 ${percent(metrics.AP50)}${mark && ` (${mark})`}`;
}

/** Below the detectors: what the AP50 of the chosen one rests on, where that is not artworks kept aside. */
function showSimulated(note, { metrics }) {
  const count = metrics?.simulated_concepts ?? 0;
  note.hidden = !count;
  note.textContent = count ? simulatedMeaning(count) : "";
}

/** The score to begin with is the detector's own best, unless somebody has chosen another one for it here. */
function setThreshold(input, value) {
  input.value = value;
  input.dispatchEvent(new Event("input"));
}

function thresholdField() {
  const input = element("input", { type: "range", name: "threshold", min: "0.05", max: "0.95", step: "0.01" });
  const shown = element("output", {});
  input.addEventListener("input", () => shown.replaceChildren(percent(input.valueAsNumber)));
  const hint = element("span", { class: "soft small" }, gettext("Lower finds more and errs more. Suggestions can be narrowed down later."));
  return element("label", { class: "field" }, element("span", {}, gettext("Keep boxes from a score of"), " ", shown), input, hint);
}

/** Whether a detector has told the score that it is best at for some of its concepts. */
const knowsOwnScores = ({ labels }) => labels.some(({ threshold }) => threshold != null);

function ownScoresField() {
  const hint = element("span", { class: "soft small" }, gettext("The score at which it found most and erred least on its test artworks."));
  const text = element("span", {}, gettext("Each concept from its own best score"), " ", hint);
  return element("label", { class: "choice" }, element("input", { type: "checkbox", name: "own_scores" }), text);
}

function closelyField() {
  const hint = element("span", { class: "soft small" }, gettext("Looks at parts of each artwork too: finds smaller things and takes five times as long."));
  const text = element("span", {}, gettext("Look closely"), " ", hint);
  return element("label", { class: "choice" }, element("input", { type: "checkbox", name: "closely" }), text);
}

/** Where to look; and the promise that what people did is left alone. */
function scope({ artwork, dataset }) {
  const promise = element("p", { class: "note" }, gettext("What it finds are suggestions; boxes that people drew, corrected or rejected are left alone."));
  if (artwork === null) {
    const n = dataset.artworks;
    const all = counted(ngettext("The detector looks at %(n)s artwork.", "The detector looks at all %(n)s artworks.", n), n);
    return element("div", {}, element("p", {}, all), promise);
  }
  const radio = (value, text, checked) =>
    element("label", { class: "choice" }, element("input", { type: "radio", name: "scope", value, checked }), element("span", {}, text));
  return element(
    "fieldset",
    {},
    element("legend", {}, gettext("Where")),
    radio("artwork", gettext("On this artwork"), true),
    radio("dataset", gettext("On all artworks of the dataset"), false),
    promise,
  );
}

/** One row per label of the detector: which concept its boxes become. Many labels get a filter. */
function mappingRows(detector, context) {
  const rows = detector.labels.map((label) => mappingRow(detector, label, context));
  rows.sort((a, b) => Boolean(b.querySelector("select").value) - Boolean(a.querySelector("select").value));
  const list = element("div", { class: "mapping-rows", role: "group", "aria-label": gettext("Concepts") }, ...rows);
  const note = element("p", { class: "note" }, gettext("What the detector knows, and the concept that its boxes become:"));
  if (rows.length < MANY) return [note, list];
  const text = gettext("Filter what it knows…");
  const search = element("input", { type: "search", placeholder: text, "aria-label": text });
  search.addEventListener("input", () => {
    for (const row of rows) row.hidden = !row.dataset.search.includes(search.value.trim().toLowerCase());
  });
  return [note, search, list];
}

function mappingRow(detector, label, context) {
  const { labels, mayCreate } = context;
  const select = element(
    "select",
    { name: "mapping", "data-label": label.id, "data-name": label.name },
    element("option", { value: "" }, gettext("– leave out –")),
    ...[...labels.values()].map(({ id, name }) => element("option", { value: id }, name)),
    mayCreate ? element("option", { value: CREATE }, interpolate(gettext("Create the concept “%s”"), [label.name])) : null,
  );
  select.value = likely(detector, label, context) ?? "";
  const least = label.threshold ?? detector.threshold ?? THRESHOLD;
  const score = element("span", { class: "mapping-score soft small" }, interpolate(gettext("from %s"), [percent(least)]));
  return element("label", { class: "mapping-row", "data-search": label.name.toLowerCase() }, element("span", {}, label.name, " ", score), select);
}

/** Create a concept in a dataset and put it into `labels`; the server chooses its colour and key. */
export async function addLabel(dataset, labels, name) {
  const label = await api("POST", `/api/datasets/${dataset.id}/labels/`, { json: { name } });
  labels.set(label.id, label);
  return label;
}

/** The chosen mapping as the API takes it; concepts that are to be created are created first. */
async function mappingOf(form, dataset, labels) {
  const mapping = {};
  for (const select of form.querySelectorAll("select[name=mapping]")) {
    const { label, name } = select.dataset;
    if (select.value === CREATE) {
      const made = (await addLabel(dataset, labels, name)).id;
      // A second press of the button after a failure must not create it again.
      select.append(element("option", { value: made }, name));
      select.value = made;
    }
    mapping[label] = select.value ? Number(select.value) : null;
  }
  return mapping;
}

/** Next time these are offered first, where the browser keeps anything: the run is on, whether it does or not. */
function remember(datasetId, chosen) {
  try {
    localStorage.setItem(memory(datasetId), JSON.stringify(chosen));
  } catch (error) {
    console.warn("The choice could not be kept:", error);
  }
}

async function start({ form, dialog, submit, detector, dataset, labels, artwork, onLabels, onRun, last }) {
  const chosen = [...form.querySelectorAll("select[name=mapping]")].some(({ value }) => value);
  if (!chosen) {
    toast(gettext("Choose at least one concept that the boxes should become."), { kind: "error" });
    return;
  }
  submit.disabled = true;
  const before = labels.size;
  try {
    const mapping = await mappingOf(form, dataset, labels);
    const here = form.elements.scope?.value === "artwork" ? artwork : null;
    const chosenScore = form.elements.threshold.valueAsNumber;
    const own = form.elements.own_scores.checked;
    // Concepts without a score of their own begin at the one that is best for all.
    const threshold = own ? (detector.threshold ?? THRESHOLD) : chosenScore;
    const json = { detector: detector.id, artwork: here, threshold, mapping, closely: form.elements.closely.checked, own_scores: own };
    const run = await api("POST", `/api/datasets/${dataset.id}/inference-runs/`, { json });
    const mappings = { ...last.mappings, [detector.id]: mapping };
    const thresholds = own ? last.thresholds : { ...last.thresholds, [detector.id]: chosenScore };
    const ownScores = knowsOwnScores(detector) ? { ...last.ownScores, [detector.id]: own } : last.ownScores;
    remember(dataset.id, { detector: detector.id, thresholds, mappings, ownScores });
    dialog.close();
    onRun(run);
  } catch (error) {
    showErrors(form, error);
    submit.disabled = false;
  } finally {
    if (labels.size !== before) onLabels();
  }
}

/** The dialog that lets a detector draw: how sure it must be, and which concept each of its classes stands for. */

import { api } from "./api.js";
import { showDialog } from "./dialogs.js";
import { counted, element, percent } from "./dom.js";
import { showErrors } from "./forms.js";

const NEW = "new";

function memoryKey(dataset, detector) {
  return `webnet-mapping-${dataset.id}-${detector.id}`;
}

function remembered(dataset, detector) {
  try {
    return JSON.parse(localStorage.getItem(memoryKey(dataset, detector))) ?? {};
  } catch {
    return {};
  }
}

/** The concept that is chosen at first: the one of last time, else the one of the same name, else none. */
function firstChoice(label, labels, before) {
  if (labels.some((known) => String(known.id) === String(before[label.id]))) return String(before[label.id]);
  const same = labels.find((known) => known.name.trim().toLowerCase() === label.name.trim().toLowerCase());
  return same ? String(same.id) : "";
}

function mappingRow(label, { labels, may, before }) {
  const id = `mapping-${label.id}`;
  const select = element("select", { id, "data-class": label.id }, element("option", { value: "" }, gettext("leave out")));
  select.append(...labels.map((known) => element("option", { value: known.id }, known.name)));
  if (may.curate) select.append(element("option", { value: NEW }, interpolate(gettext("new concept “%s”"), [label.name])));
  select.value = firstChoice(label, labels, before);
  return element("li", { class: "mapping-row" }, element("label", { for: id }, label.name), element("span", { "aria-hidden": "true" }, "→"), select);
}

function thresholdField() {
  const output = element("output", { for: "threshold" }, percent(0.3));
  const input = element("input", { type: "range", id: "threshold", min: 0.05, max: 0.95, step: 0.05, value: 0.3 });
  input.addEventListener("input", () => (output.textContent = percent(input.valueAsNumber)));
  const hint = element("span", { class: "soft small" }, gettext("Lower finds more and errs more. Suggestions can be narrowed down later."));
  return element("p", { class: "field" }, element("label", { for: "threshold" }, gettext("Only boxes at least this sure: "), output), input, hint);
}

/** Make the concepts that were asked for; return the mapping with their ids. */
async function mappingOf(form, dataset, detector) {
  const mapping = {};
  for (const select of form.querySelectorAll("[data-class]")) {
    if (select.value === NEW) {
      const { name } = detector.labels.find((label) => String(label.id) === select.dataset.class);
      const made = await api("POST", `/api/datasets/${dataset.id}/labels/`, { json: { name } });
      select.append(element("option", { value: made.id }, made.name));
      select.value = String(made.id);
    }
    mapping[select.dataset.class] = select.value ? Number(select.value) : null;
  }
  return mapping;
}

function start(form, { dataset, detector, artwork }) {
  return async (event) => {
    event.preventDefault();
    const submit = form.closest("dialog").querySelector("[form]");
    submit.disabled = true;
    try {
      const mapping = await mappingOf(form, dataset, detector);
      const threshold = form.querySelector("#threshold").valueAsNumber;
      const run = await api("POST", `/api/datasets/${dataset.id}/inference-runs/`, { json: { detector: detector.id, artwork, threshold, mapping } });
      localStorage.setItem(memoryKey(dataset, detector), JSON.stringify(mapping));
      location.assign(run.urls.page);
    } catch (error) {
      showErrors(form, error);
      submit.disabled = false;
    }
  };
}

/**
 * Ask how a detector shall be used, and start it; the page of the run follows.
 *
 * @param {{dataset: object, detector: object, labels: object[], may: object, artwork?: number|null}} choice
 *   `labels` are the dataset's concepts, `artwork` null means the whole dataset
 */
export function useDetector({ dataset, detector, labels, may, artwork = null }) {
  const before = remembered(dataset, detector);
  const rows = detector.labels.map((label) => mappingRow(label, { labels, may, before }));
  const form = element("form", { id: "use-form" }, thresholdField(), element("h3", {}, gettext("What it finds becomes")), element("ul", { class: "mapping" }, ...rows));
  const { artworks } = dataset;
  const intro = artwork
    ? gettext("The detector looks at this artwork.")
    : counted(ngettext("The detector looks at %(n)s artwork.", "The detector looks at all %(n)s artworks.", artworks), artworks);
  const submit = element("button", { class: "button button-strong", form: form.id }, gettext("Find boxes"));
  const text = `${intro} ${gettext("What it finds are suggestions; boxes that people drew, corrected or rejected are left alone.")}`;
  showDialog({ title: detector.name, content: [element("p", { class: "soft" }, text), form], actions: [submit] });
  form.addEventListener("submit", start(form, { dataset, detector, artwork }));
}

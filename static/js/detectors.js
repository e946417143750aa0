/** The detectors of a dataset: letting one draw, renaming, deleting. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { showDialog } from "./dialogs.js";
import { element, pageData } from "./dom.js";
import { openFinder } from "./finder.js";
import { submitForm } from "./forms.js";
import { leaveWithNotice } from "./notice.js";
import { toast } from "./toast.js";

const { dataset, detectors, labels, may } = pageData();
const address = `/api/datasets/${dataset.id}/detectors/`;
const labelsById = new Map(labels.map((label) => [label.id, label]));
const named = (id) => detectors.find((detector) => detector.id === Number(id));

function onEach(key, act) {
  document.querySelectorAll(`[data-${key}]`).forEach((button) => {
    button.addEventListener("click", () => act(named(button.dataset[key])));
  });
}

function rename(detector) {
  const input = element("input", { id: "detector-name", name: "name", maxlength: 200, required: true, autocomplete: "off", value: detector.name });
  const form = element("form", { id: "detector-form", novalidate: true }, element("p", { class: "field" }, element("label", { for: input.id }, gettext("Name")), input));
  const submit = element("button", { class: "button button-strong", form: form.id }, gettext("Save"));
  showDialog({ title: gettext("Rename the detector"), content: [form], actions: [submit], kind: "small" });
  submitForm(form, async (values) => {
    await api("PATCH", `${address}${detector.id}/`, { json: values });
    leaveWithNotice(location.href, gettext("Saved."));
  });
}

async function remove(detector) {
  const sure = await confirmLoss({
    title: interpolate(gettext("Delete the detector “%s”?"), [detector.name]),
    text: gettext("It can no longer be used. Boxes that it drew stay, and so does the record of its training."),
    action: gettext("Delete"),
  });
  if (!sure) return;
  try {
    await api("DELETE", `${address}${detector.id}/`);
    leaveWithNotice(location.href, interpolate(gettext("“%s” has been deleted."), [detector.name]));
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

/** Let a detector look at the whole dataset; the page of the run follows. */
function use({ id }) {
  const onRun = (run) => location.assign(run.urls.page);
  openFinder({ dataset, detectors, first: id, labels: labelsById, mayCreate: may.curate, onRun });
}

onEach("use", use);
onEach("rename", rename);
onEach("delete", remove);

const wanted = new URLSearchParams(location.search).get("use");
if (wanted && named(wanted) && may.annotate) use(named(wanted));

/** The detectors of a dataset: letting one draw, renaming, deleting. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { showDialog } from "./dialogs.js";
import { element, pageData } from "./dom.js";
import { submitForm } from "./forms.js";
import { leaveWithNotice } from "./notice.js";
import { toast } from "./toast.js";
import { useDetector } from "./usedetector.js";

const { dataset, detectors, labels, may } = pageData();
const address = `/api/datasets/${dataset.id}/detectors/`;
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

onEach("use", (detector) => useDetector({ dataset, detector, labels, may }));
onEach("rename", rename);
onEach("delete", remove);

const wanted = new URLSearchParams(location.search).get("use");
if (wanted && named(wanted) && may.annotate) useDetector({ dataset, detector: named(wanted), labels, may });

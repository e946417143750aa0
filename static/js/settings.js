/** The settings of a dataset: its name, its description, and its deletion, which can be undone. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { showErrors, submitForm } from "./forms.js";
import { leaveWithNotice } from "./notice.js";

const form = document.getElementById("settings-form");
const address = `/api/datasets/${form.dataset.dataset}/`;

submitForm(form, async (values) => {
  await api("PATCH", address, { json: values });
  location.reload();
});

document.getElementById("delete-dataset")?.addEventListener("click", async () => {
  const name = form.elements.name.defaultValue;
  const sure = await confirmLoss({
    title: gettext("Delete this dataset?"),
    text: interpolate(gettext("“%s” disappears for all its members, with its artworks, boxes and detectors."), [name]),
    action: gettext("Delete"),
  });
  if (!sure) return;
  try {
    await api("DELETE", address);
    const text = interpolate(gettext("“%s” has been deleted."), [name]);
    leaveWithNotice(form.dataset.list, text, { undo: [`${address}restore/`], page: location.pathname });
  } catch (error) {
    showErrors(form, error);
  }
});

/** The list of datasets: making a new one. */

import { api } from "./api.js";
import { submitForm } from "./forms.js";

submitForm(document.getElementById("new-dataset-form"), async (values) => {
  const dataset = await api("POST", "/api/datasets/", { json: values });
  location.assign(dataset.urls.page);
});

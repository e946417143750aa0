/** Reviewing the suggestions of a whole dataset at once, above a score. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { counted, pageData, percent } from "./dom.js";
import { leaveWithNotice } from "./notice.js";
import { toast } from "./toast.js";

const { dataset } = pageData();
const form = document.getElementById("review");
const score = document.getElementById("review-score");

function showScore() {
  document.getElementById("review-output").textContent = percent(score.valueAsNumber);
}

function questionFor(action) {
  const sure = percent(score.valueAsNumber);
  if (action === "accept") {
    const text = gettext("Suggestions of at least %s become boxes, as if you had drawn them. Each can still be changed or deleted.");
    return { title: gettext("Accept them all?"), text: interpolate(text, [sure]), action: gettext("Accept") };
  }
  const text = gettext("Suggestions of at least %s disappear and are not suggested again.");
  return { title: gettext("Reject them all?"), text: interpolate(text, [sure]), action: gettext("Reject") };
}

async function review(action) {
  if (!(await confirmLoss(questionFor(action)))) return;
  const label = form.dataset.label ? Number(form.dataset.label) : null;
  try {
    const json = { action, minimum_score: score.valueAsNumber, label };
    const { count } = await api("POST", `/api/datasets/${dataset.id}/suggestions/`, { json });
    const text = action === "accept" ? ngettext("%(n)s suggestion accepted.", "%(n)s suggestions accepted.", count) : ngettext("%(n)s suggestion rejected.", "%(n)s suggestions rejected.", count);
    leaveWithNotice(location.href, counted(text, count));
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

score.addEventListener("input", showScore);
form.querySelectorAll("[data-review]").forEach((button) => {
  button.addEventListener("click", () => review(button.dataset.review));
});
showScore();

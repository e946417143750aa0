/** The members of a dataset: adding, changing roles, removing. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { pageData } from "./dom.js";
import { submitForm } from "./forms.js";
import { leaveWithNotice } from "./notice.js";
import { toast } from "./toast.js";

const { dataset, me } = pageData();
const address = `/api/datasets/${dataset.id}/members/`;

submitForm(document.getElementById("member-new"), async (values) => {
  await api("POST", address, { json: values });
  leaveWithNotice(location.href, interpolate(gettext("%s is a member now."), [values.username]));
});

async function changeRole(row, select, before) {
  const own = row.dataset.name === me && before === "administrator";
  const sure = !own || (await confirmLoss({
    title: gettext("Give up your own role?"),
    text: gettext("You would no longer be an administrator of this dataset; only another one could give the role back."),
    action: gettext("Give it up"),
  }));
  if (!sure) {
    select.value = before;
    return before;
  }
  try {
    await api("PATCH", `${address}${row.dataset.member}/`, { json: { role: select.value } });
  } catch (error) {
    toast(error.message, { kind: "error" });
    select.value = before;
    return before;
  }
  if (own) location.reload();
  toast(gettext("Saved."), { kind: "ok", seconds: 3 });
  return select.value;
}

async function remove(row) {
  const { name, member } = row.dataset;
  const sure = await confirmLoss({
    title: interpolate(gettext("Remove %s?"), [name]),
    text: gettext("They no longer see this dataset. What they drew and wrote stays."),
    action: gettext("Remove"),
  });
  if (!sure) return;
  try {
    await api("DELETE", `${address}${member}/`);
    leaveWithNotice(name === me ? "/" : location.href, interpolate(gettext("%s is no longer a member."), [name]));
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

document.querySelectorAll(".member").forEach((row) => {
  const select = row.querySelector("select");
  let role = select.value;
  select.addEventListener("change", async () => {
    role = await changeRole(row, select, role);
  });
  row.querySelector("button").addEventListener("click", () => remove(row));
});

/** What is known about the artwork, beside the picture; curators edit it. */

import { api } from "../api.js";
import { element } from "../dom.js";
import { toast } from "../toast.js";

/**
 * @param form the metadata form; its controls carry the names of the API's fields
 * @param url address of the artwork in the API
 * @param artwork artwork json with `metadata_revision`
 * @param onSaved (artwork) called after a save
 */
export function editMetadata({ form, url, artwork, onSaved }) {
  const names = [...form.elements].map(({ name }) => name).filter(Boolean);
  const save = form.querySelector("[data-save]");
  let known = artwork;

  const changed = () => Object.fromEntries(names.filter((name) => form.elements[name].value !== known[name]).map((name) => [name, form.elements[name].value]));

  function update() {
    save.hidden = Object.keys(changed()).length === 0;
  }

  function showErrors(errors = {}) {
    form.querySelectorAll(".field-error").forEach((node) => node.remove());
    for (const name of names) {
      const control = form.elements[name];
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
      if (!errors[name]) continue;
      const id = `error-${name}`;
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", id);
      control.after(element("p", { class: "field-error", id }, String(errors[name])));
    }
  }

  /** Somebody saved in between: show their text where nothing was written here, and let the person save again. */
  function merge(current) {
    const mine = changed();
    known = current;
    for (const name of names) if (!(name in mine)) form.elements[name].value = current[name];
    toast(gettext("Somebody else changed these details meanwhile. Theirs are shown where you wrote nothing; save again to keep yours."), { kind: "error", seconds: 15 });
    update();
  }

  async function submit(event) {
    event.preventDefault();
    const json = { ...changed(), metadata_revision: known.metadata_revision };
    save.disabled = true;
    try {
      known = await api("PATCH", url, { json });
      for (const name of Object.keys(json)) if (form.elements[name]) form.elements[name].value = known[name];
      showErrors();
      onSaved(known);
      toast(gettext("Details saved."), { kind: "ok" });
    } catch (error) {
      if (error.status === 409 && error.data?.current) merge(error.data.current);
      else {
        showErrors(error.data?.errors);
        toast(error.message, { kind: "error" });
      }
    } finally {
      save.disabled = false;
      update();
    }
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", submit);
  form.querySelector("[data-reset]").addEventListener("click", () => {
    names.forEach((name) => {
      form.elements[name].value = known[name];
    });
    showErrors();
    update();
  });
  window.addEventListener("beforeunload", (event) => {
    if (Object.keys(changed()).length) event.preventDefault();
  });
  update();
}

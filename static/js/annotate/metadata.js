/** What is known about the artwork, beside the picture; curators edit it. */

import { api } from "../api.js";
import { element } from "../dom.js";
import { changesOf } from "../forms.js";
import { toast } from "../toast.js";

export class MetadataForm {
  #known;

  /**
   * @param form its controls carry the names of the API's fields
   * @param url address of the artwork in the API
   * @param artwork artwork json with `metadata_revision`
   * @param onSaved (artwork json) called after a save
   */
  constructor(form, { url, artwork, onSaved }) {
    Object.assign(this, { form, url, onSaved });
    this.#known = artwork;
    this.names = [...form.elements].map(({ name }) => name).filter(Boolean);
    this.foot = form.querySelector("[data-save]");
    form.addEventListener("input", () => this.#update());
    form.addEventListener("submit", (event) => this.#submit(event));
    form.querySelector("[data-reset]").addEventListener("click", () => this.#reset());
    window.addEventListener("beforeunload", (event) => this.#isChanged() && event.preventDefault());
    this.#update();
  }

  /** The fields that were written in, with their values. */
  #changes() {
    const values = this.names.map((name) => [name, this.form.elements[name].value]);
    return changesOf(Object.fromEntries(values), this.#known);
  }

  #isChanged() {
    return Object.keys(this.#changes()).length > 0;
  }

  #update() {
    this.foot.hidden = !this.#isChanged();
  }

  #show(names) {
    for (const name of names) this.form.elements[name].value = this.#known[name];
    this.#update();
  }

  #reset() {
    this.#showErrors();
    this.#show(this.names);
  }

  async #submit(event) {
    event.preventDefault();
    const changes = this.#changes();
    const button = this.foot.querySelector("button");
    button.disabled = true;
    try {
      this.#known = await api("PATCH", this.url, { json: { ...changes, metadata_revision: this.#known.metadata_revision } });
      this.#showErrors();
      // What was written since the button was pressed stays.
      this.#show(Object.keys(changes).filter((name) => this.form.elements[name].value === changes[name]));
      this.onSaved(this.#known);
      toast(gettext("Details saved."), { kind: "ok" });
    } catch (error) {
      this.#refused(error);
    } finally {
      button.disabled = false;
    }
  }

  #refused(error) {
    if (error.status === 409 && error.data?.current) return this.#merge(error.data.current);
    this.#showErrors(error.data?.errors);
    return toast(error.message, { kind: "error" });
  }

  /** Somebody saved in between: show their text where nothing was written here, and let the person save again. */
  #merge(current) {
    const mine = this.#changes();
    this.#known = current;
    this.#show(this.names.filter((name) => !(name in mine)));
    const text = gettext(
      "Somebody else changed these details meanwhile. Theirs are shown where you wrote nothing; save again to keep yours.",
    );
    toast(text, { kind: "error", seconds: 15 });
  }

  #showErrors(errors = {}) {
    this.form.querySelectorAll(".field-error").forEach((node) => node.remove());
    for (const name of this.names) {
      const control = this.form.elements[name];
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
      if (!errors[name]) continue;
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", `error-${name}`);
      control.after(element("p", { class: "field-error", id: `error-${name}` }, String(errors[name])));
    }
  }
}

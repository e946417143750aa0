/** How far the artwork is: said here, and on to the next one that needs work. */

import { api } from "../api.js";
import { toast } from "../toast.js";

export class Progress {
  /**
   * @param form with the select `progress` and the button [data-finish]
   * @param data page data
   * @param page.leave (url) goes on once everything is saved
   */
  constructor(form, data, { leave }) {
    Object.assign(this, { select: form.elements.progress, data, leave });
    this.said = this.select.value;
    this.select.addEventListener("change", () => this.#say(this.select.value));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-finish]").addEventListener("click", () => this.finish());
  }

  /** Somebody has begun: the server notes it with their first edit. */
  begun() {
    const next = { todo: "in_progress", reviewed: "done" }[this.said];
    if (next) this.#show(next);
  }

  /** Call it done (what is reviewed stays so), and go to the next one that needs work. */
  async finish() {
    if (this.said === "reviewed" || this.said === "done" || (await this.#say("done"))) this.leave(this.data.urls.next_work);
  }

  async #say(progress) {
    try {
      await api("POST", `${this.data.urls.api}progress/`, { json: { progress } });
      this.#show(progress);
      return true;
    } catch (error) {
      this.#show(this.said);
      toast(error.message, { kind: "error" });
      return false;
    }
  }

  #show(progress) {
    this.said = progress;
    this.select.value = progress;
  }
}

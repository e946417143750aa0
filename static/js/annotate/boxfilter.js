/** Which boxes are shown: of one concept, of people or of detectors; and the way back to all of them. */

import { element, number } from "../dom.js";
import { isShown } from "./desk.js";

export class BoxFilter {
  /**
   * @param form with the selects `label` and `from`, and a line [data-hidden-count] with a button
   * @param context {labels, store, desk}
   */
  constructor(form, { labels, store, desk }) {
    Object.assign(this, { form, labels, store, desk });
    const { label, from } = form.elements;
    label.addEventListener("change", () => desk.set({ onlyLabel: label.value ? Number(label.value) : null }));
    from.addEventListener("change", () => desk.set({ onlyFrom: from.value || null }));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-show-all]").addEventListener("click", () => desk.showAll());
    store.subscribe(() => this.render());
    desk.subscribe(() => this.render(), "onlyLabel", "onlyFrom", "concealed", "hidden");
    this.render();
  }

  render() {
    const { label, from } = this.form.elements;
    const all = element("option", { value: "" }, gettext("All concepts"));
    label.replaceChildren(all, ...[...this.labels.values()].map(({ id, name }) => element("option", { value: id }, name)));
    label.value = this.desk.onlyLabel ?? "";
    from.value = this.desk.onlyFrom ?? "";
    const boxes = this.store.boxes();
    const hidden = this.desk.hidden ? boxes.length : boxes.filter((box) => !isShown(box, this.desk)).length;
    this.form.hidden = boxes.length === 0;
    const line = this.form.querySelector("[data-hidden-count]");
    line.hidden = hidden === 0;
    line.querySelector("span").textContent = interpolate(ngettext("%s box is hidden.", "%s boxes are hidden.", hidden), [number(hidden)]);
  }
}

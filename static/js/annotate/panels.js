/** The lists beside the picture: suggestions with their threshold, and boxes. */

import { counted, number } from "../dom.js";
import { BoxList, iconButton } from "./boxlist.js";
import { isShown, suggestionsAbove } from "./desk.js";
import { inReadingOrder } from "./geometry.js";
import { scoreText } from "./looks.js";

/** Suggestions to review: a threshold that filters at once, one by one or all that reach it. */
export class SuggestionPanel {
  /** @param context {labels, store, desk, actions, picture, bounds, canDraw} */
  constructor(section, context) {
    const { store, desk, actions, bounds, canDraw } = context;
    Object.assign(this, { section, store, desk, bounds, canDraw });
    this.slider = section.querySelector("input[type=range]");
    this.acceptAll = section.querySelector("[data-accept-all]");
    this.rejectAll = section.querySelector("[data-reject-all]");
    this.list = new BoxList(section.querySelector("ul"), context, (box) => (canDraw ? reviewButtons(box, actions) : []));
    this.slider.value = desk.threshold;
    this.slider.addEventListener("input", () => desk.set({ threshold: Number(this.slider.value) }));
    this.acceptAll.addEventListener("click", () => actions.reviewAll("accept"));
    this.rejectAll.addEventListener("click", () => actions.reviewAll("reject"));
    store.subscribe(() => this.render());
    desk.subscribe(() => this.render(), "threshold", "onlyLabel", "onlyFrom", "concealed", "locked");
    this.render();
  }

  render() {
    const total = this.store.suggestions().length;
    const shown = suggestionsAbove(this.store, this.desk.threshold).filter((box) => isShown(box, this.desk));
    const count = shown.length === total ? number(total) : `${number(shown.length)} / ${number(total)}`;
    this.section.hidden = total === 0;
    this.section.querySelector(".count").textContent = count;
    this.section.querySelector("output").textContent = scoreText(this.desk.threshold);
    const { length: free } = shown.filter(({ id }) => !this.desk.locked.has(id));
    this.acceptAll.textContent = counted(ngettext("Accept %(n)s", "Accept all %(n)s", free), free);
    this.rejectAll.textContent = counted(ngettext("Reject %(n)s", "Reject all %(n)s", free), free);
    for (const button of [this.acceptAll, this.rejectAll]) button.disabled = !this.canDraw || free === 0;
    this.list.show(inReadingOrder(shown, this.bounds));
  }
}

function reviewButtons(box, actions) {
  return [
    iconButton("check", gettext("Accept"), () => actions.accept(box.id), { "data-accept": true }),
    iconButton("close", gettext("Reject"), () => actions.remove(box.id), { "data-reject": true }),
  ];
}

/** The confirmed boxes. */
export class BoxPanel {
  /** @param context {labels, store, desk, actions, picture, bounds, canDraw} */
  constructor(section, context) {
    const { store, desk, actions, bounds, canDraw } = context;
    Object.assign(this, { section, store, desk, bounds });
    const remove = (box) => iconButton("trash", gettext("Delete"), () => actions.remove(box.id), { "data-delete": true });
    this.list = new BoxList(section.querySelector("ul"), context, (box) => (canDraw ? [remove(box)] : []));
    store.subscribe(() => this.render());
    desk.subscribe(() => this.render(), "onlyLabel", "onlyFrom", "concealed");
    this.render();
  }

  render() {
    const boxes = this.store.confirmed();
    const { onlyLabel, onlyFrom } = this.desk;
    // A box that was hidden by itself stays in the list: there it is found again.
    const shown = boxes.filter((box) => isShown(box, { onlyLabel, onlyFrom, concealed: new Set() }));
    this.section.querySelector(".count").textContent = shown.length === boxes.length ? number(boxes.length) : `${number(shown.length)} / ${number(boxes.length)}`;
    this.section.querySelector(".empty-note").hidden = boxes.length > 0 || this.store.state.nothing;
    this.list.show(inReadingOrder(shown, this.bounds));
  }
}

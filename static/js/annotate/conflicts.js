/** Boxes that two people changed at the same time, side by side, for the person here to choose. */

import { element } from "../dom.js";
import { insisting } from "./disputes.js";
import { newId } from "./ids.js";
import { placeText } from "./looks.js";

const WIDTH = 220;
const HEIGHT = 150;
/** Share of the boxes' size that is shown around them. */
const AROUND = 0.4;

export class Conflicts {
  #waiting = new Map();

  /**
   * @param place element to fill
   * @param context {store, labels, data, bounds}
   */
  constructor(place, { store, labels, data, bounds }) {
    Object.assign(this, { place, store, labels, bounds });
    this.image = new Image();
    this.image.src = data.artwork.urls.display;
    this.image.addEventListener("load", () => this.#render());
  }

  /** Show these (see `disputes`) beside those that wait already. */
  add(found) {
    found.forEach((dispute) => this.#waiting.set(dispute.id, dispute));
    this.#render();
  }

  #render() {
    this.place.hidden = this.#waiting.size === 0;
    this.place.replaceChildren(...[...this.#waiting.values()].map((dispute) => this.#card(dispute)));
  }

  #card(dispute) {
    const { mine, theirs } = dispute;
    const name = theirs?.author ?? gettext("Somebody else");
    return element(
      "article",
      { class: "conflict" },
      element("p", { role: "alert" }, interpolate(gettext("%s changed this box at the same time as you. Which one shall stay?"), [name])),
      element(
        "div",
        { class: "conflict-sides" },
        this.#side(dispute, theirs, interpolate(gettext("Keep that of %s"), [name]), () => this.#settle(dispute, [])),
        this.#side(dispute, mine, gettext("Keep mine"), () => this.#insist(dispute)),
      ),
    );
  }

  #side(dispute, box, text, onclick) {
    const what = box ? `${this.labels.get(box.label)?.name ?? "?"}, ${placeText(box)}` : gettext("deleted");
    return element(
      "div",
      { class: "conflict-side" },
      this.#crop(dispute, box),
      element("p", { class: "small soft" }, what),
      element("button", { type: "button", class: "button button-small", onclick }, text),
    );
  }

  /** The part of the picture that both boxes are in, with one of them drawn. */
  #crop({ mine, theirs }, box) {
    const canvas = element("canvas", { width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    const part = around([mine, theirs].filter(Boolean));
    const scale = this.image.naturalWidth / this.bounds.width;
    const zoom = Math.min(WIDTH / part.width, HEIGHT / part.height);
    const [left, top] = [(WIDTH - part.width * zoom) / 2, (HEIGHT - part.height * zoom) / 2];
    if (this.image.complete && scale) {
      context.drawImage(this.image, part.x * scale, part.y * scale, part.width * scale, part.height * scale, left, top, part.width * zoom, part.height * zoom);
    }
    if (box) {
      context.strokeStyle = this.labels.get(box.label)?.colour ?? "#888888";
      context.lineWidth = 3;
      context.strokeRect(left + (box.x - part.x) * zoom, top + (box.y - part.y) * zoom, box.width * zoom, box.height * zoom);
    }
    return canvas;
  }

  /** By now the other box may be yet another one, or gone. */
  #insist(dispute) {
    this.#settle(dispute, insisting({ ...dispute, theirs: this.store.box(dispute.id) ?? null }, newId));
  }

  #settle({ id }, edits) {
    this.#waiting.delete(id);
    this.store.apply(edits);
    this.#render();
  }
}

/** The rectangle around some boxes, with room. */
function around(boxes) {
  const left = Math.min(...boxes.map(({ x }) => x));
  const top = Math.min(...boxes.map(({ y }) => y));
  const width = Math.max(...boxes.map((box) => box.x + box.width)) - left;
  const height = Math.max(...boxes.map((box) => box.y + box.height)) - top;
  return { x: left - AROUND * width, y: top - AROUND * height, width: width * (1 + 2 * AROUND), height: height * (1 + 2 * AROUND) };
}

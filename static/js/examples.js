/** Examples of an augmentation on the dataset's own artworks, below the choice of it. */

import { api } from "./api.js";
import { element } from "./dom.js";

const LARGEST_SEED = 2 ** 31;
// Whoever goes through the choices with the arrow keys wants the one on which they stop.
const PAUSE = 250;

function concepts(boxes, labels) {
  const counts = new Map();
  boxes.forEach(({ label }) => counts.set(label, (counts.get(label) ?? 0) + 1));
  return [...counts].map(([label, count]) => `${labels.get(label)?.name ?? "?"} ${count}`).join(", ");
}

function description({ title, boxes }, labels) {
  const values = { title, boxes: concepts(boxes, labels) || gettext("none") };
  return interpolate(gettext("%(title)s, varied. Boxes: %(boxes)s."), values, true);
}

function frame(box, picture, labels) {
  const made = element("span", { class: "example-box", "aria-hidden": "true" });
  const share = (value, whole) => `${(100 * value) / whole}%`;
  made.style.left = share(box.x, picture.width);
  made.style.top = share(box.y, picture.height);
  made.style.width = share(box.width, picture.width);
  made.style.height = share(box.height, picture.height);
  made.style.borderColor = labels.get(box.label)?.colour ?? "";
  return made;
}

function tile(picture, labels) {
  const image = element("img", { src: picture.image, width: picture.width, height: picture.height, alt: description(picture, labels) });
  const boxes = picture.boxes.map((box) => frame(box, picture, labels));
  return element("li", { class: "example" }, element("span", { class: "example-picture" }, image, ...boxes));
}

function legendEntry(label) {
  const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.backgroundColor = label.colour;
  return element("li", {}, swatch, label.name);
}

/** The part of the page with the examples; does nothing until it is asked to `show`. */
export class Examples {
  constructor(section, dataset) {
    this.dataset = dataset;
    this.section = section;
    this.grid = section.querySelector(".examples-grid");
    this.legend = section.querySelector(".examples-legend");
    this.note = section.querySelector(".examples-note");
    this.more = section.querySelector("button");
    this.preset = null;
    this.copies = true;
    this.labels = null;
    this.seed = 0;
    this.more.addEventListener("click", () => this.another());
  }

  /**
   * Show examples of a preset, of the same artworks as those that are shown.
   *
   * @param {string} preset
   * @param {boolean} copies whether the training would have the time for changed copies; without, as it sees the artworks then
   * @param {number[] | null} labels ids of the concepts to learn; null for all
   */
  show(preset, copies, labels) {
    if (preset === this.preset && copies === this.copies && String(labels) === String(this.labels)) return;
    Object.assign(this, { preset, copies, labels });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), PAUSE);
  }

  another() {
    this.seed = Math.floor(Math.random() * LARGEST_SEED);
    this.load();
  }

  async load() {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    this.wait(true);
    this.say(gettext("Making examples …"));
    try {
      const query = new URLSearchParams({ preset: this.preset, seed: this.seed, copies: this.copies });
      this.labels?.forEach((id) => query.append("labels", id));
      this.fill(await api("GET", `/api/datasets/${this.dataset.id}/augmentation-preview/?${query}`, { signal: request.signal }));
    } catch (error) {
      if (error.name === "AbortError") return;
      // What is shown belongs to another choice.
      this.grid.replaceChildren();
      this.legend.replaceChildren();
      this.say(error.message);
    }
    this.wait(false);
  }

  wait(on) {
    this.section.setAttribute("aria-busy", String(on));
  }

  say(text) {
    this.note.textContent = text;
  }

  fill({ pictures, labels }) {
    const known = new Map(labels.map((label) => [label.id, label]));
    const seen = new Set(pictures.flatMap((picture) => picture.boxes.map((box) => box.label)));
    this.grid.replaceChildren(...pictures.map((picture) => tile(picture, known)));
    this.legend.replaceChildren(...labels.filter((label) => seen.has(label.id)).map(legendEntry));
    this.say(pictures.length ? "" : gettext("The files of these artworks cannot be read right now, so there is nothing to show."));
  }
}

/** The magnifier: what is under the pointer, three times as large, in a corner that the pointer is not in. */

const SIDE = 200;
const FACTOR = 3;

export class Lens {
  /** @param context {element, picture, desk, overlay} */
  constructor({ element, picture, desk, overlay }) {
    Object.assign(this, { picture, desk, overlay });
    this.canvas = document.createElement("canvas");
    this.canvas.className = "lens";
    this.canvas.hidden = true;
    this.canvas.setAttribute("aria-hidden", "true");
    element.append(this.canvas);
    this.context = this.canvas.getContext("2d");
    desk.subscribe(() => this.#later(), "lens", "pointer", "draft");
    picture.viewer.addHandler("update-viewport", () => this.#later());
  }

  #later() {
    this.frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.frame = 0;
    const { lens, pointer } = this.desk;
    this.canvas.hidden = !lens || !pointer;
    if (this.canvas.hidden) return;
    const ratio = window.devicePixelRatio || 1;
    const side = SIDE * ratio;
    if (this.canvas.width !== side) Object.assign(this.canvas, { width: side, height: side });
    const { x, y } = this.picture.view().toScreen(pointer);
    this.canvas.classList.toggle("lens-left", x > this.picture.element.clientWidth / 2);
    this.context.clearRect(0, 0, side, side);
    this.context.imageSmoothingEnabled = false;
    const seen = side / FACTOR;
    for (const source of [this.picture.canvas, this.overlay.canvas]) {
      // The picture's own light is a style of its canvas; here it is painted.
      this.context.filter = source.style.filter || "none";
      this.context.drawImage(source, x * ratio - seen / 2, y * ratio - seen / 2, seen, seen, 0, 0, side, side);
    }
    this.context.filter = "none";
  }
}

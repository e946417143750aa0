/** The panel that changes how the artwork is looked at: light, turning, magnifier. Nothing of it is saved. */

const UNCHANGED = { brightness: 1, contrast: 1, degrees: 0, lens: false };

export class ViewPanel {
  /**
   * @param panel the panel's element, with a form of the fields brightness, contrast and lens
   * @param opener the button that shows and hides it
   * @param context {desk, picture}
   */
  constructor(panel, opener, { desk, picture }) {
    Object.assign(this, { panel, opener, desk, picture });
    const { brightness, contrast, lens } = panel.elements;
    for (const range of [brightness, contrast]) {
      range.addEventListener("input", () => desk.set({ [range.name]: range.valueAsNumber }));
    }
    lens.addEventListener("change", () => desk.set({ lens: lens.checked }));
    panel.querySelector("[data-turn-left]").addEventListener("click", () => turn(desk, -90));
    panel.querySelector("[data-turn-right]").addEventListener("click", () => turn(desk, 90));
    panel.addEventListener("reset", (event) => {
      event.preventDefault();
      desk.set(UNCHANGED);
    });
    panel.addEventListener("submit", (event) => event.preventDefault());
    panel.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(event));
    opener.addEventListener("click", () => this.show(panel.hidden));
    desk.subscribe(() => this.#apply(), "brightness", "contrast", "degrees");
    desk.subscribe(() => this.#fill(), "brightness", "contrast", "degrees", "lens");
    this.#fill();
  }

  show(on) {
    this.panel.hidden = !on;
    this.opener.setAttribute("aria-expanded", String(on));
    if (on) this.panel.elements.brightness.focus();
  }

  #close(event) {
    event.stopPropagation();
    this.show(false);
    this.opener.focus();
  }

  #apply() {
    const { brightness, contrast, degrees } = this.desk;
    this.picture.light(brightness, contrast);
    this.picture.turn(degrees);
  }

  #fill() {
    const { elements } = this.panel;
    elements.brightness.value = this.desk.brightness;
    elements.contrast.value = this.desk.contrast;
    elements.lens.checked = this.desk.lens;
    const changed = Object.keys(UNCHANGED).some((name) => this.desk[name] !== UNCHANGED[name]);
    this.panel.querySelector("[type=reset]").disabled = !changed;
    this.opener.classList.toggle("is-changed", changed);
  }
}

/** Turn the view by `degrees` to the right. */
export function turn(desk, degrees) {
  desk.set({ degrees: (desk.degrees + degrees + 360) % 360 });
}

/**
 * The keys of the page. Keys of one character can be changed (`bindings.js`) and switched off (WCAG 2.1.4), those of the concepts
 * with them.
 */

import { turnedHandle, turnedStep } from "./affine.js";
import { turn } from "./viewpanel.js";

const SWITCH = "webnet-single-keys";
const SHIFT_STEP = 10;
/** What goes on while a key is held down; of all else once is meant. */
const HELD = new Set(["forward", "back", "closer", "farther"]);
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const singleKeys = {
  get: () => localStorage.getItem(SWITCH) !== "off",
  set: (on) => localStorage.setItem(SWITCH, on ? "on" : "off"),
};

const isTyping = (target) => target.matches?.("input, textarea, select, [contenteditable]") && target.type !== "range";
const isControl = (target) => target.matches?.("button, a, summary, input, select, textarea");

/** What keys of one character do for everybody, as {deed of `bindings.js`: action}. */
function lookingDeeds({ desk, picture, actions, page }) {
  return {
    select: () => desk.set({ tool: "select", pointer: null }),
    hide: () => desk.set({ hidden: !desk.hidden }),
    conceal: () => desk.toggle("concealed"),
    showAll: () => desk.showAll(),
    turn: () => turn(desk, 90),
    lens: () => desk.set({ lens: !desk.lens, pointer: null }),
    next: () => page.go("next"),
    previous: () => page.go("previous"),
    forward: () => actions.step(1),
    back: () => actions.step(-1),
    closer: () => picture.closer(),
    farther: () => picture.farther(),
    fit: () => picture.fit(),
    history: () => page.history(),
    help: () => page.help(),
  };
}

/** What they do for those who may draw. */
function drawingDeeds({ desk, store, actions, page }) {
  return {
    box: () => desk.set({ tool: "box" }),
    duplicate: () => actions.duplicate(),
    toNext: () => page.toNext(),
    lock: () => desk.toggle("locked"),
    nothing: () => actions.markNothing(!store.state.nothing),
    find: () => page.find(),
    palette: () => page.palette(),
    finish: () => page.finish(),
  };
}

export class Keyboard {
  /**
   * @param context.element the picture's element: Tab and Enter mean something only there
   * @param context.labels Map of id → label
   * @param context.bindings Bindings
   * @param context.page {go(which), help(), find(), undo(), redo(), palette(), toNext(), setPanning(on)}
   */
  constructor(context) {
    Object.assign(this, context);
    this.deeds = { ...lookingDeeds(context), ...(this.canDraw ? drawingDeeds(context) : {}) };
    document.addEventListener("keydown", (event) => this.#down(event));
    document.addEventListener("keyup", (event) => event.key === " " && this.page.setPanning(false));
    window.addEventListener("blur", () => this.page.setPanning(false));
  }

  #down(event) {
    if (event.defaultPrevented || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (this.#handle(event)) event.preventDefault();
  }

  /** Do what a key means; false where it means nothing here and the browser should have it. */
  #handle(event) {
    const { key, target } = event;
    // A key that is held down would put box upon box.
    if (event.repeat && (key === "Enter" || ((event.ctrlKey || event.metaKey) && /^[dv]$/i.test(key)))) return !isControl(target);
    if (event.ctrlKey || event.metaKey) return this.canDraw && this.#withControl(event);
    if (key === " ") return !isControl(target) && this.#space();
    if (key === "Escape") return this.#escape();
    if (key in ARROWS) return !isControl(target) && this.#arrow(event);
    if (event.altKey) return false;
    if (key === "Tab") return this.element.contains(target) && this.actions.step(event.shiftKey ? -1 : 1, false);
    if (key === "Enter") return this.canDraw && !isControl(target) && this.#enter();
    if (key === "Delete" || key === "Backspace") return this.canDraw && this.#delete();
    return singleKeys.get() && this.#letter(key, event.repeat);
  }

  #withControl(event) {
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.page.undo();
    else if (key === "z" || key === "y") this.page.redo();
    else if (key === "d") this.actions.duplicate();
    else if (key === "c") return !getSelection().toString() && this.actions.copy();
    else if (key === "v") return this.actions.paste();
    else return false;
    return true;
  }

  #space() {
    this.page.setPanning(true);
    return true;
  }

  #escape() {
    if (this.actions.cancelDraft()) return true;
    if (this.desk.selected) this.actions.select(null);
    else this.desk.set({ tool: "select", pointer: null });
    return true;
  }

  #arrow({ key, shiftKey, altKey }) {
    const [dx, dy] = ARROWS[key];
    const length = shiftKey ? SHIFT_STEP : 1;
    // As it looks on the screen: the view may be turned.
    const { degrees, selected } = this.desk;
    const step = turnedStep(dx * length, dy * length, degrees);
    if (this.canDraw && selected) return this.actions.nudge(...step, altKey ? turnedHandle("se", -degrees) : null);
    this.picture.panBy(dx, dy);
    return true;
  }

  /** End a move, accept the selected suggestion, or with the drawing tool begin a box in the middle of the view. */
  #enter() {
    if (this.desk.draft) this.actions.keepDraft();
    else if (!this.actions.accept() && this.desk.tool === "box") this.actions.addInView();
    return true;
  }

  #delete() {
    this.actions.remove();
    return true;
  }

  /** The keys that curators have given to concepts come before the page's own. */
  #letter(key, isRepeated) {
    const deed = this.bindings.deedOf(key);
    if (isRepeated && !HELD.has(deed)) return true;
    const pressed = key.toLowerCase();
    const label = [...this.labels.values()].find(({ shortcut }) => shortcut && shortcut.toLowerCase() === pressed);
    const action = label && this.canDraw ? () => this.actions.chooseLabel(label.id) : this.deeds[deed];
    action?.();
    return Boolean(action);
  }
}

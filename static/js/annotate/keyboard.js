/** The keys of the page. Keys made of one letter can be switched off (WCAG 2.1.4), those of the concepts with them. */

const SWITCH = "webnet-single-keys";
const SHIFT_STEP = 10;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const singleKeys = {
  get: () => localStorage.getItem(SWITCH) !== "off",
  set: (on) => localStorage.setItem(SWITCH, on ? "on" : "off"),
};

const isTyping = (target) => target.matches?.("input, textarea, select, [contenteditable]") && target.type !== "range";
const isControl = (target) => target.matches?.("button, a, summary, input, select, textarea");

/**
 * @param labels Map of id → label
 * @param element the picture's element: Tab and Enter mean something only there
 * @param page {go(which), help(), find(), undo(), redo(), setPanning(on)}
 */
export function listenToKeys({ element, labels, picture, desk, store, actions, page, canDraw }) {
  const draw = (action) => () => {
    if (!canDraw) return false;
    action();
    return true;
  };
  const always = (action) => () => {
    action();
    return true;
  };
  const letters = {
    v: always(() => desk.set({ tool: "select", pointer: null })),
    b: draw(() => desk.set({ tool: "box" })),
    d: draw(actions.duplicate),
    x: draw(() => actions.markNothing(!store.state().nothing)),
    f: draw(page.find),
    h: always(() => desk.set({ hidden: !desk.hidden })),
    n: always(() => page.go("next")),
    p: always(() => page.go("previous")),
    j: always(() => actions.step(1)),
    k: always(() => actions.step(-1)),
    "+": always(() => picture.zoomBy(1.4)),
    "=": always(() => picture.zoomBy(1.4)),
    "-": always(() => picture.zoomBy(1 / 1.4)),
    0: always(picture.fit),
    "?": always(page.help),
  };
  const withControl = {
    z: (event) => draw(event.shiftKey ? page.redo : page.undo)(),
    y: draw(page.redo),
    d: draw(actions.duplicate),
  };

  function arrow(event) {
    const [dx, dy] = ARROWS[event.key];
    const length = event.shiftKey ? SHIFT_STEP : 1;
    if (!canDraw || !desk.selected) {
      picture.panBy(dx, dy);
      return true;
    }
    return actions.nudge(dx * length, dy * length, event.altKey ? "se" : null);
  }

  /** Enter in the picture: accept the suggestion, or with the drawing tool begin a box in the middle of the view. */
  function enter() {
    if (!canDraw) return false;
    const selected = desk.selected ? store.box(desk.selected) : undefined;
    if (selected?.state === "suggested") return actions.accept();
    if (desk.draft) actions.commit();
    else if (desk.tool === "box") actions.addInView();
    return true;
  }

  function escape() {
    if (actions.cancelDraft()) return true;
    if (desk.selected) actions.select(null);
    else desk.set({ tool: "select", pointer: null });
    return true;
  }

  function letter(event) {
    if (!singleKeys.get()) return false;
    const label = [...labels.values()].find(({ shortcut }) => shortcut && shortcut.toLowerCase() === event.key.toLowerCase());
    if (label && canDraw) {
      actions.chooseLabel(label.id);
      return true;
    }
    return letters[event.key.toLowerCase()]?.() ?? false;
  }

  function handle(event) {
    const inPicture = element.contains(event.target) || event.target === document.body;
    if (event.ctrlKey || event.metaKey) return withControl[event.key.toLowerCase()]?.(event) ?? false;
    if (event.key === "Escape") return escape();
    if (event.key in ARROWS) return !isControl(event.target) && arrow(event);
    if (event.altKey) return false;
    if (event.key === "Tab") return element.contains(event.target) && actions.step(event.shiftKey ? -1 : 1, false);
    if (event.key === "Enter") return inPicture && enter();
    if (event.key === "Delete" || event.key === "Backspace") return draw(() => actions.remove())();
    return letter(event);
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === " " && !isControl(event.target)) {
      page.setPanning(true);
      event.preventDefault();
    } else if (handle(event)) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") page.setPanning(false);
  });
  window.addEventListener("blur", () => page.setPanning(false));
}

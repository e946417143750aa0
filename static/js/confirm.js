/** Ask before something is lost. */

import { showDialog } from "./dialogs.js";
import { element } from "./dom.js";

/** Ask whether what was typed into a dialog may be forgotten. */
export function mayForget() {
  return confirmLoss({
    title: gettext("Leave without saving?"),
    text: gettext("What you have changed here is not saved yet."),
    action: gettext("Forget it"),
  });
}

/**
 * Ask whether to go on with something that loses work.
 *
 * The safe answer has the focus, so that Enter pressed too early does no harm.
 *
 * @param {{title: string, text: string, action: string}} question `action` is the word on the dangerous button
 * @returns {Promise<boolean>} true only where the dangerous button was chosen
 */
export function confirmLoss({ title, text, action }) {
  return new Promise((resolve) => {
    const keep = element("button", { type: "button", class: "button", autofocus: true }, gettext("Keep"));
    const lose = element("button", { type: "button", class: "button button-danger" }, action);
    const dialog = showDialog({ title, content: [element("p", {}, text)], actions: [keep, lose], kind: "small" });
    const end = (answer) => {
      // Not with the event, which comes a little later: who presses Escape again by then would not be asked.
      resolve(answer);
      dialog.close();
    };
    keep.addEventListener("click", () => end(false));
    lose.addEventListener("click", () => end(true));
    dialog.addEventListener("close", () => resolve(false));
  });
}

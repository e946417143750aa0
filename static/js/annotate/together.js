/** Working together: who else has this artwork open, and their boxes as soon as they are saved. */

import { socket } from "../live.js";
import { element } from "../dom.js";

/** Whoever may not see the artwork any more asks again after so many milliseconds: it may be restored. */
const AGAIN = 30_000;

/**
 * Listen to an artwork.
 *
 * @param place element that names the others
 * @param data page data
 * @param told.onRevision (revision) called when the boxes may be at another revision than the page's
 */
export function startTogether(place, data, { onRevision }) {
  socket(`/ws/datasets/${data.dataset.id}/artworks/${data.artwork.id}/`, {
    onMessage(message) {
      if (message.type === "people") show(place, message.people.filter((name) => name !== data.username));
      else if (message.type === "revision") onRevision(message.revision);
    },
    onStatus(status) {
      if (status !== "open") show(place, []);
      if (status === "denied") setTimeout(() => startTogether(place, data, { onRevision }), AGAIN);
    },
  });
}

function show(place, others) {
  place.hidden = others.length === 0;
  const text = interpolate(ngettext("%s is here too", "%s are here too", others.length), [list(others)]);
  place.replaceChildren(...others.slice(0, 3).map(initial), element("span", { class: "people-names" }, text));
  place.title = others.join(", ");
}

function initial(name) {
  return element("span", { class: "person", "aria-hidden": "true" }, [...name][0].toUpperCase());
}

function list(names) {
  return new Intl.ListFormat(document.documentElement.lang, { type: "conjunction" }).format(names);
}

/** The box that was copied last: it can be pasted on this artwork, on another one, in another tab. */

import { moved, transferred } from "./geometry.js";

const STORED = "webnet-clipboard";
/** The address of the next artwork carries this mark where the copied box is to be pasted at once. */
const TAKEN_ALONG = "webnet-take-along";
const OFFSET = 0.02;

/** Remember a box of an artwork of this size. */
export function copy(box, { dataset, artwork, bounds }) {
  const { label, x, y, width, height } = box;
  localStorage.setItem(STORED, JSON.stringify({ dataset, artwork, bounds, label, rect: { x, y, width, height } }));
}

/**
 * The copied box as it comes onto this artwork: {label, rect}, or null where there is none.
 *
 * On the artwork that it came from it is moved a little, so that it can be seen; its concept is null in another dataset.
 */
export function pasted({ dataset, artwork, bounds }) {
  const copied = JSON.parse(localStorage.getItem(STORED) ?? "null");
  if (!copied) return null;
  const label = copied.dataset === dataset ? copied.label : null;
  if (copied.artwork !== artwork) return { label, rect: transferred(copied.rect, copied.bounds, bounds) };
  const offset = OFFSET * Math.min(bounds.width, bounds.height);
  return { label, rect: moved(copied.rect, offset, offset, bounds) };
}

/** Have the next page of this tab paste the copied box. */
export function takeAlong() {
  sessionStorage.setItem(TAKEN_ALONG, "yes");
}

/** Whether the page before this one has asked for that; asked once. */
export function wasTakenAlong() {
  const asked = sessionStorage.getItem(TAKEN_ALONG) !== null;
  sessionStorage.removeItem(TAKEN_ALONG);
  return asked;
}

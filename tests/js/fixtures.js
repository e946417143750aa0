/** Boxes, documents and a small server that follows the rules of the API, for the tests of the pure modules. */

import { applyEdit, stateOf } from "../../static/js/annotate/document.js";

export const BOUNDS = { width: 400, height: 300 };

export function box(id, more = {}) {
  return {
    id, label: 1, x: 10, y: 20, width: 30, height: 40, state: "confirmed", source: "manual",
    detector: null, detector_name: "", score: null, author: "ada", updated_at: "2026-01-01T00:00:00Z", ...more,
  };
}

export function suggestion(id, more = {}) {
  return box(id, { state: "suggested", source: "detector", detector: 7, detector_name: "Quick", score: 0.8, author: null, ...more });
}

export function documentOf(boxes = [], more = {}) {
  return { artwork: 1, revision: 0, nothing_to_mark: false, ...BOUNDS, boxes, ...more };
}

/** A server with one artwork: applies a batch once, refuses stale ones, and can be cut off before or after it has applied. */
export class Server {
  constructor(boxes = []) {
    this.revision = 0;
    this.state = stateOf(documentOf(boxes));
    this.seen = new Map();
    this.failures = [];
    this.applied = [];
    /** What others do after an answer was lost. */
    this.meanwhile = () => {};
  }

  document() {
    return documentOf([...this.state.boxes.values()], { revision: this.revision, nothing_to_mark: this.state.nothing });
  }

  change(edits, username = "bruno") {
    for (const edit of edits) this.state = applyEdit(this.state, edit, username);
    this.revision += 1;
  }

  send = async ({ id, revision, edits }) => {
    const failure = this.failures.shift();
    if (failure === "before") throw Object.assign(new Error("no network"), { status: 0 });
    if (typeof failure === "number") throw Object.assign(new Error(`answer ${failure}`), { status: failure });
    if (!this.seen.has(id)) {
      if (revision !== this.revision) {
        throw Object.assign(new Error("stale"), { status: 409, data: { code: "stale", current: this.document() } });
      }
      this.seen.set(id, edits);
      this.applied.push(...edits);
      this.change(edits, "ada");
    }
    if (failure === "after") {
      this.meanwhile();
      throw Object.assign(new Error("answer lost"), { status: 0 });
    }
    return this.document();
  };
}

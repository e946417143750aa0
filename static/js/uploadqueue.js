/**
 * A queue of files on their way to the dataset: a few at a time, each its own request, tried again where the network or the
 * server was at fault. It knows no page; a listener hears of every change.
 */

const WIDTH = 3;
const WAITS = [1500, 5000, 15_000];

/** What is worth trying again by itself: no answer, too many requests, a server that is restarting. */
function isPassing(error) {
  return error.status === 0 || error.status === 429 || [500, 502, 503, 504].includes(error.status);
}

/** Not the file's fault either, but no use trying before the person has logged in again, or a while has passed. */
const isPersons = (error) => [401, 403, 408, 429].includes(error.status);

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * One file. `state` is waiting, sending, done, present (the dataset had it), refused, failed or stopped; `progress` goes
 * from 0 to 1; `reason` says why it was not added.
 */
export class QueueItem {
  constructor(name, size, send) {
    Object.assign(this, { name, size, send, state: "waiting", progress: 0, reason: "", attempt: 0 });
  }

  get isOver() {
    return !["waiting", "sending"].includes(this.state);
  }
}

export class UploadQueue {
  /**
   * @param {(item: QueueItem|null) => void} onChange gets the item that changed, or null when the queue has run dry
   * @param {number[]} waits milliseconds before each further try of a file
   */
  constructor(onChange, waits = WAITS) {
    this.waits = waits;
    this.items = [];
    this.onChange = onChange;
    this.busy = 0;
    this.abort = new AbortController();
  }

  /** Items that do not go to the server (refused here already) may come with their state set. */
  add(items) {
    for (const item of items) {
      this.items.push(item);
      this.onChange(item);
    }
    this.start();
  }

  retry() {
    this.abort = new AbortController();
    for (const item of this.items.filter((i) => ["failed", "stopped"].includes(i.state))) {
      Object.assign(item, { state: "waiting", progress: 0, reason: "", attempt: 0 });
      this.onChange(item);
    }
    this.start();
  }

  stop() {
    this.abort.abort();
    for (const item of this.items.filter((i) => i.state === "waiting")) this.set(item, { state: "stopped" });
  }

  get isBusy() {
    return this.items.some((item) => !item.isOver);
  }

  count(...states) {
    return this.items.filter((item) => states.includes(item.state)).length;
  }

  /** Share of the bytes that are through, from 0 to 1. */
  get progress() {
    const weight = (item) => item.size + 20_000;
    const total = this.items.reduce((sum, item) => sum + weight(item), 0);
    const done = this.items.reduce((sum, item) => sum + weight(item) * (item.isOver ? 1 : item.progress), 0);
    return total ? done / total : 0;
  }

  set(item, change) {
    Object.assign(item, change);
    this.onChange(item);
  }

  start() {
    while (this.busy < WIDTH && this.items.some((item) => item.state === "waiting")) this.lane();
  }

  async lane() {
    this.busy += 1;
    for (let item = this.next(); item; item = this.next()) await this.work(item);
    this.busy -= 1;
    if (!this.isBusy && this.busy === 0) this.onChange(null);
  }

  next() {
    const item = this.items.find((waiting) => waiting.state === "waiting");
    // Taken at once, so that the next lane does not take it too.
    if (item) item.state = "sending";
    return item;
  }

  async work(item) {
    this.set(item, { state: "sending", progress: 0, reason: "" });
    const { signal } = this.abort;
    try {
      const state = await item.send({ signal, onProgress: (share) => this.set(item, { progress: share }) });
      this.set(item, { state: state ?? "done", progress: 1 });
    } catch (error) {
      await this.failed(item, error, signal);
    }
  }

  async failed(item, error, signal) {
    if (signal.aborted) this.set(item, { state: "stopped" });
    else if (error.code === "duplicate") this.set(item, { state: "present", reason: error.message });
    else if (isPassing(error) && item.attempt < this.waits.length) {
      this.set(item, { reason: error.message, progress: 0 });
      await pause(this.waits[item.attempt++]);
      if (signal.aborted) this.set(item, { state: "stopped" });
      else await this.work(item);
    } else {
      const refused = error.status >= 400 && error.status < 500 && !isPersons(error);
      this.set(item, { state: refused ? "refused" : "failed", reason: error.message ?? String(error) });
      // Each of the others would be refused for the same reason.
      if ([401, 403].includes(error.status)) this.stop();
    }
  }
}

/**
 * Live updates: one socket that comes back by itself.
 *
 * The server first sends the state of the runs with their events, then every new event. Each (re)connection names the last
 * event seen of each run, and what arrives twice all the same is dropped here: a listener sees each event once, in order.
 */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const DENIED = 4403;

function address(path, seen) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const after = [...seen].map(([run, seq]) => `${run}:${seq}`).join(",");
  const query = new URLSearchParams({ language: document.documentElement.lang, ...(after && { after }) });
  return `${scheme}//${location.host}${path}?${query}`;
}

/** Keep only the events that come after the last one seen of their run, and remember them. */
function fresh(events, seen) {
  return events.filter(({ run, seq }) => {
    if (seq <= (seen.get(run) ?? 0)) return false;
    seen.set(run, seq);
    return true;
  });
}

/**
 * Forget what has been seen of events that the server no longer knows: a power cut can take the last second of its database
 * with it, and what is told after that has the same numbers again.
 */
function rewind(runs, seen) {
  for (const { id, last_seq: last } of runs) if (last < (seen.get(id) ?? 0)) seen.set(id, last);
}

class Connection {
  /** @param address () → where to connect; @param onMessage (parsed message); @param onStatus see `listen` */
  constructor(address, { onMessage, onStatus }) {
    Object.assign(this, { address, onMessage, onStatus });
    this.socket = null;
    this.timer = null;
    this.wait = FIRST_WAIT;
    this.closed = false;
    this.connect = this.connect.bind(this);
    window.addEventListener("online", this.connect);
  }

  connect() {
    clearTimeout(this.timer);
    if (this.closed || this.socket) return;
    this.onStatus?.("connecting");
    this.socket = new WebSocket(this.address());
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = ({ data }) => this.onMessage(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.ended(code);
  }

  opened() {
    this.wait = FIRST_WAIT;
    this.onStatus?.("open");
  }

  ended(code) {
    this.socket = null;
    if (this.closed) return;
    if (code === DENIED) {
      this.close();
      this.onStatus?.("denied");
      return;
    }
    this.onStatus?.("waiting");
    // Jitter, so that a restarted server is not met by all its pages at once.
    this.timer = setTimeout(this.connect, this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.connect);
    this.socket?.close();
  }
}

/** A socket that comes back by itself: `onMessage` gets what the server says, `onStatus` as in `listen`. */
export function socket(path, { onMessage, onStatus }) {
  const connection = new Connection(() => address(path, new Map()), { onMessage, onStatus });
  connection.connect();
  return { close: () => connection.close() };
}

/**
 * Listen to a dataset or a run.
 *
 * @param {string} path e.g. /ws/datasets/3/
 * @param {{onState?: (runs: object[]) => void, onEvents?: (events: object[]) => void, onStatus?: (status: string) => void,
 *          seen?: Map<number, number>}} listener
 *   `onState` gets the runs, each with those of its `events` that have not been delivered before; `onStatus` gets
 *   "connecting", "open", "waiting" (between two attempts) or "denied" (no rights: it does not try again); `seen` maps
 *   runs to the last event that the page already has.
 * @returns {{close: () => void}}
 */
export function listen(path, { onState, onEvents, onStatus, seen = new Map() }) {
  const onMessage = (message) => {
    if (message.type === "state") {
      rewind(message.runs, seen);
      onState?.(message.runs.map((run) => ({ ...run, events: fresh(run.events ?? [], seen) })));
    } else if (message.type === "events") {
      const events = fresh(message.events, seen);
      if (events.length) onEvents?.(events);
    }
  };
  const connection = new Connection(() => address(path, seen), { onMessage, onStatus });
  connection.connect();
  return { close: () => connection.close() };
}

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
  return `${scheme}//${location.host}${path}${after ? `?after=${encodeURIComponent(after)}` : ""}`;
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
  let socket = null;
  let timer = null;
  let wait = FIRST_WAIT;
  let closed = false;

  function receive({ data }) {
    const message = JSON.parse(data);
    if (message.type === "state") {
      onState?.(message.runs.map((run) => ({ ...run, events: fresh(run.events ?? [], seen) })));
    } else if (message.type === "events") {
      const events = fresh(message.events, seen);
      if (events.length) onEvents?.(events);
    }
  }

  function ended({ code }) {
    socket = null;
    if (closed) return;
    if (code === DENIED) {
      close();
      onStatus?.("denied");
      return;
    }
    onStatus?.("waiting");
    // Jitter, so that a restarted server is not met by all its pages at once.
    timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  function connect() {
    clearTimeout(timer);
    if (closed || socket) return;
    onStatus?.("connecting");
    socket = new WebSocket(address(path, seen));
    socket.onopen = () => {
      wait = FIRST_WAIT;
      onStatus?.("open");
    };
    socket.onmessage = receive;
    socket.onclose = ended;
  }

  function close() {
    closed = true;
    clearTimeout(timer);
    window.removeEventListener("online", connect);
    socket?.close();
  }

  window.addEventListener("online", connect);
  connect();
  return { close };
}

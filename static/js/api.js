/**
 * Requests to the project's own API.
 *
 * `api()` resolves to the parsed JSON of a success (null for an empty one) and throws an ApiError for everything else, so
 * that a caller has one place where a refusal, a lost session and a lost network arrive.
 */

/** A request that did not succeed. `status` is 0 where no answer came; `code` and `message` are those of the API. */
export class ApiError extends Error {
  constructor(status, code, message, data = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.data = data;
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

function headersFor(method, json) {
  const headers = { Accept: "application/json" };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  return headers;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function plainMessage(status) {
  if (status === 401 || status === 403) return gettext("You may not do this, or your session has ended. Log in again.");
  if (status === 413) return gettext("This file is larger than the server accepts.");
  if (status === 429) return gettext("Too many requests. Wait a moment and try again.");
  return gettext("The server could not do this. Try again; if it stays so, tell the person who runs it.");
}

function outcome(status, text) {
  const data = parsed(text);
  if (status >= 200 && status < 300) return data;
  throw new ApiError(status, data?.code ?? `http_${status}`, data?.message ?? plainMessage(status), data);
}

function offline() {
  return new ApiError(0, "offline", gettext("The server cannot be reached. Check the connection and try again."));
}

function send(method, url, { headers, content, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onerror = () => reject(offline());
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(content);
  });
}

async function plainFetch(method, url, { headers, content, signal }) {
  let response;
  try {
    response = await fetch(url, { method, headers, body: content, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw offline();
  }
  return { status: response.status, text: await response.text() };
}

/**
 * Call the API.
 *
 * @param {string} method GET, POST, PATCH or DELETE
 * @param {string} url path below the same origin
 * @param {{json?: any, body?: FormData|Blob, signal?: AbortSignal, onProgress?: (sent: number, total: number) => void}} options
 * @returns {Promise<any>} the parsed JSON, or null where the answer has no body
 * @throws {ApiError}
 */
export async function api(method, url, { json, body, signal, onProgress } = {}) {
  const content = json === undefined ? body : JSON.stringify(json);
  const options = { headers: headersFor(method, json), content, signal, onProgress };
  const { status, text } = onProgress ? await send(method, url, options) : await plainFetch(method, url, options);
  return outcome(status, text);
}

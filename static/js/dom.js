/** The few helpers that building page parts in plain JavaScript needs. */

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {Record<string, any>} attributes `on…` keys add listeners, false and null leave an attribute out, true sets it empty
 * @param {...(Node|string)} children strings become text, never markup
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null && child !== false));
  return made;
}

/** An icon of static/img/icons.svg, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${new URL("../img/icons.svg", import.meta.url).pathname}#${name}`);
  svg.append(use);
  return svg;
}

/** The data that the server put into the page with `json_script`. */
export function pageData(id = "page-data") {
  return JSON.parse(document.getElementById(id).textContent);
}

/** Numbers and times in the language of the page. */
export const language = document.documentElement.lang || "en";

export function number(value, digits = 0) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function percent(value) {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(value);
}

export function fileSize(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 3);
  return `${number(bytes / 1000 ** power, power ? 1 : 0)} ${["B", "kB", "MB", "GB"][power]}`;
}

/** A span of time in words that need no translation: 45 s, 3 min 05 s, 2 h 10 min. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** A moment as local date and time. */
export function moment(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** Put a number, written in the page's language, into a text: `counted(ngettext("%(n)s box", "%(n)s boxes", 3), 3)`. */
export function counted(text, n, more = {}) {
  return interpolate(text, { n: number(n), ...more }, true);
}

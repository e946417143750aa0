/** Forms that send JSON: what a refusal says is shown at its field, and nothing typed is lost. */

import { element } from "./dom.js";

function clearErrors(form) {
  form.querySelectorAll(".field-error, .form-error").forEach((found) => found.remove());
  form.querySelectorAll("[aria-invalid]").forEach((input) => {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  });
}

function showAtField(form, name, text) {
  const input = form.elements.namedItem(name);
  if (!(input instanceof HTMLElement)) return false;
  const id = `${input.id || name}-error`;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", id);
  (input.closest(".field") ?? form).append(element("span", { class: "field-error", id }, text));
  return true;
}

function showOnTop(form, text) {
  const place = form.querySelector(".dialog-body") ?? form;
  place.prepend(element("p", { class: "notice notice-danger form-error", role: "alert" }, text));
}

/** Show a refusal: at the fields that it names, else at the top of the form. */
export function showErrors(form, error) {
  clearErrors(form);
  const fields = Object.entries(error.data?.errors ?? {});
  const shown = fields.filter(([name, texts]) => showAtField(form, name, [texts].flat().join(" ")));
  if (shown.length < Math.max(fields.length, 1)) showOnTop(form, error.message);
  form.querySelector("[aria-invalid]")?.focus();
}

/** The values of a form as an object of trimmed strings. */
export function valuesOf(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
}

/**
 * Of `values` (by field) those that differ from what is `known` of the thing that the form describes.
 *
 * Forms of the admin once sent lines that end otherwise; no field gives them back like that.
 */
export function changesOf(values, known) {
  const before = (name) => (known[name] ?? "").replaceAll("\r\n", "\n");
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== before(name)));
}

function missing(form) {
  return [...form.elements].find((input) => input.required && !input.value.trim());
}

/**
 * Let a form call `send(values)` instead of loading a page.
 *
 * The button rests while it is sent; `send` may throw an ApiError, which is shown in the form.
 */
export function submitForm(form, send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(form);
    const empty = missing(form);
    if (empty) {
      showAtField(form, empty.name, gettext("This is needed."));
      empty.focus();
      return;
    }
    const buttons = form.querySelectorAll("button:not([type=button])");
    buttons.forEach((button) => (button.disabled = true));
    try {
      await send(valuesOf(form));
    } catch (error) {
      showErrors(form, error);
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  });
}

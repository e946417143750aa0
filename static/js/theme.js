/**
 * Light or dark: the system's choice unless somebody chose otherwise here.
 *
 * A classic script in the head, because the choice must be known before the first paint.
 */
(function () {
  "use strict";
  const root = document.documentElement;
  const KEY = "webnet-theme";

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage may be forbidden; the system's choice is then the only one.
    }
  }

  function current() {
    if (root.dataset.theme) return root.dataset.theme;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  function choose(theme) {
    root.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // The choice then lasts for this page only.
    }
    document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
  }

  const chosen = stored();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-toggle]")) choose(current() === "dark" ? "light" : "dark");
  });
})();

/** What every page has: dialogs, menus that close, and notices that survive a change of page. */

import { wireDialogs } from "./dialogs.js";
import { takeNotice } from "./notice.js";

/** A menu closes on Escape and on a click elsewhere. */
function wireMenus() {
  const menus = document.querySelectorAll("details.menu");
  document.addEventListener("click", (event) => {
    menus.forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus.forEach((menu) => {
      if (!menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
}

wireDialogs();
wireMenus();
takeNotice();

/** What every page has: dialogs, menus that close, and notices that survive a change of page. */

import { wireDialogs } from "./dialogs.js";
import { moment } from "./dom.js";
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

/** Times come in the server's zone; people think in their own. */
function localiseTimes() {
  document.querySelectorAll("time[data-local]").forEach((time) => (time.textContent = moment(time.dateTime)));
}

/** On a phone the row of tabs scrolls: the open one must be in sight. */
function showOpenTab() {
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.clientWidth / 2 + tab.clientWidth / 2;
}

localiseTimes();
showOpenTab();
wireDialogs();
wireMenus();
takeNotice();

/** The grid of artworks: filters that apply themselves, describing one artwork, deleting several. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { counted, pageData } from "./dom.js";
import { describeArtwork } from "./metadata.js";
import { leaveWithNotice } from "./notice.js";
import { inParallel } from "./parallel.js";
import { toast } from "./toast.js";

const { dataset } = pageData();
const artworks = `/api/datasets/${dataset.id}/artworks/`;

function wireFilters() {
  document.querySelectorAll("[data-submit]").forEach((select) => {
    select.addEventListener("change", () => select.form.requestSubmit());
  });
  // Empty parameters only make the address longer.
  document.querySelector(".filters")?.addEventListener("formdata", ({ formData }) => {
    [...formData].filter(([, value]) => !value).forEach(([name]) => formData.delete(name));
  });
}

function wireDescriptions() {
  document.querySelectorAll("[data-edit]").forEach((button) => {
    button.addEventListener("click", () => {
      describeArtwork(`${artworks}${button.dataset.edit}/`, (artwork) => showDescription(button.closest(".tile"), artwork));
    });
  });
}

function showDescription(tile, artwork) {
  tile.querySelector(".tile-title").textContent = artwork.title || artwork.file_name;
  tile.querySelector(".tile-creator").textContent = [artwork.creator || "—", artwork.date].filter(Boolean).join(", ");
}

class Selection {
  constructor(bar) {
    this.bar = bar;
    this.boxes = [...document.querySelectorAll(".tile-select input")];
    this.boxes.forEach((box) => box.addEventListener("change", () => this.show()));
    document.getElementById("select-all").addEventListener("click", () => this.setAll(true));
    document.getElementById("select-none").addEventListener("click", () => this.setAll(false));
    document.getElementById("delete-selected").addEventListener("click", () => this.delete());
    this.show();
  }

  get chosen() {
    return this.boxes.filter((box) => box.checked).map((box) => box.value);
  }

  setAll(checked) {
    this.boxes.forEach((box) => (box.checked = checked));
    this.show();
    if (!checked) this.boxes[0]?.focus();
  }

  show() {
    const n = this.chosen.length;
    this.bar.hidden = n === 0;
    document.body.classList.toggle("is-selecting", n > 0);
    document.getElementById("selection-count").textContent = counted(ngettext("%(n)s artwork selected", "%(n)s artworks selected", n), n);
  }

  async delete() {
    const chosen = this.chosen;
    const sure = await confirmLoss({
      title: counted(ngettext("Delete %(n)s artwork?", "Delete %(n)s artworks?", chosen.length), chosen.length),
      text: gettext("They leave the dataset with their boxes. Detectors trained on them stay."),
      action: gettext("Delete"),
    });
    if (!sure) return;
    const done = [];
    try {
      await inParallel(chosen, 3, async (id) => {
        await api("DELETE", `${artworks}${id}/`);
        done.push(id);
      });
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
    if (!done.length) return;
    const text = counted(ngettext("%(n)s artwork deleted.", "%(n)s artworks deleted.", done.length), done.length);
    leaveWithNotice(location.href, text, { undo: done.map((id) => `${artworks}${id}/restore/`) });
  }
}

wireFilters();
wireDescriptions();
const bar = document.getElementById("selection");
if (bar) new Selection(bar);

/**
 * The artwork on the screen: OpenSeadragon, and the one place where screen and artwork pixels are converted.
 *
 * The display image may be smaller than the artwork: boxes are in pixels of the artwork, the screen is in CSS pixels of
 * the viewer's element, and OpenSeadragon's own units (widths of the image) do not leave this module.
 */

import { Affine } from "./affine.js";

const PIXELS_PER_STEP = 80;
const ZOOM_STEP = 1.4;
/** Wall around the whole artwork, in screen pixels: boxes at its edge need handles that can be reached. */
const MARGIN = 18;
/** Share of a rectangle's size that is shown around it where it must be zoomed to. */
const AROUND = 0.1;
/** Tiles of 512 × 512 pixels that are kept decoded, a megabyte each: the memory of a huge artwork stays bounded. */
const CACHED_TILES = 120;
const NO_CLICK_ZOOM = { clickToZoom: false, dblClickToZoom: false, flickEnabled: false };

/** Whether somebody asked for less movement. */
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * OpenSeadragon adds a style element of its own unless it finds one; the content security policy forbids such. What it
 * would say is in annotate.css. An element of no namespace has the name that it looks for, and styles nothing.
 */
function forestallStyleElement() {
  const marker = document.createElementNS(null, "style");
  marker.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(marker);
}

function openViewer(element, source) {
  forestallStyleElement();
  return OpenSeadragon({
    element,
    drawer: "canvas",
    // Slow hands click too; what was a drag, `Pointer` knows.
    clickTimeThreshold: 10_000,
    tileSources: source,
    maxImageCacheCount: CACHED_TILES,
    showNavigationControl: false,
    animationTime: still() ? 0 : 0.25,
    springStiffness: 12,
    visibilityRatio: 0.25,
    viewportMargins: { left: MARGIN, top: MARGIN, right: MARGIN, bottom: MARGIN },
    minZoomImageRatio: 0.6,
    maxZoomPixelRatio: 12,
    zoomPerScroll: 1.25,
    gestureSettingsMouse: NO_CLICK_ZOOM,
    gestureSettingsTouch: NO_CLICK_ZOOM,
    gestureSettingsPen: NO_CLICK_ZOOM,
  });
}

export class Picture {
  /**
   * @param element the element to fill
   * @param artwork {width, height, source}: size of the artwork in its own pixels, and where its pixels come from: a IIIF
   *   image information document, or the address of its display image
   */
  constructor(element, { width, height, source }) {
    Object.assign(this, { element, width, height });
    this.viewer = openViewer(element, source);
    // OpenSeadragon's own keys would fight with the page's.
    this.viewer.addHandler("canvas-key", (event) => {
      event.preventDefaultAction = true;
    });
    /** Resolves when the image is shown; rejects with a message where it cannot be. */
    this.ready = new Promise((resolve, reject) => {
      this.viewer.addOnceHandler("open", resolve);
      this.viewer.addOnceHandler("open-failed", () => reject(new Error(gettext("The image cannot be loaded. Reload the page."))));
    });
  }

  /** The map between artwork and screen, as the picture is painted now. */
  view() {
    const shown = (x, y) => this.viewer.viewport.pixelFromPoint(this.#point(x, y), true);
    return new Affine(shown(0, 0), shown(this.width, 0), shown(0, this.height), this);
  }

  /** The pixel of the artwork at a point of the element. */
  toArtwork(point) {
    return this.view().toArtwork(point);
  }

  /** The rectangle of the artwork that is in view. It may reach beyond the artwork. */
  visible() {
    return this.view().rectToArtwork({ x: 0, y: 0, width: this.element.clientWidth, height: this.element.clientHeight });
  }

  /** Turn the view so that the artwork stands turned by `degrees` (a multiple of 90) to the right. */
  turn(degrees) {
    this.viewer.viewport.setRotation(degrees, true);
  }

  /** Show it brighter or with more contrast; 1 leaves it as it is. The artwork itself is not changed. */
  light(brightness, contrast) {
    this.canvas.style.filter = brightness === 1 && contrast === 1 ? "" : `brightness(${brightness}) contrast(${contrast})`;
  }

  /** The canvas that the picture is painted on. */
  get canvas() {
    return this.viewer.drawer.canvas;
  }

  /** Bring a rectangle of the artwork into view where it is not. */
  show(rect) {
    const view = this.visible();
    const right = rect.x + rect.width <= view.x + view.width;
    const below = rect.y + rect.height <= view.y + view.height;
    if (rect.x >= view.x && rect.y >= view.y && right && below) return;
    if (rect.width < view.width && rect.height < view.height) {
      this.viewer.viewport.panTo(this.#point(rect.x + rect.width / 2, rect.y + rect.height / 2), still());
    } else this.#zoomTo(rect);
  }

  #zoomTo({ x, y, width, height }) {
    const start = this.#point(x - AROUND * width, y - AROUND * height);
    const end = this.#point(x + (1 + AROUND) * width, y + (1 + AROUND) * height);
    this.viewer.viewport.fitBounds(new OpenSeadragon.Rect(start.x, start.y, end.x - start.x, end.y - start.y), still());
  }

  closer() {
    this.#zoomBy(ZOOM_STEP);
  }

  farther() {
    this.#zoomBy(1 / ZOOM_STEP);
  }

  #zoomBy(factor) {
    this.viewer.viewport.zoomBy(factor);
    this.viewer.viewport.applyConstraints();
  }

  /** Show the whole artwork. */
  fit() {
    this.viewer.viewport.goHome(still());
  }

  /** Move the view by steps to the right and down. */
  panBy(dx, dy) {
    const pixels = new OpenSeadragon.Point(dx * PIXELS_PER_STEP, dy * PIXELS_PER_STEP);
    this.viewer.viewport.panBy(this.viewer.viewport.deltaPointsFromPixels(pixels));
    this.viewer.viewport.applyConstraints();
  }

  /** A point of the artwork in OpenSeadragon's units: widths of the display image, whose sides are rounded to pixels. */
  #point(x, y) {
    const size = this.viewer.world.getItemAt(0)?.source.dimensions;
    const tall = size ? size.y / size.x : this.height / this.width;
    return new OpenSeadragon.Point(x / this.width, (y / this.height) * tall);
  }
}

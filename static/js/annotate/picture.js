/**
 * The artwork on the screen: OpenSeadragon, and the one place where screen and artwork pixels are converted.
 *
 * The display image may be smaller than the artwork: boxes are in pixels of the artwork, the screen is in CSS pixels of
 * the viewer's element, and OpenSeadragon's own units (widths of the image) do not leave this module.
 */

const PIXELS_PER_STEP = 80;
/** Wall around the whole artwork, in screen pixels: boxes at its edge need handles that can be reached. */
const MARGIN = 18;

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

function openViewer(element, url) {
  forestallStyleElement();
  return OpenSeadragon({
    element,
    drawer: "canvas",
    tileSources: { type: "image", url },
    showNavigationControl: false,
    animationTime: still() ? 0 : 0.25,
    springStiffness: 12,
    visibilityRatio: 0.25,
    viewportMargins: { left: MARGIN, top: MARGIN, right: MARGIN, bottom: MARGIN },
    minZoomImageRatio: 0.6,
    maxZoomPixelRatio: 12,
    zoomPerScroll: 1.25,
    imageSmoothingEnabled: true,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false, flickEnabled: false },
    gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: false, flickEnabled: false },
    gestureSettingsPen: { clickToZoom: false, dblClickToZoom: false, flickEnabled: false },
  });
}

/**
 * @param element the element to fill
 * @param artwork {width, height, url}: size of the artwork in its own pixels, and the address of its display image
 * @returns {{viewer, toScreen, toArtwork, scale, visible, zoomBy, fit, show, panBy, onView, ready}}
 */
export function openPicture(element, { width, height, url }) {
  const viewer = openViewer(element, url);
  // OpenSeadragon's own keys would fight with the page's.
  viewer.addHandler("canvas-key", (event) => {
    event.preventDefaultAction = true;
  });
  const ready = new Promise((resolve, reject) => {
    viewer.addOnceHandler("open", resolve);
    viewer.addOnceHandler("open-failed", () => reject(new Error(gettext("The image cannot be loaded. Reload the page."))));
  });
  /** Height of the display image in widths of it: OpenSeadragon's unit. */
  const tall = () => {
    const size = viewer.world.getItemAt(0)?.source.dimensions;
    return size ? size.y / size.x : height / width;
  };

  /** {x, y, sx, sy}: screen = (x, y) + artwork × (sx, sy), as it is painted now. */
  function transform() {
    const { Point } = OpenSeadragon;
    const origin = viewer.viewport.pixelFromPoint(new Point(0, 0), true);
    const corner = viewer.viewport.pixelFromPoint(new Point(1, tall()), true);
    return { x: origin.x, y: origin.y, sx: (corner.x - origin.x) / width, sy: (corner.y - origin.y) / height };
  }

  function toArtwork(point) {
    const t = transform();
    return { x: (point.x - t.x) / t.sx, y: (point.y - t.y) / t.sy };
  }

  function visible() {
    const topLeft = toArtwork({ x: 0, y: 0 });
    const bottomRight = toArtwork({ x: element.clientWidth, y: element.clientHeight });
    return { ...topLeft, width: bottomRight.x - topLeft.x, height: bottomRight.y - topLeft.y };
  }

  /** Bring a rectangle of the artwork into view where it is not. */
  function show(rect) {
    const view = visible();
    const inView =
      rect.x >= view.x && rect.y >= view.y && rect.x + rect.width <= view.x + view.width && rect.y + rect.height <= view.y + view.height;
    if (inView) return;
    const { Point, Rect } = OpenSeadragon;
    const unit = tall() / height;
    if (rect.width < view.width && rect.height < view.height) {
      viewer.viewport.panTo(new Point((rect.x + rect.width / 2) / width, (rect.y + rect.height / 2) * unit), still());
      return;
    }
    const margin = 0.1;
    const bounds = new Rect(rect.x / width, rect.y * unit, rect.width / width, rect.height * unit);
    bounds.x -= bounds.width * margin;
    bounds.y -= bounds.height * margin;
    bounds.width *= 1 + 2 * margin;
    bounds.height *= 1 + 2 * margin;
    viewer.viewport.fitBounds(bounds, still());
  }

  return {
    viewer,
    ready,
    transform,
    toArtwork,
    visible,
    show,
    zoomBy(factor) {
      viewer.viewport.zoomBy(factor);
      viewer.viewport.applyConstraints();
    },
    fit: () => viewer.viewport.goHome(still()),
    panBy(dx, dy) {
      viewer.viewport.panBy(viewer.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(dx * PIXELS_PER_STEP, dy * PIXELS_PER_STEP)));
      viewer.viewport.applyConstraints();
    },
    onView: (listener) => viewer.addHandler("update-viewport", listener),
  };
}

/**
 * A picture with areas on it. The mouse may press the areas; whoever uses the keyboard or a screen reader has the same
 * choices as controls below the picture, named by the same letters, so the drawing itself is hidden from both.
 */

import { element } from "../element.js";
import { letter, picture, plain } from "./choices.js";

const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** The outline of an area in pixels of the picture, and the middle of it. */
function outline({ shape, coordinates: c }, width, height) {
  if (shape === "circle") return { node: drawn("circle", { cx: c[0], cy: c[1], r: c[2] }), x: c[0], y: c[1] };
  if (shape === "ellipse") return { node: drawn("ellipse", { cx: c[0], cy: c[1], rx: c[2], ry: c[3] }), x: c[0], y: c[1] };
  if (shape === "poly") {
    const xs = c.filter((_, index) => index % 2 === 0);
    const ys = c.filter((_, index) => index % 2 === 1);
    const middle = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return { node: drawn("polygon", { points: c.join(" ") }), x: middle(xs), y: middle(ys) };
  }
  const [x1, y1, x2, y2] = shape === "rect" ? c : [0, 0, width, height];
  return { node: drawn("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1 }), x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
}

/** What an area is called: its label, or its letter. */
export function named(targets, t) {
  return targets.map((target, index) =>
    plain(target.html) || target.picture ? target : { ...target, html: t("area.name", { letter: letter(index) }) },
  );
}

/**
 * {element, mark(ids), label(id, text), join(pairs), svg, point(event), size}: the picture of `interaction` with its
 * targets drawn. `onPick(id)` is called when an area is pressed. Coordinates are pixels of the picture as its declaration
 * sizes it; where the declaration gives no size, those of the file once it has come.
 */
export function scene(interaction, { onPick = null } = {}) {
  const shown = interaction.picture ?? { src: "", width: 0, height: 0, alt: "" };
  const image = picture(shown);
  const svg = drawn("svg", { "aria-hidden": "true", focusable: "false", preserveAspectRatio: "none" });
  const lines = drawn("g", { class: "joins" });
  svg.append(lines);
  const size = { width: shown.width, height: shown.height };
  const areas = new Map();

  function draw() {
    svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    const unit = Math.max(size.width, size.height) / 26;
    svg.setAttribute("font-size", String(unit));
    (interaction.targets ?? []).forEach((target, index) => {
      const { node, x, y } = outline(target, size.width, size.height);
      const known = areas.get(target.id);
      const words = drawn("text", { x, y, "text-anchor": "middle", "dominant-baseline": "central" }, known?.text ?? letter(index));
      const group = drawn("g", { class: "area", "data-id": target.id }, node, words);
      group.classList.toggle("chosen", known?.group.classList.contains("chosen") ?? false);
      if (onPick) group.addEventListener("click", () => onPick(target.id));
      known?.group.remove();
      svg.append(group);
      areas.set(target.id, { group, words, x, y, text: words.textContent });
    });
  }

  if (!size.width || !size.height) {
    image.addEventListener("load", () => {
      Object.assign(size, { width: image.naturalWidth, height: image.naturalHeight });
      draw();
    });
  }
  draw();

  return {
    element: element("div", { class: "scene" }, image, svg),
    svg,
    size,
    drawn,
    /** Draws exactly these areas as chosen. */
    mark(ids) {
      const chosen = new Set(ids);
      for (const [id, { group }] of areas) group.classList.toggle("chosen", chosen.has(id));
    },
    /** What stands in an area instead of its letter. */
    label(id, text) {
      const area = areas.get(id);
      if (area) area.words.textContent = area.text = text;
    },
    /** Lines between areas, for pairs. */
    join(pairs) {
      lines.replaceChildren(
        ...pairs
          .filter(([a, b]) => areas.has(a) && areas.has(b))
          .map(([a, b]) => drawn("line", { x1: areas.get(a).x, y1: areas.get(a).y, x2: areas.get(b).x, y2: areas.get(b).y })),
      );
    },
    /** Where on the picture a mouse or finger is, in its pixels. */
    point(event) {
      const box = image.getBoundingClientRect();
      const within = (value, most) => Math.min(Math.max(Math.round(value), 0), most);
      return [
        within(((event.clientX - box.left) / box.width) * size.width, size.width),
        within(((event.clientY - box.top) / box.height) * size.height, size.height),
      ];
    },
  };
}

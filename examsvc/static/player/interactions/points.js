/**
 * Places on a picture, named by pressing them or with the keyboard: the picture takes the focus, the arrow keys move a
 * cross (with Shift in large steps), Enter sets a point. Each point stands in a list below, where it can be taken back.
 * Where an object is to be put down (position-object), it is drawn at each point.
 */

import { button, element } from "../element.js";
import { listOf } from "./choices.js";
import { scene } from "./scene.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function create(interaction, { t, response, set, announce }) {
  const several = interaction.cardinality !== "single";
  const most = several ? interaction.max_choices : 1;
  const thing = interaction.choices?.[0]?.picture ?? null;
  let points = [response ?? []].flat();
  let cross = null;
  const view = scene(interaction);
  const marks = view.drawn("g", { class: "points" });
  const cursor = view.drawn("g", { class: "cross", visibility: "hidden" });
  view.svg.append(marks, cursor);
  const list = element("ol", { class: "points" });
  const note = element("p", { class: "note", hidden: true });
  const board = element(
    "div",
    { class: "board", tabIndex: 0, role: "application", "aria-label": t("points.board"), onClick: pressed, onKeyDown: typed },
    view.element,
  );

  const at = ([x, y]) => t("points.at", { x, y });
  const unit = () => Math.max(view.size.width, view.size.height) / 100;

  function drawPoint([x, y], index) {
    if (thing) {
      const [width, height] = [thing.width || 10 * unit(), thing.height || 10 * unit()];
      return view.drawn("image", { href: thing.src, x: x - width / 2, y: y - height / 2, width, height });
    }
    const dot = view.drawn("circle", { cx: x, cy: y, r: 2.2 * unit() });
    const words = view.drawn("text", { x, y, "text-anchor": "middle", "dominant-baseline": "central", "font-size": 3 * unit() }, String(index + 1));
    return view.drawn("g", { class: "point" }, dot, words);
  }

  function show() {
    const pairs = points.map((point) => point.split(" ").map(Number));
    marks.replaceChildren(...pairs.map(drawPoint));
    list.replaceChildren(
      ...pairs.map((pair, index) =>
        element("li", {}, element("span", {}, at(pair)), " ", button(t("points.remove"), () => remove(index), { "aria-label": t("points.remove_label", { n: index + 1 }) })),
      ),
    );
  }

  function changed() {
    note.hidden = true;
    show();
    set(points.length ? (several ? [...points] : points[0]) : null);
  }

  function add(pair) {
    if (board.matches(":disabled *")) return;
    const point = pair.join(" ");
    if (points.includes(point)) return;
    if (most === 1) points = [point];
    else if (most && points.length >= most) {
      note.textContent = t("points.too_many", { n: most });
      note.hidden = false;
      announce(note.textContent);
      return;
    } else points = [...points, point];
    changed();
    announce(t("points.set", { n: points.length, place: at(pair) }));
  }

  function remove(index) {
    points = points.toSpliced(index, 1);
    changed();
    announce(t("points.removed", { n: index + 1 }));
    board.focus();
  }

  function pressed(event) {
    add(view.point(event));
  }

  function typed(event) {
    const step = STEPS[event.key];
    const large = Math.max(1, Math.round(unit() * (event.shiftKey ? 10 : 1)));
    const { width, height } = view.size;
    cross ??= [Math.round(width / 2), Math.round(height / 2)];
    if (step) {
      cross = [Math.min(Math.max(cross[0] + step[0] * large, 0), width), Math.min(Math.max(cross[1] + step[1] * large, 0), height)];
      announce(at(cross));
    } else if (event.key === "Enter" || event.key === " ") add(cross);
    else return;
    event.preventDefault();
    event.stopPropagation();
    const arm = 3 * unit();
    const [x, y] = cross;
    cursor.replaceChildren(
      view.drawn("line", { x1: x - arm, y1: y, x2: x + arm, y2: y }),
      view.drawn("line", { x1: x, y1: y - arm, x2: x, y2: y + arm }),
    );
    cursor.setAttribute("visibility", "visible");
  }

  show();
  const hint = thing ? t("points.hint_object") : most === 1 ? t("points.hint_one") : most ? t("points.hint_up_to", { n: most }) : t("points.hint_several");
  return {
    element: element("div", { class: "pictured" }, element("p", { class: "hint" }, hint, " ", t("points.keys")), board, list, note),
  };
}

export function complete(interaction, response) {
  return response !== null && [response].flat().length >= Math.max(1, interaction.min_choices);
}

export function describe(interaction, response, { t }) {
  return listOf(
    [response].flat().map((point) => {
      const [x, y] = point.split(" ");
      return t("points.at", { x, y });
    }),
  );
}

/** Areas of a picture in an order: a list of places, each with a select; pressing areas one after the other fills it. */

import { element } from "../element.js";
import { plain, selectOf } from "./choices.js";
import { named, scene } from "./scene.js";

export function create(interaction, { t, response, set, announce }) {
  const targets = named(interaction.targets, t);
  const name = (id) => plain(targets.find((target) => target.id === id)?.html);
  const places = Array.from({ length: interaction.max_choices || targets.length }, (_, index) => response?.[index] ?? "");
  const view = scene(interaction, { onPick: pick });
  const selects = places.map((_, index) =>
    selectOf(targets, {
      empty: t("gap.choose"),
      letters: true,
      label: t("graphic_order.place", { n: index + 1 }),
      onChange: (id) => {
        const before = id ? places.indexOf(id) : -1;
        if (before >= 0) places[before] = "";
        places[index] = id;
        changed();
      },
    }),
  );

  function pick(id) {
    if (selects[0].matches(":disabled")) return;
    const at = places.indexOf(id);
    const free = places.indexOf("");
    if (at >= 0) places[at] = "";
    else if (free >= 0) places[free] = id;
    else return;
    announce(at >= 0 ? t("graphic_order.removed", { text: name(id) }) : t("order.moved", { text: name(id), place: free + 1, of: places.length }));
    changed();
  }

  function show() {
    selects.forEach((select, index) => {
      select.value = places[index];
    });
    view.mark(places.filter(Boolean));
    targets.forEach(({ id }, index) => {
      const at = places.indexOf(id);
      view.label(id, at >= 0 ? String(at + 1) : plain(interaction.targets[index].html) || "·");
    });
  }

  function changed() {
    show();
    const ids = places.filter(Boolean);
    set(ids.length ? ids : null);
  }

  show();
  const rows = selects.map((select, index) => element("li", {}, element("span", { class: "position" }, String(index + 1)), select));
  return {
    element: element(
      "div",
      { class: "pictured" },
      view.element,
      element("div", {}, element("p", { class: "hint" }, t("graphic_order.hint")), element("ol", { class: "pairs" }, rows)),
    ),
  };
}

export function complete(interaction, response) {
  const most = interaction.max_choices || interaction.targets.length;
  return response !== null && response.length >= (interaction.min_choices || most);
}

export function describe(interaction, response, { t }) {
  const targets = named(interaction.targets, t);
  return element("ol", {}, response.map((id) => element("li", {}, plain(targets.find((target) => target.id === id)?.html))));
}

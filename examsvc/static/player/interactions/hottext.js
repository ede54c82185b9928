/** Words of a text to be marked: each is a toggle in its place. */

import { button, element } from "../element.js";
import { ascending, listOf, plain, shown } from "./choices.js";

export function create(interaction, { t, response, set, announce, promptElement }) {
  const several = interaction.cardinality === "multiple";
  const most = several ? interaction.max_choices : 1;
  const chosen = new Set([response ?? []].flat());
  const toggles = interaction.targets.map((target) => {
    const toggle = button(shown(target), () => press(target.id), { class: "hottext" });
    promptElement.querySelector(`[data-target="${CSS.escape(target.id)}"]`)?.replaceChildren(toggle);
    return { id: target.id, toggle };
  });

  function show() {
    for (const { id, toggle } of toggles) toggle.setAttribute("aria-pressed", String(chosen.has(id)));
  }

  function press(id) {
    if (chosen.has(id)) chosen.delete(id);
    else if (most === 1) {
      chosen.clear();
      chosen.add(id);
    } else if (most && chosen.size >= most) {
      announce(t("choice.too_many", { n: most }));
      return;
    } else chosen.add(id);
    show();
    set(several ? ascending(chosen) : ([...chosen][0] ?? null));
  }

  show();
  return { element: element("p", { class: "hint" }, most ? t("hottext.up_to", { n: most }) : t("hottext.several")) };
}

export function complete(interaction, response) {
  return response !== null;
}

export function describe(interaction, response) {
  const chosen = new Set([response].flat());
  return listOf(interaction.targets.filter(({ id }) => chosen.has(id)).map(({ html }) => plain(html)));
}

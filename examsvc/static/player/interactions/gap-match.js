/** Words from a list into gaps of a text: each gap is a select over the words. */

import { element } from "../element.js";
import { ascending, listOf, plain, selectOf } from "./choices.js";
import { overuse } from "./overuse.js";

export function create(interaction, context) {
  const { t, response, set, promptElement } = context;
  const { note, check } = overuse(interaction.choices, context);
  const filled = new Map((response ?? []).map((pair) => pair.split(" ").reverse()));
  interaction.targets.forEach((gap, index) => {
    const select = selectOf(interaction.choices, {
      chosen: filled.get(gap.id),
      empty: t("gap.choose"),
      label: t("gap.numbered", { n: index + 1 }),
      onChange: (id) => {
        if (id) filled.set(gap.id, id);
        else filled.delete(gap.id);
        const pairs = [...filled].map(([target, choice]) => `${choice} ${target}`);
        set(ascending(pairs));
        check(pairs, true);
      },
    });
    promptElement.querySelector(`[data-target="${CSS.escape(gap.id)}"]`)?.replaceChildren(select);
  });
  check(response, false);
  return { element: element("div", {}, note) };
}

export function complete(interaction, response) {
  return response !== null && response.length >= interaction.targets.length;
}

export function describe(interaction, response) {
  return listOf(
    response.map((pair) => {
      const [choice, gap] = pair.split(" ");
      const place = interaction.targets.findIndex(({ id }) => id === gap) + 1;
      return `${place}. ${plain(interaction.choices.find(({ id }) => id === choice)?.html)}`;
    }),
  );
}

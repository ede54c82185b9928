/** Pairs within one list: as many rows of two selects as there may be pairs. */

import { element } from "../element.js";
import { ascending, listOf, plain, selectOf } from "./choices.js";

export function create(interaction, { t, response, set }) {
  const most = interaction.max_choices || Math.floor(interaction.choices.length / 2);
  const pairs = Array.from({ length: Math.max(most, response?.length ?? 0) }, (_, index) => response?.[index]?.split(" ") ?? ["", ""]);

  function changed() {
    const whole = pairs.filter(([a, b]) => a && b && a !== b);
    set(ascending(whole.map((pair) => [...pair].sort().join(" "))));
  }

  const rows = pairs.map((pair, row) =>
    element(
      "li",
      {},
      [0, 1].map((side) =>
        selectOf(interaction.choices, {
          chosen: pair[side],
          empty: t("gap.choose"),
          label: t(side ? "associate.second" : "associate.first", { n: row + 1 }),
          onChange: (id) => {
            pair[side] = id;
            changed();
          },
        }),
      ),
    ),
  );
  return { element: element("div", {}, element("p", { class: "hint" }, t("associate.hint")), element("ol", { class: "pairs" }, rows)) };
}

export function complete(interaction, response) {
  return response !== null && response.length >= Math.max(1, interaction.min_choices);
}

export function describe(interaction, response) {
  const text = (id) => plain(interaction.choices.find((choice) => choice.id === id)?.html);
  return listOf(response.map((pair) => pair.split(" ").map(text).join(" – ")));
}

/** Pairs within one list: as many rows of two selects as there may be pairs. */

import { element } from "../element.js";
import { ascending, listOf, plain, selectOf } from "./choices.js";
import { overuse } from "./overuse.js";

export function create(interaction, context) {
  const { t, response, set } = context;
  const { note, check } = overuse(interaction.choices, context);
  const most = interaction.max_choices || Math.floor(interaction.choices.length / 2);
  const pairs = Array.from({ length: Math.max(most, response?.length ?? 0) }, (_, index) => response?.[index]?.split(" ") ?? ["", ""]);

  function changed() {
    const whole = pairs.filter(([a, b]) => a && b && a !== b).map((pair) => [...pair].sort().join(" "));
    set(ascending(whole));
    check(whole, true);
  }

  const selects = pairs.map((pair, row) =>
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
  );
  check(response, false);
  const rows = selects.map((sides) => element("li", {}, sides));
  return {
    element: element("div", {}, element("p", { class: "hint" }, t("associate.hint")), element("ol", { class: "pairs" }, rows), note),
    /** Puts two choices into the first free row; the same pair again takes it away. */
    pair(a, b) {
      const wanted = [a, b].sort().join(" ");
      const made = pairs.findIndex((pair) => [...pair].sort().join(" ") === wanted);
      const row = made >= 0 ? made : pairs.findIndex(([one, other]) => !one && !other);
      if (row < 0) return;
      pairs[row].splice(0, 2, ...(made >= 0 ? ["", ""] : [a, b]));
      selects[row].forEach((select, side) => {
        select.value = pairs[row][side];
      });
      changed();
    },
  };
}

export function complete(interaction, response) {
  return response !== null && response.length >= Math.max(1, interaction.min_choices);
}

export function describe(interaction, response) {
  const text = (id) => plain(interaction.choices.find((choice) => choice.id === id)?.html);
  return listOf(response.map((pair) => pair.split(" ").map(text).join(" – ")));
}

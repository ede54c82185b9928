/**
 * A table of statements and columns, for pairings in which every column may be used by every row: one radio button, or
 * several checkboxes, in each row.
 */

import { element, freshId } from "../element.js";
import { ascending, plain, shown } from "./choices.js";
import * as match from "./match.js";

const WIDEST = 6;

/** Whether a pairing reads better as a table: few columns, each free for every row. */
export function fits({ kind, choices, targets }) {
  return kind === "match" && targets.length <= WIDEST && choices.length > 1 && targets.every(({ match_max: most }) => !most || most >= choices.length);
}

export function create(interaction, { t, response, set, describedBy }) {
  const chosen = new Set(response ?? []);
  const heads = interaction.targets.map((target) => ({ target, id: freshId("column") }));

  function change(choice, input, pair) {
    if (choice.match_max === 1) {
      for (const { id } of interaction.targets) chosen.delete(`${choice.id} ${id}`);
    }
    if (input.checked) chosen.add(pair);
    else chosen.delete(pair);
    set(ascending(chosen));
  }

  const rows = interaction.choices.map((choice) => {
    const rowId = freshId("row");
    const name = freshId("cell");
    const cells = heads.map(({ target, id }) => {
      const pair = `${choice.id} ${target.id}`;
      const input = element("input", {
        type: choice.match_max === 1 ? "radio" : "checkbox",
        name,
        value: target.id,
        checked: chosen.has(pair),
        "aria-labelledby": `${rowId} ${id}`,
        onChange: () => change(choice, input, pair),
      });
      return element("td", {}, element("label", { class: "cell" }, input, element("span", { class: "cell-name", "aria-hidden": "true" }, plain(target.html))));
    });
    return element("tr", {}, element("th", { scope: "row" }, shown(choice, { id: rowId })), cells);
  });
  const head = element("tr", {}, element("td"), heads.map(({ target, id }) => element("th", { scope: "col" }, shown(target, { id }))));
  return {
    element: element(
      "div",
      { class: "matrix" },
      element("p", { class: "hint" }, t(interaction.choices.every((choice) => choice.match_max === 1) ? "matrix.one" : "matrix.several")),
      element("table", { "aria-describedby": describedBy ?? null }, element("thead", {}, head), element("tbody", {}, rows)),
    ),
  };
}

export const { complete, describe } = match;

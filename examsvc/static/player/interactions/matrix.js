/**
 * A table of statements and columns, for pairings in which every column may be used by every row: one radio button, or
 * several checkboxes, in each row.
 */

import { element, freshId } from "../element.js";
import { ascending, plain, shown } from "./choices.js";
import * as match from "./match.js";

const WIDEST = 6; // columns
const LONGEST = 24; // characters in the head of a column

/** Whether a pairing reads better as a table: few columns with short heads, each free for every row. */
export function fits({ kind, choices, targets }) {
  if (kind !== "match" || choices.length < 2 || targets.length > WIDEST) return false;
  return targets.every(({ html, match_max: most }) => (!most || most >= choices.length) && plain(html).length <= LONGEST);
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
      element("p", { class: "hint" }, interaction.choices.every((choice) => choice.match_max === 1) ? t("matrix.one") : t("matrix.several")),
      element("table", { "aria-describedby": describedBy ?? null }, element("thead", {}, head), element("tbody", {}, rows)),
    ),
  };
}

export const { complete, describe } = match;

/** A kind that this player cannot show: said at the item, never left out in silence. */

import { element } from "../element.js";

export function create(interaction, { t }) {
  return { element: element("p", { class: "note", role: "alert" }, t("unknown_kind", { kind: interaction.kind })) };
}

export function complete(interaction, response) {
  return response !== null;
}

export function describe(interaction, response) {
  return element("pre", {}, JSON.stringify(response));
}

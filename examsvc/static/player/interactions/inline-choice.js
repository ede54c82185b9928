/** A gap in the text with a list to choose from. */

import { element } from "../element.js";
import { plain, selectOf } from "./choices.js";

export function create(interaction, { t, response, set, label }) {
  return {
    element: selectOf(interaction.choices, {
      chosen: response,
      empty: t("gap.choose"),
      label: label ?? t("gap.label"),
      onChange: (id) => set(id || null),
    }),
  };
}

export function complete(interaction, response) {
  return response !== null;
}

export function describe(interaction, response) {
  const chosen = interaction.choices.find(({ id }) => id === response);
  return element("span", {}, chosen ? plain(chosen.html) : "");
}

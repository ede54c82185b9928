/** One of several, or several of several: radio buttons or checkboxes, answered by letters too. */

import { element, freshId } from "../element.js";
import { ascending, letter, listOf, place, shown } from "./choices.js";

export function create(interaction, { t, response, set, announce }) {
  const several = interaction.cardinality === "multiple";
  const most = several ? interaction.max_choices : 1;
  let chosen = new Set([response ?? []].flat());
  const name = freshId("choice");
  const note = element("p", { class: "note", hidden: true, role: "alert" });

  function change(input, id) {
    if (!several) chosen = new Set([id]);
    else if (!input.checked) chosen.delete(id);
    else if (most && chosen.size >= most) {
      input.checked = false;
      note.textContent = t("choice.too_many", { n: most });
      note.hidden = false;
      return;
    } else chosen.add(id);
    note.hidden = true;
    mark();
    set(several ? ascending(chosen) : id);
  }

  const rows = interaction.choices.map((choice, index) => {
    const input = element("input", {
      type: several ? "checkbox" : "radio",
      name,
      value: choice.id,
      checked: chosen.has(choice.id),
      onChange: () => change(input, choice.id),
    });
    const text = shown(choice);
    const row = element("label", { class: "option" }, input, element("span", { class: "letter" }, letter(index)), text);
    return { choice, input, row };
  });

  function mark() {
    for (const { choice, row } of rows) row.classList.toggle("chosen", chosen.has(choice.id));
  }
  mark();

  const hint = !several ? t("choice.one") : most ? t("choice.up_to", { n: most }) : t("choice.several");
  return {
    element: element(
      "fieldset",
      { class: "choices" },
      element("legend", { class: "hint" }, hint),
      rows.map(({ row }) => row),
      note,
    ),
    key(event) {
      const at = place(event.key);
      const row = rows[at];
      if (!row || row.input.disabled) return false;
      row.input.checked = several ? !row.input.checked : true;
      change(row.input, row.choice.id);
      row.input.focus();
      announce(t(row.input.checked ? "choice.chosen" : "choice.unchosen", { letter: letter(at) }));
      return true;
    },
  };
}

export function complete(interaction, response) {
  return response !== null && [response].flat().length >= Math.max(1, interaction.min_choices);
}

export function describe(interaction, response) {
  const chosen = new Set([response].flat());
  return listOf(
    interaction.choices
      .map((choice, index) => ({ choice, index }))
      .filter(({ choice }) => chosen.has(choice.id))
      .map(({ choice, index }) => [element("strong", {}, `${letter(index)}. `), shown(choice)]),
  );
}

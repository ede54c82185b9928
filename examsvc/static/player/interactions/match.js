/** Pairing two lists: a select beside each entry, or checkboxes where an entry may have several partners. */

import { element, freshId } from "../element.js";
import { ascending, letter, listOf, plain, selectOf, shown } from "./choices.js";
import { overuse } from "./overuse.js";

export function create(interaction, context) {
  const { t, response, set } = context;
  const partners = new Map(interaction.choices.map(({ id }) => [id, new Set()]));
  for (const pair of response ?? []) {
    const [left, right] = pair.split(" ");
    partners.get(left)?.add(right);
  }
  const { note, check } = overuse(interaction.targets, context, (target) => letter(interaction.targets.indexOf(target)));

  function changed() {
    const pairs = [...partners].flatMap(([left, rights]) => [...rights].map((right) => `${left} ${right}`));
    set(ascending(pairs));
    check(pairs, true);
  }

  const rows = interaction.choices.map((choice, index) => {
    const textId = freshId("left");
    const text = shown(choice, { id: textId });
    const controls =
      choice.match_max === 1
        ? selectOf(interaction.targets, {
            chosen: [...partners.get(choice.id)][0],
            empty: t("match.choose"),
            letters: true,
            label: t("match.label", { text: plain(choice.html) }),
            onChange: (id) => {
              partners.set(choice.id, new Set(id ? [id] : []));
              changed();
            },
          })
        : boxes(choice, textId);
    return element("li", {}, element("span", { class: "position" }, String(index + 1)), text, controls);
  });

  function boxes(choice, textId) {
    const chosen = partners.get(choice.id);
    return element(
      "span",
      { role: "group", "aria-labelledby": textId, class: "partners" },
      interaction.targets.map(({ id }, index) => {
        const box = element("input", {
          type: "checkbox",
          checked: chosen.has(id),
          onChange: () => {
            if (box.checked) chosen.add(id);
            else chosen.delete(id);
            changed();
          },
        });
        return element("label", { class: "partner" }, box, letter(index));
      }),
    );
  }

  check(response, false);
  return {
    element: element(
      "div",
      { class: "match" },
      element("p", { class: "hint" }, t("match.hint")),
      element("ol", { class: "match-left" }, rows),
      element("p", { class: "hint" }, t("match.right")),
      element(
        "ul",
        { class: "match-right" },
        interaction.targets.map((target, index) => element("li", {}, element("span", { class: "letter" }, letter(index)), shown(target))),
      ),
      note,
    ),
  };
}

export function complete(interaction, response) {
  const answered = new Set((response ?? []).map((pair) => pair.split(" ")[0]));
  return response !== null && interaction.choices.every(({ id, match_max: most }) => most !== 1 || answered.has(id));
}

export function describe(interaction, response) {
  const text = (list, id) => plain(list.find((entry) => entry.id === id)?.html);
  return listOf(
    response.map((pair) => {
      const [left, right] = pair.split(" ");
      return `${text(interaction.choices, left)} → ${text(interaction.targets, right)}`;
    }),
  );
}

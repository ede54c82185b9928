/** A long text: what is typed is what is kept. Words are counted as the examiners' side counts them. */

import { countWords } from "../canonical.js";
import { element, freshId } from "../element.js";

const COUNT_PAUSE = 250; // ms

export function create(interaction, { t, response, set, announce, label }) {
  const { min = null, max = null } = interaction.words ?? {};
  const countId = freshId("words");
  const count = element("p", { class: "words", id: countId });
  let timer = null;
  let above = false;

  function recount(first = false) {
    const words = countWords(area.value);
    const parts = [t("essay.words", { n: words })];
    let state = "within";
    if (min !== null && words < min) {
      state = "below";
      parts.push(t("essay.missing", { n: min - words }));
    } else if (max !== null && words > max) {
      state = "above";
      parts.push(t("essay.above", { n: words - max }));
    }
    parts.push(range(t, min, max));
    count.dataset.state = state;
    count.textContent = parts.filter(Boolean).join(" · ");
    if (state === "above" && !above && !first) announce(t("essay.above_said", { n: max }));
    above = state === "above";
  }

  const area = element("textarea", {
    class: "essay",
    value: response ?? "",
    rows: interaction.lines || 14,
    spellcheck: "false",
    autocomplete: "off",
    "aria-label": label ?? t("essay.label"),
    "aria-describedby": countId,
    onInput: () => {
      set(area.value.trim() ? area.value : null, { writing: true });
      clearTimeout(timer);
      timer = setTimeout(recount, COUNT_PAUSE);
    },
  });
  recount(true);
  return { element: element("div", { class: "essay-frame" }, area, count) };
}

function range(t, min, max) {
  if (min !== null && max !== null) return t("essay.between", { min, max });
  if (min !== null) return t("essay.at_least", { min });
  return max !== null ? t("essay.at_most", { max }) : "";
}

export function complete(interaction, response) {
  return response !== null && countWords(response) >= (interaction.words?.min ?? 1);
}

export function describe(interaction, response) {
  return element("div", { class: "written", tabIndex: 0 }, response);
}

/** A number on a scale. Where the slider stands at first is no answer; touching it is. */

import { element, freshId } from "../element.js";

export function create(interaction, { t, language, response, set }) {
  const lower = interaction.lower ?? "0";
  const upper = interaction.upper ?? "100";
  const outputId = freshId("slider");
  const output = element("output", { id: outputId });
  const input = element("input", {
    type: "range",
    min: lower,
    max: upper,
    step: interaction.step ?? "1",
    "aria-label": t("slider.label", { lower, upper }),
    "aria-describedby": outputId,
    onInput: () => answer(),
    onPointerUp: () => answer(),
  });
  input.value = response ?? String((Number(lower) + Number(upper)) / 2);

  function answer() {
    show(input.value);
    set(input.value);
  }

  function show(value) {
    output.textContent = value === null ? t("slider.untouched") : language === "vi" ? value.replace(".", ",") : value;
  }

  show(response);
  const end = (value) => element("span", { "aria-hidden": "true" }, value);
  return { element: element("div", { class: "slider" }, end(lower), input, end(upper), output) };
}

export function complete(interaction, response) {
  return response !== null;
}

export function describe(interaction, response) {
  return element("span", {}, response);
}

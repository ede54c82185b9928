/** A short text or a number, as typed; under a number the page says how it is read. */

import { readNumber } from "../canonical.js";
import { cleaned, element, freshId } from "../element.js";

export function create(interaction, { t, language, response, set, label }) {
  const numeric = interaction.base === "float" || interaction.base === "integer";
  const placed = label !== undefined;
  const echoId = freshId("echo");
  const input = element("input", {
    type: "text",
    inputmode: numeric ? "decimal" : "text",
    value: response ?? "",
    size: Math.min(40, Math.max(numeric ? 8 : 16, interaction.length || 0)),
    maxlength: 2000,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "aria-label": label ?? t(numeric ? "number.label" : "text.label"),
    "aria-describedby": numeric ? echoId : null,
    onInput: () => {
      set(input.value.trim() || null, { writing: true });
      echo();
    },
  });
  const echoed = element("span", { class: "echo", id: echoId });

  function echo() {
    const typed = input.value.trim();
    const read = typed ? readNumber(typed) : null;
    echoed.dataset.state = typed && read === null ? "unread" : "read";
    const plain = placed && read !== null && decimal(read, language) === typed; // in a sentence only what is news
    echoed.textContent = !typed || plain ? "" : read === null ? t("number.unread") : t("number.read", { number: decimal(read, language) });
  }
  if (numeric) echo();

  return {
    element: element(
      "span",
      { class: "entry" },
      input,
      interaction.unit ? cleaned(interaction.unit, "span", { class: "unit" }) : null,
      numeric ? echoed : null,
    ),
  };
}

function decimal(number, language) {
  return language === "vi" ? number.replace(".", ",") : number;
}

export function complete(interaction, response) {
  return response !== null;
}

export function describe(interaction, response) {
  return element("span", { class: "written" }, response);
}

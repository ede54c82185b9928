/** A button whose pressing is itself the answer; pressing again takes it back. */

import { button, element } from "../element.js";
import { plain } from "./choices.js";

export function create(interaction, { t, response, set }) {
  let pressed = response === true;
  const toggle = button(plain(interaction.prompt) || t("end_attempt.label"), () => {
    pressed = !pressed;
    show();
    set(pressed ? true : null);
  });

  function show() {
    toggle.setAttribute("aria-pressed", String(pressed));
  }

  show();
  return { element: element("span", { class: "end-attempt" }, toggle) };
}

export function complete(interaction, response) {
  return response !== null;
}

export function describe(interaction, response, { t }) {
  return element("span", {}, plain(interaction.prompt) || t("end_attempt.label"));
}

/** Areas of a picture to be chosen: the choices of an ordinary question, which pressing the picture ticks too. */

import { element } from "../element.js";
import * as choice from "./choice.js";
import { named, scene } from "./scene.js";

const asChoice = (interaction, t) => ({ ...interaction, choices: named(interaction.targets, t) });

export function create(interaction, context) {
  const view = scene(interaction, {
    onPick: (id) => {
      const input = controls.element.querySelector(`input[value="${CSS.escape(id)}"]`);
      input?.click();
    },
  });
  const controls = choice.create(asChoice(interaction, context.t), {
    ...context,
    set: (response, options) => {
      view.mark([response ?? []].flat());
      context.set(response, options);
    },
  });
  view.mark([context.response ?? []].flat());
  return { ...controls, element: element("div", { class: "pictured" }, view.element, controls.element) };
}

export const { complete } = choice;

export function describe(interaction, response, context) {
  return choice.describe(asChoice(interaction, context.t), response, context);
}

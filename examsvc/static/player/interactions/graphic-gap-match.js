/** Things put into areas of a picture: for each area a select over the things; pressing the area opens its select. */

import { element } from "../element.js";
import * as match from "./match.js";
import { letter } from "./choices.js";
import { named, scene } from "./scene.js";

/** The areas as the rows of a match, the things as its columns; a response names the thing first. */
const turned = (interaction, t) => ({ ...interaction, choices: named(interaction.targets, t), targets: interaction.choices });
const turn = (pairs) => pairs?.map((pair) => pair.split(" ").reverse().join(" ")) ?? null;

export function create(interaction, context) {
  const view = scene(interaction, {
    onPick: (id) => {
      const at = interaction.targets.findIndex((target) => target.id === id);
      const control = controls.element.querySelectorAll(".match-left > li")[at]?.querySelector("select, input");
      if (!control || control.matches(":disabled")) return;
      control.focus();
      control.showPicker?.();
    },
  });
  const controls = match.create(turned(interaction, context.t), {
    ...context,
    response: turn(context.response),
    set: (response, options) => {
      const pairs = turn(response)?.sort() ?? null;
      show(pairs);
      context.set(pairs, options);
    },
  });

  function show(pairs) {
    interaction.targets.forEach(({ id }, index) => {
      const things = (pairs ?? []).map((pair) => pair.split(" ")).filter(([, area]) => area === id);
      const letters = things.map(([thing]) => letter(interaction.choices.findIndex((choice) => choice.id === thing)));
      view.label(id, letters.length ? `${index + 1}: ${letters.join(", ")}` : String(index + 1));
    });
    view.mark((pairs ?? []).map((pair) => pair.split(" ")[1]));
  }

  show(context.response);
  return { element: element("div", { class: "pictured" }, view.element, controls.element) };
}

export function complete(interaction, response) {
  return match.complete({ ...interaction, choices: interaction.targets, targets: interaction.choices }, turn(response));
}

export function describe(interaction, response, context) {
  return match.describe(turned(interaction, context.t), turn(response), context);
}

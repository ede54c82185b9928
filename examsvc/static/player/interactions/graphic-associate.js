/** Pairs of areas of a picture: rows of two selects; pressing two areas one after the other makes a pair too. */

import { element } from "../element.js";
import * as associate from "./associate.js";
import { named, scene } from "./scene.js";

const asAssociate = (interaction, t) => ({ ...interaction, choices: named(interaction.targets, t) });
const split = (response) => (response ?? []).map((pair) => pair.split(" "));

export function create(interaction, context) {
  let first = null;
  const view = scene(interaction, { onPick: pick });
  const controls = associate.create(asAssociate(interaction, context.t), {
    ...context,
    set: (response, options) => {
      show(response);
      context.set(response, options);
    },
  });

  function pick(id) {
    if (controls.element.matches(":disabled *")) return;
    if (first !== null && first !== id) controls.pair(first, id);
    first = first === null ? id : null;
    view.mark(first === null ? [] : [first]);
  }

  function show(response) {
    view.join(split(response));
  }

  show(context.response);
  return { element: element("div", { class: "pictured" }, view.element, controls.element) };
}

export const { complete } = associate;

export function describe(interaction, response, context) {
  return associate.describe(asAssociate(interaction, context.t), response, context);
}

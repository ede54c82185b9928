/**
 * Interaction kinds and the modules that show them.
 *
 * A module exports
 *   create(interaction, context) → {element, key?(event)}    the controls, filled with context.response
 *   complete(interaction, response) → boolean                whether every part of it is answered
 *   describe(interaction, response, context) → Node          the response in words, read-only
 * context: {t, language, response, set(response, {writing}), announce(sentence), describedBy}. `set(null)` clears. A new
 * kind is one module and one line here; nothing else knows the kinds.
 */

import * as associate from "./associate.js";
import * as choice from "./choice.js";
import * as endAttempt from "./end-attempt.js";
import * as essay from "./essay.js";
import * as gapMatch from "./gap-match.js";
import * as graphicAssociate from "./graphic-associate.js";
import * as graphicGapMatch from "./graphic-gap-match.js";
import * as graphicOrder from "./graphic-order.js";
import * as hotspot from "./hotspot.js";
import * as hottext from "./hottext.js";
import * as inlineChoice from "./inline-choice.js";
import * as match from "./match.js";
import * as matrix from "./matrix.js";
import * as media from "./media.js";
import * as order from "./order.js";
import * as points from "./points.js";
import * as slider from "./slider.js";
import * as textEntry from "./text-entry.js";
import * as unknown from "./unknown.js";

const modules = new Map(
  Object.entries({
    associate,
    choice,
    "end-attempt": endAttempt,
    "extended-text": essay,
    "gap-match": gapMatch,
    "graphic-associate": graphicAssociate,
    "graphic-gap-match": graphicGapMatch,
    "graphic-order": graphicOrder,
    hotspot,
    hottext,
    "inline-choice": inlineChoice,
    match,
    media,
    order,
    "position-object": points,
    "select-point": points,
    slider,
    "text-entry": textEntry,
  }),
);

export function moduleFor(interaction) {
  return matrix.fits(interaction) ? matrix : (modules.get(interaction.kind) ?? unknown);
}

const known = new WeakMap(); // a value is never changed in place, and essays take time to count

/** How far a value answers a slot: "blank", "partial" or "answered"; the same in each language. */
export function progress(presentation, value) {
  if (value === null) return "blank";
  if (!known.has(value)) {
    const done = presentation.interactions.every((interaction) =>
      moduleFor(interaction).complete(interaction, value[interaction.id] ?? null),
    );
    known.set(value, done ? "answered" : "partial");
  }
  return known.get(value);
}

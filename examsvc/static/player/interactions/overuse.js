/** Says when a choice is in more pairs than it may be; the pair itself is never undone behind one's back. */

import { element } from "../element.js";
import { plain } from "./choices.js";

/** A note, and `check(response, aloud)` that fills or empties it; `named` is what a choice is called in the sentence. */
export function overuse(choices, { t, announce }, named = (choice) => plain(choice.html) || choice.picture?.alt || "") {
  const note = element("p", { class: "note", hidden: true });
  function check(response, aloud) {
    const uses = new Map();
    for (const id of (response ?? []).flatMap((pair) => pair.split(" "))) uses.set(id, (uses.get(id) ?? 0) + 1);
    const over = choices.find(({ id, match_max: most }) => most && (uses.get(id) ?? 0) > most);
    const sentence = over ? t("pairs.overused", { choice: named(over), n: over.match_max }) : "";
    if (aloud && sentence && sentence !== note.textContent) announce(sentence);
    note.textContent = sentence;
    note.hidden = !sentence;
  }
  return { note, check };
}

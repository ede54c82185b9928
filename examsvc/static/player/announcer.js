/** The two live regions of the page: one that waits its turn, one that does not. Used sparingly. */

import { element } from "./element.js";

export class Announcer {
  #polite = element("div", { class: "unseen", role: "status", "aria-live": "polite" });
  #urgent = element("div", { class: "unseen", role: "alert", "aria-live": "assertive" });
  element = element("div", {}, this.#polite, this.#urgent);

  say(sentence) {
    speak(this.#polite, sentence);
  }

  sayNow(sentence) {
    speak(this.#urgent, sentence);
  }
}

function speak(region, sentence) {
  // the same sentence twice is spoken twice only when the node is a new one
  region.replaceChildren(element("p", {}, sentence));
}

/** All questions of the paper with what has been done about each. */

import { button, element } from "../element.js";
import { progress } from "../interactions/registry.js";

const SIGNS = { answered: "●", partial: "◐", blank: "○" };

export class PaletteView {
  element = element("nav", { class: "palette", id: "palette" });
  #app;
  #buttons = new Map();
  #counts = element("p", { class: "counts" });
  #ends = element("p", { class: "counts" });

  constructor(app) {
    this.#app = app;
  }

  /** Builds the list anew: for a new paper or another language. */
  build() {
    const app = this.#app;
    const { t } = app;
    this.#buttons.clear();
    this.element.setAttribute("aria-label", t("palette.title"));
    const parts = app.paper.parts.map((part, index) =>
      element(
        "section",
        {},
        app.paper.parts.length > 1 ? element("h3", {}, app.partTitle(part, index)) : null,
        element("ol", { class: "numbers" }, part.slots.map(({ slot }) => element("li", {}, this.#number(slot)))),
      ),
    );
    const legend = element(
      "ul",
      { class: "legend" },
      ["answered", "partial", "blank"].map((state) =>
        element("li", {}, element("span", { "aria-hidden": "true" }, `${SIGNS[state]} `), t(`palette.${state}`)),
      ),
      element("li", {}, element("span", { "aria-hidden": "true" }, "⚑ "), t("palette.flagged")),
    );
    this.element.replaceChildren(
      element("h2", {}, t("palette.title")),
      this.#counts,
      this.#ends,
      ...parts,
      legend,
      button(t("submit.open"), () => app.openSubmit(), { class: "submit" }),
    );
    this.refresh();
  }

  #number(number) {
    const node = button("", () => this.#app.goTo(number, { focus: true }), { class: "number" });
    this.#buttons.set(number, node);
    return node;
  }

  refresh() {
    const { t, paper, saving, language, current } = this.#app;
    let answered = 0;
    for (const [number, node] of this.#buttons) {
      const { index } = paper.at(number);
      const model = saving.slot(number);
      const state = progress(paper.presentation(number, language), model.value);
      const flagged = saving.flags.has(number);
      if (state !== "blank") answered += 1;
      const words = [t("question.short", { n: index + 1 }), t(`palette.${state}`)];
      if (flagged) words.push(t("palette.flagged"));
      if (model.blocked) words.push(t("palette.blocked"));
      const signature = JSON.stringify([words, number === current]);
      if (node.dataset.signature === signature) continue;
      node.dataset.signature = signature;
      node.dataset.state = state;
      node.classList.toggle("flagged", flagged);
      node.classList.toggle("blocked", model.blocked);
      node.setAttribute("aria-label", words.join(", "));
      if (number === current) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
      node.replaceChildren(
        element("span", { class: "n" }, String(index + 1)),
        element("span", { class: "sign", "aria-hidden": "true" }, model.blocked ? "!" : SIGNS[state], flagged ? " ⚑" : ""),
      );
    }
    const { deadline } = this.#app.attempt;
    this.#ends.textContent = deadline === null ? "" : t("time.ends", { time: this.#app.times.withMinutes(deadline) });
    this.#counts.textContent = t("palette.counts", { answered, of: paper.count, flagged: saving.flags.size });
  }
}

/** Previous, list, next; on the last question, submit. */

import { button, element } from "../element.js";

export class MovesView {
  element = element("div", { class: "moves-bar" });
  #app;
  #listed = false; // on narrow screens: whether the list of questions is open

  constructor(app) {
    this.#app = app;
  }

  /** Made anew for each question and language; the keyboard keeps its place. */
  build() {
    const app = this.#app;
    const { t, paper, current } = app;
    const tool = this.element.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
    const arrow = (sign) => element("span", { "aria-hidden": "true" }, sign);
    const last = paper.beside(current, 1) === null;
    this.element.replaceChildren(
      button([arrow("‹\u00a0"), t("question.previous")], () => app.move(-1), {
        data: { tool: "previous" },
        "aria-disabled": String(paper.beside(current, -1) === null),
      }),
      button(t("palette.open"), () => this.list(!this.#listed), { data: { tool: "palette" }, class: "palette-toggle", "aria-controls": "palette" }),
      last
        ? button(t("submit.open"), () => app.openSubmit(), { data: { tool: "next" }, class: "main" })
        : button([t("question.next"), arrow("\u00a0›")], () => app.move(1), { data: { tool: "next" }, class: "main" }),
    );
    this.list(this.#listed, { focus: false });
    if (tool) this.element.querySelector(`[data-tool="${tool}"]`)?.focus({ preventScroll: true });
  }

  /** Opens or closes the list of questions on narrow screens. */
  list(open, { focus = open } = {}) {
    this.#listed = open;
    const palette = this.#app.palette.element;
    palette.classList.toggle("shown", open);
    this.element.querySelector(".palette-toggle")?.setAttribute("aria-expanded", String(open));
    if (focus) palette.querySelector("[aria-current]")?.focus();
  }
}

/** The bar on top: where one is, the time left, the state of saving; and the sentences below it while something is amiss. */

import { button, element } from "../element.js";
import { inWords } from "../language.js";
import { amiss } from "./amiss.js";

export class BarView {
  #app;
  #where = element("p", { class: "bar-where" });
  #time = element("p", { class: "bar-time", role: "timer", "aria-live": "off" });
  #save = element("p", { class: "bar-save" });
  #tools = element("nav", { class: "bar-tools" });
  #banners = element("div", { class: "banners", role: "status", "aria-live": "polite" });
  #shown = new Map();
  header = element("header", { class: "bar" }, this.#where, this.#time, this.#save);
  element = element("div", { class: "top" }, this.header, this.#tools);
  banners = this.#banners;

  constructor(app) {
    this.#app = app;
  }

  /** Everything that depends on the language. */
  build() {
    const app = this.#app;
    const { t } = app;
    const focused = this.#tools.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
    const other = app.otherLanguage;
    this.#tools.setAttribute("aria-label", t("tools"));
    const tool = (name, label, action, attributes = {}) => button(label, action, { data: { tool: name }, ...attributes });
    this.#tools.replaceChildren(
      ...[
        other ? tool("language", other.name, () => app.setLanguage(other.code), { lang: other.code }) : null,
        tool("settings", t("settings.open"), () => app.openSettings()),
        tool("help", t("help.open"), () => app.openHelp()),
        app.attempt.notices.length ? tool("notices", t("notices.open", { n: app.attempt.notices.length }), () => app.openNotices()) : null,
      ].filter(Boolean),
    );
    if (focused) this.#tools.querySelector(`[data-tool="${focused}"]`)?.focus();
    for (const node of this.#shown.values()) node.remove();
    this.#shown.clear();
    this.refresh();
  }

  refresh() {
    this.#where.textContent = this.#app.whereText();
    this.#saving();
    this.tick();
    this.#amiss();
  }

  /** Called several times a second; touches the page only when a word changes. */
  tick() {
    const { t, attempt } = this.#app;
    let text = "";
    let urgent = false;
    const left = attempt.left;
    if (left !== null && attempt.state === "open") {
      text = left > 0 ? t("time.left", { time: inWords(t, left) }) : t("time.up");
      urgent = left < 5 * 60000;
    } else if (left !== null && attempt.state === "paused") {
      text = t("time.paused", { time: inWords(t, left) });
    } else if (attempt.state === "over") {
      text = t("time.up");
    }
    if (this.#time.textContent !== text) this.#time.textContent = text;
    this.#time.classList.toggle("urgent", urgent);
  }

  #saving() {
    const { t, saving, times } = this.#app;
    const { state, at } = this.#app.saveState();
    const text = state === "saved" ? t("save.saved", { time: at === null ? "" : times.withSeconds(at) }).trim() : t(`save.${state}`);
    if (this.#save.textContent !== text) this.#save.textContent = text;
    this.#save.hidden = !this.#app.begun && state === "saved";
    this.#save.dataset.state = state;
    this.#save.title = state === "waiting" ? t("save.waiting_count", { n: saving.unsentSlots.length }) : "";
  }

  /** One sentence for each thing amiss, each added and taken away on its own so that it is read out once. */
  #amiss() {
    const wanted = amiss(this.#app);
    for (const [key, node] of this.#shown) {
      if (!wanted.has(key)) {
        node.remove();
        this.#shown.delete(key);
      }
    }
    for (const [key, { sentence, tone, action = null }] of wanted) {
      const existing = this.#shown.get(key);
      if (existing) {
        if (existing.dataset.sentence === sentence) continue;
        existing.remove();
      }
      const node = element(
        "div",
        { class: `banner ${tone}`, data: { key, sentence } },
        element("p", {}, sentence),
        action ? button(action.label, action.run) : null,
      );
      this.#shown.set(key, node);
      this.#banners.append(node);
    }
  }
}

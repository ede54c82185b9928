/** One item: its text, its interactions, and what can be done with it. */

import { button, cleaned, element, freshId } from "../element.js";
import { valueOf } from "../canonical.js";
import { moduleFor } from "../interactions/registry.js";
import { chosen } from "../language.js";
import { conflictPanel } from "./conflict.js";

export class QuestionView {
  element = element("section", { class: "question", "aria-labelledby": "question-title" });
  #app;
  #number = null;
  #controllers = [];
  #undo = null;
  #fieldset = null;
  #status = null;
  #tools = null;

  constructor(app) {
    this.#app = app;
  }

  get number() {
    return this.#number;
  }

  /** Shows a slot anew, from the model. */
  show(number, { focus = false } = {}) {
    if (number !== this.#number) this.#undo = null;
    this.#number = number;
    const { app } = this;
    const { t, language } = app;
    const { part, slot, index } = app.paper.at(number);
    const presentation = app.paper.presentation(number, language);
    const title = element(
      "h2",
      { id: "question-title", tabIndex: -1, class: "question-title" },
      t("question.title", { n: index + 1, of: app.paper.count }),
      slot.marks ? element("span", { class: "marks" }, t("question.marks", { n: decimal(slot.marks, language) })) : null,
    );
    const promptId = freshId("prompt");
    const prompt = cleaned(presentation.prompt, "div", { class: "prompt rich", id: promptId, lang: presentation.language });
    const model = app.saving.slot(number);
    this.#controllers = [];
    this.#status = element("div", { class: "item-status" });
    const instructions = chosen(part.instructions, language);
    const pieces = [title];
    if (instructions && part.slots[0] === slot) pieces.push(cleaned(instructions, "div", { class: "instructions rich", lang: language }));
    if (model.conflict) {
      pieces.push(prompt, conflictPanel(app, number, presentation));
      this.#fieldset = null;
    } else {
      const rest = this.#interactions(presentation, prompt, promptId, model);
      this.#fieldset = element("fieldset", { class: "answer", "aria-labelledby": promptId, role: "group" }, prompt, rest, this.#status);
      pieces.push(this.#fieldset);
    }
    this.#tools = element("div", { class: "tools" });
    pieces.push(this.#tools);
    this.element.replaceChildren(...pieces);
    this.refresh();
    if (focus) title.focus();
  }

  get app() {
    return this.#app;
  }

  #interactions(presentation, prompt, promptId, model) {
    const responses = { ...(model.value ?? {}) };
    const rest = [];
    const placed = presentation.interactions.filter((interaction) => interaction.placed);
    for (const interaction of presentation.interactions) {
      const own = interaction.prompt ? cleaned(interaction.prompt, "div", { class: "rich own-prompt" }) : null;
      const controller = moduleFor(interaction).create(interaction, {
        t: this.app.t,
        language: this.app.language,
        response: responses[interaction.id] ?? null,
        announce: (sentence) => this.app.announcer.say(sentence),
        label: interaction.placed ? this.app.t("gap.numbered", { n: placed.indexOf(interaction) + 1 }) : undefined,
        promptElement: own ?? prompt,
        set: (response, options) => {
          if (response === null) delete responses[interaction.id];
          else responses[interaction.id] = response;
          this.#undo = null;
          this.app.answer(this.#number, valueOf(responses), options);
        },
      });
      controller.element.dataset.response = interaction.id;
      this.#controllers.push(controller);
      const place = interaction.placed && prompt.querySelector(`[data-interaction="${CSS.escape(interaction.id)}"]`);
      if (place) place.replaceChildren(controller.element);
      else rest.push(element("div", { class: "interaction" }, own, controller.element));
    }
    return rest;
  }

  /** What is said about the item without touching its controls: refusal, flag, clear, undo, read-only. */
  refresh() {
    if (this.#number === null) return;
    const { t, saving, readOnly } = this.app;
    const model = saving.slot(this.#number);
    if (Boolean(model.conflict) !== (this.#fieldset === null)) {
      this.show(this.#number);
      return;
    }
    if (this.#fieldset) this.#fieldset.disabled = readOnly;
    this.#status.replaceChildren(...(model.refusal ? [this.#refusal(model)] : []));
    const flagged = saving.flags.has(this.#number);
    const focused = this.#tools.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
    const flag = element("input", {
      type: "checkbox",
      checked: flagged,
      disabled: readOnly,
      data: { tool: "flag" },
      onChange: (event) => this.app.flag(this.#number, event.target.checked),
    });
    const clear = this.#undo
      ? button(t("question.undo"), () => this.#restore(), { data: { tool: "clear" }, disabled: readOnly })
      : button(t("question.clear"), () => this.#clear(), {
          data: { tool: "clear" },
          disabled: readOnly || model.value === null || model.conflict !== null,
        });
    this.#tools.replaceChildren(
      element("label", { class: "flag" }, flag, element("span", {}, element("span", { "aria-hidden": "true" }, "⚑ "), t("question.flag"))),
      clear,
    );
    if (focused) this.#tools.querySelector(`[data-tool="${focused}"]`)?.focus({ preventScroll: true });
  }

  #refusal(model) {
    const { t, app } = { t: this.app.t, app: this.app };
    return element(
      "div",
      { class: "note refusal", role: "alert" },
      element("p", {}, element("strong", {}, t("refusal.title")), " ", chosen(model.refusal, app.language)),
      element("p", {}, t("refusal.kept")),
      model.acknowledged?.version
        ? button(t("refusal.take_stored"), () => app.takeStored(this.#number))
        : null,
    );
  }

  #clear() {
    const before = this.app.saving.slot(this.#number).value;
    this.app.answer(this.#number, null);
    this.#undo = { value: before };
    this.show(this.#number);
    this.app.announcer.say(this.app.t("question.cleared"));
    this.element.querySelector('[data-tool="clear"]').focus();
  }

  #restore() {
    const { value } = this.#undo;
    this.#undo = null;
    this.app.answer(this.#number, value);
    this.show(this.#number);
    this.element.querySelector('[data-tool="clear"]').focus();
  }

  /** A letter pressed anywhere outside a field answers, where the item has one interaction that takes letters. */
  key(event) {
    if (this.app.readOnly || !this.#fieldset) return false;
    const takers = this.#controllers.filter((controller) => controller.key);
    return takers.length === 1 && takers[0].key(event);
  }
}

function decimal(number, language) {
  return language === "vi" ? number.replace(".", ",") : number;
}

/** One question by itself, for its makers: shown by the very modules that show it in the examination; nothing is saved. */

import { Announcer } from "./announcer.js";
import { translator } from "./language.js";
import { Paper } from "./paper.js";
import { QuestionView } from "./views/question.js";

const root = document.getElementById("try");
const { language, csrf, markUrl, failed } = root.dataset;
const earned = document.getElementById("earned");
const slot = { slot: 1, marks: root.dataset.marks, item: JSON.parse(root.dataset.item) };
const model = { value: null, conflict: null, refusal: null, acknowledged: null };

const app = {
  t: translator(language),
  language,
  readOnly: false,
  announcer: new Announcer(),
  paper: new Paper({ parts: [{ title: "", instructions: null, slots: [slot] }], languages: [language] }),
  saving: { slot: () => model, flags: new Set() },
  answer(number, value) {
    model.value = value;
    earned.textContent = "";
    view.refresh();
  },
  flag(number, flagged) {
    if (flagged) this.saving.flags.add(number);
    else this.saving.flags.delete(number);
    view.refresh();
  },
};
const view = new QuestionView(app);
root.replaceChildren(view.element, app.announcer.element);
view.show(1);

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input:not([type=radio], [type=checkbox]), textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (view.key(event)) event.preventDefault();
});

document.getElementById("mark").addEventListener("click", async () => {
  try {
    const reply = await fetch(markUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
      body: JSON.stringify({ value: model.value }),
    });
    const said = await reply.json();
    earned.textContent = said.sentence ?? said.error ?? failed;
  } catch {
    earned.textContent = failed;
  }
});

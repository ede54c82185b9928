/** Submitting: what is blank and flagged, confirmation, emptying the queue, the submit itself. */

import { button, element } from "../element.js";
import { openDialog } from "../dialog.js";
import { progress } from "../interactions/registry.js";
import { NotNow } from "../server.js";

const AGAIN = 2000; // ms between two tries of the submit

export function openSubmit(app) {
  const { t, paper, saving, language } = app;
  let stopped = false;
  let going = false;
  const submitId = crypto.randomUUID();
  const dialog = openDialog(t, { title: t("submit.title"), wide: true, className: "submit-dialog", actions: [], onClose: () => (stopped = true) });
  const watch = () => {
    if (going) advance();
  };
  list();

  function actions(...buttons) {
    dialog.row.replaceChildren(...buttons);
  }

  function back() {
    stopped = true;
    dialog.close();
  }

  function list({ blockedTried = false } = {}) {
    going = false;
    const numbers = paper.numbers;
    const states = new Map(numbers.map((n) => [n, progress(paper.presentation(n, language), saving.slot(n).value)]));
    const groups = [
      ["blocked", saving.blockedSlots.filter((n) => paper.has(n))],
      ["blank", numbers.filter((n) => states.get(n) === "blank")],
      ["partial", numbers.filter((n) => states.get(n) === "partial")],
      ["flagged", numbers.filter((n) => saving.flags.has(n))],
    ].filter(([, members]) => members.length);
    const blank = groups.find(([name]) => name === "blank")?.[1].length ?? 0;
    dialog.body.replaceChildren(
      element("p", { class: "submit-summary" }, t("submit.answered", { answered: paper.count - blank, of: paper.count })),
      ...groups.map(([name, members]) =>
        element(
          "section",
          { class: `submit-group ${name}` },
          element("h3", {}, t(`submit.${name}`, { n: members.length })),
          element("ul", { class: "numbers" }, members.map((n) => element("li", {}, jump(n)))),
        ),
      ),
      groups.length ? "" : element("p", {}, t("submit.all_done")),
    );
    if (blockedTried) dialog.body.prepend(element("p", { class: "note refusal", role: "alert" }, t("submit.blocked_first")));
    actions(button(t("submit.back"), back), button(t("submit.go_on"), () => (saving.blockedSlots.length ? list({ blockedTried: true }) : confirm()), { class: "main" }));
    dialog.heading.focus();
  }

  function jump(number) {
    return button(t("question.short", { n: paper.at(number).index + 1 }), () => {
      back();
      app.goTo(number, { focus: true });
    });
  }

  function confirm() {
    dialog.body.replaceChildren(element("p", { class: "submit-confirm" }, t("submit.confirm")));
    actions(button(t("submit.back"), back), button(t("submit.do"), begin, { class: "main" }));
    dialog.heading.focus();
  }

  function begin() {
    going = true;
    dialog.body.replaceChildren(element("p", { class: "submit-progress", role: "status" }));
    actions(button(t("submit.back"), back));
    saving.flush();
    advance();
  }

  let posting = false;
  async function advance() {
    if (stopped || posting) return;
    const words = dialog.body.querySelector(".submit-progress");
    if (saving.blockedSlots.length) {
      list({ blockedTried: true });
      return;
    }
    const unsent = saving.unsentSlots.length;
    if (unsent) {
      say(words, t(app.offline ? "submit.no_network" : "submit.sending", { n: unsent }));
      return;
    }
    say(words, t(app.offline ? "submit.no_network_last" : "submit.submitting"));
    posting = true;
    try {
      const { status, body } = await app.server.post("submit", {
        lease: app.server.lease,
        submit_id: submitId,
        versions: Object.fromEntries(paper.numbers.map((n) => [n, saving.slot(n).acknowledged?.version ?? 0])),
      });
      posting = false;
      await answered(status, body);
    } catch (error) {
      posting = false;
      if (!(error instanceof NotNow)) throw error;
      setTimeout(advance, Math.max(AGAIN, error.after));
    }
  }

  async function answered(status, body) {
    if (status === 200) {
      back(); // the new state has come with the reply
    } else if (status === 409) {
      going = false; // an answer differs: the candidate looks again before anything is submitted
      await app.attempt.compare({ values: true });
      list();
    } else if (status === 423) {
      back();
      app.leaseLost(body);
    } else if (status === 401) {
      back();
      app.signedOut();
    } else {
      setTimeout(advance, AGAIN * 4);
    }
  }

  function say(node, sentence) {
    if (node && node.textContent !== sentence) node.textContent = sentence;
  }

  return { watch, close: back, dialog };
}

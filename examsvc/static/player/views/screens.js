/** What stands in place of the questions: loading, held elsewhere, before the bell, paused, stopped, the receipt. */

import { moment } from "../clock.js";
import { button, element } from "../element.js";
import { chosen, inWords } from "../language.js";

function screen(name, title, ...content) {
  return element(
    "section",
    { class: `screen ${name}`, "aria-labelledby": "screen-title" },
    element("h2", { id: "screen-title", tabIndex: -1 }, title),
    content,
  );
}

export function loadingScreen({ t }, { offline = false } = {}) {
  return screen("loading", t("loading.title"), element("p", {}, t(offline ? "loading.offline" : "loading.wait")));
}

export function heldScreen({ t, language }, sentence) {
  return screen("held", t("held.title"), sentence ? element("p", {}, chosen(sentence, language)) : null, element("p", {}, t("held.wait")));
}

/** The countdown is the server's; `tick` renews it. */
export function waitingScreen(app) {
  const { t, attempt, times } = app;
  const count = element("p", { class: "countdown", role: "timer", "aria-live": "off" });
  const tick = () => {
    const left = attempt.untilBell;
    const text = left === null ? t("waiting.unknown") : left > 0 ? inWords(t, left) : t("waiting.opening");
    if (count.textContent !== text) count.textContent = text;
  };
  tick();
  const node = screen(
    "waiting",
    t("waiting.title"),
    candidateLine(app),
    attempt.bell === null ? null : element("p", {}, t("waiting.at", { time: times.withMinutes(attempt.bell) })),
    count,
    element("p", {}, t("waiting.by_itself")),
    element("ul", {}, ["saving", "network", "keys", "ask"].map((key) => element("li", {}, t(`waiting.${key}`)))),
  );
  return { node, tick };
}

/** Who sits here, so that a wrong seat is noticed before the bell. */
function candidateLine({ candidate }) {
  return candidate ? element("p", { class: "candidate" }, candidate) : null;
}

export function pausedScreen({ t, language, attempt }) {
  const sentence = chosen(attempt.message, language);
  return screen(
    "paused",
    t("paused.title"),
    sentence ? element("p", {}, sentence) : null,
    element("p", {}, t("paused.meaning")),
  );
}

export function stoppedScreen({ t, language, attempt }) {
  const sentence = chosen(attempt.message, language);
  return screen("stopped", t("stopped.title"), sentence ? element("p", {}, sentence) : null, element("p", {}, t("stopped.meaning")));
}

export function receiptScreen(app) {
  const { t, attempt, saving, times } = app;
  const { receipt } = attempt;
  const bySystem = attempt.state === "closed";
  const unsent = saving.unsentSlots.length;
  const at = moment(receipt?.submitted_at);
  return screen(
    "receipt",
    t(bySystem ? "receipt.closed" : "receipt.submitted"),
    candidateLine(app),
    at === null ? null : element("p", { class: "receipt-at" }, t("receipt.at", { time: times.withSeconds(at), date: times.date(at) })),
    receipt ? element("p", { class: "receipt-code", "aria-label": t("receipt.code_label", { code: spelled(receipt.code) }) }, grouped(receipt.code)) : null,
    element("p", { class: "receipt-meaning" }, t(receipt ? "receipt.meaning" : "receipt.pending")),
    receipt?.qr ? element("img", { class: "receipt-qr", src: receipt.qr, alt: t("receipt.qr"), width: 168, height: 168 }) : null,
    receipt ? element("p", {}, t("receipt.counts", { answered: receipt.answered, blank: receipt.blank })) : null,
    unsent ? element("p", { class: "note", data: { unsent } }, t("receipt.unsent", { n: unsent })) : null,
    element("p", {}, t("receipt.next")),
    receipt ? button(t("receipt.print"), () => window.print(), { class: "print-button" }) : null,
  );
}

/** Four groups of five, joined by hyphens, as on paper (docs/formats/receipt.md). */
function grouped(code) {
  return code.match(/.{1,5}/g).map((group, place) => element("span", { class: "group" }, place ? `-${group}` : group));
}

function spelled(code) {
  return code.match(/.{1,5}/g).map((group) => [...group].join(" ")).join(", ");
}

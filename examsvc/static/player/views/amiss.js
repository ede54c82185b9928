/** What is amiss, each as one sentence below the bar. */

import { chosen } from "../language.js";

/**
 * key → {sentence, tone, action: {label, run} or null}, in the order shown. `app.told` holds what was found once and
 * stays until it is settled.
 */
export function amiss(app) {
  const { t, attempt, saving, told, lost } = app;
  const found = new Map();
  const add = (key, tone, action = null, params = {}) => found.set(key, { sentence: t(`amiss.${key}`, params), tone, action });
  if (app.practice) add("practice", "quiet");
  if (app.opening) return found;
  if (lost) {
    const sentence = chosen(lost.sentence, app.language) || t(lost.here ? "amiss.lost_here" : "amiss.lost");
    found.set("lost", { sentence, tone: "danger", action: { label: t("lost.continue"), run: () => app.continueHere() } });
  }
  if (told.has("signed-out")) add("signed_out", "danger", { label: t("signin.open"), run: () => app.signInAgain() });
  const ranOut = attempt.left === 0 && attempt.state === "open"; // by the last word of a server now out of reach
  if (app.offline && !attempt.ended) add(ranOut ? "offline_over" : "offline", "attention");
  if (!app.store.durable) add("not_durable", "attention");
  const unsent = saving.unsentSlots.length > 0;
  if (told.has("rejected") && unsent) add("rejected", "danger");
  if (told.has("mismatch") && unsent) add("mismatch", "danger");
  if (attempt.state === "over") add("over", "attention");
  if (told.has("deadline") && attempt.state === "open" && attempt.deadline !== null) {
    const understood = { label: t("understood"), run: () => app.settle("deadline") };
    add("deadline", "attention", understood, { time: app.times.withMinutes(attempt.deadline) });
  }
  const blocked = app.paper ? saving.blockedSlots.find((number) => number !== app.current && app.paper.has(number)) : undefined;
  if (blocked !== undefined && !attempt.ended) {
    const n = app.paper.at(blocked).index + 1;
    add("blocked", "danger", { label: t("blocked.go", { n }), run: () => app.goTo(blocked, { focus: true }) }, { n });
  }
  return found;
}

/** Two answers to one question: the stored one and one's own, side by side; the candidate decides. */

import { moment } from "../clock.js";
import { button, element } from "../element.js";
import { moduleFor } from "../interactions/registry.js";

export function conflictPanel(app, number, presentation) {
  const { t } = app;
  const { conflict, value } = app.saving.slot(number);
  const at = moment(conflict.saved_at);
  const texts = presentation.interactions.filter(({ kind }) => kind === "extended-text");
  const both = texts.length === 1 && presentation.interactions.length === 1 && conflict.value !== null && value !== null;
  return element(
    "div",
    { class: "conflict", role: "group", "aria-label": t("conflict.title") },
    element("p", { class: "note" }, element("strong", {}, t("conflict.title")), " ", t("conflict.meaning")),
    element(
      "div",
      { class: "versions" },
      version(t("conflict.stored"), at === null ? "" : t("conflict.stored_at", { time: app.times.withSeconds(at) }), conflict.value),
      version(t("conflict.own"), t("conflict.own_at"), value),
    ),
    element(
      "div",
      { class: "actions" },
      button(t("conflict.take_stored"), () => app.takeStored(number, { ...conflict }), { disabled: app.readOnly }),
      button(t("conflict.take_own"), () => app.takeOwn(number), { disabled: app.readOnly }),
      both ? button(t("conflict.take_both"), () => app.takeOwn(number, joined(texts[0].id)), { disabled: app.readOnly }) : null,
    ),
  );

  function version(title, when, of) {
    return element(
      "section",
      { class: "version" },
      element("h3", {}, title),
      when ? element("p", { class: "hint" }, when) : null,
      of === null ? element("p", {}, t("conflict.blank")) : presentation.interactions.map((interaction) => part(interaction, of)),
    );
  }

  function part(interaction, of) {
    const response = of[interaction.id] ?? null;
    return response === null ? null : element("div", {}, moduleFor(interaction).describe(interaction, response, app));
  }

  function joined(id) {
    return { [id]: `${conflict.value[id] ?? ""}\n\n${value[id] ?? ""}` };
  }
}

/** Help, display settings, notices, signing in again. */

import { element, freshId } from "../element.js";
import { openDialog } from "../dialog.js";
import { chosen } from "../language.js";
import { moment } from "../clock.js";
import { CONTRASTS, SIZES } from "../preferences.js";
import { NotNow } from "../server.js";

const KEYS = [
  ["A B C …", "help.letters"],
  ["↑ ↓", "help.arrows"],
  ["Tab", "help.tab"],
  ["N", "help.next"],
  ["P", "help.previous"],
  ["F", "help.flag"],
  ["?", "help.help"],
  ["Esc", "help.escape"],
];

export function openHelp(app) {
  const { t } = app;
  openDialog(t, {
    title: t("help.title"),
    wide: true,
    body: [
      element("h3", {}, t("help.saving_title")),
      element("p", {}, t("help.saving")),
      element("h3", {}, t("help.keys_title")),
      element(
        "table",
        { class: "keys" },
        element("tbody", {}, KEYS.map(([key, does]) => element("tr", {}, element("th", { scope: "row" }, element("kbd", {}, key)), element("td", {}, t(does))))),
      ),
      element("p", {}, t("help.keys_off")),
      element("h3", {}, t("help.trouble_title")),
      element("p", {}, t("help.trouble")),
    ],
  });
}

export function openSettings(app) {
  const { preferences } = app;
  const dialog = openDialog(app.t, { title: app.t("settings.title"), body: [] });
  const radios = (name, values, key) => {
    const group = freshId(name);
    return element(
      "fieldset",
      { class: "setting" },
      element("legend", {}, app.t(`settings.${key}`)),
      values.map((value) =>
        element(
          "label",
          {},
          element("input", { type: "radio", name: group, value, checked: preferences.get(name) === value, onChange: () => preferences.set(name, value) }),
          app.t(`settings.${key}_${value}`),
        ),
      ),
    );
  };
  const shortcuts = element("input", {
    type: "checkbox",
    checked: preferences.get("shortcuts"),
    onChange: () => preferences.set("shortcuts", shortcuts.checked),
  });
  dialog.body.append(
    radios("size", SIZES, "size"),
    radios("contrast", CONTRASTS, "contrast"),
    element("label", { class: "setting" }, shortcuts, app.t("settings.shortcuts")),
  );
}

/** One notice to the room: stays until it is acknowledged. The button does not have the focus, so that typing on cannot press it. */
export function openNotice(app, notice, onRead) {
  const { t, language, times } = app;
  openDialog(t, {
    title: t("notice.title"),
    must: true,
    className: "notice",
    body: [element("p", { class: "hint" }, t("notice.at", { time: times.withMinutes(moment(notice.at)) })), element("p", { class: "notice-text" }, chosen(notice.text, language))],
    actions: [{ label: t("notice.read"), main: true, action: (close) => close() }],
    onClose: onRead,
  });
}

export function openNotices(app) {
  const { t, language, times, attempt } = app;
  openDialog(t, {
    title: t("notices.title"),
    body: [
      element(
        "ol",
        { class: "notices" },
        attempt.notices.map((notice) =>
          element(
            "li",
            {},
            element("p", { class: "hint" }, t("notice.at", { time: times.withMinutes(moment(notice.at)) })),
            element("p", { class: "notice-text" }, chosen(notice.text, language)),
          ),
        ),
      ),
    ],
  });
}

/** The same candidate signs in again in this page. `must`: there is nothing else to go on with yet. */
export function openSignin(app, { must, onDone }) {
  const { t } = app;
  const error = element("p", { class: "note refusal", role: "alert", hidden: true });
  const field = (name, label, attributes) => {
    const id = freshId(name);
    const input = element("input", { id, name, required: true, autocomplete: "off", spellcheck: "false", ...attributes });
    return { input, node: element("p", { class: "field" }, element("label", { for: id }, label), input) };
  };
  const number = field("candidate_number", t("signin.number"), { type: "text" });
  const code = field("code", t("signin.code"), { type: "password" });
  const submit = element("button", { type: "submit", class: "main" }, t("signin.do"));
  const form = element("form", { novalidate: true, onSubmit: signIn }, error, number.node, code.node, element("div", { class: "actions" }, submit));
  const dialog = openDialog(t, {
    title: t("signin.title"),
    must,
    body: [element("p", {}, t("signin.why")), form],
    actions: must ? [] : [{ label: t("signin.later"), action: (close) => close() }],
  });

  function refuse(sentence) {
    error.textContent = sentence;
    error.hidden = false;
  }

  async function signIn(event) {
    event.preventDefault();
    error.hidden = true;
    if (!number.input.value.trim() || !code.input.value.trim()) {
      refuse(t("signin.incomplete"));
      (number.input.value.trim() ? code : number).input.focus();
      return;
    }
    submit.disabled = true;
    try {
      const { status, body } = await app.server.post("signin", {
        attempt: app.code,
        candidate_number: number.input.value.trim(),
        code: code.input.value.trim(),
      });
      if (status === 200) {
        app.server.csrf = body.csrf ?? app.server.csrf;
        dialog.close();
        onDone();
        return;
      }
      refuse(chosen(body.error, app.language) || t("signin.refused"));
      code.input.value = "";
      code.input.focus();
    } catch (failure) {
      if (!(failure instanceof NotNow)) throw failure;
      refuse(t("signin.offline"));
    } finally {
      submit.disabled = false;
    }
  }
  return dialog;
}


/** Modal dialogs on the browser's own <dialog>: focus on the heading, back to where it was afterwards. */

import { button, element, freshId } from "./element.js";

/**
 * Opens a dialog at once. `actions` are buttons' {label, main, danger, action(close)}; without any there is "close".
 * `must`: Escape does not close it. `onClose` runs once, however it was closed. Returns {element, body, close}.
 */
export function openDialog(t, { title, body = [], actions = null, must = false, onClose = null, wide = false, className = "" }) {
  const titleId = freshId("dialog");
  const before = document.activeElement;
  const content = element("div", { class: "dialog-body" }, body);
  const heading = element("h2", { id: titleId, tabIndex: -1 }, title);
  const row = element("div", { class: "actions" });
  const dialog = element("dialog", { class: `dialog ${wide ? "wide" : ""} ${className}`, "aria-labelledby": titleId }, heading, content, row);

  const close = () => {
    if (!dialog.isConnected) return;
    dialog.close();
    dialog.remove();
    const back = before?.isConnected ? before : document.querySelector("main h2");
    back?.focus({ preventScroll: true });
    onClose?.();
  };
  for (const { label, main = false, danger = false, action } of actions ?? [{ label: t("close"), action: close }]) {
    row.append(button(label, () => action(close), { class: main ? "main" : danger ? "danger" : "" }));
  }
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (!must) close();
  });
  // Chromium closes on the second Escape whatever "cancel" says
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && must) event.preventDefault();
  });
  document.body.append(dialog);
  dialog.showModal();
  heading.focus();
  return { element: dialog, body: content, heading, row, close };
}

export function dialogOpen() {
  return document.querySelector("dialog[open]") !== null;
}

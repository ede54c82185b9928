/** Keeping the place of the keyboard when a part of the page is made anew, for instance in another language. */

const CONTROLS = "input, select, textarea, button";

/** Which control inside `within` has the focus, in terms that hold after it was made anew; null when none has. */
export function focusIn(within) {
  const active = document.activeElement;
  if (!within.contains(active)) return null;
  const selection = active.matches("textarea, input[type=text]") ? [active.selectionStart, active.selectionEnd] : null;
  return { at: [...within.querySelectorAll(CONTROLS)].indexOf(active), selection, scroll: active.scrollTop };
}

export function restoreFocus(within, kept) {
  const control = kept && [...within.querySelectorAll(CONTROLS)][kept.at];
  if (!control) return;
  control.focus({ preventScroll: true });
  if (kept.selection) control.setSelectionRange(...kept.selection);
  control.scrollTop = kept.scroll;
}

/** The candidate's own settings on this machine, for this attempt: the next candidate begins with the defaults. */

const DEFAULTS = { language: null, size: "100", contrast: "light", shortcuts: true, place: null };
export const SIZES = ["100", "125", "150", "200"];
export const CONTRASTS = ["light", "dark", "high"];

export class Preferences extends EventTarget {
  #key;
  #values;

  constructor(attempt, defaults = {}) {
    super();
    this.#key = `examsvc-player:${attempt}`;
    this.#values = { ...DEFAULTS, ...defaults };
    try {
      Object.assign(this.#values, JSON.parse(localStorage.getItem(this.#key)) ?? {});
    } catch {
      // storage refused or spoilt: the defaults do
    }
    this.#show();
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    if (this.#values[name] === value) return;
    this.#values[name] = value;
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#values));
    } catch {
      // kept for this page only
    }
    this.#show();
    this.dispatchEvent(new CustomEvent("change", { detail: { name } }));
  }

  forget() {
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // nothing was kept
    }
  }

  #show() {
    const root = document.documentElement;
    root.dataset.textSize = SIZES.includes(this.#values.size) ? this.#values.size : "100";
    root.dataset.contrast = CONTRASTS.includes(this.#values.contrast) ? this.#values.contrast : "light";
    if (this.#values.language) root.lang = this.#values.language;
  }
}

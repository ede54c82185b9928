/**
 * Whether this machine can carry an exam: used by the practice page and by those who set up a hall.
 *
 * <div id="machine-check" data-language="vi" data-state-url="…"></div> (any address that answers JSON with `now`)
 * <script type="module" src="/static/player/machine-check.js"></script>
 *
 * Each check resolves to {state: "good" | "attention" | "bad", key, params}; the sentence is t(`check.${key}`).
 */

import { digest } from "./canonical.js";
import { moment, ServerClock } from "./clock.js";
import { button, element } from "./element.js";
import { translator } from "./language.js";
import { Store } from "./store.js";

const KNOWN = ["null", "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b"]; // SHA-256 of these bytes
const SKEW_MOST = 60; // seconds
const SLOW = 500; // ms
const TRIES = 5;
const SENTENCE = "Đề án đổi mới";
const WIDE = [1024, 600];

const found = (state, name, params = {}) => ({ state, key: `${name}_${state}`, params });

export const checks = {
  async secure() {
    return found(globalThis.isSecureContext ? "good" : "bad", "secure");
  },

  async browser() {
    const needed = {
      "dialog.showModal": typeof HTMLDialogElement === "function" && HTMLDialogElement.prototype.showModal,
      structuredClone: globalThis.structuredClone,
      "crypto.randomUUID": globalThis.crypto?.randomUUID,
      "Array.with": Array.prototype.with,
      "fetch keepalive": typeof Request === "function" && "keepalive" in Request.prototype,
    };
    const missing = Object.keys(needed).filter((name) => !needed[name]);
    return missing.length ? found("bad", "browser", { missing: missing.join(", ") }) : found("good", "browser");
  },

  async digest() {
    try {
      return found((await digest(null)) === KNOWN[1] ? "good" : "bad", "digest");
    } catch {
      return found("bad", "digest");
    }
  },

  async storage() {
    const store = await Store.open();
    const attempt = `check ${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    store.put("slots", { attempt, slot: 1, value: { RESPONSE: SENTENCE } });
    await store.settled();
    const again = await Store.open();
    const { slots } = await again.load(attempt);
    await again.forget(attempt);
    return found(store.durable && slots[0]?.value.RESPONSE === SENTENCE ? "good" : "bad", "storage");
  },

  async persistence() {
    const storage = globalThis.navigator?.storage;
    const persistent = (await storage?.persisted?.()) || (await storage?.persist?.()) || false;
    const { quota = 0, usage = 0 } = (await storage?.estimate?.()) ?? {};
    return found(persistent ? "good" : "attention", "persistence", { free: Math.floor((quota - usage) / 1e6) });
  },

  async network({ stateUrl }) {
    const times = [];
    for (let i = 0; i < TRIES; i += 1) {
      const start = performance.now();
      try {
        const reply = await fetch(stateUrl, { cache: "no-store", headers: { Accept: "application/json" }, redirect: "manual" });
        await reply.text();
        if (!reply.ok) return found("bad", "network");
      } catch {
        return found("bad", "network");
      }
      times.push(performance.now() - start);
    }
    const n = Math.round(times.sort((a, b) => a - b)[Math.floor(TRIES / 2)]);
    return found(n <= SLOW ? "good" : "attention", "network", { n });
  },

  async clock({ stateUrl }) {
    try {
      const clock = new ServerClock();
      for (let i = 0; i < TRIES; i += 1) {
        const sent = clock.elapsed;
        const reply = await fetch(stateUrl, { cache: "no-store", headers: { Accept: "application/json" }, redirect: "manual" });
        clock.observe(moment((await reply.json()).now) ?? NaN, sent, clock.elapsed);
      }
      if (clock.now() === null) return found("bad", "clock");
      const n = Math.round(Math.abs(Date.now() - clock.now()) / 1000);
      return found(n <= SKEW_MOST ? "good" : "attention", "clock", { n });
    } catch {
      return found("bad", "clock");
    }
  },

  async screen() {
    const { width, height } = globalThis.screen;
    return found(width >= WIDE[0] && height >= WIDE[1] ? "good" : "attention", "screen", { width, height });
  },
};

/** Runs every check into `root` and resolves to {name: result}; the keyboard is tried by the person. */
export async function mount(root) {
  const language = root.dataset.language ?? "vi";
  const t = translator(language);
  const list = element("dl", { class: "checks" });
  const verdict = element("p", { class: "verdict", role: "status" });
  const again = button(t("check.again"), () => mount(root));
  again.disabled = true;
  root.replaceChildren(list, verdict, again);
  const rows = Object.fromEntries(Object.keys(checks).map((name) => [name, row(name)]));
  keyboard();

  function row(name) {
    const state = element("span", { class: "check-state" }, t("check.running"));
    const sentence = element("span", { class: "check-sentence" });
    list.append(element("div", { data: { check: name } }, element("dt", {}, t(`check.${name}`)), element("dd", {}, state, " ", sentence)));
    return { state, sentence };
  }

  function show({ state, sentence }, result) {
    state.textContent = t(`check.${result.state}`);
    state.dataset.state = result.state;
    sentence.textContent = t(`check.${result.key}`, result.params);
  }

  function keyboard() {
    const { state, sentence } = row("keyboard");
    const input = element("input", { type: "text", autocomplete: "off", spellcheck: "false", "aria-label": t("check.keyboard_label") });
    sentence.textContent = t("check.keyboard_waiting");
    state.textContent = "";
    input.addEventListener("input", () => {
      const good = input.value.normalize("NFC").trim() === SENTENCE;
      show({ state, sentence }, found(good ? "good" : "attention", "keyboard"));
    });
    sentence.after(element("p", {}, t("check.keyboard_label")), input);
  }

  const results = {};
  for (const [name, check] of Object.entries(checks)) {
    try {
      results[name] = await check(root.dataset);
    } catch {
      results[name] = found("bad", name);
    }
    show(rows[name], results[name]);
  }
  const states = Object.values(results).map(({ state }) => state);
  const worst = states.includes("bad") ? "some_bad" : states.includes("attention") ? "some_attention" : "all_good";
  verdict.textContent = t(`check.${worst}`);
  verdict.dataset.state = worst;
  again.disabled = false;
  return results;
}

const root = globalThis.document?.getElementById("machine-check");
if (root) mount(root);

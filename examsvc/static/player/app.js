/** The player as a whole: brings the model, the server and the views together. */

import { Announcer } from "./announcer.js";
import { Attempt } from "./attempt.js";
import { ServerClock } from "./clock.js";
import { dialogOpen } from "./dialog.js";
import { element } from "./element.js";
import { focusIn, restoreFocus } from "./focus.js";
import { chosen, LANGUAGES, Times, translator } from "./language.js";
import { Paper } from "./paper.js";
import { Preferences } from "./preferences.js";
import { Saving } from "./saving.js";
import { NotNow, Server } from "./server.js";
import { Store } from "./store.js";
import { Timekeeper } from "./timekeeper.js";
import { BarView } from "./views/bar.js";
import { openHelp, openNotice, openNotices, openSettings, openSignin } from "./views/dialogs.js";
import { MovesView } from "./views/moves.js";
import { PaletteView } from "./views/palette.js";
import { QuestionView } from "./views/question.js";
import { heldScreen, loadingScreen, pausedScreen, receiptScreen, stoppedScreen, waitingScreen } from "./views/screens.js";
import { openSubmit } from "./views/submitting.js";

const TICK = 250; // ms
const AGAIN = 3000; // ms between two tries while opening
const NAMES = { vi: "Tiếng Việt", en: "English" };

export class App {
  current = null; // slot on screen
  paper = null;
  opening = true; // until lease, answers and state are there
  told = new Set(); // what was found once and is not settled yet
  lost = null; // why this page may not write: {elsewhere, sentence}
  #root;
  #data;
  #held = null;
  #signin = null;
  #submit = null;
  #notice = null;
  #screen = null;
  #screenName = null;
  #timekeeper = new Timekeeper(this);
  #channel = null;
  #comparedAt = null;
  #painting = false;
  #wasOffline = false;
  #asking = null;

  constructor(root) {
    this.#root = root;
    this.#data = root.dataset;
    this.code = this.#data.attempt;
    this.title = this.#data.title ?? "";
    this.candidate = this.#data.candidate ?? "";
    this.practice = this.#data.practice !== undefined;
    this.times = new Times(this.#data.timeZone);
    this.preferences = new Preferences(this.code, { language: LANGUAGES.includes(this.#data.language) ? this.#data.language : "vi" });
    this.clock = new ServerClock();
    this.announcer = new Announcer();
    this.server = new Server({
      urls: Object.fromEntries(["state", "paper", "saves", "lease", "submit", "signin"].map((name) => [name, this.#data[`${name}Url`]])),
      csrf: this.#data.csrf ?? "",
      language: () => this.language,
      clock: this.clock,
    });
  }

  get language() {
    return this.preferences.get("language");
  }

  get t() {
    return translator(this.language);
  }

  get otherLanguage() {
    const offered = this.paper ? this.paper.languages.filter((code) => LANGUAGES.includes(code)) : LANGUAGES;
    const code = offered[(offered.indexOf(this.language) + 1) % offered.length];
    return code && code !== this.language ? { code, name: NAMES[code] } : null;
  }

  /** Whether answers can be changed now. */
  get readOnly() {
    return this.lost !== null || this.attempt.state !== "open";
  }

  // ---- opening ------------------------------------------------------------------------------------------------

  async open() {
    this.store = await Store.open();
    this.saving = new Saving({
      attempt: this.code,
      server: this.server,
      store: this.store,
      lastMinutes: () => this.attempt.left !== null && this.attempt.left < 120000,
    });
    this.attempt = new Attempt({ server: this.server, saving: this.saving, machine: await this.#machine() });
    this.#build();
    this.#listen();
    await this.#enter();
  }

  async #machine() {
    try {
      return await this.store.machine();
    } catch {
      return crypto.randomUUID().replaceAll("-", "");
    }
  }

  #build() {
    this.bar = new BarView(this);
    this.question = new QuestionView(this);
    this.palette = new PaletteView(this);
    this.place = element("main", { id: "player-place", tabIndex: -1 });
    this.moves = new MovesView(this);
    this.skip = element("a", { class: "skip", href: "#player-place", onClick: (event) => this.#skip(event) });
    this.h1 = element("h1", { class: "unseen" });
    this.bar.header.prepend(this.h1);
    this.#root.replaceChildren(this.skip, this.bar.element, this.bar.banners, this.place, this.announcer.element);
    this.#translate();
  }

  #skip(event) {
    event.preventDefault();
    (this.place.querySelector("h2") ?? this.place).focus();
  }

  /** Lease, kept answers, state: tries until it has them. Also the way back after the lease was lost. */
  async #enter(takeOver = false) {
    this.opening = true;
    this.saving.suspend();
    this.#paint();
    for (;;) {
      try {
        const lease = await this.attempt.takeLease(takeOver);
        if (lease === true) {
          this.#held = null;
          this.lost = null;
          this.#channel?.postMessage("taken");
          await this.saving.load();
          if (await this.attempt.compare({ values: true })) break;
        } else if (lease.status === 401) {
          await this.#signedIn();
          continue;
        } else if (this.attempt.ended) {
          if (await this.attempt.compare({ values: true })) break; // the receipt can be read on any machine
        } else {
          this.#held = { error: lease.error };
          this.#paint();
        }
      } catch (error) {
        if (!(error instanceof NotNow)) throw error;
        this.#paint();
      }
      await pause(this.#held ? this.attempt.heldPause : AGAIN);
    }
    this.#comparedAt = this.clock.now();
    this.opening = false;
    this.attempt.start();
    if (this.server.lease) this.saving.resume();
    await this.#fetchPaper();
    this.#paint();
    this.#noticesChanged();
  }

  #signedIn() {
    return new Promise((resolve) => {
      this.#signin?.close();
      this.#signin = openSignin(this, { must: true, onDone: resolve });
    });
  }

  /** Fetched once, only when the server says that the attempt is open. */
  async #fetchPaper() {
    if (this.paper || this.#asking || !["open", "over"].includes(this.attempt.state)) return;
    this.#asking = (async () => {
      while (!this.paper && ["open", "over", "paused"].includes(this.attempt.state)) {
        try {
          const { status, body } = await this.server.paper();
          if (status === 200) {
            this.paper = new Paper(body);
            const kept = this.preferences.get("place");
            this.current = this.paper.has(kept) ? kept : this.paper.numbers[0];
            this.palette.build();
            this.#translate();
            break;
          }
          if (status === 401) this.signedOut();
        } catch (error) {
          if (!(error instanceof NotNow)) throw error;
        }
        await pause(AGAIN / 2);
      }
    })();
    await this.#asking;
    this.#asking = null;
    this.#paint();
  }

  #listen() {
    const { saving, attempt, server } = this;
    saving.addEventListener("change", () => this.#soon());
    saving.addEventListener("value", ({ detail }) => {
      if (this.#screenName === "exam" && detail.slot === this.current) this.question.show(this.current);
    });
    saving.addEventListener("lease-lost", ({ detail }) => this.leaseLost(detail));
    saving.addEventListener("signed-out", () => this.signedOut());
    saving.addEventListener("rejected", () => this.#tell("rejected"));
    saving.addEventListener("mismatch", () => this.#tell("mismatch"));
    saving.addEventListener("outdated", () => attempt.compareSoon());
    attempt.addEventListener("state", () => this.#stateChanged());
    attempt.addEventListener("deadline", ({ detail }) => this.#deadlineChanged(detail));
    attempt.addEventListener("notices", () => this.#noticesChanged());
    attempt.addEventListener("receipt", () => this.#paint());
    attempt.addEventListener("lease-lost", () => this.leaseLost({}));
    attempt.addEventListener("signed-out", () => this.signedOut());
    server.addEventListener("reach", () => this.#reachChanged());
    this.store.addEventListener("lost", () => this.#soon());
    this.preferences.addEventListener("change", ({ detail }) => {
      if (detail.name === "language") this.#translate();
    });
    window.addEventListener("online", () => {
      saving.flush();
      if (!this.opening) attempt.poll();
    });
    window.addEventListener("offline", () => server.lost());
    window.addEventListener("beforeunload", (event) => {
      if (saving.unsentSlots.length) event.preventDefault();
    });
    window.addEventListener("pagehide", () => saving.flush({ keepalive: true }));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") saving.flush({ keepalive: true });
      else if (!this.opening) attempt.poll();
    });
    document.addEventListener("keydown", (event) => this.#key(event));
    if (typeof BroadcastChannel === "function") {
      this.#channel = new BroadcastChannel(`examsvc-player:${this.code}`);
      this.#channel.onmessage = () => {
        if (this.server.lease) this.leaseLost({ here: true });
      };
    }
    setInterval(() => this.#tick(), TICK);
  }

  // ---- what happens -------------------------------------------------------------------------------------------

  answer(number, value, options) {
    if (this.readOnly) return;
    this.saving.write(number, value, options);
  }

  flag(number, flagged) {
    if (this.readOnly) return;
    this.saving.setFlag(number, flagged);
    this.announcer.say(this.t(flagged ? "question.flagged" : "question.unflagged"));
  }

  takeOwn(number, value) {
    this.saving.takeOwn(number, value);
    this.question.show(number, { focus: true });
  }

  /** The stored answer in place of one's own: known from a conflict, otherwise asked for. */
  async takeStored(number, stored = null) {
    let theirs = stored;
    if (!theirs) {
      try {
        const { status, body } = await this.server.state("values=1");
        theirs = status === 200 ? body.slots.find(({ slot }) => slot === number) : null;
      } catch (error) {
        if (!(error instanceof NotNow)) throw error;
      }
    }
    if (!theirs) {
      this.announcer.sayNow(this.t("amiss.offline"));
      return;
    }
    this.saving.takeStored(number, theirs);
    this.question.show(number, { focus: true });
  }

  goTo(number, { focus = false } = {}) {
    if (!this.paper?.has(number)) return;
    if (this.current !== null) this.saving.hurry(this.current);
    this.current = number;
    this.preferences.set("place", number);
    this.question.show(number, { focus });
    this.moves.list(false);
    this.moves.build();
    this.#paint();
    window.scrollTo({ top: 0 });
  }

  move(by) {
    const next = this.paper.beside(this.current, by);
    if (next !== null) this.goTo(next, { focus: true });
    else if (by > 0) this.openSubmit();
  }

  setLanguage(code) {
    this.preferences.set("language", code);
    this.announcer.say(this.t("language.now"));
  }

  openHelp() {
    openHelp(this);
  }

  openSettings() {
    openSettings(this);
  }

  openNotices() {
    openNotices(this);
  }

  openSubmit() {
    if (this.readOnly || !this.paper) return;
    this.saving.hurry(this.current);
    this.#submit = openSubmit(this);
  }

  leaseLost({ error = null, here = false }) {
    if (this.lost) return;
    this.lost = { here, sentence: error };
    this.server.lease = null;
    this.saving.suspend();
    this.#submit?.close();
    this.question.refresh();
    this.#paint();
  }

  async continueHere() {
    await this.#enter(true);
    if (this.paper && this.current !== null) this.question.show(this.current, { focus: true });
  }

  signedOut() {
    this.saving.suspend();
    if (this.opening || this.told.has("signed-out")) return;
    this.told.add("signed-out");
    this.#paint();
  }

  signInAgain() {
    this.#signin = openSignin(this, {
      must: false,
      onDone: () => {
        this.told.delete("signed-out");
        if (this.lost) return;
        this.saving.resume();
        this.attempt.poll();
        this.#fetchPaper();
        this.#paint();
      },
    });
  }

  #tell(what) {
    this.told.add(what);
    this.#soon();
  }

  #stateChanged() {
    if (this.opening) return;
    const { attempt } = this;
    this.#submit?.watch();
    if (attempt.state !== "open") {
      this.#submit?.close();
      this.saving.flush();
    }
    if (attempt.state === "open") this.#fetchPaper();
    if (this.paper) this.question.refresh();
    this.#paint();
  }

  #deadlineChanged({ after }) {
    if (this.attempt.state === "waiting" || after === null || this.attempt.ended) return;
    this.#timekeeper.moved();
    this.announcer.say(this.t("time.changed", { time: this.times.withMinutes(after) }));
    this.told.add("deadline");
    this.#soon();
  }

  #reachChanged() {
    if (this.opening) {
      this.#paint();
      return;
    }
    if (this.server.reachable) {
      this.saving.retry();
      this.attempt.poll(); // compares the digests after the outage
    }
    this.#soon();
  }

  #noticesChanged() {
    this.bar.build();
    if (this.opening || this.#notice) return;
    const unread = this.attempt.notices.find(({ id, read }) => !read && !this.told.has(`notice ${id}`));
    if (!unread) return;
    this.#notice = unread;
    openNotice(this, unread, () => {
      this.told.add(`notice ${unread.id}`);
      this.saving.noticeRead(unread.id);
      this.#notice = null;
      this.#noticesChanged();
    });
  }

  #tick() {
    this.bar.tick();
    this.#screen?.tick?.();
    if (this.attempt.state === "open" && !this.opening) this.#timekeeper.tick();
  }

  #key(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (this.#screenName !== "exam" || dialogOpen() || !this.preferences.get("shortcuts") || !this.paper) return;
    if (event.target.closest?.("textarea, select, input:not([type=radio]):not([type=checkbox])")) return;
    const key = event.key.toLowerCase();
    if (key === "n") this.move(1);
    else if (key === "p") this.move(-1);
    else if (key === "f") this.flag(this.current, !this.saving.flags.has(this.current));
    else if (key === "?") this.openHelp();
    else if (!this.question.key(event)) return;
    event.preventDefault();
  }

  // ---- what is shown ------------------------------------------------------------------------------------------

  /** Whether answers do not get through to the server. */
  get offline() {
    return !this.server.reachable || this.saving.failing;
  }

  /** Whether there is anything yet of which it could be said that it is saved. */
  get begun() {
    return this.paper !== null || this.attempt.ended || this.saving.unsentSlots.length > 0;
  }

  /** One of the three values and the time that belongs to "saved". */
  saveState() {
    if (this.offline) return { state: "offline", at: null };
    if (this.saving.unsentSlots.length) return { state: "waiting", at: null };
    const at = this.saving.savedAt ? Date.parse(this.saving.savedAt) : this.#comparedAt;
    return { state: "saved", at };
  }

  whereText() {
    if (!this.paper || this.current === null || this.#screenName !== "exam") return this.title;
    const { part, partIndex, index } = this.paper.at(this.current);
    const question = this.t("question.title", { n: index + 1, of: this.paper.count });
    return this.paper.parts.length > 1 ? `${this.partTitle(part, partIndex, { short: true })} · ${question}` : question;
  }

  partTitle(part, index, { short = false } = {}) {
    const name = chosen(part.title, this.language);
    const number = this.t("part", { n: ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"][index] ?? index + 1 });
    return short || !name ? number : `${number}: ${name}`;
  }

  /** The candidate has taken note of it. */
  settle(what) {
    this.told.delete(what);
    this.#paint();
    (this.place.querySelector("h2") ?? this.place).focus();
  }

  refresh() {
    this.#paint();
  }

  #translate() {
    document.documentElement.lang = this.language;
    document.title = this.title || this.t("player");
    this.h1.textContent = this.title || this.t("player");
    this.skip.textContent = this.t("skip");
    const focused = focusIn(this.question.element);
    this.#screenName = null;
    if (this.paper) {
      this.palette.build();
      this.question.show(this.current);
      this.moves.build();
    }
    this.#paint({ keepFocus: true });
    restoreFocus(this.question.element, focused);
    this.bar.build();
  }

  #wanted() {
    if (this.opening) return this.#held ? "held" : "loading";
    const { state } = this.attempt;
    if (state === "submitted" || state === "closed") return "receipt";
    if (state === "waiting" || state === "paused" || state === "stopped") return state;
    return this.paper ? "exam" : "loading";
  }

  #soon() {
    if (this.#painting) return;
    this.#painting = true;
    queueMicrotask(() => {
      this.#painting = false;
      this.#paint();
      this.#submit?.watch();
    });
  }

  #paint({ keepFocus = false } = {}) {
    if (!this.bar) return;
    const wanted = this.#wanted();
    const renewed = ["receipt", "loading", "paused", "stopped", "held", "waiting"].includes(wanted);
    const signature = renewed ? this.#signature(wanted) : wanted;
    if (this.#screenName !== wanted || this.#screen?.signature !== signature) {
      const changed = this.#screenName !== wanted;
      this.#screenName = wanted;
      this.#screen = { signature, ...this.#render(wanted) };
      this.#root.dataset.screen = wanted;
      this.place.replaceChildren(...this.#screen.nodes);
      if (changed && !keepFocus && wanted !== "loading") {
        window.scrollTo({ top: 0 });
        if (!dialogOpen()) this.place.querySelector("h2")?.focus({ preventScroll: true });
      }
    }
    if (wanted === "exam") {
      this.palette.refresh();
      this.question.refresh();
    }
    this.bar.refresh();
    if (this.#wasOffline && !this.offline) this.announcer.say(this.t("amiss.online"));
    this.#wasOffline = this.offline && !this.opening;
    if (wanted === "receipt") this.#clean();
  }

  #signature(wanted) {
    const { attempt, saving, server } = this;
    return JSON.stringify([wanted, this.language, attempt.message, attempt.receipt, attempt.bell, saving.unsentSlots.length, server.reachable, this.#held]);
  }

  #render(wanted) {
    if (wanted === "exam") {
      return { nodes: [element("div", { class: "desk" }, element("div", { class: "work" }, this.question.element, this.moves.element), this.palette.element)] };
    }
    if (wanted === "waiting") {
      const { node, tick } = waitingScreen(this);
      return { nodes: [node], tick };
    }
    if (wanted === "held") return { nodes: [heldScreen(this, this.#held.error)] };
    if (wanted === "paused") return { nodes: [pausedScreen(this)] };
    if (wanted === "stopped") return { nodes: [stoppedScreen(this)] };
    if (wanted === "receipt") return { nodes: [receiptScreen(this)] };
    return { nodes: [loadingScreen(this, { offline: !this.server.reachable })] };
  }

  /** All is acknowledged and the attempt is over: the answers leave this machine. */
  async #clean() {
    if (this.told.has("cleaned") || this.saving.unsentSlots.length || !this.attempt.receipt) return;
    this.told.add("cleaned");
    await this.store.forget(this.code);
    this.preferences.forget();
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

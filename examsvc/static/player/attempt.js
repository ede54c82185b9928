/**
 * The attempt as the server last told it: state, clock, notices, receipt; and the polling that keeps it so.
 *
 * Events: "state" (the state or its message changed), "deadline" (detail: {before, after} in ms), "notices",
 * "receipt", "lease-lost", "signed-out".
 */

import { moment } from "./clock.js";
import { NotNow } from "./server.js";

const POLL = 15000;
const BELL = 2000; // from the bell until the state is open
const BELL_JITTER = 800;
const LOST = 5000; // while the server cannot be reached
const HELD = 5000; // while another machine holds the attempt

export class Attempt extends EventTarget {
  state = null; // before the first reply
  deadline = null;
  bell = null;
  pausedSince = null;
  message = null;
  notices = [];
  receipt = null;
  #server;
  #saving;
  #machine;
  #timer = null;
  #outage = false;
  #polling = false;
  #random;

  constructor({ server, saving, machine, random = Math.random }) {
    super();
    this.#server = server;
    this.#saving = saving;
    this.#machine = machine;
    this.#random = random;
    server.addEventListener("clock", ({ detail }) => this.#take(detail));
    server.addEventListener("reach", () => {
      if (server.reachable) return;
      this.#outage = true;
      if (this.#timer !== null) this.#plan();
    });
  }

  /** Whether the attempt is over for good: nothing can be answered any more. */
  get ended() {
    return ["submitted", "closed", "stopped"].includes(this.state);
  }

  /** ms left on the server's clock; frozen during a pause; null when there is no deadline yet. */
  get left() {
    if (this.deadline === null) return null;
    const at = this.state === "paused" ? this.pausedSince : this.#server.clock.now();
    return at === null ? null : Math.max(0, this.deadline - at);
  }

  /** ms to the bell. */
  get untilBell() {
    const now = this.#server.clock.now();
    return this.bell === null || now === null ? null : Math.max(0, this.bell - now);
  }

  /** Asks for the lease: true, or the server's refusal {error}; throws NotNow. */
  async takeLease(takeOver = false) {
    const { status, body } = await this.#server.post("lease", { machine: this.#machine, take_over: takeOver });
    if (status === 200) {
      this.#server.lease = body.lease;
      return true;
    }
    if (status === 401) this.dispatchEvent(new Event("signed-out"));
    return { status, error: body.error ?? null };
  }

  /** Reads the whole state and compares the answers; throws NotNow. False when it could not be read. */
  async compare({ values = false } = {}) {
    const asked = performance.now();
    const { status, body } = await this.#server.state(values ? "values=1" : "");
    if (status === 401) this.dispatchEvent(new Event("signed-out"));
    if (status !== 200) return false;
    this.#outage = false;
    if (await this.#saving.reconcile(body.slots ?? [], { flags: body.flags, asked })) return this.compare({ values: true });
    return true;
  }

  /** Compares with the next poll, which is now. */
  compareSoon() {
    this.#outage = true;
    return this.poll();
  }

  /** Polls from now on. */
  start() {
    this.#plan();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Polls at once, unless a poll is under way. */
  async poll() {
    if (this.#polling) return; // what asked for a comparison gets it with the next one
    this.#polling = true;
    this.stop();
    try {
      if (this.#outage && this.#server.lease) {
        await this.compare();
      } else {
        const { status } = await this.#server.state("light=1");
        if (status === 401) this.dispatchEvent(new Event("signed-out"));
      }
    } catch (error) {
      if (!(error instanceof NotNow)) throw error;
    } finally {
      this.#polling = false;
    }
    this.#plan();
  }

  get heldPause() {
    return HELD;
  }

  #plan() {
    this.stop();
    let pause = POLL;
    if (this.state === "waiting" && this.untilBell !== null) {
      pause = this.untilBell > 0 ? Math.min(POLL, this.untilBell + this.#random() * BELL_JITTER) : BELL;
    }
    if (!this.#server.reachable) pause = Math.min(pause, LOST);
    if (this.state === "open" && this.left !== null && this.left > 0) pause = Math.min(pause, this.left + 250);
    this.#timer = setTimeout(() => this.poll(), pause);
  }

  #take(body) {
    const before = { state: this.state, deadline: this.deadline, bell: this.bell, message: JSON.stringify(this.message) };
    this.state = body.state ?? this.state;
    if ("deadline" in body) this.deadline = moment(body.deadline);
    if ("bell" in body) this.bell = moment(body.bell);
    this.pausedSince = moment(body.paused_since);
    this.message = body.message ?? null;
    this.#saving.ended = this.ended;
    if (body.notices && JSON.stringify(body.notices) !== JSON.stringify(this.notices)) {
      this.notices = body.notices;
      this.dispatchEvent(new Event("notices"));
    }
    if (body.receipt && JSON.stringify(body.receipt) !== JSON.stringify(this.receipt)) {
      this.receipt = body.receipt;
      this.dispatchEvent(new Event("receipt"));
    }
    if (before.deadline !== null && this.deadline !== before.deadline) {
      this.dispatchEvent(new CustomEvent("deadline", { detail: { before: before.deadline, after: this.deadline } }));
    }
    if (this.state !== before.state || JSON.stringify(this.message) !== before.message) {
      this.dispatchEvent(new Event("state"));
    }
    if (body.lease_held === false && this.#server.lease) this.dispatchEvent(new CustomEvent("lease-lost", { detail: {} }));
    const moved = this.state !== before.state || this.deadline !== before.deadline || this.bell !== before.bell;
    if (moved && this.#timer !== null) this.#plan(); // not on each save: the poll would never come
  }
}

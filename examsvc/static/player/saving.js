/**
 * Saving answers: docs/formats/player-protocol.md, sections 5 and 6.
 *
 * Each slot has the value on screen, the last acknowledgement, and its unsent saves in order. A save that was put on a
 * request is frozen; it leaves the queue only when the server acknowledges exactly its digest. One request is under way
 * at a time.
 */

import { digest } from "./canonical.js";
import { NotNow } from "./server.js";

const SOON = 400; // ms after a choice
const WRITING = 1000; // ms after the first letter …
const WRITING_PAUSE = 5000; // … and between two saves of one text
const MOST = 50; // saves in one request
const BACKOFF = 1000;
const BACKOFF_MOST = 20000;
const BACKOFF_LAST_MINUTES = 4000;
const ODD = 15000; // after a refusal that the protocol does not know
const KEEPALIVE_MOST = 60000; // bytes; browsers allow 64 KiB

export class Slot {
  value = null;
  acknowledged = null; // {version, digest, saved_at, late} or null: nothing is known of the server's
  unsent = []; // [{save_id, slot, base_version, value, client_time, order, sent, sealed, due}]
  conflict = null; // the server's {value, version, digest, saved_at}
  refusal = null; // the server's sentence
  lastSent = -Infinity;
  acknowledgedAt = -Infinity; // performance.now() of the last acknowledgement
  seen = 0; // the highest version that the server has named in its state

  constructor(number) {
    this.number = number;
  }

  get blocked() {
    return this.conflict !== null || this.refusal !== null;
  }
}

/**
 * Events: "change" whenever what is shown of saving may differ (detail.slot where one slot is meant), "value" when a
 * slot's value changed without the candidate, "lease-lost", "signed-out", "rejected" (the server refuses what the
 * protocol says it takes), "mismatch" (the server stored something else than was sent), "outdated" (the server holds a
 * newer answer than the one it has just acknowledged: compare).
 */
export class Saving extends EventTarget {
  slots = new Map();
  flags = new Set();
  savedAt = null; // server's time of the last acknowledgement, RFC 3339
  ended = false; // flags are not sent any more
  #attempt;
  #server;
  #store;
  #busy = false;
  #suspended = true;
  #timer = null;
  #failures = 0;
  #lastFailure = null;
  #odd = 0;
  #limit = MOST;
  #holdUntil = 0;
  #extra = { flags: false, due: Infinity, read: new Set() };
  #order = 0;
  #random;
  #lastMinutes = () => false;

  constructor({ attempt, server, store, random = Math.random, lastMinutes = () => false }) {
    super();
    this.#attempt = attempt;
    this.#server = server;
    this.#store = store;
    this.#random = random;
    this.#lastMinutes = lastMinutes;
  }

  slot(number) {
    if (!this.slots.has(number)) this.slots.set(number, new Slot(number));
    return this.slots.get(number);
  }

  /** Slots with something that the server has not acknowledged. */
  get unsentSlots() {
    return [...this.slots.values()].filter((slot) => slot.unsent.length).map((slot) => slot.number);
  }

  /** Slots that cannot be sent before the candidate decides or changes something. */
  get blockedSlots() {
    return [...this.slots.values()].filter((slot) => slot.blocked).map((slot) => slot.number);
  }

  /** Whether the last request with saves failed, for another reason than a busy server. */
  get failing() {
    return this.#failures > 0 && !this.#lastFailure.busy;
  }

  /** Reads what this machine kept. Forgets what is in memory: the machine's copy is the truth of two tabs. */
  async load() {
    const kept = await this.#store.load(this.#attempt);
    if (!this.#store.durable) return;
    this.slots.clear();
    this.flags = new Set(kept.attempt?.flags ?? []);
    this.#extra.flags = kept.attempt?.flags_unsent ?? false;
    this.#extra.due = this.#extra.flags ? 0 : Infinity;
    this.savedAt = kept.attempt?.saved_at ?? null;
    for (const record of kept.slots) {
      const slot = this.slot(record.slot);
      Object.assign(slot, { value: record.value, acknowledged: record.acknowledged, conflict: record.conflict });
      slot.refusal = record.refusal;
    }
    for (const entry of kept.unsent) {
      const slot = this.slot(entry.slot);
      slot.unsent.push({ ...entry, due: 0 });
      slot.value = entry.value;
      this.#order = Math.max(this.#order, entry.order);
    }
  }

  /** The candidate's new value of a slot. */
  write(number, value, { writing = false } = {}) {
    const slot = this.slot(number);
    if (slot.conflict) throw new Error("a slot in conflict waits for a decision");
    const clientTime = new Date().toISOString();
    if (slot.refusal) {
      this.#drop(slot);
      slot.refusal = null;
    }
    slot.value = value;
    const last = slot.unsent.at(-1);
    if (last && !last.sent && !last.sealed) {
      Object.assign(last, { value, client_time: clientTime });
      if (!writing) last.due = Math.min(last.due, this.#now + SOON);
      this.#keep(last);
    } else {
      const due = writing ? Math.max(this.#now + WRITING, slot.lastSent + WRITING_PAUSE) : this.#now + SOON;
      this.#enqueue(slot, value, clientTime, due);
    }
    this.#keepSlot(slot);
    this.#changed(number);
    this.#schedule();
  }

  setFlag(number, flagged) {
    if (flagged) this.flags.add(number);
    else this.flags.delete(number);
    this.#extra.flags = true;
    this.#extra.due = Math.min(this.#extra.due, this.#now + SOON);
    this.#keepAttempt();
    this.#changed(number);
    this.#schedule();
  }

  noticeRead(id) {
    this.#extra.read.add(id);
    this.#extra.due = this.#now;
    this.#schedule();
  }

  /** Freezes what is waiting: what is written from now on becomes a save of its own (the time on display ran out). */
  seal() {
    for (const slot of this.slots.values()) {
      const last = slot.unsent.at(-1);
      if (last && !last.sealed) {
        last.sealed = true;
        this.#keep(last);
      }
    }
  }

  /** Sends all that is unsent now, whatever the timers say. */
  flush({ keepalive = false } = {}) {
    for (const slot of this.slots.values()) for (const entry of slot.unsent) entry.due = 0;
    if (this.#extra.flags) this.#extra.due = 0;
    this.#holdUntil = 0;
    if (keepalive) this.#leave();
    else this.#schedule();
  }

  /** The server has been reached again: what failed for want of a connection is tried at once, what it refused is not. */
  retry() {
    if (this.#lastFailure?.silent) this.#holdUntil = 0;
    this.#schedule();
  }

  /** Sends a slot's waiting text now: the candidate leaves the item. */
  hurry(number) {
    for (const entry of this.slot(number).unsent) entry.due = 0;
    this.#schedule();
  }

  resume() {
    this.#suspended = false;
    this.#holdUntil = 0;
    this.#schedule();
  }

  suspend() {
    this.#suspended = true;
    clearTimeout(this.#timer);
  }

  /** The stored answer of a slot in conflict, or refused, takes the place of one's own. */
  takeStored(number, stored = this.slot(number).conflict) {
    const slot = this.slot(number);
    this.#drop(slot);
    slot.value = stored.value;
    slot.acknowledged = acknowledgement(stored);
    slot.conflict = null;
    slot.refusal = null;
    this.#keepSlot(slot);
    this.#changed(number);
    this.#valueChanged(number);
  }

  /** One's own answer of a slot in conflict (or what became of both) is written over the stored one, as a new save. */
  takeOwn(number, value = this.slot(number).value) {
    const slot = this.slot(number);
    this.#drop(slot);
    slot.acknowledged = acknowledgement(slot.conflict);
    slot.conflict = null;
    this.write(number, value);
    this.#valueChanged(number);
  }

  /**
   * Compares with the server's list of slots (after a load and after an outage) and mends: section 5, last table.
   * `asked` is performance.now() before the list was asked for: what was acknowledged since then is newer than the
   * list. True when a newer answer is on the server whose value the list does not give: read the state with values.
   */
  async reconcile(list, { flags = null, asked = Infinity } = {}) {
    let incomplete = false;
    for (const theirs of list) {
      const slot = this.slot(theirs.slot);
      slot.seen = Math.max(slot.seen, theirs.version);
      const own = await digest(slot.value);
      if (slot.unsent.length || slot.conflict) continue; // sent as it is; the server decides
      if (slot.acknowledgedAt >= asked) continue;
      const known = slot.acknowledged;
      if (theirs.digest === own) {
        slot.acknowledged = acknowledgement(theirs);
      } else if (!known || theirs.version > known.version) {
        if (!("value" in theirs)) {
          incomplete = true;
          continue;
        }
        slot.value = theirs.value;
        slot.acknowledged = acknowledgement(theirs);
        this.#valueChanged(theirs.slot);
      } else if (theirs.version < known.version || theirs.digest === known.digest) {
        slot.seen = theirs.version;
        slot.acknowledged = acknowledgement(theirs);
        this.#enqueue(slot, slot.value, new Date().toISOString(), 0);
      } else if ("value" in theirs) {
        slot.conflict = { ...theirs };
        this.#enqueue(slot, slot.value, new Date().toISOString(), 0);
      } else {
        incomplete = true;
        continue;
      }
      this.#keepSlot(slot);
      if (theirs.saved_at && (!this.savedAt || Date.parse(theirs.saved_at) > Date.parse(this.savedAt))) {
        this.savedAt = theirs.saved_at;
      }
    }
    if (flags && !this.#extra.flags) this.flags = new Set(flags);
    this.#keepAttempt();
    this.#changed();
    this.#schedule();
    return incomplete;
  }

  get #now() {
    return performance.now();
  }

  #enqueue(slot, value, clientTime, due) {
    this.#order += 1;
    const entry = {
      attempt: this.#attempt,
      save_id: crypto.randomUUID(),
      slot: slot.number,
      base_version: null,
      value,
      client_time: clientTime,
      order: this.#order,
      sent: false,
      sealed: false,
      due,
    };
    slot.unsent.push(entry);
    this.#keep(entry);
  }

  /** What may go now: the first unsent save of each slot that is not blocked and is due. */
  #batch() {
    const batch = [];
    for (const slot of this.slots.values()) {
      const entry = slot.unsent[0];
      if (entry && !slot.blocked && entry.due <= this.#now) batch.push(entry);
    }
    return batch.sort((a, b) => a.order - b.order).slice(0, this.#limit);
  }

  #schedule() {
    clearTimeout(this.#timer);
    if (this.#busy || this.#suspended) return;
    let due = this.ended ? Infinity : this.#extra.due;
    for (const slot of this.slots.values()) {
      if (slot.unsent.length && !slot.blocked) due = Math.min(due, slot.unsent[0].due);
    }
    if (due === Infinity) return;
    this.#timer = setTimeout(() => this.#send(), Math.max(0, Math.max(due, this.#holdUntil) - this.#now));
  }

  async #send() {
    if (this.#busy || this.#suspended) return;
    this.#busy = true;
    const batch = this.#freeze();
    const extra = this.#envelope();
    if (!batch.length && !extra.any) {
      this.#busy = false;
      this.#schedule();
      return;
    }
    try {
      await this.#store.settled();
      const { status, body } = await this.#server.post("saves", { lease: this.#server.lease, saves: batch.map(wire), ...extra.body });
      this.#failures = 0;
      await this.#answered(status, body, batch, extra);
    } catch (error) {
      if (!(error instanceof NotNow)) throw error;
      this.#failures += 1;
      this.#lastFailure = error;
      const most = this.#lastMinutes() ? BACKOFF_LAST_MINUTES : BACKOFF_MOST;
      const wait = Math.min(most, BACKOFF * 2 ** (this.#failures - 1)) * (0.5 + this.#random() / 2);
      this.#holdUntil = this.#now + Math.max(wait, error.after);
    } finally {
      this.#busy = false;
      this.#changed();
      this.#schedule();
    }
  }

  #freeze() {
    const batch = this.#batch();
    for (const entry of batch) {
      const slot = this.slot(entry.slot);
      slot.lastSent = this.#now;
      if (!entry.sent) {
        entry.sent = true;
        entry.base_version = slot.acknowledged?.version ?? 0;
        this.#keep(entry);
      }
    }
    return batch;
  }

  #envelope() {
    const body = {};
    const read = [...this.#extra.read];
    const flags = this.#extra.flags && !this.ended ? [...this.flags].sort((a, b) => a - b) : null;
    if (flags) body.flags = flags;
    if (read.length) body.notices_read = read;
    return { body, flags, read, any: Boolean(flags) || read.length > 0 };
  }

  /** The page is being hidden or closed: everything in one request that may outlive it; nothing here may wait. */
  #leave() {
    this.#store.settled();
    if (this.#suspended || this.#busy) return;
    const batch = this.#freeze();
    const extra = this.#envelope();
    const body = { lease: this.#server.lease, saves: batch.map(wire), ...extra.body };
    if ((!batch.length && !extra.any) || new Blob([JSON.stringify(body)]).size > KEEPALIVE_MOST) {
      this.#schedule();
      return;
    }
    this.#busy = true;
    this.#server
      .post("saves", body, { keepalive: true })
      .then(({ status, body: reply }) => this.#answered(status, reply, batch, extra))
      .catch(() => {})
      .finally(() => {
        this.#busy = false;
        this.#changed();
        this.#schedule();
      });
  }

  async #answered(status, body, batch, extra) {
    if (status === 200) {
      this.#odd = 0;
      this.#limit = MOST;
      this.#acknowledgeExtra(extra);
      for (const theirs of body.saves ?? []) await this.#acknowledge(theirs);
    } else if (status === 409 && body.conflicts) {
      for (const theirs of body.conflicts) await this.#contradict(theirs);
    } else if (status === 422 && body.refusals) {
      for (const refusal of body.refusals) this.#refuse(refusal.slot, refusal.save_id, refusal.error);
    } else if (status === 413) {
      if (batch.length > 1) this.#limit = Math.ceil(batch.length / 2);
      else if (batch.length) this.#refuse(batch[0].slot, batch[0].save_id, body.error ?? "");
      else this.#strange(status);
    } else if (status === 423) {
      this.suspend();
      this.dispatchEvent(new CustomEvent("lease-lost", { detail: body }));
    } else if (status === 401) {
      this.suspend();
      this.dispatchEvent(new Event("signed-out"));
    } else {
      this.#strange(status);
    }
  }

  #acknowledgeExtra({ flags, read }) {
    for (const id of read) this.#extra.read.delete(id);
    const same = flags && flags.length === this.flags.size && flags.every((number) => this.flags.has(number));
    if (same) this.#extra.flags = false;
    this.#extra.due = this.#extra.flags || this.#extra.read.size ? this.#now + SOON : Infinity;
    this.#keepAttempt();
  }

  async #acknowledge(theirs) {
    const slot = this.slot(theirs.slot);
    const entry = slot.unsent.find((candidate) => candidate.save_id === theirs.save_id);
    if (!entry) return;
    const own = await digest(entry.value);
    slot.acknowledged = acknowledgement(theirs);
    slot.acknowledgedAt = this.#now;
    slot.unsent = slot.unsent.filter((candidate) => candidate !== entry);
    this.#store.remove("unsent", [this.#attempt, entry.save_id]);
    if (theirs.digest === own) {
      this.savedAt = theirs.saved_at;
      this.#keepAttempt();
    } else {
      // stored, but not what was written: a new save on top of it, unless a newer one waits already
      this.dispatchEvent(new CustomEvent("mismatch", { detail: { slot: slot.number } }));
      if (!slot.unsent.length) this.#enqueue(slot, entry.value, entry.client_time, this.#now + BACKOFF * 2);
    }
    this.#keepSlot(slot);
    this.#changed(slot.number);
    // the first reply to a save sent again may be older than what another machine has stored since
    if (theirs.version < slot.seen && !slot.unsent.length) this.dispatchEvent(new Event("outdated"));
  }

  async #contradict(theirs) {
    const slot = this.slot(theirs.slot);
    if (!slot.unsent.length) return;
    if ((await digest(slot.unsent[0].value)) === theirs.digest) {
      // what is stored is what was sent: nothing to decide, and what was written since goes on top of it
      const [entry] = slot.unsent.splice(0, 1);
      this.#store.remove("unsent", [this.#attempt, entry.save_id]);
      slot.acknowledged = acknowledgement(theirs);
      slot.acknowledgedAt = this.#now;
      this.savedAt = theirs.saved_at ?? this.savedAt;
    } else if ((await digest(slot.value)) === theirs.digest) {
      this.#drop(slot);
      slot.acknowledged = acknowledgement(theirs);
      slot.acknowledgedAt = this.#now;
    } else {
      slot.conflict = { value: theirs.value, version: theirs.version, digest: theirs.digest, saved_at: theirs.saved_at };
    }
    this.#keepSlot(slot);
    this.#changed(slot.number);
    this.#valueChanged(slot.number);
  }

  #refuse(number, saveId, sentence) {
    const slot = this.slot(number);
    const index = slot.unsent.findIndex((entry) => entry.save_id === saveId);
    if (index < 0) return;
    if (index < slot.unsent.length - 1) {
      // the candidate has written on since: the newer text is tried on its own
      const [entry] = slot.unsent.splice(index, 1);
      this.#store.remove("unsent", [this.#attempt, entry.save_id]);
    } else {
      slot.refusal = sentence;
    }
    this.#keepSlot(slot);
    this.#changed(number);
  }

  #strange(status) {
    this.#odd += 1;
    this.#holdUntil = this.#now + ODD;
    if (this.#odd >= 3) this.dispatchEvent(new CustomEvent("rejected", { detail: { status } }));
  }

  #drop(slot) {
    for (const entry of slot.unsent) this.#store.remove("unsent", [this.#attempt, entry.save_id]);
    slot.unsent = [];
  }

  #keep(entry) {
    const { due: _, ...record } = entry;
    this.#store.put("unsent", record);
  }

  #keepSlot(slot) {
    const { value, acknowledged, conflict, refusal } = slot;
    this.#store.put("slots", { attempt: this.#attempt, slot: slot.number, value, acknowledged, conflict, refusal });
  }

  #keepAttempt() {
    this.#store.put("attempts", {
      attempt: this.#attempt,
      flags: [...this.flags],
      flags_unsent: this.#extra.flags,
      saved_at: this.savedAt,
    });
  }

  #changed(number) {
    this.dispatchEvent(new CustomEvent("change", { detail: { slot: number ?? null } }));
  }

  #valueChanged(number) {
    this.dispatchEvent(new CustomEvent("value", { detail: { slot: number } }));
  }
}

function acknowledgement({ version, digest: of, saved_at: savedAt, late }) {
  return { version, digest: of, saved_at: savedAt ?? null, late: late ?? false };
}

function wire({ save_id: saveId, slot, base_version: base, value, client_time: time }) {
  return { save_id: saveId, slot, base_version: base, value, client_time: time };
}

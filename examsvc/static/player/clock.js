/**
 * The server's clock, carried on by the browser's monotonic one.
 *
 * The PC's own clock is never asked: it may be wrong and can be changed. A reply says what the server's clock was at
 * some moment between sending and receiving, so each reply gives the offset with an error of at most half the way
 * there and back; the best one is kept, and its error is let grow by 200 ppm for the drift of a cheap quartz. A reply
 * that contradicts it (the machine slept, the server's clock was set) replaces it at once.
 */
const DRIFT = 2e-4;

export class ServerClock {
  #elapsed;
  #offset = null;
  #error = Infinity;
  #at = 0;

  constructor(elapsed = () => performance.now()) {
    this.#elapsed = elapsed;
  }

  get elapsed() {
    return this.#elapsed();
  }

  /** Takes a reply's `now` (ms since the epoch) with the monotonic times of sending and receiving. */
  observe(now, sent, received) {
    if (!Number.isFinite(now)) return;
    const error = (received - sent) / 2;
    const offset = now - (sent + received) / 2;
    const grown = this.#error + DRIFT * (received - this.#at);
    if (this.#offset === null || error <= grown || Math.abs(offset - this.#offset) > error + grown) {
      this.#offset = offset;
      this.#error = error;
      this.#at = received;
    }
  }

  /** The server's time now in ms since the epoch; null before the first reply. */
  now() {
    return this.#offset === null ? null : this.#elapsed() + this.#offset;
  }
}

/** "2026-11-21T03:32:07.412345+00:00" → ms since the epoch; null for null. */
export function moment(text) {
  if (text === null || text === undefined) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** Minutes before the end at which the time left is said aloud. */
export const ANNOUNCED = [30, 10, 5, 1];

/** The announced minute that lies in (left, before], both in ms; the least one if several do; null if none. */
export function crossed(before, left) {
  if (before === null || left === null) return null;
  const passed = ANNOUNCED.filter((minutes) => left <= minutes * 60000 && before > minutes * 60000);
  return passed.length ? Math.min(...passed) : null;
}

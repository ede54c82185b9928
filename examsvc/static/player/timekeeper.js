/** What happens by the clock while the attempt is open: announcements, the last flush, the moment the time runs out. */

import { crossed } from "./clock.js";

const FINAL_FLUSH = 5000; // ms before the deadline

export class Timekeeper {
  #app;
  #before = null; // ms left at the last look
  #announced = Infinity; // the least of the minutes said aloud since the deadline was moved
  #flushedFor = null; // deadlines for which this was done: a new deadline does it again
  #sealedFor = null;

  constructor(app) {
    this.#app = app;
  }

  /** The deadline was moved: passing 10 minutes by a decision is no announcement, passing them again by time is one. */
  moved() {
    this.#before = this.#app.attempt.left;
    this.#announced = Infinity;
  }

  tick() {
    const { attempt, saving, announcer, t } = this.#app;
    const { left, deadline } = attempt;
    const minutes = crossed(this.#before, left);
    this.#before = left;
    if (minutes !== null && minutes < this.#announced) {
      // a reply may correct the clock by a moment, so that the same minute is passed again
      this.#announced = minutes;
      announcer.sayNow(t("time.announced", { n: minutes }));
    }
    if (left === null) return;
    if (left <= FINAL_FLUSH && this.#flushedFor !== deadline) {
      this.#flushedFor = deadline;
      saving.flush();
    }
    if (left <= 0 && this.#sealedFor !== deadline) {
      this.#sealedFor = deadline;
      saving.seal();
      attempt.poll();
      this.#app.refresh();
    }
  }
}

/** Requests to the server, and what their replies mean. Never navigates, never follows a redirect. */

import { moment } from "./clock.js";

const PATIENCE = 15000; // ms before a request is given up

/** No reply (`silent`), a reply that is no JSON, 5xx, or `busy`: try again, not before `after` ms. */
export class NotNow extends Error {
  constructor(reason, { after = 0, busy = false, silent = false } = {}) {
    super(reason);
    this.after = after;
    this.busy = busy;
    this.silent = silent;
  }
}

/**
 * Events: "clock" (detail: the reply's body) for each reply with the attempt's clock, "reach" when the server is
 * lost or found again (`reachable`).
 */
export class Server extends EventTarget {
  reachable = true;
  lease = null;

  /** urls: {state, paper, saves, lease, submit, signin}; language(): of the page; clock: ServerClock. */
  constructor({ urls, csrf, language, clock }) {
    super();
    this.urls = urls;
    this.csrf = csrf;
    this.language = language;
    this.clock = clock;
  }

  state(query = "") {
    return this.#request("GET", this.urls.state + (query ? `${this.urls.state.includes("?") ? "&" : "?"}${query}` : ""));
  }

  paper() {
    return this.#request("GET", this.urls.paper);
  }

  /** Resolves to {status, body} for 2xx and refusals; throws NotNow otherwise. */
  post(name, body, options = {}) {
    return this.#request("POST", this.urls[name], body, options);
  }

  /** Called when the browser itself says that the network is gone. */
  lost() {
    this.#reach(false);
  }

  async #request(method, url, body, { keepalive = false } = {}) {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), PATIENCE);
    const headers = { Accept: "application/json", "Accept-Language": this.language() };
    if (this.lease) headers["X-Exam-Lease"] = this.lease;
    if (method === "POST") Object.assign(headers, { "Content-Type": "application/json", "X-CSRFToken": this.csrf });
    const sent = this.clock.elapsed;
    try {
      const reply = await fetch(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        redirect: "manual",
        keepalive,
        signal: giveUp.signal,
      });
      if (reply.type === "opaqueredirect" || reply.status === 401) {
        this.#reach(true);
        return { status: 401, body: {} };
      }
      const after = 1000 * (Number(reply.headers.get("Retry-After")) || 0);
      if (reply.status === 429 && method === "POST" && url === this.urls.signin) {
        return { status: 429, body: await reply.json() };
      }
      if (reply.status === 429) throw new NotNow("busy", { after, busy: true });
      if (reply.status >= 500) throw new NotNow(`status ${reply.status}`, { after });
      if (!(reply.headers.get("Content-Type") ?? "").includes("json")) {
        if (reply.ok) throw new NotNow("not JSON"); // a hall's portal answers in the server's place
        this.#reach(true);
        return { status: reply.status, body: {} };
      }
      const content = await reply.json();
      const received = this.clock.elapsed;
      this.#reach(true);
      if (content.now) {
        if (headers["X-Exam-Lease"] !== this.lease) delete content.lease_held; // asked under a former lease
        this.clock.observe(moment(content.now), sent, received);
        this.dispatchEvent(new CustomEvent("clock", { detail: content }));
      }
      return { status: reply.status, body: content };
    } catch (error) {
      const refused = error instanceof NotNow ? error : new NotNow(String(error), { silent: true });
      if (!refused.busy) this.#reach(false);
      throw refused;
    } finally {
      clearTimeout(timer);
    }
  }

  #reach(reachable) {
    if (reachable === this.reachable) return;
    this.reachable = reachable;
    this.dispatchEvent(new Event("reach"));
  }
}

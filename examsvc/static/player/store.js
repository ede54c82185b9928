/**
 * What this machine keeps: answers and unsent saves, per attempt, in IndexedDB with strict durability.
 *
 * Writes are collected while a transaction runs and for a moment after it (old disks; fast typists), and go out
 * together in the next one, the last write of a key counting; `settled` makes them go now and waits. Without IndexedDB everything stays in memory and `durable` is false.
 */
const NAME = "examsvc-player";
const REST = 150; // ms between two transactions that nobody waits for
const STORES = { attempts: "attempt", slots: ["attempt", "slot"], unsent: ["attempt", "save_id"], machine: "name" };

export class Store extends EventTarget {
  #database = null;
  #pending = new Map();
  #running = null;
  #resting = null;

  static async open(indexed = globalThis.indexedDB) {
    const store = new Store();
    try {
      store.#database = await opened(indexed);
      store.#database.onversionchange = () => store.#database?.close();
    } catch {
      store.#database = null;
    }
    return store;
  }

  /** Whether what is written survives the page. */
  get durable() {
    return this.#database !== null;
  }

  /** 32 hex digits that name this browser profile. */
  async machine() {
    const kept = await this.#read("machine", "this");
    if (kept) return kept.id;
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    this.put("machine", { name: "this", id });
    await this.settled();
    return id;
  }

  /** Everything kept of one attempt: {attempt: record or undefined, slots: [...], unsent: [...] by time}. */
  async load(attempt) {
    await this.settled();
    if (!this.durable) return { attempt: undefined, slots: [], unsent: [] };
    const range = IDBKeyRange.bound([attempt], [attempt, []]);
    const transaction = this.#database.transaction(["attempts", "slots", "unsent"], "readonly");
    const [record, slots, unsent] = await Promise.all([
      answer(transaction.objectStore("attempts").get(attempt)),
      answer(transaction.objectStore("slots").getAll(range)),
      answer(transaction.objectStore("unsent").getAll(range)),
    ]);
    unsent.sort((a, b) => a.order - b.order);
    return { attempt: record, slots, unsent };
  }

  put(store, record) {
    this.#write(store, keyOf(store, record), record);
  }

  remove(store, key) {
    this.#write(store, key, null);
  }

  /** Deletes the answers of one attempt. */
  async forget(attempt) {
    await this.settled();
    const { slots, unsent } = await this.load(attempt);
    for (const record of slots) this.remove("slots", keyOf("slots", record));
    for (const record of unsent) this.remove("unsent", keyOf("unsent", record));
    this.remove("attempts", attempt);
    await this.settled();
  }

  /** Resolves when all that was written before is on the disk (or storage has failed, which `durable` then says). */
  async settled() {
    while (this.#running || this.#pending.size) {
      this.#start();
      await this.#running;
    }
  }

  #write(store, key, record) {
    if (!this.durable) return;
    this.#pending.set(JSON.stringify([store, key]), [store, key, record === null ? null : structuredClone(record)]);
    if (!this.#resting) queueMicrotask(() => this.#start()); // what is written together goes out in one transaction
  }

  #start() {
    if (this.#running || !this.#pending.size || !this.durable) {
      if (!this.durable) this.#pending.clear();
      return;
    }
    const writes = [...this.#pending.values()];
    this.#pending.clear();
    this.#running = this.#commit(writes)
      .catch(() => {
        this.#database = null; // quota, a broken profile: go on in memory and say so
        this.dispatchEvent(new Event("lost"));
      })
      .finally(() => {
        this.#running = null;
        this.#resting = setTimeout(() => {
          this.#resting = null;
          this.#start();
        }, REST);
      });
  }

  #commit(writes) {
    return new Promise((resolve, reject) => {
      const names = [...new Set(writes.map(([store]) => store))];
      const transaction = this.#database.transaction(names, "readwrite", { durability: "strict" });
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
      for (const [store, key, record] of writes) {
        if (record === null) transaction.objectStore(store).delete(key);
        else transaction.objectStore(store).put(record);
      }
    });
  }

  async #read(store, key) {
    if (!this.durable) return undefined;
    return answer(this.#database.transaction(store, "readonly").objectStore(store).get(key));
  }
}

function keyOf(store, record) {
  const path = STORES[store];
  return Array.isArray(path) ? path.map((name) => record[name]) : record[path];
}

function opened(indexed) {
  return new Promise((resolve, reject) => {
    const request = indexed.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) request.result.createObjectStore(name, { keyPath });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

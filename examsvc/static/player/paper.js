/** The paper as fetched: parts, slots in order, presentations by language. */

export class Paper {
  #places = new Map();
  #order = [];

  constructor({ parts, languages }) {
    this.parts = parts;
    this.languages = languages;
    parts.forEach((part, partIndex) => {
      for (const slot of part.slots) {
        this.#places.set(slot.slot, { part, partIndex, slot, index: this.#order.length });
        this.#order.push(slot.slot);
      }
    });
  }

  get count() {
    return this.#order.length;
  }

  get numbers() {
    return [...this.#order];
  }

  has(number) {
    return this.#places.has(number);
  }

  /** {part, partIndex, slot, index}: where a slot stands. */
  at(number) {
    return this.#places.get(number);
  }

  /** The slot `by` places further, or null. */
  beside(number, by) {
    return this.#order[this.at(number).index + by] ?? null;
  }

  presentation(number, language) {
    const { item } = this.at(number).slot;
    return item[language] ?? Object.values(item)[0];
  }
}

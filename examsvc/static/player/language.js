/** Sentences, numbers, times in the candidate's language. */

import { en } from "./texts/en.js";
import { vi } from "./texts/vi.js";

const CATALOGUES = { vi, en };
export const LANGUAGES = Object.keys(CATALOGUES);

/**
 * t(key, params): the sentence with {name} filled in. A catalogue entry may be {one, other}, chosen by params.n.
 * An unknown key throws: a sentence is never missing in silence.
 */
export function translator(language) {
  const catalogue = CATALOGUES[language] ?? vi;
  const plural = new Intl.PluralRules(language);
  return (key, params = {}) => {
    let sentence = catalogue[key];
    if (sentence === undefined) throw new Error(`no text "${key}" in ${language}`);
    if (typeof sentence === "object") sentence = sentence[plural.select(params.n)] ?? sentence.other;
    return sentence.replace(/\{(\w+)\}/g, (_, name) => String(params[name]));
  };
}

/** {"vi": …, "en": …} or a plain text → the text in `language`, else in whatever there is. */
export function chosen(text, language) {
  if (text === null || text === undefined || typeof text === "string") return text ?? "";
  return text[language] ?? Object.values(text)[0] ?? "";
}

/** Clock times of the institution's time zone, 24 hours. */
export class Times {
  constructor(zone) {
    const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone || undefined, hourCycle: "h23", ...options });
    const two = "2-digit";
    this.seconds = format({ hour: two, minute: two, second: two });
    this.minutes = format({ hour: two, minute: two });
    this.day = format({ day: two, month: two, year: "numeric" });
  }

  withSeconds(ms) {
    return this.seconds.format(ms);
  }

  withMinutes(ms) {
    return this.minutes.format(ms);
  }

  date(ms) {
    return this.day.format(ms);
  }
}

const LAST_MINUTES = 5 * 60000;

/** Time left in words: hours and minutes, never more than there are; seconds only in the last five minutes. */
export function inWords(t, ms) {
  if (ms < LAST_MINUTES) {
    const seconds = Math.floor(ms / 1000);
    const minutes = Math.floor(seconds / 60);
    if (!minutes) return t("time.seconds", { n: seconds });
    return t("time.minutes_seconds", { minutes, seconds: String(seconds % 60).padStart(2, "0") });
  }
  const minutes = Math.floor(ms / 60000);
  const hours = Math.floor(minutes / 60);
  if (!hours) return t("time.minutes", { n: minutes });
  return minutes % 60 ? t("time.hours_minutes", { hours, minutes: minutes % 60 }) : t("time.hours", { n: hours });
}

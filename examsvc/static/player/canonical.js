/** Values, their canonical bytes and their digest: docs/formats/player-protocol.md, section 6. */

const TAKEN_OUT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff\ufffe\uffff\p{Cs}]/gu;
const LARGEST = 2 ** 53 - 1;

/** Text as both sides store it: LF, no control characters, NFC. */
export function normal(text) {
  return text.replace(/\r\n?/g, "\n").replace(TAKEN_OUT, "").normalize("NFC");
}

/** JCS (RFC 8785) over the restricted JSON of the protocol, as a string. Throws TypeError for anything else. */
export function encode(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    if (normal(value) !== value) throw new TypeError("a text is not normal");
    return JSON.stringify(value);
  }
  if (Number.isInteger(value) && Math.abs(value) <= LARGEST && !Object.is(value, -0)) return String(value);
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  if (value && Object.getPrototypeOf(value) === Object.prototype) {
    const members = Object.keys(value).sort();
    if (members.some((key) => !/^[\x20-\x7e]*$/.test(key))) throw new TypeError("a key is not printable ASCII");
    return `{${members.map((key) => `${JSON.stringify(key)}:${encode(value[key])}`).join(",")}}`;
  }
  throw new TypeError(`${typeof value} has no canonical form`);
}

/** SHA-256 of the canonical bytes, 64 lowercase hex digits. */
export async function digest(value) {
  const bytes = new TextEncoder().encode(encode(value));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The value of a slot out of its responses: normal texts, nothing empty; null when nothing is answered. */
export function valueOf(responses) {
  const kept = Object.entries(responses).filter(([, response]) => !isEmpty(response));
  if (!kept.length) return null;
  return Object.fromEntries(kept.map(([name, response]) => [name, tidy(response)]));
}

function isEmpty(response) {
  if (response === null || response === undefined) return true;
  if (typeof response === "string") return normal(response).trim() === "";
  return Array.isArray(response) && response.length === 0;
}

function tidy(response) {
  return typeof response === "string" ? normal(response) : response;
}

const SPACE = /[\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Words as question_banks.responding.count_words counts them; in Vietnamese, syllables. */
export function countWords(text) {
  return normal(text).split(SPACE).filter((run) => /[\p{L}\p{N}_]/u.test(run)).length;
}

const SPACED = /(?<=\d)[ _](?=\d{3}(?!\d))/g;
const GROUPED = /^[+-]?\d{1,3}(?:(?:\.\d{3})+,\d*|(?:,\d{3})+\.\d*|(?:\.\d{3}){2,}|(?:,\d{3}){2,})$/;

/**
 * How the server reads a typed number (question_banks.values.typed_number without units): a canonical decimal
 * string, "a/b" for a share, or null where it finds no number. Comma and point are both decimal marks; a space groups
 * three digits, and so does a mark that comes more than once or before the other one.
 */
export function readNumber(typed) {
  let words = typed.normalize("NFKC").replace(/−/g, "-").trim().replace(SPACED, "");
  if (GROUPED.test(words)) {
    const grouping = words.includes(".") && (!words.includes(",") || words.indexOf(".") < words.indexOf(",")) ? "." : ",";
    words = words.replaceAll(grouping, "");
  }
  return exact(words.replaceAll(",", ".").trim());
}

function exact(words) {
  const share = /^([+-]?\d{1,1000})\s*\/\s*([+-]?\d{1,1000})$/.exec(words);
  if (share) return /^[+-]?0+$/.test(share[2]) ? null : `${share[1]}/${share[2]}`;
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?[0-3]?\d{1,2}))?$/.exec(words);
  if (!parts || parts[2] + parts[3] === "" || words.length > 1000) return null;
  const power = Number(parts[4] ?? 0);
  let [whole, rest] = [parts[2], parts[3]];
  if (power > 0) [whole, rest] = [whole + rest.slice(0, power).padEnd(power, "0"), rest.slice(power)];
  if (power < 0) [whole, rest] = [whole.slice(0, power), whole.slice(power).padStart(-power, "0") + rest];
  whole = whole.replace(/^0+(?=\d)/, "") || "0";
  return `${parts[1] === "-" ? "-" : ""}${whole}${rest ? `.${rest}` : ""}`;
}

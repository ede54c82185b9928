/** What interactions with choices share: letters, labels, texts. */

import { cleaned, element } from "../element.js";

const LETTERS = "ABCDEGHIJKLMOQRSTUVWXYZ"; // without F, N and P, which are commands

/** The letter shown before the choice at `index`; numbers when letters run out. */
export function letter(index) {
  return LETTERS[index] ?? String(index + 1);
}

/** The place that a pressed key names, or −1. */
export function place(key) {
  return key.length === 1 ? LETTERS.indexOf(key.toUpperCase()) : -1;
}

/** Words only, for the options of a select. */
export function plain(html) {
  const inert = new DOMParser().parseFromString(html ?? "", "text/html");
  return inert.body.textContent.replace(/\s+/g, " ").trim();
}

/** A choice's text and picture. */
export function shown(choice, attributes = {}) {
  const text = cleaned(choice.html, "span", { class: "rich", ...attributes });
  if (choice.picture) text.append(picture(choice.picture));
  return text;
}

export function picture({ src, width, height, alt }) {
  return element("img", { src, alt: alt ?? "", width: width || null, height: height || null });
}

/** A select over `choices`, first entry "not chosen". */
export function selectOf(choices, { chosen, empty, onChange, label, letters = false, describedBy = null }) {
  const select = element("select", { "aria-label": label, "aria-describedby": describedBy, onChange: () => onChange(select.value) });
  select.append(element("option", { value: "" }, empty));
  choices.forEach((choice, index) => {
    const text = plain(choice.html) || choice.picture?.alt || "";
    select.append(element("option", { value: choice.id }, letters ? `${letter(index)}. ${text}` : text));
  });
  select.value = chosen ?? "";
  return select;
}

/** Ids in ascending order: the one spelling of a set. */
export function ascending(ids) {
  const kept = [...new Set(ids)].sort();
  return kept.length ? kept : null;
}

export function listOf(nodes) {
  return element("ul", { class: "plain-list" }, nodes.map((node) => element("li", {}, node)));
}

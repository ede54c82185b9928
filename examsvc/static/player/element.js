/** DOM without markup strings: text is always text. */

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "id", "tabIndex", "readOnly", "open"]);

/**
 * An element with attributes and children. `onClick` and its like add listeners, `data` sets data-*, false and null
 * attributes are left out, strings become text nodes, nested arrays are flattened.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (PROPERTIES.has(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** HTML that the server has cleaned by its allow-list; the page's security policy is the second wall. */
export function cleaned(html, tag = "div", attributes = {}) {
  const node = element(tag, attributes);
  node.innerHTML = html ?? "";
  for (const table of node.querySelectorAll("table")) {
    const frame = element("div", { class: "scrolls", tabIndex: 0, role: "group" });
    table.replaceWith(frame);
    frame.append(table);
  }
  return node;
}

/** A button; the first attribute object may carry anything that `element` takes. */
export function button(label, onClick, attributes = {}) {
  return element("button", { type: "button", onClick, ...attributes }, label);
}

let count = 0;
/** An id not used on the page so far. */
export function freshId(stem) {
  count += 1;
  return `${stem}-${count}`;
}

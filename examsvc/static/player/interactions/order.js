/** Putting things in order: buttons up and down (keyboard and screen reader), or dragging with the mouse. */

import { button, element } from "../element.js";
import { plain, shown } from "./choices.js";

export function create(interaction, { t, response, set, announce }) {
  const byId = new Map(interaction.choices.map((choice) => [choice.id, choice]));
  let ids = response ?? interaction.choices.map(({ id }) => id);
  let answered = response !== null;
  const list = element("ol", { class: "order" });
  const status = element("p", { class: "hint" });
  const accept = button(t("order.keep"), () => {
    answer();
    announce(t("order.kept"));
    list.querySelector("button:not([disabled])")?.focus();
  });

  const rows = new Map(
    ids.map((id) => {
      const choice = byId.get(id);
      const text = plain(choice.html) || choice.picture?.alt;
      const up = button([element("span", { "aria-hidden": "true" }, "▲ "), t("order.up")], () => move(id, -1, up), {
        "aria-label": t("order.up_label", { text }),
      });
      const down = button([element("span", { "aria-hidden": "true" }, "▼ "), t("order.down")], () => move(id, 1, down), {
        "aria-label": t("order.down_label", { text }),
      });
      const position = element("span", { class: "position" });
      const row = element("li", { data: { id } }, position, shown(choice), element("span", { class: "moves" }, up, down));
      row.addEventListener("pointerdown", (event) => drag(event, id));
      return [id, { row, up, down, position, text }];
    }),
  );

  function arrange() {
    ids.forEach((id, index) => {
      const { row, up, down, position } = rows.get(id);
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
      position.textContent = String(index + 1);
      // not `disabled`: a button that goes away under the finger takes the keyboard's place with it
      up.setAttribute("aria-disabled", String(index === 0));
      down.setAttribute("aria-disabled", String(index === ids.length - 1));
    });
    status.textContent = answered ? t("order.hint") : t("order.untouched");
    accept.hidden = answered;
  }

  function answer() {
    answered = true;
    arrange();
    set([...ids]);
  }

  function move(id, by, pressed) {
    const from = ids.indexOf(id);
    const to = from + by;
    if (to < 0 || to >= ids.length) return;
    ids = ids.with(from, ids[to]).with(to, id);
    answer();
    pressed.focus();
    announce(t("order.moved", { text: rows.get(id).text, place: to + 1, of: ids.length }));
  }

  function drag(event, id) {
    const row = rows.get(id).row;
    if (event.button !== 0 || event.pointerType === "touch" || event.target.closest("button") || row.matches(":disabled *")) return;
    event.preventDefault();
    list.setPointerCapture(event.pointerId); // not the row: whatever is moved in the document loses the pointer
    row.classList.add("dragged");
    const start = ids;
    const follow = ({ clientY }) => {
      const others = ids.filter((other) => other !== id);
      const before = others.filter((other) => {
        const box = rows.get(other).row.getBoundingClientRect();
        return clientY > box.top + box.height / 2;
      }).length;
      const next = others.toSpliced(before, 0, id);
      if (next.some((other, index) => other !== ids[index])) {
        ids = next;
        arrange();
      }
    };
    const end = () => {
      row.classList.remove("dragged");
      list.removeEventListener("pointermove", follow);
      list.removeEventListener("pointerup", end);
      list.removeEventListener("pointercancel", end);
      if (ids.some((other, index) => other !== start[index])) answer();
    };
    list.addEventListener("pointermove", follow);
    list.addEventListener("pointerup", end);
    list.addEventListener("pointercancel", end);
  }

  arrange();
  return { element: element("div", {}, status, list, accept) };
}

export function complete(interaction, response) {
  return response !== null;
}

export function describe(interaction, response) {
  const byId = new Map(interaction.choices.map((choice) => [choice.id, choice]));
  return element("ol", {}, response.map((id) => element("li", {}, byId.has(id) ? shown(byId.get(id)) : "")));
}

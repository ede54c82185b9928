/** A sound or film to be played, so many times at most; the answer is how often it was begun. */

import { element } from "../element.js";

export function create(interaction, { t, response, set, announce }) {
  const most = interaction.max_choices;
  const { src, width, height, alt } = interaction.picture ?? {};
  let plays = Number(response ?? 0);
  let running = false; // a play that was begun and not heard to its end
  const status = element("p", { class: "hint" });
  const player = element("video", {
    src,
    controls: true,
    preload: "metadata",
    "aria-label": alt || t("media.label"),
    width: width || null,
    height: height || null,
    onPlay: begin,
    onEnded: () => {
      running = false;
      show();
    },
    onError: () => {
      status.textContent = t("media.broken");
      announce(status.textContent);
    },
  });

  function begin() {
    if (running) return; // going on after a pause
    if (most && plays >= most) {
      player.pause();
      announce(t("media.over", { n: most }));
      return;
    }
    running = true;
    plays += 1;
    show();
    set(String(plays));
  }

  function show() {
    status.textContent = most ? t("media.limited", { n: Math.max(0, most - plays), of: most }) : t("media.plays", { n: plays });
    player.controls = !most || plays < most || running;
  }

  show();
  return { element: element("div", { class: "media" }, player, status) };
}

export function complete(interaction, response) {
  return response !== null && Number(response) >= Math.max(1, interaction.min_choices);
}

export function describe(interaction, response, { t }) {
  return element("span", {}, t("media.plays", { n: Number(response) }));
}

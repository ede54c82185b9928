/** A part of a page that is read anew every few seconds; what is typed or opened elsewhere on the page stays as it is. */

for (const region of document.querySelectorAll("[data-live][data-every]")) {
  const again = async () => {
    try {
      const reply = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "error" });
      if (!reply.ok) throw new Error(String(reply.status));
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById(region.id);
      if (!fresh) throw new Error("another page");
      const at = region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      region.replaceChildren(...document.importNode(fresh, true).childNodes);
      if (at) region.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });
      if (!("every" in fresh.dataset)) clearInterval(timer);
    } catch {
      if (region.querySelector("[data-stale]")) return;
      const note = document.createElement("p");
      note.className = "note danger";
      note.dataset.stale = "";
      note.setAttribute("role", "alert");
      note.textContent = region.dataset.failed;
      region.prepend(note);
    }
  };
  const timer = setInterval(again, Number(region.dataset.every) * 1000);
  region.addEventListener("click", (event) => {
    if (!event.target.closest("[data-reload]")) return;
    event.preventDefault();
    again();
  });
}

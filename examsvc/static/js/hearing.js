/** The clock of a hearing: how much of the running step is left, by the server's time; the page itself is asked for again each half minute. */

const clock = document.getElementById("clock");
const left = document.getElementById("left");
const atServer = Date.parse(clock.dataset.now);
const began = performance.now();
const until = Date.parse(clock.dataset.until);

function show() {
  const seconds = Math.round((until - atServer - (performance.now() - began)) / 1000);
  const size = Math.abs(seconds);
  const text = `${Math.floor(size / 60)}:${String(size % 60).padStart(2, "0")}`;
  left.textContent = seconds >= 0 ? `${text} ${clock.dataset.left}` : `${clock.dataset.over} (+${text})`;
  clock.classList.toggle("danger", seconds < 0);
}

show();
setInterval(show, 1000);
setInterval(() => {
  const typing = [...document.querySelectorAll("textarea, details[open]")].some((one) => one.tagName === "DETAILS" || one.value);
  if (!typing) location.reload();
}, 30000);

/** The sheet of a marker or panel member: levels fill in marks, the sum is shown, what is typed is kept while it is typed.
 *
 * Enter goes on to the next criterion, Ctrl and Enter hand in. A draft that could not be sent is sent again until it is kept, and
 * when the page is left.
 */

const sheet = document.getElementById("sheet");
const kept = document.getElementById("kept");
const sum = document.getElementById("sum");
const marks = [...sheet.querySelectorAll(".points input")];
const comment = sheet.querySelector("textarea");
const vietnamese = document.documentElement.lang.startsWith("vi");

for (const hint of sheet.querySelectorAll(".keys")) hint.hidden = false;

function showSum() {
  const values = marks.map((input) => input.value.trim().replace(",", "."));
  if (values.some((value) => value === "" || Number.isNaN(Number(value)))) {
    sum.textContent = "–";
  } else {
    const total = values.reduce((before, value) => before + Math.round(Number(value) * 10000), 0) / 10000;
    sum.textContent = total.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 4 });
  }
  for (const level of sheet.querySelectorAll("button.level")) {
    const typed = document.getElementById(level.dataset.for).value.trim().replace(",", ".");
    level.setAttribute("aria-pressed", String(typed !== "" && Number(typed) === Number(level.dataset.marks)));
  }
}

let timer;
let waiting = false;
async function keep() {
  clearTimeout(timer);
  waiting = false;
  try {
    const reply = await fetch(sheet.dataset.draft, { method: "POST", body: new FormData(sheet), headers: { Accept: "application/json" } });
    if (!reply.ok) throw new Error(String(reply.status));
    kept.textContent = `${sheet.dataset.kept} ${(await reply.json()).kept_at}`;
  } catch {
    kept.textContent = sheet.dataset.notKept ?? "";
    waiting = true;
    timer = setTimeout(keep, 5000);
  }
}

sheet.addEventListener("input", () => {
  showSum();
  waiting = true;
  clearTimeout(timer);
  timer = setTimeout(keep, 800);
});
addEventListener("pagehide", () => {
  if (waiting) navigator.sendBeacon(sheet.dataset.draft, new FormData(sheet));
});
sheet.addEventListener("submit", () => {
  waiting = false;
  clearTimeout(timer);
});

function next(input) {
  return marks[marks.indexOf(input) + 1] ?? comment ?? sheet.querySelector("button[type=submit]");
}

sheet.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    sheet.requestSubmit();
  } else if (marks.includes(event.target)) {
    event.preventDefault();
    next(event.target).focus();
  }
});
sheet.addEventListener("focusin", (event) => {
  if (marks.includes(event.target)) event.target.select();
});
sheet.addEventListener("click", (event) => {
  const level = event.target.closest("button.level");
  if (!level) return;
  const input = document.getElementById(level.dataset.for);
  input.value = vietnamese ? level.dataset.marks.replace(".", ",") : level.dataset.marks;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  next(input).focus();
});
showSum();

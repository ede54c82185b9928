/** The sheet of a marker or panel member: levels fill in marks, the sum is shown, what is typed is kept while it is typed. */

const sheet = document.getElementById("sheet");
const kept = document.getElementById("kept");
const sum = document.getElementById("sum");
const marks = [...sheet.querySelectorAll(".points input")];

function showSum() {
  const values = marks.map((input) => input.value.trim().replace(",", "."));
  if (values.some((value) => value === "" || Number.isNaN(Number(value)))) {
    sum.textContent = "–";
    return;
  }
  const total = values.reduce((before, value) => before + Math.round(Number(value) * 10000), 0) / 10000;
  sum.textContent = total.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 4 });
}

let timer;
async function keep() {
  try {
    const reply = await fetch(sheet.dataset.draft, { method: "POST", body: new FormData(sheet), headers: { Accept: "application/json" } });
    if (reply.ok) kept.textContent = `${sheet.dataset.kept} ${(await reply.json()).kept_at}`;
  } catch {
    kept.textContent = "";
  }
}

sheet.addEventListener("input", () => {
  showSum();
  clearTimeout(timer);
  timer = setTimeout(keep, 800);
});
sheet.addEventListener("click", (event) => {
  const level = event.target.closest("button.level");
  if (!level) return;
  const input = document.getElementById(level.dataset.for);
  input.value = document.documentElement.lang.startsWith("vi") ? level.dataset.marks.replace(".", ",") : level.dataset.marks;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  (marks[marks.indexOf(input) + 1] ?? document.getElementById("comment") ?? input).focus();
});
showSum();

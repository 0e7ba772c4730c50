"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const root = document.documentElement;

  const theme = one("theme");
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const named = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; named(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", named);
  theme.hidden = false;
  named();

  const value = (cell) => {
    const text = cell.dataset.v ?? cell.textContent.trim();
    return text !== "" && isFinite(text) ? Number(text) : text;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  };
  const sort = (table, head) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    all("th", table.tHead).forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row, i) => ({ row, i, v: value(row.cells[head.cellIndex]) }));
    const sign = (a, b) => (a === "" || b === "" ? 1 : down ? -1 : 1);
    rows.sort((a, b) => compare(a.v, b.v) * sign(a.v, b.v) || a.i - b.i);
    table.tBodies[0].append(...rows.map((x) => x.row));
  };
  for (const table of all("table.sortable")) {
    for (const head of all("th", table.tHead)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head));
      head.append(button);
    }
  }

  const fields = { q: one("search"), family: one("by-family"), suite: one("by-suite"), trials: one("by-outcome") };
  const kept = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const filter = () => {
    const words = fields.q.value.toLowerCase();
    let shown = 0;
    for (const row of one("all").tBodies[0].rows) {
      const fits = (!words || row.textContent.toLowerCase().includes(words))
        && (!fields.family.value || row.dataset.f === fields.family.value)
        && (!fields.suite.value || row.dataset.u === fields.suite.value)
        && (!fields.trials.value || row.dataset.o === fields.trials.value);
      row.hidden = !fits;
      shown += fits;
    }
    one("count").textContent = `${shown} of ${one("all").tBodies[0].rows.length} lines`;
  };
  const keep = () => {
    const state = new URLSearchParams();
    for (const [name, field] of Object.entries(fields)) if (field.value) state.set(name, field.value);
    history.replaceState(null, "", `#${state}`);
  };
  for (const [name, field] of Object.entries(fields)) {
    field.value = kept.get(name) ?? "";
    field.addEventListener("input", () => { filter(); keep(); });
  }
  one("filters").addEventListener("submit", (event) => event.preventDefault());
  one("filters").hidden = false;
  filter();

  const lit = new Set();
  const paint = () => {
    document.body.classList.toggle("lit", lit.size > 0);
    for (const drawn of all(".series")) drawn.classList.toggle("lit", [...lit].some((s) => drawn.classList.contains(`s-${s}`)));
    for (const row of all("tr[data-s]")) row.classList.toggle("lit", lit.has(row.dataset.s));
    for (const key of all(".key")) key.setAttribute("aria-pressed", lit.has(key.dataset.s));
  };
  for (const span of all(".key")) {
    const key = document.createElement("button");
    key.type = "button";
    key.className = "key";
    key.dataset.s = span.dataset.s;
    key.title = "Show this learner alone in every figure";
    key.setAttribute("aria-pressed", "false");
    key.append(...span.childNodes);
    key.addEventListener("click", () => { lit.has(key.dataset.s) ? lit.delete(key.dataset.s) : lit.add(key.dataset.s); paint(); });
    span.replaceWith(key);
  }
  root.dataset.ready = "yes";
})();

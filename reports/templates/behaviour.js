"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const root = document.documentElement;
  const button = (words, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.append(words);
    made.addEventListener("click", act);
    return made;
  };

  // Light and dark.
  const theme = one("theme");
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const named = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; named(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", named);
  theme.hidden = false;
  named();

  // Tables that sort; empty cells come last either way.
  const value = (cell) => {
    const text = cell.dataset.v ?? cell.textContent.trim().replace(/^\u2212/, "-");
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
  for (const head of all("table.sortable thead th")) {
    const words = [...head.childNodes];
    const made = button("", () => sort(head.closest("table"), head));
    made.replaceChildren(...words);
    head.append(made);
  }

  // Filters of all results, kept in the address.
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

  // Only learners that pass the criteria ticked.
  const plausible = one("plausible");
  if (plausible) {
    const tick = () => {
      const asked = all("input:checked", plausible).map((box) => box.value);
      const rows = [...one("profiles").tBodies[0].rows];
      for (const row of rows) row.hidden = !asked.every((name) => row.dataset.passes.split(" ").includes(name));
      plausible.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} learners`;
    };
    plausible.addEventListener("input", tick);
    plausible.addEventListener("submit", (event) => event.preventDefault());
    plausible.hidden = false;
    tick();
    const open = () => { const asked = one(location.hash.slice(1)); if (asked?.matches("details")) asked.open = true; };
    addEventListener("hashchange", open);
    open();
  }

  // One learner, or some, lit in every figure and table.
  const lit = new Set();
  const clear = one("clear");
  const number = (drawn) => [...drawn.classList].find((name) => /^s-\d+$/.test(name))?.slice(2);
  const paint = () => {
    document.body.classList.toggle("lit", lit.size > 0);
    for (const drawn of all(".series")) drawn.classList.toggle("lit", lit.has(number(drawn)));
    for (const each of all("[data-s]:not(.key)")) each.classList.toggle("lit", lit.has(each.dataset.s));
    for (const key of all("button.key")) key.setAttribute("aria-pressed", lit.has(key.dataset.s));
    clear.hidden = lit.size === 0;
    const names = [...lit].map((s) => document.querySelector(`button.key[data-s="${s}"]`)?.textContent.trim());
    one("said").textContent = lit.size ? `Lit in every figure: ${names.join(", ")}` : "";
  };
  const toggle = (s) => { lit.has(s) ? lit.delete(s) : lit.add(s); paint(); };
  const none = () => { lit.clear(); paint(); };
  for (const span of all("span.key")) {
    const key = button("", () => toggle(span.dataset.s));
    key.className = "key";
    key.dataset.s = span.dataset.s;
    key.title = `${span.textContent.trim()}: show in every figure`;
    key.setAttribute("aria-pressed", "false");
    key.replaceChildren(...span.childNodes);
    span.replaceWith(key);
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("a, button, summary, input, label, select, pre, code") || String(getSelection())) return;
    const drawn = event.target.closest(".series");
    const s = drawn ? number(drawn) : event.target.closest("tr[data-s], article[data-s]")?.dataset.s;
    if (s) toggle(s);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && lit.size) none(); });
  clear.addEventListener("click", none);

  // Saving: what is in the page, as a file of its own.
  const save = (text, name, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  one("sheet").addEventListener("click", async (event) => {
    event.preventDefault();
    const bytes = Uint8Array.from(atob(event.target.href.split(",")[1]), (c) => c.charCodeAt(0));
    const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    save(await new Response(text).text(), "trials.csv", "text/csv");
  });
  const svg = (drawn) => {
    const copy = drawn.cloneNode(true);
    const style = getComputedStyle(root);
    const plain = (text) => text.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    for (const each of [copy, ...all("*", copy)]) {
      for (const at of each.attributes) if (at.value.includes("var(")) at.value = plain(at.value);
    }
    const { x, y, width, height } = drawn.viewBox.baseVal;
    const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, v] of Object.entries({ x, y, width, height, fill: plain("var(--paper)") })) paper.setAttribute(name, v);
    copy.querySelector("title").after(paper);
    for (const [name, v] of Object.entries({ width, height, "font-family": "sans-serif" })) copy.setAttribute(name, v);
    return new XMLSerializer().serializeToString(copy);
  };
  const safe = (cell) => {
    const risky = /^[\t\r\n]|^\s*[=+\-@]/.test(cell) && !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(cell);
    const text = risky ? `'${cell}` : cell;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => safe(cell.textContent.trim())).join(",") + "\n").join("");
  for (const figure of all("figure.drawing")) {
    const name = figure.dataset.name.replace(/[^\w-]+/g, "-");
    const tools = document.createElement("p");
    tools.className = "tools";
    const offers = { SVG: () => save(svg(figure.querySelector("svg.drawn")), `${name}.svg`, "image/svg+xml"),
      CSV: () => save(csv(figure.querySelector("table")), `${name}.csv`, "text/csv") };
    for (const [words, act] of Object.entries(offers)) {
      const made = button(words, act);
      made.setAttribute("aria-label", `Save as ${words}: ${figure.querySelector("figcaption b").textContent}`);
      tools.append(made);
    }
    figure.querySelector("details").before(tools);
  }
  root.dataset.ready = "yes";
})();

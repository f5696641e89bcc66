"use strict";
(() => {
  const PAGE = 50;
  const data = document.getElementById("rows");
  const table = document.querySelector("table.list");
  if (!data || !table) return;
  const rows = JSON.parse(data.textContent);
  const body = table.tBodies[0];
  const tools = document.getElementById("tools");
  const [search, level, disposition] = ["search", "level", "disposition"].map((id) => document.getElementById(id));
  const count = document.getElementById("count");
  const [back, on] = ["back", "on"].map((id) => document.getElementById(id));
  const order = ["critical", "high", "medium", "low", "info"];
  let page = 0;
  let sorted = { column: -1, up: false };
  let shown = rows;

  const cell = (row, text, name) => {
    const td = row.insertCell();
    td.className = name || "";
    td.textContent = text;
    return td;
  };

  function draw() {
    const last = Math.max(0, Math.ceil(shown.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    body.replaceChildren();
    for (const [lev, disp, who, agent, where, host, requests, score, id] of shown.slice(page * PAGE, page * PAGE + PAGE)) {
      const row = body.insertRow();
      const badge = document.createElement("span");
      badge.className = "level " + lev;
      badge.textContent = lev;
      cell(row, "").append(badge);
      const link = document.createElement("a");
      link.href = "#f" + id;
      link.textContent = disp;
      cell(row, "", "what").append(link);
      cell(row, who + (agent ? " for " + agent : ""));
      cell(row, where);
      cell(row, host);
      cell(row, requests, "n");
      cell(row, score.toFixed(3), "n");
    }
    const from = shown.length ? page * PAGE + 1 : 0;
    count.textContent = from + " to " + Math.min((page + 1) * PAGE, shown.length) + " of " + shown.length;
    back.disabled = page === 0;
    on.disabled = page === last;
  }

  function choose() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = rows.filter((row) => {
      if (level.value && order.indexOf(row[0]) > order.indexOf(level.value)) return false;
      if (disposition.value && row[1] !== disposition.value) return false;
      const text = row.join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    if (sorted.column >= 0) {
      const at = [0, 1, 2, 4, 5, 6, 7][sorted.column];
      const key = (row) => (at === 0 ? order.indexOf(row[0]) : row[at]);
      shown = [...shown].sort((a, b) => {
        const [one, other] = [key(a), key(b)];
        const less = one < other ? -1 : one > other ? 1 : 0;
        return sorted.up ? less : -less;
      });
    }
    page = 0;
    draw();
  }

  function open() {
    const id = location.hash.slice(1);
    if (!/^f[0-9a-f]{32}$/.test(id)) return;
    let card = document.getElementById(id);
    if (!card) {
      const kept = document.getElementById("t" + id);
      if (!kept) return;
      document.getElementById("called").prepend(kept.content.cloneNode(true));
      card = document.getElementById(id);
    }
    card.open = true;
    card.scrollIntoView();
    card.querySelector("summary").focus({ preventScroll: true });
  }

  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      sorted = { column, up: sorted.column === column ? !sorted.up : column < 5 };
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sorted.up ? "ascending" : "descending");
      choose();
    });
  });
  search.addEventListener("input", choose);
  level.addEventListener("change", choose);
  disposition.addEventListener("change", choose);
  const turn = (by) => () => { page += by; draw(); };
  back.addEventListener("click", turn(-1));
  on.addEventListener("click", turn(1));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
  addEventListener("hashchange", open);
  tools.hidden = false;
  draw();
  open();
})();

"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
  const column = (name, Type) => (data[name] ? new Type(bytes(data[name])) : null);
  const parent = column("parent", Int32Array);
  const action = column("action", Int32Array);
  const visits = column("visits", Float64Array);
  const value = column("value", Float32Array); // seen from the node
  const step = column("step", Float32Array); // seen by whoever took the step; of the root its value
  const reward = column("reward", Float32Array);
  const prior = column("prior", Float32Array);
  const terminal = column("terminal", Uint8Array);
  const extra = Object.entries(data.extra).map(([name, text]) => [name, new Float64Array(bytes(text))]);
  const texts = data.texts;
  const n = parent.length;
  const HEIGHT = 28; // of a row, as in the style sheet
  const SPARE = 8; // rows beyond either edge of what is seen
  const TALLEST = 12e6; // pixels; browsers clip what is much taller
  const collator = (a, b) => a - b;

  const depth = new Int32Array(n);
  for (let i = 1; i < n; i++) depth[i] = depth[parent[i]] + 1;
  const best = new Uint8Array(n);
  for (const i of data.best) best[i] = 1;
  const deepest = depth.reduce((a, b) => Math.max(a, b), 0);

  // Children of node i are kids[first[i]] to kids[first[i + 1] - 1].
  const first = new Int32Array(n + 1);
  for (let i = 1; i < n; i++) first[parent[i] + 1]++;
  for (let i = 0; i < n; i++) first[i + 1] += first[i];
  const kids = new Int32Array(Math.max(n - 1, 0));
  const number = (x) => (Number.isNaN(x) ? -Infinity : x);
  function arrange(by) {
    const next = first.slice(0, n);
    for (let i = 1; i < n; i++) kids[next[parent[i]]++] = i;
    const key = by === "visits" ? visits : by === "value" ? step : null;
    const rank = (a, b) => (key && number(key[b]) - number(key[a])) || action[a] - action[b];
    for (let i = 0; i < n; i++) if (first[i + 1] - first[i] > 1) kids.subarray(first[i], first[i + 1]).sort(rank);
  }

  // Colours: a share between 0 and 1 becomes a mix of the stops, the same in light and dark.
  const STOPS = { value: [[205, 92, 52], [196, 188, 166], [24, 134, 138]], visits: [[214, 208, 232], [128, 104, 196], [66, 40, 140]] };
  let mode = "value";
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < n; i++) if (!Number.isNaN(step[i])) { low = Math.min(low, step[i]); high = Math.max(high, step[i]); }
  const most = Math.log1p(visits.reduce((a, b) => Math.max(a, b), 0)) || 1;
  function mix(share, alpha) {
    const stops = STOPS[mode];
    const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
    const i = Math.min(Math.floor(at), stops.length - 2);
    const parts = stops[i].map((a, k) => Math.round(a + (stops[i + 1][k] - a) * (at - i)));
    return `rgba(${parts.join(",")},${alpha})`;
  }
  function colour(i, alpha) {
    if (mode === "visits") return visits[i] ? mix(Math.log1p(visits[i]) / most, alpha) : "";
    if (mode === "none" || Number.isNaN(step[i])) return "";
    return mix(high > low ? (step[i] - low) / (high - low) : 0.5, alpha);
  }

  const scale = low <= high ? Math.max(Math.abs(low), Math.abs(high)) : 0;
  const show = (x, digits = 5) => {
    if (Number.isNaN(x)) return "–";
    if (Math.abs(x) < 1e-7 * scale) return "0"; // what rounding left of a sum
    const plain = Math.abs(x) < 1e5 && (!x || Math.abs(x) >= 1e-4);
    return (plain ? String(+x.toPrecision(digits)) : x.toExponential(2)).replace("-", "−");
  };
  const count = (x) => x.toLocaleString("en-US");

  // What is unfolded, and the rows this makes.
  const open = new Uint8Array(n);
  let rows = new Int32Array(n);
  let nRows = 0;
  const place = new Int32Array(n);
  let chosen = 0;
  const stack = new Int32Array(n);
  function unfold() {
    place.fill(-1);
    nRows = 0;
    let top = 0;
    stack[top++] = 0;
    while (top) {
      const i = stack[--top];
      place[i] = nRows;
      rows[nRows++] = i;
      if (open[i]) for (let k = first[i + 1] - 1; k >= first[i]; k--) stack[top++] = kids[k];
    }
    full = nRows * HEIGHT;
    $("space").style.height = `${Math.min(full, TALLEST)}px`;
    draw();
  }
  const hasKids = (i) => first[i + 1] > first[i];
  function toggle(i, to = !open[i], deep = false) {
    if (!hasKids(i)) return;
    open[i] = to;
    if (deep) {
      let top = 0;
      stack[top++] = i;
      while (top) {
        const j = stack[--top];
        open[j] = to && hasKids(j);
        for (let k = first[j]; k < first[j + 1]; k++) stack[top++] = kids[k];
      }
    }
    unfold();
    if (place[chosen] < 0) choose(i, false);
  }

  // Only the rows in sight are in the document; their elements are used again as the view moves.
  const view = $("rows");
  const frame = $("window");
  const pool = [];
  let full = 0;
  const ratio = () => {
    const tall = Math.min(full, TALLEST), seen = view.clientHeight;
    return tall > seen ? (full - seen) / (tall - seen) : 1;
  };
  function makeRow() {
    const row = document.createElement("div");
    row.setAttribute("role", "treeitem");
    row.innerHTML =
      '<span class="step"><span class="indent"></span><button class="twist" type="button" tabindex="-1" aria-hidden="true"></button>' +
      '<span class="action"></span><span class="text" dir="auto"></span><span class="end" hidden>end</span></span>' +
      '<span class="v"><span class="chip"></span></span><span class="n"><span></span><i></i></span><span class="p"></span>';
    const [stepCell, v, nCell, p] = row.children;
    const [indent, twist, act, text, end] = stepCell.children;
    return { row, indent, twist, act, text, end, chip: v.firstChild, visits: nCell.firstChild, bar: nCell.lastChild, p };
  }
  function draw() {
    const offset = view.scrollTop * ratio();
    const from = Math.max(0, Math.min(Math.floor(offset / HEIGHT) - SPARE, nRows - 1));
    const to = Math.min(nRows, Math.ceil((offset + view.clientHeight) / HEIGHT) + SPARE);
    while (pool.length < to - from) pool.push(makeRow());
    while (frame.childElementCount > to - from) frame.lastChild.remove();
    for (let k = 0; k < to - from; k++) {
      fill(pool[k], rows[from + k]);
      if (!pool[k].row.isConnected) frame.append(pool[k].row);
    }
    frame.style.transform = `translateY(${view.scrollTop - offset + from * HEIGHT}px)`;
    const active = place[chosen] >= from && place[chosen] < to ? `node-${chosen}` : "";
    if (active) view.setAttribute("aria-activedescendant", active);
    else view.removeAttribute("aria-activedescendant");
  }
  function fill(part, i) {
    const { row } = part;
    const kinds = ["row"];
    if (best[i]) kinds.push("best");
    if (i === chosen) kinds.push("chosen");
    if (open[i]) kinds.push("open");
    if (!hasKids(i)) kinds.push("leaf");
    if (!visits[i]) kinds.push("idle");
    row.className = kinds.join(" ");
    row.id = `node-${i}`;
    row.setAttribute("aria-level", depth[i] + 1);
    row.setAttribute("aria-selected", i === chosen);
    if (hasKids(i)) row.setAttribute("aria-expanded", Boolean(open[i]));
    else row.removeAttribute("aria-expanded");
    // Deep down the steps of the indentation get smaller, so that texts stay in sight.
    part.indent.style.width = `${Math.min(depth[i], 16) * 18 + Math.min(Math.max(depth[i] - 16, 0), 40) * 3}px`;
    part.act.textContent = i ? action[i] : "";
    const text = textOf(i);
    if (text) snippet(part.text, text);
    else part.text.textContent = i ? `action ${action[i]}` : "root";
    part.text.classList.toggle("bare", !text);
    part.end.hidden = !terminal[i];
    part.chip.textContent = show(step[i], 3);
    part.chip.style.background = colour(i, 0.22);
    part.chip.style.borderLeftColor = colour(i, 1) || "transparent";
    part.visits.textContent = count(visits[i]);
    part.bar.style.width = `${i && visits[parent[i]] ? Math.min(1, visits[i] / visits[parent[i]]) * 112 : i ? 0 : 112}px`;
    part.p.textContent = prior && i ? show(prior[i], 3) : "";
  }
  const textOf = (i) => (texts && texts[i] !== null ? texts[i] : "");
  function snippet(element, text) {
    let shown = text;
    if (shown.length > 400) {
      const at = query ? shown.toLowerCase().indexOf(query) : -1;
      const from = at > 80 ? at - 40 : 0;
      shown = (from ? "…" : "") + shown.slice(from, from + 400);
    }
    marked(element, shown.replace(/\s+/g, " ").trim());
  }
  function marked(element, text) {
    const lower = query ? text.toLowerCase() : "";
    if (!query || lower.length !== text.length || !lower.includes(query)) {
      element.textContent = text;
      return;
    }
    element.textContent = "";
    let done = 0;
    for (let at = lower.indexOf(query); at >= 0; at = lower.indexOf(query, done)) {
      const mark = document.createElement("mark");
      mark.textContent = text.slice(at, at + query.length);
      element.append(text.slice(done, at), mark);
      done = at + query.length;
    }
    element.append(text.slice(done));
  }

  function choose(i, reveal = true) {
    chosen = i;
    if (reveal) {
      let closed = false;
      for (let j = parent[i]; j >= 0; j = parent[j]) {
        closed = closed || !open[j];
        open[j] = 1;
      }
      if (closed) unfold();
      const top = place[i] * HEIGHT, at = view.scrollTop * ratio();
      if (top < at) view.scrollTop = top / ratio();
      else if (top + HEIGHT > at + view.clientHeight) view.scrollTop = (top + HEIGHT - view.clientHeight) / ratio();
    }
    draw();
    describe();
    paint();
  }

  // The details of the chosen node.
  function make(tag, text, kind) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  }
  function describe() {
    const i = chosen;
    const panel = $("details");
    panel.textContent = "";
    panel.append(make("h2", i ? `Node ${count(i)}, step ${depth[i]}` : "Root"));
    const list = make("dl");
    const fact = (name, text) => {
      const pair = make("div");
      pair.append(make("dt", name), make("dd", text));
      list.append(pair);
    };
    fact("Visits", count(visits[i]) + (i && visits[parent[i]] ? `, ${((100 * visits[i]) / visits[parent[i]]).toFixed(1)} % of its parent's` : ""));
    fact(i ? "Value of the step" : "Value", show(step[i]));
    if (i && step[i] !== value[i] && !Number.isNaN(value[i])) fact("Value of the node", show(value[i]));
    if (prior && i) fact("Prior", show(prior[i]));
    if (reward && i) fact("Reward", show(reward[i]));
    fact("Children", count(first[i + 1] - first[i]));
    if (i) fact("Action", String(action[i]));
    if (terminal[i]) fact("State", "end of a path");
    else if (!visits[i]) fact("State", "not evaluated");
    for (const [name, values] of extra) fact(name, show(values[i]));
    panel.append(list);
    const text = textOf(i);
    if (text) {
      panel.append(make("h3", "Text"));
      const full = make("pre", undefined, "full");
      marked(full, text.slice(0, 20000) + (text.length > 20000 ? ` … ${count(text.length - 20000)} more characters` : ""));
      panel.append(full);
    }
    if (i) {
      panel.append(make("h3", "Path from the root"));
      const path = make("ol", undefined, "path");
      const nodes = [];
      for (let j = i; j >= 0; j = parent[j]) nodes.push(j);
      nodes.reverse();
      if (nodes.length > 60) path.append(make("li", `… ${count(nodes.length - 60)} earlier steps`));
      for (const j of nodes.slice(-60)) {
        const item = make("li");
        const button = make("button");
        button.type = "button";
        button.style.borderLeftColor = colour(j, 1);
        button.append(make("small", `${j ? `action ${action[j]}` : "root"} · value ${show(step[j])} · ${count(visits[j])} visits`));
        const words = textOf(j).trim();
        button.append(words.length > 300 ? `${words.slice(0, 300)}…` : words);
        button.addEventListener("click", () => choose(j));
        item.append(button);
        path.append(item);
      }
      panel.append(path);
    }
    const keys = make("p", undefined, "keys");
    for (const [key, what] of [["↑ ↓", "move"], ["→ ←", "unfold, fold"], ["*", "unfold siblings"], ["/", "search"], ["b", "best path"]]) {
      keys.append(make("kbd", key), ` ${what}   `);
    }
    panel.append(keys);
  }

  // The map: a row for each depth, each node as wide as its share of the visits.
  const map = $("map");
  let boxes = [];
  function paint() {
    const width = map.clientWidth, height = map.clientHeight, dense = window.devicePixelRatio || 1;
    map.width = Math.round(width * dense);
    map.height = Math.round(height * dense);
    const brush = map.getContext("2d");
    brush.scale(dense, dense);
    const style = getComputedStyle(document.documentElement);
    const plain = style.getPropertyValue("--bar"), ink = style.getPropertyValue("--ink");
    const levels = Math.min(deepest + 1, Math.floor(height / 3));
    const tall = height / levels;
    const gap = tall > 5 ? 1 : 0.5;
    boxes = [];
    const todo = [[0, 0, width]];
    while (todo.length) {
      const [i, left, right] = todo.pop();
      const d = depth[i];
      brush.fillStyle = colour(i, 1) || plain;
      brush.globalAlpha = visits[i] ? 1 : 0.4;
      brush.fillRect(left, d * tall, Math.max(right - left - (right - left > 3 ? 0.7 : 0), 0.4), tall - gap);
      boxes.push([i, left, right, d * tall, (d + 1) * tall]);
      if (d + 1 >= levels) continue;
      let sum = 0;
      for (let k = first[i]; k < first[i + 1]; k++) sum += visits[kids[k]];
      const unit = (right - left) / Math.max(sum, visits[i], 1);
      let at = left;
      for (let k = first[i]; k < first[i + 1]; k++) {
        const wide = visits[kids[k]] * unit;
        if (wide >= 0.4) todo.push([kids[k], at, at + wide]);
        at += wide;
      }
    }
    brush.globalAlpha = 1;
    const on = new Set();
    for (let j = chosen; j >= 0; j = parent[j]) on.add(j);
    for (const [i, left, right, top, bottom] of boxes) {
      if (!on.has(i) && !best[i]) continue;
      brush.strokeStyle = ink;
      brush.lineWidth = i === chosen ? 2 : 1;
      const wide = Math.max(right - left - 1.5, 1);
      if (on.has(i) && (tall > 7 || i === chosen)) brush.strokeRect(left + 0.5, top + 0.5, wide, Math.max(bottom - top - gap - 1, 1));
      if (best[i] && tall > 4) {
        const thick = tall > 7 ? 2 : 1;
        brush.fillStyle = ink;
        brush.fillRect(left, bottom - gap - thick, wide, thick);
      }
    }
  }
  const boxAt = (event) => {
    const area = map.getBoundingClientRect();
    const x = event.clientX - area.left, y = event.clientY - area.top;
    return boxes.find(([, left, right, top, bottom]) => x >= left && x < right && y >= top && y < bottom);
  };
  map.addEventListener("click", (event) => { const box = boxAt(event); if (box) choose(box[0]); });
  map.addEventListener("mousemove", (event) => {
    const box = boxAt(event);
    map.title = box ? `${textOf(box[0]).slice(0, 200) || `node ${box[0]}`}\nvalue ${show(step[box[0]])} · ${count(visits[box[0]])} visits` : "";
  });

  // Search.
  let query = "";
  let hits = [];
  let hit = -1;
  let lower = null;
  function find() {
    query = $("search").value.trim().toLowerCase();
    hits = [];
    hit = -1;
    const named = /^#(\d+)$/.exec(query);
    if (named) {
      if (+named[1] < n) hits = [+named[1]];
      query = "";
    } else if (query && texts) {
      lower = lower || texts.map((text) => (text === null ? "" : text.toLowerCase()));
      // In the order of the page, whether unfolded or not.
      let top = 0;
      stack[top++] = 0;
      while (top) {
        const i = stack[--top];
        if (lower[i].includes(query)) hits.push(i);
        for (let k = first[i + 1] - 1; k >= first[i]; k--) stack[top++] = kids[k];
      }
    }
    if (hits.length) jump(1);
    else draw();
    tally();
  }
  const tally = () => { $("found").textContent = $("search").value.trim() ? (hits.length ? `${count(hit + 1)} of ${count(hits.length)}` : "none") : ""; };
  function jump(by) {
    if (!hits.length) return;
    hit = (hit + by + hits.length) % hits.length;
    choose(hits[hit]);
    tally();
  }

  function showBest() {
    for (const i of data.best) open[i] = hasKids(i);
    unfold();
    choose(data.best[data.best.length - 1]);
  }
  function all(to) {
    for (let i = 0; i < n; i++) open[i] = to && hasKids(i);
    open[0] = hasKids(0);
    unfold();
    if (place[chosen] < 0) choose(0);
    else choose(chosen);
  }
  function setColour(to) {
    mode = to;
    const stops = STOPS[mode];
    $("legend").style.visibility = stops ? "" : "hidden";
    if (stops) $("ramp").style.background = `linear-gradient(to right, ${stops.map((s) => `rgb(${s.join(",")})`).join(", ")})`;
    $("low").textContent = mode === "value" ? show(low <= high ? low : NaN) : "0";
    $("high").textContent = mode === "value" ? show(low <= high ? high : NaN) : count(Math.round(Math.expm1(most)));
    draw();
    describe();
    paint();
  }

  frame.addEventListener("mousedown", (event) => event.preventDefault()); // the tree keeps the focus
  frame.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    view.focus({ preventScroll: true });
    const i = Number(row.id.slice(5));
    if (event.target.closest(".twist")) toggle(i, undefined, event.shiftKey);
    else choose(i, false);
  });
  frame.addEventListener("dblclick", (event) => {
    const row = event.target.closest(".row");
    if (row && !event.target.closest(".twist")) toggle(Number(row.id.slice(5)));
  });
  let waiting = false;
  view.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });
  new ResizeObserver(() => { draw(); paint(); }).observe(view);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

  const page = () => Math.max(1, Math.floor(view.clientHeight / HEIGHT) - 1);
  const go = (row) => choose(rows[Math.min(Math.max(row, 0), nRows - 1)]);
  const KEYS = {
    ArrowDown: () => go(place[chosen] + 1),
    ArrowUp: () => go(place[chosen] - 1),
    PageDown: () => go(place[chosen] + page()),
    PageUp: () => go(place[chosen] - page()),
    Home: () => go(0),
    End: () => go(nRows - 1),
    ArrowRight: () => { if (hasKids(chosen)) { if (open[chosen]) choose(kids[first[chosen]]); else toggle(chosen, true); } },
    ArrowLeft: () => { if (open[chosen]) toggle(chosen, false); else if (chosen) choose(parent[chosen]); },
    Enter: () => toggle(chosen),
    " ": () => toggle(chosen),
    "*": () => {
      if (!chosen) return toggle(0, true);
      for (let k = first[parent[chosen]]; k < first[parent[chosen] + 1]; k++) open[kids[k]] = hasKids(kids[k]);
      unfold();
      choose(chosen);
    },
    b: showBest,
  };
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      $("search").focus();
      $("search").select();
    }
  });
  let timer = 0;
  $("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 120); });
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      clearTimeout(timer);
      const wanted = $("search").value.trim().toLowerCase();
      if (wanted === query && hits.length) jump(event.shiftKey ? -1 : 1);
      else find();
    } else if (event.key === "Escape") {
      $("search").value = "";
      find();
      view.focus();
    }
  });
  $("next").addEventListener("click", () => jump(1));
  $("previous").addEventListener("click", () => jump(-1));
  $("colour").addEventListener("change", (event) => setColour(event.target.value));
  $("order").addEventListener("change", (event) => { arrange(event.target.value); unfold(); choose(chosen); });
  $("best").addEventListener("click", showBest);
  $("expand").addEventListener("click", () => all(1));
  $("collapse").addEventListener("click", () => all(0));

  const said = [`${count(n)} node${n === 1 ? "" : "s"}`, `${count(visits.reduce((a, x) => a + (x > 0), 0))} evaluated`];
  const ends = terminal.reduce((a, x) => a + x, 0);
  if (ends) said.push(`${count(ends)} terminal`);
  said.push(`depth ${deepest}`, data.note);
  $("summary").textContent = said.filter(Boolean).join("  ·  ");
  document.body.classList.toggle("noprior", !prior);
  arrange("visits");
  open[0] = hasKids(0);
  for (const i of data.best) open[i] = hasKids(i);
  unfold();
  setColour("value");
  choose(0);
  view.focus({ preventScroll: true });
})();

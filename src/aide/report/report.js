"use strict";
// Everything that a model wrote reaches the page through textContent alone.
const $ = (id) => document.getElementById(id);
const el = (tag, cls, text) => {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  return node;
};
const bdi = (text) => el("bdi", "", text);
const root = document.documentElement;
const [ID, PARENT, HOP, OP, ALONG, ANCHORED, REL, DIV, LIKE, REVISED, INPUT, OUTPUT, CHOICES, WHOLE, GOOD, BAD, MODEL] = Array(17).keys();

// --- light and dark -------------------------------------------------------------------------------
const remembered = (() => { try { return localStorage.getItem("aide-theme"); } catch { return null; } })();
root.dataset.theme = remembered || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
$("theme").onclick = () => {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("aide-theme", root.dataset.theme); } catch { /* a file may have no storage */ }
  picture.draw();
};

// --- data -----------------------------------------------------------------------------------------
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}
let seeds = [], records = [], nodes = [], rejectsOf = new Map();

function build(data) {
  seeds = data.seeds;
  records = data.records;
  const top = { id: "", name: "all seeds", depth: 0, parent: null, kids: [], row: null, good: 0, bad: 0 };
  const rows = seeds.map((seed, n) => ({
    id: seed[0], name: seed[1] || `seed ${n + 1}`, depth: 1, parent: top, kids: [], row: null, seed, good: seed[4], bad: seed[5],
  }));
  for (const row of records) rows.push({
    id: row[ID], name: row[OP], depth: row[HOP] + 1, parent: rows[row[PARENT]], kids: [], row, good: row[GOOD], bad: row[BAD],
  });
  for (const node of rows) node.parent.kids.push(node);
  for (const node of rows) node.root = node.row ? node.parent.root : node;
  for (let n = rows.length - 1; n >= 0; n--) rows[n].below = 1 + rows[n].kids.reduce((sum, kid) => sum + kid.below, 0);
  top.below = rows.filter((node) => !node.row).reduce((sum, node) => sum + node.below, 0) || 1;
  top.good = top.kids.reduce((sum, kid) => sum + kid.good, 0);
  top.bad = top.kids.reduce((sum, kid) => sum + kid.bad, 0);
  nodes = [top, ...rows];
  for (const reject of data.rejects) {
    const parent = rows[reject[1]];
    if (!rejectsOf.has(parent)) rejectsOf.set(parent, []);
    rejectsOf.get(parent).push(reject);
  }
}
const words = (node) => (node.row ? node.row[INPUT] : node.seed ? node.seed[2] : "");
const under = (node) => (node.parent ? node.below - 1 : records.length);
const counted = (number, name) => number.toLocaleString("en") + (name ? ` ${name}${number === 1 ? "" : "s"}` : "");
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// --- the picture: columns of branches, a seed's hops from left to right -----------------------------
const OPS = ["--in", "--out", "--surplus", "--accepted", "--failed", "--open", "--pruned"];
const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const mix = (a, b, t) => {
  const part = (hex, n) => parseInt(hex.slice(1 + 2 * n, 3 + 2 * n), 16);
  return `rgb(${[0, 1, 2].map((n) => Math.round(part(a, n) + (part(b, n) - part(a, n)) * t)).join(",")})`;
};
const GRADES = { likeness: LIKE, relevance: REL, diversity: DIV };
const HEAD = 24; // pixels above the branches, for the names of the columns
const picture = {
  focus: null, boxes: [], operations: [],
  open(node) {
    this.focus = node;
    this.draw();
    this.tell();
  },
  raw(node) {
    const kind = $("colour").value;
    if (kind === "yield") return node.good + node.bad ? node.good / (node.good + node.bad) : null;
    if (!node.row) {
      const values = kind === "operation" ? [] : node.kids.map((kid) => this.raw(kid)).filter((value) => value !== null);
      return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
    }
    if (kind === "operation") return this.operations.indexOf(node.row[OP]);
    return node.row[GRADES[kind]];
  },
  range() {
    // From the bad end to the good end of what this run has, so that its differences show.
    const kind = $("colour").value;
    if (kind === "yield") return [0, 1];
    const values = records.map((row) => row[GRADES[kind]]).filter((value) => value != null).sort((a, b) => a - b);
    return [0.02, 0.98].map((share) => values[Math.floor(share * (values.length - 1))] ?? 0);
  },
  value(node) {
    const raw = this.raw(node);
    if (raw === null || $("colour").value === "operation") return raw;
    const [low, high] = this.ends;
    return low === high ? 1 : Math.min(1, Math.max(0, (raw - low) / (high - low)));
  },
  colour(node, tones) {
    const value = this.value(node);
    if (value === null) return tones.none;
    if ($("colour").value === "operation") return tones.ops[value % OPS.length];
    return value < 0.5 ? mix(tones.low, tones.mid, value * 2) : mix(tones.mid, tones.high, value * 2 - 1);
  },
  draw() {
    const canvas = $("picture"), top = this.focus;
    if (!top) return;
    const width = canvas.clientWidth || 800, height = Math.min(width < 600 ? 420 : 560, HEAD + Math.max(3, top.below) * 26), scale = devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const tones = {
      none: css("--soft"), low: css("--failed"), mid: css("--rejected"), high: css("--accepted"), ops: OPS.map(css),
      ink: css("--ink"), card: css("--card"),
    };
    const deepest = Math.max(1, ...nodes.map((node) => node.depth)), columns = deepest - top.depth + 1;
    const room = columns > 1 ? Math.min(96, width * 0.16) : 0, wide = columns > 1 ? (width - room) / (columns - 1) : width;
    this.boxes = [];
    this.ends = this.range();
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.fillStyle = css("--dim");
    for (let n = columns > 1 && !top.parent ? 1 : 0; n < columns; n++) {
      const depth = top.depth + n, name = depth > 1 ? `hop ${depth - 1}` : depth ? (n ? "seeds" : "seed") : "all";
      pen.fillText(name, (n ? room + (n - 1) * wide : 0) + 7, HEAD / 2 - 2);
    }
    const even = $("size").value === "even" && !top.parent;
    const place = (node, x, y, tall) => {
      const w = node === top ? (room || width) : wide;
      this.boxes.push([node, x, y, w, tall]);
      pen.fillStyle = node === top && !top.parent ? tones.none : this.colour(node, tones);
      const gap = tall > 3 ? 1 : tall > 1.2 ? 0.4 : 0;
      pen.fillRect(x, y, w - 1.5, Math.max(tall - gap, 0.3));
      let at = y;
      const whole = node === top ? node.kids.reduce((sum, kid) => sum + kid.below, 0) || 1 : node.below - 1 || 1;
      // a record without children of its own leaves the columns beyond it empty
      for (const kid of node.kids) {
        const share = even && node === top ? 1 / node.kids.length : kid.below / whole;
        place(kid, x + w, at, tall * share);
        at += tall * share;
      }
    };
    place(top, 0, HEAD, height - HEAD);
    for (const [node, x, y, w, tall] of this.boxes) {
      if (tall < 15) continue;
      pen.save();
      pen.beginPath();
      pen.rect(x, y, w - 8, tall);
      pen.clip();
      pen.fillStyle = node === top && !top.parent ? tones.ink : this.value(node) === null ? tones.ink : "#10151a";
      const fit = (text) => {
        const room = w - 14, wide = (words) => pen.measureText(words).width;
        if (wide(text) <= room) return text;
        let end = Math.floor(text.length * room / wide(text));
        while (end > 0 && wide(`${text.slice(0, end)}…`) > room) end--;
        return end > 0 ? `${text.slice(0, end)}…` : "";
      };
      const label = node.row ? short(words(node), 160) : node === nodes[0] ? (w < 85 ? `${node.kids.length}` : counted(node.kids.length, "seed")) : `${node.name}: ${short(words(node), 120)}`;
      pen.fillText(fit(label.replace(/\s+/g, " ")), x + 7, y + Math.min(tall / 2, 14));
      const kept = node.parent && node.good + node.bad ? `, yield ${node.good} of ${node.good + node.bad}` : "";
      if (tall > 40 && w > 75 && under(node)) pen.fillText(fit(`${counted(under(node))} below${kept}`), x + 7, y + Math.min(tall / 2, 14) + 17);
      pen.restore();
    }
    this.legend(tones);
  },
  legend(tones) {
    const names = !records.length ? [] : $("colour").value === "operation"
      ? this.operations.map((name, n) => [tones.ops[n % OPS.length], name])
      : [[tones.low, 0, "low"], [tones.mid, 0.5, ""], [tones.high, 1, "high"]].map(([tone, part, word]) => [tone, `${this.told(this.ends[0] + (this.ends[1] - this.ends[0]) * part)} ${word}`]);
    $("scale").replaceChildren(...names.map(([tone, name]) => {
      const span = el("span", "", name), dot = el("i");
      dot.style.background = tone;
      span.prepend(dot);
      return span;
    }));
  },
  told(value) {
    return $("colour").value === "yield" ? `${Math.round(100 * value)}%` : `${+value.toFixed($("colour").value === "likeness" ? 2 : 1)}`;
  },
  at(event) {
    const box = $("picture").getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const found = this.boxes.filter(([, bx, by, w, tall]) => x >= bx && x < bx + w && y >= by && y < by + tall);
    return found.length ? found[found.length - 1][0] : null;
  },
  tell() {
    const way = [];
    for (let node = this.focus; node; node = node.parent) way.unshift(node);
    $("crumbs").replaceChildren(...way.flatMap((node, n) => {
      const button = el("button", "", node.row ? `hop ${node.row[HOP]}: ${short(words(node), 40)}` : node.name);
      button.type = "button";
      button.onclick = () => this.open(node);
      return n ? [document.createTextNode("›"), button] : [button];
    }));
    const node = this.focus, out = $("branch");
    const from = node.row ? "this record" : node.seed ? "this seed" : "the seeds";
    const facts = el("p", "", `${counted(node.good + node.bad, "candidate")} grown directly from ${from}, ${counted(node.good)} accepted; ${counted(under(node), "record")} below in this file.`);
    const kids = el("div", "kids");
    const tones = { none: css("--line"), low: css("--failed"), mid: css("--rejected"), high: css("--accepted"), ops: OPS.map(css) };
    for (const kid of node.kids.slice(0, 200)) {
      const button = el("button"), dot = el("i");
      dot.style.background = this.colour(kid, tones);
      button.type = "button";
      button.dataset.id = kid.id;
      button.append(dot, bdi(`${kid.row ? kid.row[OP] : kid.name}: ${short(words(kid).replace(/\s+/g, " "), 80)}`));
      button.onclick = () => this.open(kid);
      kids.append(button);
    }
    if (node.kids.length > 200) kids.append(el("p", "note", `the first 200 of ${node.kids.length.toLocaleString("en")}`));
    out.replaceChildren(facts, ...(node.row ? [detail(node)] : node.seed ? [el("p", "", "")] : []), kids);
    if (node.seed) out.children[1].append(bdi(node.seed[2]));
  },
};

// --- a record beside where it came from --------------------------------------------------------------
const tokens = (text) => text.match(/\s+|[\p{L}\p{N}]+|[^\s]/gu) || [];
function fresh(before, after) {
  // Marks the words of `after` that no longest common run of both has.
  const a = tokens(before).filter((word) => word.trim()), b = tokens(after), real = b.flatMap((word, n) => (word.trim() ? [n] : []));
  if (a.length * real.length > 400000) return b.map((word) => [word, false]);
  const size = real.length + 1, table = new Uint16Array((a.length + 1) * size);
  for (let i = a.length - 1; i >= 0; i--) for (let j = real.length - 1; j >= 0; j--)
    table[i * size + j] = a[i] === b[real[j]] ? table[(i + 1) * size + j + 1] + 1 : Math.max(table[(i + 1) * size + j], table[i * size + j + 1]);
  const same = new Set();
  for (let i = 0, j = 0; i < a.length && j < real.length;) {
    if (a[i] === b[real[j]]) { same.add(real[j]); i++; j++; } else if (table[(i + 1) * size + j] >= table[i * size + j + 1]) i++; else j++;
  }
  return b.map((word, n) => [word, word.trim() !== "" && !same.has(n)]);
}
function marked(before, after) {
  const out = el("bdi");
  let run = null;
  const parts = fresh(before, after);
  parts.forEach(([word, isNew], n) => {
    const joined = !isNew && !word.trim() && run && parts[n + 1] && parts[n + 1][1];
    if (isNew || joined) {
      if (!run) out.append((run = el("ins")));
      run.append(word);
    } else {
      run = null;
      out.append(word);
    }
  });
  return out;
}
function card(title, id, body, answer, own) {
  const box = el("div", own ? "card own" : "card"), head = el("h4", "", title);
  head.append(el("code", "", id.slice(0, 8)));
  box.append(head, body);
  if (answer) {
    const said = el("div", "answer");
    said.append(bdi(answer));
    box.append(said);
  }
  return box;
}
function detail(node) {
  const row = node.row, above = node.parent, seed = node.root;
  const out = el("div", "detail"), cards = el("div", above === seed ? "cards pair" : "cards");
  cards.append(card("seed", seed.id, bdi(seed.seed[2]), seed.seed[3]));
  if (above !== seed) cards.append(card(`parent, hop ${above.row[HOP]}`, above.id, bdi(words(above)), above.row[OUTPUT]));
  const own = card(`record, hop ${row[HOP]}`, row[ID], marked(words(above), row[INPUT]), row[CHOICES].length ? "" : row[OUTPUT], true);
  if (row[CHOICES].length) {
    const list = el("ol");
    for (const choice of row[CHOICES]) {
      const item = el("li", choice === row[OUTPUT] ? "right" : "");
      item.append(bdi(choice + (choice === row[OUTPUT] ? "  ✓" : "")));
      list.append(item);
    }
    own.append(list);
  }
  cards.append(own);
  const chips = el("div", "chips");
  const facts = [`${row[OP]}: ${row[ALONG]}`, row[ANCHORED] ? "anchored to the seed" : "not anchored", row[REL] === null ? "" : `relevance ${row[REL]}`,
    row[DIV] === null ? "" : `diversity ${row[DIV]}`, `likeness to the seed ${row[LIKE]}`, row[REVISED] ? `revised ${row[REVISED]}×` : "", row[MODEL], row[ID]];
  for (const fact of facts) if (fact) chips.append(el("span", "", fact));
  out.append(cards, chips, siblings(node));
  if (row[WHOLE]) {
    const whole = el("details"), text = el("p");
    text.append(bdi(row[WHOLE]));
    whole.append(el("summary", "", "the whole input, fixed parts included"), text);
    out.append(whole);
  }
  const button = el("button", "prompts", "prompts and raw answers");
  button.type = "button";
  button.onclick = () => prompts(row[ID], button);
  out.append(button);
  return out;
}
function siblings(node) {
  const box = el("details", "siblings"), lost = rejectsOf.get(node.parent) || [];
  box.append(el("summary", "", `its parent has ${node.parent.good} accepted children and ${node.parent.bad} that were not`));
  const list = el("ul");
  for (const [, , , op, step, reason, why] of lost) {
    const item = el("li");
    item.append(bdi(`${op}: ${reason} at ${step}. ${why}`));
    list.append(item);
  }
  box.append(list);
  return box;
}
const batches = [...document.querySelectorAll("script.calls")], read = new Map();
async function prompts(id, button) {
  const place = records.findIndex((row) => row[ID] === id), number = Math.floor(place / 100), box = el("div", "calls");
  if (number >= batches.length) {
    box.append(el("p", "note", `not in this file, which holds the prompts of its first ${batches.length * 100} records: aide trace DIR ${id} --prompts shows them`));
  } else {
    if (!read.has(number)) read.set(number, await unpack(batches[number].textContent));
    const { lines, nodes: calls, shared } = read.get(number), said = (numbers) => numbers.map((n) => lines[n]).join("\n");
    const rows = [...shared[id], [id, 1]].flatMap(([node, count]) => (calls[node] || []).map((row) => [count, ...row]));
    for (const [count, step, draw, attempt, model, sent, got, seconds, system, user, answer] of rows) {
      const call = el("details", "call"), again = (draw ? `, draw ${draw}` : "") + (attempt ? ", asked again" : "");
      const many = count > 1 ? `, for ${count} records` : "";
      call.append(el("summary", "", `${step}${again}${many} · ${sent} + ${got} tokens · ${seconds} s · ${model}`));
      for (const [name, text] of [["system", said(system)], ["user", said(user)], ["answer", answer]]) call.append(el("h3", "", name), el("pre", "", text));
      box.append(call);
    }
    if (!box.children.length) box.append(el("p", "note", "no call of its own: it came from one that served a sibling too"));
  }
  button.replaceWith(box);
}

// --- the browser --------------------------------------------------------------------------------------
const PAGE = 25;
let found = [], listed = 0, haystack = [];
function fill(id, values) {
  $(id).replaceChildren(...values.map(([value, name]) => {
    const option = el("option", "", name);
    option.value = value;
    return option;
  }));
}
function search() {
  const query = $("search").value.toLowerCase().split(/\s+/).filter(Boolean), all = nodes.slice(1 + seeds.length);
  const most = (id, n, row) => !$(id).value || (row[n] !== null && row[n] <= Number($(id).value));
  found = all.filter((node, n) => {
    const row = node.row;
    return (!$("f-hop").value || row[HOP] === Number($("f-hop").value)) && (!$("f-op").value || row[OP] === $("f-op").value)
      && (!$("f-seed").value || node.root.id === $("f-seed").value) && most("f-rel", REL, row) && most("f-div", DIV, row)
      && query.every((word) => haystack[n].includes(word));
  });
  const orders = { likeness: (a) => a.row[LIKE], relevance: (a) => a.row[REL] ?? 99, diversity: (a) => a.row[DIV] ?? 99, length: (a) => -a.row[INPUT].length };
  const key = orders[$("f-order").value];
  if (key) found.sort((a, b) => key(a) - key(b));
  $("list").replaceChildren();
  listed = 0;
  $("count").textContent = `${found.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} records`;
  more();
}
function more() {
  for (const node of found.slice(listed, listed + PAGE)) $("list").append(item(node));
  listed = Math.min(found.length, listed + PAGE);
  $("more").hidden = listed >= found.length;
}
function item(node) {
  const row = node.row, box = el("div", "item"), head = el("button"), line = el("span", "line");
  head.type = "button";
  head.setAttribute("aria-expanded", "false");
  line.append(bdi(short(row[INPUT], 400).replace(/\s+/g, " ")));
  head.append(line, el("span", "facts", `hop ${row[HOP]} · ${row[OP]}${row[REL] === null ? "" : ` · ${row[REL]}/${row[DIV]}`}`), el("span", "along", row[ALONG]));
  head.onclick = () => {
    const open = box.querySelector(".detail");
    if (open) open.remove(); else box.append(detail(node));
    head.setAttribute("aria-expanded", String(!open));
  };
  box.append(head);
  return box;
}

// --- begin ----------------------------------------------------------------------------------------------
async function begin() {
  build(await unpack($("data").textContent));
  haystack = records.map((row) => [row[ID], row[INPUT], row[OUTPUT], row[ALONG], ...row[CHOICES]].join("\n").toLowerCase());
  const distinct = (n) => [...new Set(records.map((row) => row[n]))].sort();
  picture.operations = distinct(OP);
  fill("f-hop", [["", "any"], ...distinct(HOP).map((hop) => [hop, hop])]);
  fill("f-op", [["", "any"], ...picture.operations.map((op) => [op, op])]);
  fill("f-seed", [["", "any"], ...seeds.map((seed, n) => [seed[0], `${seed[1] || n + 1}: ${short(seed[2].replace(/\s+/g, " "), 40)}`])]);
  for (const id of ["f-rel", "f-div"]) fill(id, [["", "any"], ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [n, n])]);
  let waiting = 0;
  $("search").oninput = () => { clearTimeout(waiting); waiting = setTimeout(search, 120); };
  for (const id of ["f-hop", "f-op", "f-seed", "f-rel", "f-div", "f-order"]) $(id).onchange = search;
  $("filters").onreset = () => setTimeout(search);
  $("more").onclick = more;
  $("picture").onclick = (event) => { const node = picture.at(event); if (node) picture.open(node === picture.focus && node.parent ? node.parent : node); };
  $("picture").onmousemove = (event) => {
    const node = picture.at(event);
    $("hover").textContent = node && node.parent ? `${node.row ? `hop ${node.row[HOP]}, ${node.row[OP]}` : node.name}: ${words(node)}` : "\u00a0";
  };
  for (const id of ["colour", "size"]) $(id).onchange = () => { picture.draw(); picture.tell(); };
  addEventListener("resize", () => picture.draw());
  picture.open(nodes[0]);
  search();
  root.dataset.ready = "yes";
}
begin().catch((fault) => { $("count").textContent = `this browser can't unpack the records: ${fault.message}`; throw fault; });

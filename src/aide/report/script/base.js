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
const [ID, PARENT, HOP, OP, ALONG, ANCHORED, REL, DIV, LIKE, REVISED, INPUT, OUTPUT, CHOICES, WHOLE, GOOD, BAD, MODEL, LABELS, FORMAT, BY_PERSONA, VOTES] = Array(21).keys();
// The places of a reject.
const LOST = { id: 0, parent: 1, hop: 2, op: 3, step: 4, reason: 5, why: 6, text: 7, labels: 8, failed: 9 };

// --- light and dark -------------------------------------------------------------------------------
const remembered = (() => { try { return localStorage.getItem("aide-theme"); } catch { return null; } })();
root.dataset.theme = remembered || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
$("theme").onclick = () => {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("aide-theme", root.dataset.theme); } catch { /* a file may have no storage */ }
  picture.draw();
  map.draw();
};

// --- data -----------------------------------------------------------------------------------------
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}
let seeds = [], records = [], nodes = [], rejects = [], labels = [], reasons = [], rejectsOf = new Map(), vectors = {};

function build(data) {
  seeds = data.seeds;
  records = data.records;
  labels = data.labels;
  reasons = data.reasons;
  vectors = data.vectors;
  rejects = data.rejects.map((row) => ({ row, parent: null }));
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
  for (const reject of rejects) {
    const parent = (reject.parent = rows[reject.row[LOST.parent]]);
    if (!rejectsOf.has(parent)) rejectsOf.set(parent, []);
    rejectsOf.get(parent).push(reject.row);
  }
}
const words = (node) => (node.row ? node.row[INPUT] : node.seed ? node.seed[2] : "");
const under = (node) => (node.parent ? node.below - 1 : records.length);
const counted = (number, name) => number.toLocaleString("en") + (name ? ` ${name}${number === 1 ? "" : "s"}` : "");
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// --- colours ----------------------------------------------------------------------------------------
const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const HUES = 10; // of the style sheet, for labels, operations and formats
const labelsOf = (node) => (node.row ? node.row[LABELS] : node.seed[6]); // their places in `labels`
function chip(place) {
  const out = el("span", "label"), dot = el("i", `hue-${place % HUES}`);
  out.append(dot, bdi(labels[place]));
  return out;
}
const distinct = (n) => [...new Set(records.map((row) => row[n]))].sort();

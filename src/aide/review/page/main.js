"use strict";
// The page's state, its keys, and its talk with the server. A decision counts when the server says that it is kept.
import { bdi, card, contentOf, el } from "./content.js";
import { Editor } from "./editor.js";
import { QueueList } from "./list.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const count = (number, name) => `${number.toLocaleString("en")}${name ? ` ${name}${number === 1 ? "" : "s"}` : ""}`;
const FILTERS = ["kind", "state", "order", "label", "doubt", "operation", "hop", "seed", "persona"];
const LEAVE = "Accept the edited text, or leave it, first.";
const POLL = 3000; // milliseconds between two looks at what others decided and what the run has grown

let start = null; // what the server said at first
let entry = null; // the entry that is shown
let editor = null;
let busy = false; // while a decision is on its way, no other is taken: it might meet the next record unseen
let compare = "parent";
let version = 0;
let asking = 0; // the number of the last question for a queue: an older answer is dropped
const decided = []; // own decisions, for undo: the entry, and how many decisions about it there were before

// --- talk -------------------------------------------------------------------------------------------
async function ask(name, body) {
  let answer;
  try {
    answer = await fetch(`api/${name}`, body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {});
  } catch {
    banner("aide review has ended or can't be reached. What was decided so far is kept; start it again in the terminal.");
    throw new Error("no answer");
  }
  const told = await answer.json().catch(() => ({ told: answer.statusText }));
  if (answer.ok) {
    banner("");
    return told;
  }
  const fault = new Error(told.told);
  fault.status = answer.status;
  throw fault;
}
function banner(text) {
  $("banner").textContent = text;
  $("banner").hidden = !text;
}
function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

// --- the queue --------------------------------------------------------------------------------------
const list = new QueueList($("list"), (numbers) => ask(`rows?n=${numbers.join(",")}`).catch(() => null), (place) => {
  open(place);
  document.body.classList.remove("listing");
});

async function choose(keep) {
  const mine = ++asking, wanted = { text: $("search").value };
  for (const name of FILTERS) wanted[name] = $(`f-${name}`).value;
  const active = ["label", "doubt", "operation", "hop", "seed", "persona"].filter((name) => wanted[name]).length;
  $("active").textContent = active ? `(${active} set)` : "";
  const { numbers, entries } = await ask("choose", wanted);
  if (mine !== asking) return;
  start.entries = entries;
  list.set(numbers);
  const nouns = { record: "record", reject: "reject", "": "entry" }[wanted.kind];
  $("count").textContent = numbers.length === 1 && !wanted.kind ? "1 entry" : wanted.kind ? count(numbers.length, nouns) : `${count(numbers.length)} entries`;
  const place = keep === undefined ? -1 : numbers.indexOf(keep);
  if (place >= 0) await open(place);
  else if (numbers.length) await open(Math.max(0, await firstOpen(0)));
  else blank();
}
function blank() {
  if (editor) return;
  entry = null;
  $("entry").replaceChildren(el("p", "dim", "Nothing in the queue: change the search or the filters."));
}
// The next place from here on whose entry is to do; -1 where there is none.
async function firstOpen(from) {
  for (let place = from; place < list.numbers.length; place += 200) {
    const numbers = list.numbers.slice(place, place + 200), unknown = numbers.filter((n) => !list.rows.has(n));
    if (unknown.length) list.update(await ask(`rows?n=${unknown.join(",")}`));
    const found = numbers.findIndex((n) => list.rows.get(n).state === "to do");
    if (found >= 0) return place + found;
  }
  return -1;
}
async function open(place) {
  if (place < 0 || place >= list.numbers.length) return;
  if (editor && list.numbers[place] !== entry.n) return editor.tell(LEAVE);
  list.select(place);
  if (!editor) await load(list.numbers[place]);
}
async function load(number) {
  const shown = await ask(`entry?n=${number}`);
  if (list.numbers[list.at] !== number) return; // another was opened meanwhile
  entry = shown;
  editor = null;
  list.update([entry]);
  draw();
  $("view").scrollTop = 0;
}

// --- one entry --------------------------------------------------------------------------------------
function draw() {
  const own = contentOf(entry.record), seed = contentOf(entry.seed), parent = contentOf(entry.parent);
  const before = compare === "none" ? null : compare === "seed" || !parent ? seed : parent;
  const head = el("div", "head"), chips = el("div", "chips");
  const title = el("h1", "", entry.kind === "reject" ? "a reject of the run" : `record ${count(list.at + 1)} of ${count(list.numbers.length)}`);
  head.append(title);
  if (entry.state !== "to do") head.append(el("span", `state s-${entry.state}`, entry.kind === "reject" && entry.state === "accepted" ? "accepted anyway" : entry.state));
  if (entry.reason) head.append(bdi(entry.reason, "inline"));
  head.append(el("code", "", entry.id));
  for (const doubt of entry.doubts) chips.append(el("span", "doubt", doubt));
  const lineage = entry.original.lineage, scores = entry.original.scores || {}, triple = lineage.triple;
  const along = triple ? Object.values(triple).join(" / ") : lineage.persona || lineage.topic || "";
  const facts = [`hop ${entry.hop}, ${entry.operation}`, along, entry.kind === "record" ? entry.label : lineage.label && `asked for: ${lineage.label}`,
    ...Object.entries(scores).filter(([, value]) => typeof value !== "string" || value.length < 20).map(([name, value]) => `${name.replace(/_/g, " ")} ${value}`),
    entry.seed ? `${Math.round(100 * entry.nearness)}% of words in common with the nearest seed` : ""];
  for (const fact of facts) if (fact && !entry.doubts.includes(fact)) {
    const chip = el("span");
    chip.append(bdi(fact.length > 240 ? `${fact.slice(0, 240)}…` : fact, "inline"));
    chips.append(chip);
  }
  const out = [head, chips, ...remarks(scores)];
  if (entry.gone) out.push(el("p", "dim", "It was pruned: no command reads it any more."));
  const cards = el("div", "cards"), beside = el("div", "beside");
  const against = before === null ? "" : before === seed ? ", beside its seed" : ", beside its parent";
  cards.append(card(`${entry.kind}${against}`, entry.id, own, { before, own: true, code: entry.code, all: entry.labels, choose: pickLabel }));
  if (entry.parent) beside.append(card(`parent, hop ${(entry.parent.lineage || {}).hop ?? entry.hop - 1}`, entry.parent_id, parent, { code: entry.code, all: entry.labels }));
  beside.append(card("seed", entry.seed_id, seed, { code: entry.code, all: entry.labels }));
  if (entry.state === "edited") beside.append(card("as the run wrote it", entry.id, contentOf(entry.original), { code: entry.code, all: entry.labels }));
  cards.append(beside);
  $("entry").replaceChildren(...out, cards);
}
function remarks(scores) {
  const out = [];
  if (entry.kind === "reject") {
    const why = el("p", "why");
    why.append(el("b", "", `${entry.original.step}: ${String(entry.original.reason).replace(/_/g, " ")}. `), bdi(entry.original.detail || "", "inline"));
    out.push(why);
  }
  for (const [name, title] of [["second_answer", "The judge finds that this fits as well: "], ["fault", "The judge: "]]) {
    if (!scores[name]) continue;
    const why = el("p", "why");
    why.append(title, bdi(String(scores[name]), "inline"));
    out.push(why);
  }
  return out;
}
async function showAnswers() {
  const old = $("answers");
  if (old) return old.remove();
  const number = entry.n, calls = await ask(`answers?n=${number}`);
  if (!entry || entry.n !== number) return;
  const box = el("div");
  box.id = "answers";
  if (!calls.length) box.append(el("p", "dim", "The folder holds no call for it."));
  for (const call of calls) {
    const part = el("section", "card");
    part.append(el("h2", "", `${call.step}: what the model said`), el("pre"));
    part.lastChild.append(bdi(call.text));
    box.append(part);
  }
  box.className = "beside";
  $("entry").append(box);
  box.scrollIntoView({ block: "nearest" });
}

// --- decisions --------------------------------------------------------------------------------------
async function decide(verdict, { reason = "", edits = null, stay = false } = {}) {
  if (!entry || busy) return;
  if (entry.changed && verdict === "accept" && edits === null) {
    const { input, output } = entry.record;
    edits = entry.kind === "reject" ? { input, output: JSON.stringify(output) } : { ...entry.edits, output };
  }
  if (entry.kind === "reject" && verdict === "accept" && edits === null && entry.state !== "accepted") return edit();
  busy = true;
  const before = entry;
  try {
    const told = await ask("decide", { n: before.n, verdict, seen: before.seen, reason, edits });
    decided.push([before.n, before.seen]);
    editor = null;
    take(told);
    notice("");
    if (stay) await load(before.n);
    else await forward();
  } catch (fault) {
    await complain(fault, before);
  } finally {
    busy = false;
  }
}
async function complain(fault, before) {
  if (fault.status === 409 && editor) {
    const fresh = await ask(`entry?n=${before.n}`);
    entry.seen = fresh.seen;
    list.update([fresh]);
    editor.tell(`Not kept: it was ${fault.message} (${fresh.state}). Accept once more to overrule that.`);
  } else if (fault.status === 409) {
    notice(`Not kept: it was ${fault.message}. This is how it stands now.`);
    await load(before.n);
  } else if (fault.status && editor) editor.tell(fault.message);
  else if (fault.status) notice(`Not kept: ${fault.message}`);
}
async function undo() {
  if (busy || !entry) return;
  const [number, keep] = decided.pop() || (entry.seen && entry.state !== "to do" ? [entry.n, entry.seen - 1] : []);
  if (number === undefined) return notice("There is nothing to undo.");
  busy = true;
  try {
    const row = list.rows.get(number) || entry;
    take(await ask("undo", { n: number, seen: row.seen, keep }));
    const place = list.numbers.indexOf(number);
    notice(place < 0 ? "Undone; the record is not in this queue." : "");
    if (place >= 0) await open(place);
  } catch (fault) {
    await complain(fault, { n: number });
  } finally {
    busy = false;
  }
}
async function forward() {
  const next = await firstOpen(list.at + 1);
  if (next >= 0) return open(next);
  const rest = await firstOpen(0);
  if (rest >= 0) return open(rest);
  await load(list.numbers[list.at]);
  notice("Everything in this queue is decided.");
}
function pickLabel(place) {
  if (!entry) return;
  const choices = entry.record.choices || [], output = (choices.length ? choices : entry.labels)[place];
  if (output === undefined) return;
  if (entry.several) return toggle(output);
  if (entry.kind === "reject") return decide("accept", { edits: { input: entry.record.input, output } });
  return decide("accept", { edits: { ...entry.edits, output } });
}
// Where a record may have several labels, a digit puts one in or takes it out, and the key for accepting keeps them.
function toggle(label) {
  const old = Array.isArray(entry.record.output) ? entry.record.output : [];
  const output = old.includes(label) ? old.filter((each) => each !== label) : start.labels.filter((each) => old.includes(each) || each === label);
  entry.record = { ...entry.record, output };
  entry.changed = true;
  draw();
  notice("The labels are changed: A accepts the record with them.");
}
function edit() {
  if (!entry || editor) return;
  editor = new Editor(entry, (edits) => decide("accept", { edits }), leaveEditor);
  $("entry").querySelector(".card.own").replaceWith(editor.form);
  editor.form.querySelector("textarea, select").focus();
  $("view").scrollTop = 0;
}
function leaveEditor() {
  editor = null;
  draw();
  $("view").focus();
}
function askReason() {
  if (!entry || busy) return;
  $("reason").value = entry.reason;
  $("reasons").showModal();
  $("reason").focus();
  $("reason").select();
}

// --- progress, and what others do ---------------------------------------------------------------------
function take(told) {
  version = told.version;
  list.update(told.changed);
  const sum = told.agreement, kept = sum.accepted + sum.edited + sum.refused;
  const [accepted, edited, refused] = document.querySelectorAll(".progress i");
  for (const [bar, part] of [[accepted, sum.accepted], [edited, sum.edited], [refused, sum.refused]]) bar.style.width = `${told.records ? (100 * part) / told.records : 0}%`;
  $("left").textContent = `${count(told.left)} of ${count(told.records, "record")} to do`;
  $("agreement").hidden = !sum.of;
  if (sum.of) {
    $("agreement").firstElementChild.textContent = `as the judge: ${Math.round((100 * sum.same) / sum.of)}%`;
    const table = el("table");
    for (const [grade, same, other] of sum.grades) {
      const line = el("tr"), bar = el("td", "wide"), meter = el("div", "meter"), part = el("i", "k-accepted");
      part.style.width = `${(100 * same) / (same + other)}%`;
      meter.append(part);
      bar.append(meter);
      line.append(el("td", "", `relevance ${grade}`), bar, el("td", "", `${same} of ${same + other}`));
      table.append(line);
    }
    const told = `You decided as the run did in ${sum.same} of ${sum.of}: a record kept as it is, or a reject left refused. ${kept} decided: ${sum.accepted} accepted, ${sum.edited} edited, ${sum.refused} refused${sum.added ? `; ${count(sum.added, "reject")} accepted anyway` : ""}. By the judge's grade, kept as they are:`;
    $("agreement").lastElementChild.replaceChildren(el("p", "", told), table);
  }
  const grown = told.entries - start.entries;
  const extra = $("count").querySelector("button");
  if (extra) extra.remove();
  if (grown > 0) {
    const more = el("button", "", `${count(grown)} new `);
    more.append(el("kbd", "", "G"));
    more.onclick = again;
    $("count").append(" ", more);
  }
}
async function look() {
  if (document.hidden || busy || !start) return;
  try {
    const told = await ask(`changes?version=${version}`);
    if (busy) return;
    take(told);
    if (entry && !editor && told.changed.some((row) => row.n === entry.n && row.seen !== entry.seen)) await load(entry.n);
  } catch { /* the banner says it */ }
}
async function begin() {
  start = await ask("start");
  $("run").textContent = start.name;
  document.title = `${start.name} · review · aide`;
  for (const [name, values] of Object.entries(start.facets)) fill($(`f-${name}`), name, values);
  $("reasons").querySelector("ol").replaceChildren(...start.reasons.map((reason, n) => {
    const item = el("li"), button = el("button");
    button.type = "button";
    button.append(el("kbd", "", String(n + 1)), ` ${reason}`);
    button.onclick = () => refuse(reason);
    item.append(button);
    return item;
  }));
  take(start);
}
function fill(select, name, values) {
  const old = select.value, any = el("option", "", "any");
  any.value = "";
  select.replaceChildren(any, ...values.map(([value, times]) => {
    const shown = name === "seed" ? start.seeds[value] || value : value, option = el("option", "", `${shown.slice(0, 70)} (${count(times)})`);
    option.value = value;
    return option;
  }));
  select.value = values.some(([value]) => value === old) ? old : "";
  select.closest("label").hidden = !values.length;
}
async function again() {
  await begin();
  await choose(entry ? entry.n : undefined);
}
function refuse(reason) {
  $("reasons").close();
  decide("reject", { reason });
}

// --- keys ---------------------------------------------------------------------------------------------
const move = (steps) => open(Math.min(list.numbers.length - 1, Math.max(0, list.at + steps)));
const KEYS = {
  a: () => decide("accept"),
  r: () => decide("reject"),
  w: askReason,
  e: edit,
  u: undo,
  j: () => move(1),
  k: () => move(-1),
  n: forward,
  d: () => {
    compare = { parent: "seed", seed: "none", none: "parent" }[compare];
    if (entry && !editor) draw();
  },
  c: () => entry && showAnswers(),
  g: again,
  q: () => {
    if (matchMedia("(max-width: 760px)").matches) document.body.classList.toggle("listing");
    else $("queue").hidden = !$("queue").hidden;
    list.draw();
  },
  f: () => {
    $("more").open = !$("more").open;
    if ($("more").open) $("more").querySelector("label:not([hidden]) select").focus();
  },
  t: () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("aide-theme", root.dataset.theme); } catch { /* some browsers keep nothing */ }
  },
  "/": () => {
    document.body.classList.add("listing");
    $("search").focus();
    $("search").select();
  },
  "?": () => $("keys").showModal(),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  PageDown: () => move(10),
  PageUp: () => move(-10),
  Home: () => open(0),
  End: () => open(list.numbers.length - 1),
};
const DECIDING = new Set(["a", "r", "w", "u", "e"]);
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select"), dialog = document.querySelector("dialog[open]");
  if (dialog) return dialog.id === "reasons" ? chooseReason(event) : undefined;
  if (event.key === "Escape" && (typing || editor)) {
    event.preventDefault();
    if (editor) leaveEditor();
    document.body.classList.remove("listing");
    return $("view").focus();
  }
  if (editor && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return editor.submit();
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (editor) return;
  const key = readKey(event), digit = /^[1-9]$/.test(key);
  if (!KEYS[key] && !digit) return;
  event.preventDefault();
  if (event.repeat && (digit || DECIDING.has(key))) return; // a key that is held decides once
  Promise.resolve(digit ? pickLabel(+key - 1) : KEYS[key]()).catch((fault) => fault.status && notice(fault.message));
});
// The letter on the key; of a keyboard with other letters the one in that place.
function readKey(event) {
  if (event.key.length > 1) return event.key;
  return /[\x20-\x7e]/.test(event.key) ? event.key.toLowerCase() : event.code.replace(/^Key/, "").toLowerCase();
}
function chooseReason(event) {
  const reason = start.reasons[+event.key - 1];
  if (event.key === "Enter" && event.target.id === "reason") {
    event.preventDefault();
    refuse($("reason").value.trim());
  } else if (reason && (event.target.id !== "reason" || !event.target.value || event.target.selectionEnd - event.target.selectionStart === event.target.value.length)) {
    event.preventDefault();
    refuse(reason);
  }
}
for (const button of document.querySelectorAll("button[data-key]")) button.onclick = () => {
  if (editor && DECIDING.has(button.dataset.key)) return button.dataset.key === "a" ? editor.submit() : editor.tell(LEAVE);
  Promise.resolve(KEYS[button.dataset.key]()).catch((fault) => fault.status && notice(fault.message));
};

let typed = 0;
$("search").oninput = () => {
  clearTimeout(typed);
  typed = setTimeout(() => choose(entry ? entry.n : undefined).catch(() => null), 150);
};
$("search").onkeydown = (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  document.body.classList.remove("listing");
  $("view").focus();
};
for (const name of FILTERS) $(`f-${name}`).onchange = () => choose(entry ? entry.n : undefined).catch(() => null);
$("filters").onreset = () => setTimeout(() => choose(entry ? entry.n : undefined).catch(() => null));
$("filters").onsubmit = (event) => event.preventDefault();
window.onbeforeunload = (event) => { if (editor || busy) event.preventDefault(); };

const remembered = (() => { try { return localStorage.getItem("aide-theme"); } catch { return null; } })();
root.dataset.theme = remembered || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
try {
  await begin();
  await choose();
  setInterval(look, POLL);
  $("view").focus();
  root.dataset.ready = "yes";
} catch (fault) {
  if (fault.status) banner(fault.message);
}

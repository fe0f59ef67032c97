"use strict";
// What a record holds, as elements. Everything that a model wrote reaches the page through text nodes alone.
import { findNewWords } from "./new_words.js";

export const el = (tag, cls, text) => {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  return node;
};
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/u;
// A text with nothing that acts unseen: control characters and turns of direction show as their code points.
function spell(node, text) {
  for (let found; (found = UNSEEN.exec(text)); text = text.slice(found.index + found[0].length)) {
    node.append(text.slice(0, found.index), el("span", "ctrl", `U+${found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`));
  }
  if (text) node.append(text);
  return node;
}
export const bdi = (text, cls = "") => spell(el("bdi", cls), text);

const SHOWN = 6000; // characters of a text that are shown at first

export const isPlain = (value) => typeof value === "string";
export const show = (value) => (isPlain(value) ? value : JSON.stringify(value, null, 2));
// A text that is JSON, laid out; null where it is none.
function layOut(text) {
  if (!/^\s*[[{]/.test(text) || text.length > 200000) return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? JSON.stringify(value, null, 2) : null;
  } catch { return null; }
}

// The same fields of a record's line and of a seed: the varying part, the fixed ones, the answer.
export function contentOf(line) {
  if (!line) return null;
  let input = line.input ?? "", fixed = line.fixed || [], varying = "";
  if (line.parts && !Array.isArray(line.parts)) {
    const names = Object.keys(line.parts);
    varying = names.includes(line.varying) ? line.varying : names[names.length - 1];
    input = line.parts[varying] ?? input;
    fixed = names.filter((name) => name !== varying).map((name) => [name, line.parts[name]]);
  }
  return {
    input, fixed, varying, output: line.output ?? "", choices: line.choices || [], tests: line.tests || [], turns: line.turns || [],
    system: line.system || "", tools: line.tools || [], working: line.working || "", thought: line.thought === true,
    reasoning: line.reasoning || "", evidence: line.evidence || (line.meta && line.meta.evidence) || "",
  };
}

function mark(node, before, after) {
  const parts = before ? findNewWords(before, after) : null;
  if (!parts) return spell(node, after);
  let run = null;
  parts.forEach(([word, isNew], n) => {
    const joined = !isNew && !word.trim() && run && parts[n + 1] && parts[n + 1][1];
    if (isNew || joined) {
      if (!run) node.append((run = el("ins")));
      spell(run, word);
    } else {
      run = null;
      spell(node, word);
    }
  });
  return node;
}

// A value with a way to see all of it; `before` is what it is compared with.
function text(value, before, code) {
  const whole = isPlain(value) ? layOut(value) ?? value : show(value), laid = !isPlain(value) || whole !== value;
  const old = before === undefined || before === null ? "" : isPlain(before) ? layOut(before) ?? before : show(before);
  const make = (shown) => mark(el(laid || code ? "pre" : "bdi"), old.slice(0, shown.length + SHOWN), shown);
  if (whole.length <= SHOWN + 500) return make(whole);
  const box = el("div"), rest = el("button", "rest", `show all ${whole.length.toLocaleString("en")} characters`);
  rest.type = "button";
  rest.onclick = () => box.replaceChildren(spell(el(laid || code ? "pre" : "bdi"), whole));
  box.append(make(`${whole.slice(0, SHOWN)}…`), rest);
  return box;
}
function block(name, node) {
  const box = el("div", "sub");
  box.append(el("h3", "", name), node);
  return box;
}
function options(content, numbered) {
  const list = el("ol", "options");
  content.choices.forEach((choice, n) => {
    const right = choice === content.output, item = el("li", right ? "right" : "");
    if (numbered && n < 9) item.append(el("kbd", "", String(n + 1)));
    item.append(bdi(`${show(choice)}${right ? "  ✓" : ""}`));
    list.append(item);
  });
  return list;
}
function turn(each, before) {
  const known = ["user", "assistant", "system", "tool"], role = String(each.role || each.from || "turn");
  const box = el("div", `turn ${known.includes(role) ? role : ""}`), said = each.content ?? each.value ?? each.text;
  box.append(spell(el("div", "role"), role));
  if (said !== undefined && said !== null && said !== "") box.append(text(said, before));
  for (const [name, value] of Object.entries(each)) {
    if (["role", "from", "content", "value", "text", "tool_call_id"].includes(name) || value === null) continue;
    if (name === "tool_calls" && Array.isArray(value) && value.every((call) => call && call.function)) {
      for (const call of value) box.append(block(`calls ${call.function.name}`, text(call.function.arguments, null, true)));
      continue;
    }
    box.append(block(name.replace(/_/g, " "), text(value)));
  }
  return box;
}
// What all records of a seed share, out of the way.
function folded(name, value) {
  const part = el("details", "part"), size = show(value).length.toLocaleString("en");
  part.append(spell(el("summary"), `${name}, ${size} characters, the same in all records of the seed`), text(value));
  return part;
}
const holds = (output, label) => (Array.isArray(output) ? output.includes(label) : label === output);
function labels(all, output, choose) {
  const box = el("div", "labels");
  all.forEach((label, n) => {
    const button = el("button", holds(output, label) ? "right" : "");
    button.type = "button";
    if (n < 9) button.append(el("kbd", "", String(n + 1)), " ");
    button.append(bdi(label, "inline"));
    button.onclick = () => choose(n);
    box.append(button);
  });
  if (!Array.isArray(output) && !all.includes(output) && output !== "") box.append(bdi(`now: ${show(output)}`));
  return box;
}

// A card; of the record itself (`own`) the differences from `before` are marked, labels and options have their keys.
export function card(title, id, content, { before = null, own = false, code = false, all = [], choose = null } = {}) {
  const box = el("section", own ? "card own" : "card"), head = el("h2", "", title);
  head.append(el("code", "", id.slice(0, 8)));
  box.append(head);
  if (!content) {
    box.append(el("p", "dim", "it is not in this folder"));
    return box;
  }
  const old = before || {};
  if (content.turns.length) content.turns.forEach((each, n) => box.append(turn(each, old.turns && old.turns[n] && old.turns[n].content)));
  else box.append(text(content.input, old.input));
  if (content.choices.length && !all.length) box.append(options(content, own));
  else if (own && all.length) box.append(block("label", labels(all, content.output, choose)));
  else if (content.output !== "" && !content.turns.length) box.append(block(all.length ? "label" : "answer", text(content.output, own ? old.output : null, code)));
  if (content.working) box.append(block("working", text(content.working)));
  if (content.reasoning) box.append(block(content.thought ? "thoughts" : "working", text(content.reasoning)));
  if (content.tests.length) box.append(block("tests", text(content.tests.map(show).join("\n"), null, true)));
  if (content.evidence) box.append(block("evidence", text(content.evidence)));
  if (content.system) box.append(folded("system prompt", content.system));
  if (content.tools.length) box.append(folded("functions", content.tools));
  for (const [name, value] of content.fixed) box.append(folded(name, value));
  return box;
}

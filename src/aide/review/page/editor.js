"use strict";
// The form in which a person changes a record: a field for each that it holds. A field that was not touched keeps its
// value to the last character, although a text field would change line ends.
import { contentOf, el, isPlain, show } from "./content.js";

function area(value, name, code) {
  const field = el("textarea", code ? "code" : ""), text = show(value);
  field.value = text;
  field.rows = Math.min(24, Math.max(2, Math.ceil(text.length / 70), text.split("\n").length + 1));
  field.setAttribute("aria-label", name);
  field.spellcheck = false;
  const first = field.value;
  return { field, read: () => (field.value === first ? value : isPlain(value) ? field.value : parse(name, field.value)) };
}
function parse(name, text) {
  try {
    return JSON.parse(text);
  } catch (fault) {
    throw new Error(`${name} is not JSON: ${fault.message}`);
  }
}
const equal = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class Editor {
  constructor(entry, save, leave) {
    this.entry = entry;
    this.record = entry.record;
    this.content = contentOf(this.record);
    this.readers = {};
    this.form = el("form", "editor card own");
    const head = el("h2", "", entry.kind === "reject" ? "accept anyway: complete it" : "edit");
    this.form.append(head);
    this.build();
    this.wrong = el("div", "wrong");
    this.wrong.setAttribute("role", "alert");
    const keep = el("button", "good", "accept as edited "), back = el("button", "", "leave ");
    keep.append(el("kbd", "", "Ctrl Enter"));
    back.append(el("kbd", "", "Esc"));
    back.type = "button";
    back.onclick = leave;
    const line = el("div", "save");
    line.append(keep, back);
    if (entry.kind === "record" && !equal(entry.record, entry.original)) {
      const original = el("button", "", "accept the original");
      original.type = "button";
      original.onclick = () => save({});
      line.append(original);
    }
    this.form.append(this.wrong, line);
    this.submit = () => {
      try {
        save(this.collect());
      } catch (fault) {
        this.tell(fault.message);
      }
    };
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
  }

  tell(text) { this.wrong.textContent = text; }

  add(title, name, value, code) {
    const { field, read } = area(value, title, code);
    this.form.append(el("div", "name", title), field);
    this.readers[name] = read;
  }

  build() {
    const { content, record, entry } = this;
    const choices = content.choices.length ? content.choices : this.blankChoices();
    const turns = content.turns.length ? content.turns : entry.chat ? this.blankTurns() : [];
    if (turns.length) return this.addTurns(turns);
    this.add(content.varying || "input", "input", content.input);
    if (choices.length) this.addChoices(choices, content.output);
    else if (entry.labels.length && isPlain(content.output) && !entry.several) this.addLabels(entry.labels, content.output || entry.label);
    else this.add(isPlain(content.output) ? "answer" : "answer, as JSON", "output", content.output, entry.code || !isPlain(content.output));
    if (record.reasoning) this.add("working", "reasoning", record.reasoning);
    if (record.tests && record.tests.length) this.addList("tests", record.tests);
  }

  // Of a reject only the user's words were kept, a line a turn.
  blankTurns() {
    const seed = contentOf(this.entry.seed), said = show(this.content.input).split("\n"), last = { role: "assistant", content: "" };
    const turns = seed && seed.turns.length ? seed.turns.map(({ role }) => ({ role, content: "" })) : [{ role: "user", content: "" }, last];
    const asking = turns.filter(({ role }) => role === "user");
    asking.forEach((turn, n) => { turn.content = n === asking.length - 1 ? said.slice(n).join("\n") : said[n] ?? ""; });
    return turns;
  }

  addTurns(turns) {
    const readers = turns.map((turn) => {
      const fields = ["content", "reasoning_content", "tool_calls"].filter((name) => turn[name] !== undefined && turn[name] !== null && (turn[name] !== "" || !turn.tool_calls));
      return fields.map((name) => {
        const title = name === "content" ? turn.role : `${turn.role}: ${name.replace(/_/g, " ")}`, { field, read } = area(turn[name], title, !isPlain(turn[name]));
        this.form.append(el("div", "name", title), field);
        return [name, read];
      });
    });
    this.readers.turns = () => turns.map((turn, n) => ({ ...turn, ...Object.fromEntries(readers[n].map(([name, read]) => [name, read()])) }));
  }

  blankChoices() {
    const seed = this.entry.kind === "reject" ? contentOf(this.entry.seed) : null;
    return seed ? seed.choices.map(() => "") : [];
  }

  addList(name, values) {
    this.form.append(el("div", "name", name));
    const fields = values.map((value, n) => area(value, `${name} ${n + 1}`, true));
    this.form.append(...fields.map((each) => each.field));
    this.readers[name] = () => fields.map((each) => each.read());
  }

  addChoices(values, output) {
    this.form.append(el("div", "name", "options; the marked one is right"));
    const fields = values.map((value, n) => {
      const line = el("div", "option"), right = el("input"), one = area(value, `option ${n + 1}`);
      one.field.rows = 1;
      right.type = "radio";
      right.name = "right";
      right.checked = value === output && value !== "";
      right.setAttribute("aria-label", `option ${n + 1} is right`);
      line.append(right, one.field);
      this.form.append(line);
      return { right, read: one.read };
    });
    this.readers.choices = () => fields.map((each) => each.read());
    this.readers.output = () => (fields.find((each) => each.right.checked) || { read: () => "" }).read();
  }

  addLabels(all, output) {
    const select = el("select"), known = all.includes(output) || output === "" ? all : [output, ...all];
    for (const label of known) select.append(el("option", "", label));
    select.value = output;
    select.setAttribute("aria-label", "label");
    this.form.append(el("div", "name", "label"), select);
    this.readers.output = () => select.value;
  }

  // The fields whose values are not those of the run. Parts are edited as a whole.
  collect() {
    const found = {}, { original } = this.entry;
    for (const [name, read] of Object.entries(this.readers)) found[name] = read();
    if (this.content.varying) {
      found.parts = { ...original.parts, [this.content.varying]: found.input };
      delete found.input;
    }
    if (this.entry.kind === "reject") return found;
    for (const name of Object.keys(found)) if (equal(found[name], original[name])) delete found[name];
    return found;
  }
}

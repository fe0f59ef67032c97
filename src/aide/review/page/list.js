"use strict";
// The queue: of any number of entries only the rows in sight are elements, and only pages that were seen are asked for.
import { el, bdi } from "./content.js";

const TALL = 58, PAGE = 100, MARGIN = 8;

export class QueueList {
  constructor(box, load, pick) {
    this.box = box;
    this.load = load;
    this.pick = pick;
    this.numbers = [];
    this.rows = new Map();
    this.asked = new Set();
    this.at = -1;
    this.drawn = new Map();
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("click", (event) => {
      const item = event.target.closest(".item");
      if (item) this.pick(+item.dataset.place);
    });
  }

  set(numbers) {
    this.numbers = numbers;
    this.asked.clear();
    this.at = -1;
    for (const item of this.drawn.values()) item.remove();
    this.drawn.clear();
    this.box.querySelector(".space").style.height = `${numbers.length * TALL}px`;
    this.box.scrollTop = 0;
    this.draw();
  }

  update(rows) {
    for (const row of rows) this.rows.set(row.n, row);
    const changed = new Set(rows.map((row) => row.n));
    for (const [place, item] of this.drawn) if (changed.has(this.numbers[place])) this.fill(item, place);
  }

  select(place) {
    const old = this.drawn.get(this.at);
    if (old) old.classList.remove("here");
    this.at = place;
    const top = place * TALL, tall = this.box.clientHeight;
    if (top < this.box.scrollTop) this.box.scrollTop = Math.max(0, top - TALL);
    else if (top + TALL > this.box.scrollTop + tall) this.box.scrollTop = top + 2 * TALL - tall;
    this.draw();
    const item = this.drawn.get(place);
    if (item) item.classList.add("here");
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / TALL) - MARGIN);
    const last = Math.min(this.numbers.length - 1, Math.ceil((this.box.scrollTop + this.box.clientHeight) / TALL) + MARGIN);
    for (const [place, item] of this.drawn) if (place < first || place > last) {
      item.remove();
      this.drawn.delete(place);
    }
    for (let place = first; place <= last; place++) {
      if (this.drawn.has(place)) continue;
      const item = el("div", "item");
      item.dataset.place = place;
      item.style.top = `${place * TALL}px`;
      item.setAttribute("role", "option");
      this.fill(item, place);
      this.drawn.set(place, item);
      this.box.append(item);
    }
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) this.ask(page);
  }

  async ask(page) {
    if (this.asked.has(page)) return;
    this.asked.add(page);
    const numbers = this.numbers, wanted = numbers.slice(page * PAGE, (page + 1) * PAGE).filter((n) => !this.rows.has(n));
    if (!wanted.length) return;
    const rows = await this.load(wanted);
    if (!rows) this.asked.delete(page);
    else if (numbers === this.numbers) this.update(rows);
  }

  fill(item, place) {
    const row = this.rows.get(this.numbers[place]);
    item.className = `item${place === this.at ? " here" : ""}${row && row.state !== "to do" ? " done" : ""}`;
    item.setAttribute("aria-selected", place === this.at);
    if (!row) return item.replaceChildren(el("div", "text", "…"));
    const text = el("div", "text");
    if (row.state !== "to do") text.append(el("span", `state s-${row.state}`, row.state));
    text.append(bdi(row.text || "(no text was kept)"));
    const facts = [row.kind === "reject" ? "reject" : "", row.label, ...row.doubts, row.gone ? "pruned" : "", `hop ${row.hop}`, row.operation];
    const line = el("div", "facts");
    line.append(bdi(facts.filter(Boolean).join(" · "), "inline"));
    item.replaceChildren(text, line);
  }
}

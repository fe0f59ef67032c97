// --- a record beside where it came from --------------------------------------------------------------
function marked(before, after) {
  const out = el("bdi");
  let run = null;
  const parts = findNewWords(before, after) || [[after, false]];
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
  chips.append(...row[LABELS].map(chip));
  const facts = [`${row[OP]}: ${row[ALONG]}`, row[ANCHORED] ? "anchored to the seed" : "not anchored", row[REL] == null ? "" : `relevance ${row[REL]}`,
    row[DIV] == null ? "" : `diversity ${row[DIV]}`, `likeness to the seed ${row[LIKE]}`, row[VOTES] ? `${row[VOTES]} answers agree` : "", row[REVISED] ? `revised ${row[REVISED]}×` : "", row[MODEL], row[ID]];
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

// --- lists that grow, of items that open ----------------------------------------------------------------
const PAGE = 10;
function paged(listId, moreId, make) {
  let rows = [], listed = 0;
  const more = () => {
    for (const row of rows.slice(listed, listed + PAGE)) $(listId).append(make(row));
    listed = Math.min(rows.length, listed + PAGE);
    $(moreId).hidden = listed >= rows.length;
  };
  return (found) => {
    rows = found;
    listed = 0;
    $(listId).replaceChildren();
    $(moreId).onclick = more;
    more();
  };
}
function opening(text, facts, places, along, show) {
  const box = el("div", "item"), head = el("button"), line = el("span", "line"), under = el("span", "along");
  head.type = "button";
  head.setAttribute("aria-expanded", "false");
  line.append(bdi(short(text, 400).replace(/\s+/g, " ")));
  under.append(...places.map(chip));
  under.append(bdi(along));
  head.append(line, el("span", "facts", facts), under);
  head.onclick = () => {
    const open = box.querySelector(".detail");
    if (open) open.remove(); else box.append(show());
    head.setAttribute("aria-expanded", String(!open));
  };
  box.append(head);
  return box;
}

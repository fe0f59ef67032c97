// --- the browser --------------------------------------------------------------------------------------
let found = [], haystack = [];
function fill(id, values) {
  $(id).replaceChildren(...values.map(([value, name]) => {
    const option = el("option", "", name);
    option.value = value;
    return option;
  }));
}
function search() {
  const query = $("search").value.toLowerCase().split(/\s+/).filter(Boolean), all = nodes.slice(1 + seeds.length);
  const most = (id, n, row) => !$(id).value || (row[n] != null && row[n] <= Number($(id).value));
  const same = (id, n, row) => !$(id).value || row[n] === $(id).value;
  const persona = $("f-persona").value.trim().toLowerCase();
  found = all.filter((node, n) => {
    const row = node.row;
    return (!$("f-hop").value || row[HOP] === Number($("f-hop").value)) && same("f-op", OP, row) && (!$("f-label").value || row[LABELS].includes(Number($("f-label").value))) && same("f-format", FORMAT, row)
      && (!persona || (row[BY_PERSONA] && row[ALONG].toLowerCase().includes(persona)))
      && (!$("f-seed").value || node.root.id === $("f-seed").value) && most("f-rel", REL, row) && most("f-div", DIV, row)
      && query.every((word) => haystack[n].includes(word));
  });
  const orders = { likeness: (a) => a.row[LIKE], relevance: (a) => a.row[REL] ?? 99, diversity: (a) => a.row[DIV] ?? 99, length: (a) => -a.row[INPUT].length };
  const key = orders[$("f-order").value];
  if (key) found.sort((a, b) => key(a) - key(b));
  $("count").textContent = `${found.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} records`;
  list(found);
  map.draw();
}
const grades = (row) => (row[REL] == null ? "" : ` · ${[row[REL], row[DIV]].filter((grade) => grade != null).join("/")}`);
function item(node) {
  const row = node.row, facts = `hop ${row[HOP]} · ${row[OP]}${grades(row)}`;
  return opening(row[INPUT], facts, row[LABELS], row[ALONG], () => detail(node));
}
const list = paged("list", "more", item);
function beginRecords() {
  haystack = records.map((row) => [row[ID], row[INPUT], row[OUTPUT], row[ALONG], ...row[LABELS].map((place) => labels[place]), ...row[CHOICES]].join("\n").toLowerCase());
  const personas = [...new Set(records.filter((row) => row[BY_PERSONA]).map((row) => row[ALONG]))].sort();
  const choices = {
    "f-label": labels.map((label, place) => [place, label]), "f-format": distinct(FORMAT).map((name) => [name, name]),
    "f-hop": distinct(HOP).map((hop) => [hop, hop]), "f-op": picture.operations.map((op) => [op, op]),
    "f-seed": seeds.map((seed, n) => [seed[0], `${seed[1] || n + 1}: ${short(seed[2].replace(/\s+/g, " "), 40)}`]),
    ...Object.fromEntries([["f-rel", REL], ["f-div", DIV]].map(([id, n]) => [id, distinct(n).some((grade) => grade != null) ? [1, 2, 3, 4, 5, 6, 7, 8, 9].map((most) => [most, most]) : []])),
  };
  for (const [id, values] of Object.entries(choices)) {
    fill(id, [["", "any"], ...values]);
    $(id).parentNode.hidden = values.length < 2; // nothing to choose
    $(id).onchange = search;
  }
  $("f-persona").parentNode.hidden = !personas.length;
  $("personas").replaceChildren(...personas.slice(0, 1000).map((name) => { const option = el("option"); option.value = name; return option; }));
  let waiting = 0;
  $("search").oninput = $("f-persona").oninput = () => { clearTimeout(waiting); waiting = setTimeout(search, 120); };
  $("f-order").onchange = search;
  $("filters").onreset = () => setTimeout(search);
  $("download").onclick = download;
  for (const button of document.querySelectorAll("button.pick[data-label]")) button.onclick = () => {
    $("filters").reset();
    $("f-label").value = button.dataset.label;
    search();
    $("records").scrollIntoView();
  };
}

// --- the filtered records as JSON lines -----------------------------------------------------------------
const CUT = / more characters are in the run folder\)$/;
function asLine(node) {
  const row = node.row, input = row[WHOLE] || row[INPUT], given = Object.entries({
    id: row[ID], format: row[FORMAT], input, output: row[OUTPUT], choices: row[CHOICES].length ? row[CHOICES] : null, labels: row[LABELS].length ? row[LABELS].map((place) => labels[place]) : null,
    seed_id: node.root.id, parent_id: node.parent.id, hop: row[HOP], operation: row[OP], persona: row[BY_PERSONA] ? row[ALONG] : null,
    origin: row[BY_PERSONA] ? null : row[ALONG] || null, relevance: row[REL], diversity: row[DIV], agreement: row[VOTES], likeness: row[LIKE],
    revisions: row[REVISED], model: row[MODEL], cut: [input, row[OUTPUT], ...row[CHOICES]].some((text) => CUT.test(text)) || null,
  });
  return JSON.stringify(Object.fromEntries(given.filter(([, value]) => value != null)));
}
function download() {
  const lines = found.map((node) => `${asLine(node)}\n`), link = el("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  link.download = `${document.title.split(" · ")[0]}.jsonl`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

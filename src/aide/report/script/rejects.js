// --- the rejects ----------------------------------------------------------------------------------------
const NAMES_ITS_ORIGINAL = /\bof ([0-9a-f]{20})\b/;
const wordsLost = (reject) => reject.row[LOST.text] || "(its text is in the run folder)";
function rejectDetail(reject) {
  const row = reject.row, above = reject.parent, seed = above.root, out = el("div", "detail"), cards = el("div", "cards");
  const [, id] = NAMES_ITS_ORIGINAL.exec(row[LOST.why]) || [], original = id && nodes.find((node) => node.id === id);
  cards.append(card("seed", seed.id, bdi(seed.seed[2]), seed.seed[3]));
  if (original && original !== seed) cards.append(card("repeats", original.id, bdi(words(original)), ""));
  else if (above !== seed) cards.append(card(`parent, hop ${above.row[HOP]}`, above.id, bdi(words(above)), above.row[OUTPUT]));
  else cards.className = "cards pair";
  cards.append(card(`reject, hop ${row[LOST.hop]}`, row[LOST.id], marked(words(original || above), wordsLost(reject)), "", true));
  const why = el("p", row[LOST.failed] ? "wrong" : "");
  why.append(bdi(`${row[LOST.reason]} at ${row[LOST.step]}: ${row[LOST.why]}`));
  out.append(why, cards);
  return out;
}
function beginRejects() {
  if (!$("r-list")) return; // a run without rejects
  const rows = rejects.map((reject) => [reject, [reject.row[LOST.id], reject.row[LOST.text], reject.row[LOST.why], reject.row[LOST.reason]].join("\n").toLowerCase()]);
  const selects = { "r-reason": LOST.reason, "r-hop": LOST.hop, "r-op": LOST.op };
  const list = paged("r-list", "r-more", (reject) => {
    const row = reject.row;
    return opening(wordsLost(reject), `${short(row[LOST.reason], 40)} · hop ${row[LOST.hop]} · ${row[LOST.op]}`, row[LOST.labels], row[LOST.why], () => rejectDetail(reject));
  });
  const find = () => {
    const query = $("r-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const label = $("r-label").value;
    const found = rows.filter(([{ row }, text]) => query.every((word) => text.includes(word)) && (!label || row[LOST.labels].includes(Number(label)))
      && Object.entries(selects).every(([id, n]) => !$(id).value || String(row[n]) === $(id).value)).map(([reject]) => reject);
    $("r-count").textContent = `${found.length.toLocaleString("en")} of ${counted(rows.length, "reject")} in this file`;
    list(found);
  };
  for (const [id, n] of Object.entries(selects)) {
    const values = [...new Set(rejects.map(({ row }) => row[n]))].filter((value) => value !== "").sort();
    fill(id, [["", "any"], ...values.map((value) => [value, value])]);
    $(id).parentNode.hidden = values.length < 2;
    $(id).onchange = find;
  }
  fill("r-label", [["", "any"], ...labels.map((label, place) => [place, label])]);
  $("r-label").parentNode.hidden = labels.length < 2;
  $("r-label").onchange = find;
  $("r-search").oninput = find;
  $("r-filters").onreset = () => setTimeout(find);
  for (const button of document.querySelectorAll("button.pick[data-reason]")) button.onclick = () => {
    $("r-filters").reset();
    $("r-reason").value = reasons[button.dataset.reason];
    find();
  };
  find();
}

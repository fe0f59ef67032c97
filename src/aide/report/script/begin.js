// --- begin ----------------------------------------------------------------------------------------------
async function begin() {
  build(await unpack($("data").textContent));
  picture.operations = distinct(OP);
  beginRecords();
  beginRejects();
  $("picture").onclick = (event) => { const node = picture.at(event); if (node) picture.open(node === picture.focus && node.parent ? node.parent : node); };
  $("picture").onmousemove = (event) => {
    const node = picture.at(event);
    $("hover").textContent = node && node.parent ? `${node.row ? `hop ${node.row[HOP]}, ${node.row[OP]}` : node.name}: ${words(node)}` : "\u00a0";
  };
  for (const id of ["colour", "size"]) $(id).onchange = () => { picture.draw(); picture.tell(); };
  addEventListener("resize", () => { picture.draw(); map.draw(); });
  picture.open(nodes[0]);
  search();
  map.begin();
  root.dataset.ready = "yes";
}
begin().catch((fault) => { $("count").textContent = `this browser can't unpack the records: ${fault.message}`; throw fault; });

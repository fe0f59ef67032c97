// --- the map ------------------------------------------------------------------------------------------------
const map = {
  points: null, placed: [], picked: null,
  begin() {
    // Laid out when it first comes into sight: a page that nobody scrolls opens at once.
    new IntersectionObserver((seen, observer) => {
      if (!seen.some((each) => each.isIntersecting)) return;
      observer.disconnect();
      this.layOut();
    }, { rootMargin: "300px" }).observe($("plane"));
    for (const id of ["map-colour", "map-seeds", "map-records", "map-rejects"]) $(id).onchange = () => this.draw();
    if ($("map-by")) $("map-by").onchange = () => this.layOut();
    $("plane").onclick = (event) => { const point = this.at(event); if (point) this.pick(point); };
    $("plane").onmousemove = (event) => {
      const point = this.at(event);
      $("plane").style.cursor = point ? "pointer" : "";
      $("map-hover").textContent = point ? this.tell(point) : "\u00a0";
    };
    $("plane").onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step || !this.placed.length) return;
      event.preventDefault();
      const order = this.placed.map(([point]) => point).sort((a, b) => a.x - b.x), at = order.indexOf(this.picked);
      this.pick(order[(at + step + order.length) % order.length]);
    };
  },
  layOut() {
    let points = [
      ...nodes.slice(1).map((node) => ({ kind: node.row ? "records" : "seeds", node, text: words(node), labels: labelsOf(node), op: node.row ? node.row[OP] : "", hop: node.depth - 1, seed: node.root })),
      ...rejects.filter(({ row }) => row[LOST.text]).map((reject) => ({ kind: "rejects", reject, text: reject.row[LOST.text], labels: reject.row[LOST.labels], op: reject.row[LOST.op], hop: reject.row[LOST.hop], seed: reject.parent.root })),
    ];
    const meant = $("map-by") && $("map-by").value === "meaning", id = (point) => (point.node ? point.node.id : point.reject.row[LOST.id]);
    if (meant) points = points.filter((point) => vectors[id(point)]); // the others were not embedded
    const [x, y] = layOut(points.map((point) => point.text), meant && points.map((point) => vectors[id(point)]));
    points.forEach((point, n) => Object.assign(point, { x: x[n], y: y[n] }));
    this.points = points;
    this.picked = null;
    $("map-picked").replaceChildren();
    this.draw();
  },
  tell(point) {
    const origin = { seeds: "seed", records: `hop ${point.hop}, ${point.op}`, rejects: point.reject ? `reject, ${point.reject.row[LOST.reason]}` : "" }[point.kind];
    return `${origin}${point.labels.map((place) => `, ${labels[place]}`).join("")}: ${short(point.text.replace(/\s+/g, " "), 300)}`;
  },
  groups() {
    const kind = $("map-colour").value;
    if (kind === "label") return [labels, (point) => point.labels[0] ?? -1];
    if (kind === "operation") return [picture.operations, (point) => picture.operations.indexOf(point.op)];
    if (kind === "seed") return [seeds.map((seed, n) => seed[1] || `seed ${n + 1}`), (point) => seeds.indexOf(point.seed.seed)];
    return [["seed", ...distinct(HOP).map((hop) => `hop ${hop}`)], (point) => point.hop];
  },
  draw() {
    if (!this.points) return;
    const canvas = $("plane"), width = canvas.clientWidth || 800, height = width < 600 ? 380 : 560, dense = devicePixelRatio || 1;
    canvas.width = width * dense;
    canvas.height = height * dense;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d"), hues = tint(), ink = css("--ink"), [names, group] = this.groups(), kept = new Set(found);
    pen.scale(dense, dense);
    const shown = this.points.filter((point) => $(`map-${point.kind}`).checked);
    const rank = { records: 0, rejects: 1, seeds: 2 };
    this.placed = shown.sort((a, b) => rank[a.kind] - rank[b.kind]).map((point) => [point, 14 + point.x * (width - 28), 14 + point.y * (height - 28)]);
    for (const [point, x, y] of this.placed) {
      const place = group(point);
      pen.fillStyle = pen.strokeStyle = place < 0 ? css("--pruned") : hues[place % HUES];
      pen.globalAlpha = point.node && point.node.row && !kept.has(point.node) ? 0.12 : point.kind === "rejects" ? 0.9 : 0.8;
      pen.beginPath();
      if (point.kind === "records") { pen.arc(x, y, this.points.length > 1500 ? 2.4 : 3.6, 0, 7); pen.fill(); }
      if (point.kind === "rejects") { pen.lineWidth = 1.6; pen.moveTo(x - 3.5, y - 3.5); pen.lineTo(x + 3.5, y + 3.5); pen.moveTo(x - 3.5, y + 3.5); pen.lineTo(x + 3.5, y - 3.5); pen.stroke(); }
      if (point.kind === "seeds") { pen.rect(x - 5, y - 5, 10, 10); pen.fill(); pen.strokeStyle = ink; pen.lineWidth = 1.5; pen.globalAlpha = 1; pen.stroke(); }
      if (point === this.picked) { pen.globalAlpha = 1; pen.strokeStyle = ink; pen.lineWidth = 2; pen.beginPath(); pen.arc(x, y, 9, 0, 7); pen.stroke(); }
    }
    $("map-legend").replaceChildren(...names.slice(0, 30).map((name, n) => {
      const span = el("span", "", short(name, 40));
      span.prepend(el("i", `hue-${n % HUES}`));
      return span;
    }));
  },
  at(event) {
    const box = $("plane").getBoundingClientRect(), far = ([, x, y]) => Math.hypot(x - event.clientX + box.left, y - event.clientY + box.top);
    let nearest = null;
    for (const each of this.placed) if (far(each) < 14 && (!nearest || far(each) <= far(nearest))) nearest = each;
    return nearest && nearest[0];
  },
  pick(point) {
    this.picked = point;
    const head = el("h3", "", point.kind === "seeds" ? "seed" : point.kind === "records" ? "record" : "reject");
    const seedCard = () => { const { seed } = point.node, cards = el("div", "detail"); cards.append(card(point.node.name, seed[0], bdi(seed[2]), seed[3])); return cards; };
    $("map-picked").replaceChildren(head, point.reject ? rejectDetail(point.reject) : point.node.row ? detail(point.node) : seedCard());
    this.draw();
  },
};

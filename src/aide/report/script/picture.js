// --- the picture: columns of branches, a seed's hops from left to right -----------------------------
const tint = () => Array.from({ length: HUES }, (_, n) => css(`--h${n}`));
const scale = () => ({ low: css("--scale0"), mid: css("--scale1"), high: css("--scale2") });
const NAMED = { operation: true, label: true }; // coloured by name, not by a grade
const mix = (a, b, t) => {
  const part = (hex, n) => parseInt(hex.slice(1 + 2 * n, 3 + 2 * n), 16);
  return `rgb(${[0, 1, 2].map((n) => Math.round(part(a, n) + (part(b, n) - part(a, n)) * t)).join(",")})`;
};
const GRADES = { likeness: LIKE, relevance: REL, diversity: DIV };
const HEAD = 24; // pixels above the branches, for the names of the columns
const picture = {
  focus: null, boxes: [], operations: [],
  names(kind) {
    return kind === "label" ? labels : this.operations;
  },
  open(node) {
    this.focus = node;
    this.draw();
    this.tell();
  },
  raw(node) {
    const kind = $("colour").value;
    if (kind === "yield") return node.good + node.bad ? node.good / (node.good + node.bad) : null;
    if (kind === "label") return node.parent ? labelsOf(node)[0] ?? null : null;
    if (!node.row) {
      const values = NAMED[kind] ? [] : node.kids.map((kid) => this.raw(kid)).filter((value) => value !== null);
      return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
    }
    if (kind === "operation") return this.operations.indexOf(node.row[OP]);
    return node.row[GRADES[kind]];
  },
  range() {
    // From the bad end to the good end of what this run has, so that its differences show.
    const kind = $("colour").value;
    if (kind === "yield") return [0, 1];
    const values = records.map((row) => row[GRADES[kind]]).filter((value) => value != null).sort((a, b) => a - b);
    return [0.02, 0.98].map((share) => values[Math.floor(share * (values.length - 1))] ?? 0);
  },
  value(node) {
    const raw = this.raw(node);
    if (raw === null || NAMED[$("colour").value]) return raw;
    const [low, high] = this.ends;
    return low === high ? 1 : Math.min(1, Math.max(0, (raw - low) / (high - low)));
  },
  colour(node, tones) {
    const value = this.value(node);
    if (value === null) return tones.none;
    if (NAMED[$("colour").value]) return tones.hues[value % HUES];
    return value < 0.5 ? mix(tones.low, tones.mid, value * 2) : mix(tones.mid, tones.high, value * 2 - 1);
  },
  draw() {
    const canvas = $("picture"), top = this.focus;
    if (!top) return;
    const width = canvas.clientWidth || 800, height = Math.min(width < 600 ? 420 : 560, HEAD + Math.max(3, top.below) * 26), dense = devicePixelRatio || 1;
    canvas.width = width * dense;
    canvas.height = height * dense;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(dense, dense);
    const tones = {
      none: css("--soft"), ...scale(), hues: tint(),
      ink: css("--ink"), card: css("--card"),
    };
    const deepest = Math.max(1, ...nodes.map((node) => node.depth)), columns = deepest - top.depth + 1;
    const room = columns > 1 ? Math.min(96, width * 0.16) : 0, wide = columns > 1 ? (width - room) / (columns - 1) : width;
    this.boxes = [];
    this.ends = this.range();
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.fillStyle = css("--dim");
    for (let n = columns > 1 && !top.parent ? 1 : 0; n < columns; n++) {
      const depth = top.depth + n, name = depth > 1 ? `hop ${depth - 1}` : depth ? (n ? "seeds" : "seed") : "all";
      pen.fillText(name, (n ? room + (n - 1) * wide : 0) + 7, HEAD / 2 - 2);
    }
    const even = $("size").value === "even" && !top.parent;
    const place = (node, x, y, tall) => {
      const w = node === top ? (room || width) : wide;
      this.boxes.push([node, x, y, w, tall]);
      pen.fillStyle = node === top && !top.parent ? tones.none : this.colour(node, tones);
      const gap = tall > 3 ? 1 : tall > 1.2 ? 0.4 : 0;
      pen.fillRect(x, y, w - 1.5, Math.max(tall - gap, 0.3));
      let at = y;
      const whole = node === top ? node.kids.reduce((sum, kid) => sum + kid.below, 0) || 1 : node.below - 1 || 1;
      // a record without children of its own leaves the columns beyond it empty
      for (const kid of node.kids) {
        const share = even && node === top ? 1 / node.kids.length : kid.below / whole;
        place(kid, x + w, at, tall * share);
        at += tall * share;
      }
    };
    place(top, 0, HEAD, height - HEAD);
    for (const [node, x, y, w, tall] of this.boxes) {
      if (tall < 15) continue;
      pen.save();
      pen.beginPath();
      pen.rect(x, y, w - 8, tall);
      pen.clip();
      pen.fillStyle = node === top && !top.parent ? tones.ink : this.value(node) === null ? tones.ink : "#10151a";
      const fit = (text) => {
        const room = w - 14, wide = (words) => pen.measureText(words).width;
        if (wide(text) <= room) return text;
        let end = Math.floor(text.length * room / wide(text));
        while (end > 0 && wide(`${text.slice(0, end)}…`) > room) end--;
        return end > 0 ? `${text.slice(0, end)}…` : "";
      };
      const label = node.row ? short(words(node), 160) : node === nodes[0] ? (w < 85 ? `${node.kids.length}` : counted(node.kids.length, "seed")) : `${node.name}: ${short(words(node), 120)}`;
      pen.fillText(fit(label.replace(/\s+/g, " ")), x + 7, y + Math.min(tall / 2, 14));
      const kept = node.parent && node.good + node.bad ? `, yield ${node.good} of ${node.good + node.bad}` : "";
      if (tall > 40 && w > 75 && under(node)) pen.fillText(fit(`${counted(under(node))} below${kept}`), x + 7, y + Math.min(tall / 2, 14) + 17);
      pen.restore();
    }
    this.legend(tones);
  },
  legend(tones) {
    const names = !records.length ? [] : NAMED[$("colour").value]
      ? this.names($("colour").value).map((name, n) => [tones.hues[n % HUES], name]).slice(0, 30)
      : [[tones.low, 0, "low"], [tones.mid, 0.5, ""], [tones.high, 1, "high"]].map(([tone, part, word]) => [tone, `${this.told(this.ends[0] + (this.ends[1] - this.ends[0]) * part)} ${word}`]);
    $("scale").replaceChildren(...names.map(([tone, name]) => {
      const span = el("span", "", name), dot = el("i");
      dot.style.background = tone;
      span.prepend(dot);
      return span;
    }));
  },
  told(value) {
    return $("colour").value === "yield" ? `${Math.round(100 * value)}%` : `${+value.toFixed($("colour").value === "likeness" ? 2 : 1)}`;
  },
  at(event) {
    const box = $("picture").getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const found = this.boxes.filter(([, bx, by, w, tall]) => x >= bx && x < bx + w && y >= by && y < by + tall);
    return found.length ? found[found.length - 1][0] : null;
  },
  tell() {
    const way = [];
    for (let node = this.focus; node; node = node.parent) way.unshift(node);
    $("crumbs").replaceChildren(...way.flatMap((node, n) => {
      const button = el("button", "", node.row ? `hop ${node.row[HOP]}: ${short(words(node), 40)}` : node.name);
      button.type = "button";
      button.onclick = () => this.open(node);
      return n ? [document.createTextNode("›"), button] : [button];
    }));
    const node = this.focus, out = $("branch");
    const from = node.row ? "this record" : node.seed ? "this seed" : "the seeds";
    const facts = el("p", "", `${counted(node.good + node.bad, "candidate")} grown directly from ${from}, ${counted(node.good)} accepted; ${counted(under(node), "record")} below in this file.`);
    const kids = el("div", "kids");
    const tones = { none: css("--line"), ...scale(), hues: tint() };
    for (const kid of node.kids.slice(0, 200)) {
      const button = el("button"), dot = el("i");
      dot.style.background = this.colour(kid, tones);
      button.type = "button";
      button.dataset.id = kid.id;
      button.append(dot, bdi(`${kid.row ? kid.row[OP] : kid.name}: ${short(words(kid).replace(/\s+/g, " "), 80)}`));
      button.onclick = () => this.open(kid);
      kids.append(button);
    }
    if (node.kids.length > 200) kids.append(el("p", "note", `the first 200 of ${node.kids.length.toLocaleString("en")}`));
    out.replaceChildren(facts, ...(node.row ? [detail(node)] : node.seed ? [el("p", "", "")] : []), kids);
    if (node.seed) out.children[1].append(bdi(node.seed[2]));
  },
};

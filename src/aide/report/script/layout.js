// --- a place in the plane for each text --------------------------------------------------------------------
// The same texts always get the same places: what is random comes from a generator with a fixed start (mulberry32).
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
// Sparse rows of unit length: words that at least two texts have, weighted by how rare they are.
function weigh(texts) {
  const held = new Map(), bags = texts.map((text) => {
    const bag = new Map();
    for (const word of text.slice(0, 3000).toLowerCase().match(/\p{L}+|\p{N}+/gu) || []) bag.set(word, (bag.get(word) || 0) + 1);
    for (const word of bag.keys()) held.set(word, (held.get(word) || 0) + 1);
    return bag;
  });
  const columns = new Map([...held].filter(([, count]) => count > 1 && count < texts.length).map(([word], n) => [word, n]));
  const rows = bags.map((bag) => {
    const row = [...bag].filter(([word]) => columns.has(word)).map(([word, count]) => [columns.get(word), (1 + Math.log(count)) * Math.log(texts.length / held.get(word))]);
    const norm = Math.hypot(...row.map(([, value]) => value)) || 1;
    return row.map(([column, value]) => [column, value / norm]);
  });
  return [rows, columns.size];
}
// Latent semantic analysis: the rows by their strongest directions (randomized SVD: Halko et al., SIAM Review 2011).
function reduce(rows, columns, size) {
  const random = generator(1), count = rows.length;
  let left = Array.from({ length: size }, () => Float64Array.from({ length: count }, () => random() - 0.5));
  const across = (vector) => {
    const out = new Float64Array(columns);
    rows.forEach((row, n) => { for (const [column, value] of row) out[column] += value * vector[n]; });
    return out;
  };
  const dot = (one, other) => { let sum = 0; for (let n = 0; n < one.length; n++) sum += one[n] * other[n]; return sum; };
  for (let pass = 0; pass < 6; pass++) {
    left = left.map((vector) => {
      const right = across(vector);
      return Float64Array.from(rows, (row) => { let sum = 0; for (const [column, value] of row) sum += value * right[column]; return sum; });
    });
    left.forEach((vector, n) => {
      for (let before = 0; before < n; before++) {
        const shared = dot(vector, left[before]);
        for (let at = 0; at < count; at++) vector[at] -= shared * left[before][at];
      }
      const norm = Math.sqrt(dot(vector, vector)) || 1;
      for (let at = 0; at < count; at++) vector[at] /= norm;
    });
  }
  return left.map((vector) => {
    const right = across(vector), strength = Math.sqrt(dot(right, right)), mean = vector.reduce((sum, value) => sum + value, 0) / count;
    return vector.map((value) => (value - mean) * strength);
  });
}
function neighbours(columns, count, most) {
  const found = [];
  for (let one = 0; one < count; one++) {
    const near = []; // the nearest so far, the farthest of them last
    for (let other = 0; other < count; other++) {
      if (other === one) continue;
      let far = 0;
      for (const column of columns) { const gap = column[one] - column[other]; far += gap * gap; }
      if (near.length === most && far >= near[most - 1][0]) continue;
      let at = near.length;
      while (at > 0 && near[at - 1][0] > far) at--;
      near.splice(at, 0, [far, other]);
      if (near.length > most) near.pop();
    }
    for (const [, other] of near) found.push([one, other]);
  }
  return found;
}
// Neighbours attract each other, all others repel (UMAP with a = b = 1: McInnes et al., arXiv:1802.03426).
function spread(columns, count) {
  const random = generator(2), edges = neighbours(columns, count, Math.min(8, count - 1)), rounds = count > 1500 ? 80 : 200;
  const top = Math.max(...columns[0].map(Math.abs), ...columns[1].map(Math.abs)) || 1;
  const x = columns[0].map((value) => 10 * value / top + random() / 100), y = columns[1].map((value) => 10 * value / top + random() / 100);
  const clip = (value) => Math.max(-4, Math.min(4, value));
  for (let round = 0; round < rounds; round++) {
    const pace = 1 - round / rounds;
    for (const [one, other] of edges) {
      let dx = x[one] - x[other], dy = y[one] - y[other];
      const pull = -2 / (1 + dx * dx + dy * dy) * pace;
      x[one] += clip(pull * dx); y[one] += clip(pull * dy);
      x[other] -= clip(pull * dx); y[other] -= clip(pull * dy);
      for (let n = 0; n < 3; n++) {
        const far = Math.floor(random() * count);
        if (far === one) continue;
        dx = x[one] - x[far]; dy = y[one] - y[far];
        const gap = dx * dx + dy * dy, push = 2 / ((0.01 + gap) * (1 + gap));
        x[one] += clip(push * dx) * pace; y[one] += clip(push * dy) * pace;
      }
    }
  }
  return [x, y];
}
// Rows of all columns, from signed bytes in base64, centred: what all vectors share tells nothing apart.
function decode(packed) {
  const rows = packed.map((text) => {
    const values = Float64Array.from(atob(text), (byte) => (byte.charCodeAt(0) << 24) >> 24), norm = Math.hypot(...values) || 1;
    return values.map((value) => value / norm);
  });
  const width = rows[0].length, mean = Array.from({ length: width }, (_, n) => rows.reduce((sum, row) => sum + row[n], 0) / rows.length);
  return [rows.map((row) => Array.from(row, (value, n) => [n, value - mean[n]])), width];
}
// Two columns of places from 0 to 1; a few that lie far out are put on the edge, so that the rest has room.
function layOut(texts, packed) {
  const count = texts.length;
  if (count < 4) return [texts.map((_, n) => (n + 0.5) / count), texts.map(() => 0.5)];
  const [rows, width] = packed ? decode(packed) : weigh(texts), columns = reduce(rows, width, Math.min(16, count - 1));
  return spread(columns, count).map((values) => {
    const sorted = [...values].sort((a, b) => a - b), low = sorted[Math.floor(0.004 * count)], high = sorted[Math.ceil(0.996 * (count - 1))];
    return Array.from(values, (value) => Math.max(0, Math.min(1, (value - low) / (high - low || 1))));
  });
}

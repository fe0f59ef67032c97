// Words that a text does not share with an earlier one: pages that show a record beside its seed mark them.
const COMPARED = 400000; // cells of the table by which two texts are compared
// The pieces of `after`, each with whether no longest common run of both texts has it; null where they are too long.
export function findNewWords(before, after) {
  const tokens = (text) => text.match(/\s+|[\p{L}\p{N}]+|[^\s]/gu) || [];
  const a = tokens(before).filter((word) => word.trim()), b = tokens(after), real = b.flatMap((word, n) => (word.trim() ? [n] : []));
  if (a.length * real.length > COMPARED) return null;
  const size = real.length + 1, table = new Uint16Array((a.length + 1) * size);
  for (let i = a.length - 1; i >= 0; i--) for (let j = real.length - 1; j >= 0; j--)
    table[i * size + j] = a[i] === b[real[j]] ? table[(i + 1) * size + j + 1] + 1 : Math.max(table[(i + 1) * size + j], table[i * size + j + 1]);
  const same = new Set();
  for (let i = 0, j = 0; i < a.length && j < real.length;) {
    if (a[i] === b[real[j]]) { same.add(real[j]); i++; j++; } else if (table[(i + 1) * size + j] >= table[i * size + j + 1]) i++; else j++;
  }
  return b.map((word, n) => [word, word.trim() !== "" && !same.has(n)]);
}

/**
 * Whether a text has another one in it, in time that grows with the sum of their lengths: the engine's own search grows with
 * their product for texts that are made for it.
 * Source: Knuth, Morris and Pratt, "Fast pattern matching in strings" (1977).
 */
export function includesText(text: string, part: string): boolean {
  if (part.length > text.length) return false;
  if (part === '') return true;
  const borders = bordersOf(part);
  let matched = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
    if (part.charCodeAt(matched) === unit) matched += 1;
    if (matched === part.length) return true;
  }
  return false;
}

/** For each beginning of a text, how much of its end is the text's beginning as well. */
function bordersOf(text: string): Uint32Array {
  const borders = new Uint32Array(text.length);
  let length = 0;
  for (let at = 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    while (length > 0 && text.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0;
    if (text.charCodeAt(length) === unit) length += 1;
    borders[at] = length;
  }
  return borders;
}

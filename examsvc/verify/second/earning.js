// What a response earns: docs/formats/marking.md, "A response" and "What a response earns".

/** Full case folding. Where a letter's capital leads elsewhere than its own folding, the exceptions are named. */
function folding(text) {
  let made = '';
  for (const sign of text) {
    const point = sign.codePointAt(0);
    if (sign === 'ı' || (point >= 0x13a0 && point <= 0x13f5)) made += sign;
    else if (sign === 'ẞ') made += 'ss';
    else if ((point >= 0x13f8 && point <= 0x13fd) || (point >= 0xab70 && point <= 0xabbf)) made += sign.toUpperCase();
    else made += sign.toUpperCase().toLowerCase();
  }
  return made;
}

/** Whether the canonical combining class of a decomposed character is not 0: then it changes places with one of class 230 or 1. */
const combining = sign => ('\u0301' + sign).normalize('NFD') !== '\u0301' + sign || (sign + '\u0334').normalize('NFD') !== sign + '\u0334';

function folded(text, byCase, byAccents) {
  let made = stripped(text.normalize('NFKC').replace(STRETCH, ' '));
  if (!byCase) made = folding(made);
  if (!byAccents) made = Array.from(made.replace(/đ/g, 'd').replace(/Đ/g, 'D').normalize('NFD')).filter(sign => sign < '\x80' || !combining(sign)).join('');
  return made.normalize('NFC');
}

/** {number, unit} of what a person typed; null where it is no number. */
function typedNumber(text, units = []) {
  let signs = Array.from(stripped(text.normalize('NFKC').replace(/−/g, '-'))), unit = '';
  const longest = [...units].sort((a, b) => Array.from(b).length - Array.from(a).length);
  for (const name of longest) {
    const plain = stripped(name.normalize('NFKC')), size = Array.from(plain).length, whole = signs.join('');
    if (plain === '' || whole === plain) continue;
    const ends = folding(whole).endsWith(folding(plain));
    if (ends || folding(whole).startsWith(folding(plain))) {
      signs = Array.from(stripped((ends ? signs.slice(0, Math.max(0, signs.length - size)) : signs.slice(size)).join('')));
      unit = name;
      break;
    }
  }
  let words = signs.join('').replace(/(?<=[0-9])[ _](?=[0-9]{3}(?![0-9]))/g, '');
  if (/^[+-]?[0-9]{1,3}(?:(?:\.[0-9]{3})+,[0-9]*|(?:,[0-9]{3})+\.[0-9]*|(?:\.[0-9]{3}){2,}|(?:,[0-9]{3}){2,})$/.test(words)) words = words.replaceAll(/[.,]/.exec(words)[0], '');
  const number = exactNumber(words.replaceAll(',', '.'));
  return number && { number, unit };
}

// A value is {sort, …}: text, boolean, number, point or pair. `key` tells whether two are equal, `text` is the text of the value.
const textValue = text => ({ sort: 'text', text, key: 't' + text });
const booleanValue = told => ({ sort: 'boolean', text: String(told), key: 'b' + told });
const numberValue = number => ({ sort: 'number', number, text: shortest(number), key: 'n' + shortest(number) });
const twoValue = (sort, two) => ({ sort, two, text: two.join(' '), key: sort + two.join(' ') });

function nearest(number) {
  return number.rounded(0, 'half-even').top;
}

/** A value from its text, as key and declarations write it. Throws. */
function readValue(base, text) {
  const fail = () => { throw new Error(`${base} is written otherwise`); };
  const words = wordsOf(text), plain = stripped(text);
  switch (base) {
    case 'identifier': case 'string': case 'file': case 'uri': return textValue(text);
    case 'boolean': return ['true', '1'].includes(plain) ? booleanValue(true) : ['false', '0'].includes(plain) ? booleanValue(false) : fail();
    case 'float': case 'duration': return numberValue(exactNumber(text) || fail());
    case 'integer': return WHOLE.test(plain) ? numberValue(new Exact(bigInt(plain))) : fail();
    case 'intOrIdentifier': return WHOLE.test(plain) ? numberValue(new Exact(bigInt(plain))) : words.length === 1 ? textValue(words[0]) : fail();
    case 'point':
      if (words.length !== 2 || !words.every(word => DECIMAL.test(word) && word.length < 20)) fail();
      return twoValue('point', words.map(word => nearest(exactNumber(word))));
    default:
      if (words.length !== 2) fail();
      return twoValue('pair', base === 'pair' ? words.sort(byPoints) : words);
  }
}

function readGiven(base, given, names) {
  const fail = () => { throw new Error('no such value'); };
  if (typeof given === 'boolean') return base === 'boolean' ? booleanValue(given) : ['identifier', 'string', 'file', 'uri'].includes(base) ? textValue(String(given)) : fail();
  if (typeof given === 'number') {
    if (['float', 'duration', 'integer', 'intOrIdentifier'].includes(base)) return numberValue(new Exact(BigInt(given)));
    return ['identifier', 'string', 'file', 'uri'].includes(base) ? textValue(String(given)) : fail();
  }
  if (base === 'identifier') return textValue(names.has(given) ? names.get(given) : given);
  if (base === 'pair' || base === 'directedPair') return readValue(base, wordsOf(given).map(word => names.has(word) ? names.get(word) : word).join(' '));
  if (base !== 'float' && base !== 'integer') return readValue(base, given);
  try {
    return readValue(base, given);
  } catch {
    const typed = typedNumber(given);
    return typed && (base === 'float' || typed.number.bottom === 1n) ? numberValue(typed.number) : textValue(given);
  }
}

const isGiven = value => ['string', 'boolean', 'number'].includes(typeof value);

/** The values of one response; none where it is empty. `names`: tokens of the item shown. */
function readResponseValues({ base, cardinality }, given, names) {
  const list = Array.isArray(given) ? given : isGiven(given) && given !== '' ? [given] : [];
  if (!list.every(isGiven) || (cardinality === 'single' && list.length !== 1)) return [];
  try {
    return list.map(one => readGiven(base, one, names));
  } catch {
    return [];
  }
}

function distinct(values) {
  return [...new Map(values.map(value => [value.key, value])).values()];
}

const count = number => new Exact(BigInt(number));
const best = credits => credits.reduce((most, one) => most === null || one.compare(most) > 0 ? one : most, null) || ZERO;

function wildcardFits(pattern, text) {
  const pieces = [''];
  for (let n = 0; n < pattern.length; n++) {
    if (pattern.startsWith('\\*', n)) {
      pieces[pieces.length - 1] += '*';
      n++;
    } else if (pattern[n] === '*') pieces.push('');
    else pieces[pieces.length - 1] += pattern[n];
  }
  if (pieces.length === 1) return pieces[0] === text;
  const last = pieces.pop(), first = pieces.shift();
  if (!text.startsWith(first)) return false;
  let place = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, place);
    if (found < 0) return false;
    place = found + piece.length;
  }
  return text.length - last.length >= place && text.endsWith(last);
}

function inside([x, y], shape, coordinates) {
  const c = coordinates.map(BigInt), square = one => one * one;
  const between = (one, a, b) => (a < b ? a : b) <= one && one <= (a < b ? b : a);
  if (shape === 'default') return true;
  if (shape === 'circle' && c.length === 3) return square(x - c[0]) + square(y - c[1]) <= square(c[2]);
  if (shape === 'rect' && c.length === 4) return between(x, c[0], c[2]) && between(y, c[1], c[3]);
  if (shape === 'ellipse' && c.length === 4) return c[2] > 0n && c[3] > 0n && square(x - c[0]) * square(c[3]) + square(y - c[1]) * square(c[2]) <= square(c[2] * c[3]);
  if (shape !== 'poly' || c.length < 6 || c.length % 2) return false;
  let odd = false;
  for (let n = 0; n < c.length; n += 2) {
    const [x1, y1, x2, y2] = [c[n], c[n + 1], c[(n + 2) % c.length], c[(n + 3) % c.length]];
    const cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
    if (cross === 0n && between(x, x1, x2) && between(y, y1, y2)) return true;
    if ((y1 > y) !== (y2 > y) && (cross > 0n) === (y2 > y1)) odd = !odd;
  }
  return odd;
}

function bounded(number, { lower, upper }) {
  if (lower !== null && number.compare(lower) < 0) return lower;
  return upper !== null && number.compare(upper) > 0 ? upper : number;
}

function equalsKey(value, { key, case: byCase }, base) {
  if (value.sort === 'text') return value.text === key || (!byCase && base === 'string' && folding(value.text) === folding(key));
  try {
    return readValue(base, key).key === value.key;
  } catch {
    return false;
  }
}

function mappedShare(values, { base, cardinality, mapping, areas }) {
  const table = mapping || areas;
  if (!table) return ZERO;
  const worth = table.entries.map(one => one.value).filter(positive);
  let most = mapping && cardinality === 'single' ? (worth.length ? best(worth) : positive(table.initial) ? table.initial : ZERO) : sum(worth);
  if (table.upper !== null && most.compare(table.upper) > 0) most = table.upper;
  if (most.top === 0n) return ZERO;
  let total = ZERO;
  const used = new Set();
  for (const value of mapping ? distinct(values) : values.filter(one => one.sort === 'point')) {
    const entry = table.entries.find(one => mapping ? equalsKey(value, one, base) : inside(value.two, one.shape, one.coordinates));
    if (!entry) total = total.plus(table.initial);
    else if (mapping || !used.has(entry)) total = total.plus(entry.value);
    used.add(entry);
  }
  return bounded(total, table).over(most);
}

function numericShare(values, rule) {
  if (values.length !== 1 || !['number', 'text'].includes(values[0].sort)) return ZERO;
  const typed = values[0].sort === 'number' ? { number: values[0].number, unit: '' } : typedNumber(values[0].text, rule.units.map(([name]) => name));
  if (!typed || (rule.required && !typed.unit)) return ZERO;
  const factor = rule.units.find(([name]) => name === typed.unit), number = factor ? typed.number.times(factor[1]) : typed.number;
  return best(rule.answers.filter(one => {
    if (one.wildcard) return true;
    const centre = exactNumber(one.value);
    if (one.upper) return centre.compare(number) <= 0 && number.compare(exactNumber(one.upper)) <= 0;
    const margin = one.percent ? centre.size.times(one.tolerance).over(count(100)) : one.tolerance;
    return number.minus(centre).size.compare(margin) <= 0;
  }).map(one => one.credit));
}

function textShare(values, rule) {
  if (!values.length) return ZERO;
  const answers = rule.answers.map(one => [folded(one.value, rule.case, rule.accents), one]);
  const shares = values.map(value => {
    const text = folded(value.text, rule.case, rule.accents);
    return best(answers.filter(([wanted, one]) => text !== '' && (one.wildcard ? wildcardFits(wanted, text) : wanted === text)).map(([, one]) => one.credit));
  });
  return sum(shares).over(count(values.length));
}

function ruleShare(item, rule, values) {
  const { method } = rule, declared = item.declared.get(rule.response), different = distinct(values);
  if (method === 'none') return ZERO;
  if (method === 'text') return textShare(values, rule);
  if (method === 'numeric') return numericShare(values, rule);
  if (method === 'mapping') return mappedShare(values, declared);
  if (method === 'credits') return sum(different.map(value => (rule.answers.findLast(one => one.value === value.text) || { credit: ZERO }).credit));
  const correct = declared.correct.map(text => readValue(declared.base, text)), keys = new Set(correct.map(one => one.key)), ordered = declared.cardinality === 'ordered';
  const right = different.filter(value => keys.has(value.key)).length, all = keys.size;
  if (method === 'all-or-nothing') {
    const same = ordered ? values.length === correct.length && values.every((value, n) => value.key === correct[n].key)
      : right === values.length && right === all;
    return same && values.length ? ONE : ZERO;
  }
  if (!correct.length) return ZERO;
  if (method === 'per-option') {
    const options = item.interactions.filter(one => one.response === rule.response).reduce((total, one) => total + one.choices.length + one.targets.length, 0);
    const others = options - all, wrong = count(different.length - right);
    return count(right).over(count(all)).minus(others > 0 ? wrong.over(count(others)) : wrong);
  }
  if (ordered) return count(values.filter((value, n) => n < correct.length && value.key === correct[n].key).length).over(count(correct.length));
  return count(Math.max(0, right - Math.max(0, different.length - all))).over(count(all));
}

/** The share of its marks that a stored value earns; `by` is the item that counts, `shown` the one that was put before the candidate. */
function shareOf(by, shown, value) {
  const responses = isObject(value) ? value : {}, shares = [];
  for (const rule of by.rules) {
    const declared = by.declared.get(rule.response), names = shown.names.get(rule.response) || new Map();
    const given = Object.hasOwn(responses, rule.response) ? responses[rule.response] : null;
    let share = ruleShare(by, rule, readResponseValues(declared, given, names));
    if (share.compare(rule.floor) < 0) share = rule.floor;
    if (share.compare(ONE) > 0) share = ONE;
    shares.push([rule, share]);
  }
  const weights = sum(by.rules.map(rule => rule.weight));
  if (by.marks.top === 0n || weights.top === 0n) return ZERO;
  if (by.combine === 'all' && !shares.every(([rule, share]) => rule.method === 'none' || share.compare(ONE) === 0)) return ZERO;
  return sum(shares.map(([rule, share]) => rule.weight.times(share))).over(weights);
}

/** What stored values earn by a native document: {digest, shares}, each share as "top/bottom"; shares null where a person marks. */
function earnings(native, values) {
  const item = readItem(native);
  const shares = item.byPerson ? null : values.map(value => shareOf(item, item, value)).map(({ top, bottom }) => `${top}/${bottom}`);
  return { digest: item.digest, shares };
}

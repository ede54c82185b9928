// An item of the native format, from its document: docs/formats/marking.md, "The key". What cannot be read throws.

const WHITE = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const EDGES = new RegExp(`^[${WHITE}]+|[${WHITE}]+$`, 'g');
const STRETCH = new RegExp(`[${WHITE}]+`, 'g');
const stripped = text => text.replace(EDGES, '');
const wordsOf = text => stripped(text) === '' ? [] : stripped(text).split(STRETCH);
const normal = text => text.replace(/\r\n?/g, '\n').replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]|\p{Surrogate}/gu, '').normalize('NFC');

/** By Unicode code points, not by UTF-16. */
function byPoints(a, b) {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let n = 0; n < x.length && n < y.length; n++) if (x[n] !== y[n]) return x[n].codePointAt(0) - y[n].codePointAt(0);
  return x.length - y.length;
}

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-3]?[0-9]{1,2})?$/;
const WHOLE = /^[+-]?[0-9]{1,1000}$/;
const bigInt = text => BigInt(text.replace(/^\+/, ''));

/** An exact number; null for any other text. */
function exactNumber(text) {
  text = stripped(text);
  const slash = text.indexOf('/');
  if (slash >= 0) {
    const [over, under] = [text.slice(0, slash), text.slice(slash + 1)].map(stripped);
    return WHOLE.test(over) && WHOLE.test(under) && bigInt(under) !== 0n ? new Exact(bigInt(over), bigInt(under)) : null;
  }
  if (Array.from(text).length > 1000 || !DECIMAL.test(text)) return null;
  const [digits, power = '0'] = text.toLowerCase().split('e'), [whole, part = ''] = digits.split('.');
  const shift = Number(power) - part.length, units = bigInt((whole + part).replace(/^([+-]?)$/, '$10'));
  return shift < 0 ? new Exact(units, 10n ** BigInt(-shift)) : new Exact(units * 10n ** BigInt(shift));
}

/** A number in its shortest form. */
function shortest(number) {
  let rest = number.bottom, twos = 0, fives = 0;
  while (rest % 2n === 0n) [rest, twos] = [rest / 2n, twos + 1];
  while (rest % 5n === 0n) [rest, fives] = [rest / 5n, fives + 1];
  const places = Math.max(twos, fives);
  if (rest !== 1n || places > 60) return `${number.top}/${number.bottom}`;
  const digits = String(number.size.top * 10n ** BigInt(places) / number.bottom).padStart(places + 1, '0'), point = digits.length - places;
  return (number.top < 0n ? '-' : '') + digits.slice(0, point) + (places ? '.' + digits.slice(point) : '');
}

const ONE = new Exact(1n);
const PLACEHOLDER = /^\[\[[\p{L}\p{N}_][\p{L}\p{N}_.-]*\]\]$/u;
const HOLDS_PLACE = /\[\[[\p{L}\p{N}_][\p{L}\p{N}_.-]*\]\]/u;
const ITEM_KINDS = ['single', 'multiple', 'true-false', 'numeric', 'text', 'order', 'match', 'gap', 'essay', 'description', 'composite'];
const INTERACTION_KINDS = ['choice', 'inline-choice', 'order', 'associate', 'match', 'gap-match', 'text-entry', 'extended-text', 'hottext', 'hotspot', 'select-point',
  'graphic-order', 'graphic-associate', 'graphic-gap-match', 'slider', 'position-object', 'media', 'upload', 'end-attempt'];
const BASES = ['identifier', 'boolean', 'integer', 'float', 'string', 'point', 'pair', 'directedPair', 'duration', 'file', 'uri', 'intOrIdentifier'];
const CARDINALITIES = ['single', 'multiple', 'ordered', 'record'];
const METHODS = ['all-or-nothing', 'per-option', 'per-part', 'credits', 'text', 'numeric', 'mapping', 'person', 'none'];

const isTable = value => value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Opaque);

/** A table of the document, asked key by key. */
class Fields {
  constructor(table, primary) {
    if (!isTable(table)) throw new Error('something is no table');
    this.table = table;
    this.primary = primary;
  }
  has(name) { return Object.hasOwn(this.table, name); }
  get(name, kind, fallback) {
    if (!this.has(name)) {
      if (fallback === undefined) throw new Error(`${name} is missing`);
      return fallback;
    }
    if (typeof this.table[name] !== kind) throw new Error(`${name} is of another type`);
    return this.table[name];
  }
  string(name, fallback) { return normal(this.get(name, 'string', fallback)); }
  flag(name, fallback) { return this.get(name, 'boolean', fallback); }
  oneOf(name, allowed, fallback) {
    const value = this.string(name, fallback);
    if (!allowed.includes(value)) throw new Error(`${name} is not one of those known`);
    return value;
  }
  whole(name, fallback) {
    const value = this.get(name, 'bigint', BigInt(fallback));
    if (value > 10n ** 9n || value < -(10n ** 9n)) throw new Error(`${name} is too large`);
    return Number(value);
  }
  number(name, fallback) {
    if (!this.has(name) && fallback !== undefined) return fallback;
    const value = this.table[name];
    const found = typeof value === 'bigint' ? new Exact(value) : typeof value === 'string' ? exactNumber(normal(value)) : null;
    if (found === null) throw new Error(`${name} is no number`);
    return found;
  }
  list(name) {
    const value = this.has(name) ? this.table[name] : [];
    if (!Array.isArray(value)) throw new Error(`${name} is no list`);
    return value;
  }
  strings(name) {
    return this.list(name).map(one => {
      if (typeof one !== 'string') throw new Error(`${name} is no list of texts`);
      return normal(one);
    });
  }
  tables(name) { return this.list(name).map(one => new Fields(one, this.primary)); }
  inner(name) { return this.has(name) ? new Fields(this.table[name], this.primary) : null; }
  text(name) {
    if (!this.has(name)) return null;
    const value = this.table[name], table = typeof value === 'string' ? { [this.primary]: value } : value;
    if (!isTable(table)) throw new Error(`${name} is no text`);
    const { format = 'markdown', ...languages } = table, values = {};
    if (format !== 'markdown' && format !== 'html') throw new Error(`${name} has an unknown format`);
    for (const [language, words] of Object.entries(languages)) {
      if (typeof words !== 'string') throw new Error(`${name} is no text`);
      if (stripped(words) !== '') values[language] = normal(words);
    }
    return Object.keys(values).length ? { form: format, values } : null;
  }
}

function readPicture(fields) {
  const found = fields.inner('picture');
  return found && [found.string('media'), found.whole('width', 0), found.whole('height', 0), found.text('alternative')];
}

function readShow(fields) {
  const name = ['show_if', 'hide_if'].find(one => fields.has(one));
  if (!name) return null;
  const text = fields.string(name), space = text.indexOf(' ');
  return space < 0 ? [text, '', name === 'show_if'] : [text.slice(0, space), text.slice(space + 1), name === 'show_if'];
}

const coordinatesOf = fields => fields.list('coordinates').filter(one => typeof one === 'bigint').map(Number);

function readChoice(fields, general = false) {
  const made = {
    id: fields.string('id'), text: fields.text('text'), fixed: fields.flag('fixed', false), match: [0, 1], group: [], area: ['', []],
    picture: readPicture(fields), why: fields.text('why'), show: readShow(fields),
  };
  if (general) {
    made.match = [fields.whole('match_min', 0), fields.whole('match_max', 1)];
    made.group = fields.strings('group');
    made.area = [fields.oneOf('shape', ['', 'circle', 'rect', 'ellipse', 'poly', 'default'], ''), coordinatesOf(fields)];
  }
  return made;
}

const interaction = (kind, response, more = {}) => ({
  kind, response, prompt: null, choices: [], targets: [], shuffle: false, choose: [0, 1], words: [null, null], size: [0, 0], pattern: '', scale: [null, null, null],
  picture: null, unit: null, types: [], ...more,
});
const declaration = (id, base, cardinality, correct, more = {}) => ({ id, base, cardinality, correct, mapping: null, areas: null, initial: [], ...more });
const ruleFor = (response, method, more = {}) => ({
  response, method, weight: ONE, floor: ZERO, answers: [], case: false, accents: true, units: [], required: false, ...more,
});
const answer = (value, more = {}) => ({ value, credit: ONE, tolerance: ZERO, percent: false, upper: '', wildcard: false, feedback: null, ...more });

function readOptions(fields) {
  const found = fields.tables('choices').map(one => ({
    choice: readChoice(one), credit: one.number('credit', one.flag('correct', false) ? ONE : ZERO), told: one.has('credit'),
  }));
  if (found.length < 2) throw new Error('there are fewer than two choices');
  return found;
}

const positive = number => number.compare(ZERO) > 0;
const credited = options => options.filter(one => one.credit.top !== 0n).map(one => answer(one.choice.id, { credit: one.credit }));

function single(fields, response, kind, options) {
  const best = options.reduce((most, one) => one.credit.compare(most) > 0 ? one.credit : most, options[0].credit);
  const right = positive(best) ? [options.find(one => one.credit.compare(best) === 0).choice.id] : [];
  const plain = best.compare(ONE) === 0 && credited(options).length === 1;
  const floor = options.reduce((least, one) => one.credit.compare(least) < 0 ? one.credit : least, ZERO);
  return [
    interaction(kind, response, { choices: options.map(one => one.choice), shuffle: fields.flag('shuffle', true) }),
    declaration(response, 'identifier', 'single', right),
    plain ? ruleFor(response, 'all-or-nothing') : ruleFor(response, 'credits', { floor, answers: credited(options) }),
  ];
}

function readNumber(fields, name) {
  const listed = name === 'value', raw = fields.table[name], wildcard = listed && raw === '*', percent = fields.has('tolerance_percent');
  const kept = wildcard || (typeof raw === 'string' && PLACEHOLDER.test(normal(raw)));
  return answer(kept ? normal(raw) : shortest(fields.number(name)), {
    credit: listed ? fields.number('credit', ONE) : ONE,
    tolerance: fields.number(percent ? 'tolerance_percent' : 'tolerance', ZERO).size,
    percent, wildcard,
    upper: listed && fields.has('upper') ? shortest(fields.number('upper')) : '',
    feedback: listed ? fields.text('feedback') : null,
  });
}

function readNumbers(fields) {
  const found = fields.has('answer') ? [readNumber(fields, 'answer')] : fields.tables('answers').map(one => readNumber(one, 'value'));
  if (!found.length) throw new Error('no answer is given');
  return found;
}

function readTexts(fields) {
  let found;
  if (fields.has('accept')) {
    const accepted = fields.table.accept, lists = isTable(accepted) ? Object.values(accepted) : [accepted];
    found = lists.flatMap(list => new Fields({ accept: list }, fields.primary).strings('accept')).map(text => answer(text));
  } else {
    found = fields.tables('answers').map(one => answer(one.string('value'), {
      credit: one.number('credit', ONE), wildcard: one.flag('wildcard', false), feedback: one.text('feedback'),
    }));
  }
  if (!found.some(one => stripped(one.value) !== '')) throw new Error('no answer is given');
  return found;
}

function readUnits(fields) {
  const table = fields.inner('units');
  return table ? Object.keys(table.table).map(name => [name, table.number(name)]) : [];
}

const firstFull = (answers, text) => answers.filter(one => one.credit.compare(ONE) === 0 && !one.upper && !one.wildcard && !HOLDS_PLACE.test(one.value)).slice(0, 1).map(one => one.value);

function typed(fields, response, kind, more = {}) {
  const answers = kind === 'numeric' ? readNumbers(fields) : readTexts(fields);
  const told = kind === 'numeric' ? { units: readUnits(fields) } : { case: fields.flag('case', false), accents: fields.flag('accents', true) };
  return [
    interaction('text-entry', response),
    declaration(response, kind === 'numeric' ? 'float' : 'string', 'single', firstFull(answers)),
    ruleFor(response, kind, { answers, ...told, ...more }),
  ];
}

const ALL = 'all-or-nothing';
const SHORT = {
  single(fields, name) {
    const options = readOptions(fields);
    if (!options.some(one => one.told) && options.filter(one => positive(one.credit)).length !== 1) throw new Error('not one choice is correct');
    return [single(fields, name, 'choice', options)];
  },
  multiple(fields, name) {
    const method = fields.oneOf('scoring', [ALL, 'per-option', 'credits'], ALL), options = readOptions(fields);
    const right = options.filter(one => positive(one.credit)).map(one => one.choice.id);
    if (!right.length) throw new Error('no choice is correct');
    return [[
      interaction('choice', name, { choices: options.map(one => one.choice), shuffle: fields.flag('shuffle', true), choose: [0, 0] }),
      declaration(name, 'identifier', 'multiple', right),
      ruleFor(name, method, method === 'credits' ? { answers: credited(options) } : {}),
    ]];
  },
  'true-false'(fields, name) {
    const choice = (id, why) => readChoice(new Fields(fields.has(why) ? { id, why: fields.table[why] } : { id }, fields.primary));
    return [[
      interaction('choice', name, { choices: [choice('true', 'why_true'), choice('false', 'why_false')] }),
      declaration(name, 'boolean', 'single', [String(fields.flag('answer'))]),
      ruleFor(name, ALL),
    ]];
  },
  numeric(fields, name) {
    const made = typed(fields, name, 'numeric', { required: fields.flag('unit_required', false) });
    made[0].unit = fields.text('unit');
    return [made];
  },
  text(fields, name) { return [typed(fields, name, 'text')]; },
  order(fields, name) {
    const choices = fields.tables('choices').map(one => readChoice(one));
    if (choices.length < 2) throw new Error('there are fewer than two choices');
    return [[
      interaction('order', name, { choices, shuffle: true, choose: [0, 0] }),
      declaration(name, 'identifier', 'ordered', choices.map(one => one.id)),
      ruleFor(name, fields.oneOf('scoring', [ALL, 'per-part'], ALL)),
    ]];
  },
  match(fields, name) {
    const pairs = fields.strings('pairs').map(pair => wordsOf(pair).join(' '));
    const [left, right] = ['left', 'right'].map(side => fields.tables(side).map(one => readChoice(one)));
    const known = pairs.every(pair => {
      const [from, to, more] = pair.split(' ');
      return more === undefined && left.some(one => one.id === from) && right.some(one => one.id === to);
    });
    if (!pairs.length || !known) throw new Error('a pair names no side');
    const most = Math.max(1, ...left.map(one => pairs.filter(pair => pair.split(' ')[0] === one.id).length));
    left.forEach(one => { one.match = [0, most]; });
    right.forEach(one => { one.match = [0, 0]; });
    return [[
      interaction('match', name, { choices: left, targets: right, shuffle: fields.flag('shuffle', true), choose: [0, 0] }),
      declaration(name, 'directedPair', 'multiple', pairs),
      ruleFor(name, fields.oneOf('scoring', [ALL, 'per-part'], ALL)),
    ]];
  },
  gap(fields) {
    const made = fields.tables('gaps').map(one => {
      const id = one.string('id'), kind = one.oneOf('kind', ['choice', 'text', 'numeric']);
      const options = kind === 'choice' ? readOptions(one) : null;
      if (options && !options.some(option => positive(option.credit))) throw new Error('no choice is correct');
      const parts = options ? single(one, id, 'inline-choice', options) : typed(one, id, kind);
      parts[2].weight = one.number('weight', ONE);
      return parts;
    });
    if (!made.length) throw new Error('there is no gap');
    return made;
  },
  essay(fields, name) {
    return [[
      interaction('extended-text', name, { words: readWords(fields), size: [fields.whole('lines', 0), 0] }),
      declaration(name, 'string', 'single', []),
      ruleFor(name, 'person'),
    ]];
  },
  description() { return []; },
};

function readWords(fields) {
  const table = fields.inner('words'), bounds = table ? [table.whole('min', -1), table.whole('max', -1)] : [-1, -1];
  return bounds.map(one => one === -1 ? null : one);
}

const optional = (fields, name) => fields.has(name) ? fields.number(name) : null;
const boundsOf = fields => ({ initial: fields.number('default', ZERO), lower: optional(fields, 'lower'), upper: optional(fields, 'upper') });

function readValues(fields, name, base) {
  const texts = fields.strings(name);
  texts.forEach(text => readValue(base, text));
  return texts;
}

function readInteraction(fields) {
  return interaction(fields.oneOf('kind', INTERACTION_KINDS), fields.string('response'), {
    prompt: fields.text('prompt'), choices: fields.tables('choices').map(one => readChoice(one, true)), targets: fields.tables('targets').map(one => readChoice(one, true)),
    shuffle: fields.flag('shuffle', false), choose: [fields.whole('min_choices', 0), fields.whole('max_choices', 1)], words: readWords(fields),
    size: [fields.whole('lines', 0), fields.whole('length', 0)], pattern: fields.string('pattern', ''), scale: ['lower', 'upper', 'step'].map(name => optional(fields, name)),
    picture: readPicture(fields), unit: fields.text('unit'), types: fields.strings('types'),
  });
}

function readResponse(fields) {
  const base = fields.oneOf('base', BASES), mapping = fields.inner('mapping'), areas = fields.inner('areas');
  return declaration(fields.string('id'), base, fields.oneOf('cardinality', CARDINALITIES, 'single'), readValues(fields, 'correct', base), {
    mapping: mapping && {
      entries: mapping.tables('entries').map(one => ({ key: one.string('key'), value: one.number('value'), case: one.flag('case', false) })), ...boundsOf(mapping),
    },
    areas: areas && {
      entries: areas.tables('entries').map(one => ({ shape: one.string('shape'), coordinates: coordinatesOf(one), value: one.number('value') })), ...boundsOf(areas),
    },
    initial: readValues(fields, 'default', base),
  });
}

function readRule(fields) {
  const method = fields.oneOf('method', METHODS);
  const answers = method === 'numeric' ? readNumbers(fields) : method === 'text' ? readTexts(fields)
    : method === 'credits' ? fields.tables('answers').map(one => answer(one.string('value'), { credit: one.number('credit') })) : [];
  return ruleFor(fields.string('response'), method, {
    weight: fields.number('weight', ONE), floor: fields.number('floor', ZERO), answers, case: fields.flag('case', false), accents: fields.flag('accents', true),
    units: readUnits(fields), required: fields.flag('unit_required', false),
  });
}

/** The item in a native document. Throws where there is none, or one that this page does not mark. */
function readItem(document) {
  const head = readToml(document), [primary = 'vi'] = head.languages || [];
  if (head.format !== 'examsvc-bank/1' || !Array.isArray(head.item) || typeof primary !== 'string') throw new Error('this is no native document');
  const fields = new Fields(head.item[0], primary), kind = fields.oneOf('kind', ITEM_KINDS), general = fields.has('interaction') || kind === 'composite';
  if (fields.has('template_processing') || (general && fields.has('processing'))) throw new Error('it has rules of QTI');
  const item = {
    kind, body: fields.text('prompt'), marks: kind === 'description' && !general ? ZERO : fields.number('marks', kind === 'description' ? ZERO : ONE), combine: 'sum', outcomes: [],
    explanation: fields.text('explanation'), guide: fields.text('guide'),
    rubric: fields.tables('rubric').map(one => [one.string('id'), one.text('title'), one.number('marks'), one.tables('levels').map(level => [level.number('marks'), level.text('text')])]),
    templates: fields.tables('template').map(one => {
      const base = one.oneOf('base', BASES);
      return {
        id: one.string('id'), type: [base, one.oneOf('cardinality', CARDINALITIES, 'single')], default: readValues(one, 'default', base),
        math: one.flag('math', false), parameter: one.flag('parameter', false),
      };
    }),
  };
  if (item.marks.compare(ZERO) < 0) throw new Error('its marks are below 0');
  if (general) {
    item.interactions = fields.tables('interaction').map(readInteraction);
    item.responses = fields.tables('response').map(readResponse);
    item.rules = fields.tables('rule').map(readRule);
    item.combine = fields.oneOf('combine', ['sum', 'all'], 'sum');
    item.outcomes = fields.tables('outcome').map(one => {
      if (one.has('table')) throw new Error('an outcome has a table');
      const base = one.oneOf('base', BASES);
      return {
        id: one.string('id'), type: [base, one.oneOf('cardinality', CARDINALITIES, 'single')], default: readValues(one, 'default', base), table: null,
        normal: [optional(one, 'normal_minimum'), optional(one, 'normal_maximum')],
      };
    });
  } else {
    const parts = SHORT[kind](fields, 'RESPONSE');
    [item.interactions, item.responses, item.rules] = [0, 1, 2].map(place => parts.map(part => part[place]));
    if (kind === 'gap') item.combine = fields.oneOf('scoring', [ALL, 'per-part'], ALL) === 'per-part' ? 'sum' : 'all';
  }
  item.declared = new Map(item.responses.map(one => [one.id, one]));
  if ([...item.interactions, ...item.rules].some(one => !item.declared.has(one.response))) throw new Error('a response is not declared');
  item.digest = digestOf(item);
  item.names = new Map(item.interactions.map(one => [one.response, tokensOf(item.digest, one)]));
  item.byPerson = item.rules.some(one => one.method === 'person');
  return item;
}

function digestOf(item) {
  const number = one => one === null ? null : shortest(one);
  const bounds = ({ lower, upper }) => [number(lower), number(upper)];
  const content = {
    format: 'examsvc-item/1', kind: item.kind, body: item.body, combine: item.combine, marks: number(item.marks), processing: null, template_processing: null,
    interactions: item.interactions.map(one => ({ ...one, scale: one.scale.map(number) })),
    responses: item.responses.map(one => ({
      id: one.id, type: [one.base, one.cardinality], correct: one.cardinality === 'ordered' ? one.correct : [...one.correct].sort(byPoints),
      mapping: one.mapping && [one.mapping.entries.map(entry => [entry.key, number(entry.value), entry.case]), number(one.mapping.initial), bounds(one.mapping)],
      areas: one.areas && [one.areas.entries.map(entry => [entry.shape, entry.coordinates, number(entry.value)]), number(one.areas.initial), bounds(one.areas)],
      default: one.initial,
    })),
    rules: item.rules.map(one => ({
      response: one.response, method: one.method, weight: number(one.weight), floor: number(one.floor), text: [one.case, one.accents],
      units: one.units.map(([name, factor]) => [name, number(factor)]), unit_required: one.required,
      answers: one.answers.map(({ value, credit, tolerance, percent, upper, wildcard, feedback }) => ({
        value, credit: number(credit), tolerance: [number(tolerance), percent], upper, wildcard, feedback,
      })),
    })),
    outcomes: item.outcomes.map(one => ({ ...one, normal: one.normal.map(number) })), templates: item.templates, explanation: item.explanation, guide: item.guide,
    rubric: item.rubric.map(([id, title, marks, levels]) => [id, title, number(marks), levels.map(([worth, text]) => [number(worth), text])]),
  };
  return toHex(sha256(utf8(encode(content))));
}

/** Token → identifier. */
function tokensOf(digest, { response, choices, targets }) {
  const ids = [...choices, ...targets].map(one => one.id);
  if (ids.length && new Set(ids).size === 2 && ids.every(id => id === 'true' || id === 'false')) return new Map(ids.map(id => [id, id]));
  return new Map(ids.map(id => ['c' + toHex(sha256(utf8(`${digest}\x1f${response}\x1f${id}`))).slice(0, 12), id]));
}

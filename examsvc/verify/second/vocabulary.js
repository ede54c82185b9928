// What entries and objects may hold: docs/formats/entries.md, read into vocabulary.json (VOCABULARY).

const SIMPLE = {
  code: value => typeof value === 'string' && /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(value),
  digest: value => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  '32 bytes': value => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  origin: value => typeof value === 'string' && /^[\x21-\x2a\x2c-\x7e]{1,200}$/.test(value),
  key: value => typeof value === 'string' && /^[\x21-\x2a\x2c-\x7e]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/.test(value),
  integer: value => Number.isSafeInteger(value) && value >= 0,
  count: value => Number.isSafeInteger(value) && value >= 1,
  time: value => Number.isSafeInteger(value) && value >= 0,
  boolean: value => typeof value === 'boolean',
  mark: value => typeof value === 'string' && /^-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$/.test(value),
  text: value => typeof value === 'string',
  value: () => true,
};

/** [name, kind, optional] for each field of a record kind `{a: code, b?: list of {…}}`. */
function recordFields(kind) {
  const fields = [];
  let depth = 0, part = '';
  for (const character of kind.slice(1, -1) + ',') {
    if (character === ',' && depth === 0) {
      const [, name, optional, inner] = /^\s*(\w+)(\??): (.*)$/s.exec(part);
      fields.push([name, inner, optional === '?']);
      part = '';
      continue;
    }
    if (character === '{') depth++;
    if (character === '}') depth--;
    part += character;
  }
  return fields;
}

const KINDS = new Map();

/** {check(value, most), commitments(value)} of a kind as the document writes it. */
function kindOf(text) {
  if (KINDS.has(text)) return KINDS.get(text);
  let made;
  if (SIMPLE[text]) made = { check: SIMPLE[text], commitments: () => [] };
  else if (text.startsWith('commitment to ')) {
    const name = text.slice(14);
    made = { check: SIMPLE.digest, commitments: value => [[name, value]] };
  } else if (/^(list|set) of /.test(text)) {
    const inner = kindOf(text.replace(/^(list|set) of /, '')), ascending = text.startsWith('set');
    made = {
      check: (value, most) => Array.isArray(value) && value.length <= most && value.every(one => inner.check(one, most))
        && (!ascending || value.every((one, n) => !n || value[n - 1] < one)),
      commitments: value => value.flatMap(inner.commitments),
    };
  } else if (text.startsWith('{')) {
    const fields = recordFields(text);
    made = { check: (value, most) => follows(fields, value, most), commitments: value => commitmentsIn(fields, value) };
  } else {
    const codes = text.split(' | ');
    made = { check: value => codes.includes(value), commitments: () => [] };
  }
  KINDS.set(text, made);
  return made;
}

/** Whether the value is an object with exactly these fields, each of its kind. */
function follows(fields, value, most) {
  if (!isObject(value)) return false;
  let present = 0;
  for (const [name, kind, optional] of fields) {
    if (Object.hasOwn(value, name)) {
      present++;
      if (!kindOf(kind).check(value[name], most)) return false;
    } else if (!optional) return false;
  }
  return present === Object.keys(value).length;
}

function commitmentsIn(fields, value) {
  return fields.flatMap(([name, kind]) => Object.hasOwn(value, name) ? kindOf(kind).commitments(value[name]) : []);
}

for (const type of Object.values(VOCABULARY.types)) {
  type.body = [
    ...(type.scope === 'stage' ? [['stage', 'code', false]] : []),
    ...(type.scope === 'log' ? [] : [['posts', 'set of code', false]]),
    ...type.fields,
    ...(type.under.length ? [['under', 'integer', false]] : []),
    ...(type.approvers ? [['approvals', 'list of {by: code, t: time}', false], ['summary', 'commitment to approval.summary', false]] : []),
  ];
  type.things = VOCABULARY.things.filter(thing => type.body.some(([name, , optional]) => name === thing && !optional));
}

const IN_ENTRY = 800, IN_OBJECT = Infinity;

/** The entry in these bytes with its type; `problem` says what is wrong with it, and then nothing else of it is used. */
function readEntry(bytes, index) {
  const entry = { index, bytes, leaf: leafHash(bytes), problem: null, canonical: true };
  let frame;
  try {
    if (bytes.length > 65535) throw new Error();
    frame = decode(bytes);
  } catch {
    return { ...entry, canonical: false, problem: 'form' };
  }
  const names = isObject(frame) ? Object.keys(frame).sort().join() : '';
  if (names !== 'body,by,n,t,type,v,x' || frame.v !== 1 || !SIMPLE.integer(frame.n) || !SIMPLE.code(frame.x)
    || !SIMPLE.time(frame.t) || !SIMPLE.code(frame.by)) return { ...entry, problem: 'frame' };
  const type = Object.hasOwn(VOCABULARY.types, frame.type) ? VOCABULARY.types[frame.type] : null;
  if (!type) return { ...entry, problem: 'type' };
  if (!follows(type.body, frame.body, IN_ENTRY)) return { ...entry, problem: 'body' };
  if (type.approvers) {
    const people = new Set(frame.body.approvals.map(one => one.by));
    if (people.size !== frame.body.approvals.length || people.size < type.approvers) return { ...entry, problem: 'approvers' };
  }
  return { ...entry, ...frame, posts: frame.body.posts || [], stage: type.scope === 'stage' ? frame.body.stage : null, definition: type };
}

// V4 types and numbers, V5 order, V11 locks: docs/formats/entries.md, "Number, scope and order".

const TYPES = VOCABULARY.types;
const shared = (a, b) => TYPES[a].things.filter(thing => TYPES[b].things.includes(thing));
const valuesOf = (entry, names) => names.map(name => entry.body[name]).join(' ');

/** For each type the lists of things by which others look for it. */
const LOOKED_FOR = new Map();
for (const [name, type] of Object.entries(TYPES)) {
  for (const other of [...type.after, ...type.before, ...type.within]) {
    if (!LOOKED_FOR.has(other)) LOOKED_FOR.set(other, new Map());
    const names = shared(name, other);
    LOOKED_FOR.get(other).set(names.join(), names);
  }
}

/** What stands in a log so far, by unit of the scope. */
class Standing {
  constructor() {
    this.units = new Map();
  }
  unit(name) {
    if (!this.units.has(name)) this.units.set(name, new Map());
    return this.units.get(name);
  }
  add(entry, units) {
    for (const unit of units) {
      const counts = this.unit(unit);
      counts.set(entry.type, (counts.get(entry.type) || 0) + 1);
      for (const names of (LOOKED_FOR.get(entry.type) || new Map()).values()) {
        const key = `${entry.type}|${names.join()}|${valuesOf(entry, names)}`;
        counts.set(key, (counts.get(key) || 0) + 1);
      }
    }
  }
  count(unit, entry, type) {
    const names = shared(entry.type, type);
    return (this.units.get(unit) || new Map()).get(`${type}|${names.join()}|${valuesOf(entry, names)}`) || 0;
  }
  clear(unit) {
    this.units.delete(unit);
  }
}

const unitsOf = entry => entry.definition.scope === 'log' ? ['log']
  : entry.definition.scope === 'post' ? entry.posts.map(post => 'post ' + post)
    : entry.posts.map(post => `stage ${post} ${entry.stage}`);

function occurs(bundle, type, stage) {
  const kinds = bundle.kinds.get(stage);
  return kinds && kinds.size > 0 && (TYPES[type].kinds === null || TYPES[type].kinds.some(kind => kinds.has(kind)));
}

function course(bundle, log, kind) {
  const { findings } = bundle, standing = new Standing(), numbers = new Set(), omitted = new Set();
  const at = new Map(log.good.map(entry => [entry.n, entry]));
  const here = kind === 'competition' ? '' : 'Registry: ', hereVi = kind === 'competition' ? '' : 'Sổ đăng ký: ';
  const fail = (check, entry, en, vi) => findings.fail(check, `${here}Entry ${entry.index} (${entry.type}) ${en}`, `${hereVi}Mục ${entry.index} (${entry.type}) ${vi}`);
  const locks = new Map();
  let time = 0;
  const [first] = log.entries;
  if (first && !first.problem && first.type !== 'log.opened') fail('V4', first, 'stands where log.opened should.', 'đứng vào chỗ của log.opened.');
  for (const entry of log.entries) {
    if (entry.problem === 'form') {
      findings.fail('V4', `${here}Entry ${entry.index} is no entry.`, `${hereVi}Mục ${entry.index} không phải một mục.`);
      continue;
    }
    if (entry.problem) {
      findings.fail('V4', `${here}Entry ${entry.index} does not follow the vocabulary.`, `${hereVi}Mục ${entry.index} không theo danh mục các loại mục.`);
      continue;
    }
    const type = entry.definition, units = unitsOf(entry);
    if (!type.log.includes(kind)) fail('V4', entry, 'does not belong into this log.', 'không thuộc loại sổ này.');
    if (entry.t < time) fail('V5', entry, 'is earlier than the one before it.', 'sớm hơn mục trước nó.');
    time = Math.max(time, entry.t);
    let declared = true;
    const stray = (en, vi) => {
      declared = false;
      fail('V4', entry, en, vi);
    };
    if (kind === 'competition' && bundle.regulation) {
      if (entry.posts.some(post => !bundle.posts.has(post))) stray('names a post without a notice.', 'nêu vị trí không có thông báo.');
      if (type.scope === 'stage' && !occurs(bundle, entry.type, entry.stage) && !(type.kinds === null && bundle.kinds.has(entry.stage))) {
        stray('has no place in this stage.', 'không có chỗ trong vòng thi này.');
      }
    }
    if (type.number && declared) {
      const names = type.number.filter(name => name !== 'post' && name !== 'stage');
      const wide = names.some(name => VOCABULARY.things.includes(name));
      for (const unit of wide ? ['log'] : units) {
        const key = `${unit}|${entry.type}|${valuesOf(entry, names)}`;
        if (numbers.has(key)) fail('V4', entry, 'stands there twice.', 'xuất hiện hai lần.');
        numbers.add(key);
      }
    }
    if (declared && (kind !== 'competition' || bundle.regulation)) follow(bundle, entry, units, standing, omitted, fail, at);
    if (declared && kind === 'competition' && bundle.regulation) lock(entry, units, locks, fail, at);
    for (const approval of entry.body.approvals || []) {
      if (approval.t > entry.t) fail('V11', entry, 'was approved after it happened.', 'được phê duyệt sau khi đã xảy ra.');
    }
    if (entry.type === 'stage.omitted') units.forEach(unit => omitted.add(unit));
    standing.add(entry, units);
    if (entry.type === 'decision.annulled') annul(entry, standing, numbers, locks, bundle);
  }
  return { standing, omitted };
}

function annul(entry, standing, numbers, locks, bundle) {
  const { level, stage } = entry.body;
  if (!['competition', 'post', 'stage'].includes(level)) return;
  for (const post of entry.posts) {
    const units = [...bundle.kinds.keys()].filter(name => level !== 'stage' || name === stage).map(name => `stage ${post} ${name}`);
    if (level !== 'stage') units.push('post ' + post);
    for (const unit of units) {
      standing.clear(unit);
      locks.delete(unit);
      for (const key of numbers) if (key.startsWith(unit + '|')) numbers.delete(key);
    }
  }
}

function follow(bundle, entry, units, standing, omitted, fail, at) {
  const type = entry.definition, stages = [...bundle.kinds.keys()];
  /** Where an entry of `other` would stand for each of this entry's units: a list of lists, of each inner one it suffices in `any`. */
  const places = (other, every) => {
    const scope = TYPES[other].scope;
    if (scope === 'log') return [['log']];
    if (type.scope === 'log') return [[...standing.units.keys()].filter(unit => unit !== 'log')];
    if (scope === 'post') return entry.posts.map(post => ['post ' + post]);
    if (type.scope === 'stage') return occurs(bundle, other, entry.stage) ? units.map(unit => [unit]) : [];
    const named = entry.body.stages || stages;
    return entry.posts.flatMap(post => {
      const found = named.filter(stage => occurs(bundle, other, stage) && !omitted.has(`stage ${post} ${stage}`)).map(stage => `stage ${post} ${stage}`);
      return every ? found.map(unit => [unit]) : [found];
    });
  };
  const total = (inner, other) => inner.reduce((sum, unit) => sum + standing.count(unit, entry, other), 0);
  for (const other of type.after) {
    if (places(other, true).some(inner => !total(inner, other))) fail('V5', entry, `has no ${other} before it.`, `không có ${other} đứng trước.`);
  }
  for (const other of type.before) {
    if (places(other, false).some(inner => total(inner, other))) fail('V5', entry, `comes after ${other}.`, `đứng sau ${other}.`);
  }
  if (type.within.length) {
    const [begin, end] = type.within;
    if (places(begin, false).some(inner => total(inner, begin) <= total(inner, end))) {
      fail('V5', entry, `is not between ${begin} and ${end}.`, `không nằm giữa ${begin} và ${end}.`);
    }
  }
  if (type.under.length) {
    const ordering = at.get(entry.body.under);
    const fits = entry.body.under < entry.n && ordering && type.under.includes(ordering.type)
      && shared(entry.type, ordering.type).every(name => entry.body[name] === ordering.body[name])
      && (!ordering.posts.length || entry.posts.every(post => ordering.posts.includes(post)));
    if (!fits) fail('V11', entry, 'names no order it could be made under.', 'không nêu đúng quyết định làm căn cứ.');
  }
}

/** After marks.locked only what may follow it; reopened stages take nothing about what was locked. */
function lock(entry, units, locks, fail, at) {
  if (entry.definition.scope !== 'stage') return;
  const things = ['attempt', 'script', 'hearing'].filter(name => Object.hasOwn(entry.body, name)).map(name => `${name} ${entry.body[name]}`);
  for (const unit of units) {
    if (!locks.has(unit)) locks.set(unit, { locked: false, seen: new Set(), old: new Set() });
    const state = locks.get(unit);
    const ordering = Object.hasOwn(entry.body, 'under') ? at.get(entry.body.under) : null;
    const approved = one => one && (one.body.approvals || []).length >= 2;
    if (state.locked && (entry.definition.lock === 'never' || (entry.definition.lock === 'approved' && !approved(entry) && !approved(ordering)))) {
      fail('V11', entry, 'comes after the marks were locked.', 'xảy ra sau khi điểm đã khóa.');
    }
    if (!state.locked && entry.definition.lock === 'never' && things.some(thing => state.old.has(thing))) {
      fail('V11', entry, 'touches marks locked before.', 'đụng đến điểm đã khóa trước đó.');
    }
    things.forEach(thing => state.seen.add(thing));
    if (entry.type === 'marks.locked') {
      state.locked = true;
      state.old = new Set(state.seen);
    }
    if (entry.type === 'marks.reopened') state.locked = false;
  }
}

/** V4: everything that is required is there. */
function required(bundle, { standing, omitted }) {
  const { findings, manifest } = bundle;
  const miss = (type, where) => findings.fail('V4', `There is no ${type} for ${where}.`, `Không có ${type} cho ${where}.`);
  for (const [name, type] of Object.entries(TYPES)) {
    if (!type.required || !type.log.includes('competition')) continue;
    if (type.scope === 'log') {
      if (!(standing.units.get('log') || new Map()).get(name)) miss(name, manifest.competition);
      continue;
    }
    for (const post of manifest.posts) {
      const stages = [...bundle.kinds.keys()].filter(stage => occurs(bundle, name, stage) && !omitted.has(`stage ${post} ${stage}`));
      const units = type.scope === 'post' ? ['post ' + post] : stages.map(stage => `stage ${post} ${stage}`);
      for (const unit of units) if (!(standing.units.get(unit) || new Map()).get(name)) miss(name, unit);
    }
  }
}

function courses(bundle) {
  const { findings, manifest, registry, log } = bundle;
  const made = course(bundle, log, 'competition');
  if (!bundle.regulation) {
    for (const check of ['V4', 'V5', 'V11']) {
      findings.fail(check, 'The pinned regulation is not there: stages are unknown.', 'Không có quy chế đã ghim: không biết các vòng thi.');
    }
  } else required(bundle, made);
  if (manifest.posts.some(post => !bundle.posts.has(post))) findings.fail('V4', 'The bundle is about a post without a notice.', 'Gói nêu một vị trí không có thông báo.');
  if (!registry) return;
  if (!registry.good.length) return;
  course(bundle, registry, 'registry');
  const first = opening(log);
  const known = registry.good.some(entry => entry.type === 'competition.opened' && entry.body.competition === manifest.competition
    && entry.body.origin === manifest.origin && first && entry.body.key === first.key);
  if (!known) findings.fail('V4', 'The registry does not know this competition.', 'Sổ đăng ký không có kỳ thi này.');
}

// V14: the ranking from the marks that V13 computed, or, where there are none, from those printed in it. docs/formats/bundle.md, "The ranking".

class Terms {
  constructor(tree) {
    this.tree = tree;
    this.stages = tree.stages.filter(stage => stage.kind === 'examination');
    this.parts = new Map(this.stages.flatMap(stage => stage.parts.map(part => [part.id, { ...part, stage: stage.id }])));
    this.weights = new Map([...this.parts].map(([name, part]) => [name, Exact.of(part.weight)]));
    this.maxima = new Map([...this.parts].map(([name, part]) => [name, Exact.of(part.maximum)]));
    this.points = new Map(tree.rounding.points.map(point => [point.at, point]));
  }
  rounded(at, number) {
    const point = this.points.get(at);
    return point ? number.rounded(point.decimals, point.mode) : number;
  }
  met(rule, mark, maximum) {
    const at = Exact.of(rule.at), boundary = rule.of === 'maximum' ? at.times(maximum) : at, side = mark.compare(boundary);
    return side > 0 || (rule.boundary === 'at-least' && side === 0);
  }
  worth(name, mark) {
    const { basis, maximum } = this.tree.total, share = this.weights.get(name).times(mark);
    return this.rounded('weighted-part', basis === 'shares' ? Exact.of(maximum).times(share).over(this.maxima.get(name)) : share);
  }
  onlyPart(stage) {
    const found = [...this.parts].filter(([, part]) => part.stage === stage);
    if (found.length !== 1) throw new Error('a line names no part');
    return found[0][0];
  }
  /** The member with this id of a list of the regulation: marking, panels, sanctions. */
  named(clause, id) {
    const found = this.tree[clause].find(one => one.id === id);
    if (!found) throw new Error(`${clause} has no ${id}`);
    return found;
  }
  weighing() {
    return [...this.parts.keys()].filter(name => this.weights.get(name).compare(ZERO) !== 0);
  }
}

function split(group, key, compare) {
  const sorted = group.map(one => [key(one), one]).sort((a, b) => compare(a[0], b[0])), found = [];
  sorted.forEach(([value, one], n) => {
    if (n && compare(sorted[n - 1][0], value) === 0) found[found.length - 1].push(one);
    else found.push([one]);
  });
  return found;
}

/** Dates of birth by candidate number, where list and identities are opened. */
function births(bundle) {
  const born = new Map(), found = new Map();
  for (const { name, object } of bundle.found.values()) if (name === 'application.identity') born.set(object.application, object.born);
  for (const { name, object } of bundle.found.values()) {
    if (name !== 'candidates.list') continue;
    for (const row of object.candidates) if (born.has(row.application)) found.set(row.candidate, born.get(row.application));
  }
  return found;
}

class Run {
  constructor(bundle, terms, entry, table) {
    this.terms = terms;
    this.places = entry.body.places;
    this.priority = terms.tree.priority;
    this.births = births(bundle);
    const before = type => bundle.all(type).filter(one => one.n < entry.n && equal(one.posts, entry.posts));
    this.decided = before('tie.decided').map(one => bundle.open(one.body.tie)).filter(one => one).map(one => one.order);
    const granted = bundle.all('priority.granted').map(one => [one, bundle.open(one.body.priority)]);
    this.granted = bundle.restricted && granted.every(([, object]) => object) ? new Map() : null;
    for (const [one, { candidate, points }] of this.granted ? granted : []) {
      if (one.n < entry.n) this.granted.set(candidate, (this.granted.get(candidate) || ZERO).plus(Exact.of(points)));
    }
    const brought = bundle.brought.get(entry.n) || new Map();
    this.all = table.rows.map(row => this.start(row, brought.get(row.candidate)));
    this.problems = [];
  }

  start(row, known) {
    let marks = new Map(), absent = new Set();
    for (const line of row.stages) {
      const part = line.part || this.terms.onlyPart(line.stage);
      if (line.passed === 'absent') absent.add(part);
      else marks.set(part, Exact.of(line.mark));
    }
    const given = row.priority === undefined ? ZERO : Exact.of(row.priority), to = this.priority ? this.priority.added_to : null;
    if (to !== null && given.compare(ZERO) !== 0 && marks.has(to)) marks.set(to, marks.get(to).minus(given));
    const fuzzy = new Set(known ? [] : [...marks].filter(([, mark]) => 100000n % mark.bottom !== 0n).map(([part]) => part));
    if (known) [marks, absent] = [new Map(known.marks), new Set(known.absent)];
    for (const [part, mark] of marks) {
      if (mark.compare(ZERO) < 0 || mark.compare(this.terms.maxima.get(part)) > 0) throw new Error(`the mark of ${row.candidate} is outside its range`);
    }
    return {
      number: row.candidate, row, marks, absent, missed: new Set(), gone: new Set(), ties: [], trusted: false, rank: null, total: null,
      points: this.granted ? this.granted.get(row.candidate) || ZERO : given, added: false, addedTo: null, plain: ZERO,
      outcome: (known ? known.excluded : row.outcome === 'excluded') ? 'excluded' : 'passed', fuzzy,
    };
  }

  check() {
    const { all } = this;
    if (all.some((one, n) => n && all[n - 1].number >= one.number)) this.say('The lines', 'Các dòng', 'are not in the order of the candidate numbers', 'không theo thứ tự số báo danh');
    for (const stage of this.terms.stages) {
      for (const one of all) if (one.outcome === 'passed') this.pass(stage, one);
      if (stage.places_per_post !== null) this.cut(stage);
    }
    for (const one of all) if (one.outcome === 'passed') this.sumUp(one);
    const ranked = all.filter(one => one.outcome === 'passed');
    this.order(ranked);
    this.choose(ranked);
    all.forEach(one => this.compare(one));
    return this.problems;
  }

  say(who, whoVi, en, vi) {
    this.problems.push([`${who} ${en}.`, `${whoVi} ${vi}.`]);
  }

  pass(stage, one) {
    const names = stage.parts.map(part => part.id), rule = this.priority;
    one.gone = new Set(names.filter(name => one.absent.has(name)));
    if (one.gone.size) {
      one.outcome = 'absent';
      return;
    }
    for (const name of names) {
      if (!one.marks.has(name)) {
        one.outcome = 'failed';
        return;
      }
      const here = rule && rule.added_to === name, part = this.terms.parts.get(name);
      if (here && !rule.after_pass_check) this.add(one, name);
      if (part.pass_mark !== null && !this.met(one, part.pass_mark, one.marks.get(name), this.terms.maxima.get(name), one.fuzzy.has(name), name)) {
        one.missed.add(name);
        if (part.hurdle) {
          one.outcome = 'failed';
          return;
        }
      }
      if (here && rule.after_pass_check) this.add(one, name);
    }
  }

  met(one, rule, mark, maximum, fuzzy, part) {
    const low = this.terms.met(rule, fuzzy ? mark.minus(SIXTH) : mark, maximum), high = this.terms.met(rule, fuzzy ? mark.plus(SIXTH) : mark, maximum);
    if (low === high) return low;
    one.trusted = true;
    return part === null ? one.row.outcome !== 'failed' : !one.row.stages.some(line => line.part === part && line.passed === 'no');
  }

  add(one, part) {
    if (one.points.compare(ZERO) === 0) return;
    one.added = true;
    one.addedTo = part;
    if (part !== null) one.marks.set(part, one.marks.get(part).plus(one.points));
  }

  worth(one, names, slack = ZERO) {
    return sum(names.map(name => this.terms.worth(name, one.fuzzy.has(name) ? one.marks.get(name).plus(slack) : one.marks.get(name))));
  }

  cut(stage) {
    const { terms } = this, names = stage.parts.map(part => part.id), places = stage.places_per_post;
    const weighed = names.some(name => terms.weights.get(name).compare(ZERO) !== 0);
    let fuzzy = this.all.some(one => names.some(name => one.fuzzy.has(name)));
    const alive = this.all.filter(one => one.outcome === 'passed');
    if (alive.length <= places) return;
    const sums = new Map(alive.map(one => [one, weighed ? this.worth(one, names) : sum(names.map(name => one.marks.get(name)))]));
    const last = [...sums.values()].sort((a, b) => b.compare(a))[places - 1];
    const widths = alive.map(one => this.worth(one, names, SIXTH).minus(this.worth(one, names, ZERO.minus(SIXTH))));
    const width = weighed ? widths.reduce((a, b) => a.compare(b) > 0 ? a : b) : SIXTH.times(new Exact(BigInt(2 * names.length)));
    const inside = alive.filter(one => sums.get(one).compare(last) > 0);
    let level = alive.filter(one => sums.get(one).compare(last) === 0);
    if (stage.ties_at_the_cut === 'tie-breaks' && inside.length + level.length > places) {
      const steps = this.usable(stage);
      if (steps.some(step => this.unknown(level, step))) fuzzy = true;
      else {
        const keys = new Map(level.map(one => [one, steps.map(step => this.value(one, step))]));
        const border = [...keys.values()].sort(compareKeys)[places - inside.length - 1];
        level = level.filter(one => compareKeys(keys.get(one), border) <= 0);
      }
    }
    for (const one of alive) {
      const near = sums.get(one).minus(last).size.compare(width) <= 0 || level.includes(one);
      if (fuzzy && near) {
        one.trusted = true;
        if (one.row.outcome === 'failed' && one.row.rank === undefined && one.row.total === undefined) one.outcome = 'failed';
      } else if (!inside.includes(one) && !level.includes(one)) one.outcome = 'failed';
    }
  }

  usable(stage) {
    const known = new Set(), found = [];
    for (const one of this.terms.stages) {
      one.parts.forEach(part => known.add(part.id));
      if (one.id === stage.id) break;
    }
    for (const step of this.terms.tree.ties.steps) {
      if (step.by === 'lots' || step.by === 'role-decides') break;
      if (step.by !== 'total-without-priority' && (step.by !== 'part-mark' || known.has(step.part))) found.push(step);
    }
    return found;
  }

  sumUp(one) {
    const { terms, priority: rule } = this, names = terms.weighing(), clause = terms.tree.total;
    let total = this.worth(one, names);
    one.plain = terms.rounded('total', total);
    if (one.added && one.addedTo !== null) {
      const with_ = one.marks.get(one.addedTo);
      one.marks.set(one.addedTo, with_.minus(one.points));
      one.plain = terms.rounded('total', this.worth(one, names));
      one.marks.set(one.addedTo, with_);
    }
    const toTotal = rule && rule.added_to === null;
    if (toTotal && !rule.after_pass_check) {
      this.add(one, null);
      total = total.plus(one.points);
    }
    if (clause.pass_mark !== null && !this.met(one, clause.pass_mark, terms.rounded('total', total), Exact.of(clause.maximum), one.fuzzy.size > 0, null)) one.outcome = 'failed';
    if (toTotal && rule.after_pass_check && one.outcome === 'passed') {
      this.add(one, null);
      total = total.plus(one.points);
    }
    one.total = terms.rounded('total', total);
  }

  /** Whether the published total lies where the marks, printed with six places, may lead. */
  close(one) {
    if (!one.fuzzy.size || !one.total || one.row.total === undefined) return false;
    const names = this.terms.weighing(), extra = one.added && one.addedTo === null ? one.points : ZERO;
    const [low, high] = [ZERO.minus(SIXTH), SIXTH].map(slack => this.terms.rounded('total', this.worth(one, names, slack).plus(extra)));
    const total = Exact.of(one.row.total);
    return low.minus(SIXTH).compare(total) <= 0 && high.plus(SIXTH).compare(total) >= 0;
  }

  value(one, step) {
    if (step.by === 'part-mark') return [0, ZERO.minus(one.marks.get(step.part) || new Exact(-1n))];
    if (step.by === 'total-without-priority') return [0, ZERO.minus(one.plain)];
    if (step.by === 'older-first') return this.births.has(one.number) ? [0, this.births.get(one.number)] : [1, ''];
    throw new Error('an unknown tie-break');
  }

  unknown(group, step) {
    if (step.by === 'part-mark') return group.some(one => one.fuzzy.has(step.part));
    if (step.by === 'total-without-priority') return group.some(one => one.fuzzy.size);
    return step.by !== 'older-first' || group.some(one => !this.births.has(one.number));
  }

  order(ranked) {
    for (const one of ranked) if (this.close(one)) one.total = Exact.of(one.row.total);
    let place = 1;
    for (const group of split(ranked, one => one.total, (a, b) => b.compare(a))) {
      const unclear = group.length > 1 && !this.terms.points.has('total') && group.some(one => one.fuzzy.size);
      for (const settled of unclear ? this.trust(group) : this.settle(group, this.terms.tree.ties.steps)) {
        settled.forEach(one => { one.rank = place; });
        place += settled.length;
      }
    }
  }

  trust(group) {
    group.forEach(one => { one.trusted = true; });
    return split(group, one => one.row.rank === undefined ? Infinity : one.row.rank, order);
  }

  settle(group, steps) {
    if (group.length === 1) return [group];
    const [step, ...rest] = steps;
    if (!step || step.by === 'lots' || step.by === 'role-decides') {
      const made = [...this.decided].reverse().find(list => group.every(one => list.includes(one.number)));
      if (!made) return [group];
      group.forEach(one => one.ties.push({ by: 'decided' }));
      return [...group].sort((a, b) => made.indexOf(a.number) - made.indexOf(b.number)).map(one => [one]);
    }
    if (this.unknown(group, step)) return this.trust(group);
    const parts = split(group, one => [this.value(one, step)], compareKeys);
    if (parts.length > 1) group.forEach(one => one.ties.push(step.part ? { by: step.by, part: step.part } : { by: step.by }));
    return parts.flatMap(part => this.settle(part, rest));
  }

  choose(ranked) {
    const rule = this.terms.tree.selection, winners = rule.winners === 'highest-total' ? this.places : 0;
    const reserve = winners + rule.reserve_places_per_post;
    for (const one of ranked) {
      const last = one.rank + ranked.filter(other => other.rank === one.rank).length - 1;
      if (last <= winners) one.outcome = 'selected';
      else if (one.rank > winners && last <= reserve) one.outcome = 'reserve';
    }
  }

  compare(one) {
    const { row, number } = one, total = one.total ? one.total.text : undefined, points = one.added ? one.points.text : undefined;
    if (one.outcome !== row.outcome) this.say(number, number, `is ${one.outcome}, not ${row.outcome}`, `phải là ${one.outcome}, không phải ${row.outcome}`);
    if (total !== row.total && !this.close(one)) this.say(`The total of ${number}`, `Tổng điểm của ${number}`, `is ${total}, not ${row.total}`, `là ${total}, không phải ${row.total}`);
    if ((one.rank === null ? undefined : one.rank) !== row.rank) this.say(`The rank of ${number}`, `Hạng của ${number}`, `is ${one.rank}, not ${row.rank}`, `là ${one.rank}, không phải ${row.rank}`);
    if (points !== row.priority) this.say(`The priority points of ${number}`, `Điểm ưu tiên của ${number}`, `are ${points}, not ${row.priority}`, `là ${points}, không phải ${row.priority}`);
    if (!one.trusted && !equal(one.ties, row.ties || [])) this.say(`The tie-breaks named for ${number}`, `Tiêu chí phân định nêu cho ${number}`, 'are not those applied', 'không phải tiêu chí đã áp dụng');
    const expected = [...this.terms.parts].flatMap(([name, part]) => one.gone.has(name) ? [[part.stage, name, '0', 'absent']]
      : one.marks.has(name) ? [[part.stage, name, one.marks.get(name).text, one.missed.has(name) ? 'no' : 'yes']] : []);
    const given = row.stages.map(line => [line.stage, line.part || this.terms.onlyPart(line.stage), line.mark, line.passed]);
    if (!equal(expected, given)) this.say(`The lines of ${number}`, `Các dòng của ${number}`, 'are not one for each part, with its mark and whether it passed', 'không đủ từng phần thi với điểm và đạt hay không');
  }
}

function compareKeys(a, b) {
  for (let n = 0; n < a.length; n++) {
    const [x, y] = [a[n], b[n]];
    const side = x[0] - y[0] || (x[1] instanceof Exact && y[1] instanceof Exact ? x[1].compare(y[1]) : order(x[1], y[1]));
    if (side) return side;
  }
  return 0;
}

function ranking(bundle) {
  const { findings, regulation } = bundle;
  if (!regulation) {
    findings.fail('V14', 'The pinned regulation is not there.', 'Không có quy chế đã ghim.');
    return;
  }
  let lines = 0, trusted = 0;
  for (const entry of bundle.all('results.computed')) {
    const table = bundle.open(entry.body.ranking);
    if (!table || entry.posts.length !== 1) continue;
    try {
      const run = new Run(bundle, new Terms(regulation), entry, table);
      for (const [en, vi] of run.check()) findings.fail('V14', en, vi);
      lines += run.all.length;
      trusted += run.all.filter(one => one.trusted).length;
    } catch (error) {
      findings.fail('V14', `The regulation cannot be applied to the ranking: ${error.message}.`, `Không áp dụng được quy chế vào bảng xếp hạng: ${error.message}.`);
    }
  }
  findings.note('V14', `Lines computed again: ${lines}.`, `Số dòng được tính lại: ${lines}.`);
  if (trusted) findings.note('V14', `${trusted} of them rest on what this edition does not hold; there the published order was taken.`, `${trusted} dòng phụ thuộc điều mà bản này không chứa; ở đó lấy theo thứ tự đã công bố.`);
  if (bundle.taken) {
    findings.notDone('V14', 'The ranking follows from the marks, but some of these rest on scores that were taken as printed (V13).',
      'Xếp hạng suy ra đúng từ các điểm, nhưng một số điểm dựa trên điểm câu hỏi lấy như đã in (V13).');
  }
}

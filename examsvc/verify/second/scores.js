// V13: docs/formats/marking.md, from "The table of scores" on. What it finds, exactly and not as printed, is what V14 ranks.

const FAULTY = { redistribute: 'redistributed', 'full-marks': 'full_marks', drop: 'removed' };
const adder = map => (key, number) => map.set(key, (map.get(key) || ZERO).plus(number));

function inRange(number, text) {
  const [, left, from, to, right] = /^([[(])([^,\s]+), ?([^,\s]+)([\])])$/.exec(text);
  const low = number.compare(Exact.of(from)), above = low > 0 || (left === '[' && low === 0);
  if (to === 'inf') return above;
  const high = number.compare(Exact.of(to));
  return above && (high < 0 || (right === ']' && high === 0));
}

const spreadOf = marks => {
  const sorted = [...marks].sort((a, b) => a.compare(b));
  return sorted[sorted.length - 1].minus(sorted[0]);
};
const meanOf = marks => sum(marks).over(count(marks.length));

/** {mark, manners} that a scheme makes of the marks of a script; mark null where people set it. A text where they make none. */
function settledScript(terms, scheme, marks, maximum) {
  if (marks.length < scheme.markers || marks.length > 3) return `${marks.length} marks`;
  const given = marks.map(mark => terms.rounded('marker-mark', mark)), policy = scheme.discrepancy;
  const made = (mark, manner) => ({ mark: terms.rounded('agreed-mark', mark), manners: [manner] });
  const people = (...manners) => ({ mark: null, manners });
  if (given.length === 1) return made(given[0], 'single');
  if (policy === null) return made(meanOf(given), 'mean');
  const spread = policy.unit === 'share' ? spreadOf(given).over(maximum) : spreadOf(given);
  if (given.length === 2) {
    const band = policy.bands.find(one => inRange(spread, one.difference)), action = band ? band.action : null;
    if (action === 'mean') return made(meanOf(given), 'mean');
    if (action === 'agree' || action === 'agree-with-record') return band.failing === 'head-decides' ? people('agreed', 'decided') : people('agreed');
    return action === 'head-decides' ? people('decided') : 'two marks that need a third';
  }
  const twin = given.find((mark, n) => given.some((other, m) => n !== m && mark.compare(other) === 0));
  const step = policy.three_marks.find(one => !(one.rule === 'equal-pair' && !twin) && (one.spread === null || inRange(spread, one.spread)));
  if (!step) return 'three marks without a rule';
  if (step.rule === 'equal-pair') return made(twin, 'third');
  if (step.rule === 'mean-of-three') return made(meanOf(given), 'third');
  return step.rule === 'third-final' ? made(given[2], 'third') : people('decided');
}

/** The mark that a panel's marks make; null where the regulation makes none of them. */
function settledPanel(terms, panel, marks) {
  if (marks.length !== panel.members) return null;
  const middle = meanOf(marks), far = panel.outlier;
  const [low, high] = panel.combine === 'trimmed-mean' ? [panel.drop_lowest, panel.drop_highest] : [0, 0];
  const everybody = [...marks].sort((a, b) => a.compare(b));
  let counted = everybody;
  if (far !== null && far.action === 'exclude') counted = counted.filter(mark => mark.minus(middle).size.compare(Exact.of(far.distance)) <= 0);
  if (counted.length <= low + high) counted = everybody;
  counted = counted.slice(low, Math.max(0, counted.length - high));
  if (!counted.length) return null;
  const half = counted.length >> 1;
  return terms.rounded('panel-mark', panel.combine === 'median' ? meanOf([counted[half], counted[counted.length - half - 1]]) : meanOf(counted));
}

/** The exact scores of an attempt's questions after those taken out were dealt with; rows are {item, score, marks, faulty}, score null where unknown. */
function afterFaults(rows) {
  const left = sum(rows.filter(row => !row.faulty).map(row => row.marks)), lost = sum(rows.filter(row => row.faulty === 'redistribute').map(row => row.marks));
  return rows.map(({ score, marks, faulty }) => {
    if (faulty === 'full-marks' || (faulty === 'redistribute' && left.top === 0n)) return marks;
    if (faulty) return ZERO;
    return score === null || left.top === 0n ? score : score.times(left.plus(lost)).over(left);
  });
}

class Scores {
  constructor(bundle) {
    this.bundle = bundle;
    this.terms = new Terms(bundle.regulation);
    this.items = new Map();     // document → item, or null where this page does not mark it
    this.unmarked = new Map();  // digest → why
    this.earned = new Map();
    this.marked = this.taken = this.resettled = 0;
    this.objective = new Map(); // attempt → [[n, part → exact score], …], oldest first
    this.settled = new Map();   // script → [[n, exact mark], …]
    this.heard = new Map();     // hearing → the same
    this.readPapers();
    this.attempts = new Map(bundle.all('attempt.prepared').map(entry => {
      const owner = bundle.open(entry.body.candidate), terms = bundle.open(entry.body.terms);
      return [entry.body.attempt, {
        code: entry.body.attempt, n: entry.n, sitting: entry.body.sitting, paper: this.papers.get(entry.body.paper), paperCode: entry.body.paper,
        candidate: owner && owner.candidate, form: terms && terms.form, slots: terms && new Map(terms.slots.map(row => [row.slot, row.item])),
      }];
    }));
    this.answers = new Map(bundle.all('attempt.submitted').map(entry => [entry.body.attempt, bundle.open(entry.body.answers)]));
    for (const { body } of bundle.all('attempt.late_decided')) if (body.answers) this.answers.set(body.attempt, bundle.open(body.answers));
    this.pairs = bundle.all('blind.map', 'plans.map').flatMap(entry => entry.body.pairs.map(bundle.open).filter(pair => pair).map(pair => ({ entry, pair, ...this.aboutScript(entry, pair) })));
    this.scripts = new Map(this.pairs.map(one => [one.pair.script, one]));
  }

  fail(en, vi) { this.bundle.findings.fail('V13', en, vi); }
  at(entry) { return (en, vi) => this.fail(`Entry ${entry.n}: ${en}`, `Mục ${entry.n}: ${vi}`); }

  readPapers() {
    const { all, open } = this.bundle;
    this.papers = new Map();
    const take = (paper, version, key) => { if (key) paper.keys.set(version, new Map(key.answers.map(row => [row.item, row.key]))); };
    for (const { body, stage } of all('paper.sealed')) {
      const forms = body.forms.map(open).filter(form => form).map(form => [form.form, new Map(form.items.map(row => [row.item, { ...row, marks: Exact.of(row.marks) }]))]);
      const paper = { code: body.paper, stage, forms: new Map(forms), keys: new Map(), corrections: [], faulty: [] };
      take(paper, 1, open(body.key));
      this.papers.set(body.paper, paper);
    }
    for (const { n, type, body } of all('key.corrected', 'item.neutralised')) {
      const paper = this.papers.get(body.paper);
      if (paper && type === 'item.neutralised') paper.faulty.push({ n, item: body.item, object: open(body.neutralisation) });
      else if (paper) {
        paper.corrections.push([n, body.version]);
        take(paper, body.version, open(body.key));
      }
    }
  }

  keyInForce(paper, n) { return paper.corrections.reduce((most, [place, version]) => place < n ? Math.max(most, version) : most, 1); }

  /** The part of a question of a paper if it is of this kind, null otherwise. */
  partOf(paper, question, kind) {
    const parts = [...this.terms.parts.values()].filter(part => part.stage === paper.stage && STAGE_KIND[part.kind] === kind).map(part => part.id);
    if (question.part !== undefined) return parts.includes(question.part) ? question.part : null;
    return parts.length === 1 ? parts[0] : null;
  }

  /** The item of a document in a key; null where this page does not mark it, and then `unmarked` says why. */
  item(digest, native) {
    if (typeof native !== 'string') {
      this.unmarked.set(digest, 'its key is no document');
      return null;
    }
    if (!this.items.has(native)) {
      let item = null;
      try {
        item = readItem(native);
      } catch (error) {
        this.unmarked.set(digest, error.message);
      }
      this.items.set(native, item);
    }
    return this.items.get(native);
  }

  check() {
    this.keysFit();
    for (const entry of this.bundle.all('responses.scored')) this.table(entry);
    for (const entry of this.bundle.all('mark.recorded', 'hearing.marked')) this.sheet(entry);
    for (const entry of this.bundle.all('mark.settled')) this.script(entry);
    this.remarks();
    for (const entry of this.bundle.all('hearing.settled')) this.hearing(entry);
    const found = new Map();
    for (const entry of this.bundle.all('results.computed')) {
      const brought = new Brought(this, entry);
      found.set(entry.n, brought.people);
      brought.compare();
    }
    return found;
  }

  // -------------------------------------------------------------------------------- answers and key

  keysFit() {
    for (const paper of this.papers.values()) {
      const key = paper.keys.get(1) || new Map(), questions = new Map([...paper.forms.values()].flatMap(form => [...form]));
      if (key.size && questions.size && !equal([...key.keys()].sort(), [...questions.keys()].sort())) {
        this.fail(`The key of ${paper.code} is for other items than its forms have.`, `Đáp án của ${paper.code} không ứng với câu hỏi của các mã đề.`);
      }
      for (const [digest, native] of key) {
        const item = this.item(digest, native);
        if (item && item.digest !== digest) this.fail(`The key of ${paper.code} holds another item than ${digest.slice(0, 16)}….`, `Đáp án của ${paper.code} chứa câu hỏi khác ${digest.slice(0, 16)}….`);
      }
      for (const { n, item, object } of paper.faulty) {
        const question = questions.get(item), part = question ? this.partOf(paper, question, 'objective') : null;
        if (questions.size && part === null) this.fail(`Entry ${n}: ${paper.code} has no machine-marked item ${item.slice(0, 16)}….`, `Mục ${n}: đề ${paper.code} không có câu chấm máy ${item.slice(0, 16)}….`);
        else if (part !== null && object && !equal([object.paper, object.item, object.rule], [paper.code, item, FAULTY[this.terms.parts.get(part).neutralised_item] || null])) {
          this.fail(`Entry ${n}: a faulty question is dealt with as the regulation does not say.`, `Mục ${n}: câu hỏi sai được xử lý không theo quy chế.`);
        }
      }
    }
  }

  table(entry) {
    const { bundle } = this, table = bundle.open(entry.body.scores), paper = this.papers.get(entry.body.paper), say = this.at(entry);
    if (!table || !paper) return;
    const codes = table.scores.map(row => row.attempt), version = this.keyInForce(paper, entry.n);
    if (table.paper !== paper.code || codes.length !== entry.body.attempts || codes.some((code, n) => n && codes[n - 1] >= code)) {
      say('the table is for another paper, or of another number of attempts, or has one twice.', 'bảng điểm của đề khác, số bài khác, hoặc có bài xuất hiện hai lần.');
    }
    if (table.key !== version) say(`the table was made with key ${table.key}; in force was ${version}.`, `bảng điểm dùng đáp án bản ${table.key}; bản đang có hiệu lực là ${version}.`);
    const ordering = bundle.at.get(entry.body.under);
    if (ordering && ordering.type === 'sitting.closed') {
      const ended = bundle.all('attempt.submitted').filter(one => one.body.sitting === ordering.body.sitting).map(one => one.body.attempt);
      if (!equal(ended.sort(), [...new Set(codes)].sort())) say('the table scores other attempts than were submitted.', 'bảng điểm không ứng với các bài đã nộp.');
    }
    for (const row of table.scores) {
      const attempt = this.attempts.get(row.attempt);
      if (!attempt || attempt.paperCode !== paper.code || !this.answers.has(row.attempt)) {
        say(`the attempt ${row.attempt} was not submitted on this paper.`, `bài ${row.attempt} không nộp cho đề này.`);
      } else this.row(entry, paper, paper.keys.get(version), attempt, row);
    }
  }

  row(entry, paper, key, attempt, row) {
    const say = this.at(entry), answers = this.answers.get(attempt.code), form = paper.forms.get(attempt.form);
    if (!answers || !attempt.slots || !form || !key) return;
    const rows = [], originals = paper.keys.get(1) || new Map();
    for (const { slot, value } of answers.answers) {
      const question = form.get(attempt.slots.get(slot)), part = question ? this.partOf(paper, question, 'objective') : null;
      if (part === null) continue;
      const shown = this.item(question.item, originals.get(question.item)), by = this.item(question.item, key.get(question.item));
      if (shown && shown.byPerson) continue;
      const score = shown && by && !by.byPerson ? this.score(shown, by, question, value) : null;
      const faulty = paper.faulty.some(one => one.n < entry.n && one.item === question.item) ? this.terms.parts.get(part).neutralised_item : null;
      rows.push({ question, part, score, marks: question.marks, faulty });
    }
    const answered = new Map(rows.map(one => [one.question.item, one]));  // an item that stands twice counts by the last response
    if (rows.length !== row.slots.length) {
      say(`the attempt ${attempt.code} has ${rows.length} machine-marked slots and ${row.slots.length} scores.`, `bài ${attempt.code} có ${rows.length} câu chấm máy nhưng ${row.slots.length} điểm.`);
      return;
    }
    const parts = new Map(), after = afterFaults([...answered.values()]), byItem = new Map([...answered.keys()].map((item, n) => [item, after[n]]));
    rows.forEach(({ part, question }, n) => {
      const printed = row.slots[n], score = byItem.get(question.item);
      if (score === null) this.taken++;
      else {
        this.marked++;
        if (score.text !== printed) {
          say(`the attempt ${attempt.code} earns ${score.text} in question ${question.slot}, not ${printed}.`, `bài ${attempt.code} được ${score.text} điểm ở câu ${question.slot}, không phải ${printed}.`);
        }
      }
      adder(parts)(part, score === null ? Exact.of(printed) : score);
    });
    if (sum([...parts.values()]).text !== row.total) say(`the scores of ${attempt.code} do not add up to ${row.total}.`, `điểm của ${attempt.code} cộng lại không phải ${row.total}.`);
    if (!this.objective.has(attempt.code)) this.objective.set(attempt.code, []);
    this.objective.get(attempt.code).push([entry.n, parts]);
  }

  /** Many give the same answer: it is marked once. */
  score(shown, by, question, value) {
    const counted = by.digest === shown.digest ? shown : by, key = `${shown.digest} ${counted.digest} ${question.marks.text} ${encode(value)}`;
    if (!this.earned.has(key)) this.earned.set(key, shareOf(counted, shown, value).times(question.marks));
    return this.earned.get(key);
  }

  // -------------------------------------------------------------------------------- sheets and settlements

  aboutScript(entry, pair) {
    const none = { part: null, maximum: null };
    if (pair.attempt === undefined) {
      const plans = [...this.terms.parts.values()].filter(part => part.stage === entry.stage && part.kind === 'plan');
      return plans.length === 1 ? { part: plans[0].id, maximum: this.terms.maxima.get(plans[0].id) } : none;
    }
    const attempt = this.attempts.get(pair.attempt);
    if (!attempt || !attempt.paper || !attempt.slots) return none;
    const question = (attempt.paper.forms.get(attempt.form) || new Map()).get(attempt.slots.get(pair.slot));
    return question ? { part: this.partOf(attempt.paper, question, 'written'), maximum: question.marks } : none;
  }

  sheet(entry) {
    const sheet = this.bundle.open(entry.body.sheet);
    if (!sheet || !sheet.criteria.length) return;
    const total = sum(sheet.criteria.map(row => Exact.of(row.mark))).text;
    if (total !== sheet.total) this.at(entry)(`the criteria of the sheet add up to ${total}, not ${sheet.total}.`, `các tiêu chí trên phiếu cộng lại ${total}, không phải ${sheet.total}.`);
  }

  keep(map, code, n, mark) {
    if (!map.has(code)) map.set(code, []);
    map.get(code).push([n, mark]);
  }

  within(entry, marks, maximum) {
    if (marks.some(mark => mark.compare(ZERO) < 0 || mark.compare(maximum) > 0)) this.at(entry)(`a mark is outside 0 to ${maximum.text}.`, `có điểm nằm ngoài khoảng 0 đến ${maximum.text}.`);
  }

  script(entry) {
    const { script, manner, settlement } = entry.body, object = this.bundle.open(settlement), say = this.at(entry), { part, maximum } = this.scripts.get(script) || { part: null };
    if (!object) return;
    let mark = Exact.of(object.mark);
    if (part !== null && maximum !== null) {
      const marks = object.marks.map(Exact.of);
      this.within(entry, [...marks, mark], maximum);
      const made = settledScript(this.terms, this.terms.named('marking', this.terms.parts.get(part).marking), marks, maximum);
      if (typeof made === 'string') say(`the script ${script} cannot be settled: ${made}.`, `bài ${script} chưa thể chốt điểm từ các điểm này.`);
      else {
        if (!made.manners.includes(manner)) say(`the regulation does not settle the marks of ${script} as ${manner}.`, `quy chế không chốt điểm bài ${script} theo cách ${manner}.`);
        else if (made.mark && made.mark.text !== object.mark) say(`the marks of ${script} make ${made.mark.text}, not ${object.mark}.`, `các điểm của ${script} cho ${made.mark.text}, không phải ${object.mark}.`);
        mark = made.mark || mark;
        this.resettled++;
      }
    }
    this.keep(this.settled, script, entry.n, mark);
  }

  remarks() {
    const { all, open } = this.bundle, sheets = new Map(), olds = new Map();
    for (const { body } of all('remark.recorded')) this.keep(sheets, `${body.appeal} ${body.script}`, body.round, (open(body.sheet) || { total: null }).total);
    for (const { body } of all('remark.ordered')) for (const pair of body.pairs.map(open)) if (pair) olds.set(pair.script, pair.old);
    for (const entry of all('remark.settled')) {
      const { appeal, script, outcome, settlement } = entry.body, object = open(settlement), old = olds.get(script), say = this.at(entry);
      if (!object || old === undefined) continue;
      const mark = Exact.of(object.mark), side = mark.compare(Exact.of(object.before)), last = (this.settled.get(old) || []).filter(([n]) => n < entry.n).pop();
      if (!last || last[1].text !== object.before || object.script !== script) say(`${object.before} is not the mark that counted before.`, `${object.before} không phải điểm đã tính trước đó.`);
      const given = (sheets.get(`${appeal} ${script}`) || []).sort((a, b) => a[0] - b[0]).map(([, total]) => total);
      if (!given.includes(null) && !equal(given, object.marks)) say('it settles other marks than those of the re-markers.', 'chốt từ các điểm khác với điểm của người chấm lại.');
      if (outcome !== (side > 0 ? 'raised' : side < 0 ? 'lowered' : 'unchanged')) say(`from ${object.before} to ${object.mark} is not ${outcome}.`, `từ ${object.before} thành ${object.mark} không phải ${outcome}.`);
      this.keep(this.settled, old, entry.n, mark);
    }
  }

  heardPart(stage) {
    const parts = [...this.terms.parts.values()].filter(part => part.stage === stage && STAGE_KIND[part.kind] === 'defence');
    return parts.length === 1 ? parts[0].id : null;
  }

  hearing(entry) {
    const { hearing, manner, settlement } = entry.body, object = this.bundle.open(settlement), part = this.heardPart(entry.stage), say = this.at(entry);
    if (!object) return;
    let mark = Exact.of(object.mark);
    if (part !== null && ['mean', 'trimmed'].includes(manner)) {
      const marks = object.marks.map(Exact.of), made = settledPanel(this.terms, this.terms.named('panels', this.terms.parts.get(part).panel), marks);
      this.within(entry, marks, this.terms.maxima.get(part));
      if (!made) say(`the hearing ${hearing} cannot be settled from these marks.`, `buổi ${hearing} chưa thể chốt điểm từ các điểm này.`);
      else if (made.text !== object.mark) say(`the panel's marks make ${made.text}, not ${object.mark}.`, `các điểm của ban chấm cho ${made.text}, không phải ${object.mark}.`);
      mark = made || mark;
      this.resettled++;
    }
    this.keep(this.heard, hearing, entry.n, mark);
  }
}

/** What each candidate brings to one score run: people, candidate → {marks: part → exact, absent: parts, excluded}. */
class Brought {
  constructor(scores, entry) {
    this.scores = scores;
    this.entry = entry;
    this.stages = new Set(entry.body.stages);
    this.people = new Map();
    const { open } = scores.bundle, before = (...types) => scores.bundle.all(...types).filter(one => one.n < entry.n);
    const replaced = new Set(before('attempt.granted').map(one => open(one.body.grant)).filter(grant => grant).map(grant => grant.previous));
    const annulled = new Set(before('decision.annulled').filter(one => one.body.level === 'sitting').map(one => one.body.sitting));
    this.attempts = new Map([...scores.attempts].filter(([code, one]) => one.n < entry.n && !replaced.has(code) && !annulled.has(one.sitting)));
    this.sits = new Map([...this.attempts].map(([code, one]) => [code, this.partsOf(one)]));
    this.seated(new Set(before('attempt.absent').map(one => one.body.attempt)));
    this.written();
    this.spoken(before('hearing.listed'), new Set(before('hearing.absent').map(one => one.body.hearing)));
    this.sanctioned(before);
    this.hidden = before('attempt.prepared', 'hearing.listed').some(one => !open(one.body.candidate));
    if (this.hidden) {
      const linked = new Set([...scores.attempts.values()].map(one => one.candidate));
      for (const one of scores.bundle.all('hearing.listed')) linked.add((open(one.body.candidate) || { candidate: null }).candidate);
      for (const candidate of [...this.people.keys()]) if (!linked.has(candidate)) this.people.delete(candidate);
    }
  }

  person(candidate) {
    if (!this.people.has(candidate)) this.people.set(candidate, { marks: new Map(), absent: new Set(), excluded: false });
    return this.people.get(candidate);
  }

  partsOf({ paper, form }) {
    if (!paper || !this.stages.has(paper.stage)) return new Set();
    const questions = [...(paper.forms.get(form) || new Map()).values()];
    return new Set(questions.flatMap(one => ['objective', 'written'].map(kind => this.scores.partOf(paper, one, kind))).filter(part => part !== null));
  }

  newest(list) {
    return (list || []).filter(([n]) => n < this.entry.n).map(([, value]) => value).pop();
  }

  seated(absent) {
    for (const [code, { candidate }] of this.attempts) {
      if (candidate === null) continue;
      const person = this.person(candidate), parts = this.sits.get(code);
      if (absent.has(code)) parts.forEach(part => person.absent.add(part));
      for (const [part, score] of this.newest(this.scores.objective.get(code)) || []) if (parts.has(part)) adder(person.marks)(part, score);
    }
  }

  written() {
    const open = [];
    for (const { entry, pair, part } of this.scores.pairs) {
      const candidate = pair.attempt === undefined ? pair.candidate : (this.attempts.get(pair.attempt) || { candidate: null }).candidate;
      if (entry.n > this.entry.n || part === null || candidate === null || !this.stages.has(this.scores.terms.parts.get(part).stage)) continue;
      const mark = this.newest(this.scores.settled.get(pair.script));
      if (mark) adder(this.person(candidate).marks)(part, mark);
      else open.push([candidate, part]);
    }
    for (const [candidate, part] of open) this.person(candidate).marks.delete(part);
  }

  spoken(listed, absent) {
    for (const { body, stage } of listed) {
      const object = this.scores.bundle.open(body.candidate), part = this.scores.heardPart(stage), mark = this.newest(this.scores.heard.get(body.hearing));
      if (!object || part === null || !this.stages.has(stage)) continue;
      if (absent.has(body.hearing)) this.person(object.candidate).absent.add(part);
      else if (mark) this.person(object.candidate).marks.set(part, mark);
    }
  }

  sanctioned(before) {
    const { terms, bundle } = this.scores, shares = new Map(), out = new Set();
    const lifted = new Set(before('sanction.lifted').map(({ body }) => `${body.incident} ${body.order}`));
    for (const { body, stage } of before('sanction.imposed')) {
      const object = bundle.open(body.sanction), part = this.scores.heardPart(stage);
      if (!object || lifted.has(`${body.incident} ${body.order}`)) continue;
      const rule = terms.named('sanctions', object.level);
      const parts = object.attempt === undefined ? part === null ? [] : [part] : [...(this.sits.get(object.attempt) || [])];
      if (rule.annuls && parts.length) this.person(object.candidate).excluded = true;
      for (const one of parts) adder(shares)(`${object.candidate} ${one}`, Exact.of(rule.deduction));
    }
    for (const { body } of before('application.decided')) out[body.outcome === 'ineligible' ? 'add' : 'delete'](body.application);
    for (const { body } of before('candidates.listed')) {
      for (const row of (bundle.open(body.candidates) || { candidates: [] }).candidates) if (out.has(row.application)) this.person(row.candidate).excluded = true;
    }
    for (const [candidate, { marks }] of this.people) {
      for (const [part, mark] of marks) {
        const share = shares.get(`${candidate} ${part}`) || ZERO, kept = share.compare(ONE) > 0 ? ZERO : ONE.minus(share);
        marks.set(part, terms.rounded('part-mark', mark.times(kept)));
      }
    }
  }

  /** The marks in the ranking are these, all of them, and nobody else's. */
  compare() {
    const { bundle, terms } = this.scores, table = bundle.open(this.entry.body.ranking), say = this.scores.at(this.entry), { priority } = terms.tree;
    for (const row of table ? table.rows : []) {
      const number = row.candidate;
      if (!this.people.has(number) && this.hidden) continue;
      const { marks, absent, excluded } = this.people.get(number) || { marks: new Map(), absent: new Set(), excluded: false }, given = {}, expected = {}, away = [];
      for (const line of row.stages.filter(one => this.stages.has(one.stage))) {
        const parts = [...terms.parts.values()].filter(part => part.stage === line.stage), name = line.part || (parts.length === 1 ? parts[0].id : line.stage);
        if (line.passed === 'absent') away.push(name);
        else given[name] = line.mark;
      }
      for (const [part, mark] of marks) {
        const added = priority !== null && priority.added_to === part && row.priority !== undefined ? Exact.of(row.priority) : ZERO;
        expected[part] = mark.plus(added).text;
      }
      if (!equal(given, expected)) {
        const odd = [...new Set([...Object.keys(given), ...Object.keys(expected)])].filter(part => given[part] !== expected[part]).sort().join(', ');
        say(`${number} has other marks than those recomputed: ${odd}.`, `${number} có điểm khác với điểm tính lại: ${odd}.`);
      }
      if (!away.every(part => absent.has(part))) say(`${number} is called absent, and was not.`, `${number} bị ghi vắng trong khi không vắng.`);
      if ((row.outcome === 'excluded') !== excluded) say(`${number} is ${excluded ? '' : 'not '}to be excluded.`, `${number} ${excluded ? 'phải bị' : 'không bị'} loại.`);
    }
  }
}

/** V13; fills `bundle.brought`: number of a score run → what its candidates bring. Empty in the public edition. */
function scores(bundle) {
  const { findings, regulation, restricted } = bundle;
  bundle.brought = new Map();
  bundle.taken = 0;
  if (!restricted) {
    findings.notDone('V13', 'Answers, keys and sheets are in the restricted edition.', 'Bài làm, đáp án và phiếu chấm nằm trong bản hạn chế.');
    return;
  }
  if (!regulation) {
    findings.fail('V13', 'The pinned regulation is not there.', 'Không có quy chế đã ghim.');
    return;
  }
  try {
    const work = new Scores(bundle);
    bundle.brought = work.check();
    bundle.taken = work.taken;
    findings.note('V13', `Answers marked again: ${work.marked}.`, `Số câu trả lời được chấm lại: ${work.marked}.`);
    findings.note('V13', `Marks of scripts and hearings settled again: ${work.resettled}.`, `Số điểm bài viết và buổi bảo vệ được chốt lại: ${work.resettled}.`);
    if (work.taken) {
      const items = [...work.unmarked].map(([digest, why]) => `${digest.slice(0, 16)}… (${why})`).join('; ');
      findings.notDone('V13', `All is computed again but ${work.taken} answers to questions that this page does not mark, whose printed scores were taken: ${items}.`,
        `Đã tính lại tất cả, trừ ${work.taken} câu trả lời cho các câu hỏi mà trang này không chấm được, ở đó lấy điểm đã in: ${items}.`);
    }
  } catch (error) {
    findings.fail('V13', `The regulation cannot be applied: ${error.message}.`, `Không áp dụng được quy chế: ${error.message}.`);
  }
}

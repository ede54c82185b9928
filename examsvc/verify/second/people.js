// V12 roles; V17 the code map opens, persons are unique.

function roles(bundle) {
  const { findings, log, regulation } = bundle;
  const fail = (en, vi) => findings.fail('V12', en, vi);
  if (!regulation || !regulation.conflicts) {
    fail('The regulation with its matrix of roles is not there.', 'Không có quy chế với bảng vai trò loại trừ nhau.');
    return;
  }
  const { groups, alone = [] } = regulation.conflicts;
  const exclude = (a, b) => a !== b && (alone.includes(a) || alone.includes(b) || groups.some(group => group.includes(a) && group.includes(b)));
  const held = new Map(), enrolled = new Set();
  const holds = (person, roles, time) => (held.get(person) || []).some(one => roles.includes(one.role) && one.until >= time);
  const take = (entry, person, role, until) => {
    const list = (held.get(person) || []).filter(one => one.until >= entry.t);
    const other = list.find(one => exclude(one.role, role));
    if (other) fail(`${person} got the role ${role} while holding ${other.role} (entry ${entry.n}).`, `${person} nhận vai trò ${role} khi đang giữ ${other.role} (mục ${entry.n}).`);
    held.set(person, [...list, { role, until: until === undefined ? Infinity : until }]);
  };
  const needs = (entry, person, ...wanted) => {
    if (!holds(person, wanted, entry.t)) fail(`${person} acted without the role ${wanted[0]} (entry ${entry.n}).`, `${person} hành động khi không giữ vai trò ${wanted[0]} (mục ${entry.n}).`);
  };
  for (const entry of log.good) {
    const { body, type } = entry;
    for (const approval of body.approvals || []) {
      if (!enrolled.has(approval.by)) fail(`${approval.by} approved without being enrolled (entry ${entry.n}).`, `${approval.by} phê duyệt khi chưa được ghi danh (mục ${entry.n}).`);
    }
    if (type === 'person.enrolled') enrolled.add(body.person);
    else if (type === 'role.granted') take(entry, body.person, body.role, body.until);
    else if (type === 'role.delegated') take(entry, body.to, body.role, body.until);
    else if (type === 'role.revoked') {
      const list = held.get(body.person) || [], place = list.findIndex(one => one.role === body.role);
      if (place >= 0) list.splice(place, 1);
    } else if (type === 'mark.recorded') needs(entry, body.marker, 'marker');
    else if (type === 'remark.recorded') needs(entry, body.marker, 're-marker');
    else if (type === 'hearing.marked') needs(entry, body.member, 'panel-member', 'panel-chair');
    else if (type === 'hearing.listed') body.panel.forEach(member => needs(entry, member, 'panel-member', 'panel-chair'));
    else if (type === 'hearing.substituted') needs(entry, body.to, 'panel-member', 'panel-chair');
    else if (type === 'paper.share_delivered') needs(entry, body.custodian, 'custodian');
  }
  const identities = name => new Set([...bundle.found.values()].filter(one => one.name === name && one.object.identity).map(one => one.object.identity));
  const candidates = identities('application.identity');
  for (const identity of identities('person.identity')) {
    if (candidates.has(identity)) fail('Somebody enrolled is a candidate.', 'Một người được ghi danh làm nhiệm vụ cũng là thí sinh.');
  }
}

function mapOpens(bundle) {
  const { findings, sat } = bundle;
  if (!bundle.restricted) {
    findings.notDone('V17', 'The public edition does not hold the code map.', 'Bản công khai không chứa bảng khớp phách.');
    return;
  }
  const fail = (en, vi) => findings.fail('V17', en, vi);
  const scripts = new Map(), texts = new Set(), bySitting = new Map();
  let whole = true;
  for (const entry of bundle.all('blind.map', 'plans.map')) {
    for (const commitment of entry.body.pairs) {
      const pair = bundle.open(commitment);
      if (!pair) {
        whole = false;
        continue;
      }
      if (scripts.has(pair.script)) fail(`The script ${pair.script} is on the map twice.`, `Phách ${pair.script} có hai lần trong bảng.`);
      scripts.set(pair.script, entry);
      if (entry.type === 'plans.map') continue;
      const text = pair.attempt + ' ' + pair.slot, submitted = sat.submitted.get(pair.attempt);
      if (texts.has(text)) fail(`A text of ${pair.attempt} has two scripts.`, `Một bài của ${pair.attempt} có hai phách.`);
      texts.add(text);
      if (!submitted || submitted.body.sitting !== entry.body.sitting) fail(`The script ${pair.script} is of an attempt not submitted in this sitting.`, `Phách ${pair.script} thuộc bài không nộp trong ca này.`);
      else if (bundle.open(submitted.body.answers) && !bundle.open(submitted.body.answers).answers.some(row => row.slot === pair.slot)) {
        fail(`The script ${pair.script} is of a slot that its attempt does not have.`, `Phách ${pair.script} thuộc ô không có trong bài làm.`);
      }
      if (!bySitting.has(entry.body.sitting)) bySitting.set(entry.body.sitting, new Set());
      bySitting.get(entry.body.sitting).add(text);
    }
  }
  const slotsOf = entry => (bundle.open(entry.body.answers) || { answers: [] }).answers.map(row => row.slot);
  for (const [sitting, mapped] of whole ? bySitting : []) {
    const everywhere = new Set([...mapped].map(text => Number(text.split(' ')[1])));
    for (const [attempt, entry] of sat.submitted) {
      if (entry.body.sitting !== sitting || !bundle.open(entry.body.answers)) continue;
      for (const slot of slotsOf(entry)) {
        if (everywhere.has(slot) && !mapped.has(`${attempt} ${slot}`)) fail(`Text ${slot} of ${attempt} has no script.`, `Bài ${slot} của ${attempt} không có phách.`);
      }
    }
  }
  const allocated = new Set(bundle.all('scripts.allocated').flatMap(entry => (bundle.open(entry.body.allocation) || { rows: [] }).rows.map(row => row.script)));
  const opened = bundle.all('scripts.allocated').every(entry => bundle.open(entry.body.allocation));
  if (whole && opened && !equal([...allocated].sort(), [...scripts.keys()].sort())) fail('The allocated scripts are not those of the map.', 'Các phách được phân công không phải các phách trong bảng.');
  const applied = new Map(), people = new Map();
  for (const { name, object, entry } of bundle.found.values()) {
    if (name === 'application.identity') {
      if (object.application !== entry.body.application) fail(`Who applied with ${entry.body.application} is said of another application.`, `Người nộp hồ sơ ${entry.body.application} được ghi cho hồ sơ khác.`);
      for (const post of entry.posts) {
        const key = post + ' ' + object.identity;
        if (applied.has(key) && applied.get(key) !== object.application) fail(`One person has two applications for ${post}.`, `Một người có hai hồ sơ cho ${post}.`);
        applied.set(key, object.application);
      }
    }
    if (name === 'person.identity') {
      if (object.person !== entry.body.person) fail(`Who ${entry.body.person} is, is said of another code.`, `${entry.body.person} là ai lại được ghi cho mã khác.`);
      if (people.has(object.account) && people.get(object.account) !== object.person) fail(`One account has two actor codes: ${object.account}.`, `Một tài khoản có hai mã người: ${object.account}.`);
      people.set(object.account, object.person);
    }
  }
}

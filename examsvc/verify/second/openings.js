// V6: what was opened is what was committed to, and what is owed is opened.

const OBJECTS = VOCABULARY.objects;
const OF_SEALED = ['paper.form', 'paper.key', 'paper.guide'];

/** Whether fields that entry and object both have, of the same simple kind, and `outcome`, hold the same values. */
function agrees(entry, name, object) {
  if (name === 'approval.summary') return object.type === entry.type;
  const kinds = new Map(entry.definition.body.map(([field, kind]) => [field, kind]));
  return OBJECTS[name].fields.every(([field, kind]) => !SIMPLE[kind] || (kinds.get(field) !== kind && field !== 'outcome')
    || !Object.hasOwn(object, field) || !Object.hasOwn(entry.body, field) || entry.body[field] === object[field]);
}

function openingsCheck(bundle) {
  const { findings, manifest, restricted, files, log, found } = bundle;
  const fail = (en, vi) => findings.fail('V6', en, vi);
  const expected = new Map();
  for (const entry of log.good) {
    for (const [name, commitment] of commitmentsIn(entry.definition.body, entry.body)) expected.set(entry.n + ' ' + commitment, [name, entry]);
  }
  for (const { n, c, name, salt, object } of bundle.openings) {
    const [wanted, entry] = expected.get(n + ' ' + c) || [];
    const type = Object.hasOwn(OBJECTS, name) ? OBJECTS[name] : null;
    const where = `${name} (${n})`;
    if (wanted !== name || !type || commit(name, salt, object) !== c) fail(`An opening opens nothing: ${where}.`, `Một phần mở không khớp cam kết: ${where}.`);
    else if (!follows(type.fields, object, IN_OBJECT)) fail(`An object has other fields: ${where}.`, `Một đối tượng có trường khác: ${where}.`);
    else {
      if (!agrees(entry, name, object)) fail(`An object says something else than its entry: ${where}.`, `Một đối tượng nói khác mục của nó: ${where}.`);
      if (type.opening === 'subject' || (!restricted && type.personal && type.opening !== PUBLIC)) {
        fail(`A personal object is in an edition it does not belong to: ${where}.`, `Dữ liệu cá nhân nằm trong bản không được phép: ${where}.`);
      }
      found.set(c, { name, object, entry });
    }
  }
  const opened = new Set(bundle.all('paper.opened').map(entry => entry.body.paper));
  const erased = bundle.all('erasure.done').length > 0;
  for (const [, [name, entry]] of [...expected].filter(([key]) => !found.has(key.split(' ')[1]))) {
    const type = OBJECTS[name];
    const owed = type.opening === PUBLIC || (restricted && type.opening === RESTRICTED);
    const concerned = entry.definition.scope === 'log' || entry.posts.some(post => manifest.posts.includes(post));
    const sealed = OF_SEALED.includes(name) && entry.body.paper && !opened.has(entry.body.paper);
    if (owed && concerned && !sealed && !(erased && type.personal)) {
      fail(`${name} of entry ${entry.n} (${entry.type}) is not opened.`, `${name} của mục ${entry.n} (${entry.type}) không được mở.`);
    }
  }
  const named = new Set();
  const collect = value => {
    if (typeof value === 'string') named.add(value);
    else if (value && typeof value === 'object') Object.values(value).forEach(collect);
  };
  log.good.forEach(entry => collect(entry.body));
  for (const [name, bytes] of files) {
    if (name.startsWith('documents/') && !named.has(name.slice(10)) && toHex(sha256(bytes)) === name.slice(10)) {
      fail(`No entry names ${name}.`, `Không mục nào nêu ${name}.`);
    }
  }
  if (!bundle.regulation) fail('The pinned regulation is not in the bundle.', 'Quy chế đã ghim không có trong gói.');
  papers(bundle, fail);
}

/** Custodians named last for a stage before its paper was sealed. */
function newestNamed(bundle, body, stage, posts) {
  const sealed = bundle.all('paper.sealed').find(entry => entry.body === body);
  const entry = bundle.all('custodians.named').filter(one => one.stage === stage && one.n < sealed.n && one.posts.some(post => posts.includes(post))).pop();
  const object = entry && bundle.open(entry.body.custodians);
  return object ? object.custodians : null;
}

function papers(bundle, fail) {
  const approved = new Map();
  for (const entry of bundle.all('paper.approved')) approved.set(entry.body.paper, entry.body);
  for (const { body, stage, posts } of bundle.all('paper.sealed')) {
    const { paper, forms, shares, threshold, kind } = body, before = approved.get(paper);
    if (!before || !equal(before.forms, forms) || before.kind !== kind) {
      fail(`The paper ${paper} was sealed with other forms than were approved.`, `Đề ${paper} được niêm phong với các mã đề khác bản đã duyệt.`);
    }
    const named = newestNamed(bundle, body, stage, posts);
    if (named && !shares.every(share => named.some(one => one.custodian === share.custodian))) {
      fail(`A share of the paper ${paper} is for nobody who was named custodian.`, `Có mảnh khóa của đề ${paper} giao cho người không được chỉ định giữ.`);
    }
    const holders = new Set(shares.map(share => share.custodian)), places = new Set(shares.map(share => share.x));
    if (threshold < 2 || threshold >= shares.length || holders.size !== shares.length || places.size !== shares.length) {
      fail(`The shares of the paper ${paper} are not as they must be.`, `Các mảnh khóa của đề ${paper} không đúng quy định.`);
    }
    for (const commitment of [...forms, body.key]) {
      const object = bundle.open(commitment);
      if (object && object.paper !== paper) fail(`A form or key names another paper than ${paper}.`, `Một mã đề hoặc đáp án nêu đề khác ${paper}.`);
    }
    for (const opening of bundle.all('paper.opened').filter(entry => entry.body.paper === paper)) {
      const genuine = new Set(bundle.all('paper.share_delivered')
        .filter(({ n, body: share }) => n < opening.n && share.paper === paper && share.genuine
          && shares.some(one => one.custodian === share.custodian && one.x === share.x))
        .map(entry => entry.body.custodian));
      const used = opening.body.custodians;
      if (used.length < threshold || !used.every(one => genuine.has(one))) {
        fail(`The paper ${paper} was opened without enough genuine shares.`, `Đề ${paper} được mở khi chưa đủ mảnh khóa thật.`);
      }
      if ((opening.body.forms || []).some(place => place > forms.length)) fail(`The paper ${paper} has no such form.`, `Đề ${paper} không có mã đề đó.`);
    }
  }
}

// V8 one answer set for everybody checked in, made of saves in time; V9 nobody vanished, nobody appeared.

const LINK = utf8('examsvc.v1/attempt.link\0');

const start = (attempt, competition) => sha256(join(utf8('examsvc.v1/attempt.chain\0'), utf8(encode({ attempt, x: competition }))));

function submits(bundle) {
  const { findings } = bundle;
  const fail = (en, vi) => findings.fail('V8', en, vi);
  const prepared = bundle.all('attempt.prepared');
  const one = type => new Map(bundle.all(type).map(entry => [entry.body.attempt, entry]));
  const checkedIn = one('attempt.checked_in'), absent = one('attempt.absent'), submitted = one('attempt.submitted');
  const sittingOf = new Map(prepared.map(entry => [entry.body.attempt, entry.body.sitting]));
  for (const entry of bundle.all('attempt.checked_in', 'attempt.absent', 'attempt.submitted')) {
    if (sittingOf.get(entry.body.attempt) !== entry.body.sitting) fail(`Attempt ${entry.body.attempt} is in another sitting.`, `Bài làm ${entry.body.attempt} thuộc ca thi khác.`);
  }
  for (const closed of bundle.all('sitting.closed')) {
    const { sitting } = closed.body, codes = prepared.filter(entry => entry.body.sitting === sitting).map(entry => entry.body.attempt);
    for (const attempt of codes) {
      if (checkedIn.has(attempt) === absent.has(attempt)) fail(`Attempt ${attempt} is neither checked in nor absent, or both.`, `Bài làm ${attempt} không điểm danh cũng không vắng, hoặc cả hai.`);
      if (checkedIn.has(attempt) !== submitted.has(attempt)) fail(`Attempt ${attempt} has no answer set, or one without a check-in.`, `Bài làm ${attempt} không có bài nộp, hoặc có mà không điểm danh.`);
    }
    const count = (map, before) => codes.filter(attempt => map.has(attempt) && map.get(attempt).n < before).length;
    const { body } = closed;
    if (body.checked_in !== count(checkedIn, closed.n) || body.absent !== count(absent, closed.n) || body.submitted !== count(submitted, closed.n)) {
      fail(`The counts at the close of ${sitting} are wrong.`, `Số liệu lúc kết thúc ca ${sitting} sai.`);
    }
    for (const started of bundle.all('sitting.started').filter(entry => entry.body.sitting === sitting)) {
      const ready = prepared.filter(entry => entry.body.sitting === sitting && entry.n < started.n).length;
      if (started.body.prepared !== ready || started.body.checked_in !== count(checkedIn, started.n)) {
        fail(`The counts at the start of ${sitting} are wrong.`, `Số liệu lúc bắt đầu ca ${sitting} sai.`);
      }
    }
  }
  bundle.sat = { prepared, preparedAs: new Map([...prepared].reverse().map(entry => [entry.body.attempt, entry])), checkedIn, absent, submitted, sittingOf };
  if (bundle.restricted) chains(bundle, fail);
}

function chains(bundle, fail) {
  const { manifest, sat } = bundle, saves = new Map();
  for (const save of bundle.saves) {
    if (!saves.has(save.attempt)) saves.set(save.attempt, []);
    saves.get(save.attempt).push(save);
  }
  for (const attempt of saves.keys()) {
    if (!sat.sittingOf.has(attempt)) fail(`There are saves of an unknown attempt ${attempt}.`, `Có lần lưu của bài làm lạ ${attempt}.`);
  }
  const links = new Map();
  for (const attempt of sat.sittingOf.keys()) {
    const chain = [start(attempt, manifest.competition)];
    for (const save of saves.get(attempt) || []) chain.push(sha256(join(LINK, chain[chain.length - 1], fromHex(save.c))));
    links.set(attempt, chain.map(toHex));
  }
  const kept = new Map();
  for (const entry of bundle.all('attempt.submitted', 'attempt.late_kept')) {
    const chain = links.get(entry.body.attempt) || [];
    if (chain[entry.body.links] !== entry.body.head) fail(`The saves of ${entry.body.attempt} do not lead to its head.`, `Các lần lưu của ${entry.body.attempt} không dẫn đến mắt xích cuối.`);
    kept.set(entry.body.attempt, entry.body.links);
  }
  for (const [attempt, list] of saves) {
    if ((kept.get(attempt) || 0) !== list.length) fail(`There are saves of ${attempt} that no entry counts.`, `Có lần lưu của ${attempt} không mục nào đếm đến.`);
  }
  headsHold(bundle, links, fail);
  for (const entry of sat.submitted.values()) answersHold(bundle, entry, saves.get(entry.body.attempt) || [], fail);
}

function headsHold(bundle, links, fail) {
  const { sat } = bundle, rows = new Map(bundle.heads.map(head => [head.n, head.links]));
  const entries = bundle.all('sitting.heads');
  for (const n of rows.keys()) if (!entries.some(entry => entry.n === n)) fail(`Line ${n} of heads.jsonl is about no entry.`, `Dòng ${n} của heads.jsonl không ứng với mục nào.`);
  const before = new Map();
  for (const entry of entries) {
    const counts = rows.get(entry.n), at = `The heads at entry ${entry.n}`, atVi = `Các mắt xích tại mục ${entry.n}`;
    if (!counts) {
      fail(`${at} are not there.`, `${atVi} không có.`);
      continue;
    }
    const open = [...sat.checkedIn.values()].filter(one => one.body.sitting === entry.body.sitting && one.n < entry.n
      && !(sat.submitted.has(one.body.attempt) && sat.submitted.get(one.body.attempt).n < entry.n)).map(one => one.body.attempt).sort();
    if (!equal(open, counts.map(row => row[0]))) fail(`${at} leave out an open attempt or hold another.`, `${atVi} bỏ sót bài đang làm hoặc chứa bài khác.`);
    const leaves = [];
    for (const [attempt, number] of counts) {
      const head = (links.get(attempt) || [])[number], last = sat.submitted.get(attempt);
      if (head === undefined || number < (before.get(attempt) || 0) || (last && number > last.body.links)) {
        fail(`${at}: ${attempt} has another number of saves.`, `${atVi}: ${attempt} có số lần lưu khác.`);
      }
      before.set(attempt, number);
      leaves.push(leafHash(utf8(encode([attempt, number, head || '']))));
    }
    const sum = counts.reduce((total, row) => total + row[1], 0);
    if (entry.body.attempts !== counts.length || entry.body.links !== sum || entry.body.root !== toHex(merkleRoot(leaves))) {
      fail(`${at} are not those committed to.`, `${atVi} không khớp cam kết.`);
    }
  }
}

function answersHold(bundle, entry, saves, fail) {
  const { attempt, links } = entry.body, { sat } = bundle;
  const say = (en, vi) => fail(`Attempt ${attempt}: ${en}`, `Bài làm ${attempt}: ${vi}`);
  const answers = bundle.open(entry.body.answers);
  const prepared = sat.preparedAs.get(attempt);
  const terms = prepared && bundle.open(prepared.body.terms);
  const grace = bundle.regulation && bundle.regulation.sitting ? bundle.regulation.sitting.grace_seconds : 0;
  const versions = new Map(), last = new Map(), late = new Map();
  let whole = true, clock = 0;
  saves.forEach((save, n) => {
    if (!save.object) {
      whole = false;
      return;
    }
    const { object } = save;
    if (commit('attempt.save', save.salt, object) !== save.c || !follows(VOCABULARY.objects['attempt.save'].fields, object, IN_OBJECT) || object.attempt !== attempt) {
      say(`save ${n + 1} opens nothing.`, `lần lưu ${n + 1} không khớp cam kết.`);
      return;
    }
    if (object.version !== (versions.get(object.slot) || 0) + 1) say(`the versions of slot ${object.slot} do not count up.`, `phiên bản của ô ${object.slot} không tăng đều.`);
    versions.set(object.slot, object.version);
    if (object.saved_at < clock) say(`save ${n + 1} is earlier than the one before it.`, `lần lưu ${n + 1} sớm hơn lần trước.`);
    clock = object.saved_at;
    if (answers && object.late !== (object.saved_at > answers.deadline + grace)) say(`save ${n + 1} is wrongly flagged in time or late.`, `lần lưu ${n + 1} bị đánh dấu sai đúng hạn hoặc muộn.`);
    if (n < links && object.saved_at > entry.t) say(`save ${n + 1} is later than the submission.`, `lần lưu ${n + 1} muộn hơn lúc nộp.`);
    (object.late ? late : last).set(object.slot, object);
  });
  const holds = (set, saved) => set.every(({ slot, version, value }) => {
    const object = saved.get(slot);
    return object ? object.version === version && equal(object.value, value) : version === 0 && value === null;
  });
  if (!answers) return;
  if (terms && (!equal(terms.slots.map(row => row.slot), answers.answers.map(row => row.slot)) || terms.form !== answers.form)) {
    say('the answer set has other slots than were put before the candidate.', 'bài nộp có các ô khác với đề đã phát.');
  }
  if (answers.attempt !== attempt) say('the answer set is of another attempt.', 'bài nộp của bài làm khác.');
  if (whole && !holds(answers.answers, last)) say('the answer set is not the last saves in time.', 'bài nộp không phải các lần lưu cuối đúng hạn.');
  const decided = bundle.all('attempt.late_decided').find(one => one.body.attempt === attempt);
  if (decided && decided.body.answers) {
    const counted = bundle.open(decided.body.answers);
    if (counted && whole && !holds(counted.answers, new Map([...last, ...late]))) say('the answer set that was decided to count is not the last saves.', 'bài được quyết định tính không phải các lần lưu cuối.');
  }
}

/** Newest entry of a type for a post, or null. */
function newest(bundle, type, post) {
  return bundle.all(type).filter(entry => entry.posts.includes(post)).pop() || null;
}

function nobodyVanished(bundle) {
  const { findings, manifest } = bundle;
  const fail = (en, vi) => findings.fail('V9', en, vi);
  for (const post of manifest.posts) {
    const listed = newest(bundle, 'candidates.listed', post), published = newest(bundle, 'results.published', post);
    const ranking = published && bundle.open(published.body.ranking), list = listed && bundle.open(listed.body.candidates);
    if (!ranking || !listed) continue;
    const ranked = ranking.rows.map(row => row.candidate);
    if (new Set(ranked).size !== ranked.length) fail(`Somebody stands twice in the ranking of ${post}.`, `Có người xuất hiện hai lần trong bảng xếp hạng ${post}.`);
    if (listed.posts.length === 1 && ranked.length !== listed.body.count) fail(`The ranking of ${post} has another number of candidates than the list.`, `Bảng xếp hạng ${post} có số thí sinh khác danh sách.`);
    if (!list) continue;
    const candidates = list.candidates.filter(row => row.post === post).map(row => row.candidate);
    if (list.candidates.length !== listed.body.count || new Set(candidates).size !== candidates.length) fail(`The list of ${post} has another number of candidates.`, `Danh sách ${post} có số thí sinh khác.`);
    if (!equal([...ranked].sort(), [...candidates].sort())) fail(`The ranking of ${post} holds other candidates than the list.`, `Bảng xếp hạng ${post} có thí sinh khác danh sách.`);
  }
  for (const { n, posts, body } of bundle.all('results.computed')) {
    const table = bundle.open(body.ranking), numbers = table ? table.rows.map(row => row.candidate) : [];
    if (!table) continue;
    if (posts.length !== 1 || table.post !== posts[0] || table.run !== body.run) fail(`The ranking of entry ${n} is for another post or run.`, `Bảng xếp hạng của mục ${n} thuộc vị trí hoặc lần tính khác.`);
    if (new Set(numbers).size !== numbers.length || numbers.length !== body.candidates) fail(`The ranking of entry ${n} does not have as many candidates as it counts.`, `Bảng xếp hạng của mục ${n} không có đúng số thí sinh đã đếm.`);
    const listed = newest(bundle, 'candidates.listed', posts[0]), list = listed && bundle.open(listed.body.candidates);
    if (list && !equal([...numbers].sort(), list.candidates.filter(row => row.post === posts[0]).map(row => row.candidate).sort())) {
      fail(`The ranking of entry ${n} holds other candidates than the list.`, `Bảng xếp hạng của mục ${n} có thí sinh khác danh sách.`);
    }
  }
  if (!bundle.restricted) return;
  const admitted = new Set(bundle.all('candidates.listed').flatMap(entry => (bundle.open(entry.body.candidates) || { candidates: [] }).candidates.map(row => row.candidate)));
  const erased = bundle.all('erasure.done').length > 0;
  const seats = new Set();
  for (const entry of bundle.sat.prepared) {
    const object = bundle.open(entry.body.candidate);
    if (!object) continue;
    if (object.attempt !== entry.body.attempt) fail(`Whose attempt ${entry.body.attempt} is, is said of another one.`, `Bài làm ${entry.body.attempt} được ghi chủ nhân của bài khác.`);
    if (admitted.size && !erased && !admitted.has(object.candidate)) fail(`An attempt belongs to ${object.candidate}, who is not listed.`, `Một bài làm thuộc ${object.candidate}, không có trong danh sách.`);
    const seat = entry.body.sitting + ' ' + object.candidate;
    if (seats.has(seat)) fail(`${object.candidate} has two attempts in one sitting.`, `${object.candidate} có hai bài làm trong một ca.`);
    seats.add(seat);
  }
  const heard = new Set();
  for (const entry of bundle.all('hearing.listed')) {
    const object = bundle.open(entry.body.candidate);
    if (!object) continue;
    if (object.hearing !== entry.body.hearing) fail(`Who is heard in ${entry.body.hearing} is said of another hearing.`, `Người bảo vệ trong ${entry.body.hearing} được ghi cho buổi khác.`);
    if (admitted.size && !erased && !admitted.has(object.candidate)) fail(`A hearing is of ${object.candidate}, who is not listed.`, `Một buổi bảo vệ là của ${object.candidate}, không có trong danh sách.`);
    const seat = entry.body.draw + ' ' + object.candidate;
    if (heard.has(seat)) fail(`${object.candidate} is heard twice.`, `${object.candidate} bảo vệ hai lần.`);
    heard.add(seat);
  }
}

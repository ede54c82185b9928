// V10: every mark by whom it was allocated to, none missing.

const FIRST_ROUNDS = 2;  // a third mark is given only where the first two lie apart

function marking(bundle) {
  const { findings } = bundle;
  const fail = (en, vi) => findings.fail('V10', en, vi);
  const { holders, drawOf } = allocations(bundle), dropped = new Map(), sheets = new Map();
  for (const entry of bundle.log.good) {
    const { body } = entry;
    if (entry.type === 'script.reallocated' && holders.has(body.script)) {
      holders.get(body.script).set(body.round, body.to);
      dropped.set(body.script, (dropped.get(body.script) || new Set()).add(body.from));
    }
    if (entry.type !== 'mark.recorded' && entry.type !== 'remark.recorded') continue;
    const at = `Entry ${entry.n}`, atVi = `Mục ${entry.n}`;
    const held = holders.get(body.script);
    if (entry.type === 'mark.recorded' && held && !held.has(body.round) && drawOf.get(body.script)) {
      held.set(body.round, firstReserve(drawOf.get(body.script), body.script, [...held.values()], dropped.get(body.script) || new Set()));
    }
    if (!held || held.get(body.round) !== body.marker) fail(`${at}: ${body.marker} did not hold the script in this round.`, `${atVi}: ${body.marker} không giữ bài này trong lượt chấm.`);
    if (entry.by !== body.marker) fail(`${at}: somebody else handed in the sheet of ${body.marker}.`, `${atVi}: người khác nộp phiếu của ${body.marker}.`);
    if (!sheets.has(body.script)) sheets.set(body.script, new Map());
    const rounds = sheets.get(body.script);
    const sheet = bundle.open(body.sheet);
    if (sheet && !['script', 'marker', 'round', 'version'].every(field => !Object.hasOwn(body, field) || body[field] === sheet[field])) {
      fail(`${at}: the sheet is another one.`, `${atVi}: phiếu là phiếu khác.`);
    }
    for (const [round, sheet] of rounds) {
      if (round !== body.round && sheet.body.marker === body.marker) fail(`${at}: ${body.marker} marked the script in two rounds.`, `${atVi}: ${body.marker} chấm bài này hai lượt.`);
    }
    rounds.set(body.round, entry);
  }
  const allocated = new Map();
  for (const entry of [...bundle.all('scripts.allocated')].reverse()) {
    for (const { script } of (bundle.open(entry.body.allocation) || { rows: [] }).rows) allocated.set(script, entry);
  }
  for (const locked of bundle.all('marks.locked')) {
    for (const [script, rounds] of holders) {
      const entry = allocated.get(script);
      if (!entry || entry.stage !== locked.stage || entry.n > locked.n || !entry.posts.some(post => locked.posts.includes(post))) continue;
      for (const round of rounds.keys()) {
        if (round <= FIRST_ROUNDS && (!sheets.has(script) || !sheets.get(script).has(round))) fail(`The script ${script} has no sheet of round ${round}.`, `Bài ${script} thiếu phiếu lượt ${round}.`);
      }
    }
  }
  for (const settled of bundle.all('mark.settled', 'remark.settled')) {
    const object = bundle.open(settled.body.settlement), rounds = sheets.get(settled.body.script);
    if (!rounds) {
      fail(`The script ${settled.body.script} was settled without sheets.`, `Bài ${settled.body.script} được chốt điểm khi không có phiếu.`);
      continue;
    }
    if (!object) continue;
    if (settled.type === 'mark.settled' && object.script !== settled.body.script) fail(`${settled.body.script} was settled as another script.`, `${settled.body.script} được chốt như một bài khác.`);
    const marks = [...rounds].sort((a, b) => a[0] - b[0]).filter(([, one]) => one.n < settled.n).map(([, one]) => bundle.open(one.body.sheet));
    const totals = marks.map(sheet => sheet && sheet.total);
    if (marks.every(sheet => sheet) && !equal(totals, object.marks)) fail(`The script ${settled.body.script} was settled from other marks.`, `Bài ${settled.body.script} được chốt từ các điểm khác.`);
  }
  hearings(bundle, fail);
}

function hearings(bundle, fail) {
  const panels = new Map(), sheets = new Map();
  const absent = new Set(bundle.all('hearing.absent').map(entry => entry.body.hearing));
  for (const entry of bundle.log.good) {
    const { body } = entry, { hearing } = body;
    const say = (en, vi) => fail(`Hearing ${hearing}: ${en}`, `Buổi bảo vệ ${hearing}: ${vi}`);
    if (entry.type === 'hearing.listed') panels.set(hearing, new Set(body.panel));
    else if (entry.type === 'hearing.substituted') {
      const panel = panels.get(hearing) || new Set();
      if (!panel.delete(body.from) || panel.has(body.to)) say('somebody was replaced who did not sit on the panel.', 'người bị thay không thuộc ban chấm.');
      panel.add(body.to);
    } else if (entry.type === 'hearing.marked') {
      if (!(panels.get(hearing) || new Set()).has(body.member)) say(`${body.member} is not on the panel.`, `${body.member} không thuộc ban chấm.`);
      if (entry.by !== body.member) say(`somebody else handed in the sheet of ${body.member}.`, `người khác nộp phiếu của ${body.member}.`);
      const sheet = bundle.open(body.sheet);
      if (sheet && (sheet.hearing !== hearing || sheet.member !== body.member || sheet.version !== body.version)) say('a sheet is another one.', 'có phiếu là phiếu khác.');
      if (!sheets.has(hearing)) sheets.set(hearing, new Map());
      sheets.get(hearing).set(body.member, entry);
    } else if (entry.type === 'hearing.shown') {
      const handed = sheets.get(hearing) || new Map();
      if (body.members !== handed.size || [...(panels.get(hearing) || [])].some(member => !handed.has(member))) say('sheets were shown before all had handed in.', 'phiếu được cho xem khi chưa nộp đủ.');
      if ([...handed.values()].some(sheet => sheet.t > body.at)) say('sheets were shown too early.', 'phiếu được cho xem quá sớm.');
    } else if (entry.type === 'hearing.settled') {
      const object = bundle.open(body.settlement);
      const marks = [...(sheets.get(hearing) || [])].sort((a, b) => order(a[0], b[0])).map(([, one]) => bundle.open(one.body.sheet));
      if (!object) continue;
      if (object.hearing !== hearing) say('it was settled as another one.', 'được chốt như buổi khác.');
      if (marks.every(sheet => sheet) && !equal(marks.map(sheet => sheet.total), object.marks)) say('it was settled from other marks.', 'được chốt từ các điểm khác.');
    }
  }
  for (const locked of bundle.all('marks.locked')) {
    for (const entry of bundle.all('hearing.listed')) {
      const { hearing } = entry.body;
      if (entry.stage !== locked.stage || entry.n > locked.n || absent.has(hearing) || !entry.posts.some(post => locked.posts.includes(post))) continue;
      if ([...panels.get(hearing)].some(member => !(sheets.get(hearing) || new Map()).has(member))) {
        fail(`Hearing ${hearing} lacks a sheet.`, `Buổi bảo vệ ${hearing} thiếu phiếu.`);
      }
    }
  }
}

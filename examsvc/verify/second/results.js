// V15 the published ranking is the one computed and approved; V19 numbers for information.

function published(bundle) {
  const { findings, manifest } = bundle;
  const fail = (en, vi) => findings.fail('V15', en, vi);
  for (const post of manifest.posts) {
    const mine = type => bundle.all(type).filter(entry => entry.posts.includes(post));
    const editions = mine('results.published');
    editions.forEach((entry, n) => {
      const { edition, run, ranking, previous } = entry.body;
      if (edition !== n + 1) fail(`The editions of ${post} do not count from 1.`, `Các bản của ${post} không đếm từ 1.`);
      if ((n > 0) !== (previous !== undefined)) fail(`Edition ${edition} of ${post} names the one before wrongly.`, `Bản ${edition} của ${post} nêu sai bản trước.`);
      for (const type of ['results.computed', 'results.approved']) {
        const before = mine(type).filter(one => one.body.run === run && one.n < entry.n).pop();
        if (!before || before.body.ranking !== ranking) fail(`The published ranking of ${post} is not that of ${type}.`, `Bảng xếp hạng công bố của ${post} không phải của ${type}.`);
      }
    });
    const last = editions[editions.length - 1];
    if (!last || last.body.edition !== manifest.edition) {
      fail(`The bundle is not the newest edition for ${post}.`, `Gói không phải bản mới nhất của ${post}.`);
      continue;
    }
    const ranking = bundle.open(last.body.ranking);
    if (!ranking) fail(`The published ranking of ${post} is not opened.`, `Bảng xếp hạng công bố của ${post} không được mở.`);
    else if (ranking.post !== post || ranking.run !== last.body.run) fail(`The ranking of ${post} is of another post or run.`, `Bảng xếp hạng của ${post} thuộc vị trí hoặc lần tính khác.`);
  }
}

function statistics(bundle) {
  const { findings } = bundle, people = new Map();
  for (const entry of bundle.all('mark.recorded', 'remark.recorded', 'hearing.marked')) {
    const who = entry.body.marker || entry.body.member;
    if (!people.has(who)) people.set(who, { sheets: 0, totals: [] });
    const one = people.get(who), sheet = bundle.open(entry.body.sheet);
    one.sheets++;
    if (sheet) one.totals.push(Number(sheet.total));
  }
  for (const [who, { sheets, totals }] of [...people].sort((a, b) => order(a[0], b[0]))) {
    const mean = totals.reduce((sum, one) => sum + one, 0) / totals.length;
    const spread = Math.sqrt(totals.reduce((sum, one) => sum + (one - mean) ** 2, 0) / totals.length);
    const known = totals.length > 0;
    findings.note('V19', `${who}: ${sheets} sheets${known ? `, mean ${mean.toFixed(2)}, standard deviation ${spread.toFixed(2)}` : ''}.`,
      `${who}: ${sheets} phiếu${known ? `, trung bình ${mean.toFixed(2).replace('.', ',')}, độ lệch chuẩn ${spread.toFixed(2).replace('.', ',')}` : ''}.`);
  }
  const rooms = new Map();
  for (const { name, object } of bundle.found.values()) if (name === 'attempt.arrival') rooms.set(object.room, (rooms.get(object.room) || 0) + 1);
  for (const [room, count] of [...rooms].sort((a, b) => order(a[0], b[0]))) findings.note('V19', `Room ${room}: ${count} candidates.`, `Phòng ${room}: ${count} thí sinh.`);
}

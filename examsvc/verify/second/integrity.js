// V2, V3, V18, V20: signatures, roots, receipts, the release.

const opening = log => log.entries[0] && !log.entries[0].problem && log.entries[0].type === 'log.opened' ? log.entries[0].body : null;

/** The key a log should be signed with now. */
function currentKey(log) {
  const first = opening(log);
  if (!first) return null;
  return log.good.filter(entry => entry.type === 'key.rotated' && entry.body.origin === first.origin)
    .reduce((key, entry) => entry.body.new, first.key);
}

function signature(bundle, policy) {
  const { findings, manifest } = bundle;
  if (!policy) {
    findings.notDone('V2', 'No policy was given: nobody vouches for whose record this is.', 'Chưa đưa tệp chính sách: không ai bảo đảm sổ này là của ai.');
    return;
  }
  const main = opening(bundle.log);
  for (const [log, title, titleVi, origin] of [
    [bundle.log, 'The record', 'Sổ ghi', manifest.origin],
    [bundle.registry, 'The registry', 'Sổ đăng ký', main && main.registry],
  ]) {
    if (!log || (log === bundle.registry && !bundle.files.has('registry/checkpoint'))) continue;  // said by V1
    if (!log.checkpoint) {
      findings.fail('V2', `${title} has no readable checkpoint.`, `${titleVi} không có điểm chốt đọc được.`);
      continue;
    }
    let key = null;
    try {
      key = satisfies(policy, log.checkpoint);
    } catch (error) {
      findings.fail('V2', `${title}: ${error.message}.`, `${titleVi}: điểm chốt không đạt chính sách (${error.message}).`);
    }
    const first = opening(log);
    if (!first || first.origin !== log.checkpoint.origin || (origin && origin !== log.checkpoint.origin)) {
      findings.fail('V2', `${title} has another origin than the checkpoint.`, `${titleVi} có nguồn gốc khác điểm chốt.`);
    }
    if (key && currentKey(log) !== key.text) {
      findings.fail('V2', `${title} was signed with a key that is not its own.`, `${titleVi} được ký bằng khóa không phải của nó.`);
    }
  }
}

function rootOf(bundle) {
  const { findings, manifest } = bundle;
  for (const [log, title, titleVi] of [[bundle.log, 'log', 'sổ ghi'], [bundle.registry, 'registry', 'sổ đăng ký']]) {
    if (!log || (log === bundle.registry && !bundle.files.has('registry/checkpoint'))) continue;
    const { checkpoint, entries } = log;
    if (!checkpoint || checkpoint.size !== entries.length || !same(checkpoint.root, merkleRoot(entries.map(entry => entry.leaf)))) {
      findings.fail('V3', `The entries of the ${title} are not those of the checkpoint.`, `Các mục của ${titleVi} không phải các mục của điểm chốt.`);
    }
    const code = log === bundle.log ? manifest.competition : (log.good[0] || {}).x;
    for (const entry of log.good) {
      if (entry.n !== entry.index || entry.x !== code) {
        findings.fail('V3', `Entry ${entry.index} of the ${title} says another index or competition.`, `Mục ${entry.index} của ${titleVi} ghi số thứ tự hoặc kỳ thi khác.`);
      }
    }
  }
}

function receipts(bundle, policy, files, slips) {
  const { findings, log } = bundle;
  if (!files.length && !slips.length) {
    findings.notDone('V18', 'No receipt was given.', 'Chưa đưa biên nhận nào.');
    return;
  }
  files.forEach((bytes, n) => {
    const bad = (en, vi) => findings.fail('V18', `Receipt ${n + 1}: ${en}`, `Biên nhận ${n + 1}: ${vi}`);
    let receipt, checkpoint;
    try {
      receipt = readReceipt(bytes);
      checkpoint = readCheckpoint(receipt.checkpoint);
    } catch {
      return bad('it is not a receipt.', 'không phải biên nhận.');
    }
    if (policy) {
      try {
        satisfies(policy, checkpoint);
      } catch {
        return bad('its checkpoint does not satisfy the policy.', 'điểm chốt của nó không đạt chính sách.');
      }
    }
    if (!included(leafHash(receipt.entry), receipt.index, checkpoint.size, receipt.proof, checkpoint.root)) {
      return bad('it does not prove its entry.', 'nó không chứng minh được mục của mình.');
    }
    const entry = log.entries[receipt.index];
    if (checkpoint.origin !== bundle.manifest.origin || !entry || !same(entry.bytes, receipt.entry) || receipt.type !== 'attempt.submitted') {
      bad('this record holds another entry at its place. Keep the receipt: together with the bundle it proves that the record was rewritten.',
        'tại vị trí đó sổ ghi một mục khác. Hãy giữ biên nhận: cùng với gói này nó chứng minh sổ đã bị viết lại.');
    }
  });
  const known = new Set(bundle.all('attempt.submitted').map(entry => slipOf(entry.leaf)));
  for (const text of slips) {
    if (!known.has(readSlip(text))) findings.fail('V18', `The slip ${text} belongs to no attempt in this record.`, `Mã ${text} không thuộc bài làm nào trong sổ này.`);
  }
}

function release(bundle) {
  const { findings, registry } = bundle;
  if (!registry) {
    findings.notDone('V20', 'The bundle holds no registry.', 'Gói không kèm sổ đăng ký.');
    return;
  }
  const installed = registry.good.filter(entry => entry.type === 'release.installed');
  for (const run of bundle.all('results.computed')) {
    if (!installed.some(entry => entry.body.version === run.body.release && entry.t <= run.t)) {
      findings.fail('V20', `The software ${run.body.release} was not installed then.`, `Phần mềm ${run.body.release} khi đó chưa được cài đặt.`);
    }
  }
}

// All checks of a bundle. The policy comes from outside; receipts and slips of candidates, if any.

const CHECKS = Array.from({ length: 20 }, (_, n) => 'V' + (n + 1));

/** What each check had before it. */
function counts({ findings, files, log, openings, found, saves, all, sat, restricted }, policy, given, slips) {
  const note = (check, number, en, vi) => { if (number) findings.note(check, `${en}: ${number}.`, `${vi}: ${number}.`); };
  note('V1', files.size, 'Files', 'Số tệp');
  note('V2', policy && log.checkpoint ? log.checkpoint.signatures.length : 0, 'Signatures on the record', 'Số chữ ký trên sổ ghi');
  note('V3', log.entries.length, 'Entries', 'Số mục');
  note('V6', openings.length, 'Openings', 'Số phần mở');
  note('V6', openings.length - found.size, 'Openings that open nothing', 'Số phần mở không khớp');
  note('V7', all('draw.drawn').length, 'Draws repeated', 'Số lần bốc thăm được làm lại');
  note('V8', sat.submitted.size, 'Sets of answers', 'Số bài nộp');
  note('V8', restricted ? saves.length : 0, 'Saves', 'Số lần lưu');
  note('V10', all('mark.recorded', 'remark.recorded', 'hearing.marked').length, 'Sheets', 'Số phiếu chấm');
  note('V11', all('marks.locked').length, 'Locks of marks', 'Số lần khóa điểm');
  note('V12', all('role.granted', 'role.delegated').length, 'Roles given', 'Số lần giao vai trò');
  note('V18', given.length + slips.length, 'Receipts and slips', 'Số biên nhận và mã');
}

/**
 * {status, digest, competition, kind, edition, posts, findings: [{check, verdict, reasons, notes}]}; reasons and notes are {en, vi}.
 * status: 0 verified, 1 not, 2 unreadable, 3 consistent without a policy. verdict: passed, failed, not done.
 */
function verify(data, policyBytes = null, files = [], slips = []) {
  const findings = new Findings();
  let bundle, policy = null;
  try {
    bundle = readBundle(data, findings);
  } catch (error) {
    if (error instanceof Unreadable) return { status: 2, reason: error.message, findings: [] };
    throw error;
  }
  if (policyBytes) policy = readPolicy(policyBytes);
  form(bundle);
  signature(bundle, policy);
  rootOf(bundle);
  courses(bundle);
  openingsCheck(bundle);
  draws(bundle);
  submits(bundle);
  nobodyVanished(bundle);
  marking(bundle);
  roles(bundle);
  scores(bundle);
  ranking(bundle);
  published(bundle);
  stamps(bundle);
  mapOpens(bundle);
  receipts(bundle, policy, files, slips);
  statistics(bundle);
  release(bundle);
  counts(bundle, policy, files, slips);
  const made = CHECKS.map(check => {
    const reasons = findings.reasons.get(check) || [], open = findings.open.get(check);
    const verdict = reasons.length ? 'failed' : open ? 'not done' : 'passed';
    return { check, verdict, reasons: reasons.length || !open ? reasons : [open], notes: findings.notes.get(check) || [] };
  });
  const status = made.some(one => one.verdict === 'failed') ? 1 : policy ? 0 : 3;
  const { competition, kind, edition, posts } = bundle.manifest;
  return { status, digest: toHex(sha256(data)), competition, kind, edition, posts, findings: made };
}

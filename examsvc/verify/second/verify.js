// All checks of a bundle. The policy comes from outside; receipts and slips of candidates, if any.

const CHECKS = Array.from({ length: 20 }, (_, n) => 'V' + (n + 1));

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
  const made = CHECKS.map(check => {
    const reasons = findings.reasons.get(check) || [], open = findings.open.get(check);
    const verdict = reasons.length ? 'failed' : open ? 'not done' : 'passed';
    return { check, verdict, reasons: reasons.length || !open ? reasons : [open], notes: findings.notes.get(check) || [] };
  });
  const status = made.some(one => one.verdict === 'failed') ? 1 : policy ? 0 : 3;
  const { competition, kind, edition, posts } = bundle.manifest;
  return { status, digest: toHex(sha256(data)), competition, kind, edition, posts, findings: made };
}

// The page: choose files, verify, read.

const MOST_REASONS = 20;
const CLASS = { passed: 'passed', failed: 'failed', 'not done': 'open' };
const SIGN = { passed: '✓', failed: '✗', 'not done': '–' };
const byId = id => document.getElementById(id);
let language = /[?&#]en\b/.test(location.search + location.hash) ? 'en' : 'vi';
let shown = null;

const word = (name, values = {}) => WORDS[language][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  document.title = word('title');
  document.querySelectorAll('[data-word]').forEach(one => { one.textContent = word(one.dataset.word); });
  document.querySelectorAll('[data-label]').forEach(one => one.setAttribute('aria-label', word(one.dataset.label)));
  document.querySelectorAll('[data-language]').forEach(one => one.setAttribute('aria-pressed', String(one.dataset.language === chosen)));
  complain(null);
  if (shown) show(shown);
}

function complain(name) {
  byId('error').hidden = name === null;
  byId('error').textContent = name === null ? '' : word(name);
}

function facts(report) {
  const rows = report.status === 2 ? [] : [
    ['competition', report.competition],
    ['edition', word('kind_' + report.kind, { number: report.edition })],
    ['posts', report.posts.join(', ')],
    ['digest', report.digest],
  ];
  byId('facts').replaceChildren(...rows.flatMap(([name, value]) => [element('dt', word(name)), element('dd', value)]));
}

function sentences(list, className) {
  const made = element('ul', undefined, className);
  for (const one of list.slice(0, MOST_REASONS)) made.append(element('li', one[language]));
  if (list.length > MOST_REASONS) made.append(element('li', word('more', { count: list.length - MOST_REASONS })));
  return made;
}

function show(report) {
  shown = report;
  const failed = report.findings.filter(one => one.verdict === 'failed').map(one => one.check).join(', ');
  const open = report.findings.filter(one => one.verdict === 'not done').map(one => one.check).join(', ');
  const partly = report.findings.some(one => one.verdict === 'not done' && ['V13', 'V14'].includes(one.check));
  const part = report.status === 0 && report.kind === 'restricted' && partly ? 'part' : report.status;
  byId('conclusion').textContent = word('status_' + part);
  byId('meaning').textContent = word('meaning_' + part, { checks: failed, reason: report.reason, open });
  byId('report').dataset.status = { 0: 'good', part: 'open', 3: 'open' }[part] || 'bad';
  facts(report);
  byId('findings').replaceChildren(...report.findings.map(one => {
    const item = element('li'), head = element('h4'), kind = CLASS[one.verdict];
    head.append(element('span', one.check), element('span', `${SIGN[one.verdict]} ${word(kind)}`, 'verdict ' + kind));
    item.append(head, element('p', word(one.check)));
    if (one.reasons.length) item.append(sentences(one.reasons, kind));
    if (one.notes.length) item.append(sentences(one.notes, 'quiet'));
    return item;
  }));
  byId('report').hidden = false;
}

const bytesOf = async file => new Uint8Array(await file.arrayBuffer());

async function run(event) {
  event.preventDefault();
  const [bundle] = byId('bundle').files, [policy] = byId('policy').files;
  complain(bundle ? null : 'need');
  if (!bundle) return byId('bundle').focus();
  byId('report').hidden = true;
  byId('progress').textContent = word('working');
  await new Promise(resolve => setTimeout(resolve, 50));
  try {
    const slips = byId('slips').value.split(/\s*\n\s*/).filter(text => text);
    const given = await Promise.all([...byId('receipts').files].map(bytesOf));
    const keys = policy ? await bytesOf(policy) : null;
    try {
      if (keys) readPolicy(keys);
    } catch {
      return complain('bad_policy');
    }
    show(verify(await bytesOf(bundle), keys, given, slips));
    byId('report').focus();
  } catch (error) {
    complain('broken');
    throw error;
  } finally {
    byId('progress').textContent = '';
  }
}

byId('form').addEventListener('submit', run);
byId('print').addEventListener('click', () => print());
document.querySelectorAll('[data-language]').forEach(one => one.addEventListener('click', () => speak(one.dataset.language)));
speak(language);
globalThis.examsvc = { verify, earnings, sha256, sha512, verifyEd25519 };

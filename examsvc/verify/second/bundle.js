// A bundle's files as values; what is wrong with their form is V1's.

const ALLOWED = /^(log\/(entries\.jsonl|checkpoint)|registry\/(entries\.jsonl|checkpoint)|openings\.jsonl|saves\.jsonl|heads\.jsonl|documents\/[0-9a-f]{64}|outside\/[A-Za-z0-9._-]+)$/;
const STAGE_KIND = { objective: 'objective', essay: 'written', plan: 'plan', defence: 'defence', interview: 'defence', simulation: 'defence' };

/** Findings: for each check its reasons, or why it could not be made. */
class Findings {
  constructor() {
    this.reasons = new Map();
    this.notes = new Map();
    this.open = new Map();
  }
  fail(check, en, vi) {
    if (!this.reasons.has(check)) this.reasons.set(check, []);
    this.reasons.get(check).push({ en, vi });
  }
  note(check, en, vi) {
    if (!this.notes.has(check)) this.notes.set(check, []);
    this.notes.get(check).push({ en, vi });
  }
  /** Not made: `check` cannot be passed, though it may still fail. */
  notDone(check, en, vi) {
    this.open.set(check, { en, vi });
  }
}

const PUBLIC = 'public', RESTRICTED = 'restricted';

function readManifest(bytes) {
  let value;
  try {
    value = decode(bytes);
  } catch {
    throw new Unreadable('the manifest is not canonical');
  }
  const names = isObject(value) ? Object.keys(value).sort().join() : '';
  const ok = names === 'competition,edition,files,format,kind,origin,posts,size' && value.format === 'examsvc.bundle.v1'
    && SIMPLE.code(value.competition) && SIMPLE.origin(value.origin) && [PUBLIC, RESTRICTED].includes(value.kind)
    && kindOf('set of code').check(value.posts, IN_ENTRY) && value.posts.length && SIMPLE.count(value.edition) && SIMPLE.integer(value.size)
    && isObject(value.files);
  if (!ok) throw new Unreadable('the manifest is not that of a bundle');
  return value;
}

function linesOf(bytes, name, findings) {
  if (bytes === undefined || !bytes.length) return [];
  if (bytes[bytes.length - 1] !== 10) {
    findings.fail('V1', `${name} does not end with a newline.`, `${name} không kết thúc bằng dấu xuống dòng.`);
    return [];
  }
  const lines = [];
  for (let start = 0, end; start < bytes.length; start = end + 1) {
    end = bytes.indexOf(10, start);
    lines.push(bytes.subarray(start, end));
  }
  return lines;
}

/** Values of a .jsonl file with these fields, in this order; where one line is of another form, V1 fails and none of them counts. */
function rowsOf(bytes, name, fields, before, findings) {
  const rows = [], bad = [];
  linesOf(bytes, name, findings).forEach((line, n) => {
    let value;
    try {
      value = decode(line);
    } catch {
      value = null;
    }
    if (follows(fields, value, IN_OBJECT) && (!rows.length || before(rows[rows.length - 1], value))) rows.push(value);
    else bad.push(n + 1);
  });
  if (!bad.length) return rows;
  findings.fail('V1', `Line ${bad[0]} of ${name} is not canonical, has other fields or is out of order.`, `Dòng ${bad[0]} của ${name} không ở dạng chuẩn, có trường khác hoặc sai thứ tự.`);
  return [];
}

function readLog(files, folder, findings) {
  const name = folder + '/entries.jsonl';
  const entries = linesOf(files.get(name), name, findings).map(readEntry);
  entries.forEach(entry => {
    if (!entry.canonical) findings.fail('V1', `Entry ${entry.index} of ${name} is not canonical.`, `Mục ${entry.index} của ${name} không ở dạng chuẩn.`);
  });
  let checkpoint = null;
  try {
    checkpoint = readCheckpoint(files.get(folder + '/checkpoint') || new Uint8Array());
  } catch { /* said by V2 and V3 */ }
  return { entries, checkpoint, good: entries.filter(entry => !entry.problem).sort((a, b) => a.n - b.n) };
}

function ascending(rows, key) {
  return rows.every((row, n) => !n || key(rows[n - 1], row) < 0);
}

const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;

function readBundle(data, findings) {
  const files = unpack(data), manifest = readManifest(files.get('manifest.json'));
  const bundle = { files, manifest, restricted: manifest.kind === RESTRICTED, findings };
  bundle.log = readLog(files, 'log', findings);
  bundle.registry = files.has('registry/entries.jsonl') || files.has('registry/checkpoint') ? readLog(files, 'registry', findings) : null;
  bundle.openings = rowsOf(files.get('openings.jsonl'), 'openings.jsonl', [
    ['n', 'integer', false], ['c', 'digest', false], ['name', 'text', false], ['salt', '32 bytes', false], ['object', 'value', false],
  ], (a, b) => (a.n - b.n || order(a.c, b.c)) < 0, findings);
  bundle.saves = rowsOf(files.get('saves.jsonl'), 'saves.jsonl', [
    ['attempt', 'code', false], ['i', 'count', false], ['c', 'digest', false], ['salt', '32 bytes', true], ['object', 'value', true],
  ], (a, b) => (order(a.attempt, b.attempt) || a.i - b.i) < 0, findings);
  bundle.heads = rowsOf(files.get('heads.jsonl'), 'heads.jsonl', [['n', 'integer', false], ['links', 'list of value', false]], () => true, findings);
  bundle.found = new Map();  // commitment → {name, object, entry}, filled by V6
  const pinned = bundle.log.good.find(entry => entry.type === 'regulation.pinned');
  const text = pinned && files.get('documents/' + pinned.body.digest);
  bundle.regulation = null;
  if (text && toHex(sha256(text)) === pinned.body.digest) {
    try {
      const tree = JSON.parse(fromUtf8(text));
      if (Array.isArray(tree.stages) && tree.stages.every(stage => Array.isArray(stage.parts))) bundle.regulation = tree;
    } catch { /* V6 says so */ }
  }
  bundle.kinds = new Map();
  for (const stage of bundle.regulation ? bundle.regulation.stages : []) {
    bundle.kinds.set(stage.id, new Set(stage.parts.map(part => STAGE_KIND[part.kind])));
  }
  bundle.posts = new Set(bundle.log.good.filter(entry => entry.type === 'notice.published').flatMap(entry => entry.posts));
  bundle.at = new Map(bundle.log.good.map(entry => [entry.n, entry]));  // by the number that an entry says
  const kept = new Map();  // asked for again and again
  bundle.all = (...types) => {
    const key = types.join();
    if (!kept.has(key)) kept.set(key, Object.freeze(bundle.log.good.filter(entry => types.includes(entry.type))));
    return kept.get(key);
  };
  bundle.open = commitment => (bundle.found.get(commitment) || { object: null }).object;
  return bundle;
}

/** V1. */
function form({ files, manifest, log, saves, heads, restricted, findings }) {
  const listed = manifest.files;
  if (manifest.size !== log.entries.length) findings.fail('V1', 'The manifest counts other entries.', 'Bản kê đếm số mục khác.');
  for (const [name, bytes] of files) {
    if (name === 'manifest.json') continue;
    if (!Object.hasOwn(listed, name)) findings.fail('V1', `${name} is not in the manifest.`, `${name} không có trong bản kê.`);
    else if (!isObject(listed[name]) || Object.keys(listed[name]).length !== 2 || listed[name].size !== bytes.length || listed[name].sha256 !== toHex(sha256(bytes))) {
      findings.fail('V1', `${name} has another size or digest than the manifest says.`, `${name} có độ dài hoặc mã băm khác bản kê.`);
    }
    if (!ALLOWED.test(name)) findings.fail('V1', `${name} has no place in a bundle.`, `${name} không thuộc về gói.`);
    if (name.startsWith('documents/') && name !== 'documents/' + toHex(sha256(bytes))) {
      findings.fail('V1', `${name} is not named after its digest.`, `${name} không mang tên theo mã băm của nó.`);
    }
    if (name.startsWith('outside/')) {
      try {
        fromUtf8(bytes);
      } catch {
        findings.fail('V1', `${name} is not UTF-8.`, `${name} không phải UTF-8.`);
      }
    }
  }
  for (const name of Object.keys(listed)) {
    if (!files.has(name)) findings.fail('V1', `${name} is listed and missing.`, `Thiếu ${name} có trong bản kê.`);
  }
  const required = ['log/entries.jsonl', 'log/checkpoint', 'openings.jsonl', ...(restricted ? ['saves.jsonl', 'heads.jsonl'] : [])];
  for (const name of required) {
    if (!files.has(name)) findings.fail('V1', `${name} is required.`, `Phải có ${name}.`);
  }
  if (files.has('registry/entries.jsonl') !== files.has('registry/checkpoint')) {
    findings.fail('V1', 'Of the registry one file is missing.', 'Thiếu một trong hai tệp của sổ đăng ký.');
  }
  if (!restricted && (files.has('saves.jsonl') || files.has('heads.jsonl'))) {
    findings.fail('V1', 'A public edition holds saves.', 'Bản công khai có chứa các lần lưu.');
  }
  if (!ascending(heads, (a, b) => a.n - b.n)) findings.fail('V1', 'heads.jsonl is out of order.', 'heads.jsonl sai thứ tự.');
  saves.forEach((save, n) => {
    const before = saves[n - 1];
    const next = before && before.attempt === save.attempt ? before.i + 1 : 1;
    if (save.i !== next || (before && before.attempt > save.attempt)) {
      findings.fail('V1', `saves.jsonl is out of order at line ${n + 1}.`, `saves.jsonl sai thứ tự ở dòng ${n + 1}.`);
    }
    if (Object.hasOwn(save, 'salt') !== Object.hasOwn(save, 'object')) {
      findings.fail('V1', `Line ${n + 1} of saves.jsonl has salt or object alone.`, `Dòng ${n + 1} của saves.jsonl chỉ có muối hoặc chỉ có nội dung.`);
    }
  });
}

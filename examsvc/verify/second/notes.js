// Signed notes, checkpoints, Merkle trees, policies and receipts: docs/formats/log.md and receipt.md.

const NAME_OF_KEY = /^[\x21-\x2a\x2c-\x7e]{1,200}$/;
const LOG = 1, WITNESS = 4;

/** A verifier key `name+hexadecimal key ID+base64(type + public key)`; throws unless its ID is its own. */
function readKey(text) {
  const match = /^([\x21-\x2a\x2c-\x7e]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text);
  const bytes = match && fromBase64(match[3]);
  if (!bytes) throw new Error('not a verifier key');
  const [, name, id] = match;
  const digest = sha256(join(utf8(name + '\n'), bytes));
  if (toHex(digest.subarray(0, 4)) !== id) throw new Error('the ID of a key is not its own');
  return { name, id, type: bytes[0], bytes: bytes.subarray(1), text };
}

/** {text, signatures: [{name, id, data}]} of a signed note, read strictly. */
function readNote(bytes) {
  if (bytes.length > 65536) throw new Error('longer than 64 KiB');
  const whole = fromUtf8(bytes);
  if (/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(whole)) throw new Error('control characters');
  const cut = whole.lastIndexOf('\n\n');
  if (cut < 0 || !whole.endsWith('\n')) throw new Error('no signatures');
  const lines = whole.slice(cut + 2, -1).split('\n');
  if (lines.length > 64) throw new Error('too many signatures');
  const signatures = lines.map(line => {
    const match = /^— ([^ ]+) ([^ ]+)$/.exec(line), data = match && fromBase64(match[2]);
    if (!data || !NAME_OF_KEY.test(match[1]) || data.length < 5) throw new Error('a signature is malformed');
    return { name: match[1], id: toHex(data.subarray(0, 4)), data: data.subarray(4) };
  });
  return { text: whole.slice(0, cut + 1), signatures };
}

/** {origin, size, root, text, signatures}. */
function readCheckpoint(bytes) {
  const note = readNote(bytes), lines = note.text.split('\n');
  const root = lines.length === 4 && lines[3] === '' ? fromBase64(lines[2]) : null;
  if (!NAME_OF_KEY.test(lines[0]) || !/^(0|[1-9][0-9]{0,15})$/.test(lines[1]) || !root || root.length !== 32) {
    throw new Error('three lines are expected: origin, size, root');
  }
  const size = Number(lines[1]);
  if (!Number.isSafeInteger(size)) throw new Error('a size of 2^53 or more');
  return { origin: lines[0], size, root, ...note };
}

/** c2sp.org/tlog-policy: {logs: [key], witnesses: Map name → key, groups, quorum}; throws where it is malformed. */
function readPolicy(bytes) {
  const logs = [], witnesses = new Map(), groups = new Map();
  let quorum;
  for (const line of fromUtf8(bytes).split('\n')) {
    const words = line.split(/[ \t]+/).filter(word => word);
    if (!words.length || words[0].startsWith('#')) continue;
    const [kind, name, ...rest] = words, known = new Set([...witnesses.keys(), ...groups.keys()]);
    if (kind === 'log' && rest.length <= 1) {
      const key = readKey(name);
      if (key.type !== LOG) throw new Error('not the key of a log');
      logs.push(key);
    } else if (kind === 'witness' && rest.length && rest.length <= 2 && name !== 'none' && !known.has(name)) {
      const key = readKey(rest[0]);
      if (key.type !== WITNESS) throw new Error('not the key of a witness');
      witnesses.set(name, key);
    } else if (kind === 'group' && rest.length > 1 && name !== 'none' && !known.has(name)) {
      const [count, ...members] = rest;
      const needed = count === 'all' ? members.length : count === 'any' ? 1 : /^[1-9][0-9]*$/.test(count) ? Number(count) : NaN;
      if (!(needed <= members.length) || members.some(member => !known.has(member))) throw new Error('a group is malformed');
      groups.set(name, { needed, members });
    } else if (kind === 'quorum' && quorum === undefined && !rest.length && (name === 'none' || known.has(name))) quorum = name;
    else throw new Error('a line of the policy is not understood: ' + line.slice(0, 60));
  }
  if (quorum === undefined || !logs.length) throw new Error('the policy names no log or no quorum');
  return { logs, witnesses, groups, quorum };
}

/** The key that signed; throws unless the checkpoint satisfies the policy: known log, valid cosignatures, quorum, no stranger, nobody twice. */
function satisfies(policy, checkpoint) {
  const message = utf8(checkpoint.text), signers = new Set(), seen = new Set();
  let log = null;
  for (const { name, id, data } of checkpoint.signatures) {
    const who = name + '+' + id;
    if (seen.has(who)) throw new Error('signed twice by ' + name);
    seen.add(who);
    const key = policy.logs.find(one => one.name === name && one.id === id);
    if (key && name === checkpoint.origin) {
      if (!verifyEd25519(key.bytes, message, data)) throw new Error('the signature of the log is not genuine');
      if (log) throw new Error('two keys of the log signed');
      log = key;
      continue;
    }
    const witness = [...policy.witnesses].find(([, one]) => one.name === name && one.id === id);
    if (!witness) throw new Error('a signer whom the policy does not know: ' + name);
    if (data.length !== 72) throw new Error('a cosignature is malformed');
    const time = BigInt('0x' + toHex(data.subarray(0, 8)));
    const signed = join(utf8(`cosignature/v1\ntime ${time}\n`), message);
    if (!verifyEd25519(witness[1].bytes, signed, data.subarray(8))) throw new Error('the cosignature of ' + name + ' is not genuine');
    signers.add(witness[0]);
  }
  if (!log) throw new Error('not signed by a key that the policy gives for this log');
  const holds = name => name === 'none' || signers.has(name)
    || (policy.groups.has(name) && policy.groups.get(name).members.filter(holds).length >= policy.groups.get(name).needed);
  if (!holds(policy.quorum)) throw new Error('too few witnesses signed');
  return log;
}

const leafHash = bytes => sha256(join(Uint8Array.of(0), bytes));
const nodeHash = (left, right) => sha256(join(Uint8Array.of(1), left, right));

/** Root of these leaf hashes (RFC 6962 §2.1). */
function merkleRoot(leaves) {
  if (!leaves.length) return sha256(new Uint8Array());
  let level = leaves;
  while (level.length > 1) {
    const next = [];
    for (let n = 0; n < level.length; n += 2) next.push(n + 1 < level.length ? nodeHash(level[n], level[n + 1]) : level[n]);
    level = next;
  }
  return level[0];
}

/** RFC 9162 §2.1.3.2; the proof has exactly the length that index and size require. */
function included(leaf, index, size, proof, root) {
  if (index >= size) return false;
  let place = index, last = size - 1, hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (place % 2 || place === last) {
      hash = nodeHash(sibling, hash);
      while (place % 2 === 0 && place) {
        place /= 2;
        last = Math.floor(last / 2);
      }
    } else hash = nodeHash(hash, sibling);
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && same(hash, root);
}

/** {entry bytes, index, proof, checkpoint} of a receipt; throws where it is malformed. */
function readReceipt(bytes) {
  const text = fromUtf8(bytes), cut = text.indexOf('\n\n');
  const [first, extra, place, ...hashes] = text.slice(0, cut < 0 ? 0 : cut).split('\n');
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(place || '');
  const data = /^extra [^ ]+$/.test(extra || '') ? fromBase64(extra.slice(6)) : null;
  const proof = hashes.map(fromBase64);
  if (first !== 'c2sp.org/tlog-proof@v1' || !index || !data || proof.some(hash => !hash || hash.length !== 32)) {
    throw new Error('not a receipt');
  }
  const held = decode(data);
  if (Object.keys(held).sort().join() !== 'entry,salt,v' || held.v !== 1 || !/^[0-9a-f]{64}$/.test(held.salt)) throw new Error('not a receipt');
  if (!isObject(held.entry) || held.entry.n !== Number(index[1])) throw new Error('the entry stands at another index');
  return { entry: utf8(encode(held.entry)), type: held.entry.type, index: Number(index[1]), proof, checkpoint: utf8(text.slice(cut + 2)) };
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The 20 characters of a slip, from the leaf hash. */
function slipOf(leaf) {
  const number = BigInt('0x' + toHex(leaf)) >> 156n;
  return Array.from({ length: 20 }, (_, n) => BASE32[Number((number >> BigInt(95 - 5 * n)) & 31n)]).join('');
}

/** The 20 characters as somebody typed them, or null. */
function readSlip(text) {
  const plain = text.toUpperCase().replace(/[\s-]/g, '').replace(/0/g, 'O').replace(/1/g, 'I');
  return /^[A-Z2-7]{20}$/.test(plain) ? plain : null;
}

// V16: time stamps of outside authorities (RFC 3161). docs/formats/bundle.md, "Time stamps".

const SKEW = 60;
const SIGNED_DATA = '2a864886f70d010702', TST_INFO = '2a864886f70d0109100104', SHA_256 = '608648016503040201';

/** [[tag, contents], …] of the DER elements that follow each other in `bytes`: tags of one byte, definite lengths. */
function derParts(bytes) {
  const found = [];
  for (let place = 0; place < bytes.length;) {
    const tag = bytes[place], first = bytes[place + 1];
    if (first === undefined || (tag & 0x1f) === 0x1f || first === 0x80) throw new Error('an element has no readable tag and length');
    place += 2;
    let size = first;
    if (first > 0x80) {
      size = bytes.subarray(place, place + (first & 0x7f)).reduce((sum, byte) => 256 * sum + byte, 0);
      place += first & 0x7f;
    }
    if (place + size > bytes.length) throw new Error('an element claims more bytes than there are');
    found.push([tag, bytes.subarray(place, place + size)]);
    place += size;
  }
  return found;
}

/** The contents of the elements of `bytes`, which must begin with these tags. */
function derFields(bytes, tags, exactly = true) {
  const found = derParts(bytes);
  if (found.length < tags.length || (exactly && found.length > tags.length) || tags.some((tag, n) => found[n][0] !== tag)) throw new Error('an element is not the one expected');
  return found.map(([, contents]) => contents);
}

/** {imprint, time} of a TimeStampToken. The authority's signature is not verified. */
function readToken(bytes) {
  const sequence = data => derFields(data, [0x30])[0];
  const [type, content] = derFields(sequence(bytes), [0x06, 0xa0]);
  if (toHex(type) !== SIGNED_DATA) throw new Error('it is not signed data');
  const signed = derParts(sequence(content));
  if (signed.length < 3 || signed[2][0] !== 0x30) throw new Error('the signed data hold nothing');
  const [inner, wrapped] = derFields(signed[2][1], [0x06, 0xa0]);
  if (toHex(inner) !== TST_INFO) throw new Error('what was signed is no time stamp');
  const info = derFields(sequence(derFields(wrapped, [0x04])[0]), [0x02, 0x06, 0x30, 0x02, 0x18], false);
  const [algorithm, imprint] = derFields(info[2], [0x30, 0x04]), [kind] = derParts(algorithm);
  if (!kind || kind[0] !== 0x06 || toHex(kind[1]) !== SHA_256) throw new Error('the time stamp is not over a SHA-256');
  const told = /^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:\.[0-9]*)?Z$/.exec(String.fromCharCode(...info[4]));
  const [year, month, ...rest] = told ? told.slice(1).map(Number) : [], time = told ? Date.UTC(year, month - 1, ...rest) / 1000 : NaN;
  if (!told || new Date(1000 * time).toISOString().replace(/[-:T]/g, '').slice(0, 14) !== told.slice(1, 7).join('')) throw new Error('it states no time');
  return { imprint: toHex(imprint), time };
}

function stamps(bundle) {
  const { findings, log, manifest, files } = bundle, stamped = bundle.all('time.stamped');
  if (!stamped.length) {
    findings.notDone('V16', 'The record holds no outside time stamps.', 'Sổ ghi không có dấu thời gian của bên ngoài.');
    return;
  }
  for (const { n, t, body } of stamped) {
    const fail = (en, vi) => findings.fail('V16', `Entry ${n}: ${en}`, `Mục ${n}: ${vi}`);
    if (body.size < 1 || body.size > n || body.size > log.entries.length) {
      fail(`a checkpoint of ${body.size} entries did not exist by then.`, `khi đó chưa có điểm chốt gồm ${body.size} mục.`);
      continue;
    }
    const root = merkleRoot(log.entries.slice(0, body.size).map(entry => entry.leaf));
    if (toHex(root) !== body.root) {
      fail(`the first ${body.size} entries have another root than was stamped.`, `${body.size} mục đầu có gốc khác với gốc được đóng dấu.`);
      continue;
    }
    const token = files.get('documents/' + body.token);
    if (!token || toHex(sha256(token)) !== body.token) {
      findings.note('V16', `The token of entry ${n} is not in the bundle.`, `Gói không chứa dấu thời gian của mục ${n}.`);
      continue;
    }
    let stamp;
    try {
      stamp = readToken(token);
    } catch (error) {
      fail(`its token cannot be read: ${error.message}.`, `không đọc được dấu thời gian: ${error.message}.`);
      continue;
    }
    const text = `${manifest.origin}\n${body.size}\n${btoa(String.fromCharCode(...root))}\n`, last = log.entries[body.size - 1];
    if (stamp.imprint !== toHex(sha256(utf8(text)))) fail('its token is for another text than that checkpoint.', 'dấu thời gian dành cho văn bản khác với điểm chốt đó.');
    if (!last.problem && !(last.t - SKEW <= stamp.time && stamp.time <= t + SKEW)) {
      fail(`it was stamped at ${stamp.time}, not between entry ${body.size - 1} and this one.`, `được đóng dấu lúc ${stamp.time}, không nằm giữa mục ${body.size - 1} và mục này.`);
    }
    const when = `${new Date(1000 * stamp.time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    findings.note('V16', `${body.size} entries were stamped by ${body.authority} at ${when}.`, `${body.size} mục được ${body.authority} đóng dấu lúc ${when}.`);
  }
}

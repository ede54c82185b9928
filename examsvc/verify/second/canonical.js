// JCS (RFC 8785) over restricted JSON: docs/formats/entries.md, "Bytes".

const MAX_DEPTH = 32;

/** Canonical text of a value; throws where the restricted JSON has no such value. */
function encode(value, depth = 0) {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new Error('a number is no integer below 2^53');
    return String(value);
  }
  if (typeof value === 'string') {
    if (value.normalize('NFC') !== value || /[\ud800-\udfff]/u.test(value)) throw new Error('a text is not in NFC');
    return JSON.stringify(value);
  }
  if (depth >= MAX_DEPTH) throw new Error('nested too deep');
  if (Array.isArray(value)) return '[' + value.map(member => encode(member, depth + 1)).join(',') + ']';
  const names = Object.keys(value).sort();
  return '{' + names.map(name => {
    if (!/^[\x20-\x7e]+$/.test(name)) throw new Error('the name of a field is not printable ASCII');
    return JSON.stringify(name) + ':' + encode(value[name], depth + 1);
  }).join(',') + '}';
}

/** The value in these bytes; throws unless they are the canonical spelling of one. */
function decode(bytes) {
  const text = fromUtf8(bytes);
  const value = JSON.parse(text);
  if (encode(value) !== text) throw new Error('not in canonical form');
  return value;
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function equal(a, b) {
  return encode(a) === encode(b);
}

/** SHA-256("examsvc.v1/" + name + 0x00 + salt + JCS(object)) in hexadecimal. */
function commit(name, salt, object) {
  return toHex(sha256(join(utf8('examsvc.v1/' + name + '\0'), fromHex(salt), utf8(encode(object)))));
}

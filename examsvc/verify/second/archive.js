// The archive: docs/formats/bundle.md, "Form". Read, written again, and held to be the same bytes.

class Unreadable extends Error {}

const NAME = /^[a-z0-9]+([._-][a-z0-9]+)*(\/[A-Za-z0-9]+([._-][A-Za-z0-9]+)*)*$/;

function fixed(size, fields) {
  const view = new DataView(new ArrayBuffer(size));
  for (const [place, width, value] of fields) {
    if (width === 2) view.setUint16(place, value, true); else view.setUint32(place, value, true);
  }
  return new Uint8Array(view.buffer);
}

/** The one archive that holds these [name, bytes] in this order. */
function pack(members) {
  const parts = [], directory = [];
  let offset = 0, length = 0;
  for (const [name, bytes] of members) {
    const label = utf8(name), crc = crc32(bytes), size = bytes.length;
    const local = fixed(30, [
      [0, 4, 0x04034b50], [4, 2, 20], [12, 2, 0x21], [14, 4, crc], [18, 4, size], [22, 4, size], [26, 2, label.length],
    ]);
    const central = fixed(46, [
      [0, 4, 0x02014b50], [4, 2, 0x314], [6, 2, 20], [14, 2, 0x21], [16, 4, crc], [20, 4, size], [24, 4, size],
      [28, 2, label.length], [38, 4, 0o100644 * 65536], [42, 4, offset],
    ]);
    parts.push(local, label, bytes);
    directory.push(central, label);
    offset += 30 + label.length + size;
    length += 46 + label.length;
  }
  const end = fixed(22, [[0, 4, 0x06054b50], [8, 2, members.length], [10, 2, members.length], [12, 4, length], [16, 4, offset]]);
  return join(...parts, ...directory, end);
}

/** Map of name → bytes, the manifest first; throws Unreadable for anything that `pack` would not have written. */
function unpack(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const members = [];
  let place = 0;
  while (place + 30 <= data.length && view.getUint32(place, true) === 0x04034b50) {
    const size = view.getUint32(place + 22, true), start = place + 30 + view.getUint16(place + 26, true);
    if (start + size > data.length) throw new Unreadable('cut off');
    let name;
    try {
      name = fromUtf8(data.subarray(place + 30, start));
    } catch {
      throw new Unreadable('a name is not text');
    }
    if (!NAME.test(name)) throw new Unreadable('a name that no bundle has');
    members.push([name, data.subarray(start, start + size)]);
    place = start + size;
  }
  const names = members.map(([name]) => name);
  if (names[0] !== 'manifest.json') throw new Unreadable('no manifest.json at the beginning');
  const rest = names.slice(1);
  if (rest.some((name, n) => name === 'manifest.json' || (n && rest[n - 1] >= name))) throw new Unreadable('members out of order');
  if (!same(pack(members), data)) throw new Unreadable('not the bytes that writing these files gives');
  return new Map(members);
}

// Bytes: hexadecimal, base64, UTF-8, SHA-256, SHA-512, CRC-32. All synchronous, so that it also works where a browser offers no WebCrypto.

const utf8 = text => new TextEncoder().encode(text);

function fromUtf8(bytes) {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

const HEX = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

function toHex(bytes) {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

function fromHex(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let n = 0; n < bytes.length; n++) bytes[n] = parseInt(text.substr(2 * n, 2), 16);
  return bytes;
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function same(a, b) {
  if (a.length !== b.length) return false;
  for (let n = 0; n < a.length; n++) if (a[n] !== b[n]) return false;
  return true;
}

/** Base64 in its canonical spelling only; null for any other. */
function fromBase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
  const binary = atob(text);
  if (btoa(binary) !== text) return null;
  return Uint8Array.from(binary, character => character.charCodeAt(0));
}

const K256 = new Uint32Array(64);
const H256 = new Uint32Array(8);
const K512 = [];
const H512 = [];
(function constants() {
  // The first bits of the fractional parts of square and cube roots of the first primes (FIPS 180-4 §4.2, §5.3).
  const MASK = (1n << 64n) - 1n;
  const root = (value, power) => {
    let low = 0n, high = value;
    while (low < high) {
      const middle = (low + high + 1n) >> 1n;
      if (middle ** power <= value) low = middle; else high = middle - 1n;
    }
    return low;
  };
  const primes = [];
  for (let n = 2; primes.length < 80; n++) if (primes.every(prime => n % prime)) primes.push(n);
  primes.forEach((prime, n) => {
    const cube = root(BigInt(prime) << 192n, 3n) & MASK;
    K512.push(cube);
    if (n < 64) K256[n] = Number(cube >> 32n);
    if (n < 8) {
      const square = root(BigInt(prime) << 128n, 2n) & MASK;
      H512.push(square);
      H256[n] = Number(square >> 32n);
    }
  });
})();

const W256 = new Uint32Array(64);

function padded(bytes, block, lengthBytes) {
  const size = Math.ceil((bytes.length + 1 + lengthBytes) / block) * block;
  const whole = new Uint8Array(size);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  let bits = bytes.length * 8;
  for (let place = size - 1; bits > 0; place--) {
    whole[place] = bits % 256;
    bits = Math.floor(bits / 256);
  }
  return whole;
}

/** SHA-256 (FIPS 180-4 §6.2). */
function sha256(bytes) {
  const data = padded(bytes, 64, 8);
  const state = H256.slice();
  for (let start = 0; start < data.length; start += 64) {
    for (let t = 0; t < 16; t++) {
      const p = start + 4 * t;
      W256[t] = (data[p] << 24) | (data[p + 1] << 16) | (data[p + 2] << 8) | data[p + 3];
    }
    for (let t = 16; t < 64; t++) {
      const x = W256[t - 15], y = W256[t - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W256[t] = (W256[t - 16] + s0 + W256[t - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K256[t] + W256[t]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }
  const digest = new Uint8Array(32);
  state.forEach((word, n) => digest.set([word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255], 4 * n));
  return digest;
}

/** SHA-512 (FIPS 180-4 §6.4); only signatures need it. */
function sha512(bytes) {
  const MASK = (1n << 64n) - 1n;
  const turn = (x, n) => ((x >> n) | (x << (64n - n))) & MASK;
  const data = padded(bytes, 128, 16);
  let state = H512.slice();
  for (let start = 0; start < data.length; start += 128) {
    const w = [];
    for (let t = 0; t < 16; t++) w.push(BigInt('0x' + toHex(data.subarray(start + 8 * t, start + 8 * t + 8))));
    for (let t = 16; t < 80; t++) {
      const s0 = turn(w[t - 15], 1n) ^ turn(w[t - 15], 8n) ^ (w[t - 15] >> 7n);
      const s1 = turn(w[t - 2], 19n) ^ turn(w[t - 2], 61n) ^ (w[t - 2] >> 6n);
      w.push((w[t - 16] + s0 + w[t - 7] + s1) & MASK);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 80; t++) {
      const s1 = turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n);
      const t1 = (h + s1 + ((e & f) ^ (~e & MASK & g)) + K512[t] + w[t]) & MASK;
      const s0 = turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) & MASK;
      h = g; g = f; f = e; e = (d + t1) & MASK; d = c; c = b; b = a; a = (t1 + t2) & MASK;
    }
    state = [a, b, c, d, e, f, g, h].map((word, n) => (word + state[n]) & MASK);
  }
  return fromHex(state.map(word => word.toString(16).padStart(16, '0')).join(''));
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC[(crc ^ byte) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}

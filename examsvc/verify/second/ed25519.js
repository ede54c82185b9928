// Ed25519 verification (RFC 8032 §5.1.7), without the cofactor; encodings only in their canonical form.

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = value => {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
};

function power(base, exponent) {
  let result = 1n;
  for (base = mod(base); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = result * base % P;
    base = base * base % P;
  }
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const SQRT_M1 = power(2n, (P - 1n) / 4n);

/** Points as (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. */
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * t2 * D), d = mod(2n * z1 * z2);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function double([x, y, z]) {
  const a = mod(x * x), b = mod(y * y), c = mod(2n * z * z);
  const h = a + b, e = h - mod((x + y) * (x + y)), g = a - b, f = c + g;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function little(bytes) {
  return BigInt('0x' + toHex(Uint8Array.from(bytes).reverse()));
}

function decodePoint(bytes) {
  const number = little(bytes), sign = number >> 255n, y = number & (2n ** 255n - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
  let x = mod(u * v ** 3n % P * power(u * v ** 7n, (P - 5n) / 8n));
  const square = mod(v * x * x);
  if (square === mod(-u)) x = mod(x * SQRT_M1);
  else if (square !== u) return null;
  if (x === 0n && sign) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function encodePoint([x, y, z]) {
  const inverse = power(z, P - 2n);
  const number = mod(y * inverse) | ((mod(x * inverse) & 1n) << 255n);
  return fromHex(number.toString(16).padStart(64, '0')).reverse();
}

const BASE = (() => {
  const y = mod(4n * power(5n, P - 2n));
  return decodePoint(fromHex(y.toString(16).padStart(64, '0')).reverse());
})();

/** Whether `signature` (64 bytes) over `message` is by the public key (32 bytes). */
function verifyEd25519(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  const point = decodePoint(key), s = little(signature.subarray(32));
  if (point === null || s >= L) return false;
  const k = little(sha512(join(signature.subarray(0, 32), key, message))) % L;
  const minus = [mod(-point[0]), point[1], point[2], mod(-point[3])];
  const both = add(BASE, minus);
  let sum = [0n, 1n, 1n, 0n];
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = double(sum);
    const first = (s >> bit) & 1n, second = (k >> bit) & 1n;
    if (first && second) sum = add(sum, both);
    else if (first) sum = add(sum, BASE);
    else if (second) sum = add(sum, minus);
  }
  return same(encodePoint(sum), signature.subarray(0, 32));
}

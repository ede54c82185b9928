// Exact numbers: fractions of whole numbers, as the regulation and the marks write them.

class Exact {
  constructor(top, bottom = 1n) {
    const sign = bottom < 0n ? -1n : 1n;
    let a = top < 0n ? -top : top, b = bottom < 0n ? -bottom : bottom;
    while (b) [a, b] = [b, a % b];
    const divisor = (a || 1n) * sign;
    this.top = top / divisor;
    this.bottom = bottom / divisor;
  }
  static of(text) {
    const match = typeof text === 'string' && /^(-?[0-9]{1,12})(?:\.([0-9]{1,12})|\/([0-9]{1,12}))?$/.exec(text);
    if (!match || (match[3] && /^0+$/.test(match[3]))) throw new Error('not an exact number');
    if (match[3]) return new Exact(BigInt(match[1]), BigInt(match[3]));
    const places = match[2] || '';
    return new Exact(BigInt(match[1] + places), 10n ** BigInt(places.length));
  }
  plus(other) { return new Exact(this.top * other.bottom + other.top * this.bottom, this.bottom * other.bottom); }
  minus(other) { return this.plus(new Exact(-other.top, other.bottom)); }
  times(other) { return new Exact(this.top * other.top, this.bottom * other.bottom); }
  over(other) {
    if (other.top === 0n) throw new Error('a division by nothing');
    return new Exact(this.top * other.bottom, this.bottom * other.top);
  }
  compare(other) {
    const gap = this.top * other.bottom - other.top * this.bottom;
    return gap < 0n ? -1 : gap > 0n ? 1 : 0;
  }
  get size() { return this.top < 0n ? new Exact(-this.top, this.bottom) : this; }

  /** Rounded to so many places: half-up (away from zero), half-even, down (towards zero) or up. */
  rounded(places, mode) {
    const unit = 10n ** BigInt(places), scaled = this.size.top * unit, steps = scaled / this.bottom, rest = scaled % this.bottom;
    const twice = 2n * rest;
    const up = { 'half-up': twice >= this.bottom, 'half-even': twice > this.bottom || (twice === this.bottom && steps % 2n === 1n), down: false, up: rest > 0n }[mode];
    if (up === undefined) throw new Error('an unknown way of rounding');
    const whole = steps + (up ? 1n : 0n);
    return new Exact(this.top < 0n ? -whole : whole, unit);
  }

  /** As the log writes marks: at most six places, half away from zero, no superfluous zeros. */
  get text() {
    const near = this.rounded(6, 'half-up'), units = near.size.top * 1000000n / near.bottom;
    const digits = String(units).padStart(7, '0');
    return (near.top < 0n ? '-' : '') + `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
  }
}

const ZERO = new Exact(0n);
const SIXTH = new Exact(1n, 2000000n);
const sum = list => list.reduce((total, one) => total.plus(one), ZERO);

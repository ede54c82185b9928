// TOML 1.0, as far as native documents need it: texts, integers, booleans, lists and tables; floats and dates are read as nothing in particular.

/** Something that no item uses: a float, a date, a time. */
class Opaque {}

class Toml {
  constructor(text) {
    this.text = text.replace(/\r\n/g, '\n');
    this.at = 0;
    this.closed = new WeakSet();  // inline tables and lists of values: nothing is added later
    this.headed = new WeakSet();  // tables that a [head] has opened, or dotted keys
  }
  fail() { throw new Error(`not TOML, at character ${this.at}`); }
  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }
  need(pattern) { return this.take(pattern) || this.fail(); }
  starts(word) { return this.text.startsWith(word, this.at); }

  document() {
    const root = Object.create(null);
    let table = root;
    while (this.skip(), this.at < this.text.length) {
      if (this.take(/\[\[[ \t]*/y)) {
        const path = this.keys();
        this.need(/[ \t]*\]\]/y);
        table = this.member(root, path);
      } else if (this.take(/\[[ \t]*/y)) {
        const path = this.keys();
        this.need(/[ \t]*\]/y);
        table = this.head(root, path);
      } else this.pair(table);
      this.need(/[ \t]*(?:#[^\n\0-\x08\x0b-\x1f\x7f]*)?(?=\n|$)/y);
    }
    return root;
  }

  /** White space, line ends and comments. */
  skip() { this.need(/(?:[ \t\n]|#[^\n\0-\x08\x0b-\x1f\x7f]*(?=\n|$))*/y); }

  keys() {
    const path = [];
    do path.push(this.key()); while (this.take(/[ \t]*\.[ \t]*/y));
    return path;
  }

  key() {
    if (this.starts('"')) return this.basic();
    if (this.starts("'")) return this.literal();
    return this.need(/[A-Za-z0-9_-]+/y)[0];
  }

  /** The table inside `table` under this key; of a list of tables its last. */
  inner(table, key) {
    if (!(key in table)) table[key] = Object.create(null);
    let found = table[key];
    if (this.closed.has(found)) this.fail();
    if (Array.isArray(found)) found = found[found.length - 1];
    if (typeof found !== 'object' || found instanceof Opaque) this.fail();
    return found;
  }

  head(root, path) {
    const last = path[path.length - 1], table = path.slice(0, -1).reduce((one, key) => this.inner(one, key), root);
    if (Array.isArray(table[last])) this.fail();
    const found = this.inner(table, last);
    if (this.headed.has(found)) this.fail();
    this.headed.add(found);
    return found;
  }

  member(root, path) {
    const last = path[path.length - 1], table = path.slice(0, -1).reduce((one, key) => this.inner(one, key), root);
    if (!(last in table)) table[last] = [];
    if (!Array.isArray(table[last]) || this.closed.has(table[last])) this.fail();
    const made = Object.create(null);
    this.headed.add(made);
    table[last].push(made);
    return made;
  }

  pair(table) {
    const path = this.keys(), last = path[path.length - 1];
    this.need(/[ \t]*=[ \t]*/y);
    for (const key of path.slice(0, -1)) {
      const fresh = !(key in table);
      if (!fresh && (Array.isArray(table[key]) || (this.headed.has(table[key]) && !table[key].dotted))) this.fail();
      table = this.inner(table, key);
      if (fresh) {
        Object.defineProperty(table, 'dotted', { value: true });
        this.headed.add(table);
      }
    }
    const value = this.value();
    if (last in table && Object.hasOwn(table, last)) this.fail();
    table[last] = value;
  }

  value() {
    if (this.starts('"""')) return this.long('"""', true);
    if (this.starts("'''")) return this.long("'''", false);
    if (this.starts('"')) return this.basic();
    if (this.starts("'")) return this.literal();
    if (this.starts('[')) return this.list();
    if (this.starts('{')) return this.table();
    const word = this.need(/[0-9A-Za-z_+.:-]+(?: [0-9]{2}:[0-9A-Za-z.:+-]+)?/y)[0];
    if (word === 'true' || word === 'false') return word === 'true';
    if (/^[+-]?(?:0|[1-9](?:_?[0-9])*)$/.test(word)) return BigInt(word.replace(/[_+]/g, ''));
    if (/^0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*$|^0o[0-7](?:_?[0-7])*$|^0b[01](?:_?[01])*$/.test(word)) return BigInt(word.replace(/_/g, ''));
    if (/^[+-]?(?:inf|nan|(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?)$/.test(word)
      || /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9:.]+(?:[Zz]|[+-][0-9:]+)?)?|[0-9]{2}:[0-9]{2}:[0-9.]+)$/.test(word)) return new Opaque();
    return this.fail();
  }

  list() {
    const found = [];
    this.need(/\[/y);
    for (this.skip(); !this.take(/\]/y); this.skip()) {
      found.push(this.value());
      this.skip();
      if (!this.take(/,/y)) {
        this.need(/\]/y);
        break;
      }
    }
    this.closed.add(found);
    return found;
  }

  table() {
    const found = Object.create(null);
    this.need(/\{[ \t]*/y);
    if (!this.take(/\}/y)) {
      do this.pair(found); while (this.take(/[ \t]*,[ \t]*/y));
      this.need(/[ \t]*\}/y);
    }
    const close = one => {
      this.closed.add(one);
      for (const inside of Object.values(one)) if (inside && typeof inside === 'object' && !this.closed.has(inside) && !(inside instanceof Opaque)) close(inside);
    };
    close(found);
    return found;
  }

  literal() { return this.need(/'([^'\n\0-\x08\x0b-\x1f\x7f]*)'/y)[1]; }

  basic() {
    return this.unescaped(this.need(/"((?:[^"\\\n\0-\x08\x0b-\x1f\x7f]|\\[^\n])*)"/y)[1]);
  }

  long(quote, escapes) {
    this.at += 3;
    this.take(/\n/y);
    const start = this.at;
    for (;;) {
      if (this.at >= this.text.length) this.fail();
      if (this.starts(quote)) break;
      this.at += escapes && this.starts('\\') ? 2 : 1;
    }
    for (let more = 0; more < 2 && this.text.startsWith(quote, this.at + 1); more++) this.at++;
    const inside = this.text.slice(start, this.at);
    this.at += 3;
    if (/[\0-\x08\x0b-\x1f\x7f]/.test(inside)) this.fail();
    return escapes ? this.unescaped(inside) : inside;
  }

  unescaped(text) {
    const simple = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', '\\': '\\' };
    return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[ \t]*\n[ \t\n]*|([\s\S]?))/g, (whole, four, eight, sign) => {
      if (four || eight) {
        const code = parseInt(four || eight, 16);
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) this.fail();
        return String.fromCodePoint(code);
      }
      if (sign === undefined) return '';
      return sign in simple ? simple[sign] : this.fail();
    });
  }
}

const readToml = text => new Toml(text).document();

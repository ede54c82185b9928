// V7: draws replayed. docs/formats/log.md, "Public draws".

class Chance {
  constructor(seed, label = '') {
    this.head = join(utf8('examsvc.v1/draw.block\0'), seed, utf8(label + '\0'));
    this.count = 0;
  }
  below(n) {
    const limit = 2n ** 64n - 2n ** 64n % BigInt(n);
    for (;;) {
      const counter = fromHex((this.count++).toString(16).padStart(16, '0'));
      const value = BigInt('0x' + toHex(sha256(join(this.head, counter)).subarray(0, 8)));
      if (value < limit) return Number(value % BigInt(n));
    }
  }
  permutation(items, count = items.length) {
    const list = [...items];
    for (let place = 0; place < count; place++) {
      const other = place + this.below(list.length - place);
      [list[place], list[other]] = [list[other], list[place]];
    }
    return list.slice(0, count);
  }
}

/** Scripts to markers; null where no choice exists. */
function allocate(chance, { scripts, markers, rounds, excluded }) {
  const drawn = chance.permutation(scripts), people = chance.permutation(markers.map(one => one.marker));
  const place = new Map(people.map((name, n) => [name, n])), group = new Map(markers.map(one => [one.marker, one.group]));
  const barred = new Set(excluded.map(([script, marker]) => script + ' ' + marker));
  const load = new Map(people.map(name => [name, 0])), held = new Map();
  const fits = (script, marker, others) => !barred.has(script + ' ' + marker) && !others.some(one => one === marker || group.get(one) === group.get(marker));
  for (const script of drawn) {
    const choose = chosen => {
      if (chosen.length === rounds) return chosen;
      const able = people.filter(name => fits(script, name, chosen)).sort((a, b) => load.get(a) - load.get(b) || place.get(a) - place.get(b));
      for (const name of able) {
        const made = choose([...chosen, name]);
        if (made) return made;
      }
      return null;
    };
    const chosen = choose([]);
    if (!chosen) return null;
    chosen.forEach(name => load.set(name, load.get(name) + 1));
    held.set(script, chosen);
  }
  const chain = giver => {
    const queue = [[giver, []]], reached = new Set([giver]);
    while (queue.length) {
      const [from, path] = queue.shift();
      for (const script of drawn) {
        const holders = held.get(script);
        if (!holders.includes(from) || path.some(step => step[0] === script)) continue;
        for (const to of people) {
          if (reached.has(to) || !fits(script, to, holders.filter(one => one !== from))) continue;
          const longer = [...path, [script, from, to]];
          if (load.get(to) <= load.get(giver) - 2) return longer;
          reached.add(to);
          queue.push([to, longer]);
        }
      }
    }
    return null;
  };
  for (let moved = true; moved;) {
    moved = false;
    const least = Math.min(...load.values());
    for (const giver of [...people].sort((a, b) => load.get(b) - load.get(a) || place.get(a) - place.get(b))) {
      if (load.get(giver) - least < 2) break;
      const path = chain(giver);
      if (!path) continue;
      for (const [script, from, to] of path) {
        const holders = held.get(script);
        holders[holders.indexOf(from)] = to;
      }
      load.set(giver, load.get(giver) - 1);
      const last = path[path.length - 1][2];
      load.set(last, load.get(last) + 1);
      moved = true;
      break;
    }
  }
  return scripts.flatMap(script => held.get(script).map((marker, n) => ({ marker, round: n + 1, script })));
}

function replay(seed, task, parameters) {
  const chance = new Chance(seed);
  if (task === 'permutation') return chance.permutation(parameters.items);
  if (task === 'selection') return chance.permutation(parameters.items, parameters.count);
  if (task === 'assignment') {
    const places = chance.permutation(parameters.places, parameters.items.length);
    return parameters.items.map((item, n) => [item, places[n]]);
  }
  if (task === 'allocation') return allocate(chance, parameters);
  throw new Error('an unknown task');
}

/** Markers in the order in which they step in for a script. */
function reserves(draw, script) {
  const { parameters, seed } = draw;
  return new Chance(seed, 'reserve/' + script).permutation(parameters.markers.map(one => one.marker).sort());
}

function draws(bundle) {
  const { findings, log, files, manifest } = bundle, made = new Map();
  const fail = (en, vi) => findings.fail('V7', en, vi);
  for (const drawn of bundle.all('draw.drawn')) {
    const code = drawn.body.draw, mine = type => bundle.all(type).filter(entry => entry.body.draw === code);
    if (!drawn.posts.some(post => manifest.posts.includes(post))) continue;
    const bad = (en, vi) => fail(`Draw ${code}: ${en}`, `Bốc thăm ${code}: ${vi}`);
    const [announced] = mine('draw.announced'), [fixed] = mine('draw.fixed');
    if (!announced || !fixed) {
      bad('it was not announced or not fixed.', 'không được công bố hoặc chưa chốt.');
      continue;
    }
    const terms = bundle.open(announced.body.terms), inputs = bundle.open(fixed.body.inputs), result = bundle.open(drawn.body.result);
    const nonces = {};
    const committed = mine('draw.committed'), revealed = mine('draw.revealed');
    const strangers = [...committed, ...revealed].some(entry => !announced.body.participants.includes(entry.body.person));
    if (strangers) bad('somebody took part who was not announced.', 'có người tham gia ngoài danh sách công bố.');
    for (const person of announced.body.participants) {
      const promise = committed.find(entry => entry.body.person === person), nonce = revealed.find(entry => entry.body.person === person);
      if (!promise || !nonce || promise.n > fixed.n || nonce.n < fixed.n || nonce.n > drawn.n) {
        bad(`${person} did not commit before and reveal after.`, `${person} không cam kết trước và mở sau.`);
      } else {
        nonces[person] = nonce.body.nonce;
        if (commit('draw.nonce', nonce.body.salt, { draw: code, person, nonce: nonce.body.nonce }) !== promise.body.nonce) {
          bad(`the nonce of ${person} does not open the commitment.`, `số của ${person} không khớp cam kết.`);
        }
      }
    }
    if (terms && terms.method === 'examsvc.draw.server.v1') {
      findings.note('V7', `Draw ${code} was held by the server alone: whoever ran it could have tried several.`, `Bốc thăm ${code} do một mình máy chủ thực hiện: người vận hành có thể đã thử nhiều lần.`);
      if (drawn.body.outside !== toHex(sha256(utf8(toHex(fixed.leaf))))) bad('the outside value is not the hash of the entry.', 'giá trị bên ngoài không phải mã băm của mục.');
    } else if (terms) {
      const outside = files.get('outside/' + code);
      if (terms.method !== 'examsvc.draw.v1') bad('the method is unknown.', 'phương pháp không rõ.');
      if (!outside || toHex(sha256(outside)) !== drawn.body.outside) bad('the outside value is not there or another one.', 'thiếu giá trị bên ngoài hoặc giá trị khác.');
      if (terms.published <= fixed.t || terms.published > drawn.t) bad('the outside value was not published between fixing and drawing.', 'giá trị bên ngoài không công bố giữa lúc chốt và lúc bốc thăm.');
    }
    if (!terms || !inputs || !result) {
      bad('terms, inputs or result are not opened.', 'điều kiện, đầu vào hoặc kết quả không được mở.');
      continue;
    }
    if ([terms, inputs, result].some(object => object.draw !== code)) bad('terms, inputs or result are of another draw.', 'điều kiện, đầu vào hoặc kết quả thuộc lần bốc thăm khác.');
    const seed = sha256(join(utf8('examsvc.v1/draw.seed\0'), utf8(encode({ draw: code, inputs: fixed.body.inputs, nonces, outside: drawn.body.outside }))));
    if (toHex(seed) !== drawn.body.seed) bad('the seed does not follow from its parts.', 'hạt giống không suy ra từ các phần.');
    const draw = { seed: fromHex(drawn.body.seed), task: inputs.task, parameters: inputs.parameters, result: result.result };
    let again = null;
    try {
      again = replay(draw.seed, draw.task, draw.parameters);
    } catch { /* other inputs than the task has */ }
    if (again === null || !equal(again, draw.result)) bad('the result does not follow from the seed.', 'kết quả không suy ra từ hạt giống.');
    made.set(code, draw);
  }
  bundle.draws = made;
  for (const { n, body, posts } of bundle.all('draw.voided')) {
    if (!posts.some(post => manifest.posts.includes(post))) continue;
    const mine = type => bundle.all(type).filter(entry => entry.body.draw === body.draw && entry.n < n);
    const bad = (en, vi) => fail(`Draw ${body.draw}: ${en}`, `Bốc thăm ${body.draw}: ${vi}`);
    const [announced] = mine('draw.announced'), fixed = mine('draw.fixed').length > 0;
    const handedIn = mine(fixed ? 'draw.revealed' : 'draw.committed').map(entry => entry.body.person);
    const missing = announced ? announced.body.participants.filter(person => !handedIn.includes(person)) : [];
    if (!announced) {
      bad('declared void and never announced.', 'bị hủy mà chưa từng được công bố.');
    } else if (body.cause === 'late' && fixed) {
      bad('declared void as too late when its inputs were fixed in time.', 'bị hủy vì quá hạn dù đầu vào đã chốt kịp.');
    } else if (['withheld', 'invalid'].includes(body.cause) && !missing.includes(body.person)) {
      bad('declared void for a number that nobody withheld, or without a name.', 'bị hủy vì một số bí mật không ai giữ lại, hoặc không nêu tên.');
    } else if (fixed && missing.length === 0) {
      findings.note('V7', `Draw ${body.draw} was declared void when every number was revealed: compare the outside value as it was published with the reason given.`, `Bốc thăm ${body.draw} bị hủy khi mọi số đã mở: hãy đối chiếu giá trị bên ngoài đã công bố với lý do nêu ra.`);
    }
  }
  for (const name of files.keys()) {
    if (name.startsWith('outside/') && !bundle.all('draw.drawn').some(entry => 'outside/' + entry.body.draw === name)) {
      fail(`No draw needs ${name}.`, `Không lần bốc thăm nào cần ${name}.`);
    }
  }
  const rest = log.good.filter(entry => !entry.type.startsWith('draw.') && entry.definition.scope !== 'log'
    && Object.hasOwn(entry.body, 'draw') && entry.posts.some(post => manifest.posts.includes(post)));
  for (const entry of rest) {
    const draw = made.get(entry.body.draw), at = `Entry ${entry.n} (${entry.type})`, atVi = `Mục ${entry.n} (${entry.type})`;
    const before = bundle.all('draw.drawn').some(one => one.body.draw === entry.body.draw && one.n < entry.n);
    if (!before) fail(`${at}: its draw was never made.`, `${atVi}: bốc thăm của nó chưa được thực hiện.`);
    if (!draw) continue;
    if (entry.type === 'scripts.allocated' || entry.type === 'remark.allocated') {
      const rows = bundle.open(entry.body.allocation);
      const key = row => `${row.script} ${row.round} ${row.marker}`;
      const wanted = Array.isArray(draw.result) ? draw.result.map(key).sort() : [];
      if (rows && !equal(rows.rows.map(key).sort(), wanted)) fail(`${at}: allocated otherwise than drawn.`, `${atVi}: phân công khác kết quả bốc thăm.`);
    }
    const heard = entry.type === 'hearing.listed' && bundle.open(entry.body.candidate);
    if (heard && (draw.result || [])[entry.body.place - 1] !== heard.candidate) {
      fail(`${at}: not the place that was drawn.`, `${atVi}: không đúng thứ tự đã bốc thăm.`);
    }
  }
  seats(bundle, fail);
  replacements(bundle, fail);
}

/** Whoever was in the draw of a sitting's seats has the place drawn, in every plan from then on; who came later has another. */
function seats(bundle, fail) {
  const drawnBy = new Map();
  for (const { n, body } of bundle.all('sitting.scheduled')) {
    const before = drawnBy.get(body.sitting), at = `Entry ${n}: the seats of ${body.sitting}`, atVi = `Mục ${n}: chỗ ngồi của ${body.sitting}`;
    if (before !== undefined && body.draw !== before) fail(`${at} were drawn by ${before}, and the plan names it no more.`, `${atVi} đã bốc thăm ở ${before}, nhưng sơ đồ không nêu nữa.`);
    if (body.draw === undefined) continue;
    drawnBy.set(body.sitting, body.draw);
    const plan = bundle.open(body.plan), drawn = bundle.all('draw.drawn').find(one => one.body.draw === body.draw);
    const pairs = ((drawn && bundle.open(drawn.body.result)) || {}).result;
    if (!plan) continue;
    const places = new Map(plan.seats.map(seat => [seat.candidate, `${seat.room}.${seat.seat}`]));
    if (!Array.isArray(pairs) || !pairs.every(pair => Array.isArray(pair) && places.get(pair[0]) === pair[1])) fail(`${at} are not the ones drawn.`, `${atVi} không phải kết quả bốc thăm.`);
  }
}

/** Who took over a script is the first reserve who may. */
function replacements(bundle, fail) {
  const { holders, dropped, drawOf } = allocations(bundle);
  for (const entry of bundle.all('script.reallocated')) {
    const { script, round, from, to } = entry.body, draw = drawOf.get(script);
    const held = holders.get(script);
    if (!draw || !held) {
      fail(`Entry ${entry.n}: the script was never allocated.`, `Mục ${entry.n}: bài chưa từng được phân công.`);
      continue;
    }
    if (!dropped.has(script)) dropped.set(script, new Set());
    if (held.get(round) !== from) fail(`Entry ${entry.n}: ${from} did not hold the script.`, `Mục ${entry.n}: ${from} không giữ bài này.`);
    dropped.get(script).add(from);
    const next = firstReserve(draw, script, [...held].filter(([n]) => n !== round).map(([, name]) => name), dropped.get(script));
    if (next !== to) fail(`Entry ${entry.n}: ${to} was not the next reserve.`, `Mục ${entry.n}: ${to} không phải người dự bị kế tiếp.`);
    held.set(round, to);
  }
}

function firstReserve(draw, script, marking, dropped) {
  const group = new Map(draw.parameters.markers.map(one => [one.marker, one.group]));
  const barred = new Set(draw.parameters.excluded.filter(([one]) => one === script).map(([, marker]) => marker));
  return reserves(draw, script).find(name => !barred.has(name) && !dropped.has(name) && !marking.includes(name)
    && !marking.some(one => group.get(one) === group.get(name)));
}

/** Script → round → marker as the draws allocated them. */
function allocations(bundle) {
  const holders = new Map(), drawOf = new Map();
  for (const entry of bundle.all('scripts.allocated', 'remark.allocated')) {
    const rows = bundle.open(entry.body.allocation);
    for (const { script, round, marker } of rows ? rows.rows : []) {
      if (!holders.has(script)) holders.set(script, new Map());
      holders.get(script).set(round, marker);
      drawOf.set(script, bundle.draws.get(entry.body.draw));
    }
  }
  return { holders, drawOf, dropped: new Map() };
}

// V13 as far as it needs no marking of answers: keys hold the items of the forms, tables and settlements fit what they rest on.

function scores(bundle) {
  const { findings, regulation, sat, restricted } = bundle;
  if (restricted && !regulation) findings.fail('V13', 'The pinned regulation is not there.', 'Không có quy chế đã ghim.');
  if (!restricted) {
    findings.notDone('V13', 'Answers, keys and sheets are in the restricted edition.', 'Bài làm, đáp án và phiếu chấm nằm trong bản hạn chế.');
    return;
  }
  findings.notDone('V13', 'Forms, keys, tables and settlements fit each other; marking the answers again needs the question engine of the first verifier (examsvc verify).',
    'Mã đề, đáp án, bảng điểm và biên bản chốt điểm khớp nhau; chấm lại bài làm cần bộ máy câu hỏi của chương trình thứ nhất (examsvc verify).');
  if (!regulation) return;
  const fail = (en, vi) => findings.fail('V13', en, vi);
  const kindOfPart = new Map(regulation.stages.flatMap(stage => stage.parts.map(part => [part.id, part.kind])));
  const papers = new Map();
  for (const { body } of bundle.all('paper.sealed')) {
    const forms = body.forms.map(bundle.open).filter(form => form), key = bundle.open(body.key);
    papers.set(body.paper, { forms: new Map(forms.map(form => [form.form, form])), versions: [[0, 1]] });
    const items = new Set(forms.flatMap(form => form.items.map(row => row.item)));
    if (forms.length && key && !equal([...items].sort(), key.answers.map(row => row.item).sort())) {
      fail(`The key of ${body.paper} is for other items than its forms have.`, `Đáp án của ${body.paper} không ứng với câu hỏi của các mã đề.`);
    }
    for (const form of forms) {
      for (const row of form.items) {
        if (row.part !== undefined && !kindOfPart.has(row.part)) fail(`A form of ${body.paper} names an unknown part.`, `Một mã đề của ${body.paper} nêu phần thi lạ.`);
      }
    }
  }
  for (const entry of bundle.all('key.corrected')) if (papers.has(entry.body.paper)) papers.get(entry.body.paper).versions.push([entry.n, entry.body.version]);
  for (const entry of sat.prepared) {
    const terms = bundle.open(entry.body.terms), paper = papers.get(entry.body.paper);
    if (!terms || !paper || !paper.forms.size) continue;
    const form = paper.forms.get(terms.form), items = new Map(form ? form.items.map(row => [row.item, row]) : []);
    if (!form || terms.slots.some(row => !items.has(row.item))) {
      fail(`What was put before ${entry.body.attempt} is not a form of ${entry.body.paper}.`, `Đề phát cho ${entry.body.attempt} không phải mã đề của ${entry.body.paper}.`);
    }
  }
  for (const entry of bundle.all('responses.scored')) tableFits(bundle, entry, papers.get(entry.body.paper), fail);
  for (const entry of bundle.all('hearing.settled')) panelFits(bundle, entry, fail);
}

function tableFits(bundle, entry, paper, fail) {
  const table = bundle.open(entry.body.scores), say = (en, vi) => fail(`Entry ${entry.n}: ${en}`, `Mục ${entry.n}: ${vi}`);
  if (!table || !paper) return;
  const codes = table.scores.map(row => row.attempt), known = new Set(bundle.sat.submitted.keys());
  const version = paper.versions.filter(([n]) => n < entry.n).reduce((most, [, one]) => Math.max(most, one), 1);
  if (table.key !== version) say('the table was made with another key than was in force.', 'bảng điểm dùng đáp án không phải bản đang có hiệu lực.');
  if (codes.length !== entry.body.attempts || codes.some((code, n) => !known.has(code) || (n && codes[n - 1] >= code))) say('the table is of other attempts.', 'bảng điểm của các bài khác.');
  const ordering = bundle.at.get(entry.body.under);
  if (ordering && ordering.type === 'sitting.closed') {
    const ended = [...bundle.sat.submitted.values()].filter(one => one.body.sitting === ordering.body.sitting).map(one => one.body.attempt);
    if (!equal(ended.sort(), codes)) say('the table scores other attempts than were submitted.', 'bảng điểm không ứng với các bài đã nộp.');
  }
  for (const row of table.scores) {
    if (sum(row.slots.map(Exact.of)).text !== Exact.of(row.total).text) say(`the scores of ${row.attempt} do not add up.`, `điểm của ${row.attempt} cộng không đúng.`);
  }
}

/** The panel's mark from its members' marks, where the regulation drops nobody for lying far off. */
function panelFits(bundle, entry, fail) {
  const object = bundle.open(entry.body.settlement), stage = bundle.regulation.stages.find(one => one.id === entry.stage);
  const names = new Set((stage ? stage.parts : []).filter(part => part.panel).map(part => part.panel));
  const panel = (bundle.regulation.panels || []).find(one => names.has(one.id));
  if (!object || names.size !== 1 || !panel || panel.outlier !== null || object.marks.length !== panel.members) return;
  let marks = object.marks.map(Exact.of).sort((a, b) => a.compare(b));
  if (panel.combine === 'trimmed-mean') marks = marks.slice(panel.drop_lowest, marks.length - panel.drop_highest);
  const half = marks.length >> 1;
  const chosen = panel.combine !== 'median' ? marks : marks.length % 2 ? [marks[half]] : [marks[half - 1], marks[half]];
  const mean = sum(chosen).over(new Exact(BigInt(chosen.length)));
  if (new Terms(bundle.regulation).rounded('panel-mark', mean).text !== object.mark) {
    fail(`The marks of hearing ${entry.body.hearing} make another one.`, `Các điểm của buổi ${entry.body.hearing} cho điểm khác.`);
  }
}

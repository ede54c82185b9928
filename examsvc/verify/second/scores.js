// V13 needs a marking engine for every kind of question; this page has none and says so.

function scores(bundle) {
  bundle.findings.notDone('V13', 'Marking the answers again needs the question engine of the first verifier (examsvc verify).',
    'Chấm lại bài làm cần bộ máy câu hỏi của chương trình thứ nhất (examsvc verify).');
}

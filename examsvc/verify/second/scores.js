// V13.

function scores(bundle) {
  bundle.findings.notDone('V13', 'Scores are computed again by the first verifier only (examsvc verify).', 'Việc tính lại điểm hiện chỉ có ở chương trình thứ nhất (examsvc verify).');
}

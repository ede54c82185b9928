// V14.

function ranking(bundle) {
  bundle.findings.notDone('V14', 'The ranking is computed again by the first verifier only (examsvc verify).', 'Việc tính lại xếp hạng hiện chỉ có ở chương trình thứ nhất (examsvc verify).');
}

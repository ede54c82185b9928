// V16.

function stamps(bundle) {
  bundle.findings.notDone('V16', 'Time stamps are read by the first verifier only (examsvc verify).', 'Dấu thời gian hiện chỉ đọc được bằng chương trình thứ nhất (examsvc verify).');
}

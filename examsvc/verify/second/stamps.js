// V16 reads time stamps of outside authorities (RFC 3161), which are ASN.1 and no part of the bundle's own format.

function stamps(bundle) {
  const { findings } = bundle;
  if (!bundle.all('time.stamped').length) {
    findings.notDone('V16', 'The record holds no outside time stamps.', 'Sổ ghi không có dấu thời gian của bên ngoài.');
  } else {
    findings.notDone('V16', 'The outside time stamps were not read: examsvc verify does, and so does any tool for RFC 3161.',
      'Chưa đọc các dấu thời gian của bên ngoài: lệnh examsvc verify hoặc công cụ RFC 3161 bất kỳ đọc được.');
  }
}

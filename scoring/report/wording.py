"""The report's words in Vietnamese and English, and how numbers are written in each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scoring.verdicts import CODES, Verdict

LANGUAGES = ("vi", "en")

# key: (Vietnamese, English); {places} are filled with numbers and names
TEXTS: dict[str, tuple[str, str]] = {
    "title": ("Báo cáo phân tích bài thi", "Report on a test"),
    "of_file": ("Tệp {name}", "File {name}"),
    "fact.persons": ("Thí sinh", "Candidates"),
    "fact.items": ("Câu hỏi", "Items"),
    "fact.maximum": ("Điểm tối đa", "Maximum score"),
    "fact.id": ("Cột số báo danh", "Column of numbers"),
    "fact.group": ("Cột nhóm", "Column of groups"),
    "fact.model": ("Mô hình", "Model"),
    "fact.digest": ("SHA-256 của tệp", "SHA-256 of the file"),
    "fact.made": ("Lập ngày", "Made on"),
    "contents": ("Nội dung", "Contents"),
    "none": ("không có", "none"),
    "table_of": ("Bảng số liệu: {what}", "Table: {what}"),
    "more": ("và {n} nữa", "and {n} more"),
    "to": ("{low} đến {high}", "{low} to {high}"),
    # headings
    "summary": ("Tóm tắt", "Summary"),
    "act": ("Cần xử lý", "Act"),
    "look": ("Nên xem lại", "Look"),
    "know": ("Để biết", "Know"),
    "scores": ("Phân bố điểm", "Distribution of scores"),
    "items": ("Câu hỏi: độ khó và độ phân biệt", "Items: difficulty and discrimination"),
    "options": ("Các phương án trả lời", "Options chosen"),
    "reliability": ("Độ tin cậy và sai số", "Reliability and error"),
    "model": ("Mô hình ứng đáp câu hỏi", "Response model"),
    "curves": ("Đường cong đặc trưng", "Characteristic curves"),
    "information": ("Thông tin của bài thi", "Information"),
    "wright": ("Bản đồ thí sinh và câu hỏi", "Map of candidates and items"),
    "fit": ("Mức phù hợp của câu hỏi", "Fit of items"),
    "persons": ("Bài làm khác thường", "Unlikely answer patterns"),
    "pairs": ("Câu hỏi phụ thuộc nhau", "Items that depend on each other"),
    "groups": ("So sánh nhóm: {focal} so với {reference}", "Groups: {focal} against {reference}"),
    "limits": ("Điều mẫu này không cho biết", "What this sample cannot say"),
    "method": ("Cách tính", "Methods"),
    # findings
    "finding.key_suspect": (
        "Kiểm tra lại đáp án của {names}: thí sinh khá hơn nghiêng về phương án khác với đáp án (đáp án → phương án đáng ngờ).",
        "Check the key of {names}: better candidates preferred another option (key → suspected option).",
    ),
    "finding.reversed": (
        "Phân biệt ngược ở {names}: thí sinh khá hơn lại làm kém hơn. Xem lại nội dung và đáp án.",
        "Reversed discrimination in {names}: better candidates did worse. Read the items and their keys again.",
    ),
    "finding.constant": (
        "Mọi thí sinh cùng một điểm ở {names}: các câu này không xếp hạng được ai.",
        "Everybody has the same score on {names}: these items rank nobody.",
    ),
    "finding.very_easy": (
        "Rất dễ: {names} (trên 95\u00a0% số điểm, cả khoảng tin cậy).",
        "Very easy: {names} (above 95\u00a0% of the points, the whole interval).",
    ),
    "finding.very_hard": (
        "Rất khó: {names} (dưới 20\u00a0% số điểm, cả khoảng tin cậy).",
        "Very hard: {names} (below 20\u00a0% of the points, the whole interval).",
    ),
    "finding.sem": (
        "Sai số chuẩn của điểm là {sem} điểm (khoảng tin cậy {lower} đến {upper}): hai thí sinh hơn kém nhau dưới {chance} điểm thì chưa thể nói ai hơn ai.",
        "The standard error of a score is {sem} points ({lower} to {upper}): a difference of less than {chance} points between two candidates may be chance.",
    ),
    "finding.dif_large": (
        "Khác biệt lớn giữa {b} và {a} khi cùng tổng điểm (loại C): {names}. Cần người đọc lại câu hỏi; đây không phải kết luận về thí sinh.",
        "Large differences between {b} and {a} at equal total scores (class C): {names}. People must read the items; this says nothing about the candidates.",
    ),
    "finding.dif_moderate": (
        "Khác biệt vừa giữa {b} và {a} khi cùng tổng điểm (loại B): {names}.",
        "Moderate differences between {b} and {a} at equal total scores (class B): {names}.",
    ),
    "finding.dif_none": (
        "Không câu nào khác biệt rõ giữa {b} và {a} khi cùng tổng điểm; với số thí sinh ít, điều đó không chứng tỏ là không có.",
        "No item differs clearly between {b} and {a} at equal total scores; with few candidates that proves no absence.",
    ),
    "finding.misfit": (
        "Không theo mô hình: {names} (S-X², đã hiệu chỉnh Holm). Xem đường cong của các câu này.",
        "Not as the model says: {names} (S-X², adjusted by Holm). See their curves.",
    ),
    "finding.model_far": (
        "Mô hình mô tả dữ liệu chưa tốt: RMSEA {rmsea} (90\u00a0%: {lower} đến {upper}). Đọc các phần dựa trên mô hình một cách dè dặt.",
        "The model describes the data poorly: RMSEA {rmsea} (90\u00a0%: {lower} to {upper}). Read what rests on the model with reserve.",
    ),
    "finding.model_close": (
        "Mô hình mô tả dữ liệu tốt: RMSEA {rmsea} (90\u00a0%: {lower} đến {upper}).",
        "The model describes the data well: RMSEA {rmsea} (90\u00a0%: {lower} to {upper}).",
    ),
    "finding.model_open": (
        "Mô hình có mô tả dữ liệu tốt hay không thì mẫu này chưa cho biết: RMSEA {rmsea} (90\u00a0%: {lower} đến {upper}).",
        "Whether the model describes the data well this sample cannot say: RMSEA {rmsea} (90\u00a0%: {lower} to {upper}).",
    ),
    "finding.dependent": (
        "Trả lời câu này kéo theo câu kia: {names}. Có thể cùng ngữ liệu, hoặc câu này gợi ý câu kia.",
        "An answer to one goes with the other: {names}. They may share a text, or one gives the other away.",
    ),
    "finding.unlikely": (
        "Bài làm khác thường so với năng lực: {names}. Đó là lý do để xem lại bài, không phải bằng chứng gian lận.",
        "Answers that are unlikely for their ability: {names}. A reason to look at the script, no proof of cheating.",
    ),
    "finding.repeated": (
        "Số báo danh trùng nhau: {names}. Mỗi dòng vẫn được tính là một thí sinh.",
        "Numbers that stand in several lines: {names}. Each line was taken as a candidate of its own.",
    ),
    "finding.empty_items": ("Cột không có dữ liệu, đã bỏ qua: {names}.", "Columns without data, left out: {names}."),
    "finding.empty_lines": ("Dòng không có bài làm, đã bỏ qua: {names}.", "Lines without answers, left out: {names}."),
    "finding.missing": (
        "{cells} ô ({percent}\u00a0%) là câu không được giao; không tính là sai.",
        "{cells} cells ({percent}\u00a0%) were not administered; they do not count as wrong.",
    ),
    "finding.nothing": ("Không có gì cần xử lý.", "Nothing asks for action."),
    # sentences above charts
    "scores.text": (
        "Điểm từ {low} đến {high} trên {maximum}; một nửa số thí sinh nằm giữa {q1} và {q3}. Trung bình {mean}, độ lệch chuẩn {sd}.",
        "Scores run from {low} to {high} of {maximum}; half of the candidates lie between {q1} and {q3}. Mean {mean}, standard deviation {sd}.",
    ),
    "scores.same": (
        "Mọi thí sinh đạt {mean} điểm trên {maximum}: không có khác biệt nào để phân tích.",
        "Everybody scored {mean} of {maximum}: there is no difference to analyse.",
    ),
    "items.text": (
        "Chấm là ước lượng, vạch là khoảng tin cậy {confidence}\u00a0%. Độ khó là tỉ lệ điểm đạt được, càng sang phải càng dễ; độ phân biệt là "
        "tương quan với phần còn lại của bài, càng sang phải càng phân loại tốt. {decided} trên {items} câu cho thấy rõ chiều hướng.",
        "A dot is the estimate, a line the {confidence}\u00a0% interval. Difficulty is the share of points earned, easier to the right; discrimination is the "
        "correlation with the rest of the paper, better to the right. {decided} of {items} items show their direction.",
    ),
    "items.legend": (
        "Hình thoi đỏ: câu cần xem lại. Vạch nhạt với vòng rỗng: mẫu không giới hạn được giá trị.",
        "Red diamond: an item to look at. Pale line with a ring: the sample does not bound the value.",
    ),
    "options.text": (
        "Thanh là tỉ lệ thí sinh chọn phương án (vạch: khoảng tin cậy {confidence}\u00a0%), đậm là đáp án; r là tương quan với phần còn lại của bài. "
        "Đáp án tốt có r dương, phương án nhiễu có r âm; đỏ là phương án đáng ngờ, ∅ là bỏ trống. Các câu cần xem lại đứng trước.",
        "A bar is the share that chose the option (line: {confidence}\u00a0% interval), dark the key; r is its correlation with the rest of the paper. "
        "A good key has r above zero, a distractor below; red is suspected, ∅ omitted. Items to look at come first.",
    ),
    "options.omitted": ("bỏ trống", "omitted"),
    "coefficients.text": (
        "{verdict}. Chấm là hệ số, vạch là khoảng tin cậy {confidence}\u00a0%; đường đứt là mức {target} thường được yêu cầu.",
        "{verdict}. A dot is a coefficient, a line its {confidence}\u00a0% interval; the broken line is the level {target} often asked for.",
    ),
    "conditional.text": (
        "Sai số chuẩn thay đổi theo điểm: từ {low} đến {high} điểm. Ở điểm 0 và điểm tối đa mô hình này coi sai số bằng 0; đừng hiểu đó là chắc chắn.",
        "The standard error depends on the score: from {low} to {high} points. At no and at full marks this model knows no error; do not read it as certainty.",
    ),
    "model.text": (
        "Mô hình {models} ước lượng từ {n} thí sinh (hội tụ sau {iterations} bước E). Thang năng lực có trung bình 0; độ tin cậy biên {reliability}.",
        "Model {models}, estimated from {n} candidates (converged after {iterations} E steps). The ability scale has mean 0; marginal reliability {reliability}.",
    ),
    "curves.text": (
        "Đường cong là xác suất trả lời đúng (câu nhiều mức: xác suất từng mức điểm) theo năng lực; chấm là tỉ lệ quan sát được ở các nhóm thí sinh "
        "năng lực gần nhau, với khoảng tin cậy 95\u00a0%. Chấm xa đường là câu không theo mô hình.",
        "A curve is the probability of a right answer (points: of each score) by ability; dots are the shares observed in groups of candidates of similar ability, "
        "with 95\u00a0% intervals. Dots away from the curve mean that the item does not follow the model.",
    ),
    "information.text": (
        "Bài thi đo chính xác nhất quanh năng lực {best}, nơi sai số chuẩn là {error}; {share}\u00a0% thí sinh nằm trong vùng sai số dưới {double}.",
        "The test measures best around ability {best}, where the standard error is {error}; {share}\u00a0% of the candidates lie where it is below {double}.",
    ),
    "wright.text": (
        "Bên trái là thí sinh, bên phải là câu hỏi, trên cùng một thang; thí sinh ngang với câu nào thì có khoảng một nửa cơ hội làm được câu đó. "
        "{above}\u00a0% thí sinh cao hơn câu khó nhất, {below}\u00a0% thấp hơn câu dễ nhất.",
        "Candidates on the left, items on the right, on one scale; a candidate level with an item has about even odds on it. "
        "{above}\u00a0% of the candidates are above the hardest item, {below}\u00a0% below the easiest.",
    ),
    "persons.text": (
        "lz* càng âm thì bài làm càng khó xảy ra với năng lực của thí sinh. Thí sinh có bài khác thường (tỉ lệ phát hiện nhầm 5\u00a0%): {names}.",
        "The lower lz*, the less likely the answers at the candidate's ability. Candidates with unlikely answers (false discovery rate 5\u00a0%): {names}.",
    ),
    "pairs.text": (
        "Số cặp có tương quan phần dư (Q₃) cao hơn trung bình trên 0,2, nên xem lại: {n}. Biểu đồ là các cặp cao nhất.",
        "Pairs whose residuals correlate (Q₃) more than 0.2 above the mean and deserve a look: {n}. The chart shows the highest.",
    ),
    "groups.text": (
        "Ở cùng tổng điểm: bên trái số 0, câu khó hơn với {focal} ({n_focal} thí sinh); bên phải, khó hơn với {reference} ({n_reference} thí sinh). "
        "Đường đứt ở ±1,5 là ranh giới khác biệt lớn. Hình thoi đỏ: khác biệt loại B hoặc C sau hiệu chỉnh Holm.",
        "At equal total scores: left of 0 the item is harder for {focal} ({n_focal} candidates), right of it for {reference} ({n_reference}). "
        "Broken lines at ±1.5 are the border of a large difference. Red diamond: class B or C after Holm's adjustment.",
    ),
    "groups.refused": (
        "Không so sánh được ({n_focal} và {n_reference} thí sinh đủ dữ liệu): {why}",
        "Not compared ({n_focal} and {n_reference} candidates with complete data): {why}",
    ),
    # refusals
    "refused.not_asked": ("Không yêu cầu mô hình.", "No model was asked for."),
    "refused.too_few_for_model": (
        "Dưới 40 thí sinh: không ước lượng mô hình (có thể yêu cầu bằng --model Rasch).",
        "Below 40 candidates no model is fitted (it can be asked for with --model Rasch).",
    ),
    "refused.too_few": ("Quá ít thí sinh để kết luận.", "Too few candidates for an answer."),
    "refused.not_identified": ("Dữ liệu không đủ để xác định.", "The data do not determine it."),
    "refused.not_converged": ("Phép ước lượng không hội tụ.", "The estimation did not converge."),
    "refused.not_suited": ("Dữ liệu không thuộc loại mà phương pháp xử lý được.", "The data are not of the kind the method takes."),
    "refused.too_many_items": (
        "Quá nhiều câu (trên 80): không tính vì tốn nhiều bộ nhớ và thời gian.",
        "Too many items (above 80): not computed, it would take much memory and time.",
    ),
    "refused.no_groups": ("Không có cột nhóm.", "No column of groups was named."),
    "refused.one_group": ("Chỉ có một nhóm.", "There is one group only."),
    "refused.many_groups": ("Quá nhiều nhóm (trên 12).", "There are too many groups (above 12)."),
    # limits
    "limits.sample": (
        "Khoảng tin cậy coi thí sinh là mẫu của những thí sinh cùng loại: chúng nói các con số này đúng đến đâu với người khác, không phải với chính {n} người này.",
        "Intervals take the candidates as a sample of candidates of the same kind: they say how far the numbers carry to others, not to these {n}.",
    ),
    "limits.undecided": (
        "Chưa rõ phân biệt thuận hay ngược ({n} câu): {names}.",
        "Not known whether they discriminate forwards or backwards ({n}): {names}.",
    ),
    "limits.too_few": (
        "Gần như mọi thí sinh trả lời giống nhau, không ước lượng được độ phân biệt ({n} câu): {names}.",
        "Answered alike by nearly all, so that their discrimination cannot be estimated ({n}): {names}.",
    ),
    "limits.model_left_out": ("Không đưa vào mô hình: {names}.", "Left out of the model: {names}."),
    "limits.merged": (
        "Các mức điểm hiếm gặp được gộp lại ở {names}.",
        "Rare categories were merged in {names}.",
    ),
    "limits.no_error": (
        "Không xác định được sai số của {names}: dữ liệu đẩy tham số ra vô cùng hoặc không cho biết nó.",
        "The data do not determine the parameters of {names}: there is no standard error for them.",
    ),
    "limits.part": ("{part}: {why}", "{part}: {why}"),
    "limits.incomplete": (
        "Độ tin cậy tính trên {n} thí sinh có đủ mọi câu; {left_out} thí sinh không được tính.",
        "Reliability rests on the {n} candidates who met every item; {left_out} were left out.",
    ),
    "part.reliability": ("Độ tin cậy", "Reliability"),
    "part.model": ("Mô hình ứng đáp", "Response model"),
    "part.model_fit": ("Mức phù hợp chung của mô hình", "Overall fit of the model"),
    "part.dependence": ("Phụ thuộc giữa các câu", "Dependence between items"),
    "part.groups": ("So sánh nhóm", "Comparison of groups"),
    # axes and columns
    "axis.score": ("điểm", "score"),
    "axis.theta": ("năng lực", "ability"),
    "axis.error": ("sai số chuẩn", "standard error"),
    "axis.information": ("thông tin", "information"),
    "axis.lz": ("lz*", "lz*"),
    "col.item": ("Câu", "Item"),
    "col.n": ("Số TS", "n"),
    "col.score": ("Điểm", "Score"),
    "col.count": ("Số thí sinh", "Candidates"),
    "col.share": ("Tỉ lệ", "Share"),
    "col.difficulty": ("Độ khó", "Difficulty"),
    "col.discrimination": ("Độ phân biệt", "Discrimination"),
    "col.interval": ("Khoảng {confidence}\u00a0%", "{confidence}\u00a0% interval"),
    "col.biserial": ("Biserial", "Biserial"),
    "col.upper_lower": ("D (27\u00a0%)", "D (27\u00a0%)"),
    "col.alpha_deleted": ("Alpha nếu bỏ", "Alpha without"),
    "col.note": ("Ghi chú", "Note"),
    "col.option": ("Phương án", "Option"),
    "col.key": ("đáp án", "key"),
    "col.mean_total": ("Điểm TB", "Mean total"),
    "col.r": ("r", "r"),
    "col.upper": ("Nhóm cao", "Top 27\u00a0%"),
    "col.lower": ("Nhóm thấp", "Bottom 27\u00a0%"),
    "col.coefficient": ("Hệ số", "Coefficient"),
    "col.value": ("Giá trị", "Value"),
    "col.error": ("Sai số chuẩn", "Standard error"),
    "col.model": ("Mô hình", "Model"),
    "col.slope": ("a", "a"),
    "col.b": ("b", "b"),
    "col.c": ("c", "c"),
    "col.infit": ("Infit", "Infit"),
    "col.outfit": ("Outfit", "Outfit"),
    "col.sx2": ("S-X²", "S-X²"),
    "col.df": ("Bậc tự do", "df"),
    "col.p": ("p", "p"),
    "col.p_adjusted": ("p (Holm)", "p (Holm)"),
    "col.theta": ("Năng lực", "Ability"),
    "col.information": ("Thông tin", "Information"),
    "col.person": ("Thí sinh", "Candidate"),
    "col.lz": ("lz*", "lz*"),
    "col.pair": ("Cặp câu", "Pair"),
    "col.q3": ("Q₃ − trung bình", "Q₃ − mean"),
    "col.delta": ("Delta MH", "MH delta"),
    "col.class": ("Loại ETS", "ETS class"),
    "col.logistic": ("Logistic p", "Logistic p"),
    "col.r2": ("ΔR²", "ΔR²"),
    "mark.mean": ("trung bình {value}", "mean {value}"),
    "mark.limit": ("ngưỡng {value}", "limit {value}"),
    "flag.key": ("kiểm tra đáp án", "check the key"),
    "flag.reversed": ("phân biệt ngược", "reversed"),
    "flag.constant": ("mọi người cùng điểm", "all alike"),
    "flag.easy": ("rất dễ", "very easy"),
    "flag.hard": ("rất khó", "very hard"),
    "flag.misfit": ("không theo mô hình", "misfit"),
    "flag.dif": ("khác biệt nhóm", "group difference"),
    "coefficient.alpha": ("Alpha", "Alpha"),
    "coefficient.omega": ("Omega", "Omega"),
    "coefficient.kr21": ("KR-21", "KR-21"),
    "coefficient.odd_even": ("Chẵn – lẻ", "Odd – even"),
    "coefficient.lambda2": ("Lambda 2", "Lambda 2"),
    # methods
    "method.classical": (
        "Độ khó: khoảng Blaker (câu 0/1) hoặc Korn–Graubard; độ phân biệt: tương quan câu – phần còn lại, jackknife trên thang Fisher; phương án: như trên. "
        "Alpha: khoảng Feldt; omega: một nhân tố; sai số theo điểm: Lord, câu nhiều điểm theo Lee.",
        "Difficulty: Blaker's interval (0/1 items) or Korn–Graubard; discrimination: item–rest correlation, jackknife on Fisher's scale; options likewise. "
        "Alpha: Feldt's interval; omega: one factor; conditional error: Lord, and Lee for points.",
    ),
    "method.model": (
        "Mô hình: hợp lý cực đại biên, P = c + (1 − c)/(1 + exp(−a(θ − b))); năng lực: EAP; câu: S-X² của Orlando và Thissen, p hiệu chỉnh Holm; toàn bài: M2 và RMSEA; "
        "thí sinh: lz* của Snijders, tỉ lệ phát hiện nhầm 5\u00a0% (Benjamini–Hochberg); cặp câu: Q₃ của Yen.",
        "Model: marginal maximum likelihood, P = c + (1 − c)/(1 + exp(−a(θ − b))); ability: EAP; items: Orlando and Thissen's S-X², p by Holm; whole: M2 and RMSEA; "
        "candidates: Snijders' lz*, false discovery rate 5\u00a0% (Benjamini–Hochberg); pairs: Yen's Q₃.",
    ),
    "method.groups": (
        "Nhóm: Mantel–Haenszel theo tổng điểm, loại A, B, C của ETS; hồi quy logistic (đồng đều và không đồng đều); p hiệu chỉnh Holm.",
        "Groups: Mantel–Haenszel by total score, ETS classes A, B, C; logistic regression (uniform and non-uniform); p by Holm.",
    ),
}

# Vietnamese sentences of the verdicts; the English ones are in scoring.verdicts
VERDICTS: dict[str, str] = {
    "item.no_variation": "cả {n} thí sinh cùng một điểm ở câu này: không thể nói gì về độ phân biệt",
    "item.too_few": "chỉ {minority} trong {n} thí sinh khác với số còn lại: không ước lượng được độ phân biệt",
    "item.undecided": "với {n} thí sinh, độ phân biệt nằm giữa {lower} và {upper}: chưa biết thuận hay ngược",
    "item.discriminates": "thí sinh khá hơn làm câu này tốt hơn: độ phân biệt giữa {lower} và {upper}",
    "item.reversed": "thí sinh khá hơn làm câu này kém hơn: độ phân biệt giữa {lower} và {upper}",
    "item.key_suspect": "thí sinh khá hơn chọn phương án {option} nhiều hơn đáp án: kiểm tra lại đáp án",
    "paper.says_nothing": "với {n} thí sinh, mẫu không cho biết câu nào phân biệt được",
    "paper.some_items": "{decided} trên {items} câu cho thấy rõ chiều phân biệt; ngẫu nhiên cũng có khoảng {false_alarms}",
    "reliability.not_estimable": "độ tin cậy cần những tổng điểm khác nhau và ít nhất hai câu",
    "reliability.says_nothing": "với {n} thí sinh, độ tin cậy có thể là bất kỳ giá trị nào từ {lower} đến {upper}",
    "reliability.below": "độ tin cậy thấp hơn {target}: giữa {lower} và {upper}",
    "reliability.above": "độ tin cậy đạt trên {target}: giữa {lower} và {upper}",
    "reliability.undecided": "độ tin cậy giữa {lower} và {upper}: chưa biết có đạt {target} hay không",
    "reliability.not_dichotomous": "chỉ xác định với câu chấm 0 hoặc 1",
    "reliability.singular": "cần nhiều thí sinh ({n}) hơn số câu ({items}), và không câu nào do các câu khác quyết định",
    "reliability.improper": "mô hình nhân tố cho một câu không có phương sai sai số: không dùng hệ số này",
}


class Wording:
    """Words and numbers in one language: `wording(key, …)` is a sentence, `wording.number(x, 2)` a number."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"There is no language {language!r}: choose {' or '.join(LANGUAGES)}.")
        self.language = language
        self._place = LANGUAGES.index(language)

    def __call__(self, key: str, **values: str) -> str:
        return TEXTS[key][self._place].format_map(values)

    def number(self, value: float, digits: int) -> str:
        """`digits` decimals, thousands in groups; a comma before the decimals in Vietnamese; – for NaN."""
        if math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        written = f"{value:,.{digits}f}"
        if float(written.replace(",", "")) == 0:
            written = written.lstrip("-")
        written = written.replace("-", "−")
        return written.translate(str.maketrans(",.", ".,")) if self.language == "vi" else written

    def points(self, value: float) -> str:
        """A score: whole where it is whole, else two decimals."""
        return self.number(value, 0 if value == round(value) else 2)

    def probability(self, value: float) -> str:
        """Three decimals, below that `< 0.001`."""
        return "< " + self.number(0.001, 3) if value < 0.001 else self.number(value, 3)

    def interval(self, low: float, high: float, digits: int = 2) -> str:
        return self("to", low=self.number(low, digits), high=self.number(high, digits))

    def names(self, names: Sequence[str], most: int = 12) -> str:
        """The first names, and how many more there are."""
        if len(names) <= most:
            return ", ".join(names)
        return ", ".join(names[:most]) + " " + self("more", n=self.number(len(names) - most, 0))

    def verdict(self, verdict: Verdict) -> str:
        """The verdict's sentence, without a full stop, its first letter large."""
        return self.judgement(verdict.code, verdict.numbers, verdict.names)

    def judgement(self, code: str, numbers: Mapping[str, float], names: Mapping[str, str] | None = None) -> str:
        sentence = VERDICTS[code] if self.language == "vi" else CODES[code]
        shown = {
            name: self.number(value, 0 if name in _COUNTS else 1 if name == "false_alarms" else 2)
            for name, value in numbers.items()
        }
        filled = sentence.format_map({**shown, **(names or {})})
        return filled[0].upper() + filled[1:]


_COUNTS = ("n", "items", "decided", "minority", "reversed")

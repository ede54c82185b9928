"""What the invented candidates answer: a right answer, a wrong one, and an essay."""

from __future__ import annotations

import random
from typing import Any

from question_banks.model import Item

ESSAY_TEXT = "\n\n".join(
    (
        "Kính thưa Hội đồng,",
        "Trước hết, cần nhìn thẳng vào thực trạng: khối lượng hồ sơ tăng nhanh hơn biên chế, quy trình còn nhiều khâu trùng lặp, "
        "người dân phải đi lại nhiều lần. Nguyên nhân không chỉ ở công nghệ mà ở cách phân công, ở việc chưa đo được thời gian "
        "thực tế của từng khâu và chưa có người chịu trách nhiệm đến cùng.",
        "Tôi đề xuất ba nhóm giải pháp. Một là rà soát từng thủ tục cùng những người trực tiếp làm, bỏ khâu không tạo giá trị, "
        "công khai thời hạn và người phụ trách. Hai là phân cấp quyết định cho cấp phòng trong phạm vi rõ ràng, kèm kiểm tra "
        "ngẫu nhiên hằng tuần thay cho ký duyệt từng việc. Ba là xây dựng bảng theo dõi chung, cập nhật mỗi ngày, để mọi người "
        "cùng thấy hồ sơ nào sắp quá hạn.",
        "Về lộ trình, trong một trăm ngày đầu tôi chọn năm thủ tục có nhiều phàn nàn nhất làm thí điểm, đặt mục tiêu giảm một "
        "phần ba thời gian chờ. Nguồn lực lấy từ việc sắp xếp lại ca trực, không xin thêm biên chế. Rủi ro lớn nhất là tâm lý "
        "ngại thay đổi, vì vậy tôi sẽ họp ngắn hằng tuần, ghi nhận sáng kiến và bảo vệ người dám đề xuất.",
        "Tôi cam kết báo cáo công khai kết quả mỗi quý và chịu trách nhiệm nếu không đạt mục tiêu đã nêu.",
    )
)


def key_of(item: Item) -> dict[str, Any]:
    """An answer that earns full marks, taken from the item's own rules."""
    found: dict[str, Any] = {}
    for rule in item.rules:
        declared = item.declared[rule.response]
        right = list(declared.correct) or [answer.value for answer in rule.answers if answer.credit == 1][:1]
        several = declared.cardinality in ("multiple", "ordered")
        found[rule.response] = [str(one) for one in right] if several else str(right[0])
    return found


def wrong_of(item: Item, chance: random.Random) -> dict[str, Any]:
    """A well-formed answer that earns less than full marks."""
    found: dict[str, Any] = {}
    for interaction in item.interactions:
        options = [choice.id for choice in interaction.choices]
        if item.kind == "true-false":
            options = ["true", "false"]
        if not options:
            found[interaction.response] = str(chance.randint(1000, 9999))
            continue
        multiple = item.declared[interaction.response].cardinality == "multiple"
        tries: list[Any] = [[one] for one in options] if multiple else list(options)
        if interaction.targets:
            tries = [[f"{one} {target.id}"] for one in options for target in interaction.targets]
        chance.shuffle(tries)
        found[interaction.response] = next(
            (one for one in tries if item.mark({interaction.response: one}).score != item.max_score), tries[0]
        )
    return found

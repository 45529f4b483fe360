"""What citizens report and follow."""

from typing import Final

from citybrain.kernel.text import Text

WORDS: Final = {
    # Reports
    "report_words": Text("问题描述", "What is wrong"),
    "report_words_hint": Text(
        "说清是什么、有什么影响。请勿写他人的姓名和电话。",
        "Say what it is and what it does. Leave out names and numbers of others.",
    ),
    "report_place": Text("位置", "Where"),
    "report_where": Text("选择地标或社区", "Landmark or community"),
    "report_spot": Text("位置说明（可不填）", "The place in words (optional)"),
    "report_spot_hint": Text("如“东门外公交站旁”", "such as: by the bus stop at the east gate"),
    "instructions": Text("领导批示与督办", "Instructions"),
    "instructed": Text("督办", "Instructed"),
    "instruct": Text("批示并督办", "Give an instruction"),
    "instruct_words": Text("批示内容", "Instruction"),
    "instruct_term": Text("督办期限（自现在起）", "Time allowed, from now"),
    "instruction_answer": Text("反馈", "Answer"),
    "proof_photo": Text("现场照片", "Photo on site"),
    "proof_hint": Text(
        "请现场拍摄：早于立案或距案件位置 200 米以上的照片不予接收。位置信息只用于核验，不保存。离线时照片不会保存在本机，恢复网络后请重新选择。",
        "Take it on site: a photo from before the case or over 200 m away is refused. Its position is checked and not kept. Offline it is "
        "not kept on the device: choose it again once you are back.",
    ),
    "report_photo": Text("照片（可不填）", "Photo (optional)"),
    "report_photo_hint": Text(
        "JPEG、PNG 或 WebP，不超过 10 MB。拍摄地点、时间和机型等信息会被清除。",
        "JPEG, PNG or WebP, at most 10 MB. Where, when and with what it was taken is removed.",
    ),
    "report_photo_held": Text("照片已收到，无需重新选择。", "The photo is here already."),
    "report_contact": Text("联系方式（可不填）", "How to reach you (optional)"),
    "report_contact_hint": Text("仅供承办人员联系核实。", "Seen only by those who handle the case."),
    "report_privacy": Text(
        "您填写的内容、联系方式和照片只用于办理此事，结案 {days} 天后删除。无需账号，凭编号和查询码查询。",
        "Your words, contact and photo serve this matter alone and are deleted {days} days after closing. No account: a number and a key open its progress.",
    ),
    "report_next": Text("下一步：确认类别", "Next: what kind it is"),
    "report_step": Text("第 {n} 步，共 2 步", "Step {n} of 2"),
    "report_have_number": Text("已上报？凭编号查询进展", "Reported before? Follow it by its number"),
    "report_other_forms": Text("其他上报", "Other forms"),
    "report_map_help": Text("点选图上的位置，或在下方选择。", "Click where it is, or choose below."),
    "report_tiles_help": Text("点选街道，再在下方选择社区。", "Click a subdistrict, then choose the community below."),
    "report_here": Text("用我的位置", "Use my position"),
    "report_here_ok": Text("已取得您的位置。", "Your position is taken."),
    "report_here_failed": Text("未能取得位置，请在下方选择。", "No position could be had. Choose below."),
    "report_point_ok": Text("已在图上选定位置。", "A point is chosen on the map."),
    "report_kind": Text("属于哪一类问题？", "What kind of problem is it?"),
    "report_kind_search": Text("都不是？换个说法查找", "None of these? Look for it in other words"),
    "report_kind_find": Text("查找类别", "Look for it"),
    "report_said": Text("您反映的问题", "What you report"),
    "report_alike": Text("附近已有相近的上报", "Somebody has reported the like nearby"),
    "report_alike_help": Text(
        "若是同一件事，并入后一起办理，您同样可以查询和评价。",
        "If it is the same matter, join it: you can follow and rate it all the same.",
    ),
    "report_join": Text("是同一件事，并入 {number}", "The same matter: join {number}"),
    "report_apart": Text("不是同一件事，单独提交", "Not the same: send mine"),
    "report_send": Text("提交", "Send"),
    "report_with_photo": Text("附照片", "with a photo"),
    "report_answers_by": Text("承办：{unit}", "Answered by {unit}"),
    "report_metres": Text("相距约 {metres} 米", "about {metres} m away"),
    "report_edition": Text("类别依据：", "Classes: "),
    "report_number": Text("编号", "Number"),
    "report_key": Text("查询码", "Key"),
    "report_key_help": Text(
        "请截屏或抄写。查询码只显示给您，遗失后无法补发。", "Save both. The key is shown to you alone and cannot be issued again."
    ),
    "report_progress": Text("办理进展", "Progress"),
    "report_answer": Text("办理结果", "What was done"),
    "report_rate": Text("办结了，您满意吗？", "It is closed. Are you satisfied?"),
    "report_grade": Text("满意程度", "How satisfied are you?"),
    "report_solved": Text("问题解决了吗？", "Is it solved?"),
    "report_solved_yes": Text("已解决", "Yes, it is solved"),
    "report_solved_no": Text("未解决，请继续办理", "No: go on with it"),
    "report_rate_words": Text("评价内容", "Your words"),
    "report_rate_send": Text("提交评价", "Send the rating"),
    "report_ratings": Text("您的评价", "Your ratings"),
    "report_follow": Text("查询办理进展", "Follow a report"),
    "report_follow_send": Text("查询", "Show"),
    "report_reported": Text("市民反映", "Reported"),
    "report_contact_short": Text("联系方式", "Contact"),
    "report_rated": Text("评价", "Rated"),
    "report_photo_alt": Text("上报照片", "Photo of the report"),
}

"""What stands around every page: frame, forms, sign-in, problems, the live connection."""

from typing import Final

from citybrain.kernel.text import Text

WORDS: Final = {
    # Frame
    "product": Text("城区大脑", "CityBrain"),
    "skip": Text("跳到正文", "Skip to main content"),
    "navigation": Text("主导航", "Main navigation"),
    "settings": Text("显示设置", "Display settings"),
    "other_language": Text("English", "中文"),
    "to_dark": Text("深色", "Dark"),
    "to_light": Text("浅色", "Light"),
    "to_large": Text("长辈版", "Large text"),
    "to_normal": Text("标准版", "Standard text"),
    "sign_in": Text("登录", "Sign in"),
    "sign_out": Text("退出", "Sign out"),
    "signed_in_as": Text("当前登录：", "Signed in: "),
    "demo": Text("演示数据", "Demo data"),
    "demo_origin": Text("查看来源", "where it comes from"),
    "demo_note": Text("非真实市情", "Not the real state of any district"),
    "origin": Text("来源：", "Source: "),
    "ages": Text("{n}天前|{n}小时前|{n}分钟前|{n}秒前|刚刚", "{n} d ago|{n} h ago|{n} min ago|{n} s ago|just now"),
    "city_time": Text("城区时间", "City time"),
    "speed": Text("{speed} 倍速回放", "replayed at {speed}×"),
    "host": Text("主办单位：", "Host: "),
    "site_code": Text("网站标识码：", "Site code: "),
    "icp": Text("ICP 备案：", "ICP filing: "),
    "police": Text("公安备案：", "Public security filing: "),
    "report_errors": Text("政府网站找错", "Report an error on this site"),
    "colon": Text("：", ": "),
    "comma": Text("，", ", "),
    "list_comma": Text("、", ", "),
    "open_bracket": Text("（", " ("),
    "close_bracket": Text("）", ")"),
    # Live
    "live_on": Text("实时更新中", "Updating live"),
    "live_lost": Text(
        "{time}起与服务器的连接中断，正在重连。所示为中断前的数据。",
        "Connection lost since {time}; reconnecting. What is shown is from before.",
    ),
    "offline": Text(
        "没有网络，尚未提交。您填写的内容已保存在本机，联网后请再次提交。",
        "No network: not sent. What you typed is kept on this device; send it again when you are connected.",
    ),
    "keys": Text("键盘快捷键", "Keyboard shortcuts"),
    "keys_on": Text("启用单键快捷键", "Single-letter shortcuts on"),
    "keys_next": Text("下一条 / 上一条", "Next / previous case"),
    "keys_open": Text("打开", "Open it"),
    "keys_search": Text("搜索", "Search"),
    "keys_help": Text("显示或收起本说明", "Show or hide this help"),
    "list_changed": Text("列表有更新，点此刷新", "The list has changed: show it anew"),
    "live_ended": Text(
        "登录已到期，所示为此前的数据。请重新登录。", "The session has ended; what is shown is from before. Sign in again."
    ),
    "live_back": Text("连接已恢复。", "Connection restored."),
    # Form
    "form_errors": Text("提交前请更正：", "Before you send this, correct: "),
    "error_prefix": Text("错误：", "Error: "),
    "note": Text("说明", "Note"),
    "note_needed": Text("必填", "Required"),
    "note_optional": Text("选填", "Optional"),
    "to_unit": Text("转往单位", "To unit"),
    "choose": Text("请选择", "Choose"),
    "kept": Text("未提交的文字已保存在本机。", "What you typed is kept on this device until it is sent."),
    "search": Text("搜索", "Search"),
    "name": Text("账号", "Account name"),
    "password": Text("口令", "Password"),
    # Sign-in and problem
    "sign_in_title": Text("登录", "Sign in"),
    "demo_accounts": Text("演示账号", "Demo accounts"),
    "demo_accounts_about": Text("仅用于演示，正式部署中不存在。", "For demonstration only; a real installation has none of them."),
    "role": Text("角色", "Role"),
    "passwords_off": Text("本系统未启用本地口令，请使用统一身份认证。", "Local passwords are off here; use the unified sign-in."),
    "problem_why": Text("原因", "Why"),
    "problem_todo": Text("可以这样做", "What to do"),
    "problem_code": Text("错误代码：", "Error code: "),
    "problem_request": Text("请求编号：", "Request number: "),
    "problem_docs": Text("此错误的说明", "About this error"),
    "home": Text("返回首页", "Back to the start page"),
}

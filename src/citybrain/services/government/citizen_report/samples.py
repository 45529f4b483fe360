"""Invented reports for a demonstration (模拟生成); nobody said any of them."""

from citybrain.sdk import Sample

SAMPLES = (
    Sample("01037", "小区东门外三盏路灯不亮，晚上老人走路不方便。", 5.0, 0, "reported"),
    Sample("01023", "菜市场门口井盖松动，车一过就响，怕有人踩空。", 1.5, 3, "assigned"),
    Sample("06042", "垃圾桶满了两天，周围都是垃圾袋。", 26.0, 5, "handling"),
    Sample("09012", "消防通道被私家车占了，早上一直没挪。", 3.0, 7, "reported"),
    Sample("06013", "公交站旁路面有坑，下雨积水看不见。", 50.0, 9, "closed", 4),
    Sample("09009", "人行道上停满了车，行人只能走到马路上。", 74.0, 2, "closed", 5),
    Sample("06010", "楼道口堆着旧家具和垃圾，半个月没人清。", 98.0, 4, "closed", 2),
    Sample("06028", "广场舞音响太大，晚上九点半还没停。", 122.0, 6, "closed", 3),
    Sample("08004", "工地裸土没有苫盖，风一吹尘土飞扬。", 8.0, 1, "handling"),
)

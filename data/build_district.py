"""Writes ``district/shape.json`` and ``district/120104.csv`` from the folder of sources that is handed over; run once, by hand.

python data/build_district.py <folder with nankai_boundary_wgs84_converted.geojson, tianjin_streets.csv, nankai_communities.csv>
"""

import csv
import json
import sys
from pathlib import Path

import shapely

HERE = Path(__file__).parent / "district"
TOLERANCE = 0.0004
"""Degrees, about 40 m: the shape is 示意, and is meant to be."""
DIGITS = 4
"""Decimals kept, about 10 m."""
SUBDISTRICTS = {
    "长虹街道": "Changhong",
    "鼓楼街道": "Gulou",
    "兴南街道": "Xingnan",
    "广开街道": "Guangkai",
    "万兴街道": "Wanxing",
    "学府街道": "Xuefu",
    "向阳路街道": "Xiangyang Road",
    "嘉陵道街道": "Jialing Avenue",
    "王顶堤街道": "Wangdingdi",
    "水上公园街道": "Shuishang Gongyuan",
    "体育中心街道": "Tiyu Zhongxin",
    "华苑街道": "Huayuan",
}


SOUNDS = (
    "光guang 明ming 路lu 雅ya 云yun 里li 翰han 园yuan 美mei 建jian 华hua 平ping 陆lu 东dong 王wang 台tai 幸xing 福fu 南nan 广guang 灵ling "
    "天tian 香xiang 水shui 畔pan 盛sheng 达da 越yue 霖lin 后hou 现xian 代dai 场chang 壹yi 街jie 区qu 铜tong 锣luo 湾wan 海hai 河he 尚shang "
    "佳jia 新xin 苑yuan 龙long 亭ting 家jia 祥xiang 丰feng 马ma 凤feng 耀yao 远yuan 紫zi 昆kun 裕yu 怀huai 庆qing 延yan 生sheng 源yuan "
    "德de 五wu 桦hua 林lin 朝chao 颂song 禹yu 康kang 舜shun 级ji 升sheng 卫wei 安an 西xi 中zhong 丽li 瑞rui 凯kai 兴xing 宝bao 公gong "
    "寓yu 格ge 调diao 春chun 风feng 荷he 江jiang 同tong 富fu 长chang 宁ning 环huan 三san 潭tan 章zhang 卧wo 金jin 融rong 泰tai 义yi "
    "井jing 玉yu 皇huang 万wan 双shuang 峰feng 泉quan 音yin 大da 北bei 村cun 苏su 堤di 学xue 湖hu 府fu 照zhao 月yue 荣rong 迁qian 航hang "
    "二er 一yi 六liu 四si 季ji 向xiang 阳yang 战zhan 备bei 楼lou 芥jie 冶ye 留liu 集ji 昔xi 宜yi 君jun 居ju 花hua 泥ni 宾bin 泊bo 罗luo "
    "咸xian 嘉jia 陵ling 川chuan 汶wen 易yi 桂gui 昌chang 保bao 山shan 淦gan 横heng 盈ying 迎ying 厦xia 荫yin 鹤he 典dian 冠guan 拖tuo "
    "艳yan 临lin 复fu 鲁lu 能neng 馆guan 利li 观guan 景jing 上shang 欣xin 乐le 谷gu 凌ling 研yan 星xing 城cheng 滨bin 禧xi 仁ren 爱ai "
    "濠hao 发fa 时shi 奥ao 佰bai 国guo 际ji 俊jun 浅qian 日ri 碧bi 莹ying 程cheng 绮qi 地di 久jiu 竹zhu"
)
"""Pinyin of the characters of the communities' names, as they are read there."""


def romanised(name: str) -> str:
    """The name of a community in pinyin; a vowel after a syllable is set off with an apostrophe."""
    sounds = {entry[0]: entry[1:] for entry in SOUNDS.split()}
    word = sounds[name[0]]
    for sign in name[1:]:
        sound = sounds[sign]
        word += f"'{sound}" if sound[0] in "aoe" else sound
    return f"{word.capitalize()} Community"


def shape(sources: Path) -> None:
    """Simplify the outline of the district and drop what is finer than the eye needs."""
    collection = json.loads((sources / "nankai_boundary_wgs84_converted.geojson").read_text(encoding="utf-8"))
    whole = shapely.geometry.shape(collection["features"][0]["geometry"])
    largest = max(whole.geoms, key=lambda part: part.area)
    simple = shapely.simplify(largest, TOLERANCE)
    ring = [[round(lon, DIGITS), round(lat, DIGITS)] for lon, lat in simple.exterior.coords]
    document = {"note": "示意 · schematic; see ATTRIBUTION.md", "crs": "EPSG:4326", "ring": ring}
    (HERE / "shape.json").write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"shape: {len(ring) - 1} of {len(largest.exterior.coords) - 1} vertices")


def names(sources: Path) -> None:
    """Copy codes and names of subdistricts and communities."""
    rows = [("120104", "district", "南开区", "Nankai District")]
    with (sources / "tianjin_streets.csv").open(encoding="utf-8") as file:
        streets = [row for row in csv.DictReader(file) if row["areaCode"] == "120104"]
    rows += [(row["code"], "subdistrict", row["name"], f"{SUBDISTRICTS[row['name']]} Subdistrict") for row in streets]
    with (sources / "nankai_communities.csv").open(encoding="utf-8") as file:
        rows += [
            (row["code"], "community", row["name"], romanised(row["name"].removesuffix("社区居委会")))
            for row in csv.DictReader(file)
        ]
    with (HERE / "120104.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("code", "level", "zh", "en"))
        writer.writerows(sorted(rows))
    print(f"names: {len(rows)} rows")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    shape(Path(sys.argv[1]))
    names(Path(sys.argv[1]))

#!/bin/sh
# Installs CityBrain from this folder alone: no network, no root. 离线安装，不联网，不需要 root。
#   ./install.sh [TARGET]        PYTHON=python3 and PUBLIC_KEY=publisher.pem may be set
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$PWD/citybrain}
python=${PYTHON:-python3}
cd -- "$here"

stop() {
    printf '%s\n%s\n' "$1" "$2" >&2
    exit 1
}

if [ -n "${PUBLIC_KEY:-}" ]; then
    [ -f SHA256SUMS.sig ] || stop "安装包没有签名，与要求不符。" "The bundle is not signed, and PUBLIC_KEY asks for a signature."
    openssl pkeyutl -verify -pubin -inkey "$PUBLIC_KEY" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1 ||
        stop "签名不符：安装包不是这把公钥的持有者发布的。" "The signature is wrong: the bundle is not from the holder of this key."
    echo "签名相符 · the signature is right"
else
    echo "未核对签名：校验和能发现损坏，不能发现替换。设 PUBLIC_KEY=发布者公钥 可核对。"
    echo "No signature was checked: sums show damage, not exchange. Set PUBLIC_KEY to the publisher's key."
fi
sha256sum --check --quiet --strict SHA256SUMS || stop "文件损坏或缺失（见上），没有安装任何东西。" "Files are damaged or missing (see above). Nothing was installed."

wanted=$(cat PLATFORM)
found=$("$python" -c 'import platform, sys; print(f"cp{sys.version_info.major}{sys.version_info.minor} {platform.system().lower()} {platform.machine()}")') ||
    stop "没有 $python。请安装 Python，或设 PYTHON=路径。" "There is no $python. Install Python, or set PYTHON to where it is."
[ "$found" = "$wanted" ] || stop "安装包适用于 $wanted，本机是 $found。请在同样的机器上另做一份。" "The bundle is for $wanted, this machine is $found. Make one on a machine of this kind."

[ ! -e "$target/.venv" ] || stop "$target 已有安装。请换一个文件夹；升级时先停止服务并备份。" "$target is installed already. Choose another folder; to upgrade, stop the service and back up first."
mkdir -p -- "$target"
"$python" -m venv "$target/.venv" || stop "无法建立虚拟环境。请安装 python3-venv。" "No virtual environment could be made. Install python3-venv."
pip="$target/.venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet --no-index --no-deps"
$pip --find-links wheels --require-hashes -r requirements.lock
$pip citybrain-*.whl
cp -R data docs -- "$target/"

echo "已安装到 $target。接下来 · Installed. Next:"
echo "  cd $target"
echo "  .venv/bin/citybrain demo                        # 示意城区 · the demo district"
echo "  .venv/bin/citybrain init --district 120104      # 真实城区 · a real district, then: .venv/bin/citybrain serve"

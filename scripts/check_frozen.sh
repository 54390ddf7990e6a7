#!/bin/sh
# Does a frozen app work? Builds one with PyInstaller from the wheel in dist/, moves it, and tracks a clip with it in an empty
# environment, without a Python and without a home. Compares its boxes with those of the installed package.
# Needs the network. PYTHON is the interpreter.
set -eu
PYTHON=${PYTHON:-python3}
WHEEL=$(ls "$PWD"/dist/*.whl)
CONSTRAINTS=$PWD/constraints.txt
TOOL=$(grep ^pyinstaller "$PWD/requirements-release.txt")
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
cd "$FOLDER"

"$PYTHON" -m venv env
env/bin/pip --disable-pip-version-check install -q -c "$CONSTRAINTS" "$WHEEL" "$TOOL"
echo "from fear.cli import app; app()" >follow.py
start=$(date +%s)
env/bin/pyinstaller --log-level ERROR --onedir follow.py
echo "built in $(($(date +%s) - start)) s"
env/bin/python -m fear.media.synthetic clip.mp4 >box.txt
BOX=$(cat box.txt)
for runtime in onnx openvino; do
    rm -f package.txt frozen.txt
    env/bin/fear track clip.mp4 --box "$BOX" --boxes package.txt --max-frames 20 --runtime $runtime --threads 1 --quiet
    env -i "$FOLDER/dist/follow/follow" track clip.mp4 --box "$BOX" --boxes frozen.txt --max-frames 20 --runtime $runtime --threads 1 --quiet
    cmp package.txt frozen.txt && echo "$runtime: the same boxes"
done
mv dist/follow elsewhere
env -i "$FOLDER/elsewhere/follow" track clip.mp4 --box "$BOX" --output frozen.mp4 --max-frames 20 --quiet
env -i "$FOLDER/elsewhere/follow" models >/dev/null
env -i "$FOLDER/elsewhere/follow" demo --output page >/dev/null
test -s frozen.mp4 && test -s page/index.html
if find elsewhere | grep -q "/torch/"; then
    echo "torch came along"
    exit 1
fi
echo "the frozen app works elsewhere, in an empty environment: $(du -sm elsewhere | cut -f1) MB"

#!/bin/sh
# Does an environment with one of OpenCV's four packages keep its cv2 when fear-tracker is installed and removed?
# Compares every file and public name of cv2 before, with fear-tracker, and after; tracks a clip with it; then tracks without OpenCV.
# Needs a wheel in dist/ (make wheel), and the network. PYTHON is the interpreter; WHEELS the packages to try.
set -eu
PYTHON=${PYTHON:-python3}
WHEELS=${WHEELS:-opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless}
WHEEL=$(ls "$PWD"/dist/*.whl)
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
cd "$FOLDER"

"$PYTHON" -m venv plain
plain/bin/pip --disable-pip-version-check install -q -c "$OLDPWD/constraints.txt" "$WHEEL"
plain/bin/python -m fear.media.synthetic clip.mp4 >box.txt
track() {
    "$1" track clip.mp4 --box "$(cat box.txt)" --boxes "$2" --max-frames 20 --model fear-nano --runtime onnx --quiet >/dev/null
}
track plain/bin/fear without.txt
if plain/bin/python -c "import cv2" 2>/dev/null; then
    echo "the core brought an OpenCV along"
    exit 1
fi

state() { # digests of all files, then the public names where this machine can import them
    (cd "$1"/lib/python3*/site-packages && find cv2 -type f ! -name "*.pyc" -exec sha256sum {} + | sort)
    "$1/bin/python" -c "import cv2; print(cv2.__version__, *sorted(dir(cv2)))" 2>&1 | tail -1
}
for package in $WHEELS; do
    "$PYTHON" -m venv user
    user/bin/pip --disable-pip-version-check install -q -c "$OLDPWD/constraints.txt" "$package"
    state user >before.txt
    user/bin/pip --disable-pip-version-check install -q -c "$OLDPWD/constraints.txt" "$WHEEL"
    state user >during.txt
    track user/bin/fear with.txt
    backend=$(user/bin/python -c "from fear.media import pixels; print(pixels.BACKEND)")
    user/bin/pip --disable-pip-version-check uninstall -q -y fear-tracker
    state user >after.txt
    cmp before.txt during.txt && cmp before.txt after.txt
    plain/bin/python -c "
import numpy
one, other = (numpy.loadtxt(name, delimiter=',') for name in ('with.txt', 'without.txt'))
apart = (abs(one - other) / numpy.tile(other[:, 2:], 2)).max()  # as a share of the box; crops differ by one level
assert apart < 0.02, apart
print(f'$package: $(wc -l <before.txt) lines stay the same; tracked by $backend; boxes at most {apart:.1%} of their size from those without OpenCV')"
    rm -rf user
done

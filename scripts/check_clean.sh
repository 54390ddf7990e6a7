#!/bin/sh
# Runs tests of the core as in a strict container: an empty environment, no home, a foreign user where that is possible, and a copy of the
# source that cannot be written. PYTHON has the packages of the tests; arguments are tests, some quick ones by default.
set -eu
PYTHON=${PYTHON:-$PWD/.venv/bin/python}
FOLDER=$(mktemp -d)
trap 'chmod -R u+w "$FOLDER"; rm -rf "$FOLDER"' EXIT
git ls-files -z | tar --null --files-from=- -c | tar -x -C "$FOLDER"
chmod -R a-w,a+rX "$FOLDER"
cd "$FOLDER"
USER_OF_RUN=""
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then # this user may read what belongs to others, such as PYTHON, and write nothing
    USER_OF_RUN="setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search"
fi
[ $# -gt 0 ] || set -- tests/geometry tests/media/test_crop.py tests/media/test_names.py tests/tracking/test_decode.py tests/weights/test_store.py tests/test_config.py
# shellcheck disable=SC2086  # several words
env -i PYTHONPATH="$FOLDER/src" $USER_OF_RUN "$PYTHON" -m pytest -p no:cacheprovider -q "$@"
if [ -n "$(find . -newer pyproject.toml -name '*.pyc' -print -quit)" ] || [ -e .hypothesis ]; then
    echo "the tests wrote into the source"
    exit 1
fi

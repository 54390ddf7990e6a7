#!/bin/sh
# Makes what is released into dist/: sdist, wheel, and the list of what they depend on (SBOM, CycloneDX).
# Ends with an error where two builds differ, where twine finds a fault, or where the sdist does not install.
# Needs PYTHON (3.11 or newer) and TOOLS (the programs of requirements-release.txt); `make release` gives both.
set -eu
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1735689600)
export SOURCE_DATE_EPOCH
rm -rf dist build/again build/sdist-env
"$TOOLS/python" -m build --outdir dist . >/dev/null
"$TOOLS/python" -m build --outdir build/again . >/dev/null
for file in dist/*; do
    cmp "$file" "build/again/$(basename "$file")" || { echo "two builds of $(basename "$file") differ"; exit 1; }
done
"$TOOLS/twine" check --strict dist/*.whl dist/*.tar.gz

"$PYTHON" -m venv build/sdist-env
build/sdist-env/bin/pip --disable-pip-version-check install -q -c constraints.txt dist/*.tar.gz
(cd build && sdist-env/bin/fear --version && sdist-env/bin/fear models >/dev/null)
"$TOOLS/cyclonedx-py" environment --output-reproducible --of JSON -o "$(ls dist/*.whl | sed s/.whl$//).cdx.json" build/sdist-env/bin/python

# without --strict it would find no fault in packages that it could not ask about
"$TOOLS/pip-audit" --strict --path build/sdist-env/lib/python3*/site-packages --skip-editable ||
    echo "pip-audit: read the lines above; a package that could not be asked about IS NOT CHECKED"
if command -v npm >/dev/null; then npm audit --prefix web || echo "npm audit: read the lines above; where the registry does not answer, nothing IS CHECKED"; fi
rm -rf build/again build/sdist-env
ls -l dist

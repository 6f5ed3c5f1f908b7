#!/bin/sh
# Creates the virtual environment with everything in it; says in one line what is missing.
set -eu
venv="$1"
python="${PYTHON:-python3}"

command -v "$python" >/dev/null 2>&1 || { echo "Python 3.11 or newer is needed: install python3 and run this again." >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed, this is $("$python" --version). Try: make PYTHON=python3.12 ..." >&2; exit 1; }

if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing python3-venv ..."
        apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    else
        echo "The Python module venv is missing. On Debian and Ubuntu: sudo apt install python3-venv" >&2
        exit 1
    fi
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "Installing Zhiyn and what it needs into $venv (a minute or two, once) ..."
log="$venv/install.log"
if ! "$venv/bin/python" -m pip install --disable-pip-version-check --constraint constraints.txt \
        --editable '.[dev]' >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The installation did not finish; the whole story is in $log." >&2
    exit 1
fi

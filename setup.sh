#!/bin/sh
# Make a virtual environment with pinned dependencies, and install what is missing of Debian's packages.
# usage: setup.sh VENV      (environment: PYTHON, default python3.11)
set -eu
venv=$1
python=${PYTHON:-python3.11}
cd "$(dirname "$0")"

PATH=$PATH:/usr/sbin:/sbin # su without a dash leaves them out, and dpkg needs them
export PATH

missing=""
need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need nft nftables
need ip iproute2
need "$python" python3.11-venv
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3.11-venv"
# The tests start a private PostgreSQL; Debian keeps the server's programs out of the PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        export DEBIAN_FRONTEND=noninteractive
        # Debian's package would make and start a server for the whole machine, which nobody here asked for. Who has
        # a configuration of it already has decided that.
        case $missing in *postgresql*)
            if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
                mkdir -p /etc/postgresql-common/createcluster.d
                echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/ringfence.conf
            fi ;;
        esac
        apt-get update -qq
        # shellcheck disable=SC2086  # a list of packages
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "setup: not installed:$missing; as root: apt-get install$missing" >&2
        case $missing in *python*) exit 1 ;; esac
    fi
fi

# A set-up that was interrupted may have left an environment without pip: it is completed.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv "$venv"
# By the environment, so that it holds for what builds the package as well.
PIP_CONSTRAINT=$PWD/constraints.txt "$venv/bin/python" -m pip install -qq --disable-pip-version-check -e '.[dev]'

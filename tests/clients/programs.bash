# shellcheck shell=bash
# What other people wrote and the tests of this folder start: built from lock files into $CACHE, once for each lock file.
# Sourced by `tests/run`, whose `need`, `skip` and $CACHE it uses.

# once FOLDER COMMAND FILE…: the command fills the folder, unless it has done so from the same files.
once() {
    local folder=$1 command=$2 stamp
    shift 2
    stamp=$(cat "$@" | sha256sum)
    [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && return
    echo "making $folder, once"
    rm -rf "$folder" && mkdir -p "$folder" && "$command" "$folder" && echo "$stamp" >"$folder/stamp" ||
        { echo "FAILED: $command" && return 1; }
}

# shellcheck disable=SC2317 # called through once
authlib() {
    python3 -m venv "$1" && "$1/bin/pip" install -q --disable-pip-version-check --require-hashes -r tests/clients/authlib/requirements.txt
}

# shellcheck disable=SC2317
oauth2_proxy() {
    go -C tests/clients/oauth2-proxy build -mod=readonly -o "$1/oauth2-proxy" github.com/oauth2-proxy/oauth2-proxy/v7
}

# shellcheck disable=SC2317
spring() {
    cp -r tests/clients/spring/. "$1" || return
    local build=(mvn -f "$1" -B -q -ntp "-Dmaven.repo.local=$CACHE/maven" -Dstyle.color=never package)
    # Without a network where the repository has everything.
    "${build[@]}" -o >"$1/offline.log" 2>&1 || "${build[@]}"
}

# Installs or builds them all and tells the tests where they are; `left_out` becomes the test of one that cannot be built.
# shellcheck disable=SC2034 # left_out is read where this is sourced
client_programs() {
    local here=tests/clients
    need /usr/lib/apache2/modules/mod_auth_openidc.so libapache2-mod-auth-openidc
    need /usr/libexec/sssd/oidc_child sssd-idp
    need openssl openssl
    need python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || need ensurepip python3-venv
    need javac default-jdk-headless
    need mvn maven
    once "$CACHE/authlib" authlib $here/authlib/requirements.txt || return
    once "$CACHE/spring" spring $here/spring/pom.xml $here/spring/src/main/java/test/idp/*.java || return
    export IDP_TEST_PYTHON=$CACHE/authlib/bin/python IDP_TEST_SPRING=$CACHE/spring/target/application.jar
    if command -v go >/dev/null; then
        once "$CACHE/oauth2-proxy" oauth2_proxy $here/oauth2-proxy/go.mod $here/oauth2-proxy/go.sum || return
        export IDP_TEST_OAUTH2_PROXY=$CACHE/oauth2-proxy/oauth2-proxy
    else
        left_out=oauth2-proxy.test.mjs
        skip 'oauth2-proxy signs in' 'needs Go 1.24 to build it' || return
    fi
}

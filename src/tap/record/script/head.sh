#!/bin/sh
# The requests that went through a socket, recorded by `ucurl tap --script`: run it to make them again.
# Another engine is asked where DOCKER_HOST names one.
set -eu
[ "${DOCKER_HOST:-}" ] || DOCKER_HOST=$ENDPOINT
export DOCKER_HOST

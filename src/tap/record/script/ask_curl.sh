case $DOCKER_HOST in
unix://*) ask() { ${run-} curl -sSg --path-as-is --unix-socket "${DOCKER_HOST#unix://}" "$@"; } ;;
*) ask() { ${run-} curl -sSg --path-as-is --connect-to "localhost:80:${DOCKER_HOST#tcp://}" "$@"; } ;;
esac

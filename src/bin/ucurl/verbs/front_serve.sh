stop() { woken=1; echo stop; }
trap stop INT TERM HUP
echo ready
until read -r code; do [ "$woken" ] || exit 1; woken=; done
read -r over
(:)
exit "$code"

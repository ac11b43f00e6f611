trap '' QUIT
trap 'got=INT; echo stop' INT
trap 'got=TERM; echo stop' TERM
trap 'got=HUP; echo stop' HUP
echo ready
until read -r pid; do [ "$got" ] || exit 1; done
pass() { woken=1; kill "-$1" "$pid"; echo stop; }
trap 'woken=1; echo interrupt' INT
trap 'pass TERM' TERM
trap 'pass HUP' HUP
case $got in TERM | HUP) pass "$got" ;; esac
until read -r code; do [ "$woken" ] || exit 1; woken=; done
trap 'woken=1; echo stop' INT TERM HUP
until read -r over; do [ "$woken" ] || break; woken=; done
(:)
exit "$code"

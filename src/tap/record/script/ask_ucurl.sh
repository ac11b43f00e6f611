ask() { ${run-} "${UCURL:-ucurl}" -sS --path-as-is "$@"; }

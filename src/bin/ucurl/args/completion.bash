# ucurl --generate bash >~/.local/share/bash-completion/completions/ucurl
_ucurl_contexts() {
  {contexts}
}
_ucurl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= words
  [ "$COMP_CWORD" = 1 ] || verb=${COMP_WORDS[1]}
  case $verb/$before in
{flags}
  esac
  [[ $COMP_CWORD != 1 || $word == -* ]] || words='{first}'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _ucurl ucurl
